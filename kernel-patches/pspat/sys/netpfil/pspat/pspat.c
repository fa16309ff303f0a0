/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSPAT: settings, and the order of going in and out of service.
 *
 * Going out: (1) no sender is led here any more, (2) those that are here have
 * left (the network epoch), (3) the arbiter transmits all that it has, (4) the
 * accounts are checked.  Every change of what is not a mere number goes out
 * and in again.
 */
#include "opt_pspat.h"

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/counter.h>
#include <sys/epoch.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/module.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/sbuf.h>
#include <sys/smp.h>
#include <sys/socket.h>
#include <sys/sx.h>
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
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>

#include <netpfil/ipfw/ip_fw_private.h>
#include <netpfil/ipfw/dn_heap.h>
#include <netpfil/ipfw/ip_dn_private.h>
#include <netpfil/pspat/pspat_var.h>

MALLOC_DEFINE(M_PSPAT, "pspat", "PSPAT mailboxes and links");

struct pspat_softc pspat_sc;
struct pspat_counters pspat_cnt;

/* The dummynet pipe or queue that if_output's packets are scheduled by. */
VNET_DEFINE(u_int, pspat_flowset);
/* The vnet is on its way out. */
VNET_DEFINE(u_int, pspat_dying);

/*
 * All below that changes is under this; it is taken before any other lock.
 * The locks come and go by sysinits, for an unload tells the module first and
 * its vnets afterwards.
 */
static struct sx pspat_sx;
SX_SYSINIT(pspat_config, &pspat_sx, "pspat_config");
MTX_SYSINIT(pspat_arbiter, &pspat_sc.sc_mtx, "pspat_arbiter", MTX_DEF);
MTX_SYSINIT(pspat_dispatcher, &pspat_sc.sc_xmtx, "pspat_dispatcher", MTX_DEF);
static u_int pspat_enable;
static u_int pspat_point = PSPAT_DUMMYNET;
static u_int pspat_slots = 1024;
static u_int pspat_boxes = PSPAT_BY_CPU;
static lwpid_t pspat_tid[2];
static bool pspat_gone;		/* the module is being unloaded */
static eventhandler_tag pspat_event_tag[3];

/* A pointer that senders follow at any time. */
#define	PSPAT_STORE_PTR(p, value)					\
	atomic_store_rel_ptr((volatile uintptr_t *)&(p), (uintptr_t)(value))

static const char *const pspat_point_name[PSPAT_POINTS] = {
	"off", "dummynet", "dummynet_l2", "if_output"
};
static const char *const pspat_boxes_name[PSPAT_BOXES] = {
	"cpu", "thread"
};
static const char *const pspat_xmit_name[PSPAT_XMIT_MODES] = {
	"arbiter", "dispatcher"
};

/*
 * if_output: every interface that uses ether_output() is led through us, or
 * none is any more.  They are counted, for lagg(4) copies the pointer of its
 * ports and puts it back later: as long as one is out, our text stays.
 */
static u_int pspat_diverted;

/*
 * These get another output as soon as they are attached.  A VLAN's packets come
 * to us by its parent.
 */
static bool
pspat_if_replaced(const struct ifnet *ifp)
{

	return (strcmp(ifp->if_dname, "vlan") == 0 ||
	    strcmp(ifp->if_dname, "wlan") == 0);
}

static void
pspat_if_divert(struct ifnet *ifp, bool divert)
{
	volatile uintptr_t *output = (volatile uintptr_t *)&ifp->if_output;

	if (divert && !pspat_if_replaced(ifp) && atomic_cmpset_ptr(output,
	    (uintptr_t)ether_output, (uintptr_t)pspat_if_output))
		atomic_add_int(&pspat_diverted, 1);
	else if (!divert && atomic_cmpset_ptr(output,
	    (uintptr_t)pspat_if_output, (uintptr_t)ether_output))
		atomic_subtract_int(&pspat_diverted, 1);
}

/*
 * An interface on its way from one vnet to another may be in neither's list
 * while we go over them all: pspat_if_moved() sees to it when it arrives.
 */
