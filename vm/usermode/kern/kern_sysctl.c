/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl(9): the tree of named values.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/counter.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/linker_set.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/sx.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <net/vnet.h>
#include "kern_internal.h"

static MALLOC_DEFINE(M_SYSCTLOID, "sysctloid", "sysctl dynamic oids");

SET_DECLARE(sysctl_set, struct sysctl_oid);
struct sysctl_oid_list sysctl__children;

SYSCTL_ROOT_NODE(OID_AUTO, kern, CTLFLAG_RW, NULL, "High kernel, proc, limits &c");
SYSCTL_ROOT_NODE(OID_AUTO, vm, CTLFLAG_RW, NULL, "Virtual memory");
SYSCTL_ROOT_NODE(OID_AUTO, vfs, CTLFLAG_RW, NULL, "File system");
SYSCTL_ROOT_NODE(OID_AUTO, net, CTLFLAG_RW, NULL, "Network, (see socket.h)");
SYSCTL_ROOT_NODE(OID_AUTO, debug, CTLFLAG_RW, NULL, "Debugging");
SYSCTL_ROOT_NODE(OID_AUTO, dev, CTLFLAG_RW, NULL, "Devices");
SYSCTL_ROOT_NODE(OID_AUTO, hw, CTLFLAG_RW, NULL, "hardware");
SYSCTL_ROOT_NODE(OID_AUTO, machdep, CTLFLAG_RW, NULL, "machine dependent");
SYSCTL_ROOT_NODE(OID_AUTO, security, CTLFLAG_RW, NULL, "Security");
SYSCTL_ROOT_NODE(OID_AUTO, user, CTLFLAG_RW, NULL, "user-level");
SYSCTL_ROOT_NODE(OID_AUTO, compat, CTLFLAG_RW, NULL, "Compatibility code");
SYSCTL_NODE(_kern, OID_AUTO, features, CTLFLAG_RD, NULL, "Kernel Features");
SYSCTL_NODE(_kern, OID_AUTO, ipc, CTLFLAG_RW, NULL, "IPC");
SYSCTL_NODE(_security, OID_AUTO, jail, CTLFLAG_RW, NULL, "Jails");
SYSCTL_NODE(_debug, OID_AUTO, sizeof, CTLFLAG_RW, NULL, "Sizeof various things");

/* The tree.  Not held while a handler runs: oid_running says that one does. */
static struct sx sysctllock;
SX_SYSINIT(sysctllock, &sysctllock, "sysctl lock");

/*
 * Registration.
 */
static struct sysctl_oid *
oid_of_children(const struct sysctl_oid_list *list)
{
	if (list == &sysctl__children)
		return (NULL);
	return (__containerof(__DECONST(struct sysctl_oid_list *, list), struct sysctl_oid,
	    oid_children));
}

void
sysctl_fullname(const struct sysctl_oid *oidp, char *buf, size_t size)
{
	const struct sysctl_oid *chain[CTL_MAXNAME];
	int n;

	for (n = 0; oidp != NULL && n < CTL_MAXNAME; n++) {
		chain[n] = oidp;
		oidp = oid_of_children(oidp->oid_parent);
	}
	buf[0] = '\0';
	while (n-- > 0) {
		strlcat(buf, chain[n]->oid_name, size);
		if (n > 0)
			strlcat(buf, ".", size);
	}
}

static struct sysctl_oid *
oid_child(const struct sysctl_oid_list *list, const char *name, size_t len)
{
	struct sysctl_oid *p;

	LIST_FOREACH(p, list, oid_link)
		if (strlen(p->oid_name) == len && strncmp(p->oid_name, name, len) == 0)
			return (p);
	return (NULL);
}

/*
 * A loader tunable gives a variable its first value.  That of a V_ variable
 * goes into the section itself, of which every vnet is a copy.
 */
