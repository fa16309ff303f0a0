/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS__BITSET_H_
#define	_SYS__BITSET_H_

#include <sys/bitset.h>

#endif /* !_SYS__BITSET_H_ */
