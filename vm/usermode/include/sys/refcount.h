/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_REFCOUNT_H_
#define	_SYS_REFCOUNT_H_

#include <sys/kassert.h>
#include <machine/atomic.h>

static inline void
refcount_init(volatile u_int *c, u_int v)
{
	__atomic_store_n(c, v, __ATOMIC_RELAXED);
}
static inline u_int
refcount_load(volatile u_int *c)
{
	return (__atomic_load_n(c, __ATOMIC_RELAXED));
}
static inline u_int
refcount_acquiren(volatile u_int *c, u_int n)
{
	u_int old = __atomic_fetch_add(c, n, __ATOMIC_RELAXED);

	KASSERT(old < 0x80000000u, ("refcount %p overflowed", c));
	return (old);
}
#define	refcount_acquire(c)	refcount_acquiren((c), 1)
static inline bool
refcount_acquire_if_not_zero(volatile u_int *c)
{
	u_int old = __atomic_load_n(c, __ATOMIC_RELAXED);

	while (old != 0)
		if (__atomic_compare_exchange_n(c, &old, old + 1, 0,
		    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return (true);
	return (false);
}
static inline bool
refcount_releasen(volatile u_int *c, u_int n)
{
	u_int old = __atomic_fetch_sub(c, n, __ATOMIC_ACQ_REL);

	KASSERT(old >= n, ("refcount %p overreleased", c));
	return (old == n);
}
#define	refcount_release(c)	refcount_releasen((c), 1)
static inline bool
refcount_release_if_not_last(volatile u_int *c)
{
	u_int old = __atomic_load_n(c, __ATOMIC_RELAXED);

	while (old > 1)
		if (__atomic_compare_exchange_n(c, &old, old - 1, 0,
		    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return (true);
	return (false);
}

#endif /* !_SYS_REFCOUNT_H_ */
