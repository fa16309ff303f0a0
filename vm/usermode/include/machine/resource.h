/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _MACHINE_RESOURCE_H_
#define	_MACHINE_RESOURCE_H_

#include <sys/types.h>

#endif /* !_MACHINE_RESOURCE_H_ */
