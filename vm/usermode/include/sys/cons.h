/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_CONS_H_
#define	_SYS_CONS_H_

#include <sys/types.h>

#endif /* !_SYS_CONS_H_ */
