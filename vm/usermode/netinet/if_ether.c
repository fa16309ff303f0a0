/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARP, and the table of neighbours it fills.
 *
 * An entry's link header is written before the entry becomes valid and never
 * after: senders copy it inside the epoch without a lock.  A neighbour whose
 * address changes gets a new entry.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/rwlock.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/syslog.h>
#include <sys/time.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/if_dl.h>
#include <net/if_llatbl.h>
#include <net/if_private.h>
#include <net/if_types.h>
#include <net/netisr.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/vnet.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netinet/in_fib.h>
#include <netinet/in_var.h>
#include "inet_internal.h"

MALLOC_DEFINE(M_LLTABLE, "lltable", "link level address tables");

SYSCTL_DECL(_net_link_ether);
static SYSCTL_NODE(_net_link_ether, PF_INET, inet, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "");

VNET_DEFINE_STATIC(int, arpt_keep) = 20 * 60;
VNET_DEFINE_STATIC(int, arp_maxtries) = 5;
VNET_DEFINE_STATIC(int, arpt_down) = 20;
VNET_DEFINE_STATIC(int, arp_maxhold) = 16;
VNET_DEFINE_STATIC(int, arpt_rexmit) = 1;
#define	V_arpt_keep	VNET(arpt_keep)
#define	V_arp_maxtries	VNET(arp_maxtries)
#define	V_arpt_down	VNET(arpt_down)
#define	V_arp_maxhold	VNET(arp_maxhold)
#define	V_arpt_rexmit	VNET(arpt_rexmit)
SYSCTL_INT(_net_link_ether_inet, OID_AUTO, max_age, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(arpt_keep), 0, "ARP entry lifetime in seconds");
SYSCTL_INT(_net_link_ether_inet, OID_AUTO, maxtries, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(arp_maxtries), 0, "ARP resolution attempts before returning error");
SYSCTL_INT(_net_link_ether_inet, OID_AUTO, wait, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(arpt_down), 0, "Incomplete ARP entry lifetime in seconds");
SYSCTL_INT(_net_link_ether_inet, OID_AUTO, maxhold, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(arp_maxhold), 0, "Number of packets to hold per ARP entry");

VNET_PCPUSTAT_DEFINE(struct arpstat, arpstat);
VNET_PCPUSTAT_SYSINIT(arpstat);
VNET_PCPUSTAT_SYSUNINIT(arpstat);
SYSCTL_VNET_PCPUSTAT(_net_link_ether_inet, OID_AUTO, stats, struct arpstat, arpstat,
    "ARP statistics (struct arpstat, net/if_arp.h)");

static void	arptimer(void *arg);

/*
 * The table.
 */
static struct llentries *
llt_bucket(struct lltable *llt, struct in_addr addr)
{
	return (&llt->lle_head[ntohl(addr.s_addr) % llt->llt_hsize]);
}

static struct llentry *
llt_find(struct lltable *llt, struct in_addr addr)
{
	struct llentry *lle;

	CK_LIST_FOREACH(lle, llt_bucket(llt, addr), lle_next)
		if (lle->r_l3addr.addr4.s_addr == addr.s_addr)
			return (lle);
	return (NULL);
}

struct lltable *
in_lltable_get(struct ifnet *ifp)
{
	struct in_ifinfo *ii = ifp->if_afdata[AF_INET];

	return (ii != NULL ? ii->ii_llt : NULL);
}

struct lltable *
in_lltattach(struct ifnet *ifp)
{
	struct lltable *llt;
	int i;

	llt = malloc(sizeof(*llt), M_LLTABLE, M_WAITOK | M_ZERO);
	llt->llt_af = AF_INET;
	llt->llt_hsize = IN_LLTBL_DEFAULT_HSIZE;
	llt->llt_ifp = ifp;
	llt->lle_head = malloc(llt->llt_hsize * sizeof(*llt->lle_head), M_LLTABLE,
	    M_WAITOK | M_ZERO);
	for (i = 0; i < llt->llt_hsize; i++)
		CK_LIST_INIT(&llt->lle_head[i]);
	return (llt);
}

static void
lle_destroy(epoch_context_t ctx)
{
	struct llentry *lle = __containerof(ctx, struct llentry, lle_epoch_ctx);

	LLE_LOCK_DESTROY(lle);
	free(lle, M_LLTABLE);
}

