/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_COUNTER_H_
#define	_SYS_COUNTER_H_

#include <sys/types.h>
#include <machine/atomic.h>

typedef uint64_t	*counter_u64_t;

counter_u64_t counter_u64_alloc(int);
void	counter_u64_free(counter_u64_t);
static inline void
counter_u64_add(counter_u64_t c, int64_t v)
{
	(void)__atomic_fetch_add(c, (uint64_t)v, __ATOMIC_RELAXED);
}
#define	counter_u64_add_protected(c, v)	counter_u64_add((c), (v))
#define	counter_enter()		do { } while (0)
#define	counter_exit()		do { } while (0)
static inline uint64_t
counter_u64_fetch(counter_u64_t c)
{
	return (__atomic_load_n(c, __ATOMIC_RELAXED));
}
static inline void
counter_u64_zero(counter_u64_t c)
{
	__atomic_store_n(c, 0, __ATOMIC_RELAXED);
}
#define	COUNTER_ARRAY_ALLOC(a, n, wait) do {				\
	for (size_t _i = 0; _i < (n); _i++)				\
		(a)[_i] = counter_u64_alloc(wait);			\
} while (0)
#define	COUNTER_ARRAY_FREE(a, n) do {					\
	for (size_t _i = 0; _i < (n); _i++)				\
		counter_u64_free((a)[_i]);				\
} while (0)
#define	COUNTER_ARRAY_COPY(a, dstp, n) do {				\
	for (size_t _i = 0; _i < (n); _i++)				\
		((uint64_t *)(dstp))[_i] = counter_u64_fetch((a)[_i]);	\
} while (0)
#define	COUNTER_ARRAY_ZERO(a, n) do {					\
	for (size_t _i = 0; _i < (n); _i++)				\
		counter_u64_zero((a)[_i]);				\
} while (0)
#define	COUNTER_U64_SYSINIT(c)						\
	static void c##_counter_init(void *arg __unused) { (c) = counter_u64_alloc(2); } \
	SYSINIT(c##_counter, SI_SUB_CPU, SI_ORDER_ANY, c##_counter_init, NULL)
#define	COUNTER_U64_DEFINE_EARLY(c)					\
	static uint64_t c##_early; counter_u64_t c = &c##_early

struct counter_rate;
int64_t	counter_ratecheck(struct counter_rate *, int64_t);

#endif /* !_SYS_COUNTER_H_ */