static void
oid_load_tunable(struct sysctl_oid *oidp)
{
	char path[160];
	int64_t v64;
	uint64_t u64;
	bool b;

	if ((oidp->oid_kind & CTLFLAG_TUN) == 0 || (oidp->oid_kind & CTLFLAG_NOFETCH) != 0 ||
	    oidp->oid_arg1 == NULL)
		return;
	sysctl_fullname(oidp, path, sizeof(path));
	switch (oidp->oid_kind & CTLTYPE) {
	case CTLTYPE_INT:
		(void)getenv_int(path, oidp->oid_arg1);
		break;
	case CTLTYPE_UINT:
		(void)getenv_uint(path, oidp->oid_arg1);
		break;
	case CTLTYPE_LONG:
		(void)getenv_long(path, oidp->oid_arg1);
		break;
	case CTLTYPE_ULONG:
		(void)getenv_ulong(path, oidp->oid_arg1);
		break;
	case CTLTYPE_S64:
		if (getenv_int64(path, &v64))
			*(int64_t *)oidp->oid_arg1 = v64;
		break;
	case CTLTYPE_U64:
		if (getenv_uint64(path, &u64))
			*(uint64_t *)oidp->oid_arg1 = u64;
		break;
	case CTLTYPE_U8:
		if (oidp->oid_handler == sysctl_handle_bool) {
			if (getenv_bool(path, &b))
				*(bool *)oidp->oid_arg1 = b;
		} else if (getenv_int64(path, &v64))
			*(uint8_t *)oidp->oid_arg1 = v64;
		break;
	case CTLTYPE_U16:
		if (getenv_int64(path, &v64))
			*(uint16_t *)oidp->oid_arg1 = v64;
		break;
	case CTLTYPE_STRING:
		if (oidp->oid_arg2 > 0)
			(void)getenv_string(path, oidp->oid_arg1, oidp->oid_arg2);
		break;
	}
}

static void
oid_link(struct sysctl_oid *oidp)
{
	struct sysctl_oid *p, *last;

	p = oid_child(oidp->oid_parent, oidp->oid_name, strlen(oidp->oid_name));
	if (p != NULL) {
		if ((p->oid_kind & CTLTYPE) == CTLTYPE_NODE &&
		    (oidp->oid_kind & CTLTYPE) == CTLTYPE_NODE) {
			p->oid_refcnt++;
			return;
		}
		printf("can't re-use a leaf (%s)!\n", oidp->oid_name);
		return;
	}
	/* In the order of registration, which is that of the source. */
	last = NULL;
	LIST_FOREACH(p, oidp->oid_parent, oid_link)
		last = p;
	if (last == NULL)
		LIST_INSERT_HEAD(oidp->oid_parent, oidp, oid_link);
	else
		LIST_INSERT_AFTER(last, oidp, oid_link);
	if (oidp->oid_refcnt == 0)
		oidp->oid_refcnt = 1;
	oidp->oid_registered = true;
}

void
sysctl_register_oid(struct sysctl_oid *oidp)
{
	sx_xlock(&sysctllock);
	if (!oidp->oid_registered)
		oid_link(oidp);
	sx_xunlock(&sysctllock);
	oid_load_tunable(oidp);
}

void
sysctl_unregister_oid(struct sysctl_oid *oidp)
{
	sx_xlock(&sysctllock);
	if (oidp->oid_registered) {
		LIST_REMOVE(oidp, oid_link);
		oidp->oid_registered = false;
		oidp->oid_kind |= CTLFLAG_DYING;
		while (oidp->oid_running > 0)
			sx_sleep(&oidp->oid_running, &sysctllock, 0, "sysctlrm", 0);
		oidp->oid_kind &= ~CTLFLAG_DYING;
	}
	sx_xunlock(&sysctllock);
}

static void
sysctl_register_all(void *arg)
{
	struct sysctl_oid **oidp;

	/* All of the tree first: a tunable's name is that of its parents too. */
	sx_xlock(&sysctllock);
	SET_FOREACH(oidp, sysctl_set)
		if (kld_of_file((*oidp)->oid_file) == NULL)
			oid_link(*oidp);
	sx_xunlock(&sysctllock);
	SET_FOREACH(oidp, sysctl_set)
		if ((*oidp)->oid_registered)
			oid_load_tunable(*oidp);
}
SYSINIT(sysctl, SI_SUB_KMEM, SI_ORDER_FIRST, sysctl_register_all, NULL);

int
sysctl_ctx_init(struct sysctl_ctx_list *clist)
{
	TAILQ_INIT(clist);
	return (0);
}

int
sysctl_ctx_free(struct sysctl_ctx_list *clist)
{
	struct sysctl_ctx_entry *e;

	/* The last ones first: leaves before their nodes. */
	while ((e = TAILQ_LAST(clist, sysctl_ctx_list)) != NULL) {
		TAILQ_REMOVE(clist, e, link);
		(void)sysctl_remove_oid(e->entry, 1, 0);
		free(e, M_SYSCTLOID);
	}
	return (0);
}