/* The last reference is going. */
static void
lle_lastfree(struct llentry *lle)
{
	LLE_WUNLOCK(lle);
	NET_EPOCH_CALL(lle_destroy, &lle->lle_epoch_ctx);
}

static struct llentry *
lle_alloc(struct in_addr addr)
{
	struct llentry *lle;

	lle = malloc(sizeof(*lle), M_LLTABLE, M_NOWAIT | M_ZERO);
	if (lle == NULL)
		return (NULL);
	lle->r_l3addr.addr4 = addr;
	lle->r_family = AF_INET;
	lle->lle_refcnt = 1;
	lle->lle_free = lle_lastfree;
	LLE_LOCK_INIT(lle);
	callout_init(&lle->lle_timer, 1);
	return (lle);
}

static void
lle_link(struct lltable *llt, struct llentry *lle)
{
	IF_AFDATA_WLOCK_ASSERT(llt->llt_ifp);
	lle->lle_tbl = llt;
	lle->la_flags |= LLE_LINKED;
	CK_LIST_INSERT_HEAD(llt_bucket(llt, lle->r_l3addr.addr4), lle, lle_next);
	llt->llt_entries++;
}

static void
lle_unlink(struct lltable *llt, struct llentry *lle)
{
	IF_AFDATA_WLOCK_ASSERT(llt->llt_ifp);
	LLE_WLOCK_ASSERT(lle);
	CK_LIST_REMOVE(lle, lle_next);
	lle->la_flags &= ~(LLE_LINKED | LLE_VALID);
	lle->la_flags |= LLE_DELETED;
	llt->llt_entries--;
}

/* How many packets waited for the address and are gone. */
size_t
lltable_drop_entry_queue(struct llentry *lle)
{
	struct mbuf *m;
	size_t n;

	LLE_WLOCK_ASSERT(lle);
	for (n = 0; (m = lle->la_hold) != NULL; n++) {
		lle->la_hold = m->m_nextpkt;
		m->m_nextpkt = NULL;
		m_freem(m);
	}
	lle->la_numheld = 0;
	return (n);
}

/* Locked and unlinked on entry; stops the timer and drops the table's reference. */
size_t
llentry_free(struct llentry *lle)
{
	size_t dropped;

	LLE_WLOCK_ASSERT(lle);
	dropped = lltable_drop_entry_queue(lle);
	if (callout_stop(&lle->lle_timer) > 0)
		LLE_REMREF(lle);
	LLE_FREE_LOCKED(lle);
	return (dropped);
}

void
in_lltdetach(struct lltable *llt)
{
	struct llentry *lle;
	int i;

	for (i = 0; i < llt->llt_hsize; i++)
		for (;;) {
			IF_AFDATA_WLOCK(llt->llt_ifp);
			lle = CK_LIST_FIRST(&llt->lle_head[i]);
			if (lle == NULL) {
				IF_AFDATA_WUNLOCK(llt->llt_ifp);
				break;
			}
			LLE_WLOCK(lle);
			lle_unlink(llt, lle);
			IF_AFDATA_WUNLOCK(llt->llt_ifp);
			/* A timer that runs now must not look at the table any more. */
			lle->lle_tbl = NULL;
			llentry_free(lle);
		}
	free(llt->lle_head, M_LLTABLE);
	free(llt, M_LLTABLE);
}

struct llentry *
in_lltable_lookup(struct lltable *llt, u_int flags, const struct sockaddr *l3addr)
{
	struct llentry *lle;

	IF_AFDATA_LOCK_ASSERT(llt->llt_ifp);
	lle = llt_find(llt, ((const struct sockaddr_in *)l3addr)->sin_addr);
	if (lle == NULL || (flags & LLE_UNLOCKED))
		return (lle);
	if (flags & LLE_EXCLUSIVE)
		LLE_WLOCK(lle);
	else
		LLE_RLOCK(lle);
	if ((lle->la_flags & LLE_DELETED) == 0)
		return (lle);
	rw_unlock(&lle->lle_lock);
	return (NULL);
}

