/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS__TYPES_H_
#define	_SYS__TYPES_H_

#include <sys/types.h>

#endif /* !_SYS__TYPES_H_ */
