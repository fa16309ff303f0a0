/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_PRIORITY_H_
#define	_SYS_PRIORITY_H_

#include <sys/_prio.h>

#endif /* !_SYS_PRIORITY_H_ */
