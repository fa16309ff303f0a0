/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_REFCOUNT_H_
#define	_SYS_REFCOUNT_H_

#include <sys/types.h>
#include <sys/systm.h>
#include <machine/atomic.h>

#define	REFCOUNT_SATURATED(val)		(((val) & (1U << 31)) != 0)
#define	REFCOUNT_SATURATION_VALUE	(3U << 30)

static inline void
refcount_init(volatile u_int *count, u_int value)
{
	atomic_store_int(count, value);
}

static inline u_int
refcount_load(volatile u_int *count)
{
	return (atomic_load_int(count));
}

static inline u_int
refcount_acquire(volatile u_int *count)
{
	u_int old = __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);

	if (__predict_false(REFCOUNT_SATURATED(old)))
		panic("refcount %p wraparound", count);
	return (old);
}

static inline u_int
refcount_acquiren(volatile u_int *count, u_int n)
{
	return (__atomic_fetch_add(count, n, __ATOMIC_RELAXED));
}

static inline __result_use_check bool
refcount_acquire_checked(volatile u_int *count)
{
	refcount_acquire(count);
	return (true);
}

static inline bool
refcount_acquire_if_gt(volatile u_int *count, u_int n)
{
	u_int old = atomic_load_int(count);

	for (;;) {
		if (old <= n)
			return (false);
		if (atomic_fcmpset_int(count, &old, old + 1))
			return (true);
	}
}
#define	refcount_acquire_if_not_zero(c)	refcount_acquire_if_gt((c), 0)

static inline bool
refcount_releasen(volatile u_int *count, u_int n)
{
	u_int old = __atomic_fetch_sub(count, n, __ATOMIC_ACQ_REL);

	if (__predict_false(old < n || REFCOUNT_SATURATED(old)))
		panic("refcount %p wraparound", count);
	return (old == n);
}

static inline bool
refcount_release(volatile u_int *count)
{
	return (refcount_releasen(count, 1));
}

static inline bool
refcount_release_if_gt(volatile u_int *count, u_int n)
{
	u_int old = atomic_load_int(count);

	for (;;) {
		if (old <= n)
			return (false);
		if (__atomic_compare_exchange_n(count, &old, old - 1, 0,
		    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return (true);
	}
}
#define	refcount_release_if_last(c) __extension__ ({ u_int __one = 1;		\
	(bool)__atomic_compare_exchange_n((c), &__one, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED); })
#define	refcount_release_if_not_last(c)	refcount_release_if_gt((c), 1)

#endif /* !_SYS_REFCOUNT_H_ */
