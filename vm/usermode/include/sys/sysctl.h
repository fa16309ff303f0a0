/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SYSCTL_H_
#define	_SYS_SYSCTL_H_

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/kernel.h>
#include <sys/linker_set.h>
#include <sys/counter.h>

#define	CTL_MAXNAME	24

#define	CTLTYPE		0xf
#define	CTLTYPE_NODE	1
#define	CTLTYPE_INT	2
#define	CTLTYPE_STRING	3
#define	CTLTYPE_S64	4
#define	CTLTYPE_OPAQUE	5
#define	CTLTYPE_STRUCT	CTLTYPE_OPAQUE
#define	CTLTYPE_UINT	6
#define	CTLTYPE_LONG	7
#define	CTLTYPE_ULONG	8
#define	CTLTYPE_U64	9
#define	CTLTYPE_U8	0xa
#define	CTLTYPE_U16	0xb
#define	CTLTYPE_S8	0xc
#define	CTLTYPE_S16	0xd
#define	CTLTYPE_S32	0xe
#define	CTLTYPE_U32	0xf

#define	CTLFLAG_RD	0x80000000
#define	CTLFLAG_WR	0x40000000
#define	CTLFLAG_RW	(CTLFLAG_RD | CTLFLAG_WR)
#define	CTLFLAG_DORMANT	0x20000000
#define	CTLFLAG_ANYBODY	0x10000000
#define	CTLFLAG_SECURE	0x08000000
#define	CTLFLAG_PRISON	0x04000000
#define	CTLFLAG_DYN	0x02000000
#define	CTLFLAG_SKIP	0x01000000
#define	CTLMASK_SECURE	0x00F00000
#define	CTLFLAG_TUN	0x00080000
#define	CTLFLAG_RDTUN	(CTLFLAG_RD | CTLFLAG_TUN)
#define	CTLFLAG_RWTUN	(CTLFLAG_RW | CTLFLAG_TUN)
#define	CTLFLAG_MPSAFE	0x00040000
#define	CTLFLAG_VNET	0x00020000
#define	CTLFLAG_DYING	0x00010000
#define	CTLFLAG_CAPRD	0x00008000
#define	CTLFLAG_CAPWR	0x00004000
#define	CTLFLAG_CAPRW	(CTLFLAG_CAPRD | CTLFLAG_CAPWR)
#define	CTLFLAG_STATS	0x00002000
#define	CTLFLAG_NOFETCH	0x00001000
#define	CTLFLAG_NEEDGIANT 0x00000800
#define	CTLSHIFT_SECURE	20
#define	CTLFLAG_SECURE1	(CTLFLAG_SECURE | (0 << CTLSHIFT_SECURE))
#define	CTLFLAG_SECURE2	(CTLFLAG_SECURE | (1 << CTLSHIFT_SECURE))
#define	CTLFLAG_SECURE3	(CTLFLAG_SECURE | (2 << CTLSHIFT_SECURE))
#define	OID_AUTO	(-1)
#define	CTL_AUTO_START	0x100

struct sysctl_req;
struct sysctl_oid;
#define	SYSCTL_HANDLER_ARGS						\
	struct sysctl_oid *oidp, void *arg1, intmax_t arg2, struct sysctl_req *req

struct sysctl_req {
	struct thread	*td;
	int		 lock;
	void		*oldptr;
	size_t		 oldlen;
	size_t		 oldidx;
	int		(*oldfunc)(struct sysctl_req *, const void *, size_t);
	const void	*newptr;
	size_t		 newlen;
	size_t		 newidx;
	int		(*newfunc)(struct sysctl_req *, void *, size_t);
	size_t		 validlen;
	int		 flags;
};

LIST_HEAD(sysctl_oid_list, sysctl_oid);
struct sysctl_oid {
	struct sysctl_oid_list	 oid_children;
	struct sysctl_oid_list	*oid_parent;
	LIST_ENTRY(sysctl_oid)	 oid_link;
	int		 oid_number;
	u_int		 oid_kind;
	void		*oid_arg1;
	intmax_t	 oid_arg2;
	const char	*oid_name;
	int		(*oid_handler)(SYSCTL_HANDLER_ARGS);
	const char	*oid_fmt;
	int		 oid_refcnt;
	u_int		 oid_running;
	const char	*oid_descr;
	const char	*oid_label;
	const char	*oid_file;
	bool		 oid_registered;
};

