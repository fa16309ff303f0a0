/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _VM_VM_PARAM_H_
#define	_VM_VM_PARAM_H_

#include <vm/vm.h>

#endif /* !_VM_VM_PARAM_H_ */
