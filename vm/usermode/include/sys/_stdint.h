/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS__STDINT_H_
#define	_SYS__STDINT_H_

#include <sys/types.h>

#endif /* !_SYS__STDINT_H_ */
