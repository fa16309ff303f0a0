/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_VNODE_H_
#define	_SYS_VNODE_H_

#include <sys/types.h>

#endif /* !_SYS_VNODE_H_ */
