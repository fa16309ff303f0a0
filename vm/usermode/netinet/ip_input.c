/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 input and forwarding.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <net/if.h>
#include <net/if_private.h>
#include <net/if_types.h>
#include <net/netisr.h>
#include <net/pfil.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_fib.h>
#include <netinet/in_systm.h>
#include <netinet/in_var.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/ip_var.h>
#include <machine/in_cksum.h>
#include "inet_internal.h"

VNET_DEFINE(int, ipforwarding);
SYSCTL_INT(_net_inet_ip, OID_AUTO, forwarding, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(ipforwarding), 0, "Enable IP forwarding between interfaces");
VNET_DEFINE(int, ipsendredirects) = 1;
SYSCTL_INT(_net_inet_ip, OID_AUTO, redirect, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(ipsendredirects), 0, "Enable sending IP redirects");
VNET_DEFINE(int, ip_defttl) = IPDEFTTL;
SYSCTL_INT(_net_inet_ip, OID_AUTO, ttl, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(ip_defttl), 0, "Maximum TTL on IP packets");

VNET_PCPUSTAT_DEFINE(struct ipstat, ipstat);
VNET_PCPUSTAT_SYSINIT(ipstat);
VNET_PCPUSTAT_SYSUNINIT(ipstat);
SYSCTL_VNET_PCPUSTAT(_net_inet_ip, OID_AUTO, stats, struct ipstat, ipstat,
    "IP statistics (struct ipstat, netinet/ip_var.h)");

VNET_DEFINE(struct pfil_head *, inet_pfil_head);
VNET_DEFINE(struct pfil_head *, inet_local_pfil_head);

static void	ip_direct_input(struct mbuf *m);

static struct netisr_handler ip_nh = {
	.nh_name = "ip",
	.nh_handler = ip_input,
	.nh_proto = NETISR_IP,
	.nh_policy = NETISR_POLICY_FLOW,
};
static struct netisr_handler ip_direct_nh = {
	.nh_name = "ip_direct",
	.nh_handler = ip_direct_input,
	.nh_proto = NETISR_IP_DIRECT,
	.nh_policy = NETISR_POLICY_CPU,
};

/* For a packet that ip_input() has seen already and that is ours. */
static void
ip_direct_input(struct mbuf *m)
{
	struct ip *ip = mtod(m, struct ip *);
	int hlen = ip->ip_hl << 2;

	IPSTAT_INC(ips_delivered);
	ip_protox[ip->ip_p](&m, &hlen, ip->ip_p);
}

static bool
ip_isours(struct ifnet *ifp, struct in_addr dst)
{
	struct ifaddr *ifa;
	struct in_ifaddr *ia;

	if (in_ifaddr_lookup(dst) != NULL)
		return (true);
	if (dst.s_addr == INADDR_BROADCAST || dst.s_addr == INADDR_ANY)
		return (true);
	if (ifp->if_flags & IFF_BROADCAST)
		CK_STAILQ_FOREACH(ifa, &ifp->if_addrhead, ifa_link) {
			if (ifa->ifa_addr->sa_family != AF_INET)
				continue;
			ia = (struct in_ifaddr *)ifa;
			if (dst.s_addr == ia->ia_broadaddr.sin_addr.s_addr ||
			    (ntohl(dst.s_addr) == ia->ia_subnet &&
			    ia->ia_subnetmask < 0xfffffffe))
				return (true);
		}
	return (false);
}

