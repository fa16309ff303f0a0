/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SX_H_
#define	_SYS_SX_H_

#include <sys/rwlock.h>

struct sx {
	struct shared_lock sx;
};
#define	SX_DUPOK	0x01
#define	SX_NOWITNESS	0x04
#define	SX_RECURSE	0x10
#define	SX_NEW		0x80
void	sx_init_flags(struct sx *, const char *, int);
#define	sx_init(l, n)		sx_init_flags((l), (n), 0)
void	sx_destroy(struct sx *);
#define	sx_slock(l)		shared_rlock(&(l)->sx, __FILE__, __LINE__)
#define	sx_xlock(l)		shared_wlock(&(l)->sx, __FILE__, __LINE__)
#define	sx_try_slock(l)		shared_try_rlock(&(l)->sx, __FILE__, __LINE__)
#define	sx_try_xlock(l)		shared_try_wlock(&(l)->sx, __FILE__, __LINE__)
#define	sx_sunlock(l)		shared_runlock(&(l)->sx, __FILE__, __LINE__)
#define	sx_xunlock(l)		shared_wunlock(&(l)->sx, __FILE__, __LINE__)
#define	sx_unlock(l)		shared_unlock(&(l)->sx, __FILE__, __LINE__)
#define	sx_xlock_sig(l)		(sx_xlock(l), 0)
#define	sx_slock_sig(l)		(sx_slock(l), 0)
#define	sx_xlocked(l)		((l)->sx.sl_owner == curthread)
#define	SA_LOCKED	LA_LOCKED
#define	SA_SLOCKED	LA_SLOCKED
#define	SA_XLOCKED	LA_XLOCKED
#define	SA_UNLOCKED	LA_UNLOCKED
#define	SX_LOCKED	LA_LOCKED
#define	SX_XLOCKED	LA_XLOCKED
#ifdef INVARIANTS
#define	sx_assert(l, what)	shared_assert(&(l)->sx, (what), __FILE__, __LINE__)
#else
#define	sx_assert(l, what)	((void)0)
#endif
struct sx_args {
	void		*sa_sx;
	const char	*sa_desc;
};
void	sx_sysinit(void *);
#define	SX_SYSINIT(name, sx, desc)					\
	static struct sx_args name##_args = { (sx), (desc) };		\
	SYSINIT(name##_sx_sysinit, SI_SUB_LOCK, SI_ORDER_MIDDLE,	\
	    sx_sysinit, &name##_args)

#endif /* !_SYS_SX_H_ */
