/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mutex(9).  The word is the owner's address with flags; who finds it taken
 * marks it contested and waits, and an unlock then wakes all that wait.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/mutex.h>
#include <sys/proc.h>

#include "kern_internal.h"

struct mtx Giant;
MTX_SYSINIT(giant, &Giant, "Giant", MTX_DEF | MTX_RECURSE);

#define	MTX_OF(c)	__containerof(c, struct mtx, mtx_lock)
#define	OWNER(v)	((struct thread *)((v) & ~MTX_FLAGMASK))
/* Waiting for a lock is not sleeping on its address. */
#define	LOCK_CHAN(c)	((const void *)((uintptr_t)(c) + 1))

static void
assert_mtx(const struct lock_object *lo, int what)
{
	mtx_assert((const struct mtx *)lo, what);
}

static void
lock_mtx(struct lock_object *lo, uintptr_t how)
{
	mtx_lock((struct mtx *)lo);
}

static uintptr_t
unlock_mtx(struct lock_object *lo)
{
	struct mtx *m = (struct mtx *)lo;

	mtx_assert(m, MA_OWNED | MA_NOTRECURSED);
	mtx_unlock(m);
	return (0);
}

static void
lock_spin(struct lock_object *lo, uintptr_t how)
{
	mtx_lock_spin((struct mtx *)lo);
}

static uintptr_t
unlock_spin(struct lock_object *lo)
{
	mtx_unlock_spin((struct mtx *)lo);
	return (0);
}

static struct thread *
owner_mtx(const struct lock_object *lo)
{
	return (OWNER(((const struct mtx *)lo)->mtx_lock));
}

struct lock_class lock_class_mtx_sleep = {
	.lc_name = "sleep mutex", .lc_flags = LC_SLEEPLOCK | LC_RECURSABLE,
	.lc_assert = assert_mtx, .lc_lock = lock_mtx, .lc_unlock = unlock_mtx, .lc_owner = owner_mtx
};
struct lock_class lock_class_mtx_spin = {
	.lc_name = "spin mutex", .lc_flags = LC_SPINLOCK | LC_RECURSABLE,
	.lc_assert = assert_mtx, .lc_lock = lock_spin, .lc_unlock = unlock_spin, .lc_owner = owner_mtx
};
struct lock_class * const lock_classes[] = {
	&lock_class_mtx_spin, &lock_class_mtx_sleep, &lock_class_sx, &lock_class_rm,
	&lock_class_rm_sleepable, &lock_class_rw
};

void
lock_init(struct lock_object *lo, struct lock_class *class, const char *name, const char *type,
    int flags)
{
	u_int i;

	for (i = 0; lock_classes[i] != class; i++)
		;
	KASSERT((lo->lo_flags & LO_INITIALIZED) == 0,
	    ("lock \"%s\" %p already initialized", name, lo));
	lo->lo_name = name;
	lo->lo_flags = (u_int)flags | i << LO_CLASSSHIFT | LO_INITIALIZED;
	lo->lo_data = 0;
	lo->lo_witness = NULL;
#ifdef WITNESS
	if ((flags & LO_WITNESS) != 0)
		witness_init(lo, type != NULL ? type : name);
#endif
}

void
lock_destroy(struct lock_object *lo)
{
	KASSERT((lo->lo_flags & LO_INITIALIZED) != 0, ("lock %p is not initialized", lo));
#ifdef WITNESS
	witness_destroy(lo);
#endif
	lo->lo_flags &= ~(u_int)LO_INITIALIZED;
}

void
_mtx_init(volatile uintptr_t *c, const char *name, const char *type, int opts)
{
	struct mtx *m = MTX_OF(c);
	int flags = 0;

	KASSERT((opts & ~(MTX_SPIN | MTX_QUIET | MTX_RECURSE | MTX_NOWITNESS | MTX_DUPOK |
	    MTX_NOPROFILE | MTX_NEW)) == 0, ("mtx_init: bad flags"));
	if ((opts & MTX_RECURSE) != 0)
		flags |= LO_RECURSABLE;
	if ((opts & MTX_NOWITNESS) == 0)
		flags |= LO_WITNESS;
	if ((opts & MTX_DUPOK) != 0)
		flags |= LO_DUPOK;
	if ((opts & MTX_NEW) != 0)
		m->lock_object.lo_flags = 0;	/* of memory that was used before */
	lock_init(&m->lock_object, (opts & MTX_SPIN) != 0 ? &lock_class_mtx_spin :
	    &lock_class_mtx_sleep, name, type, flags);
	m->mtx_lock = MTX_UNOWNED;
}

