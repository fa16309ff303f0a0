/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_RMLOCK_H_
#define	_SYS_RMLOCK_H_

#include <sys/types.h>
#include <sys/lock.h>
#include <sys/_rmlock.h>
#include <sys/pcpu.h>

#define	RM_NOWITNESS	0x00000001
#define	RM_RECURSE	0x00000002
#define	RM_SLEEPABLE	0x00000004
#define	RM_NEW		0x00000008
#define	RM_DUPOK	0x00000010

void	rm_init_flags(struct rmlock *rm, const char *name, int opts);
void	rm_init(struct rmlock *rm, const char *name);
void	rm_destroy(struct rmlock *rm);
int	rm_wowned(const struct rmlock *rm);
void	rm_sysinit(void *arg);
void	_rm_wlock_debug(struct rmlock *rm, const char *file, int line);
void	_rm_wunlock_debug(struct rmlock *rm, const char *file, int line);
int	_rm_rlock_debug(struct rmlock *rm, struct rm_priotracker *tracker, int trylock,
	    const char *file, int line);
void	_rm_runlock_debug(struct rmlock *rm, struct rm_priotracker *tracker,
	    const char *file, int line);
void	_rm_assert(const struct rmlock *rm, int what, const char *file, int line);

#define	rm_wlock(rm)		_rm_wlock_debug((rm), LOCK_FILE, LOCK_LINE)
#define	rm_wunlock(rm)		_rm_wunlock_debug((rm), LOCK_FILE, LOCK_LINE)
#define	rm_rlock(rm, t)		((void)_rm_rlock_debug((rm), (t), 0, LOCK_FILE, LOCK_LINE))
#define	rm_try_rlock(rm, t)	_rm_rlock_debug((rm), (t), 1, LOCK_FILE, LOCK_LINE)
#define	rm_runlock(rm, t)	_rm_runlock_debug((rm), (t), LOCK_FILE, LOCK_LINE)
#define	rm_sleep(chan, rm, pri, wmesg, timo)				\
	_sleep((chan), &(rm)->lock_object, (pri), (wmesg), tick_sbt * (timo), 0, C_HARDCLOCK)

#define	RA_LOCKED	LA_LOCKED
#define	RA_RLOCKED	LA_SLOCKED
#define	RA_WLOCKED	LA_XLOCKED
#define	RA_UNLOCKED	LA_UNLOCKED
#define	RA_RECURSED	LA_RECURSED
#define	RA_NOTRECURSED	LA_NOTRECURSED
#ifdef INVARIANTS
#define	rm_assert(rm, what)	_rm_assert((rm), (what), LOCK_FILE, LOCK_LINE)
#else
#define	rm_assert(rm, what)	(void)0
#endif

struct rm_args { struct rmlock *ra_rm; const char *ra_desc; int ra_flags; };
#define	RM_SYSINIT_FLAGS(name, rm, desc, flags)				\
	static struct rm_args name##_args = { (rm), (desc), (flags) };	\
	SYSINIT(name##_rm_sysinit, SI_SUB_LOCK, SI_ORDER_MIDDLE, rm_sysinit, &name##_args); \
	SYSUNINIT(name##_rm_sysuninit, SI_SUB_LOCK, SI_ORDER_MIDDLE, rm_destroy, (rm))
#define	RM_SYSINIT(name, rm, desc)	RM_SYSINIT_FLAGS(name, rm, desc, 0)

/* Read-mostly sleepable, for everybody's reading: rms locks are sx here. */
struct rmslock { struct sx rms_sx; };
#define	rms_init(r, n)		sx_init(&(r)->rms_sx, (n))
#define	rms_destroy(r)		sx_destroy(&(r)->rms_sx)
#define	rms_rlock(r)		sx_slock(&(r)->rms_sx)
#define	rms_runlock(r)		sx_sunlock(&(r)->rms_sx)
#define	rms_wlock(r)		sx_xlock(&(r)->rms_sx)
#define	rms_wunlock(r)		sx_xunlock(&(r)->rms_sx)

#endif /* !_SYS_RMLOCK_H_ */
