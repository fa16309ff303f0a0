/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_BUS_H_
#define	_SYS_BUS_H_

#include <sys/interrupt.h>
#include <sys/param.h>

#endif /* !_SYS_BUS_H_ */
