/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/rwlock.h>
#include <sys/sysctl.h>
#include <net/if_llatbl.h>
#include <net/if_private.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/vnet.h>
#include <netinet/icmp_var.h>
#include <netinet/in.h>
#include <netinet/in_pcb.h>
#include <netinet/in_systm.h>
#include <netinet/in_var.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/ip_var.h>
#include <netinet/udp.h>
#include <netinet/udp_var.h>
#include <machine/in_cksum.h>
#include "inet_internal.h"
#include "inet_socket.h"

int udp_cksum = 1;
SYSCTL_INT(_net_inet_udp, OID_AUTO, checksum, CTLFLAG_RW, &udp_cksum, 0,
    "compute udp checksum");
VNET_DEFINE(int, udp_blackhole);
SYSCTL_INT(_net_inet_udp, OID_AUTO, blackhole, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(udp_blackhole), 0, "Do not send port unreachables for refused connects");
VNET_DEFINE(u_long, udp_sendspace) = 9216;
SYSCTL_ULONG(_net_inet_udp, OID_AUTO, maxdgram, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(udp_sendspace), 0, "Maximum outgoing UDP datagram size");
VNET_DEFINE(u_long, udp_recvspace) = 40 * (1024 + sizeof(struct sockaddr_in6));
SYSCTL_ULONG(_net_inet_udp, OID_AUTO, recvspace, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(udp_recvspace), 0, "Maximum space for incoming UDP datagrams");

VNET_PCPUSTAT_DEFINE(struct udpstat, udpstat);
VNET_PCPUSTAT_SYSINIT(udpstat);
VNET_PCPUSTAT_SYSUNINIT(udpstat);
SYSCTL_VNET_PCPUSTAT(_net_inet_udp, OID_AUTO, stats, struct udpstat, udpstat,
    "UDP statistics (struct udpstat, netinet/udp_var.h)");

VNET_DEFINE(struct inpcbinfo, udbinfo);

int
udp_attach(struct usock *s)
{
	int error;

	error = in_pcballoc(ustoso(s), &V_udbinfo, sizeof(struct inpcb));
	if (error != 0)
		return (error);
	s->so_pcb->inp_ip_p = IPPROTO_UDP;
	s->so_rcv_hiwat = V_udp_recvspace;
	s->so_snd_hiwat = V_udp_sendspace;
	INP_WUNLOCK(s->so_pcb);
	return (0);
}

/* The pcb is read-locked; takes the packet. */
static void
udp_append(struct inpcb *inp, struct mbuf *m, int datalen)
{
	INP_LOCK_ASSERT(inp);
	m_tag_delete_nonpersistent(m);
	if (!so_append(sotous(inp->inp_socket), m, datalen)) {
		m_freem(m);
		UDPSTAT_INC(udps_fullsock);
	}
}

/* A broadcast goes to everybody who has the port. */
static void
udp_broadcast_input(struct mbuf *m, struct ip *ip, struct udphdr *uh, int len)
{
	struct inpcb *inp;
	struct mbuf *n;
	u_int given;

	given = 0;
	CK_LIST_FOREACH(inp, &V_udbinfo.ipi_listhead, inp_list) {
		if (inp->inp_lport != uh->uh_dport)
			continue;
		INP_RLOCK(inp);
		if ((inp->inp_flags & INP_FREED) == 0 && inp->inp_lport == uh->uh_dport &&
		    (inp->inp_laddr.s_addr == INADDR_ANY ||
		    inp->inp_laddr.s_addr == ip->ip_dst.s_addr) &&
		    (inp->inp_faddr.s_addr == INADDR_ANY ||
		    (inp->inp_faddr.s_addr == ip->ip_src.s_addr &&
		    inp->inp_fport == uh->uh_sport)) &&
		    (n = m_copypacket(m, M_NOWAIT)) != NULL) {
			udp_append(inp, n, len);
			given++;
		}
		INP_RUNLOCK(inp);
	}
	if (given == 0)
		UDPSTAT_INC(udps_noportbcast);
	m_freem(m);
}