#define	SYSCTL_IN(r, p, l)	((r)->newfunc)(r, p, l)
#define	SYSCTL_OUT(r, p, l)	((r)->oldfunc)(r, p, l)
#define	SYSCTL_OUT_STR(r, p)	((r)->oldfunc)(r, p, strlen(p) + 1)

int	sysctl_handle_bool(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_8(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_16(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_32(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_64(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_int(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_long(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_string(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_opaque(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_counter_u64(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_counter_u64_array(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_uma_zone_max(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_uma_zone_cur(SYSCTL_HANDLER_ARGS);
int	sysctl_msec_to_ticks(SYSCTL_HANDLER_ARGS);
int	sysctl_usec_to_sbintime(SYSCTL_HANDLER_ARGS);
int	sysctl_msec_to_sbintime(SYSCTL_HANDLER_ARGS);
int	sysctl_sec_to_timeval(SYSCTL_HANDLER_ARGS);
int	sysctl_wire_old_buffer(struct sysctl_req *req, size_t len);

void	sysctl_register_oid(struct sysctl_oid *oidp);
void	sysctl_unregister_oid(struct sysctl_oid *oidp);

#define	SYSCTL_CHILDREN(p)	(&(p)->oid_children)
#define	SYSCTL_PARENT(p)	((p)->oid_parent)
#define	SYSCTL_NODE_CHILDREN(parent, name) sysctl__##parent##_##name.oid_children
#define	SYSCTL_STATIC_CHILDREN(name) (&sysctl_##name.oid_children)
#define	SYSCTL_DECL(name)	extern struct sysctl_oid sysctl_##name

/* A root of the tree is a node whose name has an empty parent: SYSCTL_ROOT_NODE. */
#define	_SYSCTL_OID_RAW(id, parentptr, nbr, nm, kind, a1, a2, handler, fmt, descr) \
	struct sysctl_oid id = {					\
		.oid_parent = (parentptr), .oid_number = (nbr),		\
		.oid_kind = (kind), .oid_arg1 = (a1), .oid_arg2 = (a2),	\
		.oid_name = (nm), .oid_handler = (handler),		\
		.oid_fmt = (fmt), .oid_descr = (descr), .oid_file = __FILE__ \
	};								\
	DATA_SET(sysctl_set, id)
#define	SYSCTL_OID_GLOBAL(parent, nbr, name, kind, a1, a2, handler, fmt, descr, label) \
	_SYSCTL_OID_RAW(sysctl_##parent##_##name, &sysctl_##parent.oid_children, \
	    nbr, #name, kind, a1, a2, handler, fmt, descr)
#define	SYSCTL_OID(parent, nbr, name, kind, a1, a2, handler, fmt, descr) \
	static _SYSCTL_OID_RAW(sysctl_##parent##_##name, &sysctl_##parent.oid_children, \
	    nbr, #name, kind, a1, a2, handler, fmt, descr)
#define	SYSCTL_ADD_OID(ctx, parent, nbr, name, kind, a1, a2, handler, fmt, descr) \
	sysctl_add_oid(ctx, parent, nbr, name, kind, a1, a2, handler, fmt, descr, NULL)

#define	SYSCTL_NODE(parent, nbr, name, access, handler, descr)		\
	SYSCTL_OID_GLOBAL(parent, nbr, name, CTLTYPE_NODE | (access), NULL, 0, \
	    handler, "N", descr, NULL)
#define	SYSCTL_ROOT_NODE(nbr, name, access, handler, descr)		\
	_SYSCTL_OID_RAW(sysctl__##name, &sysctl__children, nbr, #name,	\
	    CTLTYPE_NODE | (access), NULL, 0, handler, "N", descr)
extern struct sysctl_oid_list sysctl__children;

#define	_SYSCTL_VAR(parent, nbr, name, type, access, ptr, val, handler, fmt, descr) \
	SYSCTL_OID(parent, nbr, name, (type) | CTLFLAG_MPSAFE | (access), \
	    (void *)(uintptr_t)(ptr), (val), handler, fmt, descr)
#define	SYSCTL_NULL_INT_PTR	((int *)NULL)
#define	SYSCTL_NULL_UINT_PTR	((unsigned *)NULL)
#define	SYSCTL_NULL_BOOL_PTR	((bool *)NULL)
#define	SYSCTL_NULL_LONG_PTR	((long *)NULL)
#define	SYSCTL_NULL_ULONG_PTR	((unsigned long *)NULL)
#define	SYSCTL_NULL_U64_PTR	((uint64_t *)NULL)
#define	SYSCTL_INT(p, n, nm, a, ptr, v, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_INT, a, ptr, v, sysctl_handle_int, "I", d)
#define	SYSCTL_UINT(p, n, nm, a, ptr, v, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_UINT, a, ptr, v, sysctl_handle_int, "IU", d)
#define	SYSCTL_LONG(p, n, nm, a, ptr, v, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_LONG, a, ptr, v, sysctl_handle_long, "L", d)
#define	SYSCTL_ULONG(p, n, nm, a, ptr, v, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_ULONG, a, ptr, v, sysctl_handle_long, "LU", d)
#define	SYSCTL_BOOL(p, n, nm, a, ptr, v, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_U8, a, ptr, v, sysctl_handle_bool, "CU", d)
#define	SYSCTL_U8(p, n, nm, a, ptr, v, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_U8, a, ptr, v, sysctl_handle_8, "CU", d)
#define	SYSCTL_U16(p, n, nm, a, ptr, v, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_U16, a, ptr, v, sysctl_handle_16, "SU", d)
#define	SYSCTL_U32(p, n, nm, a, ptr, v, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_U32, a, ptr, v, sysctl_handle_32, "IU", d)
#define	SYSCTL_S64(p, n, nm, a, ptr, v, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_S64, a, ptr, v, sysctl_handle_64, "Q", d)
#define	SYSCTL_U64(p, n, nm, a, ptr, v, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_U64, a, ptr, v, sysctl_handle_64, "QU", d)
#define	SYSCTL_QUAD(p, n, nm, a, ptr, v, d)	SYSCTL_S64(p, n, nm, a, ptr, v, d)
#define	SYSCTL_UQUAD(p, n, nm, a, ptr, v, d)	SYSCTL_U64(p, n, nm, a, ptr, v, d)
#define	SYSCTL_SBINTIME_USEC(p, n, nm, a, ptr, d) _SYSCTL_VAR(p, n, nm, CTLTYPE_INT, a, ptr, 0, sysctl_usec_to_sbintime, "Q", d)
#define	SYSCTL_STRING(p, n, nm, a, arg, len, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_STRING, a, arg, len, sysctl_handle_string, "A", d)
#define	SYSCTL_CONST_STRING(p, n, nm, a, arg, d) _SYSCTL_VAR(p, n, nm, CTLTYPE_STRING, a, arg, 0, sysctl_handle_string, "A", d)
#define	SYSCTL_OPAQUE(p, n, nm, a, ptr, len, fmt, d) _SYSCTL_VAR(p, n, nm, CTLTYPE_OPAQUE, a, ptr, len, sysctl_handle_opaque, fmt, d)
#define	SYSCTL_STRUCT(p, n, nm, a, ptr, type, d) _SYSCTL_VAR(p, n, nm, CTLTYPE_OPAQUE, a, ptr, sizeof(struct type), sysctl_handle_opaque, "S," #type, d)
/* The counter is allocated later than this is set up: a pointer to it. */
#define	SYSCTL_COUNTER_U64(p, n, nm, a, ptr, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_U64 | CTLFLAG_STATS, a, ptr, 0, sysctl_handle_counter_u64, "QU", d)
#define	SYSCTL_COUNTER_U64_ARRAY(p, n, nm, a, ptr, len, d) _SYSCTL_VAR(p, n, nm, CTLTYPE_OPAQUE | CTLFLAG_STATS, a, ptr, len, sysctl_handle_counter_u64_array, "S", d)
#define	SYSCTL_PROC(p, n, nm, a, ptr, arg, h, fmt, d)			\
	SYSCTL_OID(p, n, nm, (a), (void *)(uintptr_t)(ptr), (intmax_t)(arg), h, fmt, d)
#define	SYSCTL_UMA_MAX(p, n, nm, a, ptr, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_INT, a, ptr, 0, sysctl_handle_uma_zone_max, "I", d)
#define	SYSCTL_UMA_CUR(p, n, nm, a, ptr, d)	_SYSCTL_VAR(p, n, nm, CTLTYPE_INT, a, ptr, 0, sysctl_handle_uma_zone_cur, "I", d)
/* Of a V_ variable, whose offset in the section is its address there. */
#define	SYSCTL_VNET_INT(p, n, nm, a, ptr, v, d)	SYSCTL_INT(p, n, nm, CTLFLAG_VNET | (a), ptr, v, d)
#define	SYSCTL_VNET_UINT(p, n, nm, a, ptr, v, d) SYSCTL_UINT(p, n, nm, CTLFLAG_VNET | (a), ptr, v, d)
#define	SYSCTL_VNET_STRING(p, n, nm, a, arg, len, d) SYSCTL_STRING(p, n, nm, CTLFLAG_VNET | (a), arg, len, d)
#define	SYSCTL_VNET_PROC(p, n, nm, a, ptr, arg, h, fmt, d) SYSCTL_PROC(p, n, nm, CTLFLAG_VNET | (a), ptr, arg, h, fmt, d)
#define	SYSCTL_VNET_STRUCT(p, n, nm, a, ptr, type, d) SYSCTL_STRUCT(p, n, nm, CTLFLAG_VNET | (a), ptr, type, d)
#define	SYSCTL_VNET_UQUAD(p, n, nm, a, ptr, v, d) SYSCTL_UQUAD(p, n, nm, CTLFLAG_VNET | (a), ptr, v, d)
#define	SYSCTL_VNET_BOOL(p, n, nm, a, ptr, v, d) SYSCTL_BOOL(p, n, nm, CTLFLAG_VNET | (a), ptr, v, d)

struct sysctl_ctx_entry {
	struct sysctl_oid *entry;
	TAILQ_ENTRY(sysctl_ctx_entry) link;
};
TAILQ_HEAD(sysctl_ctx_list, sysctl_ctx_entry);
int	sysctl_ctx_init(struct sysctl_ctx_list *clist);
int	sysctl_ctx_free(struct sysctl_ctx_list *clist);
struct sysctl_oid *sysctl_add_oid(struct sysctl_ctx_list *clist, struct sysctl_oid_list *parent,
	    int nbr, const char *name, int kind, void *arg1, intmax_t arg2,
	    int (*handler)(SYSCTL_HANDLER_ARGS), const char *fmt, const char *descr, const char *label);
int	sysctl_remove_oid(struct sysctl_oid *oidp, int del, int recurse);
int	sysctl_remove_name(struct sysctl_oid *parent, const char *name, int del, int recurse);
void	sysctl_rename_oid(struct sysctl_oid *oidp, const char *name);
#define	_SYSCTL_ADD(c, p, n, nm, type, a, ptr, v, h, fmt, d)		\
	sysctl_add_oid((c), (p), (n), (nm), (type) | CTLFLAG_MPSAFE | (a), \
	    (void *)(uintptr_t)(ptr), (v), (h), (fmt), (d), NULL)
#define	SYSCTL_ADD_NODE(c, p, n, nm, a, h, d)	sysctl_add_oid((c), (p), (n), (nm), CTLTYPE_NODE | (a), NULL, 0, (h), "N", (d), NULL)
#define	SYSCTL_ADD_ROOT_NODE(c, n, nm, a, h, d)	SYSCTL_ADD_NODE(c, &sysctl__children, n, nm, a, h, d)
#define	SYSCTL_ADD_INT(c, p, n, nm, a, ptr, v, d)	_SYSCTL_ADD(c, p, n, nm, CTLTYPE_INT, a, ptr, v, sysctl_handle_int, "I", d)
#define	SYSCTL_ADD_UINT(c, p, n, nm, a, ptr, v, d)	_SYSCTL_ADD(c, p, n, nm, CTLTYPE_UINT, a, ptr, v, sysctl_handle_int, "IU", d)
#define	SYSCTL_ADD_LONG(c, p, n, nm, a, ptr, d)		_SYSCTL_ADD(c, p, n, nm, CTLTYPE_LONG, a, ptr, 0, sysctl_handle_long, "L", d)
#define	SYSCTL_ADD_ULONG(c, p, n, nm, a, ptr, d)	_SYSCTL_ADD(c, p, n, nm, CTLTYPE_ULONG, a, ptr, 0, sysctl_handle_long, "LU", d)
#define	SYSCTL_ADD_U8(c, p, n, nm, a, ptr, v, d)	_SYSCTL_ADD(c, p, n, nm, CTLTYPE_U8, a, ptr, v, sysctl_handle_8, "CU", d)
#define	SYSCTL_ADD_U16(c, p, n, nm, a, ptr, v, d)	_SYSCTL_ADD(c, p, n, nm, CTLTYPE_U16, a, ptr, v, sysctl_handle_16, "SU", d)
#define	SYSCTL_ADD_U32(c, p, n, nm, a, ptr, v, d)	_SYSCTL_ADD(c, p, n, nm, CTLTYPE_U32, a, ptr, v, sysctl_handle_32, "IU", d)
#define	SYSCTL_ADD_U64(c, p, n, nm, a, ptr, v, d)	_SYSCTL_ADD(c, p, n, nm, CTLTYPE_U64, a, ptr, v, sysctl_handle_64, "QU", d)
#define	SYSCTL_ADD_UQUAD(c, p, n, nm, a, ptr, d)	SYSCTL_ADD_U64(c, p, n, nm, a, ptr, 0, d)
#define	SYSCTL_ADD_BOOL(c, p, n, nm, a, ptr, v, d)	_SYSCTL_ADD(c, p, n, nm, CTLTYPE_U8, a, ptr, v, sysctl_handle_bool, "CU", d)
#define	SYSCTL_ADD_STRING(c, p, n, nm, a, arg, len, d)	_SYSCTL_ADD(c, p, n, nm, CTLTYPE_STRING, a, arg, len, sysctl_handle_string, "A", d)
#define	SYSCTL_ADD_PROC(c, p, n, nm, a, ptr, arg, h, fmt, d)		\
	sysctl_add_oid((c), (p), (n), (nm), (a), (void *)(uintptr_t)(ptr), (intmax_t)(arg), (h), (fmt), (d), NULL)
/* Unlike the static form, the counter itself: it exists by then. */
#define	SYSCTL_ADD_COUNTER_U64(c, p, n, nm, a, ptr, d)	_SYSCTL_ADD(c, p, n, nm, CTLTYPE_U64 | CTLFLAG_STATS, a, ptr, 0, sysctl_handle_counter_u64, "QU", d)

int	kernel_sysctlbyname(struct thread *td, char *name, void *old, size_t *oldlenp,
	    void *new, size_t newlen, size_t *retval, int flags);
/* The oid of a dotted name, or NULL; what of the name is left over goes to rest. */
struct sysctl_oid *sysctl_find_oidname_path(const char *name);
/* The full dotted name; the size of the buffer must do. */
void	sysctl_fullname(const struct sysctl_oid *oidp, char *buf, size_t size);
/* Reads and writes through an oid's handler, in the vnet of the thread's credentials. */
int	sysctl_call(struct sysctl_oid *oidp, void *old, size_t *oldlen, const void *new, size_t newlen);

SYSCTL_DECL(_kern);
SYSCTL_DECL(_kern_features);
SYSCTL_DECL(_kern_ipc);
SYSCTL_DECL(_kern_dnh);
SYSCTL_DECL(_vm);
SYSCTL_DECL(_vfs);
SYSCTL_DECL(_net);
SYSCTL_DECL(_debug);
SYSCTL_DECL(_debug_sizeof);
SYSCTL_DECL(_debug_kdb);
SYSCTL_DECL(_debug_witness);
SYSCTL_DECL(_dev);
SYSCTL_DECL(_hw);
SYSCTL_DECL(_machdep);
SYSCTL_DECL(_security);
SYSCTL_DECL(_security_jail);
SYSCTL_DECL(_user);
SYSCTL_DECL(_compat);

extern char	osrelease[];
extern char	ostype[];
extern char	kern_ident[];
extern int	osreldate;
#define	FEATURE(name, desc)						\
	SYSCTL_INT(_kern_features, OID_AUTO, name, CTLFLAG_RD | CTLFLAG_CAPRD, SYSCTL_NULL_INT_PTR, 1, desc)

#endif /* !_SYS_SYSCTL_H_ */