static void
pspat_if_divert_all(bool divert)
{
	struct ifnet *ifp;
	VNET_ITERATOR_DECL(vnet_iter);

	mtx_lock(&pspat_sc.sc_mtx);
	pspat_sc.sc_divert = divert;
	mtx_unlock(&pspat_sc.sc_mtx);
	sx_xlock(&ifnet_detach_sxlock);
	VNET_LIST_RLOCK();
	VNET_FOREACH(vnet_iter) {
		CURVNET_SET(vnet_iter);
		IFNET_RLOCK();
		CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link)
			pspat_if_divert(ifp, divert);
		IFNET_RUNLOCK();
		CURVNET_RESTORE();
	}
	VNET_LIST_RUNLOCK();
	sx_xunlock(&ifnet_detach_sxlock);
}

/*
 * A new Ethernet interface, in its vnet's list by now.
 */
static void
pspat_if_arrival(void *arg, struct ifnet *ifp)
{

	mtx_lock(&pspat_sc.sc_mtx);
	if (pspat_sc.sc_divert)
		pspat_if_divert(ifp, true);
	mtx_unlock(&pspat_sc.sc_mtx);
}

/*
 * In a vnet, as a new one or from another.
 */
static void
pspat_if_moved(void *arg, struct ifnet *ifp)
{

	mtx_lock(&pspat_sc.sc_mtx);
	/* A new one has no broadcast address yet: pspat_if_arrival()'s. */
	if (!pspat_sc.sc_divert || ifp->if_broadcastaddr != NULL)
		pspat_if_divert(ifp, pspat_sc.sc_divert);
	mtx_unlock(&pspat_sc.sc_mtx);
}

/*
 * Out of its vnet.  Nobody will lead it back who is not told that it goes.
 */
static void
pspat_if_departure(void *arg, struct ifnet *ifp)
{

	if ((ifp->if_flags & IFF_DYING) != 0)
		pspat_if_divert(ifp, false);
}

/*
 * Have the arbiter transmit all that it has.  Comes back when it did.
 */
static void
pspat_flush(void)
{
	struct pspat_softc *sc = &pspat_sc;
	u_int given, ticket;

	mtx_lock(&sc->sc_mtx);
	ticket = ++sc->sc_flush;
	atomic_store_int(&sc->sc_asleep, 0);
	wakeup(sc);
	while ((int)(sc->sc_flushed - ticket) < 0)
		mtx_sleep(&sc->sc_flushed, &sc->sc_mtx, 0, "pspatf", 0);
	given = sc->sc_given;
	mtx_unlock(&sc->sc_mtx);

	/* What the dispatcher had been given by then. */
	while ((int)(atomic_load_acq_int(&sc->sc_xdone) - given) < 0)
		pause("pspatx", 1);
}

/*
 * What went is read before what came, for both go on: never less than zero.
 */
static uint64_t
pspat_in_custody(void)
{
	uint64_t gone;

	gone = counter_u64_fetch(pspat_cnt.out);
	gone += counter_u64_fetch(pspat_cnt.drop_sched);
	gone += counter_u64_fetch(pspat_cnt.drop_flowset);
	gone += counter_u64_fetch(pspat_cnt.drop_departed);
	gone += counter_u64_fetch(pspat_cnt.drop_nomem);
	return (counter_u64_fetch(pspat_cnt.in) - gone);
}

/*
 * The threads have nothing to do any more: wait until they ended, of a module
 * until they have left its text.
 */
static void
pspat_threads_end(struct pspat_softc *sc)
{

	mtx_lock(&sc->sc_mtx);
	mtx_lock(&sc->sc_xmtx);
	sc->sc_stop = true;
	wakeup(sc->sc_xbox);
	mtx_unlock(&sc->sc_xmtx);
	atomic_store_int(&sc->sc_asleep, 0);
	wakeup(sc);
	while (sc->sc_running > 0)
		mtx_sleep(&sc->sc_running, &sc->sc_mtx, 0, "pspate", 0);
	mtx_unlock(&sc->sc_mtx);
#ifdef KLD_MODULE
	{
		struct thread *td;
		u_int i;

		for (i = 0; i < nitems(pspat_tid); i++)
			while (pspat_tid[i] != 0 &&
			    (td = tdfind(pspat_tid[i], -1)) != NULL) {
				PROC_UNLOCK(td->td_proc);
				pause("pspatt", 1);
			}
	}
#endif
}