int
udp_input(struct mbuf **mp, int *offp, int proto)
{
	struct mbuf *m = *mp;
	struct inpcb *inp;
	struct udphdr *uh;
	struct ip *ip;
	int iphlen = *offp, len, ip_len;
	uint16_t sum;

	NET_EPOCH_ASSERT();
	*mp = NULL;
	UDPSTAT_INC(udps_ipackets);
	if (m->m_len < iphlen + (int)sizeof(struct udphdr)) {
		if (m->m_pkthdr.len < iphlen + (int)sizeof(struct udphdr)) {
			UDPSTAT_INC(udps_hdrops);
			goto badunlocked;
		}
		m = m_pullup(m, iphlen + sizeof(struct udphdr));
		if (m == NULL) {
			UDPSTAT_INC(udps_hdrops);
			return (IPPROTO_DONE);
		}
	}
	ip = mtod(m, struct ip *);
	uh = (struct udphdr *)((caddr_t)ip + iphlen);
	if (uh->uh_dport == 0)
		goto badunlocked;
	len = ntohs(uh->uh_ulen);
	ip_len = ntohs(ip->ip_len) - iphlen;
	if (len > ip_len || len < (int)sizeof(struct udphdr)) {
		UDPSTAT_INC(udps_badlen);
		goto badunlocked;
	}
	if (ip_len != len)
		m_adj(m, len - ip_len);

	if (uh->uh_sum == 0)
		UDPSTAT_INC(udps_nosum);
	else if ((m->m_pkthdr.csum_flags & (CSUM_DATA_VALID | CSUM_PSEUDO_HDR)) !=
	    (CSUM_DATA_VALID | CSUM_PSEUDO_HDR)) {
		/* Header and data, with the pseudo header's words, sum up to nothing. */
		sum = ~in_cksum_skip(m, iphlen + len, iphlen);
		sum = in_addword(sum, in_pseudo(ip->ip_src.s_addr, ip->ip_dst.s_addr,
		    htonl((u_short)len + IPPROTO_UDP)));
		if (sum != 0xffff) {
			UDPSTAT_INC(udps_badsum);
			goto badunlocked;
		}
	}
	if (m->m_flags & (M_BCAST | M_MCAST)) {
		udp_broadcast_input(m, ip, uh, len - sizeof(struct udphdr));
		return (IPPROTO_DONE);
	}
	inp = in_pcblookup_mbuf(&V_udbinfo, ip->ip_src, uh->uh_sport, ip->ip_dst, uh->uh_dport,
	    INPLOOKUP_WILDCARD | INPLOOKUP_RLOCKPCB, m->m_pkthdr.rcvif, m);
	if (inp == NULL) {
		UDPSTAT_INC(udps_noport);
		if (V_udp_blackhole || badport_bandlim(BANDLIM_ICMP_UNREACH) < 0)
			goto badunlocked;
		icmp_error(m, ICMP_UNREACH, ICMP_UNREACH_PORT, 0, 0);
		return (IPPROTO_DONE);
	}
	udp_append(inp, m, len - sizeof(struct udphdr));
	INP_RUNLOCK(inp);
	return (IPPROTO_DONE);
badunlocked:
	m_freem(m);
	return (IPPROTO_DONE);
}

/* An ICMP error about a packet of ours: the program hears of it if it is connected. */
static void
udp_ctlinput(struct icmp *icp)
{
	struct ip *ip = &icp->icmp_ip;
	struct udphdr *uh;
	struct inpcb *inp;
	int error;

	error = icmp_errmap(icp);
	if (error == 0)
		return;
	uh = (struct udphdr *)((caddr_t)ip + (ip->ip_hl << 2));
	inp = in_pcblookup(&V_udbinfo, ip->ip_dst, uh->uh_dport, ip->ip_src, uh->uh_sport,
	    INPLOOKUP_WLOCKPCB, NULL);
	if (inp == NULL)
		return;
	if (inp->inp_socket != NULL)
		so_seterror(sotous(inp->inp_socket), error);
	INP_WUNLOCK(inp);
}

