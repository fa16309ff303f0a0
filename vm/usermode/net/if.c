/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network interfaces: their life from if_alloc() to the epoch callback that
 * frees them, their lists and indices, addresses, and moves between vnets.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/counter.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/refcount.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/stdarg.h>
#include <sys/sx.h>
#include <sys/sysctl.h>
#include <sys/syslog.h>
#include <sys/taskqueue.h>
#include <sys/time.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_clone.h>
#include <net/if_dl.h>
#include <net/if_private.h>
#include <net/if_types.h>
#include <net/if_var.h>
#include <net/route.h>
#include <net/route/route_ctl.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include "if_internal.h"

MALLOC_DEFINE(M_IFADDR, "ifaddr", "interface address");
MALLOC_DEFINE(M_IFMADDR, "ether_multi", "link-level multicast");
static MALLOC_DEFINE(M_IFNET, "ifnet", "interface internals");

SYSCTL_DECL(_net_link);
SYSCTL_NODE(_net, PF_LINK, link, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "Link layers");
static int log_link_state_change = 1;
SYSCTL_INT(_net_link, OID_AUTO, log_link_state_change, CTLFLAG_RW,
    &log_link_state_change, 0, "log interface link state change events");
int ifqmaxlen = IFQ_MAXLEN;
SYSCTL_INT(_net_link, OID_AUTO, ifqmaxlen, CTLFLAG_RDTUN, &ifqmaxlen, 0,
    "max send queue size");

VNET_DEFINE(struct ifnethead, ifnet);
VNET_DEFINE(struct ifnet *, loif);
VNET_DEFINE(int, if_index);

struct sx ifnet_sxlock;
SX_SYSINIT(ifnet_sx, &ifnet_sxlock, "ifnet_sx");
/* Creation, destruction and moves of interfaces, one at a time. */
struct sx ifnet_detach_sxlock;
SX_SYSINIT(ifnet_detach, &ifnet_detach_sxlock, "ifnet_detach_sx");

/* The index of an interface is its name for whoever may not hold a pointer. */
#define	IFINDEX_MAX	4096
static struct {
	struct ifnet	*ife_ifnet;
	uint16_t	 ife_gencnt;
} ifindex_table[IFINDEX_MAX];
static struct mtx ifindex_mtx;
MTX_SYSINIT(ifindex_mtx, &ifindex_mtx, "if_index", MTX_DEF);

/* From boot on, so that a module's registration is no memory of its own. */
static void
if_events_init(void *arg __unused)
{
	eventhandler_create_list("ifnet_arrival_event");
	eventhandler_create_list("ifnet_departure_event");
}
SYSINIT(if_events, SI_SUB_EVENTHANDLER, SI_ORDER_ANY, if_events_init, NULL);

static void
if_index_alloc(struct ifnet *ifp)
{
	u_int i;

	mtx_lock(&ifindex_mtx);
	for (i = 1; i < IFINDEX_MAX; i++)
		if (ifindex_table[i].ife_ifnet == NULL)
			break;
	if (i == IFINDEX_MAX)
		panic("%s: %u interfaces", __func__, i);
	ifp->if_index = i;
	ifp->if_idxgen = ifindex_table[i].ife_gencnt;
	atomic_store_rel_ptr((volatile uintptr_t *)&ifindex_table[i].ife_ifnet, (uintptr_t)ifp);
	mtx_unlock(&ifindex_mtx);
}

static void
if_index_free(struct ifnet *ifp)
{
	mtx_lock(&ifindex_mtx);
	MPASS(ifindex_table[ifp->if_index].ife_ifnet == ifp);
	atomic_store_rel_ptr((volatile uintptr_t *)&ifindex_table[ifp->if_index].ife_ifnet, 0);
	ifindex_table[ifp->if_index].ife_gencnt++;
	mtx_unlock(&ifindex_mtx);
}

struct ifnet *
ifnet_byindex(u_int idx)
{
	NET_EPOCH_ASSERT();
	if (idx == 0 || idx >= IFINDEX_MAX)
		return (NULL);
	return ((struct ifnet *)atomic_load_acq_ptr(
	    (volatile uintptr_t *)&ifindex_table[idx].ife_ifnet));
}

struct ifnet *
ifnet_byindex_ref(u_int idx)
{
	struct ifnet *ifp;

	ifp = ifnet_byindex(idx);
	if (ifp == NULL || !if_try_ref(ifp))
		return (NULL);
	return (ifp);
}

struct ifnet *
ifnet_byindexgen(uint16_t idx, uint16_t gen)
{
	struct ifnet *ifp;

	ifp = ifnet_byindex(idx);
	return (ifp != NULL && ifp->if_idxgen == gen ? ifp : NULL);
}

