/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_KERNEL_H_
#define	_SYS_KERNEL_H_

#include <sys/types.h>
#include <sys/linker_set.h>
#include <sys/queue.h>

enum sysinit_sub_id {
	SI_SUB_DUMMY		= 0x0000000,
	SI_SUB_TUNABLES		= 0x0700000,
	SI_SUB_KMEM		= 0x1800000,
	SI_SUB_WITNESS		= 0x1A80000,
	SI_SUB_LOCK		= 0x1B00000,
	SI_SUB_EVENTHANDLER	= 0x1C00000,
	SI_SUB_VNET_PRELINK	= 0x1E00000,
	SI_SUB_KLD		= 0x2000000,
	SI_SUB_CPU		= 0x2100000,
	SI_SUB_VNET		= 0x21E0000,
	SI_SUB_MBUF		= 0x2700000,
	SI_SUB_INTRINSIC	= 0x2800000,
	SI_SUB_SCHED_IDLE	= 0x2900000,
	SI_SUB_INTR		= 0x2A00000,
	SI_SUB_TASKQ		= 0x2B00000,
	SI_SUB_EPOCH		= 0x2C00000,
	SI_SUB_SMP		= 0x2D00000,
	SI_SUB_SOFTINTR		= 0x2E00000,
	SI_SUB_DEVFS		= 0x2F00000,
	SI_SUB_INIT_IF		= 0x3000000,
	SI_SUB_NETGRAPH		= 0x3010000,
	SI_SUB_DRIVERS		= 0x3100000,
	SI_SUB_CONFIGURE	= 0x3800000,
	SI_SUB_PSEUDO		= 0x7000000,
	SI_SUB_EXEC		= 0x7400000,
	SI_SUB_PROTO_BEGIN	= 0x8000000,
	SI_SUB_PROTO_PFIL	= 0x8100000,
	SI_SUB_PROTO_IF		= 0x8400000,
	SI_SUB_PROTO_DOMAININIT	= 0x8600000,
	SI_SUB_PROTO_MC		= 0x8700000,
	SI_SUB_PROTO_DOMAIN	= 0x8800000,
	SI_SUB_PROTO_FIREWALL	= 0x8806000,
	SI_SUB_PROTO_IFATTACHDOMAIN = 0x8808000,
	SI_SUB_PROTO_END	= 0x8ffffff,
	SI_SUB_KPROF		= 0x9000000,
	SI_SUB_VNET_DONE	= 0xdc00000,
	SI_SUB_LAST		= 0xfffffff
};
enum sysinit_elem_order {
	SI_ORDER_FIRST	= 0x0000000,
	SI_ORDER_SECOND	= 0x0000001,
	SI_ORDER_THIRD	= 0x0000002,
	SI_ORDER_FOURTH	= 0x0000003,
	SI_ORDER_FIFTH	= 0x0000004,
	SI_ORDER_SIXTH	= 0x0000005,
	SI_ORDER_SEVENTH = 0x0000006,
	SI_ORDER_MIDDLE	= 0x1000000,
	SI_ORDER_ANY	= 0xfffffff
};

typedef void (*sysinit_nfunc_t)(void *);
typedef void (*sysinit_cfunc_t)(const void *);

struct sysinit {
	enum sysinit_sub_id	subsystem;
	enum sysinit_elem_order	order;
	sysinit_cfunc_t		func;
	const void		*udata;
	bool			done;
};

#define	C_SYSINIT(uniquifier, subsystem, order, func, ident)		\
	static struct sysinit uniquifier##_sys_init = {			\
		subsystem, order, func, (ident), false			\
	};								\
	DATA_SET(sysinit_set, uniquifier##_sys_init)
#define	SYSINIT(uniquifier, subsystem, order, func, ident)		\
	C_SYSINIT(uniquifier, subsystem, order,				\
	    (sysinit_cfunc_t)(sysinit_nfunc_t)func, (void *)(ident))
#define	C_SYSUNINIT(uniquifier, subsystem, order, func, ident)		\
	static struct sysinit uniquifier##_sys_uninit = {		\
		subsystem, order, func, (ident), false			\
	};								\
	DATA_SET(sysuninit_set, uniquifier##_sys_uninit)
#define	SYSUNINIT(uniquifier, subsystem, order, func, ident)		\
	C_SYSUNINIT(uniquifier, subsystem, order,			\
	    (sysinit_cfunc_t)(sysinit_nfunc_t)func, (void *)(ident))

/* Loader tunables: --tunable NAME=VALUE on the command line, kenv(1). */
char	*kern_getenv(const char *name);
void	freeenv(char *env);
int	kern_setenv(const char *name, const char *value);
int	kern_unsetenv(const char *name);
int	getenv_int(const char *name, int *data);
int	getenv_ulong(const char *name, unsigned long *data);
int	getenv_int64(const char *name, int64_t *data);
int	getenv_string(const char *name, char *data, int size);
#define	TUNABLE_INT_FETCH(path, var)	getenv_int((path), (var))
#define	TUNABLE_ULONG_FETCH(path, var)	getenv_ulong((path), (var))
#define	TUNABLE_STR_FETCH(path, var, size) getenv_string((path), (var), (size))
struct tunable_int {
	const char	*path;
	int		*var;
};
void	tunable_int_init(void *);
#define	TUNABLE_INT(path, var)						\
	static struct tunable_int __CONCAT(__tunable_int_, __LINE__) = { (path), (var) }; \
	SYSINIT(__CONCAT(__tunable_init_, __LINE__), SI_SUB_TUNABLES,	\
	    SI_ORDER_MIDDLE, tunable_int_init, &__CONCAT(__tunable_int_, __LINE__))

extern int hz;
extern int tick;		/* us */
#define	ticks	(kern_ticks())
int	kern_ticks(void);
extern int cold;
extern char kernelname[];

void	mi_startup(void);

struct intr_config_hook;

#endif /* !_SYS_KERNEL_H_ */
