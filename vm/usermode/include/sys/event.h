/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_EVENT_H_
#define	_SYS_EVENT_H_

#include <sys/types.h>

#endif /* !_SYS_EVENT_H_ */
