/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SYSCTL_H_
#define	_SYS_SYSCTL_H_

#include <sys/param.h>
#include <sys/queue.h>
#include <sys/linker_set.h>
#include <sys/kernel.h>
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
#define	CTLTYPE_U32	0xe
#define	CTLFLAG_RD	0x80000000u
#define	CTLFLAG_WR	0x40000000u
#define	CTLFLAG_RW	(CTLFLAG_RD | CTLFLAG_WR)
#define	CTLFLAG_DORMANT	0x20000000u
#define	CTLFLAG_ANYBODY	0x10000000u
#define	CTLFLAG_SECURE	0x08000000u
#define	CTLFLAG_PRISON	0x04000000u
#define	CTLFLAG_DYN	0x02000000u
#define	CTLFLAG_SKIP	0x01000000u
#define	CTLFLAG_TUN	0x00080000u
#define	CTLFLAG_RDTUN	(CTLFLAG_RD | CTLFLAG_TUN)
#define	CTLFLAG_RWTUN	(CTLFLAG_RW | CTLFLAG_TUN)
#define	CTLFLAG_MPSAFE	0x00040000u
#define	CTLFLAG_VNET	0x00020000u
#define	CTLFLAG_NOFETCH	0x00010000u
#define	CTLFLAG_NEEDGIANT 0x00008000u
#define	CTLFLAG_CAPRD	0
#define	CTLFLAG_CAPRW	0
#define	CTLFLAG_NEEDGIANT_STUB 0
#define	CTLFLAG_STATS	0x00002000u
#define	OID_AUTO	(-1)

struct sysctl_oid;
struct sysctl_req {
	struct thread	*td;
	void		*oldptr;
	size_t		oldlen;
	size_t		oldidx;
	const void	*newptr;
	size_t		newlen;
	size_t		newidx;
	int		error;
};
#define	SYSCTL_HANDLER_ARGS						\
	struct sysctl_oid *oidp, void *arg1, intmax_t arg2, struct sysctl_req *req
SLIST_HEAD(sysctl_oid_list, sysctl_oid);
struct sysctl_oid {
	struct sysctl_oid_list oid_children;
	struct sysctl_oid_list *oid_parent;
	SLIST_ENTRY(sysctl_oid) oid_link;
	int		oid_number;
	u_int		oid_kind;
	void		*oid_arg1;
	intmax_t	oid_arg2;
	const char	*oid_name;
	int		(*oid_handler)(SYSCTL_HANDLER_ARGS);
	const char	*oid_fmt;
	int		oid_refcnt;
	u_int		oid_running;
	const char	*oid_descr;
};
struct sysctl_ctx_entry {
	struct sysctl_oid *entry;
	TAILQ_ENTRY(sysctl_ctx_entry) link;
};
TAILQ_HEAD(sysctl_ctx_list, sysctl_ctx_entry);

