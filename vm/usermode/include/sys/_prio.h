/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS__PRIO_H_
#define	_SYS__PRIO_H_

/* Priorities, after FreeBSD's ranges: smaller is more urgent. */
#define	PRI_MIN		0
#define	PRI_MAX		255
#define	PRI_ITHD	3
#define	PRI_REALTIME	1
#define	PRI_TIMESHARE	2
#define	PI_REALTIME	0
#define	PI_INTR		4
#define	PI_NET		PI_INTR
#define	PI_AV		PI_INTR
#define	PI_DISK		PI_INTR
#define	PI_TTY		PI_INTR
#define	PI_DULL		PI_INTR
#define	PI_SOFT		8
#define	PI_SOFTCLOCK	PI_SOFT
#define	PI_SWI(x)	PI_SOFT
#define	PRI_MIN_KERN	48
#define	PSWP		(PRI_MIN_KERN + 0)
#define	PVM		(PRI_MIN_KERN + 1)
#define	PINOD		(PRI_MIN_KERN + 2)
#define	PRIBIO		(PRI_MIN_KERN + 3)
#define	PVFS		(PRI_MIN_KERN + 4)
#define	PZERO		(PRI_MIN_KERN + 5)
#define	PSOCK		(PRI_MIN_KERN + 6)
#define	PWAIT		(PRI_MIN_KERN + 7)
#define	PLOCK		(PRI_MIN_KERN + 8)
#define	PPAUSE		(PRI_MIN_KERN + 9)
#define	PRI_MIN_TIMESHARE 56
#define	PRI_MAX_TIMESHARE 223
#define	PUSER		PRI_MIN_TIMESHARE
#define	PRI_MIN_IDLE	224
#define	PRI_MAX_IDLE	PRI_MAX

#endif /* !_SYS__PRIO_H_ */
