/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_RWLOCK_H_
#define	_SYS_RWLOCK_H_

#include <sys/lock.h>

/*
 * Readers and one writer: rwlock(9), rmlock(9) and sx(9) differ in what a
 * holder may do, not in how they exclude one another.
 */
struct shared_lock {
	struct lock_object lock_object;
	volatile long	sl_state;	/* readers, or -1: written */
	volatile u_int	sl_waiters;
	u_int		sl_recurse;
	struct thread	*volatile sl_owner;
};
void	shared_rlock(struct shared_lock *, const char *, int);
void	shared_wlock(struct shared_lock *, const char *, int);
int	shared_try_rlock(struct shared_lock *, const char *, int);
int	shared_try_wlock(struct shared_lock *, const char *, int);
void	shared_runlock(struct shared_lock *, const char *, int);
void	shared_wunlock(struct shared_lock *, const char *, int);
void	shared_unlock(struct shared_lock *, const char *, int);
int	shared_try_upgrade(struct shared_lock *, const char *, int);
void	shared_downgrade(struct shared_lock *, const char *, int);

struct rwlock {
	struct shared_lock rw;
};
#define	RW_RECURSE	0x04
#define	RW_DUPOK	0x01
#define	RW_NOWITNESS	0x08
#define	RW_QUIET	0x10
#define	RW_NEW		0x20
void	rw_init_flags(struct rwlock *, const char *, int);
#define	rw_init(l, n)		rw_init_flags((l), (n), 0)
void	rw_destroy(struct rwlock *);
#define	rw_rlock(l)		shared_rlock(&(l)->rw, __FILE__, __LINE__)
#define	rw_wlock(l)		shared_wlock(&(l)->rw, __FILE__, __LINE__)
#define	rw_try_rlock(l)		shared_try_rlock(&(l)->rw, __FILE__, __LINE__)
#define	rw_try_wlock(l)		shared_try_wlock(&(l)->rw, __FILE__, __LINE__)
#define	rw_runlock(l)		shared_runlock(&(l)->rw, __FILE__, __LINE__)
#define	rw_wunlock(l)		shared_wunlock(&(l)->rw, __FILE__, __LINE__)
#define	rw_unlock(l)		shared_unlock(&(l)->rw, __FILE__, __LINE__)
#define	rw_try_upgrade(l)	shared_try_upgrade(&(l)->rw, __FILE__, __LINE__)
#define	rw_downgrade(l)		shared_downgrade(&(l)->rw, __FILE__, __LINE__)
#define	rw_wowned(l)		((l)->rw.sl_owner == curthread)
#define	rw_initialized(l)	(((l)->rw.lock_object.lo_flags & LO_INITIALIZED) != 0)
#define	RA_LOCKED	LA_LOCKED
#define	RA_RLOCKED	LA_SLOCKED
#define	RA_WLOCKED	LA_XLOCKED
#define	RA_UNLOCKED	LA_UNLOCKED
#define	RA_RECURSED	LA_RECURSED
#define	RA_NOTRECURSED	LA_NOTRECURSED
void	shared_assert(const struct shared_lock *, int, const char *, int);
#ifdef INVARIANTS
#define	rw_assert(l, what)	shared_assert(&(l)->rw, (what), __FILE__, __LINE__)
#else
#define	rw_assert(l, what)	((void)0)
#endif
struct rw_args {
	void		*ra_rw;
	const char	*ra_desc;
};
void	rw_sysinit(void *);
#define	RW_SYSINIT(name, rw, desc)					\
	static struct rw_args name##_args = { (rw), (desc) };		\
	SYSINIT(name##_rw_sysinit, SI_SUB_LOCK, SI_ORDER_MIDDLE,	\
	    rw_sysinit, &name##_args)

#endif /* !_SYS_RWLOCK_H_ */
