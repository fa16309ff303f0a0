/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoch(9).  A reader counts itself into the slot of the present generation
 * and out of it again; who waits closes the generation twice and waits until
 * the slot is empty.  Callbacks run in a thread of their own after a wait.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/smp.h>
#include <sys/sx.h>

#include "kern_internal.h"

MALLOC_DEFINE(M_EPOCH, "epoch", "epoch based reclamation");

struct epoch_slot {
	volatile u_long	 es_readers[2];
} __aligned(CACHE_LINE_SIZE);

struct epoch {
	struct epoch_slot e_slot[MAXCPU];	/* by the CPU of the reader */
	volatile u_int	 e_gen;
	volatile u_int	 e_waiters;
	int		 e_flags;
	const char	*e_name;
	struct sx	 e_sx;		/* one that waits at a time */
	epoch_context_t	 e_calls;	/* in order */
	epoch_context_t	*e_calls_tail;
	uint64_t	 e_queued, e_done;
};
/* What epoch_call() makes of a context: the next one, and the function. */
#define	CTX_NEXT(c)	(*(epoch_context_t *)&(c)->data[0])
#define	CTX_FUNC(c)	(*(epoch_callback_t **)&(c)->data[1])

static struct epoch global_store, global_preempt_store, net_store;
epoch_t global_epoch = &global_store;
epoch_t global_epoch_preempt = &global_preempt_store;
epoch_t net_epoch_preempt = &net_store;

static struct mtx epoch_mtx;
#define	MAXEPOCHS	32
static epoch_t epochs[MAXEPOCHS];
static int epoch_call_chan, epoch_done_chan;

static void
epoch_init(epoch_t e, const char *name, int flags)
{
	int i;

	e->e_name = name;
	e->e_flags = flags;
	e->e_calls_tail = &e->e_calls;
	sx_init(&e->e_sx, "epoch-sx");
	mtx_lock(&epoch_mtx);
	for (i = 0; i < MAXEPOCHS && epochs[i] != NULL; i++)
		;
	KASSERT(i < MAXEPOCHS, ("too many epochs"));
	epochs[i] = e;
	mtx_unlock(&epoch_mtx);
}

epoch_t
epoch_alloc(const char *name, int flags)
{
	epoch_t e;

	e = malloc_aligned(sizeof(*e), CACHE_LINE_SIZE, M_EPOCH, M_WAITOK | M_ZERO);
	epoch_init(e, name, flags);
	return (e);
}

void
epoch_free(epoch_t e)
{
	int i;

	epoch_drain_callbacks(e);
	mtx_lock(&epoch_mtx);
	for (i = 0; i < MAXEPOCHS; i++)
		if (epochs[i] == e)
			epochs[i] = NULL;
	mtx_unlock(&epoch_mtx);
	sx_destroy(&e->e_sx);
	free(e, M_EPOCH);
}

int
in_epoch(epoch_t e)
{
	struct epoch_tracker *et;

	TAILQ_FOREACH(et, &curthread->td_epochs, et_link)
		if (et->et_epoch == e)
			return (1);
	/* After a panic nobody insists. */
	return (KERNEL_PANICKED() ? 1 : 0);
}

int
in_epoch_verbose(epoch_t e, int dump_onfail)
{
	return (in_epoch(e));
}

void
_epoch_enter_preempt(epoch_t e, epoch_tracker_t et, const char *file, int line)
{
	struct thread *td = curthread;

	MPASS(cold || e != NULL);
	sched_pin();
	td->td_epochnest++;
	et->et_td = td;
	et->et_epoch = e;
	et->et_file = file;
	et->et_line = line;
	et->et_cpu = (u_int)td->td_oncpu;
	et->et_slot = __atomic_load_n(&e->e_gen, __ATOMIC_ACQUIRE) & 1;
	if (DNH_PLAIN)
		e->e_slot[et->et_cpu].es_readers[et->et_slot]++;
	else
		__atomic_fetch_add(&e->e_slot[et->et_cpu].es_readers[et->et_slot], 1,
		    __ATOMIC_SEQ_CST);
	TAILQ_INSERT_HEAD(&td->td_epochs, et, et_link);
	kern_preempt_point();
}

void
_epoch_exit_preempt(epoch_t e, epoch_tracker_t et, const char *file, int line)
{
	struct thread *td = curthread;

	kern_preempt_point();
	MPASS(td->td_epochnest > 0);
#ifdef INVARIANTS
	if (et->et_td != td)
		panic("epoch_exit_preempt: tracker of td %p exited by td %p @ %s:%d", et->et_td, td,
		    file, line);
	MPASS(et->et_epoch == e);
	et->et_td = (void *)0xDEADBEEF;
#endif
	TAILQ_REMOVE(&td->td_epochs, et, et_link);
	td->td_epochnest--;
	if (DNH_PLAIN)
		e->e_slot[et->et_cpu].es_readers[et->et_slot]--;
	else
		__atomic_fetch_sub(&e->e_slot[et->et_cpu].es_readers[et->et_slot], 1,
		    __ATOMIC_SEQ_CST);
	sched_unpin();
	if (__atomic_load_n(&e->e_waiters, __ATOMIC_SEQ_CST) != 0)
		wakeup(__DEVOLATILE(void *, &e->e_waiters));
}

/* The non-preemptible kind is a critical section besides. */
DPCPU_DEFINE_STATIC(struct epoch_tracker, epoch_nested[8]);

