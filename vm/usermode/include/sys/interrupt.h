/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_INTERRUPT_H_
#define	_SYS_INTERRUPT_H_

#include <sys/types.h>

/* Software interrupts: a thread of the "intr" process that runs a handler when scheduled. */
struct intr_event;
typedef void driver_intr_t(void *);
#define	INTR_TYPE_NET	4
#define	INTR_MPSAFE	512
#define	SWI_TTY		0
#define	SWI_NET		1
#define	SWI_CAMBIO	2
#define	SWI_BUSDMA	3
#define	SWI_CLOCK	4
#define	SWI_TQ_FAST	5
#define	SWI_TQ		6
#define	SWI_DELAY	0x2
#define	SWI_FROMNMI	0x1
int	swi_add(struct intr_event **eventp, const char *name, driver_intr_t handler, void *arg,
	    int pri, int flags, void **cookiep);
void	swi_sched(void *cookie, int flags);
int	swi_remove(void *cookie);
int	intr_event_bind(struct intr_event *ie, int cpu);

#endif /* !_SYS_INTERRUPT_H_ */
