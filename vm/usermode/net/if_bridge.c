/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * if_bridge(4), the learning part: no spanning tree, no vlan filter.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <net/bpf.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_bridgevar.h>
#include <net/if_clone.h>
#include <net/if_dl.h>
#include <net/if_private.h>
#include <net/if_types.h>
#include <net/vnet.h>
#include "if_internal.h"

static MALLOC_DEFINE(M_BRIDGE, "bridge", "bridge interface");
static const char bridge_name[] = "bridge";

#define	BRIDGE_RTHASH		64
#define	BRIDGE_RTMAX		2000
#define	BRIDGE_RTTIMEOUT	(20 * 60)

struct bridge_iflist {
	CK_LIST_ENTRY(bridge_iflist) bif_next;
	struct ifnet		*bif_ifp;
	struct bridge_softc	*bif_sc;
	uint64_t		 bif_savedassist;
	struct epoch_context	 bif_epoch_ctx;
};

struct bridge_rtnode {
	LIST_ENTRY(bridge_rtnode) brt_hash;
	struct bridge_iflist	*brt_dst;
	time_t			 brt_expire;
	uint8_t			 brt_addr[ETHER_ADDR_LEN];
};

struct bridge_softc {
	struct ifnet		*sc_ifp;
	struct mtx		 sc_rt_mtx;	/* learnt addresses; taken last */
	CK_LIST_HEAD(, bridge_iflist) sc_iflist; /* written under ifnet_detach_sxlock */
	LIST_HEAD(, bridge_rtnode) sc_rthash[BRIDGE_RTHASH];
	u_int			 sc_brtcnt;
};

VNET_DEFINE_STATIC(struct if_clone *, bridge_cloner);
#define	V_bridge_cloner	VNET(bridge_cloner)

static u_int
bridge_hash(const uint8_t *a)
{
	return ((a[3] * 31 + a[4] * 7 + a[5]) % BRIDGE_RTHASH);
}

static struct bridge_rtnode *
bridge_rtnode_lookup(struct bridge_softc *sc, const uint8_t *addr)
{
	struct bridge_rtnode *brt;

	mtx_assert(&sc->sc_rt_mtx, MA_OWNED);
	LIST_FOREACH(brt, &sc->sc_rthash[bridge_hash(addr)], brt_hash)
		if (memcmp(brt->brt_addr, addr, ETHER_ADDR_LEN) == 0)
			return (brt);
	return (NULL);
}

static void
bridge_rtupdate(struct bridge_softc *sc, const uint8_t *src, struct bridge_iflist *bif)
{
	struct bridge_rtnode *brt;

	if (ETHER_IS_MULTICAST(src) || ETHER_IS_ZERO(src))
		return;
	mtx_lock(&sc->sc_rt_mtx);
	brt = bridge_rtnode_lookup(sc, src);
	if (brt == NULL && sc->sc_brtcnt < BRIDGE_RTMAX) {
		brt = malloc(sizeof(*brt), M_BRIDGE, M_NOWAIT | M_ZERO);
		if (brt != NULL) {
			memcpy(brt->brt_addr, src, ETHER_ADDR_LEN);
			LIST_INSERT_HEAD(&sc->sc_rthash[bridge_hash(src)], brt, brt_hash);
			sc->sc_brtcnt++;
		}
	}
	if (brt != NULL) {
		brt->brt_dst = bif;
		brt->brt_expire = time_uptime + BRIDGE_RTTIMEOUT;
	}
	mtx_unlock(&sc->sc_rt_mtx);
}

/* Forgets what was learnt by one member, or by all. */
static void
bridge_rtflush(struct bridge_softc *sc, struct bridge_iflist *bif)
{
	struct bridge_rtnode *brt, *next;
	u_int i;

	mtx_lock(&sc->sc_rt_mtx);
	for (i = 0; i < BRIDGE_RTHASH; i++)
		LIST_FOREACH_SAFE(brt, &sc->sc_rthash[i], brt_hash, next)
			if (bif == NULL || brt->brt_dst == bif) {
				LIST_REMOVE(brt, brt_hash);
				sc->sc_brtcnt--;
				free(brt, M_BRIDGE);
			}
	mtx_unlock(&sc->sc_rt_mtx);
}