/* The link header first, the flag that says so after it. */
static void
lle_set_lladdr(struct ifnet *ifp, struct llentry *lle, const uint8_t *lladdr)
{
	struct ether_header *eh = (struct ether_header *)lle->r_linkdata;

	memcpy(eh->ether_dhost, lladdr, ETHER_ADDR_LEN);
	memcpy(eh->ether_shost, IF_LLADDR(ifp), ETHER_ADDR_LEN);
	eh->ether_type = htons(ETHERTYPE_IP);
	lle->r_hdrlen = ETHER_HDR_LEN;
	lle->ll_addr = lle->r_linkdata;
	lle->la_flags |= LLE_VALID;
	atomic_store_rel_16(&lle->r_flags, RLLE_VALID | (lle->la_flags & LLE_IFADDR));
}

/* Puts a ready entry in the place of whatever there was. */
static void
llt_replace(struct lltable *llt, struct llentry *lle)
{
	struct llentry *old;

	IF_AFDATA_WLOCK(llt->llt_ifp);
	old = llt_find(llt, lle->r_l3addr.addr4);
	if (old != NULL) {
		LLE_WLOCK(old);
		lle_unlink(llt, old);
	}
	lle_link(llt, lle);
	IF_AFDATA_WUNLOCK(llt->llt_ifp);
	if (old != NULL)
		llentry_free(old);
}

int
lltable_add_static(struct lltable *llt, struct in_addr addr, const uint8_t *lladdr, bool temp)
{
	struct llentry *lle;

	lle = lle_alloc(addr);
	if (lle == NULL)
		return (ENOMEM);
	if (!temp)
		lle->la_flags |= LLE_STATIC;
	lle_set_lladdr(llt->llt_ifp, lle, lladdr);
	LLE_WLOCK(lle);
	if (temp) {
		lle->la_expire = time_uptime + V_arpt_keep;
		LLE_ADDREF(lle);
	}
	LLE_WUNLOCK(lle);
	llt_replace(llt, lle);
	if (temp)
		callout_reset(&lle->lle_timer, hz * V_arpt_keep, arptimer, lle);
	return (0);
}

int
lltable_delete_addr(struct lltable *llt, struct in_addr addr)
{
	struct llentry *lle;

	IF_AFDATA_WLOCK(llt->llt_ifp);
	lle = llt_find(llt, addr);
	if (lle == NULL) {
		IF_AFDATA_WUNLOCK(llt->llt_ifp);
		return (ENOENT);
	}
	LLE_WLOCK(lle);
	if (lle->la_flags & LLE_IFADDR) {
		LLE_WUNLOCK(lle);
		IF_AFDATA_WUNLOCK(llt->llt_ifp);
		return (EPERM);
	}
	lle_unlink(llt, lle);
	IF_AFDATA_WUNLOCK(llt->llt_ifp);
	EVENTHANDLER_INVOKE(lle_event, lle, LLENTRY_DELETED);
	llentry_free(lle);
	return (0);
}

/* The entry of an address and what its net let us learn; with all, every entry. */
void
lltable_prefix_free(struct lltable *llt, struct in_addr addr, struct in_addr mask, bool all)
{
	struct llentry *lle, *next;
	struct llentries gone;
	int i;

	CK_LIST_INIT(&gone);
	IF_AFDATA_WLOCK(llt->llt_ifp);
	for (i = 0; i < llt->llt_hsize; i++)
		CK_LIST_FOREACH_SAFE(lle, &llt->lle_head[i], lle_next, next) {
			struct in_addr a = lle->r_l3addr.addr4;

			if (!all && a.s_addr != addr.s_addr &&
			    (((a.s_addr ^ addr.s_addr) & mask.s_addr) != 0 ||
			    (lle->la_flags & LLE_IFADDR)))
				continue;
			LLE_WLOCK(lle);
			lle_unlink(llt, lle);
			LLE_WUNLOCK(lle);
			CK_LIST_INSERT_HEAD(&gone, lle, lle_chain);
		}
	IF_AFDATA_WUNLOCK(llt->llt_ifp);
	CK_LIST_FOREACH_SAFE(lle, &gone, lle_chain, next) {
		LLE_WLOCK(lle);
		llentry_free(lle);
	}
}

