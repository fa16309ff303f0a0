/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rwlock(9), sx(9) and rmlock(9): three faces of one lock with many readers or
 * one writer.  They differ in what a holder may do and in how WITNESS sees
 * them, not in how they exclude each other.
 *
 * The word: UNLOCKED, or the number of readers << RL_SHIFT with RL_READ, or
 * the writer's address; RL_WAITERS when somebody waits, RL_WRITER_WAITS when
 * a writer does, before whom no new reader goes.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/proc.h>
#include <sys/rmlock.h>
#include <sys/rwlock.h>
#include <sys/sx.h>

#include "kern_internal.h"

#define	RL_READ		((uintptr_t)1)
#define	RL_WAITERS	((uintptr_t)2)
#define	RL_WRITER_WAITS	((uintptr_t)4)
#define	RL_FLAGS	((uintptr_t)15)
#define	RL_SHIFT	4
#define	RL_ONE		((uintptr_t)1 << RL_SHIFT)
#define	RL_DESTROYED	((uintptr_t)8)
#define	LOCK_CHAN(c)	((const void *)((uintptr_t)(c) + 1))

/* All three begin with the lock object and have the word behind it. */
#define	WORD(lo)	((volatile uintptr_t *)((lo) + 1))
CTASSERT(offsetof(struct rwlock, rw_lock) == sizeof(struct lock_object));
CTASSERT(offsetof(struct sx, sx_lock) == sizeof(struct lock_object));
CTASSERT(offsetof(struct rmlock, rm_word) == sizeof(struct lock_object));

static inline struct thread *
rl_writer(const struct lock_object *lo)
{
	uintptr_t v = __atomic_load_n(WORD(lo), __ATOMIC_RELAXED);

	return ((v & RL_READ) != 0 ? NULL : (struct thread *)(v & ~RL_FLAGS));
}

static u_int __diagused
rl_readers(const struct lock_object *lo)
{
	uintptr_t v = __atomic_load_n(WORD(lo), __ATOMIC_RELAXED);

	return ((v & RL_READ) != 0 ? (u_int)(v >> RL_SHIFT) : 0);
}

static short *
rl_count(const struct lock_object *lo)
{
	struct lock_class *class = LOCK_CLASS(lo);

	return (class == &lock_class_sx ? &curthread->td_sx_slocks :
	    class == &lock_class_rw ? &curthread->td_rw_rlocks : &curthread->td_rmlocks);
}

