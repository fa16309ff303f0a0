/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs and who has them, and sleeping and waking.
 *
 * The guest has mp_ncpus processors.  A thread runs while it owns one; a
 * thread that can run and has none stands in the run queue.  Wall clock: the
 * owners are host threads that truly run at once.  Virtual clock: all threads
 * are coroutines of one host thread, and the processors take turns: which
 * owner goes on next is drawn from the seed, at the places where the kernel
 * calls kern_preempt_point().  There, too, an owner may lose its processor to
 * one in the run queue, or find itself on another one.  Pinned threads and
 * critical sections stay where they are, and nobody else gets in.
 *
 * Virtual time stands still while any processor has something to do and while
 * somebody waits for the console; else it goes on to whatever is due next.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/kdb.h>
#include <sys/lock.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/rwlock.h>
#include <sys/sched.h>
#include <sys/smp.h>
#include <sys/sx.h>
#include <sys/sysctl.h>

#include "kern_internal.h"

__thread struct thread *pcpu_curthread;
struct pcpu pcpu_data[MAXCPU];
int mp_ncpus = 1;
u_int mp_maxid;
int mp_ncores = 1;
int smp_cpus = 1;
_Atomic int smp_started;
cpuset_t all_cpus;
bool dnh_clock_is_virtual = true;
#ifdef __SANITIZE_THREAD__
u_int atomic_fence_word;
#endif

static TAILQ_HEAD(, thread) runq = TAILQ_HEAD_INITIALIZER(runq);
static u_int runq_len;		/* read without the lock as a hint */
static u_int busy;		/* processors that somebody owns */
/* Virtual clock: threads that gave way; they run when all others have. */
static TAILQ_HEAD(, thread) yieldq = TAILQ_HEAD_INITIALIZER(yieldq);

SYSCTL_NODE(_kern, OID_AUTO, dnh, CTLFLAG_RW, 0, "What the user-mode guest has beyond FreeBSD");
static u_int switch_interval = 64;
SYSCTL_UINT(_kern_dnh, OID_AUTO, switch_interval, CTLFLAG_RWTUN, &switch_interval, 0,
    "Mean number of kernel interface calls between two switches on the virtual clock");
static uint64_t switches;
SYSCTL_U64(_kern_dnh, OID_AUTO, switches, CTLFLAG_RD, &switches, 0, "Thread switches");

/* xorshift64*: the scheduler's own dice, so that nobody else's draws shift them. */
static uint64_t rng = 0x9e3779b97f4a7c15;

uint64_t
sched_random(void)
{
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return ((rng * 0x2545f4914f6cdd1d) >> 24);
}

/*
 * Who waits until when, on the virtual clock: a heap of threads.
 */
static struct thread **timers;
static u_int ntimers, timers_size;
static uint64_t timer_seq;

static bool
timer_before(const struct thread *a, const struct thread *b)
{
	return (a->td_deadline != b->td_deadline ? a->td_deadline < b->td_deadline :
	    a->td_timerseq < b->td_timerseq);
}

static void
timer_place(u_int i, struct thread *td)
{
	timers[i] = td;
	td->td_timeridx = i + 1;
}