static struct ifnet *
bridge_rtlookup(struct bridge_softc *sc, const uint8_t *addr)
{
	struct bridge_rtnode *brt;
	struct ifnet *ifp;

	mtx_lock(&sc->sc_rt_mtx);
	brt = bridge_rtnode_lookup(sc, addr);
	if (brt != NULL && brt->brt_expire < time_uptime) {
		LIST_REMOVE(brt, brt_hash);
		sc->sc_brtcnt--;
		free(brt, M_BRIDGE);
		brt = NULL;
	}
	ifp = brt != NULL ? brt->brt_dst->bif_ifp : NULL;
	mtx_unlock(&sc->sc_rt_mtx);
	return (ifp);
}

static int
bridge_enqueue(struct bridge_softc *sc, struct ifnet *dst_ifp, struct mbuf *m)
{
	u_int len;
	int error;

	len = m->m_pkthdr.len;
	m->m_flags &= ~M_PROMISC;
	error = dst_ifp->if_transmit(dst_ifp, m);
	if (error == 0) {
		if_inc_counter(sc->sc_ifp, IFCOUNTER_OPACKETS, 1);
		if_inc_counter(sc->sc_ifp, IFCOUNTER_OBYTES, len);
	} else
		if_inc_counter(sc->sc_ifp, IFCOUNTER_OERRORS, 1);
	return (error);
}

/* To every member but the one it came from; consumes m. */
static void
bridge_broadcast(struct bridge_softc *sc, struct ifnet *src_ifp, struct mbuf *m)
{
	struct bridge_iflist *bif;
	struct mbuf *mc;

	NET_EPOCH_ASSERT();
	CK_LIST_FOREACH(bif, &sc->sc_iflist, bif_next) {
		if (bif->bif_ifp == src_ifp ||
		    (bif->bif_ifp->if_drv_flags & IFF_DRV_RUNNING) == 0 ||
		    (bif->bif_ifp->if_flags & IFF_UP) == 0)
			continue;
		mc = m_dup(m, M_NOWAIT);
		if (mc == NULL) {
			if_inc_counter(sc->sc_ifp, IFCOUNTER_OERRORS, 1);
			continue;
		}
		bridge_enqueue(sc, bif->bif_ifp, mc);
	}
	m_freem(m);
}

static int
bridge_transmit(struct ifnet *ifp, struct mbuf *m)
{
	struct bridge_softc *sc = ifp->if_softc;
	struct ether_header *eh;
	struct ifnet *dst_ifp;

	NET_EPOCH_ASSERT();
	eh = mtod(m, struct ether_header *);
	if ((m->m_flags & (M_BCAST | M_MCAST)) == 0 &&
	    (dst_ifp = bridge_rtlookup(sc, eh->ether_dhost)) != NULL)
		return (bridge_enqueue(sc, dst_ifp, m));
	bridge_broadcast(sc, ifp, m);
	return (0);
}

/* A member has a frame of its own to send. */
static int
bridge_output(struct ifnet *ifp, struct mbuf *m, struct sockaddr *sa,
    struct rtentry *rt)
{
	struct bridge_iflist *bif = ifp->if_bridge;
	struct bridge_softc *sc = bif->bif_sc;
	struct ether_header *eh;
	struct ifnet *dst_ifp;
	struct mbuf *mc;

	NET_EPOCH_ASSERT();
	if ((sc->sc_ifp->if_flags & IFF_UP) == 0)
		return (bridge_enqueue(sc, ifp, m));
	eh = mtod(m, struct ether_header *);
	if (!ETHER_IS_MULTICAST(eh->ether_dhost) &&
	    (dst_ifp = bridge_rtlookup(sc, eh->ether_dhost)) != NULL)
		return (bridge_enqueue(sc, dst_ifp, m));
	mc = m_dup(m, M_NOWAIT);
	if (mc != NULL)
		bridge_enqueue(sc, ifp, mc);
	bridge_broadcast(sc, ifp, m);
	return (0);
}

/* Is it an address of this host: the bridge's or a member's? */
static bool
bridge_islocal(struct bridge_softc *sc, const uint8_t *addr)
{
	struct bridge_iflist *bif;

	if (memcmp(IF_LLADDR(sc->sc_ifp), addr, ETHER_ADDR_LEN) == 0)
		return (true);
	CK_LIST_FOREACH(bif, &sc->sc_iflist, bif_next)
		if (memcmp(IF_LLADDR(bif->bif_ifp), addr, ETHER_ADDR_LEN) == 0)
			return (true);
	return (false);
}

