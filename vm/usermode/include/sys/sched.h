/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SCHED_H_
#define	_SYS_SCHED_H_

#include <sys/proc.h>

void	sched_bind(struct thread *td, int cpu);
void	sched_unbind(struct thread *td);
int	sched_is_bound(struct thread *td);
void	sched_prio(struct thread *td, u_char prio);
void	sched_relinquish(struct thread *td);
void	sched_add(struct thread *td, int flags);
#define	SRQ_BORING	0
#define	SRQ_INTR	4

#endif /* !_SYS_SCHED_H_ */
