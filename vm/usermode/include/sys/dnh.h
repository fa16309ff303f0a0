/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_DNH_H_
#define	_SYS_DNH_H_

#include <sys/types.h>

/* What the guest has beyond FreeBSD.  Kernel patches use none of it. */

extern bool	dnh_clock_is_virtual;
/* What handing one packet over to an epair's other end costs: kern.dnh.pkt_cost_ns. */
extern int	dnh_pkt_cost_ns;
/* Code that takes time in life: lets ns pass on the virtual clock, nothing on the wall clock. */
void	kern_spend_ns(uint64_t ns);
/* A place where another thread may get its turn, as if another CPU had been faster. */
void	kern_preempt_point(void);
/* Monotonic time of the guest in ns. */
int64_t	kern_now_ns(void);
/* Sleep to an absolute time of kern_now_ns(): 0, or EINTR when a signal ended it. */
int	kern_sleep_until_ns(int64_t ns);

#endif /* !_SYS_DNH_H_ */