void
m_rcvif_serialize(struct mbuf *m)
{
	u_short idx, gen;

	M_ASSERTPKTHDR(m);
	idx = m->m_pkthdr.rcvif->if_index;
	gen = m->m_pkthdr.rcvif->if_idxgen;
	m->m_pkthdr.rcvidx = idx;
	m->m_pkthdr.rcvgen = gen;
}

struct ifnet *
m_rcvif_restore(struct mbuf *m)
{
	struct ifnet *ifp;

	M_ASSERTPKTHDR(m);
	NET_EPOCH_ASSERT();
	ifp = ifnet_byindexgen(m->m_pkthdr.rcvidx, m->m_pkthdr.rcvgen);
	if (ifp == NULL || (ifp->if_flags & IFF_DYING) != 0)
		return (NULL);
	return (m->m_pkthdr.rcvif = ifp);
}

/*
 * Allocation and reference counts.
 */
struct ifnet *
if_alloc(u_char type)
{
	struct ifnet *ifp;
	int i;

	ifp = malloc(sizeof(*ifp), M_IFNET, M_WAITOK | M_ZERO);
	ifp->if_type = ifp->if_alloctype = type;
	ifp->if_vnet = curvnet;
	ifp->if_home_vnet = curvnet;
	IF_ADDR_LOCK_INIT(ifp);
	IF_AFDATA_LOCK_INIT(ifp);
	mtx_init(&ifp->if_snd.ifq_mtx, "if send queue", NULL, MTX_DEF);
	CK_STAILQ_INIT(&ifp->if_addrhead);
	CK_STAILQ_INIT(&ifp->if_multiaddrs);
	CK_STAILQ_INIT(&ifp->if_groups);
	for (i = 0; i < IFCOUNTERS; i++)
		ifp->if_counters[i] = counter_u64_alloc(M_WAITOK);
	ifp->if_get_counter = if_get_counter_default;
	TASK_INIT(&ifp->if_linktask, 0, if_link_task, ifp);
	refcount_init(&ifp->if_refcount, 1);
	if_index_alloc(ifp);
	return (ifp);
}

static void
if_destroy(epoch_context_t ctx)
{
	struct ifnet *ifp = __containerof(ctx, struct ifnet, if_epoch_ctx);
	struct ifg_list *ifgl;
	int i;

	while ((ifgl = CK_STAILQ_FIRST(&ifp->if_groups)) != NULL) {
		CK_STAILQ_REMOVE_HEAD(&ifp->if_groups, ifgl_next);
		free(ifgl, M_IFNET);
	}
	for (i = 0; i < IFCOUNTERS; i++)
		counter_u64_free(ifp->if_counters[i]);
	mtx_destroy(&ifp->if_snd.ifq_mtx);
	IF_AFDATA_DESTROY(ifp);
	IF_ADDR_LOCK_DESTROY(ifp);
	free(ifp->if_description, M_IFNET);
	free(ifp->if_hw_addr, M_IFADDR);
	free(ifp, M_IFNET);
}

void
if_ref(struct ifnet *ifp)
{
	u_int old __diagused;

	old = refcount_acquire(&ifp->if_refcount);
	KASSERT(old > 0, ("%s: ifp %p has 0 refs", __func__, ifp));
}

bool
if_try_ref(struct ifnet *ifp)
{
	NET_EPOCH_ASSERT();
	return (refcount_acquire_if_not_zero(&ifp->if_refcount));
}

void
if_rele(struct ifnet *ifp)
{
	if (refcount_release(&ifp->if_refcount))
		NET_EPOCH_CALL(if_destroy, &ifp->if_epoch_ctx);
}

__racy_by_design void
if_free(struct ifnet *ifp)
{
	ifp->if_flags |= IFF_DYING;
	/* From here on nobody finds it; who has it may keep it until if_rele(). */
	if_index_free(ifp);
	if_rele(ifp);
}

void
if_initname(struct ifnet *ifp, const char *name, int unit)
{
	ifp->if_dname = name;
	ifp->if_dunit = unit;
	if (unit != IF_DUNIT_NONE)
		snprintf(ifp->if_xname, IFNAMSIZ, "%s%d", name, unit);
	else
		strlcpy(ifp->if_xname, name, IFNAMSIZ);
}

