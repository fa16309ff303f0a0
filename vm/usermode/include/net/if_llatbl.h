/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IF_LLATBL_H_
#define	_NET_IF_LLATBL_H_

#include <sys/ck.h>
#include <sys/callout.h>
#include <sys/epoch.h>
#include <sys/rwlock.h>
#include <sys/mutex.h>
#include <sys/eventhandler.h>
#include <netinet/in.h>

struct ifnet;
struct lltable;
struct mbuf;

#define	LLE_MAX_LINKHDR	24

CK_LIST_HEAD(llentries, llentry);

/*
 * The first part is what the fast path reads inside the epoch; everything
 * else belongs to lle_lock or, for the chains, to if_afdata_lock.
 */
struct llentry {
	CK_LIST_ENTRY(llentry)	 lle_next;
	union {
		struct in_addr	 addr4;
	} r_l3addr;
	char			 r_linkdata[LLE_MAX_LINKHDR];
	uint8_t			 r_hdrlen;
	uint8_t			 r_family;
	uint16_t		 r_flags;
	uint16_t		 r_skip_req;

	struct lltable		*lle_tbl;
	struct llentries	*lle_head;
	void			(*lle_free)(struct llentry *);
	struct mbuf		*la_hold;
	int			 la_numheld;
	time_t			 la_expire;
	uint16_t		 la_flags;
	uint16_t		 la_asked;
	uint16_t		 la_preempt;
	int16_t			 ln_state;
	time_t			 lle_remtime;
	time_t			 lle_hittime;
	int			 lle_refcnt;
	char			*ll_addr;
	CK_LIST_ENTRY(llentry)	 lle_chain;
	struct callout		 lle_timer;
	struct rwlock		 lle_lock;
	struct mtx		 req_mtx;
	struct epoch_context	 lle_epoch_ctx;
};

#define	LLE_WLOCK(lle)		rw_wlock(&(lle)->lle_lock)
#define	LLE_RLOCK(lle)		rw_rlock(&(lle)->lle_lock)
#define	LLE_WUNLOCK(lle)	rw_wunlock(&(lle)->lle_lock)
#define	LLE_RUNLOCK(lle)	rw_runlock(&(lle)->lle_lock)
#define	LLE_LOCK_INIT(lle)	rw_init_flags(&(lle)->lle_lock, "lle", RW_DUPOK)
#define	LLE_LOCK_DESTROY(lle)	rw_destroy(&(lle)->lle_lock)
#define	LLE_WLOCK_ASSERT(lle)	rw_assert(&(lle)->lle_lock, RA_WLOCKED)
#define	LLE_IS_VALID(lle)	((lle) != NULL && (lle) != (void *)-1)

#define	LLE_ADDREF(lle)	do {						\
	LLE_WLOCK_ASSERT(lle);						\
	KASSERT((lle)->lle_refcnt >= 0, ("negative refcnt %d on lle %p", \
	    (lle)->lle_refcnt, (lle)));					\
	(lle)->lle_refcnt++;						\
} while (0)
#define	LLE_REMREF(lle)	do {						\
	LLE_WLOCK_ASSERT(lle);						\
	KASSERT((lle)->lle_refcnt > 0, ("bogus refcnt %d on lle %p",	\
	    (lle)->lle_refcnt, (lle)));					\
	(lle)->lle_refcnt--;						\
} while (0)
#define	LLE_FREE_LOCKED(lle)	do {					\
	if ((lle)->lle_refcnt == 1)					\
		(lle)->lle_free(lle);					\
	else {								\
		LLE_REMREF(lle);					\
		LLE_WUNLOCK(lle);					\
	}								\
	(lle) = NULL;							\
} while (0)
#define	LLE_FREE(lle)	do {						\
	LLE_WLOCK(lle);							\
	LLE_FREE_LOCKED(lle);						\
} while (0)

#define	IN_LLTBL_DEFAULT_HSIZE	32

struct lltable {
	sa_family_t		 llt_af;
	int			 llt_hsize;
	int			 llt_entries;
	int			 llt_maxentries;
	struct llentries	*lle_head;
	struct ifnet		*llt_ifp;
};

MALLOC_DECLARE(M_LLTABLE);

#define	LLE_DELETED	0x0001
#define	LLE_STATIC	0x0002
#define	LLE_IFADDR	0x0004
#define	LLE_VALID	0x0008
#define	LLE_PUB		0x0020
#define	LLE_LINKED	0x0040
#define	LLE_EXCLUSIVE	0x2000
#define	LLE_UNLOCKED	0x4000
#define	LLE_ADDRONLY	0x4000
#define	LLE_CREATE	0x8000
#define	RLLE_VALID	0x0001
#define	RLLE_IFADDR	LLE_IFADDR

/* One line of arp -a. */
struct lle_info {
	struct in_addr	 li_addr;
	uint8_t		 li_lladdr[6];
	int		 li_flags;	/* LLE_ */
	int		 li_expire;	/* seconds, -1 never, 0 expired */
	char		 li_ifname[16];
};

struct lltable *in_lltattach(struct ifnet *ifp);
void	in_lltdetach(struct lltable *llt);
struct lltable *in_lltable_get(struct ifnet *ifp);
struct llentry *in_lltable_lookup(struct lltable *llt, u_int flags, const struct sockaddr *l3addr);
size_t	llentry_free(struct llentry *);
size_t	lltable_drop_entry_queue(struct llentry *);
void	lltable_prefix_free(struct lltable *llt, struct in_addr addr, struct in_addr mask, bool all);
int	lltable_delete_addr(struct lltable *llt, struct in_addr addr);
int	lltable_add_static(struct lltable *llt, struct in_addr addr, const uint8_t *lladdr, bool temp);
int	lltable_walk(struct ifnet *ifp, int (*cb)(const struct lle_info *, void *), void *arg);
#define	lla_lookup(llt, flags, l3addr)	in_lltable_lookup(llt, flags, l3addr)

enum {
	LLENTRY_RESOLVED,
	LLENTRY_TIMEDOUT,
	LLENTRY_DELETED,
	LLENTRY_EXPIRED,
};
typedef void (*lle_event_fn)(void *, struct llentry *, int);
EVENTHANDLER_DECLARE(lle_event, lle_event_fn);

#endif /* !_NET_IF_LLATBL_H_ */
