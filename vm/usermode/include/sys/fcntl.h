/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_FCNTL_H_
#define	_SYS_FCNTL_H_

#include <sys/types.h>

#endif /* !_SYS_FCNTL_H_ */
