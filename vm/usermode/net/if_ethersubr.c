/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ethernet: from an IP packet with a next hop to a frame, and back.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/endian.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/sysctl.h>
#include <net/bpf.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_dl.h>
#include <net/if_llatbl.h>
#include <net/if_private.h>
#include <net/if_types.h>
#include <net/netisr.h>
#include <net/pfil.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/if_ether.h>
#include "if_internal.h"

SYSCTL_DECL(_net_link);
SYSCTL_NODE(_net_link, IFT_ETHER, ether, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "Ethernet");

const uint8_t etherbroadcastaddr[ETHER_ADDR_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

VNET_DEFINE(struct pfil_head *, link_pfil_head);

#define	senderr(e)	do {						\
	error = (e);							\
	goto bad;							\
} while (0)

/* Builds the whole link header for frames to one neighbour. */
static int
ether_requestencap(struct ifnet *ifp, struct if_encap_req *req)
{
	struct ether_header *eh;

	if (req->rtype != IFENCAP_LL)
		return (EOPNOTSUPP);
	if (req->bufsize < ETHER_HDR_LEN)
		return (ENOMEM);
	eh = (struct ether_header *)req->buf;
	switch (req->family) {
	case AF_INET:
		eh->ether_type = htons(ETHERTYPE_IP);
		break;
	case AF_ARP:
		eh->ether_type = htons(ETHERTYPE_ARP);
		break;
	default:
		return (EAFNOSUPPORT);
	}
	if (req->flags & IFENCAP_FLAG_BROADCAST)
		memcpy(eh->ether_dhost, ifp->if_broadcastaddr, ETHER_ADDR_LEN);
	else
		memcpy(eh->ether_dhost, req->lladdr, ETHER_ADDR_LEN);
	memcpy(eh->ether_shost, IF_LLADDR(ifp), ETHER_ADDR_LEN);
	req->bufsize = ETHER_HDR_LEN;
	req->lladdr_off = 0;
	return (0);
}

/* Consumes m on any error but 0 and EWOULDBLOCK, where ARP keeps it. */
static int
ether_resolve_addr(struct ifnet *ifp, struct mbuf *m, const struct sockaddr *dst,
    struct route *ro, u_char *phdr, uint32_t *pflags, struct llentry **plle)
{
	struct ether_header *eh;
	uint32_t lleflags;
	int error;

	lleflags = 0;
	eh = (struct ether_header *)phdr;
	switch (dst->sa_family) {
	case AF_INET:
		if ((m->m_flags & (M_BCAST | M_MCAST)) == 0)
			error = arpresolve(ifp, ro != NULL && (ro->ro_flags & RT_HAS_GW) != 0,
			    m, dst, phdr, &lleflags, plle);
		else {
			if (m->m_flags & M_BCAST)
				memcpy(eh->ether_dhost, ifp->if_broadcastaddr, ETHER_ADDR_LEN);
			else {
				const struct in_addr a =
				    ((const struct sockaddr_in *)dst)->sin_addr;

				eh->ether_dhost[0] = 0x01;
				eh->ether_dhost[1] = 0x00;
				eh->ether_dhost[2] = 0x5e;
				eh->ether_dhost[3] = (ntohl(a.s_addr) >> 16) & 0x7f;
				eh->ether_dhost[4] = ntohl(a.s_addr) >> 8;
				eh->ether_dhost[5] = ntohl(a.s_addr);
			}
			eh->ether_type = htons(ETHERTYPE_IP);
			memcpy(eh->ether_shost, IF_LLADDR(ifp), ETHER_ADDR_LEN);
			error = 0;
		}
		break;
	default:
		if_printf(ifp, "can't handle af%d\n", dst->sa_family);
		m_freem(m);
		return (EAFNOSUPPORT);
	}
	if (error == EHOSTDOWN && ro != NULL && (ro->ro_flags & RT_HAS_GW) != 0)
		error = EHOSTUNREACH;
	if (error == 0 && (lleflags & LLE_IFADDR))
		*pflags = RT_L2_ME;
	return (error);
}

