/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protocol input: a handler is called at once (direct) or by the netisr
 * thread (deferred).  One thread, as net.isr.maxthreads=1 has it.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <net/if_private.h>
#include <net/netisr.h>
#include <net/vnet.h>

SYSCTL_NODE(_net, OID_AUTO, isr, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "netisr");

static u_int netisr_dispatch_policy = NETISR_DISPATCH_DIRECT;
static const char *const netisr_dispatch_names[] = {
	[NETISR_DISPATCH_DEFAULT] = "default",
	[NETISR_DISPATCH_DEFERRED] = "deferred",
	[NETISR_DISPATCH_HYBRID] = "hybrid",
	[NETISR_DISPATCH_DIRECT] = "direct",
};

static int
sysctl_netisr_dispatch(SYSCTL_HANDLER_ARGS)
{
	char tmp[16];
	u_int i;
	int error;

	strlcpy(tmp, netisr_dispatch_names[netisr_dispatch_policy], sizeof(tmp));
	error = sysctl_handle_string(oidp, tmp, sizeof(tmp), req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	for (i = NETISR_DISPATCH_DEFERRED; i <= NETISR_DISPATCH_DIRECT; i++)
		if (strcmp(tmp, netisr_dispatch_names[i]) == 0) {
			atomic_store_int(&netisr_dispatch_policy, i);
			return (0);
		}
	return (EINVAL);
}
SYSCTL_PROC(_net_isr, OID_AUTO, dispatch, CTLTYPE_STRING | CTLFLAG_RW | CTLFLAG_MPSAFE,
    NULL, 0, sysctl_netisr_dispatch, "A", "netisr dispatch policy");

static u_int netisr_defaultqlimit = 256;
SYSCTL_UINT(_net_isr, OID_AUTO, defaultqlimit, CTLFLAG_RDTUN, &netisr_defaultqlimit, 0,
    "Default netisr per-protocol, per-CPU queue limit if not set by protocol");
static u_int netisr_maxqlimit = 10240;
SYSCTL_UINT(_net_isr, OID_AUTO, maxqlimit, CTLFLAG_RDTUN, &netisr_maxqlimit, 0,
    "Maximum netisr per-protocol, per-CPU queue depth.");
static u_int netisr_numthreads = 1;
SYSCTL_UINT(_net_isr, OID_AUTO, numthreads, CTLFLAG_RD, &netisr_numthreads, 0,
    "Number of extant netisr threads.");

/* One protocol's queue; nws_mtx covers it all but the handler itself. */
static struct netisr_proto {
	const char	*np_name;
	netisr_handler_t *np_handler;
	u_int		 np_dispatch;
	u_int		 np_qlimit;
	struct mbufq	 np_queue;
	uint64_t	 np_dispatched;
	uint64_t	 np_queued;
	uint64_t	 np_handled;
	uint64_t	 np_qdrops;
	u_int		 np_watermark;
} netisr_proto[NETISR_MAXPROT];

static struct mtx nws_mtx;
MTX_SYSINIT(nws_mtx, &nws_mtx, "netisr_mtx", MTX_DEF);
static bool nws_pending;

VNET_DEFINE_STATIC(u_int, netisr_enable[NETISR_MAXPROT]);
#define	V_netisr_enable	VNET(netisr_enable)

void
netisr_register(const struct netisr_handler *nhp)
{
	struct netisr_proto *np = &netisr_proto[nhp->nh_proto];

	KASSERT(nhp->nh_proto < NETISR_MAXPROT, ("%s: protocol too high", __func__));
	mtx_lock(&nws_mtx);
	KASSERT(np->np_handler == NULL, ("%s(%u, %s): name exists", __func__,
	    nhp->nh_proto, nhp->nh_name));
	np->np_name = nhp->nh_name;
	np->np_dispatch = nhp->nh_dispatch;
	np->np_qlimit = nhp->nh_qlimit != 0 ? MIN(nhp->nh_qlimit, netisr_maxqlimit) :
	    netisr_defaultqlimit;
	mbufq_init(&np->np_queue, np->np_qlimit);
	np->np_handler = nhp->nh_handler;
	mtx_unlock(&nws_mtx);
	netisr_register_vnet(nhp);
}

void
netisr_register_vnet(const struct netisr_handler *nhp)
{
	V_netisr_enable[nhp->nh_proto] = 1;
}

/* Takes what belongs to a vnet, or everything, out of one queue. */
static void
netisr_drain(struct netisr_proto *np, struct vnet *vnet)
{
	struct mbufq keep, drop;
	struct mbuf *m;
	struct ifnet *ifp;
	struct epoch_tracker et;

	mbufq_init(&keep, INT_MAX);
	mbufq_init(&drop, INT_MAX);
	NET_EPOCH_ENTER(et);
	mtx_lock(&nws_mtx);
	while ((m = mbufq_dequeue(&np->np_queue)) != NULL) {
		ifp = m_rcvif_restore(m);
		if (vnet == NULL || ifp == NULL || ifp->if_vnet == vnet)
			(void)mbufq_enqueue(&drop, m);
		else {
			m_rcvif_serialize(m);
			(void)mbufq_enqueue(&keep, m);
		}
	}
	while ((m = mbufq_dequeue(&keep)) != NULL)
		(void)mbufq_enqueue(&np->np_queue, m);
	mtx_unlock(&nws_mtx);
	NET_EPOCH_EXIT(et);
	mbufq_drain(&drop);
}

void
netisr_unregister_vnet(const struct netisr_handler *nhp)
{
	V_netisr_enable[nhp->nh_proto] = 0;
	netisr_drain(&netisr_proto[nhp->nh_proto], curvnet);
}

void
netisr_unregister(const struct netisr_handler *nhp)
{
	struct netisr_proto *np = &netisr_proto[nhp->nh_proto];

	netisr_unregister_vnet(nhp);
	netisr_drain(np, NULL);
	mtx_lock(&nws_mtx);
	np->np_handler = NULL;
	np->np_name = NULL;
	mtx_unlock(&nws_mtx);
	NET_EPOCH_WAIT();
}

int
netisr_queue_src(u_int proto, uintptr_t source, struct mbuf *m)
{
	struct netisr_proto *np = &netisr_proto[proto];
	int error;

	KASSERT(np->np_handler != NULL, ("%s: invalid proto %u", __func__, proto));
	if (V_netisr_enable[proto] == 0) {
		m_freem(m);
		return (ENOPROTOOPT);
	}
	m_rcvif_serialize(m);
	mtx_lock(&nws_mtx);
	error = mbufq_enqueue(&np->np_queue, m);
	if (error == 0) {
		np->np_queued++;
		np->np_watermark = MAX(np->np_watermark, (u_int)mbufq_len(&np->np_queue));
		if (!nws_pending) {
			nws_pending = true;
			wakeup(&nws_pending);
		}
	} else
		np->np_qdrops++;
	mtx_unlock(&nws_mtx);
	if (error != 0)
		m_freem(m);
	return (error);
}

int
netisr_queue(u_int proto, struct mbuf *m)
{
	return (netisr_queue_src(proto, 0, m));
}

int
netisr_dispatch_src(u_int proto, uintptr_t source, struct mbuf *m)
{
	struct netisr_proto *np = &netisr_proto[proto];
	u_int policy;

	NET_EPOCH_ASSERT();
	KASSERT(np->np_handler != NULL, ("%s: invalid proto %u", __func__, proto));
	if (V_netisr_enable[proto] == 0) {
		m_freem(m);
		return (ENOPROTOOPT);
	}
	policy = np->np_dispatch != NETISR_DISPATCH_DEFAULT ? np->np_dispatch :
	    atomic_load_int(&netisr_dispatch_policy);
	if (policy == NETISR_DISPATCH_DEFERRED)
		return (netisr_queue_src(proto, source, m));
	np->np_handler(m);
	return (0);
}

int
netisr_dispatch(u_int proto, struct mbuf *m)
{
	return (netisr_dispatch_src(proto, 0, m));
}

/* A queue at a time, so that one protocol does not starve another. */
static void
netisr_process(struct netisr_proto *np)
{
	struct mbufq local;
	struct epoch_tracker et;
	struct mbuf *m;

	mtx_assert(&nws_mtx, MA_OWNED);
	mbufq_init(&local, INT_MAX);
	while ((m = mbufq_dequeue(&np->np_queue)) != NULL) {
		np->np_handled++;
		(void)mbufq_enqueue(&local, m);
	}
	if (mbufq_len(&local) == 0)
		return;
	mtx_unlock(&nws_mtx);
	NET_EPOCH_ENTER(et);
	while ((m = mbufq_dequeue(&local)) != NULL) {
		if (__predict_false(m_rcvif_restore(m) == NULL)) {
			m_freem(m);
			continue;
		}
		CURVNET_SET(m->m_pkthdr.rcvif->if_vnet);
		np->np_handler(m);
		CURVNET_RESTORE();
	}
	NET_EPOCH_EXIT(et);
	mtx_lock(&nws_mtx);
}

static void
netisr_thread(void *arg)
{
	u_int i;

	mtx_lock(&nws_mtx);
	for (;;) {
		while (!nws_pending)
			mtx_sleep(&nws_pending, &nws_mtx, 0, "-", 0);
		nws_pending = false;
		for (i = 0; i < NETISR_MAXPROT; i++)
			if (netisr_proto[i].np_handler != NULL)
				netisr_process(&netisr_proto[i]);
	}
}

static struct proc *netisr_proc;
static void
netisr_start(void *arg)
{
	int error;

	error = kproc_kthread_add(netisr_thread, NULL, &netisr_proc, NULL, 0, 0,
	    "intr", "swi1: netisr 0");
	KASSERT(error == 0, ("%s: kproc_kthread_add: %d", __func__, error));
}
SYSINIT(netisr_start, SI_SUB_SOFTINTR, SI_ORDER_FIRST, netisr_start, NULL);

u_int
netisr_get_cpucount(void)
{
	return (1);
}

u_int
netisr_get_cpuid(u_int cpunumber)
{
	return (0);
}

bool
netisr_getstats(u_int proto, const char **name, struct netisr_stats *st)
{
	struct netisr_proto *np;

	if (proto >= NETISR_MAXPROT)
		return (false);
	np = &netisr_proto[proto];
	mtx_lock(&nws_mtx);
	bzero(st, sizeof(*st));
	*name = np->np_name;
	st->dispatched = np->np_dispatched;
	st->qdrops = np->np_qdrops;
	st->queued = np->np_queued;
	st->handled = np->np_handled;
	st->len = mbufq_len(&np->np_queue);
	st->watermark = np->np_watermark;
	st->limit = np->np_qlimit;
	mtx_unlock(&nws_mtx);
	return (*name != NULL);
}
