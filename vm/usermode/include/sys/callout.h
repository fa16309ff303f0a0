/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_CALLOUT_H_
#define	_SYS_CALLOUT_H_

#include <sys/lock.h>

typedef void callout_func_t(void *);

struct callout {
	int64_t		c_when;		/* ns */
	callout_func_t	*c_func;
	void		*c_arg;
	struct lock_object *c_lock;
	int		c_flags;
	int		c_heapidx;	/* from 1; 0: not pending */
	uint64_t	c_seq;		/* order of those due at once */
};
#define	CALLOUT_ACTIVE		0x0002
#define	CALLOUT_PENDING		0x0004
#define	CALLOUT_MPSAFE		0x0008
#define	CALLOUT_RETURNUNLOCKED	0x0010
#define	CALLOUT_SHAREDLOCK	0x0020

#define	C_DIRECT_EXEC	0x0001
#define	C_PRELBITS	7
#define	C_PREL(x)	(((x) + 1) << 1)
#define	C_HARDCLOCK	0x0100
#define	C_ABSOLUTE	0x0200
#define	C_PRECALC	0x0400
#define	C_CATCH		0x0800

#define	CS_DRAIN	0x0001

struct mtx;
struct rwlock;
void	callout_init(struct callout *, int mpsafe);
void	_callout_init_lock(struct callout *, struct lock_object *, int);
#define	callout_init_mtx(c, m, f) _callout_init_lock((c), &(m)->lock_object, (f))
#define	callout_init_rw(c, l, f) _callout_init_lock((c), &(l)->rw.lock_object, (f))
#define	callout_init_rm(c, l, f) _callout_init_lock((c), &(l)->rm.lock_object, (f))
int	callout_reset_sbt_on(struct callout *, sbintime_t, sbintime_t,
	    callout_func_t *, void *, int cpu, int flags);
#define	callout_reset_sbt(c, sbt, pr, fn, arg, flags)			\
	callout_reset_sbt_on((c), (sbt), (pr), (fn), (arg), -1, (flags))
#define	callout_reset_on(c, t, fn, arg, cpu)				\
	callout_reset_sbt_on((c), kern_ticks_sbt(t), 0, (fn), (arg), (cpu), C_HARDCLOCK)
#define	callout_reset(c, t, fn, arg)	callout_reset_on((c), (t), (fn), (arg), -1)
#define	callout_reset_curcpu(c, t, fn, arg) callout_reset((c), (t), (fn), (arg))
int	callout_schedule(struct callout *, int);
int	_callout_stop_safe(struct callout *, int);
#define	callout_stop(c)		_callout_stop_safe((c), 0)
#define	callout_drain(c)	_callout_stop_safe((c), CS_DRAIN)
#define	callout_pending(c)	(((c)->c_flags & CALLOUT_PENDING) != 0)
#define	callout_active(c)	(((c)->c_flags & CALLOUT_ACTIVE) != 0)
#define	callout_deactivate(c)	((c)->c_flags &= ~CALLOUT_ACTIVE)
sbintime_t kern_ticks_sbt(int timo);

#endif /* !_SYS_CALLOUT_H_ */
