/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SYSPROTO_H_
#define	_SYS_SYSPROTO_H_

#include <sys/types.h>

#endif /* !_SYS_SYSPROTO_H_ */