void
ip_input(struct mbuf *m)
{
	struct in_addr odst;
	struct ifnet *ifp;
	struct ip *ip;
	int hlen, sum, ip_len;
	bool dchg;

	M_ASSERTPKTHDR(m);
	NET_EPOCH_ASSERT();
	dchg = false;
	if (m->m_flags & M_FASTFWD_OURS) {
		m->m_flags &= ~M_FASTFWD_OURS;
		ip = mtod(m, struct ip *);
		hlen = ip->ip_hl << 2;
		ip_len = ntohs(ip->ip_len);
		goto ours;
	}
	IPSTAT_INC(ips_total);
	if (m->m_pkthdr.len < (int)sizeof(struct ip)) {
		IPSTAT_INC(ips_tooshort);
		goto bad;
	}
	if (m->m_len < (int)sizeof(struct ip) &&
	    (m = m_pullup(m, sizeof(struct ip))) == NULL) {
		IPSTAT_INC(ips_toosmall);
		return;
	}
	ip = mtod(m, struct ip *);
	if (ip->ip_v != IPVERSION) {
		IPSTAT_INC(ips_badvers);
		goto bad;
	}
	hlen = ip->ip_hl << 2;
	if (hlen < (int)sizeof(struct ip)) {
		IPSTAT_INC(ips_badhlen);
		goto bad;
	}
	if (hlen > m->m_len) {
		if ((m = m_pullup(m, hlen)) == NULL) {
			IPSTAT_INC(ips_badhlen);
			return;
		}
		ip = mtod(m, struct ip *);
	}
	ifp = m->m_pkthdr.rcvif;
	if ((IN_LOOPBACK(ntohl(ip->ip_dst.s_addr)) || IN_LOOPBACK(ntohl(ip->ip_src.s_addr))) &&
	    (ifp->if_flags & IFF_LOOPBACK) == 0) {
		IPSTAT_INC(ips_badaddr);
		goto bad;
	}
	if (m->m_pkthdr.csum_flags & CSUM_IP_CHECKED)
		sum = !(m->m_pkthdr.csum_flags & CSUM_IP_VALID);
	else if (hlen == sizeof(struct ip))
		sum = in_cksum_hdr(ip);
	else
		sum = in_cksum(m, hlen);
	if (sum) {
		IPSTAT_INC(ips_badsum);
		goto bad;
	}
	ip_len = ntohs(ip->ip_len);
	if (ip_len < hlen) {
		IPSTAT_INC(ips_badlen);
		goto bad;
	}
	if (m->m_pkthdr.len < ip_len) {
		IPSTAT_INC(ips_tooshort);
		goto bad;
	}
	if (m->m_pkthdr.len > ip_len)
		m_adj(m, ip_len - m->m_pkthdr.len);

	if (PFIL_HOOKED_IN(V_inet_pfil_head)) {
		odst = ip->ip_dst;
		switch (pfil_mbuf_in(V_inet_pfil_head, &m, ifp, NULL)) {
		case PFIL_DROPPED:
		case PFIL_CONSUMED:
			return;
		}
		if (m == NULL)
			return;
		ip = mtod(m, struct ip *);
		hlen = ip->ip_hl << 2;
		ip_len = ntohs(ip->ip_len);
		dchg = odst.s_addr != ip->ip_dst.s_addr;
		ifp = m->m_pkthdr.rcvif;
		if (m->m_flags & M_FASTFWD_OURS) {
			m->m_flags &= ~M_FASTFWD_OURS;
			goto ours;
		}
		if ((m->m_flags & M_IP_NEXTHOP) &&
		    m_tag_find(m, PACKET_TAG_IPFORWARD, NULL) != NULL) {
			/* The filter has chosen a next hop. */
			ip_forward(m, 1);
			return;
		}
	}

	if (ip_isours(ifp, ip->ip_dst))
		goto ours;
	if (IN_MULTICAST(ntohl(ip->ip_dst.s_addr))) {
		/* Nobody here joins groups. */
		IPSTAT_INC(ips_notmember);
		goto bad;
	}
	if (V_ipforwarding == 0) {
		IPSTAT_INC(ips_cantforward);
		goto bad;
	}
	ip_forward(m, dchg);
	return;

ours:
	if (ip->ip_off & htons(IP_MF | IP_OFFMASK)) {
		m = ip_reass(m);
		if (m == NULL)
			return;
		ip = mtod(m, struct ip *);
		hlen = ip->ip_hl << 2;
	}
	IPSTAT_INC(ips_delivered);
	ip_protox[ip->ip_p](&m, &hlen, ip->ip_p);
	return;
bad:
	m_freem(m);
}

/* What ip_output() made of a forwarded packet, as ICMP tells the sender. */
static void
ip_forward_error(struct mbuf *mcopy, int error, int mtu)
{
	int type, code;

	type = ICMP_UNREACH;
	switch (error) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	default:
		code = ICMP_UNREACH_HOST;
		break;
	case EMSGSIZE:
		code = ICMP_UNREACH_NEEDFRAG;
		IPSTAT_INC(ips_cantfrag);
		break;
	case ENOBUFS:
	case EACCES:
		m_freem(mcopy);
		return;
	}
	icmp_error(mcopy, type, code, 0, code == ICMP_UNREACH_NEEDFRAG ? mtu : 0);
}

