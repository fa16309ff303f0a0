/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * taskqueue(9)
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/stdarg.h>
#include <sys/taskqueue.h>

static MALLOC_DEFINE(M_TASKQUEUE, "taskqueue", "Task Queues");

#define	TQ_RUNNERS	16

struct taskqueue {
	struct mtx		 tq_mutex;
	STAILQ_HEAD(, task)	 tq_queue;
	struct task		*tq_running[TQ_RUNNERS];
	struct thread		*tq_threads[TQ_RUNNERS];
	int			 tq_nthreads;
	int			 tq_alive;
	int			 tq_blocked;
	bool			 tq_stop;
	taskqueue_enqueue_fn	 tq_enqueue;
	void			*tq_context;
	taskqueue_callback_fn	 tq_callbacks[TASKQUEUE_NUM_CALLBACKS];
	void			*tq_cb_contexts[TASKQUEUE_NUM_CALLBACKS];
	char			 tq_name[TASKQUEUE_NAMELEN];
};
#define	TQ_LOCK(tq)	mtx_lock(&(tq)->tq_mutex)
#define	TQ_UNLOCK(tq)	mtx_unlock(&(tq)->tq_mutex)

TASKQUEUE_DEFINE_THREAD(thread);
TASKQUEUE_DEFINE_THREAD(fast);
TASKQUEUE_DEFINE_THREAD(swi);

struct taskqueue *
taskqueue_create(const char *name, int mflags, taskqueue_enqueue_fn enqueue, void *context)
{
	struct taskqueue *q;

	q = malloc(sizeof(*q), M_TASKQUEUE, mflags | M_ZERO);
	if (q == NULL)
		return (NULL);
	strlcpy(q->tq_name, name, sizeof(q->tq_name));
	q->tq_enqueue = enqueue;
	q->tq_context = context;
	mtx_init(&q->tq_mutex, q->tq_name, "taskqueue", MTX_DEF);
	STAILQ_INIT(&q->tq_queue);
	return (q);
}

struct taskqueue *
taskqueue_create_fast(const char *name, int mflags, taskqueue_enqueue_fn enqueue, void *context)
{
	return (taskqueue_create(name, mflags, enqueue, context));
}

void
taskqueue_set_callback(struct taskqueue *q, enum taskqueue_callback_type type,
    taskqueue_callback_fn callback, void *context)
{
	q->tq_callbacks[type] = callback;
	q->tq_cb_contexts[type] = context;
}

static bool
is_running(struct taskqueue *q, struct task *t)
{
	int i;

	for (i = 0; i < TQ_RUNNERS; i++)
		if (q->tq_running[i] == t)
			return (true);
	return (false);
}

/* The first task, with the lock given up while it runs. */
static void
run_one(struct taskqueue *q)
{
	struct epoch_tracker et;
	struct task *t;
	int pending, slot;

	t = STAILQ_FIRST(&q->tq_queue);
	STAILQ_REMOVE_HEAD(&q->tq_queue, ta_link);
	pending = t->ta_pending;
	t->ta_pending = 0;
	for (slot = 0; q->tq_running[slot] != NULL; slot++)
		;
	q->tq_running[slot] = t;
	TQ_UNLOCK(q);
	/* The task may free itself: nothing of it is looked at behind the call. */
	if (TASK_IS_NET(t)) {
		NET_EPOCH_ENTER(et);
		t->ta_func(t->ta_context, pending);
		NET_EPOCH_EXIT(et);
	} else
		t->ta_func(t->ta_context, pending);
	TQ_LOCK(q);
	q->tq_running[slot] = NULL;
	wakeup(&q->tq_running);
}

void
taskqueue_run(struct taskqueue *q)
{
	TQ_LOCK(q);
	while (!STAILQ_EMPTY(&q->tq_queue))
		run_one(q);
	TQ_UNLOCK(q);
}

void
taskqueue_thread_loop(void *arg)
{
	struct taskqueue *q = *(struct taskqueue **)arg;
	taskqueue_callback_fn cb;

	TQ_LOCK(q);
	q->tq_threads[q->tq_nthreads++] = curthread;
	if ((cb = q->tq_callbacks[TASKQUEUE_CALLBACK_TYPE_INIT]) != NULL) {
		TQ_UNLOCK(q);
		cb(q->tq_cb_contexts[TASKQUEUE_CALLBACK_TYPE_INIT]);
		TQ_LOCK(q);
	}
	while (!q->tq_stop) {
		if (q->tq_blocked == 0 && !STAILQ_EMPTY(&q->tq_queue))
			run_one(q);
		else
			(void)mtx_sleep(q, &q->tq_mutex, 0, "-", 0);
	}
	if ((cb = q->tq_callbacks[TASKQUEUE_CALLBACK_TYPE_SHUTDOWN]) != NULL) {
		TQ_UNLOCK(q);
		cb(q->tq_cb_contexts[TASKQUEUE_CALLBACK_TYPE_SHUTDOWN]);
		TQ_LOCK(q);
	}
	q->tq_alive--;
	wakeup(&q->tq_alive);
	TQ_UNLOCK(q);
	kthread_exit();
}

