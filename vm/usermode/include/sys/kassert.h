/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_KASSERT_H_
#define	_SYS_KASSERT_H_

#include <sys/systm.h>

#endif /* !_SYS_KASSERT_H_ */
