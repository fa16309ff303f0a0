/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SYSCALLSUBR_H_
#define	_SYS_SYSCALLSUBR_H_

#include <sys/types.h>

#endif /* !_SYS_SYSCALLSUBR_H_ */
