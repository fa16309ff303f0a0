/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_FILIO_H_
#define	_SYS_FILIO_H_

#include <sys/types.h>

#endif /* !_SYS_FILIO_H_ */