int
if_addgroup(struct ifnet *ifp, const char *name)
{
	struct { struct ifg_list l; struct ifg_group g; } *e;

	e = malloc(sizeof(*e), M_IFNET, M_WAITOK | M_ZERO);
	strlcpy(e->g.ifg_group, name, sizeof(e->g.ifg_group));
	e->l.ifgl_group = &e->g;
	IF_ADDR_WLOCK(ifp);
	CK_STAILQ_INSERT_TAIL(&ifp->if_groups, &e->l, ifgl_next);
	IF_ADDR_WUNLOCK(ifp);
	return (0);
}

/*
 * Attach and detach.
 */
static void
if_link_ifnet(struct ifnet *ifp)
{
	IFNET_WLOCK();
	CK_STAILQ_INSERT_TAIL(&V_ifnet, ifp, if_link);
	curvnet->vnet_ifcnt++;
	IFNET_WUNLOCK();
}

static __racy_by_design bool
if_unlink_ifnet(struct ifnet *ifp, bool vmove)
{
	struct ifnet *iter;
	bool found;

	found = false;
	IFNET_WLOCK();
	CK_STAILQ_FOREACH(iter, &V_ifnet, if_link)
		if (iter == ifp) {
			CK_STAILQ_REMOVE(&V_ifnet, ifp, ifnet, if_link);
			curvnet->vnet_ifcnt--;
			if (!vmove)
				ifp->if_flags |= IFF_DYING;
			found = true;
			break;
		}
	IFNET_WUNLOCK();
	return (found);
}

static void
if_attach_lladdr(struct ifnet *ifp)
{
	struct sockaddr_dl *sdl;
	struct ifaddr *ifa;

	ifa = ifa_alloc(sizeof(*ifa) + 2 * sizeof(*sdl), M_WAITOK);
	sdl = (struct sockaddr_dl *)(ifa + 1);
	sdl->sdl_len = sizeof(*sdl);
	sdl->sdl_family = AF_LINK;
	sdl->sdl_index = ifp->if_index;
	sdl->sdl_type = ifp->if_type;
	sdl->sdl_nlen = 0;
	ifa->ifa_ifp = ifp;
	ifa->ifa_addr = (struct sockaddr *)sdl;
	ifa->ifa_netmask = (struct sockaddr *)(sdl + 1);
	ifp->if_addr = ifa;
	CK_STAILQ_INSERT_HEAD(&ifp->if_addrhead, ifa, ifa_link);
	ifp->if_broadcastaddr = NULL;
}

static __racy_by_design void
if_attach_internal(struct ifnet *ifp, bool vmove)
{
	ifp->if_vnet = curvnet;
	if (!vmove) {
		if (ifp->if_home_vnet == NULL)
			ifp->if_home_vnet = curvnet;
		ifp->if_epoch = time_uptime;
		getmicrotime(&ifp->if_lastchange);
		if (ifp->if_transmit == NULL)
			ifp->if_transmit = if_transmit_none;
		if (ifp->if_qflush == NULL)
			ifp->if_qflush = if_qflush_none;
		if_attach_lladdr(ifp);
	}
	in_domifattach(ifp);
	if_link_ifnet(ifp);
	EVENTHANDLER_INVOKE(ifnet_arrival_event, ifp);
	if (!vmove)
		EVENTHANDLER_INVOKE(ifnet_attached_event, ifp);
}

void
if_attach(struct ifnet *ifp)
{
	if_attach_internal(ifp, false);
}

/* Takes an interface out of its vnet, for good or on its way to another. */
static bool
if_detach_internal(struct ifnet *ifp, bool vmove)
{
	struct ifaddr *ifa;

	if (!if_unlink_ifnet(ifp, vmove))
		return (false);
	if_down(ifp);
	/* A packet that already had the interface in hand may still be out. */
	NET_EPOCH_WAIT();
	taskqueue_drain(taskqueue_swi, &ifp->if_linktask);
	if_purgeaddrs(ifp);
	EVENTHANDLER_INVOKE(ifnet_departure_event, ifp);
	if (!vmove)
		if_dead(ifp);
	rt_flushifroutes(ifp);
	NET_EPOCH_WAIT();
	in_domifdetach(ifp);
	if (!vmove) {
		IF_ADDR_WLOCK(ifp);
		ifa = ifp->if_addr;
		CK_STAILQ_REMOVE(&ifp->if_addrhead, ifa, ifaddr, ifa_link);
		IF_ADDR_WUNLOCK(ifp);
		ifa_free(ifa);
	}
	return (true);
}

void
if_detach(struct ifnet *ifp)
{
	bool found;

	CURVNET_SET_QUIET(ifp->if_vnet);
	found = if_detach_internal(ifp, false);
	CURVNET_RESTORE();
	KASSERT(found, ("%s: %s is not attached", __func__, ifp->if_xname));
}

/*
 * Moves between vnets.
 */