struct sysctl_oid *
sysctl_add_oid(struct sysctl_ctx_list *clist, struct sysctl_oid_list *parent, int number,
    const char *name, int kind, void *arg1, intmax_t arg2, int (*handler)(SYSCTL_HANDLER_ARGS),
    const char *fmt, const char *descr, const char *label)
{
	struct sysctl_ctx_entry *e;
	struct sysctl_oid *oidp;

	if (parent == NULL)
		return (NULL);
	e = clist != NULL ? malloc(sizeof(*e), M_SYSCTLOID, M_WAITOK | M_ZERO) : NULL;
	sx_xlock(&sysctllock);
	oidp = oid_child(parent, name, strlen(name));
	if (oidp != NULL) {
		if ((oidp->oid_kind & CTLTYPE) != CTLTYPE_NODE || (kind & CTLTYPE) != CTLTYPE_NODE) {
			sx_xunlock(&sysctllock);
			free(e, M_SYSCTLOID);
			printf("can't re-use a leaf (%s)!\n", name);
			return (NULL);
		}
		oidp->oid_refcnt++;
		sx_xunlock(&sysctllock);
	} else {
		sx_xunlock(&sysctllock);
		oidp = malloc(sizeof(*oidp), M_SYSCTLOID, M_WAITOK | M_ZERO);
		oidp->oid_parent = parent;
		LIST_INIT(&oidp->oid_children);
		oidp->oid_number = number;
		oidp->oid_name = strdup(name, M_SYSCTLOID);
		oidp->oid_handler = handler;
		oidp->oid_kind = CTLFLAG_DYN | kind;
		oidp->oid_arg1 = arg1;
		oidp->oid_arg2 = arg2;
		oidp->oid_fmt = fmt;
		oidp->oid_descr = descr != NULL ? strdup(descr, M_SYSCTLOID) : NULL;
		sysctl_register_oid(oidp);
	}
	if (e != NULL) {
		e->entry = oidp;
		TAILQ_INSERT_TAIL(clist, e, link);
	}
	return (oidp);
}

int
sysctl_remove_oid(struct sysctl_oid *oidp, int del, int recurse)
{
	struct sysctl_oid *p;

	if (oidp == NULL || (oidp->oid_kind & CTLFLAG_DYN) == 0)
		return (EINVAL);
	if (oidp->oid_refcnt > 1) {
		oidp->oid_refcnt--;
		return (0);
	}
	while ((p = LIST_FIRST(&oidp->oid_children)) != NULL) {
		if (!recurse)
			return (ENOTEMPTY);
		(void)sysctl_remove_oid(p, del, recurse);
	}
	sysctl_unregister_oid(oidp);
	if (del) {
		free(__DECONST(char *, oidp->oid_name), M_SYSCTLOID);
		free(__DECONST(char *, oidp->oid_descr), M_SYSCTLOID);
		free(oidp, M_SYSCTLOID);
	}
	return (0);
}

int
sysctl_remove_name(struct sysctl_oid *parent, const char *name, int del, int recurse)
{
	struct sysctl_oid *p;

	sx_slock(&sysctllock);
	p = oid_child(&parent->oid_children, name, strlen(name));
	sx_sunlock(&sysctllock);
	return (p != NULL ? sysctl_remove_oid(p, del, recurse) : ENOENT);
}

void
sysctl_rename_oid(struct sysctl_oid *oidp, const char *name)
{
	const char *old;

	sx_xlock(&sysctllock);
	old = oidp->oid_name;
	oidp->oid_name = strdup(name, M_SYSCTLOID);
	sx_xunlock(&sysctllock);
	free(__DECONST(char *, old), M_SYSCTLOID);
}

/*
 * Lookup and access.
 */
struct sysctl_oid *
sysctl_find_oidname_path(const char *name)
{
	struct sysctl_oid_list *list = &sysctl__children;
	struct sysctl_oid *oidp;
	const char *dot;

	oidp = NULL;
	sx_slock(&sysctllock);
	for (;;) {
		for (dot = name; *dot != '\0' && *dot != '.'; dot++)
			;
		oidp = oid_child(list, name, dot - name);
		if (oidp == NULL || *dot == '\0')
			break;
		list = &oidp->oid_children;
		name = dot + 1;
		/* "net." is the node itself. */
		if (*name == '\0')
			break;
	}
	sx_sunlock(&sysctllock);
	return (oidp);
}

static int
sysctl_old_copy(struct sysctl_req *req, const void *p, size_t l)
{
	size_t room;

	if (req->oldptr != NULL) {
		room = req->oldidx < req->oldlen ? req->oldlen - req->oldidx : 0;
		memcpy((char *)req->oldptr + req->oldidx, p, MIN(room, l));
		req->oldidx += l;
		return (l > room ? ENOMEM : 0);
	}
	req->oldidx += l;
	return (0);
}