void
_mtx_destroy(volatile uintptr_t *c)
{
	struct mtx *m = MTX_OF(c);

	if (!mtx_owned(m))
		KASSERT(m->mtx_lock == MTX_UNOWNED, ("%s: mutex %s (%p) is owned by another thread",
		    "mtx_destroy", m->lock_object.lo_name, m));
	else {
		KASSERT(m->lock_object.lo_data == 0, ("mtx_destroy: mutex %s recursed",
		    m->lock_object.lo_name));
		if (LOCK_CLASS(&m->lock_object) == &lock_class_mtx_spin)
			spinlock_exit();
		else
			TD_LOCKS_DEC(curthread);
		WITNESS_UNLOCK(&m->lock_object, LOP_EXCLUSIVE, __FILE__, __LINE__);
	}
	m->mtx_lock = MTX_DESTROYED;
	lock_destroy(&m->lock_object);
}

void
mtx_sysinit(void *arg)
{
	struct mtx_args *a = arg;

	mtx_init(a->ma_mtx, a->ma_desc, NULL, a->ma_opts);
}

int
_mtx_owned(const volatile uintptr_t *c)
{
	return (OWNER(__atomic_load_n(c, __ATOMIC_RELAXED)) == curthread);
}

int
_mtx_recursed(const volatile uintptr_t *c)
{
	return (MTX_OF(c)->lock_object.lo_data != 0);
}

