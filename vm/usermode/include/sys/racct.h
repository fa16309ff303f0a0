/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_RACCT_H_
#define	_SYS_RACCT_H_

#include <sys/types.h>

#endif /* !_SYS_RACCT_H_ */
