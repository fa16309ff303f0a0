/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP: echo, errors to and from others.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <net/if.h>
#include <net/if_private.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/vnet.h>
#include <netinet/icmp_var.h>
#include <netinet/in.h>
#include <netinet/in_fib.h>
#include <netinet/in_systm.h>
#include <netinet/in_var.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/ip_var.h>
#include <machine/in_cksum.h>
#include "inet_internal.h"

VNET_PCPUSTAT_DEFINE(struct icmpstat, icmpstat);
VNET_PCPUSTAT_SYSINIT(icmpstat);
VNET_PCPUSTAT_SYSUNINIT(icmpstat);
SYSCTL_VNET_PCPUSTAT(_net_inet_icmp, OID_AUTO, stats, struct icmpstat, icmpstat,
    "ICMP statistics (struct icmpstat, netinet/icmp_var.h)");

/* Off: a test that floods a closed port wants each of its answers. */
VNET_DEFINE_STATIC(int, icmplim) = 0;
#define	V_icmplim	VNET(icmplim)
SYSCTL_INT(_net_inet_icmp, OID_AUTO, icmplim, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(icmplim), 0, "Maximum number of ICMP responses per second (0: no limit)");
VNET_DEFINE_STATIC(int, icmpbmcastecho) = 0;
#define	V_icmpbmcastecho	VNET(icmpbmcastecho)
SYSCTL_INT(_net_inet_icmp, OID_AUTO, bmcastecho, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(icmpbmcastecho), 0, "Reply to multicast ICMP Echo Request packets");
VNET_DEFINE_STATIC(int, icmp_quotelen) = 548;
#define	V_icmp_quotelen	VNET(icmp_quotelen)
SYSCTL_INT(_net_inet_icmp, OID_AUTO, quotelen, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(icmp_quotelen), 0, "Number of bytes from original packet to quote in ICMP reply");

/* How many of each kind of answer this second. */
VNET_DEFINE_STATIC(u_int, icmp_rate_count[4]);
VNET_DEFINE_STATIC(time_t, icmp_rate_time[4]);

int
badport_bandlim(int which)
{
	if (V_icmplim <= 0)
		return (0);
	if (VNET(icmp_rate_time)[which] != time_uptime) {
		VNET(icmp_rate_time)[which] = time_uptime;
		VNET(icmp_rate_count)[which] = 0;
	}
	return (++VNET(icmp_rate_count)[which] > (u_int)V_icmplim ? -1 : 0);
}

/* The header is complete and the addresses are turned around: sends it. */
static void
icmp_send(struct mbuf *m)
{
	struct ip *ip = mtod(m, struct ip *);
	struct icmp *icp;
	int hlen;

	hlen = ip->ip_hl << 2;
	m->m_data += hlen;
	m->m_len -= hlen;
	icp = mtod(m, struct icmp *);
	icp->icmp_cksum = 0;
	icp->icmp_cksum = in_cksum(m, ntohs(ip->ip_len) - hlen);
	ICMPSTAT_INC(icps_outhist[MIN(icp->icmp_type, ICMP_MAXTYPE)]);
	m->m_data -= hlen;
	m->m_len += hlen;
	m->m_pkthdr.rcvif = NULL;
	m->m_pkthdr.csum_flags = 0;
	(void)ip_output(m, NULL, NULL, 0, NULL, NULL);
}

static void
icmp_reflect(struct mbuf *m)
{
	struct ip *ip = mtod(m, struct ip *);
	struct nhop_object *nh;
	struct in_ifaddr *ia;
	struct in_addr t;
	int optlen;

	NET_EPOCH_ASSERT();
	if (IN_MULTICAST(ntohl(ip->ip_src.s_addr)) || ip->ip_src.s_addr == INADDR_ANY ||
	    IN_EXPERIMENTAL(ntohl(ip->ip_src.s_addr))) {
		ICMPSTAT_INC(icps_badaddr);
		m_freem(m);
		return;
	}
	t = ip->ip_dst;
	ip->ip_dst = ip->ip_src;
	/* We answer from the address we were asked at, or from one near the asker. */
	if (in_ifaddr_lookup(t) == NULL) {
		ia = m->m_pkthdr.rcvif != NULL ? in_ifprimary(m->m_pkthdr.rcvif) : NULL;
		if (ia == NULL) {
			nh = fib4_lookup(M_GETFIB(m), ip->ip_dst, 0, NHR_NONE, 0);
			if (nh == NULL) {
				ICMPSTAT_INC(icps_noroute);
				m_freem(m);
				return;
			}
			ia = ifatoia(nh->nh_ifa);
		}
		t = IA_SIN(ia)->sin_addr;
	}
	ip->ip_src = t;
	ip->ip_ttl = V_ip_defttl;
	ip->ip_off = 0;
	optlen = (ip->ip_hl << 2) - sizeof(*ip);
	if (optlen > 0) {
		/* Options were for the way here. */
		memmove((caddr_t)ip + optlen, ip, sizeof(*ip));
		m_adj(m, optlen);
		ip = mtod(m, struct ip *);
		ip->ip_len = htons(ntohs(ip->ip_len) - optlen);
		ip->ip_hl = sizeof(*ip) >> 2;
	}
	m_tag_delete_nonpersistent(m);
	m->m_flags &= ~(M_BCAST | M_MCAST);
	icmp_send(m);
}

