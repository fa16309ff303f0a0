/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS__MUTEX_H_
#define	_SYS__MUTEX_H_

#include <sys/_lock.h>

struct mtx {
	struct lock_object	lock_object;
	volatile uintptr_t	mtx_lock;
};
struct mtx_padalign {
	struct lock_object	lock_object;
	volatile uintptr_t	mtx_lock;
} __attribute__((__aligned__(64)));

#endif /* !_SYS__MUTEX_H_ */
