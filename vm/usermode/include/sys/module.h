/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_MODULE_H_
#define	_SYS_MODULE_H_

#include <sys/types.h>
#include <sys/kernel.h>
#include <sys/linker_set.h>

typedef enum modeventtype {
	MOD_LOAD, MOD_UNLOAD, MOD_SHUTDOWN, MOD_QUIESCE
} modeventtype_t;

struct module;
typedef struct module *module_t;
typedef int (*modeventhand_t)(module_t, int, void *);

typedef struct moduledata {
	const char	*name;
	modeventhand_t	evhand;
	void		*priv;
} moduledata_t;

/* All modules are linked in; loaded is what had its MOD_LOAD. */
struct module {
	moduledata_t	*m_data;
	enum sysinit_sub_id m_sub;
	enum sysinit_elem_order m_order;
	bool		m_loaded;
	bool		m_boot;		/* loaded at boot */
};
struct mod_depend {
	const char	*md_module;
	const char	*md_on;
};
#define	DECLARE_MODULE(name, data, sub, order)				\
	static struct module name##_module = { &(data), (sub), (order), false, true }; \
	DATA_SET(module_set, name##_module)
#define	DECLARE_MODULE_TIED(name, data, sub, order) DECLARE_MODULE(name, data, sub, order)
/* One that waits for kldload(8). */
#define	DECLARE_MODULE_LATER(name, data, sub, order)			\
	static struct module name##_module = { &(data), (sub), (order), false, false }; \
	DATA_SET(module_set, name##_module)
#define	MODULE_VERSION(module, version)	struct __hack
#define	MODULE_DEPEND(module, mdepend, vmin, vpref, vmax)		\
	static struct mod_depend _mod_depend_##module##_on_##mdepend =	\
	    { #module, #mdepend };					\
	DATA_SET(mod_depend_set, _mod_depend_##module##_on_##mdepend)
#define	MODULE_PNP_INFO(...)	struct __hack

struct module *module_lookup(const char *name);
int	module_load(const char *name);
int	module_unload(const char *name, int flags);
#define	LINKER_UNLOAD_NORMAL	0
#define	LINKER_UNLOAD_FORCE	1
#define	module_getname(mod)	((mod)->m_data->name)

#endif /* !_SYS_MODULE_H_ */
