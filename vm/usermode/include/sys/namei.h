/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_NAMEI_H_
#define	_SYS_NAMEI_H_

#include <sys/types.h>

#endif /* !_SYS_NAMEI_H_ */