static int
pspat_start(u_int point)
{
	struct pspat_softc *sc = &pspat_sc;
	struct thread *td;
	u_int i;
	int error;

	sx_assert(&pspat_sx, SA_XLOCKED);
	if (pspat_gone)
		return (ENXIO);
	if (point != PSPAT_IF_OUTPUT && ip_dn_io_ptr == NULL)
		return (ENXIO);		/* no dummynet to step in front of */

	pspat_boxes_create(sc, pspat_slots, pspat_boxes == PSPAT_BY_THREAD);
	TAILQ_INIT(&sc->sc_links);
	for (i = 0; i < PSPAT_HASH; i++)
		LIST_INIT(&sc->sc_hash[i]);
	pspat_ready_init(&sc->sc_over);
	sc->sc_stop = false;
	sc->sc_flush = sc->sc_flushed = 0;
	sc->sc_asleep = sc->sc_xasleep = 0;
	sc->sc_xdone = 0;
	sc->sc_free = 0;
	sc->sc_loop_max = 0;
	sc->sc_running = 2;
	bzero(pspat_tid, sizeof(pspat_tid));

	/*
	 * A thread that ends may be freed at once: its number is taken down
	 * while it can't, for none of them ends before it is told to.
	 */
	error = kthread_add(pspat_dispatcher, sc, NULL, &td, 0, 0,
	    "pspat dispatcher");
	if (error != 0)
		sc->sc_running = 0;
	else {
		pspat_tid[0] = td->td_tid;
		error = kthread_add(pspat_arbiter, sc, NULL, &td, 0, 0,
		    "pspat arbiter");
		if (error == 0)
			pspat_tid[1] = td->td_tid;
		else {
			mtx_lock(&sc->sc_mtx);
			sc->sc_running--;
			mtx_unlock(&sc->sc_mtx);
			pspat_threads_end(sc);
		}
	}
	if (error != 0) {
		pspat_boxes_free(sc);
		return (error);
	}

	/* All is ready: lead the senders here. */
	mtx_lock(&sc->sc_mtx);
	sc->sc_up = true;
	mtx_unlock(&sc->sc_mtx);
	atomic_store_int(&sc->sc_point, point);
	if (point == PSPAT_IF_OUTPUT)
		pspat_if_divert_all(true);
	else {
		sc->sc_dn_io = ip_dn_io_ptr;
		PSPAT_STORE_PTR(ip_dn_io_ptr, pspat_dn_io);
	}
	return (0);
}

static void
pspat_finish(void)
{
	struct pspat_softc *sc = &pspat_sc;
	uint64_t left;

	sx_assert(&pspat_sx, SA_XLOCKED);
	if (sc->sc_point == PSPAT_IF_OUTPUT)
		pspat_if_divert_all(false);
	else
		PSPAT_STORE_PTR(ip_dn_io_ptr, sc->sc_dn_io);
	atomic_store_int(&sc->sc_point, PSPAT_OFF);
	NET_EPOCH_WAIT();
	pspat_flush();
	mtx_lock(&sc->sc_mtx);
	sc->sc_up = false;
	while (sc->sc_users > 0)
		mtx_sleep(&sc->sc_users, &sc->sc_mtx, 0, "pspatu", 0);
	mtx_unlock(&sc->sc_mtx);
	pspat_threads_end(sc);
	pspat_algs_forget();
	pspat_boxes_free(sc);

	left = pspat_in_custody();
	if (left != 0)
		printf("pspat: accounts do not agree: %ju packets in custody "
		    "after the flush\n", (uintmax_t)left);
	KASSERT(left == 0, ("pspat: %ju packets in custody after the flush",
	    (uintmax_t)left));
}

/*
 * Bring what is in service in line with what is asked for.
 */
static int
pspat_apply(u_int enable, u_int point)
{
	u_int want, have;
	int error;

	sx_assert(&pspat_sx, SA_XLOCKED);
	have = pspat_sc.sc_point;
	want = enable ? point : PSPAT_OFF;
	error = 0;
	if (want != have) {
		if (have != PSPAT_OFF)
			pspat_finish();
		if (want != PSPAT_OFF)
			error = pspat_start(want);
	}
	if (error == 0) {
		pspat_enable = enable;
		pspat_point = point;
	} else
		pspat_enable = 0;
	return (error);
}

/*
 * Sysctls.
 */
SYSCTL_NODE(_net, OID_AUTO, pspat, CTLFLAG_RW | CTLFLAG_MPSAFE, 0,
    "Parallel packet scheduler");