static int
sysctl_new_copy(struct sysctl_req *req, void *p, size_t l)
{
	if (req->newptr == NULL)
		return (0);
	if (req->newlen - req->newidx < l)
		return (EINVAL);
	memcpy(p, (const char *)req->newptr + req->newidx, l);
	req->newidx += l;
	return (0);
}

int
sysctl_call(struct sysctl_oid *oidp, void *old, size_t *oldlen, const void *new, size_t newlen)
{
	struct sysctl_req req;
	void *arg1;
	intmax_t arg2;
	int error;

	if (oidp->oid_handler == NULL)
		return ((oidp->oid_kind & CTLTYPE) == CTLTYPE_NODE ? EISDIR : EINVAL);
	if (new != NULL && (oidp->oid_kind & CTLFLAG_WR) == 0)
		return (EPERM);
	/* In a jail: its own network stack's values, no others. */
	if (new != NULL && jailed(curthread->td_ucred) &&
	    (oidp->oid_kind & (CTLFLAG_VNET | CTLFLAG_PRISON | CTLFLAG_ANYBODY)) == 0)
		return (EPERM);
	bzero(&req, sizeof(req));
	req.td = curthread;
	req.oldptr = old;
	req.oldlen = oldlen != NULL ? *oldlen : 0;
	req.validlen = req.oldlen;
	req.newptr = new;
	req.newlen = newlen;
	req.oldfunc = sysctl_old_copy;
	req.newfunc = sysctl_new_copy;

	sx_xlock(&sysctllock);
	if (!oidp->oid_registered) {
		sx_xunlock(&sysctllock);
		return (ENOENT);
	}
	oidp->oid_running++;
	sx_xunlock(&sysctllock);

	CURVNET_SET(TD_TO_VNET(curthread));
	arg1 = oidp->oid_arg1;
	arg2 = oidp->oid_arg2;
	if ((oidp->oid_kind & CTLTYPE) == CTLTYPE_NODE) {
		arg1 = NULL;
		arg2 = 0;
	} else if ((oidp->oid_kind & CTLFLAG_VNET) != 0 && arg1 != NULL)
		arg1 = (void *)(curvnet->vnet_data_base + (uintptr_t)arg1);
	error = oidp->oid_handler(oidp, arg1, arg2, &req);
	CURVNET_RESTORE();

	sx_xlock(&sysctllock);
	if (--oidp->oid_running == 0 && (oidp->oid_kind & CTLFLAG_DYING) != 0)
		wakeup(&oidp->oid_running);
	sx_xunlock(&sysctllock);
	if (oldlen != NULL)
		*oldlen = old != NULL ? MIN(req.oldidx, req.oldlen) : req.oldidx;
	return (error);
}

int
kernel_sysctlbyname(struct thread *td, char *name, void *old, size_t *oldlenp, void *new,
    size_t newlen, size_t *retval, int flags)
{
	struct sysctl_oid *oidp;
	size_t len = oldlenp != NULL ? *oldlenp : 0;
	int error;

	oidp = sysctl_find_oidname_path(name);
	if (oidp == NULL)
		return (ENOENT);
	error = sysctl_call(oidp, old, &len, new, newlen);
	if (oldlenp != NULL)
		*oldlenp = len;
	if (retval != NULL)
		*retval = len;
	return (error);
}

int
sysctl_wire_old_buffer(struct sysctl_req *req, size_t len)
{
	return (0);	/* nothing is ever paged out */
}

/*
 * Handlers.  arg1 is the variable, or NULL for the constant arg2.
 */
#define	HANDLER(name, type, load, store)				\
int									\
name(SYSCTL_HANDLER_ARGS)						\
{									\
	type tmp;							\
	int error;							\
									\
	tmp = arg1 != NULL ? (type)load : (type)arg2;			\
	error = SYSCTL_OUT(req, &tmp, sizeof(tmp));			\
	if (error != 0 || req->newptr == NULL)				\
		return (error);						\
	if (arg1 == NULL)						\
		return (EPERM);						\
	error = SYSCTL_IN(req, &tmp, sizeof(tmp));			\
	if (error == 0)							\
		store;							\
	return (error);							\
}
#define	RELAXED_LOAD(t)		__atomic_load_n((t *)arg1, __ATOMIC_RELAXED)
#define	RELAXED_STORE(t)	__atomic_store_n((t *)arg1, tmp, __ATOMIC_RELAXED)
HANDLER(sysctl_handle_8, uint8_t, RELAXED_LOAD(uint8_t), RELAXED_STORE(uint8_t))
HANDLER(sysctl_handle_16, uint16_t, RELAXED_LOAD(uint16_t), RELAXED_STORE(uint16_t))
HANDLER(sysctl_handle_32, uint32_t, RELAXED_LOAD(uint32_t), RELAXED_STORE(uint32_t))
HANDLER(sysctl_handle_int, int, RELAXED_LOAD(int), RELAXED_STORE(int))
HANDLER(sysctl_handle_long, long, RELAXED_LOAD(long), RELAXED_STORE(long))
HANDLER(sysctl_handle_64, uint64_t, RELAXED_LOAD(uint64_t), RELAXED_STORE(uint64_t))