/* Compare and set; on the virtual clock nobody can come between. */
static inline bool
rl_cas(volatile uintptr_t *c, uintptr_t *v, uintptr_t new)
{
	if (DNH_PLAIN) {
		*c = new;
		return (true);
	}
	return (__atomic_compare_exchange_n(c, v, new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

static bool
rl_try_read(const struct lock_object *lo)
{
	volatile uintptr_t *c = WORD(lo);
	uintptr_t v = __atomic_load_n(c, __ATOMIC_RELAXED);

	for (;;) {
		if ((v & RL_READ) == 0 && (v & ~RL_FLAGS) != 0)
			return (false);
		/* A reader already may read again: the writer waits for it. */
		if ((v & RL_WRITER_WAITS) != 0 && *rl_count(lo) == 0)
			return (false);
		if (rl_cas(c, &v, (v | RL_READ) + RL_ONE))
			return (true);
	}
}

static bool
rl_try_write(const struct lock_object *lo)
{
	volatile uintptr_t *c = WORD(lo);
	uintptr_t v = __atomic_load_n(c, __ATOMIC_RELAXED);

	while ((v & ~(RL_WAITERS | RL_WRITER_WAITS)) == 0)
		if (rl_cas(c, &v, v | (uintptr_t)curthread))
			return (true);
	return (false);
}

/* Wait until a try may do better. */
static int
rl_wait(const struct lock_object *lo, bool write, int pri)
{
	volatile uintptr_t *c = WORD(lo);
	struct thread *td = curthread;
	uintptr_t v;
	int error;

	host_lock();
	v = __atomic_fetch_or(c, RL_WAITERS | (write ? RL_WRITER_WAITS : 0), __ATOMIC_RELAXED);
	if ((v & ~(RL_WAITERS | RL_WRITER_WAITS)) == 0) {
		/* It was let go meanwhile. */
		host_unlock();
		return (0);
	}
	td->td_blocked = lo;
	td->td_lockname = lo->lo_name;
	if ((pri & PCATCH) != 0)
		td->td_flags |= TDF_SINTR;
	waitq_enter(LOCK_CHAN(c), lo->lo_name, FOREVER);
	error = sleepq_wait();
	td->td_flags &= ~TDF_SINTR;
	td->td_blocked = NULL;
	return (error);
}

/* Those that still have to wait say so again. */
static void
rl_wake(const struct lock_object *lo)
{
	host_lock();
	__atomic_fetch_and(WORD(lo), ~(RL_WAITERS | RL_WRITER_WAITS), __ATOMIC_RELAXED);
	(void)waitq_wake(LOCK_CHAN(WORD(lo)), true);
	host_unlock();
}

static int
rl_rlock(struct lock_object *lo, int pri)
{
	int error = 0;

	kern_preempt_point();
	while (!rl_try_read(lo) && error == 0) {
		if (SCHEDULER_STOPPED())
			return (0);
		error = rl_wait(lo, false, pri);
	}
	if (error == 0)
		(*rl_count(lo))++;
	return (error);
}

static int
rl_wlock(struct lock_object *lo, int pri)
{
	int error = 0;

	kern_preempt_point();
	while (!rl_try_write(lo) && error == 0) {
		if (SCHEDULER_STOPPED())
			return (0);
		error = rl_wait(lo, true, pri);
	}
	return (error);
}

static void
rl_runlock(struct lock_object *lo)
{
	volatile uintptr_t *c = WORD(lo);
	uintptr_t v = __atomic_load_n(c, __ATOMIC_RELAXED), new;

	(*rl_count(lo))--;
	do {
		new = v - RL_ONE;
		if ((new >> RL_SHIFT) == 0)
			new &= ~RL_READ;
	} while (!rl_cas(c, &v, new));
	if ((new & RL_READ) == 0 && (new & RL_WAITERS) != 0)
		rl_wake(lo);
	kern_preempt_point();
}

static void
rl_wunlock(struct lock_object *lo)
{
	volatile uintptr_t *c = WORD(lo);
	uintptr_t v;

	v = __atomic_fetch_and(c, RL_WAITERS | RL_WRITER_WAITS, __ATOMIC_RELEASE);
	if ((v & RL_WAITERS) != 0)
		rl_wake(lo);
	kern_preempt_point();
}

static bool
rl_try_upgrade(struct lock_object *lo)
{
	volatile uintptr_t *c = WORD(lo);
	uintptr_t v = __atomic_load_n(c, __ATOMIC_RELAXED);

	while ((v & RL_READ) != 0 && (v >> RL_SHIFT) == 1)
		if (rl_cas(c, &v, (uintptr_t)curthread | (v & (RL_WAITERS | RL_WRITER_WAITS)))) {
			(*rl_count(lo))--;
			return (true);
		}
	return (false);
}

static void
rl_downgrade(struct lock_object *lo)
{
	volatile uintptr_t *c = WORD(lo);
	uintptr_t v = __atomic_load_n(c, __ATOMIC_RELAXED);

	while (!rl_cas(c, &v, RL_ONE | RL_READ | (v & RL_WAITERS)))
		;
	(*rl_count(lo))++;
	if ((v & RL_WAITERS) != 0)
		rl_wake(lo);
}

static void
rl_destroy(struct lock_object *lo, const char *what)
{
	KASSERT(*WORD(lo) == 0, ("%s lock %p not unlocked", what, lo));
	KASSERT(lo->lo_data == 0, ("%s lock %p still recursed", what, lo));
	*WORD(lo) = RL_DESTROYED;
	lock_destroy(lo);
}

static void
rl_assert(const struct lock_object *lo, int what, const char *file, int line)
{
#ifdef INVARIANTS
	struct lock_object *l = __DECONST(struct lock_object *, lo);
	bool mine = rl_writer(lo) == curthread, read = rl_readers(lo) != 0;

	if (KERNEL_PANICKED())
		return;
#ifdef WITNESS
	/* WITNESS knows who the readers are. */
	if (lo->lo_witness != NULL)
		read = witness_held(curthread, l) > 0 && !mine;
#endif
	switch (what & (LA_LOCKED | LA_SLOCKED | LA_XLOCKED)) {
	case LA_UNLOCKED:
		if (mine || (lo->lo_witness != NULL && read))
			panic("Lock (%s) %s locked @ %s:%d.", LOCK_CLASS(lo)->lc_name, lo->lo_name,
			    file, line);
		break;
	case LA_LOCKED:
		if (!mine && !read)
			panic("Lock (%s) %s not locked @ %s:%d.", LOCK_CLASS(lo)->lc_name,
			    lo->lo_name, file, line);
		break;
	case LA_SLOCKED:
		if (mine)
			panic("Lock (%s) %s exclusively locked @ %s:%d.", LOCK_CLASS(lo)->lc_name,
			    lo->lo_name, file, line);
		if (!read)
			panic("Lock (%s) %s not locked @ %s:%d.", LOCK_CLASS(lo)->lc_name,
			    lo->lo_name, file, line);
		break;
	case LA_XLOCKED:
		if (!mine && read)
			panic("Lock (%s) %s not exclusively locked @ %s:%d.",
			    LOCK_CLASS(lo)->lc_name, lo->lo_name, file, line);
		if (!mine)
			panic("Lock (%s) %s not locked @ %s:%d.", LOCK_CLASS(lo)->lc_name,
			    lo->lo_name, file, line);
		break;
	}
	if ((what & LA_RECURSED) != 0 && lo->lo_data == 0)
		panic("Lock (%s) %s not recursed @ %s:%d.", LOCK_CLASS(lo)->lc_name, lo->lo_name,
		    file, line);
	if ((what & LA_NOTRECURSED) != 0 && lo->lo_data != 0)
		panic("Lock (%s) %s recursed @ %s:%d.", LOCK_CLASS(lo)->lc_name, lo->lo_name,
		    file, line);
#endif
}

/*
 * The classes.
 */
static void
assert_any(const struct lock_object *lo, int what)
{
	rl_assert(lo, what, __FILE__, __LINE__);
}

static void
lock_rw(struct lock_object *lo, uintptr_t how)
{
	struct rwlock *rw = (struct rwlock *)lo;

	if (how != 0)
		rw_rlock(rw);
	else
		rw_wlock(rw);
}

static uintptr_t
unlock_rw(struct lock_object *lo)
{
	struct rwlock *rw = (struct rwlock *)lo;

	rw_assert(rw, RA_LOCKED | LA_NOTRECURSED);
	if (rw_wowned(rw)) {
		rw_wunlock(rw);
		return (0);
	}
	rw_runlock(rw);
	return (1);
}

static void
lock_sx(struct lock_object *lo, uintptr_t how)
{
	struct sx *sx = (struct sx *)lo;

	if (how != 0)
		sx_slock(sx);
	else
		sx_xlock(sx);
}

static uintptr_t
unlock_sx(struct lock_object *lo)
{
	struct sx *sx = (struct sx *)lo;

	sx_assert(sx, SA_LOCKED | SA_NOTRECURSED);
	if (sx_xlocked(sx)) {
		sx_xunlock(sx);
		return (0);
	}
	sx_sunlock(sx);
	return (1);
}

static void
lock_rm(struct lock_object *lo, uintptr_t how)
{
	if (how != 0)
		panic("lock_rm called in read mode");
	rm_wlock((struct rmlock *)lo);
}

static uintptr_t
unlock_rm(struct lock_object *lo)
{
	rm_wunlock((struct rmlock *)lo);
	return (0);
}

#define	CLASS(var, name, flags, l, u)					\
struct lock_class var = {						\
	.lc_name = name, .lc_flags = flags, .lc_assert = assert_any,	\
	.lc_lock = l, .lc_unlock = u,					\
	.lc_owner = (struct thread *(*)(const struct lock_object *))rl_writer \
}
CLASS(lock_class_rw, "rw", LC_SLEEPLOCK | LC_RECURSABLE | LC_UPGRADABLE, lock_rw, unlock_rw);
CLASS(lock_class_sx, "sx", LC_SLEEPLOCK | LC_SLEEPABLE | LC_RECURSABLE | LC_UPGRADABLE,
    lock_sx, unlock_sx);
CLASS(lock_class_rm, "rm", LC_SLEEPLOCK | LC_RECURSABLE, lock_rm, unlock_rm);
CLASS(lock_class_rm_sleepable, "sleepable rm", LC_SLEEPLOCK | LC_SLEEPABLE | LC_RECURSABLE,
    lock_rm, unlock_rm);

/*
 * rwlock(9).
 */
#define	RW_OF(c)	__containerof(c, struct rwlock, rw_lock)

void
_rw_init_flags(volatile uintptr_t *c, const char *name, int opts)
{
	struct rwlock *rw = RW_OF(c);
	int flags = LO_UPGRADABLE;

	if ((opts & RW_NEW) != 0)
		rw->lock_object.lo_flags = 0;
	if ((opts & RW_DUPOK) != 0)
		flags |= LO_DUPOK;
	if ((opts & RW_NOWITNESS) == 0)
		flags |= LO_WITNESS;
	if ((opts & RW_RECURSE) != 0)
		flags |= LO_RECURSABLE;
	lock_init(&rw->lock_object, &lock_class_rw, name, NULL, flags);
	rw->rw_lock = 0;
}

void
_rw_destroy(volatile uintptr_t *c)
{
	rl_destroy(&RW_OF(c)->lock_object, "rw");
}

void
rw_sysinit(void *arg)
{
	struct rw_args *a = arg;

	rw_init_flags((struct rwlock *)a->ra_rw, a->ra_desc, a->ra_flags);
}

int
_rw_wowned(const volatile uintptr_t *c)
{
	return (rl_writer(&RW_OF(c)->lock_object) == curthread);
}

void
_rw_wlock_cookie(volatile uintptr_t *c, const char *file, int line)
{
	struct rwlock *rw = RW_OF(c);

	KASSERT(__atomic_load_n(c, __ATOMIC_RELAXED) != RL_DESTROYED, ("rw_wlock() of destroyed rwlock %p @ %s:%d", rw, file, line));
	WITNESS_CHECKORDER(&rw->lock_object, LOP_NEWORDER | LOP_EXCLUSIVE, file, line);
	if (rw_wowned(rw)) {
		KASSERT((rw->lock_object.lo_flags & LO_RECURSABLE) != 0,
		    ("%s: recursing but non-recursive rw %p @ %s:%d\n", "__rw_wlock_hard", rw, file,
		    line));
		rw->lock_object.lo_data++;
	} else
		(void)rl_wlock(&rw->lock_object, 0);
	WITNESS_LOCK(&rw->lock_object, LOP_EXCLUSIVE, file, line);
	TD_LOCKS_INC(curthread);
}

int
__rw_try_wlock(volatile uintptr_t *c, const char *file, int line)
{
	struct rwlock *rw = RW_OF(c);

	KASSERT(__atomic_load_n(c, __ATOMIC_RELAXED) != RL_DESTROYED, ("rw_try_wlock() of destroyed rwlock %p @ %s:%d", rw, file, line));
	if (rw_wowned(rw) && (rw->lock_object.lo_flags & LO_RECURSABLE) != 0)
		rw->lock_object.lo_data++;
	else if (!rl_try_write(&rw->lock_object))
		return (0);
	WITNESS_LOCK(&rw->lock_object, LOP_EXCLUSIVE | LOP_TRYLOCK, file, line);
	TD_LOCKS_INC(curthread);
	return (1);
}

void
_rw_wunlock_cookie(volatile uintptr_t *c, const char *file, int line)
{
	struct rwlock *rw = RW_OF(c);

	if (SCHEDULER_STOPPED())
		return;
	KASSERT(__atomic_load_n(c, __ATOMIC_RELAXED) != RL_DESTROYED, ("rw_wunlock() of destroyed rwlock %p @ %s:%d", rw, file, line));
	rl_assert(&rw->lock_object, LA_XLOCKED, file, line);
	WITNESS_UNLOCK(&rw->lock_object, LOP_EXCLUSIVE, file, line);
	TD_LOCKS_DEC(curthread);
	if (rw->lock_object.lo_data != 0)
		rw->lock_object.lo_data--;
	else
		rl_wunlock(&rw->lock_object);
}

void
__rw_rlock(volatile uintptr_t *c, const char *file, int line)
{
	struct rwlock *rw = RW_OF(c);

	KASSERT(__atomic_load_n(c, __ATOMIC_RELAXED) != RL_DESTROYED, ("rw_rlock() of destroyed rwlock %p @ %s:%d", rw, file, line));
	KASSERT(!rw_wowned(rw), ("rw_rlock: wlock already held for %p @ %s:%d", rw, file, line));
	WITNESS_CHECKORDER(&rw->lock_object, LOP_NEWORDER, file, line);
	(void)rl_rlock(&rw->lock_object, 0);
	WITNESS_LOCK(&rw->lock_object, 0, file, line);
	TD_LOCKS_INC(curthread);
}

int
__rw_try_rlock(volatile uintptr_t *c, const char *file, int line)
{
	struct rwlock *rw = RW_OF(c);

	KASSERT(__atomic_load_n(c, __ATOMIC_RELAXED) != RL_DESTROYED, ("rw_try_rlock() of destroyed rwlock %p @ %s:%d", rw, file, line));
	if (!rl_try_read(&rw->lock_object))
		return (0);
	curthread->td_rw_rlocks++;
	WITNESS_LOCK(&rw->lock_object, LOP_TRYLOCK, file, line);
	TD_LOCKS_INC(curthread);
	return (1);
}

void
_rw_runlock_cookie(volatile uintptr_t *c, const char *file, int line)
{
	struct rwlock *rw = RW_OF(c);

	if (SCHEDULER_STOPPED())
		return;
	KASSERT(__atomic_load_n(c, __ATOMIC_RELAXED) != RL_DESTROYED, ("rw_runlock() of destroyed rwlock %p @ %s:%d", rw, file, line));
	rl_assert(&rw->lock_object, LA_SLOCKED, file, line);
	WITNESS_UNLOCK(&rw->lock_object, 0, file, line);
	TD_LOCKS_DEC(curthread);
	rl_runlock(&rw->lock_object);
}

int
__rw_try_upgrade(volatile uintptr_t *c, const char *file, int line)
{
	struct rwlock *rw = RW_OF(c);

	rl_assert(&rw->lock_object, LA_SLOCKED, file, line);
	if (!rl_try_upgrade(&rw->lock_object))
		return (0);
#ifdef WITNESS
	witness_upgrade(&rw->lock_object, file, line);
#endif
	return (1);
}

void
__rw_downgrade(volatile uintptr_t *c, const char *file, int line)
{
	struct rwlock *rw = RW_OF(c);

	rl_assert(&rw->lock_object, LA_XLOCKED | LA_NOTRECURSED, file, line);
#ifdef WITNESS
	witness_downgrade(&rw->lock_object, file, line);
#endif
	rl_downgrade(&rw->lock_object);
}

void
__rw_assert(const volatile uintptr_t *c, int what, const char *file, int line)
{
	rl_assert(&RW_OF(c)->lock_object, what, file, line);
}

/*
 * sx(9).
 */
void
sx_init_flags(struct sx *sx, const char *description, int opts)
{
	int flags = LO_SLEEPABLE | LO_UPGRADABLE;

	if ((opts & SX_NEW) != 0)
		sx->lock_object.lo_flags = 0;
	if ((opts & SX_DUPOK) != 0)
		flags |= LO_DUPOK;
	if ((opts & SX_NOWITNESS) == 0)
		flags |= LO_WITNESS;
	if ((opts & SX_RECURSE) != 0)
		flags |= LO_RECURSABLE;
	lock_init(&sx->lock_object, &lock_class_sx, description, NULL, flags);
	sx->sx_lock = 0;
}

void
sx_destroy(struct sx *sx)
{
	rl_destroy(&sx->lock_object, "sx");
}

void
sx_sysinit(void *arg)
{
	struct sx_args *a = arg;

	sx_init_flags(a->sa_sx, a->sa_desc, a->sa_flags);
}

int
sx_xlocked_(const struct sx *sx)
{
	return (rl_writer(&sx->lock_object) == curthread);
}

static void
sx_may_sleep(struct sx *sx, const char *file, int line)
{
	KASSERT(curthread->td_critnest == 0 || SCHEDULER_STOPPED(),
	    ("sx lock %s taken in a critical section @ %s:%d", sx->lock_object.lo_name, file, line));
	KASSERT(curthread->td_epochnest == 0,
	    ("sx lock %s taken in an epoch section @ %s:%d", sx->lock_object.lo_name, file, line));
}

int
_sx_xlock(struct sx *sx, int opts, const char *file, int line)
{
	int error = 0;

	KASSERT(__atomic_load_n(&sx->sx_lock, __ATOMIC_RELAXED) != RL_DESTROYED, ("sx_xlock() of destroyed sx @ %s:%d", file, line));
	sx_may_sleep(sx, file, line);
	WITNESS_CHECKORDER(&sx->lock_object, LOP_NEWORDER | LOP_EXCLUSIVE, file, line);
	if (sx_xlocked(sx)) {
		KASSERT((sx->lock_object.lo_flags & LO_RECURSABLE) != 0,
		    ("_sx_xlock_hard: recursed on non-recursive sx %s @ %s:%d\n",
		    sx->lock_object.lo_name, file, line));
		sx->lock_object.lo_data++;
	} else
		error = rl_wlock(&sx->lock_object, (opts & SX_INTERRUPTIBLE) != 0 ? PCATCH : 0);
	if (error == 0) {
		WITNESS_LOCK(&sx->lock_object, LOP_EXCLUSIVE, file, line);
		TD_LOCKS_INC(curthread);
	}
	return (error);
}

int
_sx_slock(struct sx *sx, int opts, const char *file, int line)
{
	int error;

	KASSERT(__atomic_load_n(&sx->sx_lock, __ATOMIC_RELAXED) != RL_DESTROYED, ("sx_slock() of destroyed sx @ %s:%d", file, line));
	sx_may_sleep(sx, file, line);
	WITNESS_CHECKORDER(&sx->lock_object, LOP_NEWORDER, file, line);
	error = rl_rlock(&sx->lock_object, (opts & SX_INTERRUPTIBLE) != 0 ? PCATCH : 0);
	if (error == 0) {
		WITNESS_LOCK(&sx->lock_object, 0, file, line);
		TD_LOCKS_INC(curthread);
	}
	return (error);
}

int
sx_try_xlock_(struct sx *sx, const char *file, int line)
{
	if (sx_xlocked(sx) && (sx->lock_object.lo_flags & LO_RECURSABLE) != 0)
		sx->lock_object.lo_data++;
	else if (!rl_try_write(&sx->lock_object))
		return (0);
	WITNESS_LOCK(&sx->lock_object, LOP_EXCLUSIVE | LOP_TRYLOCK, file, line);
	TD_LOCKS_INC(curthread);
	return (1);
}

int
sx_try_slock_(struct sx *sx, const char *file, int line)
{
	if (!rl_try_read(&sx->lock_object))
		return (0);
	curthread->td_sx_slocks++;
	WITNESS_LOCK(&sx->lock_object, LOP_TRYLOCK, file, line);
	TD_LOCKS_INC(curthread);
	return (1);
}

void
_sx_xunlock(struct sx *sx, const char *file, int line)
{
	if (SCHEDULER_STOPPED())
		return;
	KASSERT(__atomic_load_n(&sx->sx_lock, __ATOMIC_RELAXED) != RL_DESTROYED, ("sx_xunlock() of destroyed sx @ %s:%d", file, line));
	rl_assert(&sx->lock_object, LA_XLOCKED, file, line);
	WITNESS_UNLOCK(&sx->lock_object, LOP_EXCLUSIVE, file, line);
	TD_LOCKS_DEC(curthread);
	if (sx->lock_object.lo_data != 0)
		sx->lock_object.lo_data--;
	else
		rl_wunlock(&sx->lock_object);
}

void
_sx_sunlock(struct sx *sx, const char *file, int line)
{
	if (SCHEDULER_STOPPED())
		return;
	KASSERT(__atomic_load_n(&sx->sx_lock, __ATOMIC_RELAXED) != RL_DESTROYED, ("sx_sunlock() of destroyed sx @ %s:%d", file, line));
	rl_assert(&sx->lock_object, LA_SLOCKED, file, line);
	WITNESS_UNLOCK(&sx->lock_object, 0, file, line);
	TD_LOCKS_DEC(curthread);
	rl_runlock(&sx->lock_object);
}

int
sx_try_upgrade_(struct sx *sx, const char *file, int line)
{
	rl_assert(&sx->lock_object, LA_SLOCKED, file, line);
	if (!rl_try_upgrade(&sx->lock_object))
		return (0);
#ifdef WITNESS
	witness_upgrade(&sx->lock_object, file, line);
#endif
	return (1);
}

void
sx_downgrade_(struct sx *sx, const char *file, int line)
{
	rl_assert(&sx->lock_object, LA_XLOCKED | LA_NOTRECURSED, file, line);
#ifdef WITNESS
	witness_downgrade(&sx->lock_object, file, line);
#endif
	rl_downgrade(&sx->lock_object);
}

void
_sx_assert(const struct sx *sx, int what, const char *file, int line)
{
	rl_assert(&sx->lock_object, what, file, line);
}

/*
 * rmlock(9).  A reader stays on its processor, as FreeBSD's does.
 */
void
rm_init_flags(struct rmlock *rm, const char *name, int opts)
{
	int flags = 0;

	if ((opts & RM_NOWITNESS) == 0)
		flags |= LO_WITNESS;
	if ((opts & RM_RECURSE) != 0)
		flags |= LO_RECURSABLE;
	if ((opts & RM_NEW) != 0)
		rm->lock_object.lo_flags = 0;
	if ((opts & RM_DUPOK) != 0)
		flags |= LO_DUPOK;
	if ((opts & RM_SLEEPABLE) != 0)
		flags |= LO_SLEEPABLE;
	lock_init(&rm->lock_object, (opts & RM_SLEEPABLE) != 0 ? &lock_class_rm_sleepable :
	    &lock_class_rm, name, NULL, flags);
	rm->rm_word = 0;
}

void
rm_init(struct rmlock *rm, const char *name)
{
	rm_init_flags(rm, name, 0);
}

void
rm_destroy(struct rmlock *rm)
{
	rl_destroy(&rm->lock_object, "rm");
}

void
rm_sysinit(void *arg)
{
	struct rm_args *a = arg;

	rm_init_flags(a->ra_rm, a->ra_desc, a->ra_flags);
}

int
rm_wowned(const struct rmlock *rm)
{
	return (rl_writer(&rm->lock_object) == curthread);
}

void
_rm_wlock_debug(struct rmlock *rm, const char *file, int line)
{
	KASSERT(__atomic_load_n(&rm->rm_word, __ATOMIC_RELAXED) != RL_DESTROYED, ("rm_wlock() of destroyed rmlock %p @ %s:%d", rm, file, line));
	rl_assert(&rm->lock_object, LA_UNLOCKED, file, line);
	WITNESS_CHECKORDER(&rm->lock_object, LOP_NEWORDER | LOP_EXCLUSIVE, file, line);
	(void)rl_wlock(&rm->lock_object, 0);
	WITNESS_LOCK(&rm->lock_object, LOP_EXCLUSIVE, file, line);
	TD_LOCKS_INC(curthread);
}

void
_rm_wunlock_debug(struct rmlock *rm, const char *file, int line)
{
	if (SCHEDULER_STOPPED())
		return;
	KASSERT(__atomic_load_n(&rm->rm_word, __ATOMIC_RELAXED) != RL_DESTROYED, ("rm_wunlock() of destroyed rmlock %p @ %s:%d", rm, file, line));
	rl_assert(&rm->lock_object, LA_XLOCKED, file, line);
	WITNESS_UNLOCK(&rm->lock_object, LOP_EXCLUSIVE, file, line);
	TD_LOCKS_DEC(curthread);
	rl_wunlock(&rm->lock_object);
}

int
_rm_rlock_debug(struct rmlock *rm, struct rm_priotracker *tracker, int trylock, const char *file,
    int line)
{
	if (SCHEDULER_STOPPED())
		return (1);
	KASSERT(__atomic_load_n(&rm->rm_word, __ATOMIC_RELAXED) != RL_DESTROYED, ("rm_rlock() of destroyed rmlock %p @ %s:%d", rm, file, line));
	KASSERT(!rm_wowned(rm), ("rm_rlock: wlock already held for %s @ %s:%d",
	    rm->lock_object.lo_name, file, line));
	if (!trylock)
		WITNESS_CHECKORDER(&rm->lock_object,
		    LOP_NEWORDER | ((rm->lock_object.lo_flags & LO_RECURSABLE) != 0 ? LOP_DUPOK : 0),
		    file, line);
	if (!trylock)
		(void)rl_rlock(&rm->lock_object, 0);
	else if (rl_try_read(&rm->lock_object))
		curthread->td_rmlocks++;
	else
		return (0);
	tracker->rmp_rmlock = rm;
	tracker->rmp_thread = curthread;
	WITNESS_LOCK(&rm->lock_object, trylock ? LOP_TRYLOCK : 0, file, line);
	TD_LOCKS_INC(curthread);
	sched_pin();
	return (1);
}

void
_rm_runlock_debug(struct rmlock *rm, struct rm_priotracker *tracker, const char *file, int line)
{
	if (SCHEDULER_STOPPED())
		return;
	KASSERT(__atomic_load_n(&rm->rm_word, __ATOMIC_RELAXED) != RL_DESTROYED, ("rm_runlock() of destroyed rmlock %p @ %s:%d", rm, file, line));
	KASSERT(tracker->rmp_rmlock == rm && tracker->rmp_thread == curthread,
	    ("rm_runlock: bad tracker for %s @ %s:%d", rm->lock_object.lo_name, file, line));
	rl_assert(&rm->lock_object, LA_SLOCKED, file, line);
	tracker->rmp_rmlock = NULL;
	sched_unpin();
	WITNESS_UNLOCK(&rm->lock_object, 0, file, line);
	TD_LOCKS_DEC(curthread);
	rl_runlock(&rm->lock_object);
}

void
_rm_assert(const struct rmlock *rm, int what, const char *file, int line)
{
	rl_assert(&rm->lock_object, what, file, line);
}
