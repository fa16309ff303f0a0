/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_RANDOM_H_
#define	_SYS_RANDOM_H_

#include <sys/libkern.h>

#define	read_random(p, n)	(arc4random_buf((p), (n)), (n))
#define	random_harvest_queue_ether(p, n)	((void)(p))
#define	random_harvest_queue(p, n, s)		((void)(p))
#define	is_random_seeded()	(true)

#endif /* !_SYS_RANDOM_H_ */