static int
start_threads(struct taskqueue **tqp, int count, struct proc *p, const char *fmt, va_list ap)
{
	struct taskqueue *q = *tqp;
	char name[MAXCOMLEN + 1];
	int error, i;

	(void)vsnprintf(name, sizeof(name), fmt, ap);
	if (count > TQ_RUNNERS)
		count = TQ_RUNNERS;
	for (i = 0; i < count; i++) {
		TQ_LOCK(q);
		q->tq_alive++;
		TQ_UNLOCK(q);
		if (count == 1)
			error = kthread_add(taskqueue_thread_loop, tqp, p, NULL, 0, 0, "%s", name);
		else
			error = kthread_add(taskqueue_thread_loop, tqp, p, NULL, 0, 0, "%s_%d",
			    name, i);
		if (error != 0) {
			TQ_LOCK(q);
			q->tq_alive--;
			TQ_UNLOCK(q);
			return (error);
		}
	}
	return (0);
}

int
taskqueue_start_threads(struct taskqueue **tqp, int count, int pri, const char *fmt, ...)
{
	va_list ap;
	int error;

	va_start(ap, fmt);
	error = start_threads(tqp, count, NULL, fmt, ap);
	va_end(ap);
	return (error);
}

int
taskqueue_start_threads_in_proc(struct taskqueue **tqp, int count, int pri, struct proc *p,
    const char *fmt, ...)
{
	va_list ap;
	int error;

	va_start(ap, fmt);
	error = start_threads(tqp, count, p, fmt, ap);
	va_end(ap);
	return (error);
}

int
taskqueue_start_threads_cpuset(struct taskqueue **tqp, int count, int pri, cpuset_t *mask,
    const char *fmt, ...)
{
	va_list ap;
	int error;

	va_start(ap, fmt);
	error = start_threads(tqp, count, NULL, fmt, ap);
	va_end(ap);
	return (error);
}

void
taskqueue_thread_enqueue(void *context)
{
	wakeup_any(*(struct taskqueue **)context);
}

static void
enqueue_locked(struct taskqueue *q, struct task *t)
{
	struct task *other, *prev;

	if (t->ta_pending != 0) {
		if (t->ta_pending < USHRT_MAX)
			t->ta_pending++;
		return;
	}
	/* By priority, the higher first; in order among equals. */
	prev = NULL;
	STAILQ_FOREACH(other, &q->tq_queue, ta_link) {
		if (other->ta_priority < t->ta_priority)
			break;
		prev = other;
	}
	if (prev == NULL)
		STAILQ_INSERT_HEAD(&q->tq_queue, t, ta_link);
	else
		STAILQ_INSERT_AFTER(&q->tq_queue, prev, t, ta_link);
	t->ta_pending = 1;
	if (q->tq_blocked == 0)
		q->tq_enqueue(q->tq_context);
}

int
taskqueue_enqueue_flags(struct taskqueue *q, struct task *t, int flags)
{
	int error = 0;

	TQ_LOCK(q);
	if ((flags & TASKQUEUE_FAIL_IF_PENDING) != 0 && t->ta_pending != 0)
		error = EEXIST;
	else
		enqueue_locked(q, t);
	TQ_UNLOCK(q);
	return (error);
}

int
taskqueue_enqueue(struct taskqueue *q, struct task *t)
{
	return (taskqueue_enqueue_flags(q, t, 0));
}

static void
timeout_fire(void *arg)
{
	struct timeout_task *tt = arg;

	(void)taskqueue_enqueue(tt->q, &tt->t);
}

void
_timeout_task_init(struct taskqueue *q, struct timeout_task *tt, int priority, task_fn_t func,
    void *context)
{
	TASK_INIT(&tt->t, priority, func, context);
	callout_init(&tt->c, 1);
	tt->q = q;
	tt->f = 0;
}

