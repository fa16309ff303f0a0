/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_UNISTD_H_
#define	_SYS_UNISTD_H_

#include <sys/kthread.h>

#endif /* !_SYS_UNISTD_H_ */
