/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _MACHINE_SMP_H_
#define	_MACHINE_SMP_H_

#include <sys/pcpu.h>

#endif /* !_MACHINE_SMP_H_ */
