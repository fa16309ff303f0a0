/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways out.  A packet leaves by the point where it was taken:
 *
 *	PSPAT_DUMMYNET		ip_output()/ip6_output(), with the tag that tells
 *				ipfw which rule it comes from (C2)
 *	PSPAT_DUMMYNET_L2	ether_output_frame(), with that tag
 *	PSPAT_IF_OUTPUT		ether_output(), with the next hop it came with
 *
 * and with it the packets that dummynet itself had put into an instance which
 * PSPAT then served.
 */
#include "opt_inet6.h"
#include "opt_pspat.h"

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/counter.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
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
#include <net/netisr.h>
#include <net/pfil.h>
#include <net/route.h>
#include <net/vnet.h>

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_var.h>
#ifdef INET6
#include <netinet6/ip6_var.h>
#endif
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>

#include <netpfil/ipfw/ip_fw_private.h>
#include <netpfil/ipfw/dn_heap.h>
#include <netpfil/ipfw/ip_dn_private.h>
#include <netpfil/pspat/pspat_var.h>

/*
 * Out, in the packet's vnet, in the epoch.  The interface is there or NULL.
 */
int
pspat_output(struct mbuf *m, u_int dir, struct ifnet *ifp)
{

	switch (dir) {
	case DIR_OUT:
		return (ip_output(m, NULL, NULL, IP_FORWARDING, NULL, NULL));
#ifdef INET6
	case DIR_OUT | PROTO_IPV6:
		return (ip6_output(m, NULL, NULL, IPV6_FORWARDING, NULL, NULL,
		    NULL));
	case DIR_IN | PROTO_IPV6:
		return (netisr_dispatch(NETISR_IPV6, m));
#endif
	case DIR_IN:
		return (netisr_dispatch(NETISR_IP, m));
	case DIR_IN | PROTO_LAYER2:
		/* The header in one piece, as ether_demux() expects it. */
		if (m->m_len < ETHER_HDR_LEN &&
		    (m = m_pullup(m, ETHER_HDR_LEN)) == NULL)
			return (ENOBUFS);
		ether_demux(m->m_pkthdr.rcvif, m);
		return (0);
	case DIR_OUT | PROTO_LAYER2:
		if (ifp != NULL)
			return (ether_output_frame(ifp, m));
		/* FALLTHROUGH */
	default:
		m_freem(m);
		return (ENETDOWN);
	}
}

/*
 * dummynet's tag becomes the tag that ipfw goes on from, as dummynet_send()
 * does it.
 */
static struct ifnet *
pspat_dn_untag(struct mbuf *m, u_int *dir)
{
	struct m_tag *t;
	struct dn_pkt_tag *dt;

	t = m_tag_first(m);
	if (t == NULL || t->m_tag_cookie != MTAG_ABI_COMPAT ||
	    t->m_tag_id != PACKET_TAG_DUMMYNET) {
		*dir = DIR_DROP;
		return (NULL);
	}
	dt = (struct dn_pkt_tag *)(t + 1);
	*dir = dt->dn_dir;
	if (PSPAT_BROKEN(2)) {
		m_tag_delete(m, t);
		return (NULL);
	}
	t->m_tag_cookie = MTAG_IPFW_RULE;
	t->m_tag_id = 0;
#if __FreeBSD_version >= 1400000
	return (ifnet_byindexgen(dt->if_index, dt->if_idxgen));
#else
	return (dt->ifp);
#endif
}

/*
 * Is an interface no more, or in another vnet by now?
 */
static bool
pspat_departed(struct ifnet *ifp)
{

	return (ifp != NULL && ((ifp->if_flags & IFF_DYING) != 0 ||
	    ifp->if_vnet != curvnet));
}

/*
 * Transmit one packet.  Consumes it.
 */