int
lltable_walk(struct ifnet *ifp, int (*cb)(const struct lle_info *, void *), void *arg)
{
	struct epoch_tracker et;
	struct lltable *llt;
	struct llentry *lle;
	struct lle_info *li;
	int error, i, n, max;

	/* Copied first: the callback prints, and printing may sleep. */
	max = 1024;
	li = malloc(max * sizeof(*li), M_TEMP, M_WAITOK | M_ZERO);
	n = 0;
	NET_EPOCH_ENTER(et);
	llt = in_lltable_get(ifp);
	for (i = 0; llt != NULL && i < llt->llt_hsize; i++)
		CK_LIST_FOREACH(lle, &llt->lle_head[i], lle_next) {
			if (n == max)
				break;
			LLE_RLOCK(lle);
			li[n].li_addr = lle->r_l3addr.addr4;
			li[n].li_flags = lle->la_flags;
			if (lle->la_flags & LLE_VALID)
				memcpy(li[n].li_lladdr, lle->ll_addr, ETHER_ADDR_LEN);
			li[n].li_expire = lle->la_flags & LLE_STATIC ? -1 :
			    MAX(lle->la_expire - time_uptime, 0);
			LLE_RUNLOCK(lle);
			strlcpy(li[n].li_ifname, ifp->if_xname, sizeof(li[n].li_ifname));
			n++;
		}
	NET_EPOCH_EXIT(et);
	error = 0;
	for (i = 0; i < n && error == 0; i++)
		error = cb(&li[i], arg);
	free(li, M_TEMP);
	return (error);
}

/*
 * The protocol.
 */

/* Holds a reference of its own: unless stopped, it is dropped here. */
static void
arptimer(void *arg)
{
	struct llentry *lle = arg;
	struct epoch_tracker et;
	struct lltable *llt;
	struct ifnet *ifp;
	struct in_addr dst;

	NET_EPOCH_ENTER(et);
	LLE_WLOCK(lle);
	llt = lle->lle_tbl;
	if ((lle->la_flags & LLE_DELETED) || callout_pending(&lle->lle_timer)) {
		/* Deleted while we came, or set anew, with a reference of its own. */
		LLE_FREE_LOCKED(lle);
		NET_EPOCH_EXIT(et);
		return;
	}
	ifp = llt->llt_ifp;
	CURVNET_SET(ifp->if_vnet);
	if ((lle->la_flags & LLE_VALID) && lle->la_preempt > 0 &&
	    atomic_load_16(&lle->r_skip_req) == 0) {
		/* It is in use: ask before it expires, so that traffic never stops. */
		lle->la_preempt--;
		callout_reset(&lle->lle_timer, hz, arptimer, lle);
		dst = lle->r_l3addr.addr4;
		LLE_WUNLOCK(lle);
		arprequest(ifp, NULL, &dst, NULL);
		goto out;
	}
	EVENTHANDLER_INVOKE(lle_event, lle,
	    lle->la_flags & LLE_VALID ? LLENTRY_EXPIRED : LLENTRY_TIMEDOUT);
	/* Table before entry: the order of locks.  Our reference keeps it. */
	LLE_WUNLOCK(lle);
	IF_AFDATA_WLOCK(ifp);
	LLE_WLOCK(lle);
	if (lle->la_flags & LLE_LINKED) {
		lle_unlink(llt, lle);
		IF_AFDATA_WUNLOCK(ifp);
		LLE_REMREF(lle);
		ARPSTAT_INC(timeouts);
		llentry_free(lle);
	} else {
		IF_AFDATA_WUNLOCK(ifp);
		LLE_FREE_LOCKED(lle);
	}
out:
	CURVNET_RESTORE();
	NET_EPOCH_EXIT(et);
}

static void
arp_settimer(struct llentry *lle, int seconds)
{
	LLE_WLOCK_ASSERT(lle);
	LLE_ADDREF(lle);
	if (callout_reset(&lle->lle_timer, hz * seconds, arptimer, lle) > 0)
		LLE_REMREF(lle);
}

