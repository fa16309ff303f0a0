/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS__CALLOUT_H_
#define	_SYS__CALLOUT_H_

#include <sys/types.h>
#include <sys/queue.h>

struct lock_object;
typedef void callout_func_t(void *);

struct callout {
	u_int		 c_index;	/* place in the heap + 1; 0: not there */
	uint64_t	 c_seq;		/* first come, first served */
	sbintime_t	 c_time;
	sbintime_t	 c_precision;
	void		*c_arg;
	callout_func_t	*c_func;
	struct lock_object *c_lock;
	short		 c_flags;
	short		 c_iflags;
	volatile int	 c_cpu;
};

#endif /* !_SYS__CALLOUT_H_ */