int
ether_output(struct ifnet *ifp, struct mbuf *m, const struct sockaddr *dst,
    struct route *ro)
{
	u_char linkhdr[LLE_MAX_LINKHDR], *phdr;
	struct llentry *lle;
	uint32_t pflags;
	int error, hlen;

	NET_EPOCH_ASSERT();
	M_ASSERTPKTHDR(m);
	phdr = NULL;
	pflags = 0;
	hlen = ETHER_HDR_LEN;
	if (ro != NULL) {
		if (ro->ro_prepend != NULL) {
			phdr = (u_char *)ro->ro_prepend;
			hlen = ro->ro_plen;
		}
		pflags = ro->ro_flags & (RT_L2_ME | RT_HAS_HEADER);
	}
	if (ifp->if_flags & IFF_MONITOR)
		senderr(ENETDOWN);
	if ((ifp->if_flags & IFF_UP) == 0 || (ifp->if_drv_flags & IFF_DRV_RUNNING) == 0)
		senderr(ENETDOWN);

	if (phdr == NULL && (pflags & RT_HAS_HEADER) == 0) {
		phdr = linkhdr;
		lle = NULL;
		error = ether_resolve_addr(ifp, m, dst, ro, phdr, &pflags, &lle);
		if (error != 0)
			return (error == EWOULDBLOCK ? 0 : error);
	}
	if (pflags & RT_L2_ME)
		return (if_simloop(ifp, m, dst->sa_family, 0));
	if ((pflags & RT_HAS_HEADER) == 0) {
		M_PREPEND(m, hlen, M_NOWAIT);
		if (m == NULL)
			return (ENOBUFS);
		memcpy(mtod(m, void *), phdr, hlen);
	}
	if (ifp->if_bridge != NULL)
		return (ifp->if_bridge_output(ifp, m, NULL, NULL));
	return (ether_output_frame(ifp, m));

bad:
	m_freem(m);
	return (error);
}

int
ether_output_frame(struct ifnet *ifp, struct mbuf *m)
{
	NET_EPOCH_ASSERT();
	if (PFIL_HOOKED_OUT(V_link_pfil_head))
		switch (pfil_mbuf_out(V_link_pfil_head, &m, ifp, NULL)) {
		case PFIL_DROPPED:
			return (EACCES);
		case PFIL_CONSUMED:
			return (0);
		}
	return ((ifp->if_transmit)(ifp, m));
}

static void
ether_input_internal(struct ifnet *ifp, struct mbuf *m)
{
	struct ether_header *eh;

	if ((ifp->if_flags & IFF_UP) == 0 || (ifp->if_drv_flags & IFF_DRV_RUNNING) == 0) {
		m_freem(m);
		return;
	}
	if (m->m_pkthdr.len < ETHER_HDR_LEN) {
		if_inc_counter(ifp, IFCOUNTER_IERRORS, 1);
		m_freem(m);
		return;
	}
	if (m->m_len < ETHER_HDR_LEN && (m = m_pullup(m, ETHER_HDR_LEN)) == NULL) {
		if_inc_counter(ifp, IFCOUNTER_IERRORS, 1);
		return;
	}
	eh = mtod(m, struct ether_header *);
	m->m_flags &= ~(M_BCAST | M_MCAST | M_PROMISC);
	if (ETHER_IS_MULTICAST(eh->ether_dhost)) {
		m->m_flags |= ETHER_IS_BROADCAST(eh->ether_dhost) ? M_BCAST : M_MCAST;
		if_inc_counter(ifp, IFCOUNTER_IMCASTS, 1);
	}
	if_inc_counter(ifp, IFCOUNTER_IBYTES, m->m_pkthdr.len);
	if (ifp->if_flags & IFF_MONITOR) {
		m_freem(m);
		return;
	}
	if (ifp->if_bridge != NULL) {
		m = ifp->if_bridge_input(ifp, m);
		if (m == NULL)
			return;
		/* The bridge hands up what is for this host, maybe under its own name. */
		ifp = m->m_pkthdr.rcvif;
		eh = mtod(m, struct ether_header *);
	}
	if (ifp->if_type != IFT_BRIDGE && (m->m_flags & (M_BCAST | M_MCAST)) == 0 &&
	    memcmp(IF_LLADDR(ifp), eh->ether_dhost, ETHER_ADDR_LEN) != 0)
		m->m_flags |= M_PROMISC;
	ether_demux(ifp, m);
}

