/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_EVENTHANDLER_H_
#define	_SYS_EVENTHANDLER_H_

#include <sys/types.h>
#include <sys/lock.h>
#include <sys/mutex.h>
#include <sys/queue.h>

struct eventhandler_entry {
	TAILQ_ENTRY(eventhandler_entry) ee_link;
	int	 ee_priority;
#define	EHE_DEAD_PRIORITY	(-1)
	void	*ee_arg;
};
typedef struct eventhandler_entry *eventhandler_tag;

struct eventhandler_entry_vimage {
	void	(*func)(void);
	void	*ee_arg;
	void	*sparep[2];
};

struct eventhandler_list {
	char	*el_name;
	int	 el_flags;
	u_int	 el_runcount;
	struct mtx el_lock;
	TAILQ_ENTRY(eventhandler_list) el_link;
	TAILQ_HEAD(, eventhandler_entry) el_entries;
};

struct eventhandler_entry_generic {
	struct eventhandler_entry ee;
	void	(*func)(void);
	struct eventhandler_entry_vimage vimage;
};

#define	EVENTHANDLER_PRI_FIRST	0
#define	EVENTHANDLER_PRI_ANY	10000
#define	EVENTHANDLER_PRI_LAST	20000
#define	EVENTHANDLER_PRI_PRE_FIRST EVENTHANDLER_PRI_FIRST

