/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_TTYDEFAULTS_H_
#define	_SYS_TTYDEFAULTS_H_

#include <sys/types.h>

#endif /* !_SYS_TTYDEFAULTS_H_ */
