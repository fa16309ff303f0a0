/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_ACL_H_
#define	_SYS_ACL_H_

#include <sys/types.h>

#endif /* !_SYS_ACL_H_ */
