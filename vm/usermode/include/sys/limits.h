/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_LIMITS_H_
#define	_SYS_LIMITS_H_

#include <limits.h>

#define	UQUAD_MAX	UINT64_MAX
#define	QUAD_MAX	INT64_MAX
#define	QUAD_MIN	INT64_MIN
#ifndef SSIZE_MAX
#define	SSIZE_MAX	LONG_MAX
#endif
#define	SIZE_T_MAX	SIZE_MAX
#define	OFF_MAX		INT64_MAX

#endif /* !_SYS_LIMITS_H_ */
