/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _VM_PMAP_H_
#define	_VM_PMAP_H_

#include <vm/vm.h>

#endif /* !_VM_PMAP_H_ */
