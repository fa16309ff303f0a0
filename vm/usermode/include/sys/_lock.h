/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS__LOCK_H_
#define	_SYS__LOCK_H_

#include <sys/types.h>

struct witness;
struct lock_object {
	const char	*lo_name;
	u_int		 lo_flags;
	u_int		 lo_data;
	struct witness	*lo_witness;
};

#endif /* !_SYS__LOCK_H_ */
