/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's side: what a sender runs.
 *
 * A sender may hold an inpcb lock and is in the network epoch (C7): nothing
 * here sleeps, and the only lock is a leaf that is taken to wake the arbiter.
 */
#include "opt_inet6.h"
#include "opt_pspat.h"

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/counter.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/smp.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/time.h>

#include <net/if.h>
#include <net/if_var.h>
#if __FreeBSD_version >= 1400000
#include <net/if_private.h>
#endif
#include <net/ethernet.h>
#include <net/pfil.h>
#include <net/route.h>
#include <net/vnet.h>

#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>

#include <netpfil/ipfw/ip_fw_private.h>
#include <netpfil/ipfw/dn_heap.h>
#include <netpfil/ipfw/ip_dn_private.h>
#include <netpfil/pspat/pspat_var.h>

/*
 * A packet in custody is freed by somebody else: by a scheduler that drops it
 * or by dummynet, when its pipe is deleted.
 */
static void
pspat_tag_free(struct m_tag *t)
{

	PSPAT_COUNT(drop_sched);
	pspat_tag_release(t);
	m_tag_free_default(t);
}

/*
 * End of custody: what remains is a mark, which outlives this module.
 */
void
pspat_tag_release(struct m_tag *t)
{
	struct pspat_tag *pt = (struct pspat_tag *)t;

	t->m_tag_id = PSPAT_TAG_SEEN;
	t->m_tag_free = m_tag_free_default;
	if (pt->pt_ifp != NULL) {
		if (!PSPAT_BROKEN(10))
			if_rele(pt->pt_ifp);
		pt->pt_ifp = NULL;
	}
	if (pt->pt_rcvif != NULL) {
		if_rele(pt->pt_rcvif);
		pt->pt_rcvif = NULL;
	}
}

/*
 * Both tags that a packet needs, ours and dummynet's before it: there are many
 * senders to allocate and one arbiter, which fills in dummynet's.
 */
static struct pspat_tag *
pspat_tag_attach(struct mbuf *m, struct ifnet *ifp, u_int point)
{
	struct m_tag *dt;
	struct pspat_tag *pt;

	pt = (struct pspat_tag *)m_tag_alloc(MTAG_PSPAT, PSPAT_TAG_CUSTODY,
	    sizeof(*pt) - sizeof(struct m_tag),
	    PSPAT_BROKEN(7) ? M_WAITOK : M_NOWAIT);
	if (pt == NULL)
		return (NULL);
	dt = m_tag_get(PACKET_TAG_DUMMYNET, sizeof(struct dn_pkt_tag),
	    M_NOWAIT);
	if (dt == NULL) {
		m_tag_free(&pt->pt_tag);
		return (NULL);
	}
	bzero(&pt->pt_tag + 1, sizeof(*pt) - sizeof(struct m_tag));
	pt->pt_tag.m_tag_free = pspat_tag_free;
	pt->pt_vnet = curvnet;
	pt->pt_ifp = ifp;
	if (ifp != NULL && !PSPAT_BROKEN(10))
		if_ref(ifp);
	if (m->m_pkthdr.rcvif != NULL && !PSPAT_BROKEN(10)) {
		pt->pt_rcvif = m->m_pkthdr.rcvif;
		if_ref(pt->pt_rcvif);
		/*
		 * A scheduler loses a packet whose interface it does not find
		 * any more, and may say then that it has none at all.
		 */
		m->m_pkthdr.rcvif = NULL;
#if __FreeBSD_version >= 1500000
		m->m_pkthdr.leaf_rcvif = NULL;
#endif
	}
	pt->pt_point = point;
	m_tag_prepend(m, &pt->pt_tag);
	m_tag_prepend(m, dt);
	return (pt);
}

/*
 * Leave a packet in a mailbox that nobody else puts anything into meanwhile (C8).
 *
 * Returns ENOBUFS, the packet freed, when the mailbox is full (C9).
 */
