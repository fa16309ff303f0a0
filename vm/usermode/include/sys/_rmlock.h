/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS__RMLOCK_H_
#define	_SYS__RMLOCK_H_

#include <sys/_lock.h>
#include <sys/_rwlock.h>
#include <sys/_sx.h>
#include <sys/queue.h>

/* Many readers, few writers: here one rwlock (or sx) under the names of rmlock(9). */
struct rmlock {
	struct lock_object	lock_object;
	volatile uintptr_t	rm_word;
};
struct rm_priotracker {
	struct rmlock	*rmp_rmlock;
	struct thread	*rmp_thread;
	LIST_ENTRY(rm_priotracker) rmp_link;
};

#endif /* !_SYS__RMLOCK_H_ */
