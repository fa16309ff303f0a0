/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_MUTEX_H_
#define	_SYS_MUTEX_H_

#include <sys/types.h>
#include <sys/lock.h>
#include <sys/_mutex.h>
#include <sys/pcpu.h>

#define	MTX_DEF		0x00000000
#define	MTX_SPIN	0x00000001
#define	MTX_RECURSE	0x00000004
#define	MTX_NOWITNESS	0x00000008
#define	MTX_NOPROFILE	0x00000020
#define	MTX_NEW		0x00000040
#define	MTX_QUIET	LOP_QUIET
#define	MTX_DUPOK	LOP_DUPOK

/* The owner's address and these; 4 alone is a lock that nobody has. */
#define	MTX_UNOWNED	0x00000000
#define	MTX_RECURSED	0x00000001
#define	MTX_CONTESTED	0x00000002
#define	MTX_DESTROYED	0x00000004
#define	MTX_FLAGMASK	((uintptr_t)7)

void	_mtx_init(volatile uintptr_t *c, const char *name, const char *type, int opts);
void	_mtx_destroy(volatile uintptr_t *c);
void	__mtx_lock_flags(volatile uintptr_t *c, int opts, const char *file, int line);
void	__mtx_unlock_flags(volatile uintptr_t *c, int opts, const char *file, int line);
void	__mtx_lock_spin_flags(volatile uintptr_t *c, int opts, const char *file, int line);
int	__mtx_trylock_spin_flags(volatile uintptr_t *c, int opts, const char *file, int line);
void	__mtx_unlock_spin_flags(volatile uintptr_t *c, int opts, const char *file, int line);
int	_mtx_trylock_flags_(volatile uintptr_t *c, int opts, const char *file, int line);
void	__mtx_assert(const volatile uintptr_t *c, int what, const char *file, int line);
int	_mtx_owned(const volatile uintptr_t *c);
int	_mtx_recursed(const volatile uintptr_t *c);
void	mtx_sysinit(void *arg);

#define	mtx_init(m, n, t, o)	_mtx_init(&(m)->mtx_lock, (n), (t), (o))
#define	mtx_destroy(m)		_mtx_destroy(&(m)->mtx_lock)
#define	mtx_lock_flags_(m, o, f, l)	__mtx_lock_flags(&(m)->mtx_lock, (o), (f), (l))
#define	mtx_lock_flags(m, o)	mtx_lock_flags_(m, o, LOCK_FILE, LOCK_LINE)
#define	mtx_lock(m)		mtx_lock_flags(m, 0)
#define	mtx_unlock_flags_(m, o, f, l)	__mtx_unlock_flags(&(m)->mtx_lock, (o), (f), (l))
#define	mtx_unlock_flags(m, o)	mtx_unlock_flags_(m, o, LOCK_FILE, LOCK_LINE)
#define	mtx_unlock(m)		mtx_unlock_flags(m, 0)
#define	mtx_lock_spin_flags(m, o) __mtx_lock_spin_flags(&(m)->mtx_lock, (o), LOCK_FILE, LOCK_LINE)
#define	mtx_lock_spin(m)	mtx_lock_spin_flags(m, 0)
#define	mtx_trylock_spin(m)	__mtx_trylock_spin_flags(&(m)->mtx_lock, 0, LOCK_FILE, LOCK_LINE)
#define	mtx_unlock_spin_flags(m, o) __mtx_unlock_spin_flags(&(m)->mtx_lock, (o), LOCK_FILE, LOCK_LINE)
#define	mtx_unlock_spin(m)	mtx_unlock_spin_flags(m, 0)
#define	mtx_trylock_flags(m, o)	_mtx_trylock_flags_(&(m)->mtx_lock, (o), LOCK_FILE, LOCK_LINE)
#define	mtx_trylock(m)		mtx_trylock_flags(m, 0)
#define	mtx_owned(m)		_mtx_owned(&(m)->mtx_lock)
#define	mtx_recursed(m)		_mtx_recursed(&(m)->mtx_lock)
#define	mtx_initialized(m)	(((m)->lock_object.lo_flags & LO_INITIALIZED) != 0)
#define	mtx_name(m)		((m)->lock_object.lo_name)
#define	mtx_sleep(chan, mtx, pri, wmesg, timo)				\
	_sleep((chan), &(mtx)->lock_object, (pri), (wmesg), tick_sbt * (timo), 0, C_HARDCLOCK)

#define	MA_OWNED	LA_XLOCKED
#define	MA_NOTOWNED	LA_UNLOCKED
#define	MA_RECURSED	LA_RECURSED
#define	MA_NOTRECURSED	LA_NOTRECURSED
#ifdef INVARIANTS
#define	mtx_assert_(m, what, f, l)	__mtx_assert(&(m)->mtx_lock, (what), (f), (l))
#else
#define	mtx_assert_(m, what, f, l)	(void)0
#endif
#define	mtx_assert(m, what)	mtx_assert_(m, what, __FILE__, __LINE__)

struct mtx_args { struct mtx *ma_mtx; const char *ma_desc; int ma_opts; };
#define	MTX_SYSINIT(name, mtx, desc, opts)				\
	static struct mtx_args name##_args = { (mtx), (desc), (opts) };	\
	SYSINIT(name##_mtx_sysinit, SI_SUB_LOCK, SI_ORDER_MIDDLE, mtx_sysinit, &name##_args); \
	SYSUNINIT(name##_mtx_sysuninit, SI_SUB_LOCK, SI_ORDER_MIDDLE,	\
	    _mtx_destroy, (void *)(uintptr_t)&(mtx)->mtx_lock)

/* Giant is only spelled here; nothing in the packet path takes it. */
extern struct mtx Giant;
#define	GIANT_REQUIRED	do { } while (0)
#define	DROP_GIANT()	do { } while (0)
#define	PICKUP_GIANT()	do { } while (0)

/* The scheduler's own lock is not a mutex here: thread_lock() keeps others out. */
void	thread_lock(struct thread *td);
void	thread_unlock(struct thread *td);

#endif /* !_SYS_MUTEX_H_ */