void
pspat_exit(struct mbuf *m)
{
	struct pspat_tag *pt;
	struct ifnet *ifp;
	struct m_tag *t;
	struct route ro;
	u_int dir;
	int error;

	pt = pspat_tag_find(m);
	if (pt == NULL || pt->pt_tag.m_tag_id != PSPAT_TAG_CUSTODY) {
		/* dummynet's own, through an instance that we served. */
		ifp = pspat_dn_untag(m, &dir);
		(void)pspat_output(m, dir, ifp);
		return;
	}

	ifp = pt->pt_ifp;
	CURVNET_SET(PSPAT_BROKEN(3) ? NULL : pt->pt_vnet);
	if (!PSPAT_BROKEN(10) && (V_pspat_dying != 0 ||
	    pspat_departed(ifp) || pspat_departed(pt->pt_rcvif))) {
		PSPAT_COUNT(drop_departed);
		pspat_tag_release(&pt->pt_tag);
		m_freem(m);
		CURVNET_RESTORE();
		return;
	}
	/*
	 * Custody ends before the packet goes: its tag then is a mark only,
	 * and pt is good for as long as the packet is ours.  The reference on
	 * the interface is given up after the call that needs it.
	 */
	pt->pt_ifp = NULL;
	if (pt->pt_rcvif != NULL)
		m->m_pkthdr.rcvif = pt->pt_rcvif;
	if (pt->pt_point == PSPAT_IF_OUTPUT) {
		t = m_tag_first(m);
		if (t->m_tag_cookie == MTAG_ABI_COMPAT &&
		    t->m_tag_id == PACKET_TAG_DUMMYNET)
			m_tag_delete(m, t);
		if (PSPAT_BROKEN(6)) {
			error = pspat_attempt_if_output(ifp, m, pt);
			goto sent;
		}
		bzero(&ro, sizeof(ro));
		ro.ro_flags = pt->pt_ro_flags;
		/* All that ether_output() asks of it (RO_GET_FAMILY()). */
		ro.ro_dst.sa_family = pt->pt_af;
		ro.ro_dst.sa_len = sizeof(ro.ro_dst);
		if (pt->pt_dst.sa.sa_family == AF_INET6) {
			struct sockaddr_in6 sin6 = pt->pt_dst.sin6;

			pspat_tag_release(&pt->pt_tag);
			error = ether_output(ifp, m, (struct sockaddr *)&sin6,
			    &ro);
		} else {
			struct sockaddr_in sin = pt->pt_dst.sin;

			pspat_tag_release(&pt->pt_tag);
			error = ether_output(ifp, m, (struct sockaddr *)&sin,
			    &ro);
		}
	} else {
		pspat_tag_release(&pt->pt_tag);
		(void)pspat_dn_untag(m, &dir);
		error = pspat_output(m, dir, ifp);
	}
sent:
	if (!PSPAT_BROKEN(10))
		if_rele(ifp);
	PSPAT_COUNT(out);
	if (error != 0)
		PSPAT_COUNT(out_error);
	CURVNET_RESTORE();
}

/*
 * Arbiter to dispatcher.  False, and the packet still the arbiter's, when the
 * dispatcher has too much to do.
 */
bool
pspat_hand_over(struct mbuf *m)
{
	struct pspat_softc *sc = &pspat_sc;

	if (pspat_mailbox_insert(sc->sc_xbox, m) != 0)
		return (false);
	atomic_thread_fence_seq_cst();
	if (atomic_load_int(&sc->sc_xasleep) != 0) {
		mtx_lock(&sc->sc_xmtx);
		atomic_store_int(&sc->sc_xasleep, 0);
		wakeup(sc->sc_xbox);
		mtx_unlock(&sc->sc_xmtx);
	}
	return (true);
}

/* How many packets the dispatcher sends before others may run. */
#define	PSPAT_DISPATCH	64

void
pspat_dispatcher(void *arg)
{
	struct pspat_softc *sc = arg;
	struct pspat_mailbox *mb = sc->sc_xbox;
	struct epoch_tracker et;
	struct mbuf *m;
	u_int n;

	pspat_raise_priority();
	for (;;) {
		NET_EPOCH_ENTER(et);
		for (n = 0; n < PSPAT_DISPATCH; n++) {
			m = pspat_mailbox_extract(mb);
			if (m == NULL)
				break;
			pspat_exit(m);
		}
		NET_EPOCH_EXIT(et);
		atomic_store_rel_int(&sc->sc_xdone, mb->mb_read);
		if (n != 0) {
			kern_yield(PRI_UNCHANGED);
			continue;
		}
		mtx_lock(&sc->sc_xmtx);
		atomic_store_int(&sc->sc_xasleep, 1);
		atomic_thread_fence_seq_cst();
		if (pspat_mailbox_empty(mb)) {
			if (sc->sc_stop)
				break;
			mtx_sleep(mb, &sc->sc_xmtx, 0, "pspatd", 0);
		}
		atomic_store_int(&sc->sc_xasleep, 0);
		mtx_unlock(&sc->sc_xmtx);
	}
	mtx_unlock(&sc->sc_xmtx);
	mtx_lock(&sc->sc_mtx);
	sc->sc_running--;
	wakeup(&sc->sc_running);
	mtx_unlock(&sc->sc_mtx);
	kthread_exit();
}
