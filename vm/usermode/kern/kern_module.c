/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modules.  All code is linked into the one program; what belongs to a kld is
 * told by the source file that it stands in.  A kld that is not loaded has
 * neither its sysinits run nor its sysctls in the tree nor its modules known.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/linker.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/module.h>
#include <sys/proc.h>
#include <sys/sx.h>
#include <sys/sysctl.h>

#include "kern_internal.h"

struct module {
	struct mod_set	*m_set;
	int		 m_id;
	bool		 m_loaded;
	int		 m_error;
};

struct kld {
	const char	*k_name;
	const char	*k_patterns[8];		/* of source files, by fnmatch(3) */
	bool		 k_static;		/* of the kernel's config: there at boot */
	bool		 k_loaded;
	int		 k_id;
	int		 k_refs;
};

static struct kld klds[] = {
	{ .k_name = "ipfw", .k_static = true, .k_patterns = { "*/netpfil/ipfw/ip_fw*.c" } },
	{ .k_name = "dummynet", .k_static = true,
	  .k_patterns = { "*/netpfil/ipfw/ip_dn*.c", "*/netpfil/ipfw/ip_dummynet*.c",
	  "*/netpfil/ipfw/dn_*.c" } },
	/* options PSPAT, as in a kernel's config, has it there at boot. */
	{ .k_name = "pspat", .k_patterns = { "*/netpfil/pspat/*.c" },
#ifdef PSPAT
	  .k_static = true
#endif
	},
};

SET_DECLARE(modmetadata_set, struct mod_set);
SET_DECLARE(moddepend_set, struct mod_depend_set);
SET_DECLARE(sysctl_set, struct sysctl_oid);

static struct module modules[64];
static int nmodules;
static int next_kld_id = 2;
static struct sx kld_sx;
SX_SYSINIT(kld, &kld_sx, "kernel linker");

struct kld *
kld_of_file(const char *file)
{
	u_int i, k;

	if (file == NULL || strstr(file, "netpfil/") == NULL)
		return (NULL);
	for (i = 0; i < nitems(klds); i++)
		for (k = 0; k < nitems(klds[i].k_patterns) && klds[i].k_patterns[k] != NULL; k++)
			if (fnmatch(klds[i].k_patterns[k], file, 0) == 0)
				return (&klds[i]);
	return (NULL);
}

bool
kld_loaded(struct kld *k)
{
	return (k == NULL || k->k_loaded);
}

static struct kld *
kld_find(const char *name)
{
	char base[64];
	const char *p;
	size_t len;
	u_int i;

	if ((p = strrchr(name, '/')) != NULL)
		name = p + 1;
	strlcpy(base, name, sizeof(base));
	len = strlen(base);
	if (len > 3 && strcmp(base + len - 3, ".ko") == 0)
		base[len - 3] = '\0';
	for (i = 0; i < nitems(klds); i++)
		if (strcmp(klds[i].k_name, base) == 0)
			return (&klds[i]);
	return (NULL);
}

/* Does anything of it stand in this program? */
static bool
kld_present(struct kld *k)
{
	struct mod_set **ms;

	SET_FOREACH(ms, modmetadata_set)
		if (kld_of_file((*ms)->ms_file) == k)
			return (true);
	return (false);
}

static struct kld *
kld_of_module(const char *module)
{
	struct mod_set **ms;

	SET_FOREACH(ms, modmetadata_set)
		if (strcmp((*ms)->ms_name, module) == 0)
			return (kld_of_file((*ms)->ms_file));
	return (NULL);
}

static struct module *
module_find(const struct mod_set *set)
{
	int i;

	for (i = 0; i < nmodules; i++)
		if (modules[i].m_set == set)
			return (&modules[i]);
	return (NULL);
}

const char *
module_getname(module_t mod)
{
	return (mod->m_set->ms_data->name);
}

int
module_getid(module_t mod)
{
	return (mod->m_id);
}

static int
module_event(struct module *m, int type)
{
	moduledata_t *data = m->m_set->ms_data;
	int error;

	if (data->evhand == NULL)
		return (0);
	error = data->evhand(m, type, data->priv);
	if (error == EOPNOTSUPP && type == MOD_QUIESCE)
		error = 0;
	return (error);
}

/* The sysinit of each module. */
void
module_register_init(const void *arg)
{
	struct mod_set *set = __DECONST(struct mod_set *, arg);
	struct module *m;
	int error;

	m = module_find(set);
	if (m == NULL) {
		if (nmodules == nitems(modules))
			panic("%s: too many modules", __func__);
		m = &modules[nmodules++];
		m->m_set = set;
		m->m_id = nmodules;
	}
	error = module_event(m, MOD_LOAD);
	m->m_error = error;
	m->m_loaded = error == 0;
	if (error != 0) {
		(void)module_event(m, MOD_UNLOAD);
		printf("module_register_init: MOD_LOAD (%s, %p, %p) error %d\n",
		    set->ms_data->name, (void *)(uintptr_t)set->ms_data->evhand, set->ms_data->priv,
		    error);
	}
}

static void
kld_sysctls(struct kld *k, bool add)
{
	struct sysctl_oid **oidp;

	if (add) {
		SET_FOREACH(oidp, sysctl_set)
			if (kld_of_file((*oidp)->oid_file) == k)
				sysctl_register_oid(*oidp);
	} else
		for (oidp = SET_LIMIT(sysctl_set); oidp-- > SET_BEGIN(sysctl_set);)
			if (kld_of_file((*oidp)->oid_file) == k)
				sysctl_unregister_oid(*oidp);
}

