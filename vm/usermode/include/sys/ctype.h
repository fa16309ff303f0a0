/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_CTYPE_H_
#define	_SYS_CTYPE_H_

#include <sys/libkern.h>

#endif /* !_SYS_CTYPE_H_ */
