/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epair(4): a virtual cable.  What one end transmits the other receives, in
 * a thread of the driver, with the receiver's vnet: as with real hardware, a
 * sender never runs the receiver's code.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/dnh.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/smp.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/sysctl.h>
#include <sys/taskqueue.h>
#include <net/bpf.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_clone.h>
#include <net/if_private.h>
#include <net/if_types.h>
#include <net/vnet.h>
#include "if_internal.h"

SYSCTL_DECL(_net_link);
static SYSCTL_NODE(_net_link, OID_AUTO, epair, CTLFLAG_RW | CTLFLAG_MPSAFE, 0,
    "epair sysctl");
static u_int epair_maxqlen = 4096;
SYSCTL_UINT(_net_link_epair, OID_AUTO, netisr_maxqlen, CTLFLAG_RW, &epair_maxqlen, 0,
    "Packets that wait to be received by one end");

static MALLOC_DEFINE(M_EPAIR, "epair", "Pair of virtual cross-over connected Ethernet-like interfaces");
static const char epairname[] = "epair";

#define	EPAIR_HWASSIST	(CSUM_IP_TCP | CSUM_IP_UDP)
/* A packet's price is paid once for so many of them, outside the epoch. */
#define	EPAIR_BATCH	16
#define	EPAIR_MAXTQ	8

struct epair_softc {
	struct ifnet	*ifp;
	struct ifnet	*oifp;
	struct mtx	 mtx;		/* the queue of what ifp is to receive */
	struct mbufq	 queue;
	bool		 dying;
	struct task	 task;
	struct taskqueue *tq;
};

static struct taskqueue *epair_tq[EPAIR_MAXTQ];
static u_int epair_ntq;

VNET_DEFINE_STATIC(struct if_clone *, epair_cloner);
#define	V_epair_cloner	VNET(epair_cloner)

static void
epair_receive(void *arg, int pending)
{
	struct epair_softc *sc = arg;
	struct epoch_tracker et;
	struct mbufq batch;
	struct ifnet *ifp = sc->ifp;
	struct mbuf *m;
	int n;

	for (;;) {
		mbufq_init(&batch, EPAIR_BATCH);
		mtx_lock(&sc->mtx);
		while (mbufq_len(&batch) < EPAIR_BATCH &&
		    (m = mbufq_dequeue(&sc->queue)) != NULL)
			(void)mbufq_enqueue(&batch, m);
		mtx_unlock(&sc->mtx);
		n = mbufq_len(&batch);
		if (n == 0)
			return;
		NET_EPOCH_ENTER(et);
		CURVNET_SET_QUIET(ifp->if_vnet);
		while ((m = mbufq_dequeue(&batch)) != NULL) {
			if_inc_counter(ifp, IFCOUNTER_IPACKETS, 1);
			(*ifp->if_input)(ifp, m);
		}
		CURVNET_RESTORE();
		NET_EPOCH_EXIT(et);
		kern_spend_ns((uint64_t)n * dnh_pkt_cost_ns);
	}
}

