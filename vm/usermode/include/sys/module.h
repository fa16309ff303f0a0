/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_MODULE_H_
#define	_SYS_MODULE_H_

#include <sys/types.h>
#include <sys/kernel.h>
#include <sys/linker_set.h>
#include <sys/param.h>

typedef enum modeventtype {
	MOD_LOAD,
	MOD_UNLOAD,
	MOD_SHUTDOWN,
	MOD_QUIESCE
} modeventtype_t;
typedef struct module *module_t;
typedef int (*modeventhand_t)(module_t, int /* modeventtype_t */, void *);

typedef struct moduledata {
	const char	*name;
	modeventhand_t	 evhand;
	void		*priv;
} moduledata_t;

struct mod_depend { int md_ver_minimum, md_ver_preferred, md_ver_maximum; };
struct mod_version { int mv_version; };

/* A module as the linker set has it; its source file tells which kld it belongs to. */
struct mod_set {
	const char		*ms_name;
	moduledata_t		*ms_data;
	enum sysinit_sub_id	 ms_sub;
	enum sysinit_elem_order	 ms_order;
	const char		*ms_file;
};
struct mod_depend_set { const char *mds_module; const char *mds_on; int mds_min, mds_max; const char *mds_file; };
struct mod_version_set { const char *mvs_module; int mvs_version; const char *mvs_file; };

/* Event handlers that say nothing of interest, and code that has no module. */
#define	DECLARE_MODULE(nm, data, sub, order)				\
	static struct mod_set nm##_mod_set = {				\
		.ms_name = #nm, .ms_data = &(data), .ms_sub = (sub),	\
		.ms_order = (order), .ms_file = __FILE__		\
	};								\
	SYSINIT(nm##module, sub, order, module_register_init, &nm##_mod_set); \
	DATA_SET(modmetadata_set, nm##_mod_set)
#define	DECLARE_MODULE_TIED(nm, data, sub, order)	DECLARE_MODULE(nm, data, sub, order)
#define	MODULE_VERSION(nm, version)					\
	static struct mod_version_set nm##_mod_version = { #nm, (version), __FILE__ }; \
	DATA_SET(modversion_set, nm##_mod_version)
#define	MODULE_DEPEND(nm, on, vmin, vpref, vmax)			\
	static struct mod_depend_set nm##_depends_on_##on =		\
	    { #nm, #on, (vmin), (vmax), __FILE__ };			\
	DATA_SET(moddepend_set, nm##_depends_on_##on)
#define	MODULE_KERNEL_MAXVER	((__FreeBSD_version / 100000) * 100000 + 99999)
#define	MODULE_PNP_INFO(d, b, n, t, c)
#define	DEV_MODULE(name, evh, arg)					\
	static moduledata_t name##_mod = { #name, evh, arg };		\
	DECLARE_MODULE(name, name##_mod, SI_SUB_DRIVERS, SI_ORDER_MIDDLE)

void	module_register_init(const void *);
const char *module_getname(module_t mod);
int	module_getid(module_t mod);

#endif /* !_SYS_MODULE_H_ */