static int
if_vmove_locked(struct ifnet *ifp, struct vnet *new_vnet)
{
	sx_assert(&ifnet_detach_sxlock, SA_XLOCKED);
	if (!if_detach_internal(ifp, true))
		return (ENODEV);
	CURVNET_SET_QUIET(new_vnet);
	if_attach_internal(ifp, true);
	CURVNET_RESTORE();
	return (0);
}

int
if_vmove(struct ifnet *ifp, struct vnet *new_vnet)
{
	int error;

	sx_xlock(&ifnet_detach_sxlock);
	if (ifp->if_vnet == new_vnet)
		error = EEXIST;
	else if (ifp->if_vnet != curvnet || (ifp->if_flags & IFF_DYING))
		error = ENODEV;
	else if (ifp->if_flags & IFF_LOOPBACK)
		error = EOPNOTSUPP;
	else {
		CURVNET_SET_QUIET(new_vnet);
		error = ifunit(ifp->if_xname) != NULL ? EEXIST : 0;
		CURVNET_RESTORE();
		if (error == 0)
			error = if_vmove_locked(ifp, new_vnet);
	}
	sx_xunlock(&ifnet_detach_sxlock);
	return (error);
}

/* A dying vnet sends its guests home; what was born in it its cloners destroy. */
static void
vnet_if_return(const void *unused __unused)
{
	struct ifnet *ifp, *next;

	sx_xlock(&ifnet_detach_sxlock);
	CK_STAILQ_FOREACH_SAFE(ifp, &V_ifnet, if_link, next)
		if (ifp->if_home_vnet != ifp->if_vnet)
			if_vmove_locked(ifp, ifp->if_home_vnet);
	/* No packet comes in any more while the protocols go. */
	CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link)
		if_down(ifp);
	NET_EPOCH_WAIT();
	sx_xunlock(&ifnet_detach_sxlock);
}
VNET_SYSUNINIT(vnet_if_return, SI_SUB_VNET_DONE, SI_ORDER_ANY, vnet_if_return, NULL);

static void
vnet_if_init(const void *unused __unused)
{
	CK_STAILQ_INIT(&V_ifnet);
}
VNET_SYSINIT(vnet_if_init, SI_SUB_INIT_IF, SI_ORDER_SECOND, vnet_if_init, NULL);

static void
vnet_if_uninit(const void *unused __unused)
{
	VNET_ASSERT(CK_STAILQ_EMPTY(&V_ifnet),
	    ("%s:%d tailq &V_ifnet=%p not empty", __func__, __LINE__, &V_ifnet));
}
VNET_SYSUNINIT(vnet_if_uninit, SI_SUB_INIT_IF, SI_ORDER_FIRST, vnet_if_uninit, NULL);

/*
 * Dead interfaces: what still reaches one is dropped.
 */
static int
ifdead_output(struct ifnet *ifp, struct mbuf *m, const struct sockaddr *dst,
    struct route *ro)
{
	m_freem(m);
	return (ENXIO);
}

static void
ifdead_input(struct ifnet *ifp, struct mbuf *m)
{
	m_freem(m);
}

static void
ifdead_start(struct ifnet *ifp)
{
}

static int
ifdead_ioctl(struct ifnet *ifp, u_long cmd, caddr_t data)
{
	return (ENXIO);
}

static int
ifdead_transmit(struct ifnet *ifp, struct mbuf *m)
{
	m_freem(m);
	return (ENXIO);
}

__racy_by_design void
if_dead(struct ifnet *ifp)
{
	ifp->if_output = ifdead_output;
	ifp->if_input = ifdead_input;
	ifp->if_start = ifdead_start;
	ifp->if_ioctl = ifdead_ioctl;
	ifp->if_transmit = ifdead_transmit;
	ifp->if_qflush = if_qflush_none;
}

int
if_transmit_none(struct ifnet *ifp, struct mbuf *m)
{
	m_freem(m);
	return (ENXIO);
}

void
if_qflush_none(struct ifnet *ifp)
{
}

/*
 * Lookup.
 */
struct ifnet *
ifunit(const char *name)
{
	struct ifnet *ifp;
	struct epoch_tracker et;

	NET_EPOCH_ENTER(et);
	CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link)
		if (strncmp(name, ifp->if_xname, IFNAMSIZ) == 0)
			break;
	NET_EPOCH_EXIT(et);
	return (ifp);
}

struct ifnet *
ifunit_ref(const char *name)
{
	struct ifnet *ifp;
	struct epoch_tracker et;

	NET_EPOCH_ENTER(et);
	CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link)
		if (strncmp(name, ifp->if_xname, IFNAMSIZ) == 0 &&
		    (ifp->if_flags & IFF_DYING) == 0 && if_try_ref(ifp))
			break;
	NET_EPOCH_EXIT(et);
	return (ifp);
}

