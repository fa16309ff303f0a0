/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_NV_H_
#define	_SYS_NV_H_

#include <sys/types.h>

#endif /* !_SYS_NV_H_ */
