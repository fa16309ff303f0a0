/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_RESOURCE_H_
#define	_SYS_RESOURCE_H_

#include <sys/types.h>

#endif /* !_SYS_RESOURCE_H_ */
