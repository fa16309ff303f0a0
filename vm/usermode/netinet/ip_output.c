/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 output: from a transport's packet to the interface's if_output.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <net/if.h>
#include <net/if_llatbl.h>
#include <net/if_private.h>
#include <net/netisr.h>
#include <net/pfil.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_fib.h>
#include <netinet/in_pcb.h>
#include <netinet/in_systm.h>
#include <netinet/in_var.h>
#include <netinet/ip.h>
#include <netinet/ip_var.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <machine/in_cksum.h>
#include "inet_internal.h"

VNET_DEFINE(int, ip_random_id);
SYSCTL_INT(_net_inet_ip, OID_AUTO, random_id, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(ip_random_id), 0, "Assign random ip_id values");
/* One counter for a vnet: ids differ for the longest time. */
VNET_DEFINE_STATIC(u_int, ip_id);
#define	V_ip_id	VNET(ip_id)

void
ip_fillid(struct ip *ip, bool do_random)
{
	if (do_random)
		ip->ip_id = (uint16_t)arc4random();
	else
		ip->ip_id = htons((uint16_t)atomic_fetchadd_int(&V_ip_id, 1));
}

/* Not onto the wire but in: the checksums that the hardware would have filled in are taken as good. */
static int
to_ourselves(struct mbuf *m)
{
	if (m->m_pkthdr.rcvif == NULL)
		m->m_pkthdr.rcvif = V_loif;
	m->m_pkthdr.csum_flags |= CSUM_IP_CHECKED | CSUM_IP_VALID;
	if (m->m_pkthdr.csum_flags & CSUM_DELAY_DATA) {
		m->m_pkthdr.csum_flags |= CSUM_DATA_VALID | CSUM_PSEUDO_HDR;
		m->m_pkthdr.csum_data = 0xffff;
	}
	return (netisr_queue(NETISR_IP, m));
}

/*
 * Calls the filter.  0: go on.  -1: to another destination, look it up again.
 * 1: the packet is gone, *error says how.
 */
static int
ip_output_pfil(struct mbuf **mp, struct ifnet *ifp, int flags, struct inpcb *inp,
    struct sockaddr_in *dst, int *error)
{
	struct m_tag *fwd_tag;
	struct in_addr odst;
	struct mbuf *m = *mp;
	struct ip *ip;
	int ret;

	ip = mtod(m, struct ip *);
	odst = ip->ip_dst;
	if (flags & IP_FORWARDING)
		ret = pfil_mbuf_fwd(V_inet_pfil_head, mp, ifp, inp);
	else
		ret = pfil_mbuf_out(V_inet_pfil_head, mp, ifp, inp);
	switch (ret) {
	case PFIL_DROPPED:
		*error = EACCES;
		return (1);
	case PFIL_CONSUMED:
		*error = 0;
		return (1);
	}
	*error = 0;
	m = *mp;
	ip = mtod(m, struct ip *);

	if (odst.s_addr != ip->ip_dst.s_addr) {
		/* Rewritten: maybe it is for ourselves now. */
		if (in_localip(ip->ip_dst)) {
			m->m_flags |= M_FASTFWD_OURS;
			*error = to_ourselves(m);
			return (1);
		}
		bzero(dst, sizeof(*dst));
		dst->sin_family = AF_INET;
		dst->sin_len = sizeof(*dst);
		dst->sin_addr = ip->ip_dst;
		return (-1);
	}
	if (m->m_flags & M_FASTFWD_OURS) {
		*error = to_ourselves(m);
		return (1);
	}
	if ((m->m_flags & M_IP_NEXTHOP) &&
	    (fwd_tag = m_tag_find(m, PACKET_TAG_IPFORWARD, NULL)) != NULL) {
		memcpy(dst, fwd_tag + 1, sizeof(*dst));
		m->m_flags |= M_SKIP_FIREWALL;
		m->m_flags &= ~M_IP_NEXTHOP;
		m_tag_delete(m, fwd_tag);
		return (-1);
	}
	return (0);
}

static int
ip_output_send(struct inpcb *inp, struct ifnet *ifp, struct mbuf *m,
    const struct sockaddr *gw, struct route *ro)
{
	return ((*ifp->if_output)(ifp, m, gw, ro));
}

