/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time, and callout(9).
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/rmlock.h>
#include <sys/rwlock.h>
#include <sys/sysctl.h>
#include <machine/cpu.h>

#include "kern_internal.h"

int hz = 1000;
int tick = 1000;
int stathz = 127;
sbintime_t tick_sbt = SBT_1S / 1000;
sbintime_t sbt_timethreshold, sbt_tickthreshold;
int tc_precexp;
_Atomic int ticks;
_Atomic long ticksl;
_Atomic time_t time_second;
_Atomic time_t time_uptime;
time_t boottime_sec;

int64_t clock_virtual_ns;
int64_t clock_wall_base;
static int64_t tick_ns = 1000000;
static int64_t published_until;		/* when the next tick is due */

/* Near its end at boot, so that code that can't stand its turn is found out. */
static int ticks_base;

int dnh_pkt_cost_ns = 500;
SYSCTL_INT(_kern_dnh, OID_AUTO, pkt_cost_ns, CTLFLAG_RWTUN, &dnh_pkt_cost_ns, 0,
    "What handing over one packet costs on the virtual clock");
SYSCTL_INT(_kern, OID_AUTO, hz, CTLFLAG_RDTUN | CTLFLAG_NOFETCH, &hz, 0,
    "Number of clock ticks per second");
static int boottime_virtual = 1767225600;	/* 2026-01-01 00:00:00 UTC */

int64_t
kern_now_ns(void)
{
	return (CLOCK_VIRTUAL ? clock_virtual_ns : host_now_ns() - clock_wall_base);
}

static void
clock_publish(int64_t ns)
{
	int64_t n = ns / tick_ns;

	published_until = (n + 1) * tick_ns;
	ticks = (int)((u_int)ticks_base + (u_int)n);
	ticksl = ticks_base + n;
	time_uptime = ns / 1000000000;
	time_second = boottime_sec + ns / 1000000000;
}

void
clock_set(int64_t ns)
{
	clock_virtual_ns = ns;
	if (ns >= published_until)
		clock_publish(ns);
}

/* Wall clock: the tick of a real machine. */
static void
hardclock_thread(void *arg)
{
	for (;;) {
		clock_publish(kern_now_ns());
		if (host_signal_pending())
			cn_signals();
		(void)kern_sleep_until_ns((kern_now_ns() / tick_ns + 1) * tick_ns);
	}
}

void
clock_init(void)
{
	int value;

	if (getenv_int("kern.hz", &value) && value >= 1 && value <= 1000000)
		hz = value;
	tick = 1000000 / hz;
	tick_ns = 1000000000 / hz;
	tick_sbt = SBT_1S / hz;
	ticks_base = INT_MAX - 10 * 60 * hz;
	if (CLOCK_VIRTUAL) {
		boottime_sec = boottime_virtual;
		clock_set(1000000000);
	} else {
		boottime_sec = host_epoch_s() - 1;
		clock_wall_base = host_now_ns() - 1000000000;
		clock_publish(kern_now_ns());
	}
}

/*
 * An sbintime_t in ns, never before it: who sleeps until then finds that then
 * has come.
 */
int64_t
sbt_to_ns_up(sbintime_t sbt)
{
	int64_t ns;

	if (sbt >= SBT_MAX / 2)
		return (FOREVER);
	ns = sbttons(sbt);
	return (nstosbt(ns) < sbt ? ns + 1 : ns);
}

int64_t
clock_deadline(sbintime_t sbt, int flags)
{
	int64_t now = kern_now_ns(), n;

	if ((flags & C_ABSOLUTE) != 0)
		return (sbt_to_ns_up(sbt));
	if (sbt == 0 || sbt >= SBT_MAX / 2)
		return (FOREVER);
	if ((flags & C_HARDCLOCK) != 0) {
		/* On a tick: the n-th from the one that has begun. */
		n = (sbt + tick_sbt / 2) / tick_sbt;
		return ((now / tick_ns + MAX(n, 1)) * tick_ns);
	}
	return (now + sbt_to_ns_up(sbt));
}

sbintime_t
sbinuptime(void)
{
	return (nstosbt(kern_now_ns()));
}