static void
ether_nh_input(struct mbuf *m)
{
	NET_EPOCH_ASSERT();
	M_ASSERTPKTHDR(m);
	KASSERT(m->m_pkthdr.rcvif != NULL, ("%s: NULL interface pointer", __func__));
	ether_input_internal(m->m_pkthdr.rcvif, m);
}

static struct netisr_handler ether_nh = {
	.nh_name = "ether",
	.nh_handler = ether_nh_input,
	.nh_proto = NETISR_ETHER,
	.nh_policy = NETISR_POLICY_SOURCE,
	.nh_dispatch = NETISR_DISPATCH_DIRECT,
};

static void
ether_input(struct ifnet *ifp, struct mbuf *m)
{
	struct epoch_tracker et;
	struct mbuf *mn;
	bool needs_epoch;

	needs_epoch = (ifp->if_flags & IFF_NEEDSEPOCH) != 0;
	if (needs_epoch)
		NET_EPOCH_ENTER(et);
	CURVNET_SET_QUIET(ifp->if_vnet);
	while (m != NULL) {
		mn = m->m_nextpkt;
		m->m_nextpkt = NULL;
		KASSERT(m->m_pkthdr.rcvif == ifp,
		    ("%s: ifnet mismatch m %p rcvif %p ifp %p", __func__, m,
		    m->m_pkthdr.rcvif, ifp));
		netisr_dispatch(NETISR_ETHER, m);
		m = mn;
	}
	CURVNET_RESTORE();
	if (needs_epoch)
		NET_EPOCH_EXIT(et);
}

void
ether_demux(struct ifnet *ifp, struct mbuf *m)
{
	struct ether_header *eh;
	int isr;
	u_short ether_type;

	NET_EPOCH_ASSERT();
	KASSERT(ifp != NULL, ("%s: NULL interface pointer", __func__));
	if (PFIL_HOOKED_IN(V_link_pfil_head) && (m->m_flags & M_PROMISC) == 0) {
		if (pfil_mbuf_in(V_link_pfil_head, &m, ifp, NULL) != PFIL_PASS &&
		    m == NULL)
			return;
		if (m == NULL)
			return;
	}
	if (m->m_flags & M_PROMISC) {
		m_freem(m);
		return;
	}
	if (m->m_len < ETHER_HDR_LEN && (m = m_pullup(m, ETHER_HDR_LEN)) == NULL)
		return;
	eh = mtod(m, struct ether_header *);
	ether_type = ntohs(eh->ether_type);
	m->m_flags &= ~M_VLANTAG;
	m_clrprotoflags(m);
	switch (ether_type) {
	case ETHERTYPE_IP:
		isr = NETISR_IP;
		break;
	case ETHERTYPE_ARP:
		if (ifp->if_flags & IFF_NOARP)
			goto discard;
		isr = NETISR_ARP;
		break;
	default:
		goto discard;
	}
	m_adj(m, ETHER_HDR_LEN);
	netisr_dispatch(isr, m);
	return;
discard:
	if_inc_counter(ifp, IFCOUNTER_NOPROTO, 1);
	m_freem(m);
}

/* From boot on, so that a module's registration is no memory of its own. */
static void
ether_events_init(void *arg __unused)
{
	eventhandler_create_list("ether_ifattach_event");
}
SYSINIT(ether_events, SI_SUB_EVENTHANDLER, SI_ORDER_ANY, ether_events_init, NULL);

