/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS__CPUSET_H_
#define	_SYS__CPUSET_H_

#include <sys/cpuset.h>

#endif /* !_SYS__CPUSET_H_ */