static inline bool
take(volatile uintptr_t *c)
{
	uintptr_t free = MTX_UNOWNED;

	if (DNH_PLAIN) {
		if (*c != MTX_UNOWNED)
			return (false);
		*c = (uintptr_t)curthread;
		return (true);
	}
	return (__atomic_compare_exchange_n(c, &free, (uintptr_t)curthread, false,
	    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
}

static void __noinline
__mtx_lock_sleep(volatile uintptr_t *c, uintptr_t v, int opts, const char *file, int line)
{
	struct mtx *m = MTX_OF(c);
	struct thread *td = curthread;
	u_int spins = 0;

	if (SCHEDULER_STOPPED())
		return;
	if (OWNER(v) == td) {
		KASSERT((m->lock_object.lo_flags & LO_RECURSABLE) != 0 || (opts & MTX_RECURSE) != 0,
		    ("_mtx_lock_sleep: recursed on non-recursive mutex %s @ %s:%d\n",
		    m->lock_object.lo_name, file, line));
		m->lock_object.lo_data++;
		return;
	}
	for (;;) {
		if (take(c))
			return;
		v = __atomic_load_n(c, __ATOMIC_RELAXED);
		/* On the wall clock the owner may be about to let go. */
		if (host_config.wall && (v & MTX_CONTESTED) == 0 && ++spins < 200)
			continue;
		host_lock();
		v = __atomic_load_n(c, __ATOMIC_RELAXED);
		if (v == MTX_UNOWNED || ((v & MTX_CONTESTED) == 0 &&
		    !__atomic_compare_exchange_n(c, &v, v | MTX_CONTESTED, false,
		    __ATOMIC_RELAXED, __ATOMIC_RELAXED))) {
			host_unlock();
			continue;
		}
		td->td_blocked = m;
		td->td_lockname = m->lock_object.lo_name;
		waitq_enter(LOCK_CHAN(c), m->lock_object.lo_name, FOREVER);
		(void)sleepq_wait();
		td->td_blocked = NULL;
		spins = 0;
	}
}

void
__mtx_lock_flags(volatile uintptr_t *c, int opts, const char *file, int line)
{
	struct mtx *m = MTX_OF(c);
	uintptr_t v;

	KASSERT(__atomic_load_n(c, __ATOMIC_RELAXED) != MTX_DESTROYED, ("mtx_lock() of destroyed mutex %p @ %s:%d", m, file, line));
	KASSERT(LOCK_CLASS(&m->lock_object) == &lock_class_mtx_sleep,
	    ("mtx_lock() of spin mutex %s @ %s:%d", m->lock_object.lo_name, file, line));
	WITNESS_CHECKORDER(&m->lock_object, (opts & ~MTX_RECURSE) | LOP_NEWORDER | LOP_EXCLUSIVE,
	    file, line);
	kern_preempt_point();
	if (!take(c)) {
		v = __atomic_load_n(c, __ATOMIC_RELAXED);
		__mtx_lock_sleep(c, v, opts, file, line);
	}
	WITNESS_LOCK(&m->lock_object, (opts & ~MTX_RECURSE) | LOP_EXCLUSIVE, file, line);
	TD_LOCKS_INC(curthread);
}

int
_mtx_trylock_flags_(volatile uintptr_t *c, int opts, const char *file, int line)
{
	struct mtx *m = MTX_OF(c);

	if (SCHEDULER_STOPPED())
		return (1);
	KASSERT(__atomic_load_n(c, __ATOMIC_RELAXED) != MTX_DESTROYED, ("mtx_trylock() of destroyed mutex %p @ %s:%d", m, file, line));
	KASSERT(LOCK_CLASS(&m->lock_object) == &lock_class_mtx_sleep,
	    ("mtx_trylock() of spin mutex %s @ %s:%d", m->lock_object.lo_name, file, line));
	kern_preempt_point();
	if (!take(c)) {
		if (!mtx_owned(m) || ((m->lock_object.lo_flags & LO_RECURSABLE) == 0 &&
		    (opts & MTX_RECURSE) == 0))
			return (0);
		m->lock_object.lo_data++;
	}
	WITNESS_LOCK(&m->lock_object, (opts & ~MTX_RECURSE) | LOP_EXCLUSIVE | LOP_TRYLOCK, file, line);
	TD_LOCKS_INC(curthread);
	return (1);
}

void
__mtx_unlock_flags(volatile uintptr_t *c, int opts, const char *file, int line)
{
	struct mtx *m = MTX_OF(c);
	uintptr_t v = (uintptr_t)curthread;

	if (SCHEDULER_STOPPED())
		return;
	KASSERT(__atomic_load_n(c, __ATOMIC_RELAXED) != MTX_DESTROYED, ("mtx_unlock() of destroyed mutex %p @ %s:%d", m, file, line));
	KASSERT(LOCK_CLASS(&m->lock_object) == &lock_class_mtx_sleep,
	    ("mtx_unlock() of spin mutex %s @ %s:%d", m->lock_object.lo_name, file, line));
	WITNESS_UNLOCK(&m->lock_object, opts | LOP_EXCLUSIVE, file, line);
	mtx_assert_(m, MA_OWNED, file, line);
	TD_LOCKS_DEC(curthread);
	if (m->lock_object.lo_data != 0) {
		m->lock_object.lo_data--;
		return;
	}
	if (DNH_PLAIN && *c == v)
		*c = MTX_UNOWNED;
	else if (!__atomic_compare_exchange_n(c, &v, MTX_UNOWNED, false, __ATOMIC_RELEASE,
	    __ATOMIC_RELAXED)) {
		host_lock();
		__atomic_store_n(c, MTX_UNOWNED, __ATOMIC_RELEASE);
		(void)waitq_wake(LOCK_CHAN(c), true);
		host_unlock();
	}
	kern_preempt_point();
}

void
__mtx_lock_spin_flags(volatile uintptr_t *c, int opts, const char *file, int line)
{
	struct mtx *m = MTX_OF(c);
	int64_t since = 0;

	if (SCHEDULER_STOPPED())
		return;
	KASSERT(__atomic_load_n(c, __ATOMIC_RELAXED) != MTX_DESTROYED, ("mtx_lock_spin() of destroyed mutex %p @ %s:%d", m, file, line));
	KASSERT(LOCK_CLASS(&m->lock_object) == &lock_class_mtx_spin,
	    ("mtx_lock_spin() of sleep mutex %s @ %s:%d", m->lock_object.lo_name, file, line));
	if (mtx_owned(m))
		KASSERT((m->lock_object.lo_flags & LO_RECURSABLE) != 0 || (opts & MTX_RECURSE) != 0,
		    ("mtx_lock_spin: recursed on non-recursive mutex %s @ %s:%d\n",
		    m->lock_object.lo_name, file, line));
	WITNESS_CHECKORDER(&m->lock_object, (opts & ~MTX_RECURSE) | LOP_NEWORDER | LOP_EXCLUSIVE,
	    file, line);
	kern_preempt_point();
	spinlock_enter();
	if (mtx_owned(m))
		m->lock_object.lo_data++;
	else
		while (!take(c)) {
			/* Preemption is off: only another CPU's thread can let go. */
			if (host_config.wall) {
				if (since == 0)
					since = kern_now_ns();
				else if (kern_now_ns() - since > 10000000000)
					panic("spin lock held too long");
			}
			sched_spin();
		}
	WITNESS_LOCK(&m->lock_object, (opts & ~MTX_RECURSE) | LOP_EXCLUSIVE, file, line);
}

int
__mtx_trylock_spin_flags(volatile uintptr_t *c, int opts, const char *file, int line)
{
	struct mtx *m = MTX_OF(c);

	KASSERT(LOCK_CLASS(&m->lock_object) == &lock_class_mtx_spin,
	    ("mtx_trylock_spin() of sleep mutex %s @ %s:%d", m->lock_object.lo_name, file, line));
	spinlock_enter();
	if (!take(c)) {
		spinlock_exit();
		return (0);
	}
	WITNESS_LOCK(&m->lock_object, LOP_EXCLUSIVE | LOP_TRYLOCK, file, line);
	return (1);
}

void
__mtx_unlock_spin_flags(volatile uintptr_t *c, int opts, const char *file, int line)
{
	struct mtx *m = MTX_OF(c);

	if (SCHEDULER_STOPPED())
		return;
	KASSERT(__atomic_load_n(c, __ATOMIC_RELAXED) != MTX_DESTROYED, ("mtx_unlock_spin() of destroyed mutex %p @ %s:%d", m, file, line));
	KASSERT(LOCK_CLASS(&m->lock_object) == &lock_class_mtx_spin,
	    ("mtx_unlock_spin() of sleep mutex %s @ %s:%d", m->lock_object.lo_name, file, line));
	WITNESS_UNLOCK(&m->lock_object, opts | LOP_EXCLUSIVE, file, line);
	mtx_assert_(m, MA_OWNED, file, line);
	if (m->lock_object.lo_data != 0)
		m->lock_object.lo_data--;
	else
		__atomic_store_n(c, MTX_UNOWNED, __ATOMIC_RELEASE);
	spinlock_exit();
}

void
__mtx_assert(const volatile uintptr_t *c, int what, const char *file, int line)
{
	const struct mtx *m = MTX_OF(c);

	if (KERNEL_PANICKED())
		return;
	switch (what) {
	case MA_OWNED:
	case MA_OWNED | MA_RECURSED:
	case MA_OWNED | MA_NOTRECURSED:
		if (!mtx_owned(m))
			panic("mutex %s not owned at %s:%d", m->lock_object.lo_name, file, line);
		if (mtx_recursed(m)) {
			if ((what & MA_NOTRECURSED) != 0)
				panic("mutex %s recursed at %s:%d", m->lock_object.lo_name, file, line);
		} else if ((what & MA_RECURSED) != 0)
			panic("mutex %s unrecursed at %s:%d", m->lock_object.lo_name, file, line);
		break;
	case MA_NOTOWNED:
		if (mtx_owned(m))
			panic("mutex %s owned at %s:%d", m->lock_object.lo_name, file, line);
		break;
	default:
		panic("unknown mtx_assert at %s:%d", file, line);
	}
}