/* ro is the caller's: its nexthop, if any, stays referenced for the next packet. */
int
ip_output(struct mbuf *m, struct mbuf *opt, struct route *ro, int flags,
    struct ip_moptions *imo, struct inpcb *inp)
{
	struct sockaddr_in sin_local, *dst;
	const struct sockaddr *gw;
	struct nhop_object *nh;
	struct in_ifaddr *ia;
	struct ifnet *ifp;
	struct mbuf *next;
	struct ip *ip;
	uint16_t ip_len, ip_off;
	int error, hlen, mtu;
	bool isbroadcast, has_gw;

	M_ASSERTPKTHDR(m);
	NET_EPOCH_ASSERT();
	KASSERT(opt == NULL && imo == NULL, ("%s: options are not supported", __func__));
	if (inp != NULL)
		INP_LOCK_ASSERT(inp);

	hlen = sizeof(struct ip);
	ip = mtod(m, struct ip *);
	ip_len = ntohs(ip->ip_len);
	if ((flags & (IP_FORWARDING | IP_RAWOUTPUT)) == 0) {
		ip->ip_v = IPVERSION;
		ip->ip_hl = hlen >> 2;
		ip_fillid(ip, V_ip_random_id);
	} else
		hlen = ip->ip_hl << 2;
	if ((flags & IP_FORWARDING) == 0)
		IPSTAT_INC(ips_localout);

	bzero(&sin_local, sizeof(sin_local));
	dst = ro != NULL ? (struct sockaddr_in *)&ro->ro_dst : &sin_local;
	if (ro == NULL || ro->ro_nh == NULL || dst->sin_family != AF_INET) {
		bzero(dst, sizeof(*dst));
		dst->sin_family = AF_INET;
		dst->sin_len = sizeof(*dst);
		dst->sin_addr = ip->ip_dst;
	}

again:
	ia = NULL;
	gw = (const struct sockaddr *)dst;
	has_gw = false;
	nh = NULL;
	/* A cached nexthop that no longer leads there is of no use. */
	if (ro != NULL && ro->ro_nh != NULL &&
	    ((ro->ro_nh->nh_ifp->if_flags & IFF_UP) == 0 ||
	    dst->sin_family != AF_INET ||
	    (dst->sin_addr.s_addr != ip->ip_dst.s_addr && (m->m_flags & M_SKIP_FIREWALL) == 0))) {
		RO_INVALIDATE_CACHE(ro);
		dst->sin_addr = ip->ip_dst;
	}
	if (flags & IP_ROUTETOIF) {
		ia = ifatoia(ifa_ifwithnet((struct sockaddr *)dst, 0, M_GETFIB(m)));
		if (ia == NULL) {
			IPSTAT_INC(ips_noroute);
			error = ENETUNREACH;
			goto bad;
		}
		ifp = ia->ia_ifp;
		mtu = ifp->if_mtu;
		ip->ip_ttl = 1;
		isbroadcast = in_ifnet_broadcast(dst->sin_addr, ifp);
	} else {
		if (ro != NULL) {
			if (ro->ro_nh == NULL)
				ro->ro_nh = fib4_lookup(M_GETFIB(m), dst->sin_addr, 0, NHR_REF,
				    m->m_pkthdr.flowid);
			nh = ro->ro_nh;
		} else
			nh = fib4_lookup(M_GETFIB(m), dst->sin_addr, 0, NHR_NONE,
			    m->m_pkthdr.flowid);
		if (nh == NULL || (nh->nh_flags & NHF_REJECT)) {
			IPSTAT_INC(ips_noroute);
			error = EHOSTUNREACH;
			goto bad;
		}
		if (nh->nh_flags & NHF_BLACKHOLE) {
			error = 0;
			goto bad;
		}
		ifp = nh->nh_ifp;
		mtu = nh->nh_mtu;
		ia = ifatoia(nh->nh_ifa);
		counter_u64_add(nh->nh_pksent, 1);
		if (nh->nh_flags & NHF_GATEWAY) {
			gw = &nh->gw_sa;
			has_gw = true;
		}
		if (nh->nh_flags & NHF_HOST)
			isbroadcast = (nh->nh_flags & NHF_BROADCAST) != 0;
		else
			isbroadcast = !has_gw && (ifp->if_flags & IFF_BROADCAST) != 0 &&
			    in_ifnet_broadcast(dst->sin_addr, ifp);
	}
	if (ip->ip_src.s_addr == INADDR_ANY)
		ip->ip_src = IA_SIN(ia)->sin_addr;
	if (IN_MULTICAST(ntohl(ip->ip_dst.s_addr)))
		m->m_flags |= M_MCAST;
	else if (isbroadcast) {
		if ((ifp->if_flags & IFF_BROADCAST) == 0) {
			error = EADDRNOTAVAIL;
			goto bad;
		}
		if ((flags & IP_ALLOWBROADCAST) == 0) {
			error = EACCES;
			goto bad;
		}
		if (ip_len > mtu) {
			error = EMSGSIZE;
			goto bad;
		}
		m->m_flags |= M_BCAST;
	} else
		m->m_flags &= ~M_BCAST;

