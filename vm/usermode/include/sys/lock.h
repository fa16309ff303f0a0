/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_LOCK_H_
#define	_SYS_LOCK_H_

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/_lock.h>

#define	LO_CLASSFLAGS	0x0000ffff
#define	LO_INITIALIZED	0x00010000
#define	LO_WITNESS	0x00020000
#define	LO_QUIET	0x00040000
#define	LO_RECURSABLE	0x00080000
#define	LO_SLEEPABLE	0x00100000
#define	LO_UPGRADABLE	0x00200000
#define	LO_DUPOK	0x00400000
#define	LO_IS_VNODE	0x00800000
#define	LO_CLASSMASK	0x0f000000
#define	LO_CLASSSHIFT	24
#define	LO_NOPROFILE	0x10000000
#define	LO_NEW		0x20000000

#define	LC_SLEEPLOCK	0x00000001
#define	LC_SPINLOCK	0x00000002
#define	LC_SLEEPABLE	0x00000004
#define	LC_RECURSABLE	0x00000008
#define	LC_UPGRADABLE	0x00000010

#define	LOP_NEWORDER	0x00000001
#define	LOP_QUIET	0x00000002
#define	LOP_TRYLOCK	0x00000004
#define	LOP_EXCLUSIVE	0x00000008
#define	LOP_DUPOK	0x00000010
#define	LOP_NOSLEEP	0x00000020

#define	LA_MASKASSERT	0x000000ff
#define	LA_UNLOCKED	0x00000000
#define	LA_LOCKED	0x00000001
#define	LA_SLOCKED	0x00000002
#define	LA_XLOCKED	0x00000004
#define	LA_RECURSED	0x00000008
#define	LA_NOTRECURSED	0x00000010

struct thread;
struct lock_class {
	const char	*lc_name;
	u_int		 lc_flags;
	void		(*lc_assert)(const struct lock_object *, int);
	void		(*lc_lock)(struct lock_object *, uintptr_t);
	uintptr_t	(*lc_unlock)(struct lock_object *);
	struct thread	*(*lc_owner)(const struct lock_object *);
};
extern struct lock_class lock_class_mtx_spin;
extern struct lock_class lock_class_mtx_sleep;
extern struct lock_class lock_class_sx;
extern struct lock_class lock_class_rw;
extern struct lock_class lock_class_rm;
extern struct lock_class lock_class_rm_sleepable;
extern struct lock_class * const lock_classes[];
#define	LOCK_CLASS(l)	(lock_classes[((l)->lo_flags & LO_CLASSMASK) >> LO_CLASSSHIFT])

#define	LOCK_FILE	__FILE__
#define	LOCK_LINE	__LINE__
#define	LOCK_DEBUG	1

struct lock_list_entry;
int	witness_list_locks(struct lock_list_entry **, int (*)(const char *, ...));
#define	WARN_GIANTOK	0x01
#define	WARN_PANIC	0x02
#define	WARN_SLEEPOK	0x04
#define	WITNESS_RATELIMIT 1
#ifdef WITNESS
int	witness_warn(int, struct lock_object *, const char *, ...) __printflike(3, 4);
#define	WITNESS_WARN(flags, lock, ...)	witness_warn(flags, lock, __VA_ARGS__)
#else
#define	WITNESS_WARN(flags, lock, ...)	(void)0
#endif
#define	WITNESS_CHECK(l, f, fi, ln)	(void)0

#endif /* !_SYS_LOCK_H_ */
