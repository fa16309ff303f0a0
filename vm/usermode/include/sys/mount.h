/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_MOUNT_H_
#define	_SYS_MOUNT_H_

#include <sys/types.h>

#endif /* !_SYS_MOUNT_H_ */