struct ifnet *
if_iter_start(struct if_iter *iter)
{
	NET_EPOCH_ASSERT();
	iter->context[0] = CK_STAILQ_FIRST(&V_ifnet);
	return (iter->context[0]);
}

struct ifnet *
if_iter_next(struct if_iter *iter)
{
	struct ifnet *ifp = iter->context[0];

	return (iter->context[0] = ifp != NULL ? CK_STAILQ_NEXT(ifp, if_link) : NULL);
}

void
if_iter_finish(struct if_iter *iter)
{
	iter->context[0] = NULL;
}

int
if_foreach(if_foreach_cb_t cb, void *arg)
{
	struct ifnet *ifp;
	int error;

	NET_EPOCH_ASSERT();
	error = 0;
	CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link)
		if ((error = cb(ifp, arg)) != 0)
			break;
	return (error);
}

__racy_by_design int
if_rename(struct ifnet *ifp, char *new_name)
{
	char old[IFNAMSIZ];

	if (new_name[0] == '\0' || strlen(new_name) >= IFNAMSIZ)
		return (EINVAL);
	if (strcmp(new_name, ifp->if_xname) == 0)
		return (0);
	if (ifunit(new_name) != NULL)
		return (EEXIST);
	strlcpy(old, ifp->if_xname, sizeof(old));
	IFNET_WLOCK();
	ifp->if_flags |= IFF_RENAMING;
	if_printf(ifp, "changing name to '%s'\n", new_name);
	strlcpy(ifp->if_xname, new_name, IFNAMSIZ);
	ifp->if_flags &= ~IFF_RENAMING;
	IFNET_WUNLOCK();
	/* As on FreeBSD, for ipfw and the like a renamed interface is a new one. */
	EVENTHANDLER_INVOKE(ifnet_rename_event, ifp, old);
	return (0);
}

/*
 * Up, down, link state.
 */
__racy_by_design void
if_down(struct ifnet *ifp)
{
	if ((ifp->if_flags & IFF_UP) == 0)
		return;
	ifp->if_flags &= ~IFF_UP;
	getmicrotime(&ifp->if_lastchange);
	EVENTHANDLER_INVOKE(ifnet_event, ifp, IFNET_EVENT_DOWN);
	ifp->if_qflush(ifp);
}

__racy_by_design void
if_up(struct ifnet *ifp)
{
	if (ifp->if_flags & IFF_UP)
		return;
	ifp->if_flags |= IFF_UP;
	getmicrotime(&ifp->if_lastchange);
	EVENTHANDLER_INVOKE(ifnet_event, ifp, IFNET_EVENT_UP);
}

void
if_link_task(void *arg, int pending)
{
	struct ifnet *ifp = arg;
	int state;

	state = ifp->if_link_state;
	CURVNET_SET(ifp->if_vnet);
	if (ifp->if_bridge != NULL && ifp->if_bridge_linkstate != NULL)
		ifp->if_bridge_linkstate(ifp);
	EVENTHANDLER_INVOKE(ifnet_link_event, ifp, state);
	if (log_link_state_change)
		if_printf(ifp, "link state changed to %s\n",
		    state == LINK_STATE_UP ? "UP" : "DOWN");
	CURVNET_RESTORE();
}

__racy_by_design void
if_link_state_change(struct ifnet *ifp, int state)
{
	if (ifp->if_link_state == state)
		return;
	ifp->if_link_state = state;
	taskqueue_enqueue(taskqueue_swi, &ifp->if_linktask);
}

/*
 * Counters.
 */
uint64_t
if_get_counter_default(struct ifnet *ifp, ift_counter cnt)
{
	KASSERT(cnt < IFCOUNTERS, ("%s: invalid cnt %d", __func__, cnt));
	return (counter_u64_fetch(ifp->if_counters[cnt]));
}

void
if_inc_counter(struct ifnet *ifp, ift_counter cnt, int64_t inc)
{
	KASSERT(cnt < IFCOUNTERS, ("%s: invalid cnt %d", __func__, cnt));
	counter_u64_add(ifp->if_counters[cnt], inc);
}