static int
epair_transmit(struct ifnet *ifp, struct mbuf *m)
{
	struct epair_softc *sc = ifp->if_softc, *osc;
	struct ifnet *oifp;
	u_int len;
	bool mcast, kick;
	int error;

	if (m == NULL)
		return (0);
	M_ASSERTPKTHDR(m);
	if ((ifp->if_drv_flags & IFF_DRV_RUNNING) == 0 || (ifp->if_flags & IFF_UP) == 0) {
		m_freem(m);
		return (ENXIO);
	}
	oifp = sc->oifp;
	if ((oifp->if_flags & IFF_UP) == 0) {
		m_freem(m);
		return (0);
	}
	osc = oifp->if_softc;

	MPASS(m->m_nextpkt == NULL);
	len = m->m_pkthdr.len;
	mcast = (m->m_flags & (M_BCAST | M_MCAST)) != 0;
	/* What one stack noted on a packet is no business of the other. */
	m_tag_delete_nonpersistent(m);
	m->m_pkthdr.rcvif = oifp;
	/* Checksums left to the hardware are good: no wire, no bit errors. */
	if (m->m_pkthdr.csum_flags & EPAIR_HWASSIST) {
		m->m_pkthdr.csum_flags |= CSUM_DATA_VALID | CSUM_PSEUDO_HDR;
	}

	mtx_lock(&osc->mtx);
	kick = mbufq_len(&osc->queue) == 0;
	osc->queue.mq_maxlen = epair_maxqlen;
	error = osc->dying ? ENXIO : mbufq_enqueue(&osc->queue, m);
	mtx_unlock(&osc->mtx);
	if (error != 0) {
		if_inc_counter(ifp, IFCOUNTER_OQDROPS, 1);
		m_freem(m);
		return (0);
	}
	if_inc_counter(ifp, IFCOUNTER_OPACKETS, 1);
	if_inc_counter(ifp, IFCOUNTER_OBYTES, len);
	if (mcast)
		if_inc_counter(ifp, IFCOUNTER_OMCASTS, 1);
	if (kick)
		taskqueue_enqueue(osc->tq, &osc->task);
	return (0);
}

static void
epair_qflush(struct ifnet *ifp)
{
	struct epair_softc *sc = ifp->if_softc;
	struct mbufq drop;
	struct mbuf *m;

	mbufq_init(&drop, INT_MAX);
	mtx_lock(&sc->mtx);
	while ((m = mbufq_dequeue(&sc->queue)) != NULL)
		(void)mbufq_enqueue(&drop, m);
	mtx_unlock(&sc->mtx);
	mbufq_drain(&drop);
}

/* Any frame fits through this cable. */
static __racy_by_design int
epair_ioctl(struct ifnet *ifp, u_long cmd, caddr_t data)
{
	if (cmd == SIOCSIFMTU) {
		ifp->if_mtu = ((struct ifreq *)data)->ifr_mtu;
		return (0);
	}
	return (ether_ioctl(ifp, cmd, data));
}

static struct epair_softc *
epair_alloc(int unit, char side)
{
	struct epair_softc *sc;
	struct ifnet *ifp;

	sc = malloc(sizeof(*sc), M_EPAIR, M_WAITOK | M_ZERO);
	mtx_init(&sc->mtx, "epairq", NULL, MTX_DEF);
	mbufq_init(&sc->queue, epair_maxqlen);
	TASK_INIT(&sc->task, 0, epair_receive, sc);
	sc->tq = epair_tq[(unit * 2 + (side == 'b')) % epair_ntq];
	ifp = sc->ifp = if_alloc(IFT_ETHER);
	ifp->if_softc = sc;
	ifp->if_dname = epairname;
	ifp->if_dunit = unit;
	snprintf(ifp->if_xname, IFNAMSIZ, "%s%d%c", epairname, unit, side);
	ifp->if_flags = IFF_BROADCAST | IFF_SIMPLEX | IFF_MULTICAST;
	ifp->if_capabilities = ifp->if_capenable =
	    IFCAP_VLAN_MTU | IFCAP_VLAN_HWTAGGING | IFCAP_HWCSUM;
	ifp->if_hwassist = EPAIR_HWASSIST;
	ifp->if_transmit = epair_transmit;
	ifp->if_qflush = epair_qflush;
	ifp->if_ioctl = epair_ioctl;
	ifp->if_baudrate = 10000000000;
	return (sc);
}

static int
epair_clone_create(struct if_clone *ifc, char *name, size_t len, struct ifc_data *ifd,
    struct ifnet **ifpp)
{
	struct epair_softc *a, *b;
	struct ether_addr lla;

	snprintf(name, len, "%s%ua", epairname, ifd->unit);
	if (ifunit(name) != NULL)
		return (EEXIST);
	snprintf(name, len, "%s%ub", epairname, ifd->unit);
	if (ifunit(name) != NULL)
		return (EEXIST);