sbintime_t
getsbinuptime(void)
{
	return (nstosbt(kern_now_ns() / tick_ns * tick_ns));
}

static sbintime_t
boottime_sbt(void)
{
	return ((sbintime_t)boottime_sec << 32);
}

static int64_t
tick_now_ns(void)
{
	return (kern_now_ns() / tick_ns * tick_ns);
}

#define	CLOCKS(prefix, sbt, ns)						\
void									\
prefix##binuptime(struct bintime *bt)					\
{									\
	*bt = sbttobt(sbt);						\
}									\
void									\
prefix##nanouptime(struct timespec *ts)					\
{									\
	int64_t _now = (ns);						\
									\
	*ts = (struct timespec){ _now / 1000000000, _now % 1000000000 };	\
}									\
void									\
prefix##microuptime(struct timeval *tv)					\
{									\
	int64_t _now = (ns);						\
									\
	*tv = (struct timeval){ _now / 1000000000, _now % 1000000000 / 1000 }; \
}									\
void									\
prefix##bintime(struct bintime *bt)					\
{									\
	*bt = sbttobt((sbt) + boottime_sbt());				\
}									\
void									\
prefix##nanotime(struct timespec *ts)					\
{									\
	*ts = sbttots((sbt) + boottime_sbt());				\
}									\
void									\
prefix##microtime(struct timeval *tv)					\
{									\
	*tv = sbttotv((sbt) + boottime_sbt());				\
}									\
struct __hack
CLOCKS(, sbinuptime(), kern_now_ns());
CLOCKS(get, getsbinuptime(), tick_now_ns());

void
getboottime(struct timeval *tv)
{
	*tv = (struct timeval){ boottime_sec, 0 };
}

void
getboottimebin(struct bintime *bt)
{
	*bt = (struct bintime){ boottime_sec, 0 };
}

void
timevaladd(struct timeval *a, const struct timeval *b)
{
	a->tv_sec += b->tv_sec;
	a->tv_usec += b->tv_usec;
	if (a->tv_usec >= 1000000) {
		a->tv_sec++;
		a->tv_usec -= 1000000;
	}
}

void
timevalsub(struct timeval *a, const struct timeval *b)
{
	a->tv_sec -= b->tv_sec;
	a->tv_usec -= b->tv_usec;
	if (a->tv_usec < 0) {
		a->tv_sec--;
		a->tv_usec += 1000000;
	}
}

int
tvtohz(struct timeval *tv)
{
	int64_t us = tv->tv_sec * 1000000 + tv->tv_usec;

	if (us <= 0)
		return (1);
	return ((int)MIN(howmany(us, tick) + 1, INT_MAX));
}

int
ratecheck(struct timeval *last, const struct timeval *mininterval)
{
	struct timeval now, delta;

	getmicrouptime(&now);
	delta = now;
	timevalsub(&delta, last);
	if (timevalcmp(&delta, mininterval, >=) || (last->tv_sec == 0 && last->tv_usec == 0)) {
		*last = now;
		return (1);
	}
	return (0);
}

int
ppsratecheck(struct timeval *last, int *curpps, int maxpps)
{
	int now = ticks;

	/* tv_usec holds the tick that the present second began with. */
	if (last->tv_sec == 0 || (u_int)(now - last->tv_usec) >= (u_int)hz) {
		last->tv_sec = 1;
		last->tv_usec = now;
		*curpps = 1;
		return (maxpps != 0);
	}
	(*curpps)++;
	return (maxpps < 0 || *curpps <= maxpps);
}

uint64_t
cpu_ticks(void)
{
	return ((uint64_t)kern_now_ns());
}

uint64_t
cpu_tickrate(void)
{
	return (1000000000);
}

uint64_t
get_cyclecount(void)
{
	return ((uint64_t)kern_now_ns());
}

/*
 * Callouts: a heap by time, and one thread that runs what is due.  All of it
 * is guarded by the scheduler's lock.
 */
static struct callout **heap;
static u_int nheap, heap_size;
static uint64_t callout_seq;
static struct thread *softclock_td;
static const int softclock_chan;

static struct callout *running;		/* whose function is being called */
static bool running_cancelled;		/* stopped before it had its lock */
static bool running_drained;		/* somebody waits for its end */
static const int drain_chan;