void
if_data_copy(struct ifnet *ifp, struct if_data *ifd)
{
	bzero(ifd, sizeof(*ifd));
	ifd->ifi_type = ifp->if_type;
	ifd->ifi_addrlen = ifp->if_addrlen;
	ifd->ifi_hdrlen = ifp->if_hdrlen;
	ifd->ifi_link_state = ifp->if_link_state;
	ifd->ifi_datalen = sizeof(*ifd);
	ifd->ifi_mtu = ifp->if_mtu;
	ifd->ifi_metric = ifp->if_metric;
	ifd->ifi_baudrate = ifp->if_baudrate;
	ifd->ifi_epoch = ifp->if_epoch;
	ifd->ifi_lastchange = ifp->if_lastchange;
	ifd->ifi_ipackets = ifp->if_get_counter(ifp, IFCOUNTER_IPACKETS);
	ifd->ifi_ierrors = ifp->if_get_counter(ifp, IFCOUNTER_IERRORS);
	ifd->ifi_opackets = ifp->if_get_counter(ifp, IFCOUNTER_OPACKETS);
	ifd->ifi_oerrors = ifp->if_get_counter(ifp, IFCOUNTER_OERRORS);
	ifd->ifi_ibytes = ifp->if_get_counter(ifp, IFCOUNTER_IBYTES);
	ifd->ifi_obytes = ifp->if_get_counter(ifp, IFCOUNTER_OBYTES);
	ifd->ifi_imcasts = ifp->if_get_counter(ifp, IFCOUNTER_IMCASTS);
	ifd->ifi_omcasts = ifp->if_get_counter(ifp, IFCOUNTER_OMCASTS);
	ifd->ifi_iqdrops = ifp->if_get_counter(ifp, IFCOUNTER_IQDROPS);
	ifd->ifi_oqdrops = ifp->if_get_counter(ifp, IFCOUNTER_OQDROPS);
	ifd->ifi_noproto = ifp->if_get_counter(ifp, IFCOUNTER_NOPROTO);
}

/*
 * Addresses.
 */
struct ifaddr *
ifa_alloc(size_t size, int flags)
{
	struct ifaddr *ifa;

	KASSERT(size >= sizeof(*ifa), ("%s: invalid size %zu", __func__, size));
	ifa = malloc(size, M_IFADDR, M_ZERO | flags);
	if (ifa == NULL)
		return (NULL);
	ifa->ifa_opackets = counter_u64_alloc(M_WAITOK);
	ifa->ifa_ipackets = counter_u64_alloc(M_WAITOK);
	ifa->ifa_obytes = counter_u64_alloc(M_WAITOK);
	ifa->ifa_ibytes = counter_u64_alloc(M_WAITOK);
	refcount_init(&ifa->ifa_refcnt, 1);
	return (ifa);
}

static void
ifa_destroy(epoch_context_t ctx)
{
	struct ifaddr *ifa = __containerof(ctx, struct ifaddr, ifa_epoch_ctx);

	counter_u64_free(ifa->ifa_opackets);
	counter_u64_free(ifa->ifa_ipackets);
	counter_u64_free(ifa->ifa_obytes);
	counter_u64_free(ifa->ifa_ibytes);
	free(ifa, M_IFADDR);
}

void
ifa_ref(struct ifaddr *ifa)
{
	u_int old __diagused;

	old = refcount_acquire(&ifa->ifa_refcnt);
	KASSERT(old > 0, ("%s: ifa %p has 0 refs", __func__, ifa));
}

int
ifa_try_ref(struct ifaddr *ifa)
{
	NET_EPOCH_ASSERT();
	return (refcount_acquire_if_not_zero(&ifa->ifa_refcnt));
}

void
ifa_free(struct ifaddr *ifa)
{
	if (refcount_release(&ifa->ifa_refcnt))
		NET_EPOCH_CALL(ifa_destroy, &ifa->ifa_epoch_ctx);
}

struct ifaddr *
ifa_ifwithaddr(const struct sockaddr *addr)
{
	struct ifnet *ifp;
	struct ifaddr *ifa;

	NET_EPOCH_ASSERT();
	if (addr->sa_family != AF_INET)
		return (NULL);
	CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link)
		CK_STAILQ_FOREACH(ifa, &ifp->if_addrhead, ifa_link)
			if (ifa->ifa_addr->sa_family == AF_INET &&
			    ((struct sockaddr_in *)ifa->ifa_addr)->sin_addr.s_addr ==
			    ((const struct sockaddr_in *)addr)->sin_addr.s_addr)
				return (ifa);
	return (NULL);
}

