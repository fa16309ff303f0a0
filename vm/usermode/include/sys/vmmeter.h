/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_VMMETER_H_
#define	_SYS_VMMETER_H_

#include <sys/types.h>

#endif /* !_SYS_VMMETER_H_ */
