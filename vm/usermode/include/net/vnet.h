/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_VNET_H_
#define	_NET_VNET_H_

#include <sys/param.h>
#include <sys/queue.h>
#include <sys/counter.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/linker_set.h>
#include <sys/lock.h>
#include <sys/proc.h>
#include <sys/rwlock.h>
#include <sys/sx.h>

/*
 * A vnet is a copy of one linker section: every V_ variable has its offset
 * there.  A thread without a vnet that touches one faults near address 0,
 * exactly as a VIMAGE kernel does.
 */
struct vnet {
	LIST_ENTRY(vnet)	 vnet_le;
	u_int			 vnet_magic_n;
	u_int			 vnet_ifcnt;
	u_int			 vnet_sockcnt;
	u_int			 vnet_state;	/* SI_SUB_* reached */
	void			*vnet_data_mem;
	uintptr_t		 vnet_data_base;
	bool			 vnet_shutdown;
};
#define	VNET_MAGIC_N	0x5e4a6f28

#define	VNET_PCPUSTAT_DECLARE(type, name)				\
	VNET_DECLARE(counter_u64_t, name[sizeof(type) / sizeof(uint64_t)])
#define	VNET_PCPUSTAT_DEFINE(type, name)				\
	VNET_DEFINE(counter_u64_t, name[sizeof(type) / sizeof(uint64_t)])
#define	VNET_PCPUSTAT_DEFINE_STATIC(type, name)				\
	VNET_DEFINE_STATIC(counter_u64_t, name[sizeof(type) / sizeof(uint64_t)])
#define	VNET_PCPUSTAT_ALLOC(name, wait)					\
	COUNTER_ARRAY_ALLOC(VNET(name), sizeof(VNET(name)) / sizeof(counter_u64_t), (wait))
#define	VNET_PCPUSTAT_FREE(name)					\
	COUNTER_ARRAY_FREE(VNET(name), sizeof(VNET(name)) / sizeof(counter_u64_t))
#define	VNET_PCPUSTAT_ADD(type, name, f, v)				\
	counter_u64_add(VNET(name)[offsetof(type, f) / sizeof(uint64_t)], (v))
#define	VNET_PCPUSTAT_FETCH(type, name, f)				\
	counter_u64_fetch(VNET(name)[offsetof(type, f) / sizeof(uint64_t)])

#define	VNET_PCPUSTAT_SYSINIT(name)					\
static void								\
vnet_##name##_init(const void *unused)					\
{									\
	VNET_PCPUSTAT_ALLOC(name, M_WAITOK);				\
}									\
VNET_SYSINIT(vnet_##name##_init, SI_SUB_INIT_IF, SI_ORDER_FIRST,	\
    vnet_##name##_init, NULL)
#define	VNET_PCPUSTAT_SYSUNINIT(name)					\
static void								\
vnet_##name##_uninit(const void *unused)				\
{									\
	VNET_PCPUSTAT_FREE(name);					\
}									\
VNET_SYSUNINIT(vnet_##name##_uninit, SI_SUB_INIT_IF, SI_ORDER_FIRST,	\
    vnet_##name##_uninit, NULL)

/* The array is copied out as the structure it stands for. */
#define	SYSCTL_VNET_PCPUSTAT(parent, nbr, name, type, array, desc)	\
static int								\
array##_sysctl(SYSCTL_HANDLER_ARGS)					\
{									\
	uint64_t copy[sizeof(type) / sizeof(uint64_t)];			\
	size_t i;							\
									\
	for (i = 0; i < nitems(copy); i++)				\
		copy[i] = counter_u64_fetch(VNET(array)[i]);		\
	if (req->newptr != NULL)					\
		for (i = 0; i < nitems(copy); i++)			\
			counter_u64_zero(VNET(array)[i]);		\
	return (SYSCTL_OUT(req, copy, sizeof(copy)));			\
}									\
SYSCTL_PROC(parent, nbr, name, CTLFLAG_VNET | CTLTYPE_OPAQUE | CTLFLAG_RW, \
    NULL, 0, array##_sysctl, "I", desc)

struct vnet *vnet_alloc(void);
void	vnet_destroy(struct vnet *vnet);

#define	curvnet	(curthread->td_vnet)

#ifdef INVARIANTS
#define	VNET_ASSERT(exp, msg)	do {					\
	if (__predict_false(!(exp)))					\
		panic msg;						\
} while (0)
#else
#define	VNET_ASSERT(exp, msg)	do { } while (0)
#endif

#define	CURVNET_SET_QUIET(arg)						\
	VNET_ASSERT((arg) != NULL && (arg)->vnet_magic_n == VNET_MAGIC_N, \
	    ("CURVNET_SET at %s:%d %s() curvnet=%p vnet=%p", __FILE__,	\
	    __LINE__, __func__, curvnet, (arg)));			\
	struct vnet *saved_vnet = curvnet;				\
	curvnet = (arg);
#define	CURVNET_SET_VERBOSE(arg)	CURVNET_SET_QUIET(arg)
#define	CURVNET_SET(arg)		CURVNET_SET_VERBOSE(arg)
#define	CURVNET_RESTORE()						\
	VNET_ASSERT(curvnet != NULL && (saved_vnet == NULL ||		\
	    saved_vnet->vnet_magic_n == VNET_MAGIC_N),			\
	    ("CURVNET_RESTORE at %s:%d %s() curvnet=%p saved_vnet=%p",	\
	    __FILE__, __LINE__, __func__, curvnet, saved_vnet));	\
	curvnet = saved_vnet;
#define	CURVNET_ASSERT_SET()						\
	VNET_ASSERT(curvnet != NULL, ("vnet is not set at %s:%d %s()",	\
	    __FILE__, __LINE__, __func__))

extern struct vnet *vnet0;
#define	IS_DEFAULT_VNET(arg)	((arg) == vnet0)

#define	CRED_TO_VNET(cr)	((cr)->cr_prison->pr_vnet)
#define	TD_TO_VNET(td)		CRED_TO_VNET((td)->td_ucred)
#define	P_TO_VNET(p)		CRED_TO_VNET((p)->p_ucred)

LIST_HEAD(vnet_list_head, vnet);
extern struct vnet_list_head vnet_head;
extern struct rwlock vnet_rwlock;
extern struct sx vnet_sxlock;

#define	VNET_LIST_RLOCK()		sx_slock(&vnet_sxlock)
#define	VNET_LIST_RUNLOCK()		sx_sunlock(&vnet_sxlock)
#define	VNET_LIST_RLOCK_NOSLEEP()	rw_rlock(&vnet_rwlock)
#define	VNET_LIST_RUNLOCK_NOSLEEP()	rw_runlock(&vnet_rwlock)
#define	VNET_LIST_WLOCK()	do {					\
	sx_xlock(&vnet_sxlock);						\
	rw_wlock(&vnet_rwlock);						\
} while (0)
#define	VNET_LIST_WUNLOCK()	do {					\
	rw_wunlock(&vnet_rwlock);					\
	sx_xunlock(&vnet_sxlock);					\
} while (0)
#define	VNET_ITERATOR_DECL(arg)		struct vnet *arg
#define	VNET_FOREACH(arg)		LIST_FOREACH((arg), &vnet_head, vnet_le)