int
sysctl_handle_bool(SYSCTL_HANDLER_ARGS)
{
	uint8_t tmp;
	int error;

	tmp = arg1 != NULL ? RELAXED_LOAD(uint8_t) : arg2 != 0;
	error = SYSCTL_OUT(req, &tmp, sizeof(tmp));
	if (error != 0 || req->newptr == NULL)
		return (error);
	if (arg1 == NULL)
		return (EPERM);
	error = SYSCTL_IN(req, &tmp, sizeof(tmp));
	if (error != 0)
		return (error);
	if (tmp > 1)
		return (EINVAL);
	RELAXED_STORE(uint8_t);
	return (0);
}

/* arg2 is the size of a string that may be written; 0: a constant. */
int
sysctl_handle_string(SYSCTL_HANDLER_ARGS)
{
	size_t n;
	int error;

	error = SYSCTL_OUT(req, arg1, strlen(arg1) + 1);
	if (error != 0 || req->newptr == NULL)
		return (error);
	n = req->newlen - req->newidx;
	if (arg2 == 0)
		return (EPERM);
	if (n >= (size_t)arg2)
		return (EINVAL);
	error = SYSCTL_IN(req, arg1, n);
	if (error == 0)
		((char *)arg1)[n] = '\0';
	return (error);
}

int
sysctl_handle_opaque(SYSCTL_HANDLER_ARGS)
{
	int error;

	error = SYSCTL_OUT(req, arg1, arg2);
	if (error != 0 || req->newptr == NULL)
		return (error);
	return (SYSCTL_IN(req, arg1, arg2));
}

/* arg1 points to the counter; any write sets it to 0. */
int
sysctl_handle_counter_u64(SYSCTL_HANDLER_ARGS)
{
	uint64_t v;
	int error;

	v = counter_u64_fetch(*(counter_u64_t *)arg1);
	error = SYSCTL_OUT(req, &v, sizeof(v));
	if (error == 0 && req->newptr != NULL)
		counter_u64_zero(*(counter_u64_t *)arg1);
	return (error);
}

int
sysctl_handle_counter_u64_array(SYSCTL_HANDLER_ARGS)
{
	counter_u64_t *c = arg1;
	uint64_t v;
	int error;
	intmax_t i;

	for (i = 0; i < arg2; i++) {
		v = counter_u64_fetch(c[i]);
		error = SYSCTL_OUT(req, &v, sizeof(v));
		if (error != 0)
			return (error);
	}
	if (req->newptr != NULL)
		for (i = 0; i < arg2; i++)
			counter_u64_zero(c[i]);
	return (0);
}

int
sysctl_msec_to_ticks(SYSCTL_HANDLER_ARGS)
{
	int error, ms;

	ms = (int)((int64_t)*(int *)arg1 * 1000 / hz);
	error = sysctl_handle_int(oidp, &ms, 0, req);
	if (error == 0 && req->newptr != NULL)
		*(int *)arg1 = (int)((int64_t)ms * hz / 1000);
	return (error);
}

static int
sbintime_unit(struct sysctl_oid *oidp, void *arg1, struct sysctl_req *req, int64_t unit)
{
	int64_t n;
	int error;

	n = (*(sbintime_t *)arg1 + unit / 2) / unit;
	error = sysctl_handle_64(oidp, &n, 0, req);
	if (error == 0 && req->newptr != NULL)
		*(sbintime_t *)arg1 = n * unit;
	return (error);
}

int
sysctl_usec_to_sbintime(SYSCTL_HANDLER_ARGS)
{
	return (sbintime_unit(oidp, arg1, req, SBT_1US));
}

int
sysctl_msec_to_sbintime(SYSCTL_HANDLER_ARGS)
{
	return (sbintime_unit(oidp, arg1, req, SBT_1MS));
}

int
sysctl_sec_to_timeval(SYSCTL_HANDLER_ARGS)
{
	struct timeval *tv = arg1;
	int error, secs;

	secs = tv->tv_sec;
	error = sysctl_handle_int(oidp, &secs, 0, req);
	if (error == 0 && req->newptr != NULL) {
		tv->tv_sec = secs;
		tv->tv_usec = 0;
	}
	return (error);
}
