/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_DNH_H_
#define	_SYS_DNH_H_

#include <sys/types.h>

/* What the guest has beyond FreeBSD.  Kernel patches use none of it. */

extern bool	dnh_clock_is_virtual;
/*
 * Coroutines of one host thread need no locked instructions among themselves,
 * and these cost more than all that they guard.
 */
#define	DNH_ADD(p, v) do {						\
	if (dnh_clock_is_virtual)					\
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
	if (__predict_false(--kern_preempt_budget <= 0))
		kern_preempt_now();
}
/* Monotonic time of the guest in ns. */
int64_t	kern_now_ns(void);
/* Sleep to an absolute time of kern_now_ns(): 0, or EINTR when a signal ended it. */
int	kern_sleep_until_ns(int64_t ns);

#endif /* !_SYS_DNH_H_ */