/* Sends m, an ARP packet without its Ethernet header. */
static int
arp_send(struct ifnet *ifp, struct mbuf *m, const u_char *dhost)
{
	struct ether_header eh;
	struct sockaddr sa;
	struct route ro;

	memcpy(eh.ether_dhost, dhost, ETHER_ADDR_LEN);
	memcpy(eh.ether_shost, IF_LLADDR(ifp), ETHER_ADDR_LEN);
	eh.ether_type = htons(ETHERTYPE_ARP);
	bzero(&ro, sizeof(ro));
	ro.ro_prepend = (char *)&eh;
	ro.ro_plen = ETHER_HDR_LEN;
	bzero(&sa, sizeof(sa));
	sa.sa_family = AF_ARP;
	sa.sa_len = 2;
	m_clrprotoflags(m);
	return ((*ifp->if_output)(ifp, m, &sa, &ro));
}

/* sip NULL: the address of ours that is on the net of tip. */
void
arprequest(struct ifnet *ifp, const struct in_addr *sip, const struct in_addr *tip,
    u_char *enaddr)
{
	struct ether_arp *ea;
	struct sockaddr_in sin;
	struct ifaddr *ifa;
	struct mbuf *m;

	NET_EPOCH_ASSERT();
	if (sip == NULL) {
		bzero(&sin, sizeof(sin));
		sin.sin_family = AF_INET;
		sin.sin_len = sizeof(sin);
		sin.sin_addr = *tip;
		ifa = ifaof_ifpforaddr((struct sockaddr *)&sin, ifp);
		if (ifa == NULL) {
			ARPSTAT_INC(txerrors);
			return;
		}
		sip = &IA_SIN(ifa)->sin_addr;
	}
	m = m_gethdr(M_NOWAIT, MT_DATA);
	if (m == NULL) {
		ARPSTAT_INC(txerrors);
		return;
	}
	m->m_len = m->m_pkthdr.len = sizeof(*ea);
	M_ALIGN(m, m->m_len);
	ea = mtod(m, struct ether_arp *);
	bzero(ea, sizeof(*ea));
	ea->arp_hrd = htons(ARPHRD_ETHER);
	ea->arp_pro = htons(ETHERTYPE_IP);
	ea->arp_hln = ETHER_ADDR_LEN;
	ea->arp_pln = sizeof(struct in_addr);
	ea->arp_op = htons(ARPOP_REQUEST);
	memcpy(ea->arp_sha, enaddr != NULL ? (caddr_t)enaddr : IF_LLADDR(ifp), ETHER_ADDR_LEN);
	memcpy(ea->arp_spa, sip, sizeof(*sip));
	memcpy(ea->arp_tpa, tip, sizeof(*tip));
	m->m_flags |= M_BCAST;
	if (arp_send(ifp, m, ifp->if_broadcastaddr) == 0)
		ARPSTAT_INC(txrequests);
	else
		ARPSTAT_INC(txerrors);
}

/* No valid entry: hold the packet and ask, or give up. */
static int
arpresolve_full(struct ifnet *ifp, int is_gw, struct mbuf *m, const struct sockaddr *dst,
    u_char *desten, uint32_t *pflags)
{
	struct in_addr addr = ((const struct sockaddr_in *)dst)->sin_addr;
	struct lltable *llt;
	struct llentry *la, *fresh;
	struct mbuf *tail;
	bool renew;
	int error;

	llt = in_lltable_get(ifp);
	la = llt != NULL ? in_lltable_lookup(llt, LLE_EXCLUSIVE, dst) : NULL;
	if (la == NULL) {
		if (llt == NULL || (ifp->if_flags & (IFF_NOARP | IFF_STATICARP)) != 0 ||
		    (fresh = lle_alloc(addr)) == NULL) {
			m_freem(m);
			return (EINVAL);
		}
		LLE_WLOCK(fresh);
		LLE_WUNLOCK(fresh);
		IF_AFDATA_WLOCK(ifp);
		la = llt_find(llt, addr);
		if (la == NULL) {
			lle_link(llt, fresh);
			la = fresh;
			fresh = NULL;
		}
		LLE_WLOCK(la);
		IF_AFDATA_WUNLOCK(ifp);
		if (fresh != NULL)
			lle_destroy(&fresh->lle_epoch_ctx);
	}
	if (la->la_flags & LLE_VALID) {
		/* Somebody was quicker. */
		memcpy(desten, la->r_linkdata, la->r_hdrlen);
		*pflags = la->la_flags & LLE_IFADDR;
		LLE_WUNLOCK(la);
		return (0);
	}
	if (la->la_flags & LLE_DELETED) {
		LLE_WUNLOCK(la);
		m_freem(m);
		return (EHOSTDOWN);
	}
	renew = la->la_asked == 0 || la->la_expire != time_uptime;

	if (la->la_numheld >= MAX(V_arp_maxhold, 1)) {
		/* The oldest goes. */
		struct mbuf *old = la->la_hold;

		la->la_hold = old->m_nextpkt;
		old->m_nextpkt = NULL;
		la->la_numheld--;
		m_freem(old);
		ARPSTAT_INC(dropped);
	}
	if (la->la_hold == NULL)
		la->la_hold = m;
	else {
		for (tail = la->la_hold; tail->m_nextpkt != NULL; tail = tail->m_nextpkt)
			;
		tail->m_nextpkt = m;
	}
	la->la_numheld++;

	if (la->la_asked < V_arp_maxtries)
		error = EWOULDBLOCK;
	else
		error = is_gw ? EHOSTUNREACH : EHOSTDOWN;
	if (renew) {
		la->la_expire = time_uptime;
		arp_settimer(la, V_arpt_down);
		la->la_asked++;
		LLE_WUNLOCK(la);
		arprequest(ifp, NULL, &addr, NULL);
		return (error);
	}
	LLE_WUNLOCK(la);
	return (error);
}

