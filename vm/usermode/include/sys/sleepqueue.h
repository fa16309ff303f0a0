/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SLEEPQUEUE_H_
#define	_SYS_SLEEPQUEUE_H_

#include <sys/types.h>

struct thread;
struct lock_object;
/* The part of sleepqueue(9) that msleep(9) does not cover is not offered. */

#endif /* !_SYS_SLEEPQUEUE_H_ */
