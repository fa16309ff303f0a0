/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_TTYCOM_H_
#define	_SYS_TTYCOM_H_

#include <sys/types.h>

#endif /* !_SYS_TTYCOM_H_ */
