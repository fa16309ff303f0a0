/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_RMLOCK_H_
#define	_SYS_RMLOCK_H_

#include <sys/rwlock.h>

struct rmlock {
	struct shared_lock rm;
};
struct rm_priotracker {
	struct thread	*rmp_thread;
};
#define	RM_NOWITNESS	0x01
#define	RM_RECURSE	0x02
#define	RM_SLEEPABLE	0x04
#define	RM_NEW		0x08
#define	RM_DUPOK	0x10
void	rm_init_flags(struct rmlock *, const char *, int);
#define	rm_init(l, n)		rm_init_flags((l), (n), 0)
void	rm_destroy(struct rmlock *);
#define	rm_rlock(l, t)		((t)->rmp_thread = curthread,		\
	shared_rlock(&(l)->rm, __FILE__, __LINE__))
#define	rm_try_rlock(l, t)	((t)->rmp_thread = curthread,		\
	shared_try_rlock(&(l)->rm, __FILE__, __LINE__))
#define	rm_runlock(l, t)	((void)(t), shared_runlock(&(l)->rm, __FILE__, __LINE__))
#define	rm_wlock(l)		shared_wlock(&(l)->rm, __FILE__, __LINE__)
#define	rm_wunlock(l)		shared_wunlock(&(l)->rm, __FILE__, __LINE__)
#define	rm_wowned(l)		((l)->rm.sl_owner == curthread)
#ifdef INVARIANTS
#define	rm_assert(l, what)	shared_assert(&(l)->rm, (what), __FILE__, __LINE__)
#else
#define	rm_assert(l, what)	((void)0)
#endif

#endif /* !_SYS_RMLOCK_H_ */
