/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SIGNALVAR_H_
#define	_SYS_SIGNALVAR_H_

#include <sys/types.h>

#endif /* !_SYS_SIGNALVAR_H_ */
