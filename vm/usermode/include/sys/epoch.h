/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_EPOCH_H_
#define	_SYS_EPOCH_H_

#include <sys/types.h>
#include <sys/kassert.h>

struct epoch;
typedef struct epoch *epoch_t;

struct epoch_tracker {
	struct thread	*et_td;
};
typedef struct epoch_tracker *epoch_tracker_t;

struct epoch_context {
	void		*data[2];
};
typedef struct epoch_context *epoch_context_t;
typedef void epoch_callback_t(epoch_context_t);

#define	EPOCH_PREEMPT	0x1
#define	EPOCH_LOCKED	0x2

extern epoch_t net_epoch_preempt;

epoch_t	epoch_alloc(const char *name, int flags);
void	epoch_free(epoch_t);
void	epoch_enter_preempt(epoch_t, epoch_tracker_t);
void	epoch_exit_preempt(epoch_t, epoch_tracker_t);
void	epoch_wait_preempt(epoch_t);
void	epoch_call(epoch_t, epoch_callback_t, epoch_context_t);
void	epoch_drain_callbacks(epoch_t);
int	in_epoch(epoch_t);
int	in_epoch_verbose(epoch_t, int);
#define	epoch_wait(e)	epoch_wait_preempt(e)

#define	NET_EPOCH_ENTER(et)	epoch_enter_preempt(net_epoch_preempt, &(et))
#define	NET_EPOCH_EXIT(et)	epoch_exit_preempt(net_epoch_preempt, &(et))
#define	NET_EPOCH_WAIT()	epoch_wait_preempt(net_epoch_preempt)
#define	NET_EPOCH_CALL(f, c)	epoch_call(net_epoch_preempt, (f), (c))
#define	NET_EPOCH_DRAIN_CALLBACKS() epoch_drain_callbacks(net_epoch_preempt)
#define	NET_EPOCH_ASSERT()						\
	KASSERT(in_epoch(net_epoch_preempt),				\
	    ("Assertion %s failed at %s:%d",				\
	    "in_epoch(net_epoch_preempt)", __FILE__, __LINE__))

#endif /* !_SYS_EPOCH_H_ */
