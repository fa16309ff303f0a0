/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_OSD_H_
#define	_SYS_OSD_H_

#include <sys/types.h>

#endif /* !_SYS_OSD_H_ */