#define	VNET_SETNAME		"set_vnet"
extern char __start_set_vnet[], __stop_set_vnet[];
#define	VNET_START		((uintptr_t)__start_set_vnet)
#define	VNET_STOP		((uintptr_t)__stop_set_vnet)

#define	VNET_NAME(n)		vnet_entry_##n
#define	VNET_DECLARE(t, n)	extern t VNET_NAME(n)
#define	VNET_DEFINE(t, n)						\
	struct _hack; t VNET_NAME(n) __attribute__((__section__(VNET_SETNAME), __used__))
#define	VNET_DEFINE_STATIC(t, n)					\
	static t VNET_NAME(n) __attribute__((__section__(VNET_SETNAME), __used__))
#define	_VNET_PTR(b, n)							\
	((__typeof(VNET_NAME(n)) *)((b) + (uintptr_t)&VNET_NAME(n)))
#define	_VNET(b, n)		(*_VNET_PTR(b, n))
#define	VNET_VNET_PTR(vnet, n)	_VNET_PTR((vnet)->vnet_data_base, n)
#define	VNET_VNET(vnet, n)	(*VNET_VNET_PTR((vnet), n))
#define	VNET_PTR(n)		VNET_VNET_PTR(curvnet, n)
#define	VNET(n)			VNET_VNET(curvnet, n)

struct vnet_sysinit {
	enum sysinit_sub_id	 subsystem;
	enum sysinit_elem_order	 order;
	sysinit_cfunc_t		 func;
	const void		*arg;
	TAILQ_ENTRY(vnet_sysinit) link;
};

#define	_VNET_SYSINIT_DEF(ident, kind, subsystem, order, func, arg)	\
	CTASSERT((subsystem) > SI_SUB_VNET && (subsystem) <= SI_SUB_VNET_DONE); \
	static struct vnet_sysinit ident##_vnet_##kind = {		\
		subsystem, order, (sysinit_cfunc_t)(sysinit_nfunc_t)func, (arg), { NULL, NULL } \
	};								\
	SYSINIT(vnet_##kind##_##ident, subsystem, order,		\
	    vnet_register_sys##kind, &ident##_vnet_##kind);		\
	SYSUNINIT(vnet_##kind##_##ident, subsystem, order,		\
	    vnet_deregister_sys##kind, &ident##_vnet_##kind)
#define	VNET_SYSINIT(ident, subsystem, order, func, arg)		\
	_VNET_SYSINIT_DEF(ident, init, subsystem, order, func, arg)
#define	VNET_SYSUNINIT(ident, subsystem, order, func, arg)		\
	_VNET_SYSINIT_DEF(ident, uninit, subsystem, order, func, arg)

void	vnet_register_sysinit(void *arg);
void	vnet_register_sysuninit(void *arg);
void	vnet_deregister_sysinit(void *arg);
void	vnet_deregister_sysuninit(void *arg);

void	vnet_global_eventhandler_iterator_func(void *, ...);
#define	VNET_GLOBAL_EVENTHANDLER_REGISTER_TAG(tag, name, func, arg, priority) do { \
	if (IS_DEFAULT_VNET(curvnet))					\
		(tag) = vimage_eventhandler_register(NULL, #name, func,	\
		    arg, priority, vnet_global_eventhandler_iterator_func); \
} while (0)
#define	VNET_GLOBAL_EVENTHANDLER_REGISTER(name, func, arg, priority) do { \
	if (IS_DEFAULT_VNET(curvnet))					\
		vimage_eventhandler_register(NULL, #name, func, arg,	\
		    priority, vnet_global_eventhandler_iterator_func);	\
} while (0)

#endif /* !_NET_VNET_H_ */
