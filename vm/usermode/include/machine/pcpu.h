/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _MACHINE_PCPU_H_
#define	_MACHINE_PCPU_H_

#include <sys/pcpu.h>

#endif /* !_MACHINE_PCPU_H_ */