	ether_gen_addr(NULL, &lla);
	lla.octet[5] = (lla.octet[5] & 0xf0) | 0x0a;
	a = epair_alloc(ifd->unit, 'a');
	b = epair_alloc(ifd->unit, 'b');
	a->oifp = b->ifp;
	b->oifp = a->ifp;
	ether_ifattach(a->ifp, lla.octet);
	lla.octet[5] = (lla.octet[5] & 0xf0) | 0x0b;
	ether_ifattach(b->ifp, lla.octet);
	if_addgroup(a->ifp, epairname);
	if_addgroup(b->ifp, epairname);
	a->ifp->if_drv_flags = b->ifp->if_drv_flags = IFF_DRV_RUNNING;
	if_link_state_change(a->ifp, LINK_STATE_UP);
	if_link_state_change(b->ifp, LINK_STATE_UP);
	if_clone_addif(ifc, b->ifp);
	strlcpy(name, a->ifp->if_xname, len);
	*ifpp = a->ifp;
	return (0);
}

/* No packet gets in any more, and none is left in the queue. */
static void
epair_stop(struct epair_softc *sc)
{
	mtx_lock(&sc->mtx);
	sc->dying = true;
	mtx_unlock(&sc->mtx);
	taskqueue_drain(sc->tq, &sc->task);
	epair_qflush(sc->ifp);
}

static void
epair_free(struct epair_softc *sc)
{
	if_free(sc->ifp);
	mtx_destroy(&sc->mtx);
	free(sc, M_EPAIR);
}

static __racy_by_design int
epair_clone_destroy(struct if_clone *ifc, struct ifnet *ifp, uint32_t flags)
{
	struct epair_softc *sc = ifp->if_softc, *osc;
	struct ifnet *oifp = sc->oifp;
	int unit = ifp->if_dunit;

	osc = oifp->if_softc;
	LIST_REMOVE(oifp, if_clones);
	ifp->if_drv_flags &= ~IFF_DRV_RUNNING;
	oifp->if_drv_flags &= ~IFF_DRV_RUNNING;
	/* Each in the vnet where it is now. */
	ether_ifdetach(oifp);
	ether_ifdetach(ifp);
	epair_stop(sc);
	epair_stop(osc);
	/* A sender may still be between if_transmit and the softc. */
	NET_EPOCH_WAIT();
	epair_free(osc);
	epair_free(sc);
	ifc_free_unit(ifc, unit);
	return (0);
}

static void
epair_tq_init(void *arg)
{
	char name[16];
	u_int i;

	epair_ntq = MIN(MAX(mp_ncpus, 1), EPAIR_MAXTQ);
	for (i = 0; i < epair_ntq; i++) {
		snprintf(name, sizeof(name), "epair%u", i);
		epair_tq[i] = taskqueue_create(name, M_WAITOK, taskqueue_thread_enqueue,
		    &epair_tq[i]);
		taskqueue_start_threads(&epair_tq[i], 1, PI_NET, "epair_task_%u", i);
	}
}
SYSINIT(epair_tq_init, SI_SUB_PSEUDO, SI_ORDER_FIRST, epair_tq_init, NULL);

static void
vnet_epair_init(const void *unused __unused)
{
	struct if_clone_addreq req = {
		.create_f = epair_clone_create,
		.destroy_f = epair_clone_destroy,
		.flags = IFC_F_AUTOUNIT,
	};

	V_epair_cloner = ifc_attach_cloner(epairname, &req);
}
VNET_SYSINIT(vnet_epair_init, SI_SUB_PSEUDO, SI_ORDER_ANY, vnet_epair_init, NULL);

static void
vnet_epair_uninit(const void *unused __unused)
{
	ifc_detach_cloner(V_epair_cloner);
}
VNET_SYSUNINIT(vnet_epair_uninit, SI_SUB_VNET_DONE, SI_ORDER_FIRST, vnet_epair_uninit, NULL);