/* Tells the sender of n what became of it; n is consumed. */
void
icmp_error(struct mbuf *n, int type, int code, uint32_t dest, int mtu)
{
	struct ip *oip, *nip;
	struct icmp *icp;
	struct mbuf *m;
	int oiphlen, icmplen, icmpelen, nlen;

	KASSERT(type >= 0 && type <= ICMP_MAXTYPE, ("%s: illegal type %d", __func__, type));
	m = NULL;
	if (type != ICMP_REDIRECT)
		ICMPSTAT_INC(icps_error);
	oip = mtod(n, struct ip *);
	oiphlen = oip->ip_hl << 2;
	nlen = n->m_pkthdr.len;
	/* Never about a later fragment, an ICMP error, or what was not sent to one host. */
	if ((oip->ip_off & htons(IP_OFFMASK)) || (n->m_flags & (M_BCAST | M_MCAST)))
		goto freeit;
	if (oip->ip_p == IPPROTO_ICMP && type != ICMP_REDIRECT) {
		u_char otype;

		if (nlen < oiphlen + 1)
			goto freeit;
		m_copydata(n, oiphlen, 1, (caddr_t)&otype);
		if (!ICMP_INFOTYPE(otype)) {
			ICMPSTAT_INC(icps_oldicmp);
			goto freeit;
		}
	}
	if (badport_bandlim(BANDLIM_ICMP_UNREACH) < 0)
		goto freeit;

	icmpelen = MAX(8, MIN(V_icmp_quotelen, ntohs(oip->ip_len) - oiphlen));
	icmplen = MIN(oiphlen + icmpelen, nlen);
	if (icmplen < (int)sizeof(struct ip))
		goto freeit;
	m = m_getcl(M_NOWAIT, MT_DATA, M_PKTHDR);
	if (m == NULL)
		goto freeit;
	icmplen = MIN(icmplen, (int)(MCLBYTES - max_linkhdr - sizeof(*nip) - ICMP_MINLEN));
	m->m_data += max_linkhdr;
	m->m_len = m->m_pkthdr.len = sizeof(*nip) + ICMP_MINLEN + icmplen;
	nip = mtod(m, struct ip *);
	icp = (struct icmp *)(nip + 1);
	bzero(nip, sizeof(*nip) + ICMP_MINLEN);
	icp->icmp_type = type;
	icp->icmp_code = code;
	if (type == ICMP_REDIRECT)
		icp->icmp_gwaddr.s_addr = dest;
	else if (type == ICMP_UNREACH && code == ICMP_UNREACH_NEEDFRAG)
		icp->icmp_nextmtu = htons(mtu);
	m_copydata(n, 0, icmplen, (caddr_t)&icp->icmp_ip);

	memcpy(nip, oip, sizeof(*nip));
	nip->ip_len = htons(m->m_len);
	nip->ip_v = IPVERSION;
	nip->ip_hl = 5;
	nip->ip_p = IPPROTO_ICMP;
	nip->ip_tos = 0;
	nip->ip_off = 0;
	m->m_pkthdr.rcvif = n->m_pkthdr.rcvif;
	M_SETFIB(m, M_GETFIB(n));
	icmp_reflect(m);
freeit:
	m_freem(n);
}