static void
timer_sift(u_int i)
{
	struct thread *td = timers[i];
	u_int child;

	while (i > 0 && timer_before(td, timers[(i - 1) / 2])) {
		timer_place(i, timers[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	while ((child = 2 * i + 1) < ntimers) {
		if (child + 1 < ntimers && timer_before(timers[child + 1], timers[child]))
			child++;
		if (!timer_before(timers[child], td))
			break;
		timer_place(i, timers[child]);
		i = child;
	}
	timer_place(i, td);
}

static void
timer_insert(struct thread *td)
{
	struct thread **bigger;
	u_long chunks;

	if (ntimers == timers_size) {
		chunks = timers_size == 0 ? 1 : 2 * timers_size * sizeof(*timers) / HOST_CHUNK;
		bigger = host_chunks(chunks);
		if (bigger == NULL)
			panic("%s: no memory", __func__);
		if (timers != NULL) {
			memcpy(bigger, timers, timers_size * sizeof(*timers));
			host_chunks_free(timers, chunks / 2);
		}
		timers = bigger;
		timers_size = (u_int)(chunks * HOST_CHUNK / sizeof(*timers));
	}
	td->td_timerseq = timer_seq++;
	timers[ntimers] = td;
	timer_sift(ntimers++);
}

static void
timer_remove(struct thread *td)
{
	u_int i = td->td_timeridx - 1;

	td->td_timeridx = 0;
	if (i != --ntimers) {
		timer_place(i, timers[ntimers]);
		timer_sift(i);
	}
}

/*
 * Processors.
 */
static bool
cpu_allowed(const struct thread *td, int cpu)
{
	if (td->td_pinned != 0 || td->td_critnest != 0)
		return (cpu == td->td_oncpu);
	if (td->td_bound >= 0)
		return (cpu == td->td_bound);
	return (CPU_ISSET(cpu, &td->td_cpumask));
}

static void
cpu_give(struct thread *td, int cpu)
{
	if (pcpu_data[cpu].pc_curthread == NULL)
		busy++;
	pcpu_data[cpu].pc_curthread = td;
	td->td_oncpu = cpu;
	td->td_state = TDS_RUNNING;
	td->td_yielded = false;
	td->td_nswitch++;
	if (host_config.wall) {
		pcpu_data[cpu].pc_switchtime = (uint64_t)host_now_ns();
		host_thread_wake(td->td_host);
	}
}

static void
runq_add(struct thread *td)
{
	td->td_state = TDS_RUNQ;
	TAILQ_INSERT_TAIL(&runq, td, td_runq);
	atomic_store_int(&runq_len, runq_len + 1);
}

static void
runq_remove(struct thread *td)
{
	TAILQ_REMOVE(&runq, td, td_runq);
	atomic_store_int(&runq_len, runq_len - 1);
}

static int
cpu_pick_idle(struct thread *td)
{
	int cpu, first, i;

	/* Where it was, most often: that is where its data are. */
	first = td->td_oncpu;
	if (CLOCK_VIRTUAL && (sched_random() & 7) == 0)
		first = (int)(sched_random() % (u_int)mp_ncpus);
	for (i = 0; i < mp_ncpus; i++) {
		cpu = (first + i) % mp_ncpus;
		if (pcpu_data[cpu].pc_curthread == NULL && cpu_allowed(td, cpu))
			return (cpu);
	}
	return (-1);
}

static void
setrunnable(struct thread *td)
{
	int cpu;

	if (td->td_timeridx != 0)
		timer_remove(td);
	if ((cpu = cpu_pick_idle(td)) >= 0)
		cpu_give(td, cpu);
	else
		runq_add(td);
}

static void
cpu_release(int cpu)
{
	struct thread *td;

	pcpu_data[cpu].pc_curthread = NULL;
	busy--;
	TAILQ_FOREACH(td, &runq, td_runq)
		if (cpu_allowed(td, cpu)) {
			runq_remove(td);
			cpu_give(td, cpu);
			return;
		}
}

/*
 * Virtual clock: which processor goes on.
 */
static void
yieldq_run(void)
{
	struct thread *td;

	while ((td = TAILQ_FIRST(&yieldq)) != NULL) {
		TAILQ_REMOVE(&yieldq, td, td_runq);
		setrunnable(td);
	}
}

static void
timers_run(void)
{
	struct thread *td;

	while (ntimers > 0 && timers[0]->td_deadline <= clock_virtual_ns) {
		td = timers[0];
		timer_remove(td);
		if (td->td_busywait) {
			td->td_busywait = false;
			continue;
		}
		td->td_sleepret = EWOULDBLOCK;
		waitq_leave(td);
		setrunnable(td);
	}
}

void
kern_spend_ns(uint64_t ns)
{
	if (!CLOCK_VIRTUAL || ns == 0)
		return;
	host_unseen_begin();
	clock_set(clock_virtual_ns + (int64_t)ns);
	if (ntimers > 0 && timers[0]->td_deadline <= clock_virtual_ns)
		timers_run();
	host_unseen_end();
}

/*
 * No processor has anything to do.
 */
static void
idle(void)
{
	int64_t next;

	cn_signals();
	if (cn_waiting()) {
		cn_poll_input();
		if (!TAILQ_EMPTY(&yieldq))
			yieldq_run();
		return;
	}
	next = ntimers > 0 ? timers[0]->td_deadline : FOREVER;
	if (!TAILQ_EMPTY(&yieldq)) {
		/* Somebody polls; a microsecond is what a round of it takes. */
		next = MIN(next, clock_virtual_ns + 1000);
		clock_set(MAX(next, clock_virtual_ns));
		timers_run();
		yieldq_run();
		return;
	}
	if (next == FOREVER) {
		/* Nothing will ever happen again, but for what the user does. */
		cn_poll_input();
		return;
	}
	clock_set(MAX(next, clock_virtual_ns));
	timers_run();
}

static struct thread *
choose(void)
{
	struct thread *td;
	int cpu, first, i;

	for (;;) {
		if (busy == 0) {
			idle();
			continue;
		}
		first = busy == 1 ? 0 : (int)(sched_random() % (u_int)mp_ncpus);
		for (i = 0; i < mp_ncpus; i++) {
			cpu = first + i;
			if (cpu >= mp_ncpus)
				cpu -= mp_ncpus;
			td = pcpu_data[cpu].pc_curthread;
			if (td != NULL && !td->td_busywait)
				return (td);
		}
		idle();
	}
}

static void
switch_to(struct thread *td, bool last)
{
	struct thread *old = curthread;

	if (td == old)
		return;
	switches++;
	pcpu_curthread = td;
	host_switch_to(old->td_host, td->td_host, last);
}

/* It is the turn of whichever processor is drawn; comes back when it is ours. */
static void
next_turn(void)
{
	host_unseen_begin();
	switch_to(choose(), false);
	host_unseen_end();
}

/*
 * As next_turn() for one that has lost its processor: what it did there comes
 * before all that the next owner does.
 */
static void
next_turn_locked(void)
{
	host_unlock();
	next_turn();
	host_lock();
}

/*
 * Locked: curthread is in some queue, or ends; its processor is free.  Comes
 * back, locked, when it has one again.
 */
static void
mi_switch(void)
{
	struct thread *td = curthread;
	int64_t now;

	cpu_release(td->td_oncpu);
	if (CLOCK_VIRTUAL) {
		next_turn_locked();
		return;
	}
	td->td_bt_pc = (uintptr_t)__builtin_return_address(0);
	td->td_bt_fp = (uintptr_t)__builtin_frame_address(0);
	while (td->td_state != TDS_RUNNING) {
		host_thread_wait(td->td_host,
		    td->td_state == TDS_INHIBITED && td->td_deadline != FOREVER ?
		    td->td_deadline + clock_wall_base : -1);
		if (td->td_state == TDS_INHIBITED && td->td_deadline != FOREVER &&
		    (now = kern_now_ns()) >= td->td_deadline) {
			td->td_sleepret = EWOULDBLOCK;
			waitq_leave(td);
			setrunnable(td);
		}
	}
	td->td_bt_pc = 0;
}

__thread int kern_preempt_budget = 1;

/* The processor is lost to one in the run queue; comes back with another. */
static void
preempt_for_another(struct thread *td)
{
	host_lock();
	runq_add(td);
	mi_switch();
	host_unlock();
}

/* On to an idle processor, if the one drawn is idle. */
static void
preempt_to_another_cpu(struct thread *td)
{
	int cpu, old = td->td_oncpu;

	host_lock();
	cpu = (int)(sched_random() % (u_int)mp_ncpus);
	if (pcpu_data[cpu].pc_curthread == NULL && cpu_allowed(td, cpu)) {
		cpu_give(td, cpu);
		/* Somebody may be pinned to the one that it leaves. */
		cpu_release(old);
	}
	host_unlock();
}

static void
preempt_virtual(void)
{
	struct thread *td = curthread;
	bool others;

	host_unseen_begin();
	kern_preempt_budget = 1 + (int)(sched_random() % (2 * MAX(switch_interval, 1)));
	if (!smp_started || SCHEDULER_STOPPED() || td->td_busywait) {
		host_unseen_end();
		return;
	}
	if (host_signal_pending())
		cn_signals();
	if (!TAILQ_EMPTY(&yieldq))
		yieldq_run();
	others = td->td_critnest == 0 && runq_len != 0 && (sched_random() & 1) != 0;
	if (!others && td->td_critnest == 0 && td->td_pinned == 0 && td->td_bound < 0 &&
	    mp_ncpus > 1 && (sched_random() & 7) == 0)
		preempt_to_another_cpu(td);
	host_unseen_end();
	if (others)
		preempt_for_another(td);
	else if (busy > 1)
		next_turn();
}

static void
preempt_wall(void)
{
	struct thread *td = curthread;

	kern_preempt_budget = 32;
	if (!smp_started || SCHEDULER_STOPPED() || atomic_load_int(&runq_len) == 0 ||
	    td->td_critnest != 0)
		return;
	/* A slice is 2 ms. */
	if ((uint64_t)host_now_ns() - pcpu_data[td->td_oncpu].pc_switchtime < 2000000)
		return;
	preempt_for_another(td);
}

void
kern_preempt_now(void)
{
	if (CLOCK_VIRTUAL)
		preempt_virtual();
	else
		preempt_wall();
}

void
kern_yield(int prio)
{
	struct thread *td = curthread;

	if (SCHEDULER_STOPPED() || !smp_started)
		return;
	KASSERT(td->td_critnest == 0, ("mi_switch: switch in a critical section"));
	host_lock();
	if (CLOCK_VIRTUAL) {
		td->td_state = TDS_RUNQ;
		td->td_yielded = true;
		TAILQ_INSERT_TAIL(&yieldq, td, td_runq);
		/* Its turn comes when all others have had theirs. */
		mi_switch();
	} else if (runq_len != 0) {
		runq_add(td);
		mi_switch();
	}
	host_unlock();
	if (host_config.wall)
		host_thread_relax();
}

void
maybe_yield(void)
{
	kern_yield(PRI_USER);
}

bool
should_yield(void)
{
	return (runq_len != 0);
}

void
sched_relinquish(struct thread *td)
{
	kern_yield(PRI_USER);
}

void
sched_spin(void)
{
	static u_int fruitless;
	struct thread *td = curthread, *next;

	if (!CLOCK_VIRTUAL) {
		host_thread_relax();
		return;
	}
	/* The holder has a processor, or gets one when the time comes. */
	host_unseen_begin();
	next = choose();
	if (next == td) {
		if (++fruitless > 10000000)
			panic("spin lock held too long");
		if ((fruitless & 63) == 0)
			kern_spend_ns(1000);
	} else {
		fruitless = 0;
		switch_to(next, false);
	}
	host_unseen_end();
}

void
cpu_spinwait(void)
{
	if (smp_started && !SCHEDULER_STOPPED())
		sched_spin();
}

void
DELAY(int usec)
{
	struct thread *td = curthread;
	int64_t until;

	if (usec <= 0 || SCHEDULER_STOPPED())
		return;
	until = kern_now_ns() + (int64_t)usec * 1000;
	if (!CLOCK_VIRTUAL) {
		while (kern_now_ns() < until)
			host_thread_relax();
		return;
	}
	if (!smp_started) {
		clock_set(until);
		return;
	}
	/* The processor is kept, and does nothing. */
	host_unseen_begin();
	td->td_deadline = until;
	td->td_busywait = true;
	timer_insert(td);
	host_unseen_end();
	next_turn();
}

void
critical_enter(void)
{
	curthread->td_critnest++;
	atomic_interrupt_fence();
}

void
critical_exit(void)
{
	struct thread *td = curthread;

	KASSERT(td->td_critnest != 0, ("critical_exit: td_critnest == 0"));
	atomic_interrupt_fence();
	if (--td->td_critnest == 0)
		kern_preempt_point();
}

void
spinlock_enter(void)
{
	curthread->td_spinlocks++;
	critical_enter();
}

void
spinlock_exit(void)
{
	curthread->td_spinlocks--;
	critical_exit();
}

void
sched_pin(void)
{
	curthread->td_pinned++;
	atomic_interrupt_fence();
}

void
sched_unpin(void)
{
	atomic_interrupt_fence();
	curthread->td_pinned--;
}

/* Locked: find another processor when this one is not ours any more. */
static void
sched_move(struct thread *td)
{
	if (cpu_allowed(td, td->td_oncpu) || td->td_state != TDS_RUNNING)
		return;
	cpu_release(td->td_oncpu);
	setrunnable(td);
	if (td == curthread) {
		if (CLOCK_VIRTUAL) {
			next_turn_locked();
			return;
		}
		while (td->td_state != TDS_RUNNING)
			host_thread_wait(td->td_host, -1);
	}
}

void
sched_bind(struct thread *td, int cpu)
{
	KASSERT(td == curthread, ("sched_bind: can only bind curthread"));
	KASSERT(cpu >= 0 && cpu < mp_ncpus, ("sched_bind: invalid cpu %d", cpu));
	host_lock();
	td->td_bound = cpu;
	sched_move(td);
	host_unlock();
}

void
sched_unbind(struct thread *td)
{
	KASSERT(td == curthread, ("sched_unbind: can only unbind curthread"));
	td->td_bound = -1;
}

int
sched_is_bound(struct thread *td)
{
	return (td->td_bound >= 0);
}

void
sched_prio(struct thread *td, u_char prio)
{
	td->td_priority = prio;
}

void
thread_lock(struct thread *td)
{
	host_lock();
}

void
thread_unlock(struct thread *td)
{
	host_unlock();
}

int
cpuset_setaffinity_td(struct thread *td, const cpuset_t *mask)
{
	cpuset_t both = *mask;

	CPU_AND(&both, &all_cpus);
	if (CPU_EMPTY(&both))
		return (EDEADLK);
	host_lock();
	td->td_cpumask = both;
	if (td == curthread)
		sched_move(td);
	host_unlock();
	return (0);
}

int
cpuset_setthread(lwpid_t id, cpuset_t *mask)
{
	struct thread *td = id == -1 ? curthread : tdfind(id, -1);

	return (td == NULL ? ESRCH : cpuset_setaffinity_td(td, mask));
}

int
cpuset_kernthread(struct thread *td)
{
	td->td_cpumask = all_cpus;
	return (0);
}

void
smp_no_rendezvous_barrier(void *dummy)
{
}

void
smp_rendezvous(void (*setup)(void *), void (*action)(void *), void (*teardown)(void *), void *arg)
{
	void (*step[3])(void *) = { setup, action, teardown };
	int bound = curthread->td_bound, cpu, i;

	CPU_FOREACH(cpu) {
		sched_bind(curthread, cpu);
		for (i = 0; i < 3; i++)
			if (step[i] != NULL && step[i] != smp_no_rendezvous_barrier)
				step[i](arg);
	}
	curthread->td_bound = bound;
}

void
quiesce_all_cpus(const char *wmesg, int prio)
{
	int bound = curthread->td_bound, cpu;

	/* Who was on a processor when we ask for it is off when we get it. */
	CPU_FOREACH(cpu)
		sched_bind(curthread, cpu);
	curthread->td_bound = bound;
}

/*
 * The host blocks us for a while (wall clock: a read of the console).
 */
void
sched_leave_cpu(void)
{
	host_lock();
	curthread->td_state = TDS_INHIBITED;
	curthread->td_deadline = FOREVER;
	cpu_release(curthread->td_oncpu);
	host_unlock();
}

void
sched_enter_cpu(void)
{
	struct thread *td = curthread;

	host_lock();
	setrunnable(td);
	while (td->td_state != TDS_RUNNING)
		host_thread_wait(td->td_host, -1);
	host_unlock();
}

/*
 * Queues of those who wait for something, by its address.
 */
#define	WAITQ_BUCKETS	256
static TAILQ_HEAD(waitq, thread) waitqs[WAITQ_BUCKETS];

static struct waitq *
waitq_of(const void *chan)
{
	uintptr_t a = (uintptr_t)chan;

	return (&waitqs[(a ^ a >> 5 ^ a >> 11) % WAITQ_BUCKETS]);
}

void
waitq_enter(const void *chan, const char *wmesg, int64_t deadline)
{
	struct thread *td = curthread;

	KASSERT(td->td_wchan == NULL, ("recursive sleep"));
	td->td_wchan = chan;
	td->td_wmesg = wmesg;
	td->td_deadline = deadline;
	td->td_sleepret = 0;
	TAILQ_INSERT_TAIL(waitq_of(chan), td, td_slpq);
}

void
waitq_leave(struct thread *td)
{
	if (td->td_wchan == NULL)
		return;
	TAILQ_REMOVE(waitq_of(td->td_wchan), td, td_slpq);
	td->td_wchan = NULL;
	td->td_wmesg = NULL;
}

int
sleepq_wait(void)
{
	struct thread *td = curthread;

	if (td->td_wchan != NULL) {
		if (td->td_interrupted && (td->td_flags & TDF_SINTR) != 0) {
			waitq_leave(td);
			host_unlock();
			return (EINTR);
		}
		td->td_state = TDS_INHIBITED;
		if (CLOCK_VIRTUAL && td->td_deadline != FOREVER) {
			td->td_deadline = MAX(td->td_deadline, clock_virtual_ns);
			timer_insert(td);
		}
		mi_switch();
	}
	host_unlock();
	return (td->td_sleepret);
}

int
waitq_wake(const void *chan, bool all)
{
	struct waitq *q = waitq_of(chan);
	struct thread *td, *next;
	int n = 0;

	TAILQ_FOREACH_SAFE(td, q, td_slpq, next) {
		if (td->td_wchan != chan)
			continue;
		TAILQ_REMOVE(q, td, td_slpq);
		td->td_wchan = NULL;
		td->td_wmesg = NULL;
		if (td->td_state == TDS_INHIBITED)
			setrunnable(td);
		n++;
		if (!all)
			break;
	}
	return (n);
}

bool
waitq_has(const void *chan)
{
	struct thread *td;

	TAILQ_FOREACH(td, waitq_of(chan), td_slpq)
		if (td->td_wchan == chan)
			return (true);
	return (false);
}

void
waitq_set_deadline(struct thread *td, int64_t deadline)
{
	td->td_deadline = deadline;
	if (td->td_state != TDS_INHIBITED)
		return;
	if (CLOCK_VIRTUAL) {
		if (td->td_timeridx != 0)
			timer_remove(td);
		td->td_deadline = deadline;
		timer_insert(td);
	} else
		host_thread_wake(td->td_host);
}

/*
 * sleep(9).
 */
static void
sleep_checks(const void *chan, struct lock_object *lock, const char *wmesg)
{
	struct thread *td = curthread;

	WITNESS_WARN(WARN_GIANTOK | WARN_SLEEPOK, lock, "Sleeping on \"%s\"", wmesg);
	KASSERT(chan != NULL, ("_sleep: NULL ident"));
	KASSERT(td->td_critnest == 0, ("mi_switch: switch in a critical section"));
#ifdef INVARIANTS
	if (td->td_epochnest != 0)
		panic("%s: td %p to sleep on wchan %p with sleeping prohibited",
		    "sleepq_add", td, chan);
#endif
	KASSERT(THREAD_CAN_SLEEP(), ("%s: td %p to sleep on wchan %p with sleeping prohibited",
	    "sleepq_add", td, chan));
	(void)td;
}

int
_sleep(const void *chan, struct lock_object *lock, int pri, const char *wmesg,
    sbintime_t sbt, sbintime_t pr, int flags)
{
	struct thread *td = curthread;
	struct lock_class *class = NULL;
	const char *file = NULL;
	uintptr_t how = 0;
	int error, line = 0;

	if (SCHEDULER_STOPPED()) {
		if (lock != NULL && (pri & PDROP) != 0)
			LOCK_CLASS(lock)->lc_unlock(lock);
		return (0);
	}
	KASSERT(sbt != 0 || lock != NULL || (pri & PNOLOCK) != 0 || cold || chan != NULL,
	    ("sleeping without a lock"));
	sleep_checks(chan, lock, wmesg);
	if (lock != NULL) {
		class = LOCK_CLASS(lock);
		KASSERT((class->lc_flags & LC_SPINLOCK) == 0,
		    ("spin locks can only use msleep_spin"));
	}
	if (cold && !smp_started)
		return (0);

	host_lock();
	if ((pri & PCATCH) != 0)
		td->td_flags |= TDF_SINTR;
	else
		td->td_flags &= ~TDF_SINTR;
	waitq_enter(chan, wmesg, clock_deadline(sbt, flags));
	host_unlock();
	if (lock != NULL) {
#ifdef WITNESS
		witness_save(lock, &file, &line);
#endif
		how = class->lc_unlock(lock);
	}
	host_lock();
	error = sleepq_wait();
	td->td_flags &= ~TDF_SINTR;
	if (lock != NULL && (pri & PDROP) == 0)
		class->lc_lock(lock, how);
	(void)file, (void)line;
	return (error);
}

int
msleep_spin_sbt(const void *chan, struct mtx *mtx, const char *wmesg, sbintime_t sbt,
    sbintime_t pr, int flags)
{
	int error;

	if (SCHEDULER_STOPPED())
		return (0);
	WITNESS_WARN(WARN_GIANTOK | WARN_SLEEPOK, &mtx->lock_object, "Sleeping on \"%s\"", wmesg);
	host_lock();
	waitq_enter(chan, wmesg, clock_deadline(sbt, flags));
	host_unlock();
	mtx_unlock_spin(mtx);
	host_lock();
	error = sleepq_wait();
	mtx_lock_spin(mtx);
	return (error);
}

int
pause_sbt(const char *wmesg, sbintime_t sbt, sbintime_t pr, int flags)
{
	static char chan[MAXCPU];

	KASSERT(sbt >= 0, ("pause_sbt: timeout must be >= 0"));
	if (sbt == 0)
		sbt = tick_sbt;
	if (SCHEDULER_STOPPED() || !smp_started) {
		DELAY((int)sbttous(sbt));
		return (EWOULDBLOCK);
	}
	return (_sleep(&chan[curcpu], NULL, (flags & C_CATCH) != 0 ? PCATCH : 0, wmesg, sbt, pr,
	    flags));
}

int
kern_sleep_until_ns(int64_t ns)
{
	static char chan;
	struct thread *td = curthread;
	int error;

	sleep_checks(&chan, NULL, "nanslp");
	host_lock();
	td->td_flags |= TDF_SINTR;
	waitq_enter(&chan, "nanslp", ns);
	error = sleepq_wait();
	td->td_flags &= ~TDF_SINTR;
	return (error == EWOULDBLOCK ? 0 : error);
}

void
wakeup(const void *chan)
{
	host_lock();
	(void)waitq_wake(chan, true);
	host_unlock();
	kern_preempt_point();
}

void
wakeup_one(const void *chan)
{
	host_lock();
	(void)waitq_wake(chan, false);
	host_unlock();
	kern_preempt_point();
}

void
wakeup_any(const void *chan)
{
	wakeup_one(chan);
}

/* Locked: a signal for this thread. */
static void
thread_interrupt(struct thread *td)
{
	td->td_interrupted = true;
	if (td->td_wchan != NULL && (td->td_flags & TDF_SINTR) != 0 &&
	    td->td_state == TDS_INHIBITED) {
		td->td_sleepret = EINTR;
		waitq_leave(td);
		setrunnable(td);
	}
}

void
kern_psignal(struct proc *p, int sig)
{
	struct thread *td;

	host_lock();
	p->p_killed = true;
	FOREACH_THREAD_IN_PROC(p, td)
		thread_interrupt(td);
	host_unlock();
}

/*
 * Threads.
 */
static void
fork_trampoline(void *arg)
{
	struct thread *td = arg;

	if (host_config.wall) {
		pcpu_curthread = td;
		host_lock();
		while (td->td_state != TDS_RUNNING)
			host_thread_wait(td->td_host, -1);
		host_unlock();
	}
	fork_exit(td->td_func, td->td_arg);
}

/*
 * Threads that ended, their stacks to be used again.  Who ends can't free what
 * it stands on, so the next one to be made does.
 */
static TAILQ_HEAD(, thread) zombies = TAILQ_HEAD_INITIALIZER(zombies);

static void
zombies_reap(void)
{
	struct thread *td;

	for (;;) {
		host_lock();
		if ((td = TAILQ_FIRST(&zombies)) != NULL)
			TAILQ_REMOVE(&zombies, td, td_runq);
		host_unlock();
		if (td == NULL)
			return;
		thread_free(td);
	}
}

void
sched_thread_start(struct thread *td)
{
	zombies_reap();
	td->td_cpumask = all_cpus;
	td->td_bound = -1;
	td->td_deadline = FOREVER;
	td->td_oncpu = (int)((u_int)td->td_tid % (u_int)mp_ncpus);
	td->td_state = TDS_CAN_RUN;
	TAILQ_INIT(&td->td_epochs);
	td->td_host = host_thread_new((void *)td->td_kstack, td->td_kstack_size, fork_trampoline, td);
	host_lock();
	if (host_config.wall)
		host_thread_start(td->td_host);
	setrunnable(td);
	host_unlock();
}

void
sched_thread_exit(void)
{
	struct thread *td = curthread;

	host_lock();
	td->td_state = TDS_ZOMBIE;
	TAILQ_INSERT_TAIL(&zombies, td, td_runq);
	cpu_release(td->td_oncpu);
	if (CLOCK_VIRTUAL) {
		switch_to(choose(), true);
		__builtin_unreachable();
	}
	host_thread_exit(td->td_host);
}

void
sched_init(void)
{
	u_int i;

	dnh_clock_is_virtual = CLOCK_VIRTUAL;
	mp_ncpus = mp_ncores = smp_cpus = host_config.ncpu;
	mp_maxid = (u_int)mp_ncpus - 1;
	for (i = 0; i < (u_int)mp_ncpus; i++)
		CPU_SET(i, &all_cpus);
	for (i = 0; i < MAXCPU; i++) {
		pcpu_data[i].pc_cpuid = i;
		pcpu_data[i].pc_apic_id = i;
		pcpu_data[i].pc_acpi_id = i;
	}
	for (i = 0; i < WAITQ_BUCKETS; i++)
		TAILQ_INIT(&waitqs[i]);
	/* Never zero, and far apart for seeds that are not. */
	rng ^= (host_config.seed + 1) * 0xbf58476d1ce4e5b9;
	if (rng == 0)
		rng = 1;
	for (i = 0; i < 8; i++)
		(void)sched_random();
	pcpu_curthread = &thread0;
	thread0.td_host = host_thread_self();
	thread0.td_cpumask = all_cpus;
	thread0.td_bound = -1;
	thread0.td_deadline = FOREVER;
	thread0.td_state = TDS_RUNNING;
	TAILQ_INIT(&thread0.td_epochs);
	pcpu_data[0].pc_curthread = &thread0;
	busy = 1;
}

/* From here on others run, too. */
static void
sched_start(void *arg)
{
	smp_started = 1;
}
SYSINIT(sched_start, SI_SUB_SMP, SI_ORDER_FIRST, sched_start, NULL);