#define	SYSCTL_IN(r, p, l)	sysctl_in((r), (p), (l))
#define	SYSCTL_OUT(r, p, l)	sysctl_out((r), (p), (l))
#define	SYSCTL_OUT_STR(r, p)	sysctl_out((r), (p), strlen(p) + 1)
int	sysctl_in(struct sysctl_req *, void *, size_t);
int	sysctl_out(struct sysctl_req *, const void *, size_t);
int	sysctl_handle_bool(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_8(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_16(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_32(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_int(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_long(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_64(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_string(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_opaque(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_counter_u64(SYSCTL_HANDLER_ARGS);
int	sysctl_msec_to_ticks(SYSCTL_HANDLER_ARGS);

#define	SYSCTL_DECL(name)	extern struct sysctl_oid sysctl__##name
#define	SYSCTL_CHILDREN(oid)	(&(oid)->oid_children)
#define	SYSCTL_STATIC_CHILDREN(name) (&sysctl__##name.oid_children)

#define	SYSCTL_OID_(parentp, id, nbr, name, kind, a1, a2, handler, fmt, descr) \
	struct sysctl_oid id = {					\
		{ NULL }, (parentp), { NULL }, (nbr), (kind), (a1), (a2), \
		#name, (handler), (fmt), 1, 0, (descr)			\
	};								\
	DATA_SET(sysctl_set, id)
#define	SYSCTL_ROOT_NODE(nbr, name, access, handler, descr)		\
	SYSCTL_OID_(&sysctl__children, sysctl__##name, nbr, name,	\
	    CTLTYPE_NODE | (access), NULL, 0, handler, "N", descr)
#define	SYSCTL_NODE(parent, nbr, name, access, handler, descr)		\
	SYSCTL_OID_(&sysctl_##parent.oid_children, sysctl_##parent##_##name, \
	    nbr, name, CTLTYPE_NODE | (access), NULL, 0, handler, "N", descr)
extern struct sysctl_oid_list sysctl__children;
/* A leaf's C name never matters: it is static and numbered. */
#define	SYSCTL_LEAF_(parent, nbr, name, kind, a1, a2, handler, fmt, descr) \
	static SYSCTL_OID_(&sysctl_##parent.oid_children,		\
	    __CONCAT(sysctl_leaf_##parent##_##name##_, __LINE__), nbr, name, \
	    kind, a1, a2, handler, fmt, descr)
#define	SYSCTL_OID(parent, nbr, name, kind, a1, a2, handler, fmt, descr) \
	SYSCTL_LEAF_(parent, nbr, name, kind, a1, a2, handler, fmt, descr)
#define	SYSCTL_PROC(parent, nbr, name, access, ptr, arg, handler, fmt, descr) \
	SYSCTL_LEAF_(parent, nbr, name, (access), (void *)(ptr), (arg), handler, fmt, descr)
#define	SYSCTL_INT(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_INT | (access), (void *)(ptr), (val), sysctl_handle_int, "I", descr)
#define	SYSCTL_UINT(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_UINT | (access), (void *)(ptr), (val), sysctl_handle_int, "IU", descr)
#define	SYSCTL_LONG(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_LONG | (access), (void *)(ptr), (val), sysctl_handle_long, "L", descr)
#define	SYSCTL_ULONG(parent, nbr, name, access, ptr, val, descr)	\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_ULONG | (access), (void *)(ptr), (val), sysctl_handle_long, "LU", descr)
#define	SYSCTL_QUAD(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_S64 | (access), (void *)(ptr), (val), sysctl_handle_64, "Q", descr)
#define	SYSCTL_S64(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_QUAD(parent, nbr, name, access, ptr, val, descr)
#define	SYSCTL_U64(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_U64 | (access), (void *)(ptr), (val), sysctl_handle_64, "QU", descr)
#define	SYSCTL_UQUAD(parent, nbr, name, access, ptr, val, descr)	\
	SYSCTL_U64(parent, nbr, name, access, ptr, val, descr)
#define	SYSCTL_U8(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_U8 | (access), (void *)(ptr), (val), sysctl_handle_8, "CU", descr)
#define	SYSCTL_U16(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_U16 | (access), (void *)(ptr), (val), sysctl_handle_16, "SU", descr)
#define	SYSCTL_U32(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_U32 | (access), (void *)(ptr), (val), sysctl_handle_32, "IU", descr)
#define	SYSCTL_BOOL(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_U8 | (access), (void *)(ptr), (val), sysctl_handle_bool, "CU", descr)
#define	SYSCTL_STRING(parent, nbr, name, access, arg, len, descr)	\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_STRING | (access), (void *)(uintptr_t)(arg), (len), sysctl_handle_string, "A", descr)
#define	SYSCTL_COUNTER_U64(parent, nbr, name, access, ptr, descr)	\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_U64 | CTLFLAG_STATS | (access), (void *)(ptr), 0, sysctl_handle_counter_u64, "QU", descr)
#define	SYSCTL_OPAQUE(parent, nbr, name, access, ptr, len, fmt, descr)	\
	SYSCTL_LEAF_(parent, nbr, name, CTLTYPE_OPAQUE | (access), (void *)(ptr), (len), sysctl_handle_opaque, fmt, descr)
#define	SYSCTL_STRUCT(parent, nbr, name, access, ptr, type, descr)	\
	SYSCTL_OPAQUE(parent, nbr, name, access, ptr, sizeof(struct type), "S," #type, descr)
#define	SYSCTL_CONST_STRING(parent, nbr, name, access, arg, descr)	\
	SYSCTL_STRING(parent, nbr, name, access, arg, 0, descr)

SYSCTL_DECL(_kern);
SYSCTL_DECL(_kern_ipc);
SYSCTL_DECL(_kern_dnh);
SYSCTL_DECL(_net);
SYSCTL_DECL(_net_link);
SYSCTL_DECL(_vm);
SYSCTL_DECL(_hw);
SYSCTL_DECL(_debug);
SYSCTL_DECL(_security);

int	sysctl_ctx_init(struct sysctl_ctx_list *);
int	sysctl_ctx_free(struct sysctl_ctx_list *);
struct sysctl_oid *sysctl_add_oid(struct sysctl_ctx_list *,
	    struct sysctl_oid_list *, int, const char *, int kind, void *,
	    intmax_t, int (*)(SYSCTL_HANDLER_ARGS), const char *fmt,
	    const char *descr, const char *label);
int	sysctl_remove_oid(struct sysctl_oid *, int del, int recurse);
#define	SYSCTL_ADD_NODE(ctx, parent, nbr, name, access, handler, descr)	\
	sysctl_add_oid((ctx), (parent), (nbr), (name), CTLTYPE_NODE | (access), NULL, 0, (handler), "N", (descr), NULL)
#define	SYSCTL_ADD_INT(ctx, parent, nbr, name, access, ptr, val, descr)	\
	sysctl_add_oid((ctx), (parent), (nbr), (name), CTLTYPE_INT | (access), (ptr), (val), sysctl_handle_int, "I", (descr), NULL)
#define	SYSCTL_ADD_UINT(ctx, parent, nbr, name, access, ptr, val, descr) \
	sysctl_add_oid((ctx), (parent), (nbr), (name), CTLTYPE_UINT | (access), (ptr), (val), sysctl_handle_int, "IU", (descr), NULL)
#define	SYSCTL_ADD_U64(ctx, parent, nbr, name, access, ptr, val, descr)	\
	sysctl_add_oid((ctx), (parent), (nbr), (name), CTLTYPE_U64 | (access), (ptr), (val), sysctl_handle_64, "QU", (descr), NULL)
#define	SYSCTL_ADD_PROC(ctx, parent, nbr, name, access, ptr, arg, handler, fmt, descr) \
	sysctl_add_oid((ctx), (parent), (nbr), (name), (access), (ptr), (arg), (handler), (fmt), (descr), NULL)

/* For sysctl(8). */
struct sysctl_oid *sysctl_find_name(const char *name);
int	sysctl_access(struct sysctl_oid *, struct sysctl_req *);
void	sysctl_register_oid(struct sysctl_oid *);
void	sysctl_unregister_oid(struct sysctl_oid *);

#endif /* !_SYS_SYSCTL_H_ */