/* Returns the frame if it is for this host, as received by the bridge. */
static struct mbuf *
bridge_input(struct ifnet *ifp, struct mbuf *m)
{
	struct bridge_iflist *bif = ifp->if_bridge;
	struct bridge_softc *sc = bif->bif_sc;
	struct ifnet *bifp = sc->sc_ifp, *dst_ifp;
	struct ether_header *eh;
	struct mbuf *mc;

	NET_EPOCH_ASSERT();
	if ((bifp->if_flags & IFF_UP) == 0)
		return (m);
	eh = mtod(m, struct ether_header *);
	bridge_rtupdate(sc, eh->ether_shost, bif);
	if_inc_counter(bifp, IFCOUNTER_IPACKETS, 1);
	if_inc_counter(bifp, IFCOUNTER_IBYTES, m->m_pkthdr.len);
	if (m->m_flags & (M_BCAST | M_MCAST)) {
		mc = m_dup(m, M_NOWAIT);
		if (mc != NULL)
			bridge_broadcast(sc, ifp, mc);
		m->m_pkthdr.rcvif = bifp;
		return (m);
	}
	if (bridge_islocal(sc, eh->ether_dhost)) {
		m->m_pkthdr.rcvif = bifp;
		return (m);
	}
	dst_ifp = bridge_rtlookup(sc, eh->ether_dhost);
	if (dst_ifp == ifp)
		m_freem(m);
	else if (dst_ifp != NULL)
		bridge_enqueue(sc, dst_ifp, m);
	else
		bridge_broadcast(sc, ifp, m);
	return (NULL);
}

static int
bridge_ioctl(struct ifnet *ifp, u_long cmd, caddr_t data)
{
	return (ether_ioctl(ifp, cmd, data));
}

static int
bridge_clone_create(struct if_clone *ifc, char *name, size_t len, struct ifc_data *ifd,
    struct ifnet **ifpp)
{
	struct bridge_softc *sc;
	struct ether_addr lla;
	struct ifnet *ifp;

	if (ifunit(name) != NULL)
		return (EEXIST);
	sc = malloc(sizeof(*sc), M_BRIDGE, M_WAITOK | M_ZERO);
	mtx_init(&sc->sc_rt_mtx, "if_bridge rt", NULL, MTX_DEF);
	ifp = sc->sc_ifp = if_alloc(IFT_ETHER);
	ifp->if_softc = sc;
	if_initname(ifp, bridge_name, ifd->unit);
	ifp->if_flags = IFF_BROADCAST | IFF_SIMPLEX | IFF_MULTICAST;
	ifp->if_transmit = bridge_transmit;
	ifp->if_ioctl = bridge_ioctl;
	ether_gen_addr(ifp, &lla);
	ether_ifattach(ifp, lla.octet);
	ifp->if_type = IFT_BRIDGE;
	if_addgroup(ifp, bridge_name);
	ifp->if_drv_flags = IFF_DRV_RUNNING;
	ifp->if_link_state = LINK_STATE_UP;
	*ifpp = ifp;
	return (0);
}

static void
bridge_bif_free(epoch_context_t ctx)
{
	free(__containerof(ctx, struct bridge_iflist, bif_epoch_ctx), M_BRIDGE);
}

static __racy_by_design void
bridge_delete_member(struct bridge_softc *sc, struct bridge_iflist *bif)
{
	struct ifnet *ifp = bif->bif_ifp;

	sx_assert(&ifnet_detach_sxlock, SA_XLOCKED);
	CK_LIST_REMOVE(bif, bif_next);
	ifp->if_bridge = NULL;
	ifp->if_hwassist = bif->bif_savedassist;
	/* Until nobody can learn by it any more. */
	NET_EPOCH_WAIT();
	bridge_rtflush(sc, bif);
	ifpromisc(ifp, 0);
	if_rele(ifp);
	NET_EPOCH_CALL(bridge_bif_free, &bif->bif_epoch_ctx);
}

static int
bridge_clone_destroy(struct if_clone *ifc, struct ifnet *ifp, uint32_t flags)
{
	struct bridge_softc *sc = ifp->if_softc;
	struct bridge_iflist *bif;
	int unit = ifp->if_dunit;

	if_down(ifp);
	while ((bif = CK_LIST_FIRST(&sc->sc_iflist)) != NULL)
		bridge_delete_member(sc, bif);
	ether_ifdetach(ifp);
	NET_EPOCH_WAIT();
	bridge_rtflush(sc, NULL);
	if_free(ifp);
	mtx_destroy(&sc->sc_rt_mtx);
	free(sc, M_BRIDGE);
	ifc_free_unit(ifc, unit);
	return (0);
}