#define	EVENTHANDLER_DECLARE(name, type)				\
struct eventhandler_entry_##name					\
{									\
	struct eventhandler_entry	ee;				\
	type				eh_func;			\
};									\
struct __hack
#define	EVENTHANDLER_DEFINE(name, func, arg, priority)			\
	static eventhandler_tag name##_tag;				\
	static void name##_evh_init(void *ctx)				\
	{								\
		name##_tag = EVENTHANDLER_REGISTER(name, func, ctx, priority); \
	}								\
	SYSINIT(name##_evh_init, SI_SUB_CONFIGURE, SI_ORDER_ANY, name##_evh_init, arg); \
	struct __hack
#define	EVENTHANDLER_LIST_DECLARE(name)		extern struct eventhandler_list *_eventhandler_list_##name
#define	EVENTHANDLER_LIST_DEFINE(name)					\
	struct eventhandler_list *_eventhandler_list_##name;		\
	static void _ehl_init_##name(void *ctx)				\
	{								\
		_eventhandler_list_##name = eventhandler_create_list(#name); \
	}								\
	SYSINIT(name##_ehl_init, SI_SUB_EVENTHANDLER, SI_ORDER_ANY, _ehl_init_##name, NULL); \
	struct __hack

/* Walk a list that others may change: dead entries stay until nobody walks. */
#define	_EVENTHANDLER_INVOKE(name, list, ...)	do {			\
	struct eventhandler_entry *_ep;					\
									\
	(list)->el_runcount++;						\
	TAILQ_FOREACH(_ep, &(list)->el_entries, ee_link) {		\
		if (_ep->ee_priority != EHE_DEAD_PRIORITY) {		\
			mtx_unlock(&(list)->el_lock);			\
			((struct eventhandler_entry_##name *)(void *)_ep)->eh_func( \
			    _ep->ee_arg , ## __VA_ARGS__);		\
			mtx_lock(&(list)->el_lock);			\
		}							\
	}								\
	eventhandler_walk_done(list);					\
} while (0)
#define	EVENTHANDLER_INVOKE(name, ...)	do {				\
	struct eventhandler_list *_el;					\
									\
	if ((_el = eventhandler_find_list(#name)) != NULL)		\
		_EVENTHANDLER_INVOKE(name, _el , ## __VA_ARGS__);	\
} while (0)
#define	EVENTHANDLER_DIRECT_INVOKE(name, ...)	EVENTHANDLER_INVOKE(name , ## __VA_ARGS__)
#define	EVENTHANDLER_REGISTER(name, func, arg, priority)		\
	eventhandler_register(NULL, #name, (void *)(uintptr_t)(func), (void *)(uintptr_t)(arg), (priority))
#define	EVENTHANDLER_DEREGISTER(name, tag)	do {			\
	struct eventhandler_list *_el;					\
									\
	if ((_el = eventhandler_find_list(#name)) != NULL)		\
		eventhandler_deregister(_el, (tag));			\
} while (0)
#define	EVENTHANDLER_DEREGISTER_NOWAIT(name, tag)	do {		\
	struct eventhandler_list *_el;					\
									\
	if ((_el = eventhandler_find_list(#name)) != NULL)		\
		eventhandler_deregister_nowait(_el, (tag));		\
} while (0)
#define	EHL_LOCK(p)	mtx_lock(&(p)->el_lock)
#define	EHL_UNLOCK(p)	mtx_unlock(&(p)->el_lock)

eventhandler_tag eventhandler_register(struct eventhandler_list *list, const char *name,
	    void *func, void *arg, int priority);
void	eventhandler_deregister(struct eventhandler_list *list, eventhandler_tag tag);
void	eventhandler_deregister_nowait(struct eventhandler_list *list, eventhandler_tag tag);
/* Returns the list locked, or NULL. */
struct eventhandler_list *eventhandler_find_list(const char *name);
struct eventhandler_list *eventhandler_create_list(const char *name);
void	eventhandler_prune_list(struct eventhandler_list *list);
/* The end of a walk: takes dead entries out when it was the last, and unlocks. */
void	eventhandler_walk_done(struct eventhandler_list *list);
typedef void (*vimage_iterator_func_t)(void *, ...);
eventhandler_tag vimage_eventhandler_register(struct eventhandler_list *list, const char *name,
	    void *func, void *arg, int priority, vimage_iterator_func_t);

struct thread;
struct proc;
typedef void (*shutdown_fn)(void *, int);
#define	SHUTDOWN_PRI_FIRST	EVENTHANDLER_PRI_FIRST
#define	SHUTDOWN_PRI_DEFAULT	EVENTHANDLER_PRI_ANY
#define	SHUTDOWN_PRI_LAST	EVENTHANDLER_PRI_LAST
EVENTHANDLER_DECLARE(shutdown_pre_sync, shutdown_fn);
EVENTHANDLER_DECLARE(shutdown_post_sync, shutdown_fn);
EVENTHANDLER_DECLARE(shutdown_final, shutdown_fn);
EVENTHANDLER_DECLARE(power_suspend, shutdown_fn);
typedef void (*thread_ctor_fn)(void *, struct thread *);
EVENTHANDLER_DECLARE(thread_ctor, thread_ctor_fn);
EVENTHANDLER_DECLARE(thread_dtor, thread_ctor_fn);
EVENTHANDLER_DECLARE(thread_init, thread_ctor_fn);
EVENTHANDLER_DECLARE(thread_fini, thread_ctor_fn);
typedef void (*exitlist_fn)(void *, struct proc *);
EVENTHANDLER_DECLARE(process_ctor, exitlist_fn);
EVENTHANDLER_DECLARE(process_dtor, exitlist_fn);
EVENTHANDLER_DECLARE(process_exit, exitlist_fn);
typedef void (*vm_lowmem_handler_t)(void *, int);
#define	VM_LOW_KMEM	0x01
#define	VM_LOW_PAGES	0x02
#define	LOWMEM_PRI_DEFAULT EVENTHANDLER_PRI_FIRST
EVENTHANDLER_DECLARE(vm_lowmem, vm_lowmem_handler_t);
EVENTHANDLER_DECLARE(mbuf_lowmem, vm_lowmem_handler_t);
typedef void (*mountroot_handler_t)(void *);
EVENTHANDLER_DECLARE(mountroot, mountroot_handler_t);
EVENTHANDLER_DECLARE(nmbclusters_change, mountroot_handler_t);

#endif /* !_SYS_EVENTHANDLER_H_ */
