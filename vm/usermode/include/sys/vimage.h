/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_VIMAGE_H_
#define	_SYS_VIMAGE_H_

#include <sys/types.h>

#endif /* !_SYS_VIMAGE_H_ */