void
epoch_enter(epoch_t e)
{
	struct thread *td = curthread;

	critical_enter();
	KASSERT(td->td_critnest <= 8, ("epoch_enter: nested too deep"));
	_epoch_enter_preempt(e, &(*DPCPU_PTR(epoch_nested))[td->td_critnest - 1], "", 0);
}

void
epoch_exit(epoch_t e)
{
	struct thread *td = curthread;

	_epoch_exit_preempt(e, &(*DPCPU_PTR(epoch_nested))[td->td_critnest - 1], "", 0);
	critical_exit();
}

static u_long
readers(epoch_t e, u_int slot)
{
	u_long n = 0;
	int cpu;

	CPU_FOREACH(cpu)
		n += __atomic_load_n(&e->e_slot[cpu].es_readers[slot], __ATOMIC_SEQ_CST);
	return (n);
}

void
epoch_wait_preempt(epoch_t e)
{
	u_int i, slot;

	if (KERNEL_PANICKED())
		return;
	WITNESS_WARN(WARN_GIANTOK | WARN_SLEEPOK, NULL, "epoch_wait() can be long running");
	KASSERT(!in_epoch(e), ("epoch_wait_preempt() called in the middle of an epoch section of "
	    "the same epoch"));
	if (!smp_started)
		return;
	sx_xlock(&e->e_sx);
	/*
	 * Twice: a reader may have read the generation before the first turn
	 * and count itself in only now.
	 */
	for (i = 0; i < 2; i++) {
		slot = __atomic_fetch_add(&e->e_gen, 1, __ATOMIC_SEQ_CST) & 1;
		__atomic_fetch_add(&e->e_waiters, 1, __ATOMIC_SEQ_CST);
		for (;;) {
			host_lock();
			if (readers(e, slot) == 0) {
				host_unlock();
				break;
			}
			waitq_enter(__DEVOLATILE(void *, &e->e_waiters), "epochw", FOREVER);
			(void)sleepq_wait();
		}
		__atomic_fetch_sub(&e->e_waiters, 1, __ATOMIC_SEQ_CST);
	}
	sx_xunlock(&e->e_sx);
}

void
epoch_wait(epoch_t e)
{
	epoch_wait_preempt(e);
}

void
epoch_call(epoch_t e, epoch_callback_t callback, epoch_context_t ctx)
{
	KASSERT(callback != NULL && ctx != NULL, ("epoch_call: NULL"));
	CTX_NEXT(ctx) = NULL;
	CTX_FUNC(ctx) = callback;
	mtx_lock(&epoch_mtx);
	*e->e_calls_tail = ctx;
	e->e_calls_tail = &CTX_NEXT(ctx);
	e->e_queued++;
	wakeup(&epoch_call_chan);
	mtx_unlock(&epoch_mtx);
}

static void
epoch_call_thread(void *arg)
{
	epoch_context_t ctx, next;
	epoch_t e;
	int i;

	mtx_lock(&epoch_mtx);
	for (;;) {
		for (i = 0; i < MAXEPOCHS; i++)
			if ((e = epochs[i]) != NULL && e->e_calls != NULL)
				break;
		if (i == MAXEPOCHS) {
			mtx_sleep(&epoch_call_chan, &epoch_mtx, 0, "-", 0);
			continue;
		}
		ctx = e->e_calls;
		e->e_calls = NULL;
		e->e_calls_tail = &e->e_calls;
		mtx_unlock(&epoch_mtx);
		epoch_wait_preempt(e);
		for (i = 0; ctx != NULL; ctx = next, i++) {
			next = CTX_NEXT(ctx);
			CTX_FUNC(ctx)(ctx);
		}
		mtx_lock(&epoch_mtx);
		e->e_done += (uint64_t)i;
		wakeup(&epoch_done_chan);
	}
}

void
epoch_drain_callbacks(epoch_t e)
{
	uint64_t want;

	WITNESS_WARN(WARN_GIANTOK | WARN_SLEEPOK, NULL, "epoch_drain_callbacks() may sleep!");
	if (KERNEL_PANICKED() || !smp_started)
		return;
	mtx_lock(&epoch_mtx);
	want = e->e_queued;
	while (e->e_done < want)
		mtx_sleep(&epoch_done_chan, &epoch_mtx, 0, "EDRAIN", 0);
	mtx_unlock(&epoch_mtx);
}

/* Those as well that the callbacks themselves leave behind. */
void
epoch_drain_all(epoch_t e)
{
	bool more;

	do {
		epoch_drain_callbacks(e);
		mtx_lock(&epoch_mtx);
		more = e->e_done < e->e_queued;
		mtx_unlock(&epoch_mtx);
	} while (more && !KERNEL_PANICKED());
}

static void
epoch_boot(void *arg)
{
	mtx_init(&epoch_mtx, "epoch-calls", NULL, MTX_DEF);
	epoch_init(global_epoch, "Global", 0);
	epoch_init(global_epoch_preempt, "Global preemptible", EPOCH_PREEMPT);
	epoch_init(net_epoch_preempt, "Net preemptible", EPOCH_PREEMPT);
}
/* Before the first vnet, whose constructors enter it. */
SYSINIT(epoch_boot, SI_SUB_LOCK, SI_ORDER_ANY, epoch_boot, NULL);

static void
epoch_thread_start(void *arg)
{
	struct thread *td;

	(void)kthread_add(epoch_call_thread, NULL, NULL, &td, 0, 0, "epoch_call");
}
SYSINIT(epoch_thread, SI_SUB_EPOCH, SI_ORDER_ANY, epoch_thread_start, NULL);