static int
pspat_deliver(struct mbuf *m)
{
	struct pspat_softc *sc = &pspat_sc;
	int error;

	/* Before the arbiter can see it, that it be never out before it is in. */
	PSPAT_COUNT(in);
	if (PSPAT_BROKEN(8))
		error = pspat_attempt_insert(m);
	else
		error = pspat_boxes_insert(sc, m);
	if (__predict_false(error != 0)) {
		struct m_tag *t = &pspat_tag_find(m)->pt_tag;

		counter_u64_add(pspat_cnt.in, -1);
		PSPAT_COUNT(refused_full);
		pspat_tag_release(t);
		m_freem(m);
		if (PSPAT_BROKEN(9))
			m_freem(m);	/* C9: once for the error, too */
		return (error);
	}
	/*
	 * The arbiter says that it sleeps and looks once more; we put the
	 * packet in and look whether it sleeps.  One of us sees the other.
	 */
	atomic_thread_fence_seq_cst();
	if (atomic_load_int(&sc->sc_asleep) != 0)
		pspat_wakeup();
	return (0);
}

void
pspat_wakeup(void)
{
	struct pspat_softc *sc = &pspat_sc;

	mtx_lock(&sc->sc_mtx);
	if (atomic_load_int(&sc->sc_asleep) != 0) {
		atomic_store_int(&sc->sc_asleep, 0);
		PSPAT_COUNT(wakeups);
		wakeup(sc);
	}
	mtx_unlock(&sc->sc_mtx);
}

/*
 * The flowset that a rule names, as dummynet numbers them.
 */
uint32_t
pspat_flowset_number(const struct ipfw_rule_ref *rule)
{

	return ((rule->info & IPFW_INFO_MASK) +
	    ((rule->info & IPFW_IS_PIPE) != 0 ? 2 * DN_MAX_ID : 0));
}

/*
 * Does a NIC pace or encrypt this packet by a tag of its own?  That is where
 * others have the interface they came by, and schedulers take it for one.
 */
static bool
pspat_send_tagged(const struct mbuf *m)
{

	return ((m->m_pkthdr.csum_flags & CSUM_SND_TAG) != 0);
}

/*
 * In dummynet_io()'s place behind ip_dn_io_ptr.
 *
 * Whatever happens the packet is no longer the caller's: *m0 is NULL (C1).
 */
int
pspat_dn_io(struct mbuf **m0, struct ip_fw_args *fwa)
{
	struct pspat_softc *sc = &pspat_sc;
	struct mbuf *m = *m0;
	struct pspat_tag *pt;
	u_int point;

	NET_EPOCH_ASSERT();

	point = (fwa->flags & IPFW_ARGS_ETHER) != 0 ? PSPAT_DUMMYNET_L2 :
	    PSPAT_DUMMYNET;
	if ((fwa->flags & IPFW_ARGS_OUT) == 0 || fwa->ifp == NULL ||
	    atomic_load_int(&sc->sc_point) != point || V_pspat_dying != 0 ||
	    pspat_send_tagged(m) ||
	    (pspat_tag_find(m) != NULL && !PSPAT_BROKEN(11))) {
		PSPAT_COUNT(passed);
		return (sc->sc_dn_io(m0, fwa));
	}

	if (PSPAT_WAY(CLIENT))
		return (pspat_attempt_client(m0, fwa, point));

	pt = pspat_tag_attach(m, fwa->ifp, point);
	if (__predict_false(pt == NULL)) {
		PSPAT_COUNT(refused_nomem);
		m_freem(m);
		*m0 = NULL;
		return (ENOBUFS);
	}
	pt->pt_flowset = pspat_flowset_number(&fwa->rule);
	pt->pt_dir = DIR_OUT;
	if (point == PSPAT_DUMMYNET_L2)
		pt->pt_dir |= PROTO_LAYER2;
	else if ((fwa->flags & IPFW_ARGS_IP6) != 0)
		pt->pt_dir |= PROTO_IPV6;
	pt->pt_rule = fwa->rule;
	pt->pt_flow = fwa->f_id;
	PSPAT_LEND(pt, args, fwa);
	if (PSPAT_WAY(TAGGED))
		pspat_attempt_tag(m, pt);

	if (!PSPAT_BROKEN(1))
		*m0 = NULL;
	return (pspat_deliver(m));
}

