/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_FILE_H_
#define	_SYS_FILE_H_

#include <sys/types.h>

#endif /* !_SYS_FILE_H_ */