__racy_by_design int
bridge_addm(struct ifnet *bridge, const char *member)
{
	struct bridge_softc *sc = bridge->if_softc;
	struct bridge_iflist *bif;
	struct ifnet *ifp;
	int error;

	if (bridge->if_type != IFT_BRIDGE)
		return (EINVAL);
	sx_xlock(&ifnet_detach_sxlock);
	ifp = ifunit_ref(member);
	if (ifp == NULL)
		error = ENOENT;
	else if (ifp->if_bridge != NULL)
		error = EBUSY;
	else if (ifp->if_type != IFT_ETHER || ifp == bridge)
		error = EINVAL;
	else if (ifp->if_mtu != bridge->if_mtu && !CK_LIST_EMPTY(&sc->sc_iflist))
		error = EINVAL;
	else {
		bif = malloc(sizeof(*bif), M_BRIDGE, M_WAITOK | M_ZERO);
		bif->bif_ifp = ifp;
		bif->bif_sc = sc;
		bif->bif_savedassist = ifp->if_hwassist;
		if (CK_LIST_EMPTY(&sc->sc_iflist))
			bridge->if_mtu = ifp->if_mtu;
		ifp->if_bridge_input = bridge_input;
		ifp->if_bridge_output = bridge_output;
		ifp->if_bridge = bif;
		CK_LIST_INSERT_HEAD(&sc->sc_iflist, bif, bif_next);
		ifpromisc(ifp, 1);
		sx_xunlock(&ifnet_detach_sxlock);
		return (0);
	}
	sx_xunlock(&ifnet_detach_sxlock);
	if (ifp != NULL)
		if_rele(ifp);
	return (error);
}

int
bridge_deletem(struct ifnet *bridge, const char *member)
{
	struct bridge_softc *sc = bridge->if_softc;
	struct bridge_iflist *bif;
	int error;

	if (bridge->if_type != IFT_BRIDGE)
		return (EINVAL);
	error = ENOENT;
	sx_xlock(&ifnet_detach_sxlock);
	CK_LIST_FOREACH(bif, &sc->sc_iflist, bif_next)
		if (strcmp(bif->bif_ifp->if_xname, member) == 0) {
			bridge_delete_member(sc, bif);
			error = 0;
			break;
		}
	sx_xunlock(&ifnet_detach_sxlock);
	return (error);
}

int
bridge_members(struct ifnet *bridge, int (*cb)(struct ifnet *, void *), void *arg)
{
	struct bridge_softc *sc = bridge->if_softc;
	struct bridge_iflist *bif;
	struct epoch_tracker et;
	int error;

	error = 0;
	NET_EPOCH_ENTER(et);
	CK_LIST_FOREACH(bif, &sc->sc_iflist, bif_next)
		if ((error = cb(bif->bif_ifp, arg)) != 0)
			break;
	NET_EPOCH_EXIT(et);
	return (error);
}

/* A member that goes away leaves its bridge first; its destroyer holds the lock. */
static void
bridge_ifdetach(void *arg __unused, struct ifnet *ifp)
{
	struct bridge_iflist *bif = ifp->if_bridge;

	if (bif != NULL)
		bridge_delete_member(bif->bif_sc, bif);
}

static void
bridge_modinit(void *arg)
{
	EVENTHANDLER_REGISTER(ifnet_departure_event, bridge_ifdetach, NULL,
	    EVENTHANDLER_PRI_ANY);
}
SYSINIT(bridge_modinit, SI_SUB_PSEUDO, SI_ORDER_FIRST, bridge_modinit, NULL);

static void
vnet_bridge_init(const void *unused __unused)
{
	struct if_clone_addreq req = {
		.create_f = bridge_clone_create,
		.destroy_f = bridge_clone_destroy,
		.flags = IFC_F_AUTOUNIT,
	};

	V_bridge_cloner = ifc_attach_cloner(bridge_name, &req);
}
VNET_SYSINIT(vnet_bridge_init, SI_SUB_PSEUDO, SI_ORDER_ANY, vnet_bridge_init, NULL);

static void
vnet_bridge_uninit(const void *unused __unused)
{
	ifc_detach_cloner(V_bridge_cloner);
}
VNET_SYSUNINIT(vnet_bridge_uninit, SI_SUB_VNET_DONE, SI_ORDER_SECOND, vnet_bridge_uninit, NULL);