/*
 * 0: desten is the link header.  EWOULDBLOCK and the other errors that come
 * once the tries are used up: ARP keeps the packet.
 */
int
arpresolve(struct ifnet *ifp, int is_gw, struct mbuf *m, const struct sockaddr *dst,
    u_char *desten, uint32_t *pflags, struct llentry **plle)
{
	struct lltable *llt;
	struct llentry *la;
	uint16_t flags;

	NET_EPOCH_ASSERT();
	if (pflags != NULL)
		*pflags = 0;
	if (plle != NULL)
		*plle = NULL;
	llt = in_lltable_get(ifp);
	if (llt != NULL && (la = in_lltable_lookup(llt, LLE_UNLOCKED, dst)) != NULL) {
		flags = atomic_load_acq_16(&la->r_flags);
		if (flags & RLLE_VALID) {
			memcpy(desten, la->r_linkdata, ETHER_HDR_LEN);
			if (pflags != NULL)
				*pflags = flags & LLE_IFADDR;
			/* In use: see arptimer(). */
			if (__predict_false(atomic_load_16(&la->r_skip_req) != 0))
				atomic_store_16(&la->r_skip_req, 0);
			return (0);
		}
	}
	return (arpresolve_full(ifp, is_gw, m, dst, desten, pflags));
}