/* An address whose net the other one is on: for packets that bypass the routes. */
struct ifaddr *
ifa_ifwithnet(const struct sockaddr *addr, int ignore_ptp, int fibnum)
{
	struct ifnet *ifp;
	struct ifaddr *ifa;
	struct in_ifaddr *ia;

	NET_EPOCH_ASSERT();
	if (addr->sa_family != AF_INET)
		return (NULL);
	CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link)
		CK_STAILQ_FOREACH(ifa, &ifp->if_addrhead, ifa_link) {
			ia = (struct in_ifaddr *)ifa;
			if (ifa->ifa_addr->sa_family == AF_INET &&
			    (ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) &
			    ia->ia_subnetmask) == ia->ia_subnet)
				return (ifa);
		}
	return (NULL);
}

int
ifa_ifwithaddr_check(const struct sockaddr *addr)
{
	struct epoch_tracker et;
	int rc;

	NET_EPOCH_ENTER(et);
	rc = ifa_ifwithaddr(addr) != NULL;
	NET_EPOCH_EXIT(et);
	return (rc);
}

/* The address of the interface that shares a net with addr, or else its first. */
struct ifaddr *
ifaof_ifpforaddr(const struct sockaddr *addr, struct ifnet *ifp)
{
	struct ifaddr *ifa, *first;
	struct in_ifaddr *ia;

	NET_EPOCH_ASSERT();
	first = NULL;
	CK_STAILQ_FOREACH(ifa, &ifp->if_addrhead, ifa_link) {
		if (ifa->ifa_addr->sa_family != addr->sa_family)
			continue;
		if (first == NULL)
			first = ifa;
		ia = (struct in_ifaddr *)ifa;
		if (addr->sa_family == AF_INET &&
		    (ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) &
		    ia->ia_subnetmask) == ia->ia_subnet)
			return (ifa);
	}
	return (first);
}

void
if_purgeaddrs(struct ifnet *ifp)
{
	in_purgeaddrs(ifp);
}

/* An epoch passes before the old bytes go: senders read them without a lock. */
__racy_by_design int
if_setlladdr(struct ifnet *ifp, const u_char *lladdr, int len)
{
	struct sockaddr_dl *sdl;

	if (ifp->if_type != IFT_ETHER && ifp->if_type != IFT_BRIDGE)
		return (ENODEV);
	if (len != ifp->if_addrlen || ETHER_IS_MULTICAST(lladdr))
		return (EINVAL);
	sdl = (struct sockaddr_dl *)ifp->if_addr->ifa_addr;
	memcpy(LLADDR(sdl), lladdr, len);
	EVENTHANDLER_INVOKE(iflladdr_event, ifp);
	in_lladdr_changed(ifp);
	return (0);
}

/*
 * Printing.
 */
int
if_printf(struct ifnet *ifp, const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return (printf("%s: %s", ifp->if_xname, buf));
}

int
if_log(struct ifnet *ifp, int pri, const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	log(pri, "%s: %s", ifp->if_xname, buf);
	return (0);
}

int
ifpromisc(struct ifnet *ifp, int pswitch)
{
	IFNET_WLOCK();
	ifp->if_pcount += pswitch ? 1 : -1;
	if (ifp->if_pcount > 0)
		ifp->if_flags |= IFF_PROMISC;
	else
		ifp->if_flags &= ~IFF_PROMISC;
	IFNET_WUNLOCK();
	return (0);
}

/*
 * The opaque interface: what drivers of FreeBSD 14 and later use.
 */
uint64_t
if_setbaudrate(if_t ifp, uint64_t baudrate)
{
	uint64_t old = ifp->if_baudrate;

	ifp->if_baudrate = baudrate;
	return (old);
}

uint64_t
if_getbaudrate(const if_t ifp)
{
	return (ifp->if_baudrate);
}

int
if_setcapabilities(if_t ifp, int capabilities)
{
	ifp->if_capabilities = capabilities;
	return (0);
}

int
if_getcapabilities(const if_t ifp)
{
	return (ifp->if_capabilities);
}

int
if_setcapenable(if_t ifp, int capenable)
{
	ifp->if_capenable = capenable;
	return (0);
}

int
if_getcapenable(const if_t ifp)
{
	return (ifp->if_capenable);
}

int
if_getdunit(const if_t ifp)
{
	return (ifp->if_dunit);
}

int
if_getindex(const if_t ifp)
{
	return (ifp->if_index);
}

int
if_getidxgen(const if_t ifp)
{
	return (ifp->if_idxgen);
}

const char *
if_getdname(const if_t ifp)
{
	return (ifp->if_dname);
}

const char *
if_name(if_t ifp)
{
	return (ifp->if_xname);
}

int
if_getalloctype(const if_t ifp)
{
	return (ifp->if_alloctype);
}

int
if_gettype(const if_t ifp)
{
	return (ifp->if_type);
}

int
if_setdrvflagbits(if_t ifp, int set, int clear)
{
	ifp->if_drv_flags = (ifp->if_drv_flags & ~clear) | set;
	return (0);
}

