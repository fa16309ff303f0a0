/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_DNH_H_
#define	_SYS_DNH_H_

#include <sys/types.h>

/* What the guest has beyond FreeBSD.  Kernel patches use none of it. */

extern bool	dnh_clock_is_virtual;
/*
 * Coroutines of one host thread need no locked instructions among themselves,
 * and these cost more than all that they guard.  ThreadSanitizer takes them for
 * threads, and learns from these instructions who waits for whom.
 */
#ifdef __SANITIZE_THREAD__
#define	DNH_PLAIN	false
#else
#define	DNH_PLAIN	dnh_clock_is_virtual
#endif
#define	DNH_ADD(p, v) do {						\
	if (DNH_PLAIN)							\
		*(p) += (v);						\
	else								\
		(void)__atomic_fetch_add((p), (v), __ATOMIC_RELAXED);	\
} while (0)
/* What handing one packet over to an epair's other end costs: kern.dnh.pkt_cost_ns. */
extern int	dnh_pkt_cost_ns;
/* Code that takes time in life: lets ns pass on the virtual clock, nothing on the wall clock. */
void	kern_spend_ns(uint64_t ns);
/* A place where another thread may get its turn, as if another CPU had been faster. */
extern __thread int kern_preempt_budget;
void	kern_preempt_now(void);
static inline void
kern_preempt_point(void)
{
#ifdef __SANITIZE_THREAD__
	/* All coroutines have the one. */
	if (__atomic_sub_fetch(&kern_preempt_budget, 1, __ATOMIC_RELAXED) <= 0)
#else
	if (__predict_false(--kern_preempt_budget <= 0))
#endif
		kern_preempt_now();
}
/* Monotonic time of the guest in ns. */
int64_t	kern_now_ns(void);
/* Sleep to an absolute time of kern_now_ns(): 0, or EINTR when a signal ended it. */
int	kern_sleep_until_ns(int64_t ns);

#endif /* !_SYS_DNH_H_ */
