/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_DNV_H_
#define	_SYS_DNV_H_

#include <sys/types.h>

#endif /* !_SYS_DNV_H_ */
