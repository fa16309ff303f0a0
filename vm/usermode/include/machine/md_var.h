/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _MACHINE_MD_VAR_H_
#define	_MACHINE_MD_VAR_H_

#include <sys/pcpu.h>

#endif /* !_MACHINE_MD_VAR_H_ */