void
ether_ifattach(struct ifnet *ifp, const uint8_t *lla)
{
	struct sockaddr_dl *sdl;

	ifp->if_addrlen = ETHER_ADDR_LEN;
	ifp->if_hdrlen = ETHER_HDR_LEN;
	ifp->if_mtu = ETHERMTU;
	if_attach(ifp);
	ifp->if_output = ether_output;
	ifp->if_input = ether_input;
	ifp->if_requestencap = ether_requestencap;
	if (ifp->if_baudrate == 0)
		ifp->if_baudrate = 10000000;
	ifp->if_broadcastaddr = etherbroadcastaddr;
	sdl = (struct sockaddr_dl *)ifp->if_addr->ifa_addr;
	sdl->sdl_type = IFT_ETHER;
	sdl->sdl_alen = ETHER_ADDR_LEN;
	memcpy(LLADDR(sdl), lla, ETHER_ADDR_LEN);
	ifp->if_hw_addr = malloc(ETHER_ADDR_LEN, M_IFADDR, M_WAITOK);
	memcpy(ifp->if_hw_addr, lla, ETHER_ADDR_LEN);
	EVENTHANDLER_INVOKE(ether_ifattach_event, ifp);
}

void
ether_ifdetach(struct ifnet *ifp)
{
	if_detach(ifp);
}

__racy_by_design int
ether_ioctl(struct ifnet *ifp, u_long command, caddr_t data)
{
	struct ifreq *ifr = (struct ifreq *)data;

	switch (command) {
	case SIOCSIFADDR:
		if_up(ifp);
		break;
	case SIOCSIFMTU:
		if (ifr->ifr_mtu > ETHERMTU)
			return (EINVAL);
		ifp->if_mtu = ifr->ifr_mtu;
		break;
	case SIOCSIFFLAGS:
	case SIOCADDMULTI:
	case SIOCDELMULTI:
		break;
	default:
		return (EINVAL);
	}
	return (0);
}

/*
 * A locally administered address under FreeBSD's prefix.  From the guest's
 * own random numbers, so that a seed gives the same addresses.
 */
void
ether_gen_addr(struct ifnet *ifp, struct ether_addr *hwaddr)
{
	uint32_t r;

	r = arc4random();
	hwaddr->octet[0] = 0x58;
	hwaddr->octet[1] = 0x9c;
	hwaddr->octet[2] = 0xfc;
	hwaddr->octet[3] = r >> 16;
	hwaddr->octet[4] = r >> 8;
	hwaddr->octet[5] = r;
}

char *
ether_sprintf(const u_char *ap)
{
	static char etherbuf[18];

	snprintf(etherbuf, sizeof(etherbuf), "%02x:%02x:%02x:%02x:%02x:%02x",
	    ap[0], ap[1], ap[2], ap[3], ap[4], ap[5]);
	return (etherbuf);
}

static void
vnet_ether_init(const void *unused __unused)
{
	struct pfil_head_args args;

	args.pa_version = PFIL_VERSION;
	args.pa_flags = PFIL_IN | PFIL_OUT;
	args.pa_type = PFIL_TYPE_ETHERNET;
	args.pa_headname = PFIL_ETHER_NAME;
	V_link_pfil_head = pfil_head_register(&args);
	if (IS_DEFAULT_VNET(curvnet))
		netisr_register(&ether_nh);
	else
		netisr_register_vnet(&ether_nh);
}
VNET_SYSINIT(vnet_ether_init, SI_SUB_PROTO_IF, SI_ORDER_ANY, vnet_ether_init, NULL);

static void
vnet_ether_pfil_destroy(const void *unused __unused)
{
	netisr_unregister_vnet(&ether_nh);
	pfil_head_unregister(V_link_pfil_head);
}
VNET_SYSUNINIT(vnet_ether_pfil_uninit, SI_SUB_PROTO_PFIL, SI_ORDER_ANY,
    vnet_ether_pfil_destroy, NULL);