int
if_getdrvflags(const if_t ifp)
{
	return (ifp->if_drv_flags);
}

int
if_setdrvflags(if_t ifp, int flags)
{
	ifp->if_drv_flags = flags;
	return (0);
}

int
if_getlinkstate(if_t ifp)
{
	return (ifp->if_link_state);
}

int
if_setsoftc(if_t ifp, void *softc)
{
	ifp->if_softc = softc;
	return (0);
}

void *
if_getsoftc(if_t ifp)
{
	return (ifp->if_softc);
}

u_int
if_getfib(if_t ifp)
{
	return (ifp->if_fib);
}

uint8_t
if_getaddrlen(if_t ifp)
{
	return (ifp->if_addrlen);
}

const uint8_t *
if_getbroadcastaddr(const if_t ifp)
{
	return (ifp->if_broadcastaddr);
}

__racy_by_design int
if_setmtu(if_t ifp, int mtu)
{
	ifp->if_mtu = mtu;
	return (0);
}

int
if_getmtu(const if_t ifp)
{
	return (ifp->if_mtu);
}

int
if_setflagbits(if_t ifp, int set, int clear)
{
	ifp->if_flags = (ifp->if_flags & ~clear) | set;
	return (0);
}

int
if_setflags(if_t ifp, int flags)
{
	ifp->if_flags = flags;
	return (0);
}

int
if_getflags(const if_t ifp)
{
	return (ifp->if_flags);
}

void
if_input(if_t ifp, struct mbuf *m)
{
	ifp->if_input(ifp, m);
}

void
if_setrcvif(struct mbuf *m, if_t ifp)
{
	m->m_pkthdr.rcvif = ifp;
}

char *
if_getlladdr(const if_t ifp)
{
	return (IF_LLADDR(ifp));
}

struct vnet *
if_getvnet(const if_t ifp)
{
	return (ifp->if_vnet);
}

int
if_transmit(if_t ifp, struct mbuf *m)
{
	return (ifp->if_transmit(ifp, m));
}

int
if_ioctl(if_t ifp, u_long cmd, void *data)
{
	return (ifp->if_ioctl(ifp, cmd, data));
}

uint64_t
if_getcounter(if_t ifp, ift_counter counter)
{
	return (ifp->if_get_counter(ifp, counter));
}

struct bpf_if *
if_getbpf(if_t ifp)
{
	return (ifp->if_bpf);
}

void *
if_getl2com(if_t ifp)
{
	return (ifp->if_l2com);
}

void *
if_getafdata(if_t ifp, int af)
{
	return (ifp->if_afdata[af]);
}

struct ifaddr *
if_getifaddr(const if_t ifp)
{
	return (ifp->if_addr);
}

u_int
if_foreach_addr_type(if_t ifp, int type, if_addr_cb_t cb, void *cb_arg)
{
	struct epoch_tracker et;
	struct ifaddr *ifa;
	u_int count;

	count = 0;
	NET_EPOCH_ENTER(et);
	CK_STAILQ_FOREACH(ifa, &ifp->if_addrhead, ifa_link)
		if (ifa->ifa_addr->sa_family == type)
			count += cb(cb_arg, ifa, count);
	NET_EPOCH_EXIT(et);
	return (count);
}

void
if_setinitfn(if_t ifp, if_init_fn_t fn)
{
	ifp->if_init = fn;
}

void
if_setinputfn(if_t ifp, if_input_fn_t fn)
{
	ifp->if_input = fn;
}

if_input_fn_t
if_getinputfn(if_t ifp)
{
	return (ifp->if_input);
}

void
if_setioctlfn(if_t ifp, if_ioctl_fn_t fn)
{
	ifp->if_ioctl = fn;
}

void
if_setoutputfn(if_t ifp, if_output_fn_t fn)
{
	ifp->if_output = fn;
}

if_output_fn_t
if_getoutputfn(if_t ifp)
{
	return (ifp->if_output);
}

void
if_setstartfn(if_t ifp, if_start_fn_t fn)
{
	ifp->if_start = fn;
}

void
if_settransmitfn(if_t ifp, if_transmit_fn_t fn)
{
	ifp->if_transmit = fn;
}

if_transmit_fn_t
if_gettransmitfn(if_t ifp)
{
	return (ifp->if_transmit);
}

void
if_setqflushfn(if_t ifp, if_qflush_fn_t fn)
{
	ifp->if_qflush = fn;
}

void
if_setgetcounterfn(if_t ifp, if_get_counter_t fn)
{
	ifp->if_get_counter = fn;
}
