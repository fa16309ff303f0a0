/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SYSENT_H_
#define	_SYS_SYSENT_H_

#include <sys/types.h>

#endif /* !_SYS_SYSENT_H_ */
