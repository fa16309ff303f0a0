/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_LOCK_H_
#define	_SYS_LOCK_H_

#include <sys/types.h>
#include <sys/queue.h>

struct thread;

/* What every lock begins with; WITNESS knows locks by their type's name. */
struct lock_object {
	const char	*lo_name;
	const char	*lo_type;
	u_int		lo_flags;
	short		lo_class;	/* LC_* */
	short		lo_witness;	/* its type's number, 0: none yet */
};
enum { LC_MUTEX_SLEEP, LC_MUTEX_SPIN, LC_RW, LC_RM, LC_SX };

#define	LO_INITIALIZED	0x00010000
#define	LO_RECURSABLE	0x00080000
#define	LO_SLEEPABLE	0x00100000
#define	LO_NOWITNESS	0x00400000
#define	LO_DUPOK	0x00800000
#define	LO_QUIET	0x01000000

/* One lock that a thread holds. */
struct lock_instance {
	struct lock_object *li_lock;
	const char	*li_file;
	int		li_line;
	u_int		li_flags;	/* LI_EXCLUSIVE and a recursion count */
};
#define	LI_RECURSEMASK	0x0000ffff
#define	LI_EXCLUSIVE	0x00010000

#define	LOP_EXCLUSIVE	0x00000008
#define	LOP_TRYLOCK	0x00000002

#define	LA_UNLOCKED	0x00000000
#define	LA_LOCKED	0x00000001
#define	LA_SLOCKED	0x00000002
#define	LA_XLOCKED	0x00000004
#define	LA_RECURSED	0x00000008
#define	LA_NOTRECURSED	0x00000010

#define	WARN_GIANTOK	0x01
#define	WARN_PANIC	0x02
#define	WARN_SLEEPOK	0x04

#define	LOCK_FILE	__FILE__
#define	LOCK_LINE	__LINE__
#define	LOCK_DEBUG	1

void	lock_init(struct lock_object *, short, const char *, const char *, u_int);
void	lock_destroy(struct lock_object *);
const char *lock_class_name(const struct lock_object *);

void	witness_checkorder(struct lock_object *, u_int, const char *, int);
void	witness_lock(struct lock_object *, u_int, const char *, int);
void	witness_unlock(struct lock_object *, u_int, const char *, int);
int	witness_warn(int flags, struct lock_object *, const char *fmt, ...)
	    __printflike(3, 4);
void	witness_assert(const struct lock_object *, int, const char *, int);
int	witness_list_locks(struct thread *, int (*prnt)(const char *, ...));
void	witness_display_spinlock(struct lock_object *);
#ifdef WITNESS
#define	WITNESS_WARN(flags, lock, fmt, ...)				\
	witness_warn(flags, lock, fmt, ## __VA_ARGS__)
#else
#define	WITNESS_WARN(flags, lock, fmt, ...)	do { } while (0)
#endif

#endif /* !_SYS_LOCK_H_ */
