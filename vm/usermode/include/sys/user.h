/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_USER_H_
#define	_SYS_USER_H_

#include <sys/types.h>

#endif /* !_SYS_USER_H_ */
