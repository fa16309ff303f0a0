/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_STDINT_H_
#define	_SYS_STDINT_H_

#include <sys/types.h>

#endif /* !_SYS_STDINT_H_ */