	if (PFIL_HOOKED_OUT(V_inet_pfil_head)) {
		switch (ip_output_pfil(&m, ifp, flags, inp, dst, &error)) {
		case 1:
			goto done;
		case -1:
			/* The nexthop was for the old destination; so may be the caller's. */
			if (ro != NULL) {
				RO_INVALIDATE_CACHE(ro);
				ro = NULL;
				sin_local = *dst;
				dst = &sin_local;
			}
			ip = mtod(m, struct ip *);
			goto again;
		case 0:
			ip = mtod(m, struct ip *);
			break;
		}
		hlen = ip->ip_hl << 2;
		ip_len = ntohs(ip->ip_len);
	}

	if ((IN_LOOPBACK(ntohl(ip->ip_dst.s_addr)) || IN_LOOPBACK(ntohl(ip->ip_src.s_addr))) &&
	    (ifp->if_flags & IFF_LOOPBACK) == 0) {
		IPSTAT_INC(ips_badaddr);
		error = EADDRNOTAVAIL;
		goto bad;
	}

	m->m_pkthdr.csum_flags |= CSUM_IP;
	if (m->m_pkthdr.csum_flags & CSUM_DELAY_DATA & ~ifp->if_hwassist) {
		in_delayed_cksum(m);
		m->m_pkthdr.csum_flags &= ~CSUM_DELAY_DATA;
	}
	/* The link layer asks whether a gateway is unreachable, or the host itself. */
	if (ro != NULL) {
		if (has_gw)
			ro->ro_flags |= RT_HAS_GW;
		else
			ro->ro_flags &= ~RT_HAS_GW;
	}

	if (ip_len <= mtu) {
		ip->ip_sum = 0;
		if (m->m_pkthdr.csum_flags & CSUM_IP & ~ifp->if_hwassist) {
			ip->ip_sum = hlen == sizeof(struct ip) ? in_cksum_hdr(ip) :
			    in_cksum(m, hlen);
			m->m_pkthdr.csum_flags &= ~CSUM_IP;
		}
		if ((flags & IP_FORWARDING) == 0 && ia != NULL) {
			counter_u64_add(ia->ia_ifa.ifa_opackets, 1);
			counter_u64_add(ia->ia_ifa.ifa_obytes, m->m_pkthdr.len);
		}
		m_clrprotoflags(m);
		error = ip_output_send(inp, ifp, m, gw, ro);
		goto done;
	}

	ip_off = ntohs(ip->ip_off);
	if (ip_off & IP_DF) {
		error = EMSGSIZE;
		IPSTAT_INC(ips_cantfrag);
		goto bad;
	}
	error = ip_fragment(ip, &m, mtu, ifp->if_hwassist);
	if (error != 0)
		goto bad;
	for (; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		if (error != 0) {
			m_freem(m);
			continue;
		}
		if (ia != NULL) {
			counter_u64_add(ia->ia_ifa.ifa_opackets, 1);
			counter_u64_add(ia->ia_ifa.ifa_obytes, m->m_pkthdr.len);
		}
		m_clrprotoflags(m);
		error = ip_output_send(inp, ifp, m, gw, ro);
	}
	if (error == 0)
		IPSTAT_INC(ips_fragmented);
done:
	return (error);
bad:
	m_freem(m);
	goto done;
}

/*
 * The packet in *m_frag becomes a list of fragments by m_nextpkt.  On an
 * error what is left in *m_frag is the caller's to free.
 */
