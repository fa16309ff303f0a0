/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_EVENTHANDLER_H_
#define	_SYS_EVENTHANDLER_H_

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/lock.h>

struct eventhandler_entry {
	TAILQ_ENTRY(eventhandler_entry) ee_link;
	int		ee_priority;
	bool		ee_dead;
	void		*ee_arg;
	void		*ee_func;
	void		*ee_iter_arg[2]; /* vimage: the real function, argument */
};
typedef struct eventhandler_entry *eventhandler_tag;

struct eventhandler_list {
	TAILQ_ENTRY(eventhandler_list) el_link;
	const char	*el_name;
	u_int		el_runcount;
	TAILQ_HEAD(, eventhandler_entry) el_entries;
};

#define	EVENTHANDLER_PRI_FIRST	0
#define	EVENTHANDLER_PRI_ANY	10000
#define	EVENTHANDLER_PRI_LAST	20000

eventhandler_tag eventhandler_register(struct eventhandler_list *,
	    const char *name, void *func, void *arg, int priority);
eventhandler_tag vimage_eventhandler_register(struct eventhandler_list *,
	    const char *name, void *func, void *arg, int priority,
	    void (*iterfunc)(void *, ...));
void	eventhandler_deregister(struct eventhandler_list *, eventhandler_tag);
struct eventhandler_list *eventhandler_find_list(const char *name);
struct eventhandler_entry *eventhandler_next(struct eventhandler_list *,
	    struct eventhandler_entry *prev);
struct eventhandler_list *eventhandler_begin(const char *name);

#define	EVENTHANDLER_DECLARE(name, type)				\
struct eventhandler_entry_ ## name {					\
	struct eventhandler_entry ee;					\
	type eh_func;							\
};									\
struct __hack
#define	EVENTHANDLER_DEFINE(name, func, arg, priority)			\
	static eventhandler_tag name##_tag_##func;			\
	static void name##_evh_init_##func(void *ctx __unused)		\
	{								\
		name##_tag_##func = EVENTHANDLER_REGISTER(name, func,	\
		    arg, priority);					\
	}								\
	SYSINIT(name##_evh_##func, SI_SUB_CONFIGURE, SI_ORDER_ANY,	\
	    name##_evh_init_##func, NULL)
#define	EVENTHANDLER_INVOKE(name, ...) do {				\
	struct eventhandler_list *_el = eventhandler_begin(#name);	\
	struct eventhandler_entry *_ep = NULL;				\
									\
	while (_el != NULL && (_ep = eventhandler_next(_el, _ep)) != NULL) \
		((__typeof(((struct eventhandler_entry_##name *)0)->eh_func)) \
		    _ep->ee_func)(_ep->ee_arg, ## __VA_ARGS__);		\
} while (0)
#define	EVENTHANDLER_REGISTER(name, func, arg, priority)		\
	eventhandler_register(NULL, #name, (void *)(uintptr_t)(func), (arg), (priority))
#define	EVENTHANDLER_DEREGISTER(name, tag) do {				\
	struct eventhandler_list *_el = eventhandler_find_list(#name);	\
	if (_el != NULL)						\
		eventhandler_deregister(_el, (tag));			\
} while (0)
#define	EVENTHANDLER_DEREGISTER_NOWAIT(name, tag) EVENTHANDLER_DEREGISTER(name, tag)

struct proc;
struct thread;
typedef void (*thread_fn)(void *, struct thread *);
EVENTHANDLER_DECLARE(thread_ctor, thread_fn);
EVENTHANDLER_DECLARE(thread_dtor, thread_fn);
typedef void (*shutdown_fn)(void *, int);
EVENTHANDLER_DECLARE(shutdown_pre_sync, shutdown_fn);
EVENTHANDLER_DECLARE(shutdown_post_sync, shutdown_fn);
EVENTHANDLER_DECLARE(shutdown_final, shutdown_fn);

#endif /* !_SYS_EVENTHANDLER_H_ */
