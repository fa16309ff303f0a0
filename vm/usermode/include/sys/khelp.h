/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_KHELP_H_
#define	_SYS_KHELP_H_

#include <sys/types.h>

#endif /* !_SYS_KHELP_H_ */
