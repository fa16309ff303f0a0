/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS__TASK_H_
#define	_SYS__TASK_H_

#include <sys/queue.h>

typedef void task_fn_t(void *context, int pending);
struct task {
	STAILQ_ENTRY(task) ta_link;
	uint16_t	ta_pending;
	uint8_t		ta_priority;
	uint8_t		ta_flags;
	task_fn_t	*ta_func;
	void		*ta_context;
};
#define	TASK_ENQUEUED	0x1
#define	TASK_NETWORK	0x2
typedef void gtask_fn_t(void *context);

#endif /* !_SYS__TASK_H_ */
