/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _VM_VM_EXTERN_H_
#define	_VM_VM_EXTERN_H_

#include <vm/vm.h>

#endif /* !_VM_VM_EXTERN_H_ */