/* to NULL: to the peer. */
int
udp_send(struct usock *s, const void *buf, size_t len, struct sockaddr_in *to)
{
	struct epoch_tracker et;
	struct in_addr laddr, faddr;
	struct inpcb *inp = s->so_pcb;
	struct udpiphdr *ui;
	struct mbuf *m;
	u_short fport, lport;
	int error;
	bool wlocked;

	if (len + sizeof(*ui) > IP_MAXPACKET || len > V_udp_sendspace)
		return (EMSGSIZE);
	m = m_get3(len + max_linkhdr + sizeof(*ui), M_NOWAIT, MT_DATA, M_PKTHDR);
	if (m == NULL)
		return (ENOBUFS);
	m->m_data += max_linkhdr;
	m->m_len = m->m_pkthdr.len = sizeof(*ui) + len;
	memcpy(mtod(m, caddr_t) + sizeof(*ui), buf, len);

	/* The first packet gives the socket its port. */
	wlocked = inp->inp_lport == 0;
	if (wlocked)
		INP_WLOCK(inp);
	else
		INP_RLOCK(inp);
	NET_EPOCH_ENTER(et);
	laddr = inp->inp_laddr;
	if (to != NULL) {
		if (inp->inp_faddr.s_addr != INADDR_ANY) {
			error = EISCONN;
			goto release;
		}
		faddr = to->sin_addr;
		fport = to->sin_port;
		if (fport == 0 || faddr.s_addr == INADDR_ANY) {
			error = EADDRNOTAVAIL;
			goto release;
		}
		if (laddr.s_addr == INADDR_ANY &&
		    (error = in_pcbladdr(inp, &faddr, &laddr, NULL)) != 0)
			goto release;
		if (wlocked && inp->inp_lport == 0 && (error = in_pcbbind(inp, NULL, NULL)) != 0)
			goto release;
	} else {
		faddr = inp->inp_faddr;
		fport = inp->inp_fport;
		if (faddr.s_addr == INADDR_ANY) {
			error = ENOTCONN;
			goto release;
		}
	}
	lport = inp->inp_lport;

	ui = mtod(m, struct udpiphdr *);
	bzero(&ui->ui_i, sizeof(ui->ui_i));
	ui->ui_i.ip_v = IPVERSION;
	ui->ui_i.ip_hl = sizeof(struct ip) >> 2;
	ui->ui_i.ip_tos = inp->inp_ip_tos;
	ui->ui_i.ip_len = htons(sizeof(*ui) + len);
	ui->ui_i.ip_ttl = inp->inp_ip_ttl;
	ui->ui_i.ip_p = IPPROTO_UDP;
	ui->ui_i.ip_off = inp->inp_flags & INP_DONTFRAG ? htons(IP_DF) : 0;
	ui->ui_i.ip_src = laddr;
	ui->ui_i.ip_dst = faddr;
	ui->ui_u.uh_sport = lport;
	ui->ui_u.uh_dport = fport;
	ui->ui_u.uh_ulen = htons(sizeof(struct udphdr) + len);
	ui->ui_u.uh_sum = 0;
	if (udp_cksum) {
		ui->ui_u.uh_sum = in_pseudo(laddr.s_addr, faddr.s_addr,
		    htonl((u_short)len + sizeof(struct udphdr) + IPPROTO_UDP));
		m->m_pkthdr.csum_flags = CSUM_UDP;
		m->m_pkthdr.csum_data = offsetof(struct udphdr, uh_sum);
	}
	m->m_pkthdr.flowid = ((uint32_t)lport << 16 | fport) ^ faddr.s_addr;
	UDPSTAT_INC(udps_opackets);
	if (INP_WLOCKED(inp) && to == NULL)
		NH_VALIDATE(&inp->inp_route, &inp->inp_rt_cookie, RT_DEFAULT_FIB);
	error = ip_output(m, NULL, INP_WLOCKED(inp) && to == NULL ? &inp->inp_route : NULL,
	    0, NULL, inp);
	m = NULL;
release:
	NET_EPOCH_EXIT(et);
	INP_UNLOCK(inp);
	m_freem(m);
	return (error);
}

static void
vnet_udp_init(const void *unused __unused)
{
	in_pcbinfo_init(&V_udbinfo, "udp", "udpinp");
	if (IS_DEFAULT_VNET(curvnet))
		IPPROTO_REGISTER(IPPROTO_UDP, udp_input, udp_ctlinput);
}
VNET_SYSINIT(udp_vnet_init, SI_SUB_PROTO_DOMAIN, SI_ORDER_THIRD, vnet_udp_init, NULL);

static void
vnet_udp_destroy(const void *unused __unused)
{
	in_pcbinfo_destroy(&V_udbinfo);
}
VNET_SYSUNINIT(udp_vnet_uninit, SI_SUB_PROTO_DOMAIN, SI_ORDER_FOURTH, vnet_udp_destroy, NULL);