static int
pspat_sysctl_enable(SYSCTL_HANDLER_ARGS)
{
	u_int value;
	int error;

	value = pspat_enable;
	error = sysctl_handle_int(oidp, &value, 0, req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	if (value > 1)
		return (EINVAL);
	sx_xlock(&pspat_sx);
	error = pspat_apply(value, pspat_point);
	sx_xunlock(&pspat_sx);
	return (error);
}
SYSCTL_PROC(_net_pspat, OID_AUTO, enable,
    CTLTYPE_UINT | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0, pspat_sysctl_enable,
    "IU", "Schedule packets");

/*
 * A setting with named values.
 */
static int
pspat_sysctl_name(struct sysctl_oid *oidp, struct sysctl_req *req,
    const char *const *names, u_int n, u_int *value)
{
	char text[16];
	u_int i;
	int error;

	strlcpy(text, names[*value], sizeof(text));
	error = sysctl_handle_string(oidp, text, sizeof(text), req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	for (i = 0; i < n; i++)
		if (strcmp(text, names[i]) == 0) {
			*value = i;
			return (0);
		}
	return (EINVAL);
}

/*
 * Packets are taken there from now on, or as soon as PSPAT is on.
 */
int
pspat_intercept(u_int point)
{
	int error;

	sx_xlock(&pspat_sx);
	error = pspat_apply(pspat_enable, point);
	sx_xunlock(&pspat_sx);
	return (error);
}

static int
pspat_sysctl_intercept(SYSCTL_HANDLER_ARGS)
{
	u_int value;
	int error;

	value = pspat_point;
	error = pspat_sysctl_name(oidp, req, pspat_point_name, PSPAT_POINTS,
	    &value);
	if (error != 0 || req->newptr == NULL)
		return (error);
	return (pspat_intercept(value));
}
SYSCTL_PROC(_net_pspat, OID_AUTO, intercept,
    CTLTYPE_STRING | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0,
    pspat_sysctl_intercept, "A",
    "Where packets are taken: off, dummynet, dummynet_l2, if_output");

static struct pspat_settings
pspat_settings(void)
{
	struct pspat_settings set;

	mtx_lock(&pspat_sc.sc_mtx);
	set = pspat_sc.sc_set;
	mtx_unlock(&pspat_sc.sc_mtx);
	return (set);
}

static int
pspat_sysctl_xmit(SYSCTL_HANDLER_ARGS)
{
	u_int value;
	int error;

	value = pspat_settings().ps_xmit;
	error = pspat_sysctl_name(oidp, req, pspat_xmit_name, PSPAT_XMIT_MODES,
	    &value);
	if (error == 0 && req->newptr != NULL) {
		mtx_lock(&pspat_sc.sc_mtx);
		pspat_sc.sc_set.ps_xmit = value;
		mtx_unlock(&pspat_sc.sc_mtx);
	}
	return (error);
}
SYSCTL_PROC(_net_pspat, OID_AUTO, xmit_mode,
    CTLTYPE_STRING | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0, pspat_sysctl_xmit,
    "A", "Who transmits: arbiter, dispatcher");

static int
pspat_sysctl_slots(SYSCTL_HANDLER_ARGS)
{
	u_int value;
	int error;

	value = pspat_slots;
	error = sysctl_handle_int(oidp, &value, 0, req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	if (value < 2 * PSPAT_LINE_SLOTS || value > 1 << 20)
		return (EINVAL);
	sx_xlock(&pspat_sx);
	if (pspat_sc.sc_point != PSPAT_OFF)
		error = EBUSY;
	else
		pspat_slots = value;
	sx_xunlock(&pspat_sx);
	return (error);
}
SYSCTL_PROC(_net_pspat, OID_AUTO, mailbox_size,
    CTLTYPE_UINT | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0, pspat_sysctl_slots,
    "IU", "Packets that a mailbox holds (while off)");

static int
pspat_sysctl_boxes(SYSCTL_HANDLER_ARGS)
{
	u_int value;
	int error;

	value = pspat_boxes;
	error = pspat_sysctl_name(oidp, req, pspat_boxes_name, PSPAT_BOXES,
	    &value);
	if (error != 0 || req->newptr == NULL)
		return (error);
	sx_xlock(&pspat_sx);
	if (pspat_sc.sc_point != PSPAT_OFF)
		error = EBUSY;
	else
		pspat_boxes = value;
	sx_xunlock(&pspat_sx);
	return (error);
}
SYSCTL_PROC(_net_pspat, OID_AUTO, mailbox_of,
    CTLTYPE_STRING | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0, pspat_sysctl_boxes,
    "A", "Who has a mailbox: cpu, thread (while off)");

static int
pspat_sysctl_count(SYSCTL_HANDLER_ARGS)
{
	u_int i, value;

	value = 0;
	sx_slock(&pspat_sx);
	if (pspat_sc.sc_point != PSPAT_OFF)
		for (i = atomic_load_acq_int(&pspat_sc.sc_boxes); i-- > 0;)
			value += pspat_sc.sc_box[i] != NULL;
	sx_sunlock(&pspat_sx);
	return (sysctl_handle_int(oidp, &value, 0, req));
}
SYSCTL_PROC(_net_pspat, OID_AUTO, mailboxes,
    CTLTYPE_UINT | CTLFLAG_RD | CTLFLAG_MPSAFE, NULL, 0, pspat_sysctl_count,
    "IU", "Mailboxes that there are now");

static int
pspat_sysctl_batch(SYSCTL_HANDLER_ARGS)
{
	u_int value;
	int error;

	value = pspat_settings().ps_batch;
	error = sysctl_handle_int(oidp, &value, 0, req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	if (value < 1 || value > 1 << 16)
		return (EINVAL);
	mtx_lock(&pspat_sc.sc_mtx);
	pspat_sc.sc_set.ps_batch = value;
	mtx_unlock(&pspat_sc.sc_mtx);
	return (0);
}
SYSCTL_PROC(_net_pspat, OID_AUTO, batch,
    CTLTYPE_UINT | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0, pspat_sysctl_batch,
    "IU", "Packets taken from one mailbox, and sent on one link, in a round");

static int
pspat_sysctl_rate(SYSCTL_HANDLER_ARGS)
{
	uint64_t value;
	int error;

	value = pspat_settings().ps_rate;
	error = sysctl_handle_64(oidp, &value, 0, req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	mtx_lock(&pspat_sc.sc_mtx);
	pspat_sc.sc_set.ps_rate = value;
	mtx_unlock(&pspat_sc.sc_mtx);
	return (0);
}
SYSCTL_PROC(_net_pspat, OID_AUTO, rate,
    CTLTYPE_U64 | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0, pspat_sysctl_rate,
    "QU", "Rate of all links together, bit/s (0: no limit)");

SYSCTL_UINT(_net_pspat, OID_AUTO, flowset, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(pspat_flowset), 0,
    "dummynet queue that schedules the packets taken at if_output");

static int
pspat_sysctl_loop(SYSCTL_HANDLER_ARGS)
{
	uint64_t value;

	mtx_lock(&pspat_sc.sc_mtx);
	value = sbttons(pspat_sc.sc_loop_max);
	mtx_unlock(&pspat_sc.sc_mtx);
	return (sysctl_handle_64(oidp, &value, 0, req));
}
SYSCTL_PROC(_net_pspat, OID_AUTO, loop_max,
    CTLTYPE_U64 | CTLFLAG_RD | CTLFLAG_MPSAFE, NULL, 0, pspat_sysctl_loop,
    "QU", "Longest round of the arbiter since it was enabled, ns");

static SYSCTL_NODE(_net_pspat, OID_AUTO, stats, CTLFLAG_RD | CTLFLAG_MPSAFE, 0,
    "Accounts");
#define	PSPAT_COUNTER_SYSCTL(name, text)				\
SYSCTL_COUNTER_U64(_net_pspat_stats, OID_AUTO, name, CTLFLAG_RD,	\
    &pspat_cnt.name, text);
PSPAT_COUNTERS(PSPAT_COUNTER_SYSCTL)

static int
pspat_sysctl_custody(SYSCTL_HANDLER_ARGS)
{
	uint64_t value;

	value = pspat_in_custody();
	return (sysctl_handle_64(oidp, &value, 0, req));
}
SYSCTL_PROC(_net_pspat_stats, OID_AUTO, custody,
    CTLTYPE_U64 | CTLFLAG_RD | CTLFLAG_MPSAFE, NULL, 0, pspat_sysctl_custody,
    "QU", "Packets that PSPAT has now");

/*
 * Called with the lock of all vnets' comings and goings held, which comes after
 * pspat_sx by way of the interfaces' locks: so not under that one.
 *
 * A vnet goes: what it sends now goes by, what we have of it goes out or is
 * dropped, before its interfaces and its dummynet go.
 */
static void
pspat_vnet_uninit(const void *unused __unused)
{
	struct pspat_softc *sc = &pspat_sc;

	atomic_store_int(&VNET(pspat_dying), 1);
	if (PSPAT_BROKEN(10))
		return;
	mtx_lock(&sc->sc_mtx);
	if (!sc->sc_up) {
		/* Going out of service it was flushed, and of us nothing came. */
		mtx_unlock(&sc->sc_mtx);
		return;
	}
	sc->sc_users++;
	mtx_unlock(&sc->sc_mtx);
	NET_EPOCH_WAIT();
	pspat_flush();
	mtx_lock(&sc->sc_mtx);
	if (--sc->sc_users == 0)
		wakeup(&sc->sc_users);
	mtx_unlock(&sc->sc_mtx);
}
VNET_SYSUNINIT(pspat_vnet_uninit, SI_SUB_PROTO_FIREWALL, SI_ORDER_ANY,
    pspat_vnet_uninit, NULL);

static void
pspat_vnet_init(const void *unused __unused)
{

	atomic_store_int(&VNET(pspat_dying), 0);
}
VNET_SYSINIT(pspat_vnet_init, SI_SUB_PROTO_FIREWALL, SI_ORDER_ANY,
    pspat_vnet_init, NULL);

static int
pspat_modevent(module_t mod, int type, void *arg)
{
	struct pspat_softc *sc = &pspat_sc;
	uint64_t kept;
	u_int left;

	switch (type) {
	case MOD_LOAD:
		pspat_gone = false;
		sc->sc_set.ps_batch = 64;
#define	PSPAT_COUNTER_ALLOC(name, text)					\
		pspat_cnt.name = counter_u64_alloc(M_WAITOK);
		PSPAT_COUNTERS(PSPAT_COUNTER_ALLOC)
		pspat_boxes_init(sc);
		pspat_event_tag[0] = EVENTHANDLER_REGISTER(ether_ifattach_event,
		    pspat_if_arrival, NULL, EVENTHANDLER_PRI_ANY);
		pspat_event_tag[1] = EVENTHANDLER_REGISTER(ifnet_arrival_event,
		    pspat_if_moved, NULL, EVENTHANDLER_PRI_ANY);
		/* After those who give it back what it had. */
		pspat_event_tag[2] = EVENTHANDLER_REGISTER(ifnet_departure_event,
		    pspat_if_departure, NULL, EVENTHANDLER_PRI_LAST);
		return (0);
	case MOD_QUIESCE:
		return (0);
	case MOD_UNLOAD:
		sx_xlock(&pspat_sx);
		(void)pspat_apply(0, pspat_point);
		pspat_if_divert_all(false);
		left = atomic_load_int(&pspat_diverted);
		/* Their tags are freed by a function of ours. */
		kept = pspat_in_custody();
		pspat_gone = left == 0 && kept == 0;
		sx_xunlock(&pspat_sx);
		if (left != 0) {
			printf("pspat: %u interface(s) may be led here again "
			    "by lagg\n", left);
			return (EBUSY);
		}
		if (kept != 0) {
			printf("pspat: %ju packet(s) still in dummynet's "
			    "queues\n", (uintmax_t)kept);
			return (EBUSY);
		}
		EVENTHANDLER_DEREGISTER(ether_ifattach_event,
		    pspat_event_tag[0]);
		EVENTHANDLER_DEREGISTER(ifnet_arrival_event,
		    pspat_event_tag[1]);
		EVENTHANDLER_DEREGISTER(ifnet_departure_event,
		    pspat_event_tag[2]);
		NET_EPOCH_WAIT();
		pspat_boxes_uninit();
#define	PSPAT_COUNTER_FREE(name, text)					\
		counter_u64_free(pspat_cnt.name);
		PSPAT_COUNTERS(PSPAT_COUNTER_FREE)
		return (0);
	default:
		return (EOPNOTSUPP);
	}
}

static moduledata_t pspat_mod = {
	"pspat",
	pspat_modevent,
	NULL
};
/* After dummynet and its schedulers. */
DECLARE_MODULE(pspat, pspat_mod, SI_SUB_PROTO_FIREWALL, SI_ORDER_ANY);
MODULE_DEPEND(pspat, dummynet, 3, 3, 3);
MODULE_VERSION(pspat, 1);
