/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_KERNEL_H_
#define	_SYS_KERNEL_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/linker_set.h>
#include <sys/queue.h>
#include <sys/_sysinit.h>

extern _Atomic int	ticks;
extern _Atomic long	ticksl;
extern int		hz;
extern int		tick;		/* us per tick */
extern int		stathz;
extern _Atomic int	cold;
extern _Atomic int	rebooting;
extern char		kernelname[];
extern char		hostname[];

typedef void (*sysinit_nfunc_t)(void *);
typedef void (*sysinit_cfunc_t)(const void *);

struct sysinit {
	enum sysinit_sub_id	subsystem;
	enum sysinit_elem_order	order;
	STAILQ_ENTRY(sysinit)	next;
	sysinit_cfunc_t		func;
	const void		*udata;
	const char		*file;	/* its source, which tells the module */
};

#define	C_SYSINIT(uniquifier, sub, ord, fn, ident)			\
	static struct sysinit uniquifier##_sys_init = {			\
		.subsystem = (sub), .order = (ord), .func = (fn),	\
		.udata = (ident), .file = __FILE__			\
	};								\
	DATA_SET(sysinit_set, uniquifier##_sys_init)
#define	SYSINIT(uniquifier, sub, ord, fn, ident)			\
	C_SYSINIT(uniquifier, sub, ord,					\
	    (sysinit_cfunc_t)(sysinit_nfunc_t)(fn), (const void *)(ident))
#define	C_SYSUNINIT(uniquifier, sub, ord, fn, ident)			\
	static struct sysinit uniquifier##_sys_uninit = {		\
		.subsystem = (sub), .order = (ord), .func = (fn),	\
		.udata = (ident), .file = __FILE__			\
	};								\
	DATA_SET(sysuninit_set, uniquifier##_sys_uninit)
#define	SYSUNINIT(uniquifier, sub, ord, fn, ident)			\
	C_SYSUNINIT(uniquifier, sub, ord,				\
	    (sysinit_cfunc_t)(sysinit_nfunc_t)(fn), (const void *)(ident))

/* Loader tunables: what --tunable set, read when SI_SUB_TUNABLES runs. */
enum tunable_kind { TUN_INT, TUN_LONG, TUN_BOOL, TUN_STR };
struct tunable {
	enum tunable_kind kind;
	const char	*path;
	void		*var;
	int		 size;
};
void	tunable_init(const void *);
#define	_TUNABLE1(k, p, v, s, l)	_TUNABLE2(k, p, v, s, l)
#define	_TUNABLE2(k, p, v, s, l)					\
	static const struct tunable __tunable_##l = { (k), (p), (v), (s) }; \
	C_SYSINIT(__tunable_init_##l, SI_SUB_TUNABLES, SI_ORDER_MIDDLE,	\
	    tunable_init, &__tunable_##l)
#define	TUNABLE_INT(path, var)		_TUNABLE1(TUN_INT, path, var, sizeof(int), __LINE__)
#define	TUNABLE_LONG(path, var)		_TUNABLE1(TUN_LONG, path, var, sizeof(long), __LINE__)
#define	TUNABLE_ULONG(path, var)	_TUNABLE1(TUN_LONG, path, var, sizeof(long), __LINE__)
#define	TUNABLE_INT64(path, var)	_TUNABLE1(TUN_LONG, path, var, sizeof(long), __LINE__)
#define	TUNABLE_UINT64(path, var)	_TUNABLE1(TUN_LONG, path, var, sizeof(long), __LINE__)
#define	TUNABLE_QUAD(path, var)		_TUNABLE1(TUN_LONG, path, var, sizeof(long), __LINE__)
#define	TUNABLE_BOOL(path, var)		_TUNABLE1(TUN_BOOL, path, var, sizeof(bool), __LINE__)
#define	TUNABLE_STR(path, var, size)	_TUNABLE1(TUN_STR, path, var, size, __LINE__)
#define	TUNABLE_INT_FETCH(path, var)	getenv_int((path), (var))
#define	TUNABLE_UINT_FETCH(path, var)	getenv_uint((path), (var))
#define	TUNABLE_LONG_FETCH(path, var)	getenv_long((path), (var))
#define	TUNABLE_ULONG_FETCH(path, var)	getenv_ulong((path), (var))
#define	TUNABLE_BOOL_FETCH(path, var)	getenv_bool((path), (var))
#define	TUNABLE_STR_FETCH(path, var, size) getenv_string((path), (var), (size))

char	*kern_getenv(const char *name);	/* to be given back by freeenv() */
void	freeenv(char *env);
int	kern_setenv(const char *name, const char *value);
int	kern_unsetenv(const char *name);
int	testenv(const char *name);
int	getenv_int(const char *name, int *data);
int	getenv_uint(const char *name, unsigned int *data);
int	getenv_long(const char *name, long *data);
int	getenv_ulong(const char *name, unsigned long *data);
int	getenv_int64(const char *name, int64_t *data);
int	getenv_uint64(const char *name, uint64_t *data);
int	getenv_quad(const char *name, quad_t *data);
int	getenv_bool(const char *name, bool *data);
int	getenv_string(const char *name, char *data, int size);
bool	getenv_is_true(const char *name);
bool	getenv_is_false(const char *name);

void	mi_startup(void);

struct intr_config_hook {
	STAILQ_ENTRY(intr_config_hook) ich_links;
	uintptr_t	ich_state;
	void		(*ich_func)(void *arg);
	void		*ich_arg;
};

#endif /* !_SYS_KERNEL_H_ */
