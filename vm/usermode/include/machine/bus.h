/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _MACHINE_BUS_H_
#define	_MACHINE_BUS_H_

#include <sys/types.h>

#endif /* !_MACHINE_BUS_H_ */