static bool
before(const struct callout *a, const struct callout *b)
{
	return (a->c_time != b->c_time ? a->c_time < b->c_time : a->c_seq < b->c_seq);
}

static void
place(u_int i, struct callout *c)
{
	heap[i] = c;
	c->c_index = i + 1;
}

static void
sift(u_int i)
{
	struct callout *c = heap[i];
	u_int child;

	while (i > 0 && before(c, heap[(i - 1) / 2])) {
		place(i, heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	while ((child = 2 * i + 1) < nheap) {
		if (child + 1 < nheap && before(heap[child + 1], heap[child]))
			child++;
		if (!before(heap[child], c))
			break;
		place(i, heap[child]);
		i = child;
	}
	place(i, c);
}

static void
heap_insert(struct callout *c)
{
	struct callout **bigger;
	u_long chunks;

	if (nheap == heap_size) {
		chunks = heap_size == 0 ? 1 : 2 * heap_size * sizeof(*heap) / HOST_CHUNK;
		bigger = host_chunks(chunks);
		if (bigger == NULL)
			panic("%s: no memory", __func__);
		if (heap != NULL) {
			memcpy(bigger, heap, heap_size * sizeof(*heap));
			host_chunks_free(heap, chunks / 2);
		}
		heap = bigger;
		heap_size = (u_int)(chunks * HOST_CHUNK / sizeof(*heap));
	}
	c->c_seq = callout_seq++;
	heap[nheap] = c;
	sift(nheap++);
}

static void
heap_remove(struct callout *c)
{
	u_int i = c->c_index - 1;

	c->c_index = 0;
	if (i != --nheap) {
		place(i, heap[nheap]);
		sift(i);
	}
}

/* c_time is ns here: FreeBSD's member, the guest's unit. */
static void
softclock_call(struct callout *c)
{
	callout_func_t *func = c->c_func;
	struct lock_object *lock = c->c_lock;
	void *arg = c->c_arg;
	int flags = c->c_iflags;
	bool cancelled, drained;

	heap_remove(c);
	c->c_iflags &= ~CALLOUT_PENDING;
	running = c;
	running_cancelled = running_drained = false;
	host_unlock();
	if (lock != NULL)
		LOCK_CLASS(lock)->lc_lock(lock, (flags & CALLOUT_SHAREDLOCK) != 0);
	else
		kern_preempt_point();
	host_lock();
	cancelled = running_cancelled;
	/* From here on its lock, if it has one, keeps others from stopping it. */
	if (lock != NULL)
		running_cancelled = true;
	host_unlock();
	if (!cancelled)
		func(arg);
	if (lock != NULL && (cancelled || (flags & CALLOUT_RETURNUNLOCKED) == 0))
		(void)LOCK_CLASS(lock)->lc_unlock(lock);
#ifdef INVARIANTS
	if (curthread->td_epochnest != 0 || curthread->td_critnest != 0)
		panic("softclock: callout %p func %p returned in an epoch or critical section",
		    c, func);
	WITNESS_WARN(WARN_PANIC, NULL, "softclock: callout %p func %p returned", c, func);
#endif
	host_lock();
	drained = running_drained;
	running = NULL;
	if (drained)
		(void)waitq_wake(&drain_chan, true);
}

static void
softclock_thread(void *arg)
{
	host_lock();
	softclock_td = curthread;
	for (;;) {
		if (nheap > 0 && heap[0]->c_time <= kern_now_ns()) {
			softclock_call(heap[0]);
			continue;
		}
		waitq_enter(&softclock_chan, "-", nheap > 0 ? heap[0]->c_time : FOREVER);
		(void)sleepq_wait();
		host_lock();
	}
}

static struct proc *intrproc;

static void
softclock_start(void *arg)
{
	struct thread *td;

	(void)kproc_kthread_add(softclock_thread, NULL, &intrproc, &td, 0, 0, "intr", "clock (0)");
	if (host_config.wall)
		(void)kproc_kthread_add(hardclock_thread, NULL, &intrproc, &td, 0, 0, "intr",
		    "hardclock");
}
SYSINIT(softclock, SI_SUB_SOFTINTR, SI_ORDER_FIRST, softclock_start, NULL);

void
callout_init(struct callout *c, int mpsafe)
{
	memset(c, 0, sizeof(*c));
	if (mpsafe)
		c->c_iflags = CALLOUT_RETURNUNLOCKED;
}

void
_callout_init_lock(struct callout *c, struct lock_object *lock, int flags)
{
	KASSERT((flags & ~(CALLOUT_RETURNUNLOCKED | CALLOUT_SHAREDLOCK)) == 0,
	    ("callout_init_lock: bad flags %d", flags));
	KASSERT(lock == NULL || (LOCK_CLASS(lock)->lc_flags & LC_SLEEPABLE) == 0,
	    ("callout %p has sleepable lock", c));
	memset(c, 0, sizeof(*c));
	c->c_lock = lock;
	c->c_iflags = (short)flags;
}

/* Locked.  Does the caller's stop prevent a call that has begun but waits for its lock? */
static bool
cancel_running(struct callout *c)
{
	if (running != c || c->c_lock == NULL || running_cancelled || curthread == softclock_td)
		return (false);
	running_cancelled = true;
	return (true);
}

int
callout_reset_sbt_on(struct callout *c, sbintime_t sbt, sbintime_t pr, callout_func_t *func,
    void *arg, int cpu, int flags)
{
	int64_t when;
	int cancelled;

	if ((flags & C_ABSOLUTE) == 0 && sbt < 0)
		sbt = 0;
	when = sbt == 0 && (flags & (C_ABSOLUTE | C_HARDCLOCK)) == 0 ? kern_now_ns() :
	    sbt == 0 && (flags & C_HARDCLOCK) != 0 ? clock_deadline(1, flags) :
	    clock_deadline(sbt, flags);
	host_lock();
	cancelled = (c->c_iflags & CALLOUT_PENDING) != 0;
	if (cancelled)
		heap_remove(c);
	else
		cancelled = cancel_running(c);
	c->c_func = func;
	c->c_arg = arg;
	c->c_time = when;
	c->c_flags |= CALLOUT_ACTIVE;
	c->c_iflags |= CALLOUT_PENDING;
	heap_insert(c);
	if (heap[0] == c && softclock_td != NULL && softclock_td->td_wchan == &softclock_chan)
		waitq_set_deadline(softclock_td, when);
	host_unlock();
	return (cancelled);
}

int
callout_schedule_on(struct callout *c, int to_ticks, int cpu)
{
	return (callout_reset_on(c, to_ticks, c->c_func, c->c_arg, cpu));
}

int
callout_schedule(struct callout *c, int to_ticks)
{
	return (callout_schedule_on(c, to_ticks, -1));
}

/* 1: it was stopped; 0: too late, it runs; -1: it was neither pending nor running. */
int
_callout_stop_safe(struct callout *c, int flags)
{
	int result;

	if ((flags & CS_DRAIN) != 0)
		WITNESS_WARN(WARN_GIANTOK | WARN_SLEEPOK, c->c_lock, "calling %s", "callout_drain");
	host_lock();
	c->c_flags &= ~CALLOUT_ACTIVE;
	if ((c->c_iflags & CALLOUT_PENDING) != 0) {
		heap_remove(c);
		c->c_iflags &= ~CALLOUT_PENDING;
		result = running == c ? 0 : 1;
	} else if (cancel_running(c))
		result = 1;
	else
		result = running == c ? 0 : -1;
	while ((flags & CS_DRAIN) != 0 && running == c && curthread != softclock_td) {
		running_drained = true;
		waitq_enter(&drain_chan, "codrain", FOREVER);
		(void)sleepq_wait();
		host_lock();
	}
	host_unlock();
	kern_preempt_point();
	return (result);
}

static int
sysctl_boottime(SYSCTL_HANDLER_ARGS)
{
	struct timeval tv = { boottime_sec, 0 };

	return (SYSCTL_OUT(req, &tv, sizeof(tv)));
}
SYSCTL_PROC(_kern, OID_AUTO, boottime, CTLTYPE_STRUCT | CTLFLAG_RD | CTLFLAG_MPSAFE, NULL, 0,
    sysctl_boottime, "S,timeval", "System boottime");