void
ip_forward(struct mbuf *m, int srcrt)
{
	struct ip *ip = mtod(m, struct ip *);
	struct nhop_object *nh;
	struct in_ifaddr *ia;
	struct sockaddr_in *sin;
	struct in_addr dest;
	struct mbuf *mcopy;
	struct route ro;
	int error, mtu, type, code;

	NET_EPOCH_ASSERT();
	if (m->m_flags & (M_BCAST | M_MCAST) || !in_canforward(ip->ip_dst)) {
		IPSTAT_INC(ips_cantforward);
		m_freem(m);
		return;
	}
	if (ip->ip_ttl <= IPTTLDEC) {
		icmp_error(m, ICMP_TIMXCEED, ICMP_TIMXCEED_INTRANS, 0, 0);
		return;
	}

	bzero(&ro, sizeof(ro));
	sin = (struct sockaddr_in *)&ro.ro_dst;
	sin->sin_family = AF_INET;
	sin->sin_len = sizeof(*sin);
	sin->sin_addr = ip->ip_dst;
	nh = fib4_lookup(M_GETFIB(m), ip->ip_dst, 0, NHR_REF, m->m_pkthdr.flowid);
	ia = NULL;
	if (nh != NULL) {
		ro.ro_nh = nh;
		ia = ifatoia(nh->nh_ifa);
	} else if (!srcrt) {
		icmp_error(m, ICMP_UNREACH, ICMP_UNREACH_HOST, 0, 0);
		return;
	}

	/* The start of the packet, should ICMP have to quote it. */
	mcopy = m_gethdr(M_NOWAIT, m->m_type);
	if (mcopy != NULL && !m_dup_pkthdr(mcopy, m, M_NOWAIT)) {
		m_free(mcopy);
		mcopy = NULL;
	}
	if (mcopy != NULL) {
		mcopy->m_len = MIN(ntohs(ip->ip_len), M_TRAILINGSPACE(mcopy));
		mcopy->m_pkthdr.len = mcopy->m_len;
		m_copydata(m, 0, mcopy->m_len, mtod(mcopy, caddr_t));
	}
	ip->ip_ttl -= IPTTLDEC;

	/* Out by the interface it came in by: there is a shorter way. */
	dest.s_addr = 0;
	type = code = 0;
	if (!srcrt && V_ipsendredirects && ia != NULL && nh->nh_ifp == m->m_pkthdr.rcvif) {
		u_long src = ntohl(ip->ip_src.s_addr);

		if ((src & ia->ia_subnetmask) == ia->ia_subnet) {
			dest = nh->nh_flags & NHF_GATEWAY ? nh->gw4_sa.sin_addr : ip->ip_dst;
			type = ICMP_REDIRECT;
			code = ICMP_REDIRECT_HOST;
		}
	}

	error = ip_output(m, NULL, &ro, IP_FORWARDING, NULL, NULL);
	mtu = 0;
	if (error == EMSGSIZE && ro.ro_nh != NULL)
		mtu = ro.ro_nh->nh_mtu;
	RO_NHFREE(&ro);
	if (error != 0)
		IPSTAT_INC(ips_cantforward);
	else {
		IPSTAT_INC(ips_forward);
		if (type != 0)
			IPSTAT_INC(ips_redirectsent);
	}
	if (mcopy == NULL)
		return;
	if (error != 0)
		ip_forward_error(mcopy, error, mtu);
	else if (type != 0)
		icmp_error(mcopy, type, code, dest.s_addr, 0);
	else
		m_freem(mcopy);
}

static void
vnet_ip_init(const void *unused __unused)
{
	struct pfil_head_args args;

	args.pa_version = PFIL_VERSION;
	args.pa_flags = PFIL_IN | PFIL_OUT;
	args.pa_type = PFIL_TYPE_IP4;
	args.pa_headname = PFIL_INET_NAME;
	V_inet_pfil_head = pfil_head_register(&args);
	args.pa_headname = PFIL_INET_LOCAL_NAME;
	V_inet_local_pfil_head = pfil_head_register(&args);
	if (IS_DEFAULT_VNET(curvnet)) {
		netisr_register(&ip_nh);
		netisr_register(&ip_direct_nh);
	} else {
		netisr_register_vnet(&ip_nh);
		netisr_register_vnet(&ip_direct_nh);
	}
}
VNET_SYSINIT(ip_vnet_init, SI_SUB_PROTO_DOMAIN, SI_ORDER_THIRD, vnet_ip_init, NULL);

static void
vnet_ip_destroy(const void *unused __unused)
{
	netisr_unregister_vnet(&ip_direct_nh);
	netisr_unregister_vnet(&ip_nh);
	NET_EPOCH_WAIT();
	pfil_head_unregister(V_inet_local_pfil_head);
	pfil_head_unregister(V_inet_pfil_head);
	ipreass_vnet_purge();
}
VNET_SYSUNINIT(ip_vnet_uninit, SI_SUB_PROTO_DOMAIN, SI_ORDER_THIRD, vnet_ip_destroy, NULL);
