/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_TASKQUEUE_H_
#define	_SYS_TASKQUEUE_H_

#include <sys/_task.h>
#include <sys/callout.h>

struct taskqueue;
struct proc;
struct timeout_task {
	struct taskqueue *q;
	struct task	t;
	struct callout	c;
};
typedef void (*taskqueue_enqueue_fn)(void *context);

struct taskqueue *taskqueue_create(const char *, int mflags,
	    taskqueue_enqueue_fn, void *context);
#define	taskqueue_create_fast(n, f, e, c) taskqueue_create((n), (f), (e), (c))
int	taskqueue_start_threads(struct taskqueue **, int count, int pri,
	    const char *name, ...) __printflike(4, 5);
int	taskqueue_enqueue(struct taskqueue *, struct task *);
#define	taskqueue_enqueue_fast(q, t) taskqueue_enqueue((q), (t))
int	taskqueue_enqueue_timeout(struct taskqueue *, struct timeout_task *, int);
int	taskqueue_cancel(struct taskqueue *, struct task *, u_int *pendp);
int	taskqueue_cancel_timeout(struct taskqueue *, struct timeout_task *, u_int *);
void	taskqueue_drain(struct taskqueue *, struct task *);
void	taskqueue_drain_timeout(struct taskqueue *, struct timeout_task *);
void	taskqueue_drain_all(struct taskqueue *);
void	taskqueue_quiesce(struct taskqueue *);
void	taskqueue_free(struct taskqueue *);
void	taskqueue_run(struct taskqueue *);
void	taskqueue_block(struct taskqueue *);
void	taskqueue_unblock(struct taskqueue *);
void	taskqueue_thread_enqueue(void *context);
void	_timeout_task_init(struct taskqueue *, struct timeout_task *, int,
	    task_fn_t, void *);
#define	TASK_INITIALIZER(prio, func, context)				\
	{ .ta_priority = (prio), .ta_func = (func), .ta_context = (context) }
#define	TASK_INIT_FLAGS(task, prio, func, context, flags) do {		\
	(task)->ta_pending = 0;						\
	(task)->ta_priority = (prio);					\
	(task)->ta_flags = (flags);					\
	(task)->ta_func = (func);					\
	(task)->ta_context = (context);					\
} while (0)
#define	TASK_INIT(t, b, f, c)	TASK_INIT_FLAGS(t, b, f, c, 0)
#define	NET_TASK_INIT(t, b, f, c) TASK_INIT_FLAGS(t, b, f, c, TASK_NETWORK)
#define	TIMEOUT_TASK_INIT(q, t, p, f, c) _timeout_task_init((q), (t), (p), (f), (c))

extern struct taskqueue *taskqueue_thread;
extern struct taskqueue *taskqueue_swi;
extern struct taskqueue *taskqueue_fast;

#endif /* !_SYS_TASKQUEUE_H_ */
