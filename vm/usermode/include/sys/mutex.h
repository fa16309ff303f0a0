/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_MUTEX_H_
#define	_SYS_MUTEX_H_

#include <sys/lock.h>

#define	MTX_DEF		0x00000000
#define	MTX_SPIN	0x00000001
#define	MTX_RECURSE	0x00000004
#define	MTX_NOWITNESS	0x00000008
#define	MTX_QUIET	0x00000040
#define	MTX_DUPOK	0x00000080
#define	MTX_NEW		0x00000100
#define	MTX_NETWORK_LOCK "network driver"

struct mtx {
	struct lock_object lock_object;
	volatile uintptr_t mtx_lock;	/* owner | MTX_CONTESTED, or MTX_UNOWNED */
	u_int		mtx_recurse;
};
#define	MTX_UNOWNED	((uintptr_t)0)
#define	MTX_CONTESTED	((uintptr_t)1)

void	mtx_init(struct mtx *, const char *name, const char *type, int opts);
void	mtx_destroy(struct mtx *);
void	_mtx_lock_flags(struct mtx *, int, const char *, int);
void	_mtx_unlock_flags(struct mtx *, int, const char *, int);
int	_mtx_trylock_flags(struct mtx *, int, const char *, int);
void	_mtx_assert(const struct mtx *, int, const char *, int);

#define	mtx_lock(m)		_mtx_lock_flags((m), 0, __FILE__, __LINE__)
#define	mtx_lock_flags(m, o)	_mtx_lock_flags((m), (o), __FILE__, __LINE__)
#define	mtx_lock_spin(m)	_mtx_lock_flags((m), MTX_SPIN, __FILE__, __LINE__)
#define	mtx_unlock(m)		_mtx_unlock_flags((m), 0, __FILE__, __LINE__)
#define	mtx_unlock_flags(m, o)	_mtx_unlock_flags((m), (o), __FILE__, __LINE__)
#define	mtx_unlock_spin(m)	_mtx_unlock_flags((m), MTX_SPIN, __FILE__, __LINE__)
#define	mtx_trylock(m)		_mtx_trylock_flags((m), 0, __FILE__, __LINE__)
#define	mtx_trylock_spin(m)	_mtx_trylock_flags((m), MTX_SPIN, __FILE__, __LINE__)
#define	mtx_owned(m)							\
	(((m)->mtx_lock & ~MTX_CONTESTED) == (uintptr_t)curthread)
#define	mtx_initialized(m)	(((m)->lock_object.lo_flags & LO_INITIALIZED) != 0)
#define	mtx_recursed(m)		((m)->mtx_recurse != 0)
#define	mtx_name(m)		((m)->lock_object.lo_name)

#define	MA_OWNED	LA_XLOCKED
#define	MA_NOTOWNED	LA_UNLOCKED
#define	MA_RECURSED	LA_RECURSED
#define	MA_NOTRECURSED	LA_NOTRECURSED
#ifdef INVARIANTS
#define	mtx_assert(m, what)	_mtx_assert((m), (what), __FILE__, __LINE__)
#else
#define	mtx_assert(m, what)	((void)0)
#endif

struct mtx_args {
	void		*ma_mtx;
	const char	*ma_desc;
	int		ma_opts;
};
void	mtx_sysinit(void *);
#define	MTX_SYSINIT(name, mtx, desc, opts)				\
	static struct mtx_args name##_args = { (mtx), (desc), (opts) };	\
	SYSINIT(name##_mtx_sysinit, SI_SUB_LOCK, SI_ORDER_MIDDLE,	\
	    mtx_sysinit, &name##_args)

extern struct mtx Giant;

#endif /* !_SYS_MUTEX_H_ */
