/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_COUNTER_H_
#define	_SYS_COUNTER_H_

#include <sys/types.h>
#include <sys/pcpu.h>
#include <machine/atomic.h>
#include <sys/proc.h>
#include <sys/dnh.h>

/* Slots of all CPUs, a cache line apart; each is added to atomically. */
typedef uint64_t *counter_u64_t;

counter_u64_t counter_u64_alloc(int wait);
void	counter_u64_free(counter_u64_t c);
void	counter_u64_zero(counter_u64_t c);
uint64_t counter_u64_fetch(counter_u64_t c);
#define	counter_enter()		do { } while (0)
#define	counter_exit()		do { } while (0)
static inline void
counter_u64_add(counter_u64_t c, int64_t v)
{
	DNH_ADD((uint64_t *)zpcpu_get(c), (uint64_t)v);
}
#define	counter_u64_add_protected(c, v)	counter_u64_add(c, v)
#define	COUNTER_ARRAY_ALLOC(a, n, wait)	do {				\
	for (int _i = 0; _i < (int)(n); _i++)				\
		(a)[_i] = counter_u64_alloc(wait);			\
} while (0)
#define	COUNTER_ARRAY_FREE(a, n)	do {				\
	for (int _i = 0; _i < (int)(n); _i++)				\
		counter_u64_free((a)[_i]);				\
} while (0)
#define	COUNTER_ARRAY_COPY(a, dstp, n)	do {				\
	for (int _i = 0; _i < (int)(n); _i++)				\
		((uint64_t *)(dstp))[_i] = counter_u64_fetch((a)[_i]);	\
} while (0)
#define	COUNTER_ARRAY_ZERO(a, n)	do {				\
	for (int _i = 0; _i < (int)(n); _i++)				\
		counter_u64_zero((a)[_i]);				\
} while (0)

struct counter_rate {
	uint64_t	cr_count;
	int		cr_ticks;
	int		cr_over;
};
int64_t	counter_ratecheck(struct counter_rate *, int64_t);
#define	COUNTER_U64_SYSINIT(c)						\
	SYSINIT(c##_counter_sysinit, SI_SUB_COUNTER, SI_ORDER_ANY, counter_u64_sysinit, &c); \
	SYSUNINIT(c##_counter_sysuninit, SI_SUB_COUNTER, SI_ORDER_ANY, counter_u64_sysuninit, &c)
#define	COUNTER_U64_DEFINE_EARLY(c)					\
	counter_u64_t c;						\
	COUNTER_U64_SYSINIT(c)
void	counter_u64_sysinit(void *);
void	counter_u64_sysuninit(void *);

#endif /* !_SYS_COUNTER_H_ */
