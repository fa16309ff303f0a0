/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_CALLOUT_H_
#define	_SYS_CALLOUT_H_

#include <sys/_callout.h>
#include <sys/kernel.h>
#include <sys/time.h>
#include <sys/systm.h>

#define	CALLOUT_LOCAL_ALLOC	0x0001
#define	CALLOUT_ACTIVE		0x0002
#define	CALLOUT_PENDING		0x0004
#define	CALLOUT_MPSAFE		0x0008
#define	CALLOUT_RETURNUNLOCKED	0x0010
#define	CALLOUT_SHAREDLOCK	0x0020
#define	CALLOUT_DFRMIGRATION	0x0040
#define	CALLOUT_PROCESSED	0x0080
#define	CALLOUT_DIRECT		0x0100

#define	CS_DRAIN	0x0001
#define	CS_EXECUTING	0x0002

#define	callout_active(c)	((c)->c_flags & CALLOUT_ACTIVE)
#define	callout_pending(c)	((c)->c_iflags & CALLOUT_PENDING)
#define	callout_deactivate(c)	((c)->c_flags &= ~CALLOUT_ACTIVE)
void	callout_init(struct callout *c, int mpsafe);
void	_callout_init_lock(struct callout *c, struct lock_object *lock, int flags);
#define	callout_init_mtx(c, m, f)					\
	_callout_init_lock((c), (m) != NULL ? &(m)->lock_object : NULL, (f))
#define	callout_init_rm(c, r, f)	_callout_init_lock((c), &(r)->lock_object, (f))
#define	callout_init_rw(c, r, f)	_callout_init_lock((c), &(r)->lock_object, (f))
int	callout_reset_sbt_on(struct callout *c, sbintime_t sbt, sbintime_t pr,
	    callout_func_t *func, void *arg, int cpu, int flags);
int	_callout_stop_safe(struct callout *c, int flags);
int	callout_schedule(struct callout *c, int to_ticks);
int	callout_schedule_on(struct callout *c, int to_ticks, int cpu);
#define	callout_stop(c)		_callout_stop_safe((c), 0)
#define	callout_drain(c)	_callout_stop_safe((c), CS_DRAIN)
#define	callout_reset_sbt(c, sbt, pr, fn, arg, flags)			\
	callout_reset_sbt_on((c), (sbt), (pr), (fn), (arg), -1, (flags))
#define	callout_reset_sbt_curcpu(c, sbt, pr, fn, arg, flags)		\
	callout_reset_sbt_on((c), (sbt), (pr), (fn), (arg), curcpu, (flags))
#define	callout_reset_on(c, to_ticks, fn, arg, cpu)			\
	callout_reset_sbt_on((c), tick_sbt * (to_ticks), 0, (fn), (arg), (cpu), C_HARDCLOCK)
#define	callout_reset(c, to_ticks, fn, arg)				\
	callout_reset_on((c), (to_ticks), (fn), (arg), -1)
#define	callout_reset_curcpu(c, to_ticks, fn, arg)			\
	callout_reset_on((c), (to_ticks), (fn), (arg), curcpu)
#define	callout_schedule_sbt_on(c, sbt, pr, cpu, flags)			\
	callout_reset_sbt_on((c), (sbt), (pr), (c)->c_func, (c)->c_arg, (cpu), (flags))
#define	callout_schedule_sbt(c, sbt, pr, flags)				\
	callout_schedule_sbt_on((c), (sbt), (pr), -1, (flags))

#endif /* !_SYS_CALLOUT_H_ */
