/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SMR_H_
#define	_SYS_SMR_H_

#include <sys/types.h>

#endif /* !_SYS_SMR_H_ */