/* The errno that a program sees for an ICMP error; 0 for none. */
int
icmp_errmap(const struct icmp *icp)
{
	switch (icp->icmp_type) {
	case ICMP_UNREACH:
		switch (icp->icmp_code) {
		case ICMP_UNREACH_NET:
		case ICMP_UNREACH_HOST:
		case ICMP_UNREACH_SRCFAIL:
		case ICMP_UNREACH_NET_UNKNOWN:
		case ICMP_UNREACH_HOST_UNKNOWN:
			return (EHOSTUNREACH);
		case ICMP_UNREACH_NEEDFRAG:
			return (EMSGSIZE);
		default:
			return (ECONNREFUSED);
		}
	case ICMP_TIMXCEED:
		return (icp->icmp_code == ICMP_TIMXCEED_INTRANS ? EHOSTUNREACH : 0);
	case ICMP_PARAMPROB:
		return (ENOPROTOOPT);
	default:
		return (0);
	}
}

int
icmp_input(struct mbuf **mp, int *offp, int proto)
{
	struct mbuf *m = *mp;
	struct ip *ip = mtod(m, struct ip *);
	struct icmp *icp;
	int hlen = *offp, icmplen, i, code;

	NET_EPOCH_ASSERT();
	*mp = NULL;
	icmplen = ntohs(ip->ip_len) - hlen;
	if (icmplen < ICMP_MINLEN) {
		ICMPSTAT_INC(icps_tooshort);
		goto freeit;
	}
	i = hlen + MIN(icmplen, (int)ICMP_ADVLENMIN);
	if (m->m_len < i && (m = m_pullup(m, i)) == NULL) {
		ICMPSTAT_INC(icps_tooshort);
		return (IPPROTO_DONE);
	}
	ip = mtod(m, struct ip *);
	m->m_len -= hlen;
	m->m_data += hlen;
	icp = mtod(m, struct icmp *);
	if (in_cksum(m, icmplen) != 0) {
		ICMPSTAT_INC(icps_checksum);
		goto freeit;
	}
	m->m_len += hlen;
	m->m_data -= hlen;
	ICMPSTAT_INC(icps_inhist[MIN(icp->icmp_type, ICMP_MAXTYPE)]);
	code = icp->icmp_code;

	switch (icp->icmp_type) {
	case ICMP_UNREACH:
	case ICMP_TIMXCEED:
	case ICMP_PARAMPROB:
		if (code > 15) {
			ICMPSTAT_INC(icps_badcode);
			break;
		}
		if (icmplen < (int)ICMP_ADVLENMIN || icmplen < (int)ICMP_ADVLEN(icp) ||
		    icp->icmp_ip.ip_hl < (sizeof(struct ip) >> 2)) {
			ICMPSTAT_INC(icps_badlen);
			goto freeit;
		}
		i = hlen + ICMP_ADVLEN(icp);
		if (m->m_len < i && (m = m_pullup(m, i)) == NULL) {
			ICMPSTAT_INC(icps_tooshort);
			return (IPPROTO_DONE);
		}
		ip = mtod(m, struct ip *);
		icp = (struct icmp *)(mtod(m, caddr_t) + hlen);
		if (IN_MULTICAST(ntohl(icp->icmp_ip.ip_dst.s_addr)))
			break;
		if (ip_ctlprotox[icp->icmp_ip.ip_p] != NULL)
			ip_ctlprotox[icp->icmp_ip.ip_p](icp);
		break;

	case ICMP_ECHO:
		if (!V_icmpbmcastecho && (m->m_flags & (M_MCAST | M_BCAST))) {
			ICMPSTAT_INC(icps_bmcastecho);
			break;
		}
		if (badport_bandlim(BANDLIM_ICMP_ECHO) < 0)
			goto freeit;
		icp->icmp_type = ICMP_ECHOREPLY;
		ICMPSTAT_INC(icps_reflect);
		icmp_reflect(m);
		return (IPPROTO_DONE);

	case ICMP_ECHOREPLY:
	case ICMP_REDIRECT:	/* a host here takes its routes from nobody but its owner */
	default:
		break;
	}
	*mp = m;
	rip_input(mp, offp, proto);
	return (IPPROTO_DONE);
freeit:
	m_freem(m);
	return (IPPROTO_DONE);
}

static void
icmp_init(void *arg)
{
	IPPROTO_REGISTER(IPPROTO_ICMP, icmp_input, NULL);
}
SYSINIT(icmp_init, SI_SUB_PROTO_DOMAIN, SI_ORDER_THIRD, icmp_init, NULL);
