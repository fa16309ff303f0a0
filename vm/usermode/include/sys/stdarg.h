/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_STDARG_H_
#define	_SYS_STDARG_H_

#include <stdarg.h>

#endif /* !_SYS_STDARG_H_ */
