/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_HHOOK_H_
#define	_SYS_HHOOK_H_

#include <sys/types.h>

#endif /* !_SYS_HHOOK_H_ */
