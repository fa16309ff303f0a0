/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_FILEDESC_H_
#define	_SYS_FILEDESC_H_

#include <sys/types.h>

#endif /* !_SYS_FILEDESC_H_ */