static int
kld_load(struct kld *k)
{
	struct mod_depend_set **md;
	struct kld *on;
	int error, i;

	if (k->k_loaded)
		return (EEXIST);
	if (!kld_present(k))
		return (ENOENT);
	SET_FOREACH(md, moddepend_set) {
		if (kld_of_file((*md)->mds_file) != k)
			continue;
		on = kld_of_module((*md)->mds_on);
		if (on == NULL || on == k)
			continue;
		if (!on->k_loaded && (error = kld_load(on)) != 0)
			return (error);
		on->k_refs++;
	}
	k->k_loaded = true;
	k->k_id = next_kld_id++;
	kld_sysctls(k, true);
	kld_sysinit(k);
	error = 0;
	for (i = 0; i < nmodules; i++)
		if (kld_of_file(modules[i].m_set->ms_file) == k && modules[i].m_error != 0)
			error = modules[i].m_error;
	return (error);
}

static int
kld_unload(struct kld *k, bool force)
{
	struct mod_depend_set **md;
	struct kld *on;
	int error, i;

	if (k->k_refs > 0)
		return (EBUSY);
	/* First all are asked, then all go, the last one first. */
	for (i = nmodules - 1; i >= 0; i--)
		if (kld_of_file(modules[i].m_set->ms_file) == k && modules[i].m_loaded &&
		    (error = module_event(&modules[i], MOD_QUIESCE)) != 0 && !force)
			return (error);
	for (i = nmodules - 1; i >= 0; i--)
		if (kld_of_file(modules[i].m_set->ms_file) == k && modules[i].m_loaded) {
			error = module_event(&modules[i], MOD_UNLOAD);
			if (error != 0)
				return (error);
			modules[i].m_loaded = false;
		}
	kld_sysctls(k, false);
	kld_sysuninit(k);
	k->k_loaded = false;
	SET_FOREACH(md, moddepend_set) {
		if (kld_of_file((*md)->mds_file) != k)
			continue;
		on = kld_of_module((*md)->mds_on);
		if (on != NULL && on != k)
			on->k_refs--;
	}
	return (0);
}

int
kern_kldload(struct thread *td, const char *file, int *fileid)
{
	struct kld *k = kld_find(file);
	int error;

	if (k == NULL)
		return (ENOENT);
	sx_xlock(&kld_sx);
	error = kld_load(k);
	if (fileid != NULL)
		*fileid = k->k_id;
	sx_xunlock(&kld_sx);
	return (error);
}

int
kern_kldunload(struct thread *td, int fileid, int flags)
{
	u_int i;
	int error = ENOENT;

	sx_xlock(&kld_sx);
	for (i = 0; i < nitems(klds); i++)
		if (klds[i].k_loaded && klds[i].k_id == fileid) {
			error = kld_unload(&klds[i], flags == LINKER_UNLOAD_FORCE);
			break;
		}
	sx_xunlock(&kld_sx);
	return (error);
}

/* The id of a loaded kld, or of a kld that has a module of that name; 0: none. */
int
kld_id_by_name(const char *name, bool module)
{
	struct kld *k = module ? kld_of_module(name) : kld_find(name);

	if (strcmp(name, "kernel") == 0)
		return (1);
	return (k != NULL && k->k_loaded ? k->k_id : 0);
}

/* Calls f for every loaded kld, the kernel first. */
void
kld_each(void (*f)(int id, int refs, const char *name, void *arg), void *arg)
{
	int id;
	u_int i;
	int refs = 1;

	for (i = 0; i < nitems(klds); i++)
		refs += klds[i].k_loaded ? 1 : 0;
	f(1, refs, "kernel", arg);
	for (id = 2; id < next_kld_id; id++)
		for (i = 0; i < nitems(klds); i++)
			if (klds[i].k_loaded && klds[i].k_id == id) {
				char name[40];

				snprintf(name, sizeof(name), "%s.ko", klds[i].k_name);
				f(id, 1 + klds[i].k_refs, name, arg);
			}
}

/* Calls f for every module of a kld. */
void
kld_each_module(int id, void (*f)(int modid, const char *name, void *arg), void *arg)
{
	struct kld *k;
	int i;

	for (i = 0; i < nmodules; i++) {
		k = kld_of_file(modules[i].m_set->ms_file);
		if (modules[i].m_loaded && ((k == NULL && id == 1) || (k != NULL && k->k_id == id)))
			f(modules[i].m_id, modules[i].m_set->ms_data->name, arg);
	}
}

static bool
wanted(const struct kld *k)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_load", k->k_name);
	if (getenv_is_false(name))
		return (false);
	return (k->k_static || getenv_is_true(name));
}

void
kld_boot(void)
{
	u_int i;
	int error;

	for (i = 0; i < nitems(klds); i++)
		if (!klds[i].k_loaded && kld_present(&klds[i]) && wanted(&klds[i]) &&
		    (error = kld_load(&klds[i])) != 0)
			printf("kld %s: error %d\n", klds[i].k_name, error);
}

/* The last loaded first, as often as it takes. */
void
kld_unload_all(void)
{
	u_int i;
	bool any;

	sx_xlock(&kld_sx);
	do {
		any = false;
		for (i = nitems(klds); i-- > 0;)
			if (klds[i].k_loaded && kld_unload(&klds[i], true) == 0)
				any = true;
	} while (any);
	sx_xunlock(&kld_sx);
}
