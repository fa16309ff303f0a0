/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_IMGACT_H_
#define	_SYS_IMGACT_H_

#include <sys/types.h>

#endif /* !_SYS_IMGACT_H_ */
