/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_GTASKQUEUE_H_
#define	_SYS_GTASKQUEUE_H_

#include <sys/types.h>

#endif /* !_SYS_GTASKQUEUE_H_ */