/* How many times it was pending already. */
int
taskqueue_enqueue_timeout_sbt(struct taskqueue *q, struct timeout_task *tt, sbintime_t sbt,
    sbintime_t pr, int flags)
{
	int pending;

	TQ_LOCK(q);
	pending = tt->t.ta_pending + (callout_pending(&tt->c) ? 1 : 0);
	TQ_UNLOCK(q);
	if (sbt == 0)
		(void)taskqueue_enqueue(q, &tt->t);
	else
		(void)callout_reset_sbt(&tt->c, sbt, pr, timeout_fire, tt, flags);
	return (pending);
}

int
taskqueue_enqueue_timeout(struct taskqueue *q, struct timeout_task *tt, int ticks)
{
	return (taskqueue_enqueue_timeout_sbt(q, tt, ticks * tick_sbt, 0, C_HARDCLOCK));
}

int
taskqueue_poll_is_busy(struct taskqueue *q, struct task *t)
{
	int busy;

	TQ_LOCK(q);
	busy = t->ta_pending != 0 || is_running(q, t);
	TQ_UNLOCK(q);
	return (busy);
}

int
taskqueue_cancel(struct taskqueue *q, struct task *t, u_int *pendp)
{
	int error;

	TQ_LOCK(q);
	if (pendp != NULL)
		*pendp = t->ta_pending;
	if (t->ta_pending != 0) {
		STAILQ_REMOVE(&q->tq_queue, t, task, ta_link);
		t->ta_pending = 0;
	}
	error = is_running(q, t) ? EBUSY : 0;
	TQ_UNLOCK(q);
	return (error);
}

int
taskqueue_cancel_timeout(struct taskqueue *q, struct timeout_task *tt, u_int *pendp)
{
	u_int pending;
	int error, stopped;

	stopped = callout_stop(&tt->c) > 0;
	error = taskqueue_cancel(q, &tt->t, &pending);
	if (pendp != NULL)
		*pendp = pending + stopped;
	return (error);
}

void
taskqueue_drain(struct taskqueue *q, struct task *t)
{
	WITNESS_WARN(WARN_GIANTOK | WARN_SLEEPOK, NULL, "taskqueue_drain");
	TQ_LOCK(q);
	while (t->ta_pending != 0 || is_running(q, t))
		(void)mtx_sleep(&q->tq_running, &q->tq_mutex, 0, "tq_drain", 0);
	TQ_UNLOCK(q);
}

void
taskqueue_drain_timeout(struct taskqueue *q, struct timeout_task *tt)
{
	(void)callout_drain(&tt->c);
	taskqueue_drain(q, &tt->t);
}

/* What is there now, running or waiting; not what they enqueue in their turn. */
void
taskqueue_drain_all(struct taskqueue *q)
{
	bool busy;
	int i;

	TQ_LOCK(q);
	for (;;) {
		busy = !STAILQ_EMPTY(&q->tq_queue);
		for (i = 0; i < TQ_RUNNERS; i++)
			busy |= q->tq_running[i] != NULL;
		if (!busy)
			break;
		(void)mtx_sleep(&q->tq_running, &q->tq_mutex, 0, "tq_drain", 0);
	}
	TQ_UNLOCK(q);
}

void
taskqueue_quiesce(struct taskqueue *q)
{
	taskqueue_drain_all(q);
}

void
taskqueue_block(struct taskqueue *q)
{
	TQ_LOCK(q);
	q->tq_blocked++;
	TQ_UNLOCK(q);
}

void
taskqueue_unblock(struct taskqueue *q)
{
	TQ_LOCK(q);
	KASSERT(q->tq_blocked > 0, ("taskqueue_unblock: %s is not blocked", q->tq_name));
	if (--q->tq_blocked == 0 && !STAILQ_EMPTY(&q->tq_queue))
		q->tq_enqueue(q->tq_context);
	TQ_UNLOCK(q);
}

int
taskqueue_member(struct taskqueue *q, struct thread *td)
{
	int i, member = 0;

	TQ_LOCK(q);
	for (i = 0; i < q->tq_nthreads; i++)
		member |= q->tq_threads[i] == td;
	TQ_UNLOCK(q);
	return (member);
}

void
taskqueue_free(struct taskqueue *q)
{
	TQ_LOCK(q);
	q->tq_stop = true;
	wakeup(q);
	while (q->tq_alive > 0)
		(void)mtx_sleep(&q->tq_alive, &q->tq_mutex, 0, "tq_destroy", 0);
	TQ_UNLOCK(q);
	mtx_destroy(&q->tq_mutex);
	free(q, M_TASKQUEUE);
}