/*
 * A flow id as ipfw would make it, for schedulers that tell flows apart.
 * What can't be read (a fragment, a short packet) is left zero.
 */
static void
pspat_classify(struct mbuf *m, sa_family_t af, struct ipfw_flow_id *id)
{
	struct {
		uint16_t	sport;
		uint16_t	dport;
	} ports;
	int off;

	id->fib = M_GETFIB(m);
	if (af == AF_INET) {
		struct ip ip;

		if (m->m_pkthdr.len < (int)sizeof(ip))
			return;
		m_copydata(m, 0, sizeof(ip), (caddr_t)&ip);
		id->addr_type = 4;
		id->proto = ip.ip_p;
		id->src_ip = ntohl(ip.ip_src.s_addr);
		id->dst_ip = ntohl(ip.ip_dst.s_addr);
		off = (ntohs(ip.ip_off) & IP_OFFMASK) != 0 ? 0 : ip.ip_hl << 2;
	} else {
		struct ip6_hdr ip6;

		if (m->m_pkthdr.len < (int)sizeof(ip6))
			return;
		m_copydata(m, 0, sizeof(ip6), (caddr_t)&ip6);
		id->addr_type = 6;
		id->proto = ip6.ip6_nxt;
		id->src_ip6 = ip6.ip6_src;
		id->dst_ip6 = ip6.ip6_dst;
		id->flow_id6 = ntohl(ip6.ip6_flow);
		off = sizeof(ip6);
	}
	if (off != 0 && (id->proto == IPPROTO_TCP || id->proto == IPPROTO_UDP) &&
	    m->m_pkthdr.len >= off + (int)sizeof(ports)) {
		m_copydata(m, off, sizeof(ports), (caddr_t)&ports);
		id->src_port = ntohs(ports.sport);
		id->dst_port = ntohs(ports.dport);
	}
}

/*
 * In ether_output()'s place behind ifp->if_output.
 *
 * What is no IP packet (ARP), what brings a link header of its own (bpf) and
 * what was scheduled before goes its way.  dst and ro are the caller's stack:
 * the next hop is copied, of the route only its flags are of use to
 * ether_output() without its link-layer entry (C6).
 */
int
pspat_if_output(struct ifnet *ifp, struct mbuf *m, const struct sockaddr *dst,
    struct route *ro)
{
	struct pspat_softc *sc = &pspat_sc;
	struct pspat_tag *pt;

	NET_EPOCH_ASSERT();

	if (atomic_load_int(&sc->sc_point) != PSPAT_IF_OUTPUT ||
	    V_pspat_dying != 0 ||
	    (V_pspat_flowset == 0 && !PSPAT_WAY(DIRECT)) ||
	    (dst->sa_family != AF_INET && dst->sa_family != AF_INET6) ||
	    dst->sa_len > sizeof(pt->pt_dst) || pspat_send_tagged(m) ||
	    (ro != NULL && ro->ro_prepend != NULL) ||
	    (pspat_tag_find(m) != NULL && !PSPAT_BROKEN(11))) {
		PSPAT_COUNT(passed);
		return (ether_output(ifp, m, dst, ro));
	}

	pt = pspat_tag_attach(m, ifp, PSPAT_IF_OUTPUT);
	if (__predict_false(pt == NULL)) {
		PSPAT_COUNT(refused_nomem);
		m_freem(m);
		return (ENOBUFS);
	}
	PSPAT_LEND(pt, gw, dst);
	PSPAT_LEND(pt, ro, ro);
	bcopy(dst, &pt->pt_dst, dst->sa_len);
	/* Its link-layer entry stays the caller's, cached or not. */
	pt->pt_ro_flags = ro != NULL ?
	    ro->ro_flags & ~(RT_HAS_HEADER | RT_LLE_CACHE) : 0;
	/* The packet's family, which need not be its next hop's. */
	pt->pt_af = RO_GET_FAMILY(ro, dst);
	pt->pt_dir = DIR_OUT | (pt->pt_af == AF_INET6 ? PROTO_IPV6 : 0);
	pt->pt_flowset = V_pspat_flowset;
	pspat_classify(m, pt->pt_af, &pt->pt_flow);
	return (pspat_deliver(m));
}
