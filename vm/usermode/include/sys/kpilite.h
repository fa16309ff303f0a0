/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_KPILITE_H_
#define	_SYS_KPILITE_H_

#include <sys/types.h>

void	sched_pin(void);
void	sched_unpin(void);

#endif /* !_SYS_KPILITE_H_ */
