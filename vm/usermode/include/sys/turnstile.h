/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_TURNSTILE_H_
#define	_SYS_TURNSTILE_H_

#include <sys/types.h>

#endif /* !_SYS_TURNSTILE_H_ */
