/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_DNH_H_
#define	_SYS_DNH_H_

#include <sys/types.h>
#include <sys/linker_set.h>

/* What the guest has beyond FreeBSD.  Kernel patches use none of it. */

/* Of use to code that costs time in life: lets ns pass on the virtual clock; nothing on the wall clock. */
void	dnh_consume(int64_t ns);
/* A place where another thread may get its turn, as if another CPU had been faster. */
void	dnh_preempt_point(void);
extern bool	dnh_clock_is_virtual;
/* Monotonic time of the guest in ns. */
int64_t	dnh_now_ns(void);
/* Sleep to an absolute time of dnh_now_ns(), interruptible by a signal: 0 or EINTR. */
int	dnh_sleep_until(int64_t ns);

#endif /* !_SYS_DNH_H_ */