/* Sends what waited for the neighbour. */
static void
arp_flush_hold(struct ifnet *ifp, struct mbuf *m, struct in_addr addr)
{
	struct sockaddr_in sin;
	struct mbuf *next;

	bzero(&sin, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_len = sizeof(sin);
	sin.sin_addr = addr;
	for (; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		(*ifp->if_output)(ifp, m, (struct sockaddr *)&sin, NULL);
	}
}

/* A neighbour told us its address.  create: it spoke to us, so we will speak to it. */
static void
arp_learn(struct ifnet *ifp, struct in_addr addr, const uint8_t *lladdr, bool create)
{
	struct lltable *llt = in_lltable_get(ifp);
	struct llentry *la, *fresh;
	struct sockaddr_in sin;
	struct mbuf *hold;

	if (llt == NULL)
		return;
	bzero(&sin, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_len = sizeof(sin);
	sin.sin_addr = addr;
	la = in_lltable_lookup(llt, LLE_EXCLUSIVE, (struct sockaddr *)&sin);
	if (la == NULL && !create)
		return;
	if (la != NULL && (la->la_flags & LLE_VALID)) {
		if (memcmp(la->ll_addr, lladdr, ETHER_ADDR_LEN) == 0 ||
		    (la->la_flags & LLE_STATIC)) {
			if ((la->la_flags & LLE_STATIC) == 0) {
				la->la_expire = time_uptime + V_arpt_keep;
				la->la_preempt = V_arp_maxtries;
				atomic_store_16(&la->r_skip_req, 1);
				arp_settimer(la, MAX(V_arpt_keep - V_arp_maxtries, 1));
			}
			LLE_WUNLOCK(la);
			return;
		}
		log(LOG_INFO, "arp: %d.%d.%d.%d moved from %02x:%02x:%02x:%02x:%02x:%02x "
		    "to %02x:%02x:%02x:%02x:%02x:%02x on %s\n",
		    ntohl(addr.s_addr) >> 24, (ntohl(addr.s_addr) >> 16) & 255,
		    (ntohl(addr.s_addr) >> 8) & 255, ntohl(addr.s_addr) & 255,
		    (u_char)la->ll_addr[0], (u_char)la->ll_addr[1], (u_char)la->ll_addr[2],
		    (u_char)la->ll_addr[3], (u_char)la->ll_addr[4], (u_char)la->ll_addr[5],
		    lladdr[0], lladdr[1], lladdr[2], lladdr[3], lladdr[4], lladdr[5],
		    ifp->if_xname);
		LLE_WUNLOCK(la);
		la = NULL;
	}
	if (la == NULL) {
		fresh = lle_alloc(addr);
		if (fresh == NULL)
			return;
		lle_set_lladdr(ifp, fresh, lladdr);
		LLE_WLOCK(fresh);
		fresh->la_expire = time_uptime + V_arpt_keep;
		fresh->la_preempt = V_arp_maxtries;
		fresh->r_skip_req = 1;
		LLE_ADDREF(fresh);	/* ours, for what follows */
		LLE_WUNLOCK(fresh);
		llt_replace(llt, fresh);
		LLE_WLOCK(fresh);
		if (fresh->la_flags & LLE_LINKED)
			arp_settimer(fresh, MAX(V_arpt_keep - V_arp_maxtries, 1));
		EVENTHANDLER_INVOKE(lle_event, fresh, LLENTRY_RESOLVED);
		LLE_FREE_LOCKED(fresh);
		return;
	}
	lle_set_lladdr(ifp, la, lladdr);
	la->la_asked = 0;
	la->la_expire = time_uptime + V_arpt_keep;
	la->la_preempt = V_arp_maxtries;
	atomic_store_16(&la->r_skip_req, 1);
	arp_settimer(la, MAX(V_arpt_keep - V_arp_maxtries, 1));
	hold = la->la_hold;
	la->la_hold = NULL;
	la->la_numheld = 0;
	EVENTHANDLER_INVOKE(lle_event, la, LLENTRY_RESOLVED);
	LLE_WUNLOCK(la);
	arp_flush_hold(ifp, hold, addr);
}

static void
in_arpinput(struct mbuf *m)
{
	struct ifnet *ifp = m->m_pkthdr.rcvif;
	struct ether_arp *ea = mtod(m, struct ether_arp *);
	struct in_addr sip, tip;
	struct in_ifaddr *ia, *mine;
	uint8_t sha[ETHER_ADDR_LEN];
	u_short op;

	memcpy(&sip, ea->arp_spa, sizeof(sip));
	memcpy(&tip, ea->arp_tpa, sizeof(tip));
	memcpy(sha, ea->arp_sha, sizeof(sha));
	op = ntohs(ea->arp_op);
	if (op == ARPOP_REPLY)
		ARPSTAT_INC(rxreplies);
	else if (op == ARPOP_REQUEST)
		ARPSTAT_INC(rxrequests);

	ia = in_ifaddr_lookup(tip);
	if (ia != NULL && ia->ia_ifp != ifp)
		ia = NULL;
	mine = in_ifaddr_lookup(sip);
	if (memcmp(sha, IF_LLADDR(ifp), ETHER_ADDR_LEN) == 0 ||
	    ETHER_IS_MULTICAST(sha))
		goto drop;
	if (mine != NULL && mine->ia_ifp == ifp) {
		log(LOG_ERR, "arp: %02x:%02x:%02x:%02x:%02x:%02x is using my IP address "
		    "%d.%d.%d.%d on %s!\n", sha[0], sha[1], sha[2], sha[3], sha[4], sha[5],
		    ea->arp_spa[0], ea->arp_spa[1], ea->arp_spa[2], ea->arp_spa[3],
		    ifp->if_xname);
		ARPSTAT_INC(dupips);
		goto drop;
	}
	if (sip.s_addr != INADDR_ANY)
		arp_learn(ifp, sip, sha, ia != NULL);
	if (op != ARPOP_REQUEST || ia == NULL)
		goto drop;

	/* The request becomes the reply. */
	memcpy(ea->arp_tha, sha, sizeof(sha));
	memcpy(ea->arp_tpa, &sip, sizeof(sip));
	memcpy(ea->arp_sha, IF_LLADDR(ifp), ETHER_ADDR_LEN);
	memcpy(ea->arp_spa, &tip, sizeof(tip));
	ea->arp_op = htons(ARPOP_REPLY);
	m->m_flags &= ~(M_BCAST | M_MCAST);
	m->m_len = m->m_pkthdr.len = sizeof(*ea);
	m->m_pkthdr.rcvif = NULL;
	if (arp_send(ifp, m, sha) == 0)
		ARPSTAT_INC(txreplies);
	else
		ARPSTAT_INC(txerrors);
	return;
drop:
	m_freem(m);
}

static void
arpintr(struct mbuf *m)
{
	struct arphdr *ar;

	NET_EPOCH_ASSERT();
	ARPSTAT_INC(received);
	if (m->m_pkthdr.len < (int)sizeof(struct ether_arp)) {
		m_freem(m);
		return;
	}
	if (m->m_len < (int)sizeof(struct ether_arp) &&
	    (m = m_pullup(m, sizeof(struct ether_arp))) == NULL)
		return;
	ar = mtod(m, struct arphdr *);
	if (ntohs(ar->ar_hrd) != ARPHRD_ETHER || ntohs(ar->ar_pro) != ETHERTYPE_IP ||
	    ar->ar_hln != ETHER_ADDR_LEN || ar->ar_pln != sizeof(struct in_addr)) {
		m_freem(m);
		return;
	}
	in_arpinput(m);
}

/* An address of ours: an entry that says so, and word to the neighbours. */
void
arp_ifinit(struct ifnet *ifp, struct ifaddr *ifa)
{
	struct in_addr addr = IA_SIN(ifa)->sin_addr;
	struct epoch_tracker et;
	struct lltable *llt;
	struct llentry *lle;

	if (ifp->if_flags & (IFF_NOARP | IFF_LOOPBACK))
		return;
	NET_EPOCH_ENTER(et);
	llt = in_lltable_get(ifp);
	if (llt != NULL && (lle = lle_alloc(addr)) != NULL) {
		lle->la_flags |= LLE_IFADDR | LLE_STATIC;
		lle_set_lladdr(ifp, lle, (uint8_t *)IF_LLADDR(ifp));
		llt_replace(llt, lle);
	}
	if (ifp->if_flags & IFF_UP)
		arprequest(ifp, &addr, &addr, NULL);
	NET_EPOCH_EXIT(et);
}

/* The headers of all entries carry our own link address: start over. */
void
in_lladdr_changed(struct ifnet *ifp)
{
	struct in_addr none = { 0 };
	struct epoch_tracker et;
	struct ifaddr *ifa;
	struct lltable *llt;

	NET_EPOCH_ENTER(et);
	llt = in_lltable_get(ifp);
	if (llt != NULL)
		lltable_prefix_free(llt, none, none, true);
	CK_STAILQ_FOREACH(ifa, &ifp->if_addrhead, ifa_link)
		if (ifa->ifa_addr->sa_family == AF_INET)
			arp_ifinit(ifp, ifa);
	NET_EPOCH_EXIT(et);
}

static struct netisr_handler arp_nh = {
	.nh_name = "arp",
	.nh_handler = arpintr,
	.nh_proto = NETISR_ARP,
	.nh_policy = NETISR_POLICY_SOURCE,
};

static void
vnet_arp_init(const void *unused __unused)
{
	if (IS_DEFAULT_VNET(curvnet))
		netisr_register(&arp_nh);
	else
		netisr_register_vnet(&arp_nh);
}
VNET_SYSINIT(vnet_arp_init, SI_SUB_PROTO_DOMAIN, SI_ORDER_SECOND, vnet_arp_init, NULL);

static void
vnet_arp_destroy(const void *unused __unused)
{
	netisr_unregister_vnet(&arp_nh);
}
VNET_SYSUNINIT(vnet_arp_uninit, SI_SUB_PROTO_DOMAIN, SI_ORDER_THIRD, vnet_arp_destroy, NULL);