int
ip_fragment(struct ip *ip, struct mbuf **m_frag, int mtu, u_long if_hwassist_flags)
{
	struct mbuf *m0 = *m_frag, *m, **mnext;
	struct ip *mhip;
	int hlen, len, off, firstlen, nfrags, ip_len, ip_off, error;

	ip_len = ntohs(ip->ip_len);
	ip_off = ntohs(ip->ip_off);
	hlen = ip->ip_hl << 2;
	if (ip_off & IP_DF) {
		IPSTAT_INC(ips_cantfrag);
		return (EMSGSIZE);
	}
	len = (mtu - hlen) & ~7;
	if (len < 8)
		return (EMSGSIZE);
	/* The transport's sum covers all of the fragments. */
	if (m0->m_pkthdr.csum_flags & CSUM_DELAY_DATA) {
		in_delayed_cksum(m0);
		m0->m_pkthdr.csum_flags &= ~CSUM_DELAY_DATA;
	}
	firstlen = len;
	mnext = &m0->m_nextpkt;
	error = 0;
	nfrags = 1;
	for (off = hlen + len; off < ip_len; off += len, nfrags++) {
		m = m_gethdr(M_NOWAIT, MT_DATA);
		if (m == NULL) {
			error = ENOBUFS;
			break;
		}
		if (!m_dup_pkthdr(m, m0, M_NOWAIT)) {
			m_free(m);
			error = ENOBUFS;
			break;
		}
		m->m_flags |= m0->m_flags & M_MCAST;
		m->m_data += max_linkhdr;
		mhip = mtod(m, struct ip *);
		memcpy(mhip, ip, sizeof(*mhip));
		mhip->ip_hl = sizeof(*mhip) >> 2;
		m->m_len = sizeof(*mhip);
		mhip->ip_off = ((off - hlen) >> 3) + ip_off;
		if (off + len >= ip_len)
			len = ip_len - off;
		else
			mhip->ip_off |= IP_MF;
		mhip->ip_len = htons(len + sizeof(*mhip));
		m->m_next = m_copym(m0, off, len, M_NOWAIT);
		if (m->m_next == NULL) {
			m_free(m);
			error = ENOBUFS;
			break;
		}
		m->m_pkthdr.len = sizeof(*mhip) + len;
		m->m_pkthdr.rcvif = m0->m_pkthdr.rcvif;
		m->m_pkthdr.csum_flags &= ~(CSUM_DATA_VALID | CSUM_PSEUDO_HDR);
		mhip->ip_off = htons(mhip->ip_off);
		mhip->ip_sum = 0;
		if (m->m_pkthdr.csum_flags & CSUM_IP & ~if_hwassist_flags) {
			mhip->ip_sum = in_cksum_hdr(mhip);
			m->m_pkthdr.csum_flags &= ~CSUM_IP;
		}
		*mnext = m;
		mnext = &m->m_nextpkt;
	}
	if (error != 0) {
		/* All or nothing. */
		while ((m = m0->m_nextpkt) != NULL) {
			m0->m_nextpkt = m->m_nextpkt;
			m->m_nextpkt = NULL;
			m_freem(m);
		}
		IPSTAT_INC(ips_odropped);
		return (error);
	}
	IPSTAT_ADD(ips_ofragments, nfrags);
	m_adj(m0, hlen + firstlen - ip_len);
	m0->m_pkthdr.len = hlen + firstlen;
	m0->m_pkthdr.csum_flags &= ~(CSUM_DATA_VALID | CSUM_PSEUDO_HDR);
	ip->ip_len = htons(m0->m_pkthdr.len);
	ip->ip_off = htons(ip_off | IP_MF);
	ip->ip_sum = 0;
	if (m0->m_pkthdr.csum_flags & CSUM_IP & ~if_hwassist_flags) {
		ip->ip_sum = in_cksum(m0, hlen);
		m0->m_pkthdr.csum_flags &= ~CSUM_IP;
	}
	return (0);
}

/* The checksum that was left to the hardware, which is not there. */
void
in_delayed_cksum(struct mbuf *m)
{
	struct ip *ip = mtod(m, struct ip *);
	uint16_t csum;
	int hlen, offset, ip_len;

	hlen = ip->ip_hl << 2;
	ip_len = ntohs(ip->ip_len);
	if (m->m_pkthdr.csum_flags & CSUM_UDP) {
		csum = in_cksum_skip(m, ip_len, hlen);
		if (csum == 0)
			csum = 0xffff;
		offset = hlen + offsetof(struct udphdr, uh_sum);
	} else {
		csum = in_cksum_skip(m, ip_len, hlen);
		offset = hlen + offsetof(struct tcphdr, th_sum);
	}
	if (offset + sizeof(csum) > (size_t)m->m_len)
		m_copyback(m, offset, sizeof(csum), (caddr_t)&csum);
	else
		memcpy(mtod(m, caddr_t) + offset, &csum, sizeof(csum));
}
