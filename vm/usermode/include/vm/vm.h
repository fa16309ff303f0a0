/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _VM_VM_H_
#define	_VM_VM_H_

#include <sys/types.h>

#endif /* !_VM_VM_H_ */
