/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SELINFO_H_
#define	_SYS_SELINFO_H_

#include <sys/types.h>

#endif /* !_SYS_SELINFO_H_ */
