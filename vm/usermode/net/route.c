/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IPv4 routing table of a vnet: a hash per prefix length, read inside the
 * epoch, longest length first; and the nexthops that routes lead to.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/counter.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/refcount.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <net/if.h>
#include <net/if_private.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/route/route_ctl.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_fib.h>
#include <netinet/in_var.h>

static MALLOC_DEFINE(M_RTABLE, "routetbl", "routing tables");
static MALLOC_DEFINE(M_NHOP, "nhops", "nexthops data");

#define	RIB_HASH	32

struct rtentry {
	CK_LIST_ENTRY(rtentry)	 rt_link;
	in_addr_t		 rt_dst;	/* host order */
	int			 rt_plen;
	int			 rt_flags;
	struct nhop_object	*rt_nhop;
	struct epoch_context	 rt_epoch_ctx;
};
CK_LIST_HEAD(rtlist, rtentry);

VNET_DEFINE_STATIC(struct rtlist *, rib4);	/* [33][RIB_HASH] */
VNET_DEFINE_STATIC(uint64_t, rib4_lens);	/* bit 32 - plen: the first bit set is the longest */
VNET_DEFINE_STATIC(struct mtx, rib_mtx);
VNET_DEFINE_STATIC(volatile u_int, rib_gen);
VNET_DEFINE_STATIC(u_int, rib4_count[33]);
#define	V_rib4		VNET(rib4)
#define	V_rib4_lens	VNET(rib4_lens)
#define	V_rib_mtx	VNET(rib_mtx)
#define	V_rib_gen	VNET(rib_gen)
#define	V_rib4_count	VNET(rib4_count)
#define	RIB_LOCK()	mtx_lock(&V_rib_mtx)
#define	RIB_UNLOCK()	mtx_unlock(&V_rib_mtx)

VNET_DEFINE(uint32_t, _rt_numfibs) = 1;
SYSCTL_UINT(_net, OID_AUTO, fibs, CTLFLAG_RD | CTLFLAG_VNET, &VNET_NAME(_rt_numfibs), 0,
    "set number of fibs");

/*
 * Nexthops.
 */
static struct nhop_object *
nhop_new(int rtflags, struct in_addr gw, struct ifnet *ifp, struct ifaddr *ifa)
{
	struct nhop_object *nh;

	nh = malloc(sizeof(*nh), M_NHOP, M_WAITOK | M_ZERO);
	refcount_init(&nh->nh_refcount, 1);
	nh->nh_rtflags = rtflags;
	nh->nh_pksent = counter_u64_alloc(M_WAITOK);
	nh->nh_mtu = MIN(ifp->if_mtu, 65535);
	if (rtflags & RTF_GATEWAY) {
		nh->nh_flags |= NHF_GATEWAY;
		nh->gw4_sa.sin_family = AF_INET;
		nh->gw4_sa.sin_len = sizeof(struct sockaddr_in);
		nh->gw4_sa.sin_addr = gw;
	} else
		nh->gw_sa.sa_family = AF_LINK;
	if (rtflags & RTF_HOST)
		nh->nh_flags |= NHF_HOST;
	if (rtflags & RTF_BLACKHOLE)
		nh->nh_flags |= NHF_BLACKHOLE;
	if (rtflags & RTF_REJECT)
		nh->nh_flags |= NHF_REJECT;
	if (rtflags & RTF_BROADCAST)
		nh->nh_flags |= NHF_BROADCAST;
	if_ref(ifp);
	nh->nh_ifp = ifp;
	ifa_ref(ifa);
	nh->nh_ifa = ifa;
	nh->nh_aifp = ifa->ifa_ifp;
	return (nh);
}

static void
nhop_destroy(epoch_context_t ctx)
{
	struct nhop_object *nh = __containerof(ctx, struct nhop_object, nh_epoch_ctx);

	counter_u64_free(nh->nh_pksent);
	ifa_free(nh->nh_ifa);
	if_rele(nh->nh_ifp);
	free(nh, M_NHOP);
}

void
nhop_free(struct nhop_object *nh)
{
	if (refcount_release(&nh->nh_refcount))
		NET_EPOCH_CALL(nhop_destroy, &nh->nh_epoch_ctx);
}

void
nhop_free_any(struct nhop_object *nh)
{
	nhop_free(nh);
}

void
nhop_ref_object(struct nhop_object *nh)
{
	u_int old __diagused;

	old = refcount_acquire(&nh->nh_refcount);
	KASSERT(old > 0, ("%s: nhop object %p has 0 refs", __func__, nh));
}

int
nhop_try_ref_object(struct nhop_object *nh)
{
	return (refcount_acquire_if_not_zero(&nh->nh_refcount));
}

/*
 * The table.
 */
static in_addr_t
plen2mask(int plen)
{
	return (plen == 0 ? 0 : 0xffffffffU << (32 - plen));
}

static struct rtlist *
rib_bucket(in_addr_t dst, int plen)
{
	uint32_t h;

	h = (dst ^ plen) * 0x9e3779b1U;
	return (&V_rib4[plen * RIB_HASH + (h >> 27)]);
}
CTASSERT(RIB_HASH == 1 << 5);

static struct rtentry *
rib_find(in_addr_t dst, int plen)
{
	struct rtentry *rt;

	CK_LIST_FOREACH(rt, rib_bucket(dst, plen), rt_link)
		if (rt->rt_dst == dst && rt->rt_plen == plen)
			return (rt);
	return (NULL);
}

static struct rtentry *
rib_match(in_addr_t dst)
{
	struct rtentry *rt;
	uint64_t lens;
	int plen;

	for (lens = atomic_load_64(&V_rib4_lens); lens != 0; lens &= lens - 1) {
		plen = 32 - (ffsll(lens) - 1);
		if ((rt = rib_find(dst & plen2mask(plen), plen)) != NULL)
			return (rt);
	}
	return (NULL);
}

struct nhop_object *
fib4_lookup(uint32_t fibnum, struct in_addr dst, uint32_t scopeid, uint32_t flags,
    uint32_t flowid)
{
	struct nhop_object *nh;
	struct rtentry *rt;

	NET_EPOCH_ASSERT();
	if (__predict_false(V_rib4 == NULL))
		return (NULL);
	rt = rib_match(ntohl(dst.s_addr));
	if (rt == NULL)
		return (NULL);
	nh = rt->rt_nhop;
	if (flags & NHR_REF && nhop_try_ref_object(nh) == 0)
		return (NULL);
	return (nh);
}

u_int
rt_tables_get_gen(uint32_t table, sa_family_t family)
{
	return (atomic_load_int(&V_rib_gen));
}

static void
rtentry_free(epoch_context_t ctx)
{
	struct rtentry *rt = __containerof(ctx, struct rtentry, rt_epoch_ctx);

	free(rt, M_RTABLE);
}

static void
rib_unlink(struct rtentry *rt)
{
	mtx_assert(&V_rib_mtx, MA_OWNED);
	CK_LIST_REMOVE(rt, rt_link);
	if (--V_rib4_count[rt->rt_plen] == 0)
		atomic_store_64(&V_rib4_lens, V_rib4_lens & ~(1ULL << (32 - rt->rt_plen)));
	atomic_add_int(&V_rib_gen, 1);
	nhop_free(rt->rt_nhop);
	NET_EPOCH_CALL(rtentry_free, &rt->rt_epoch_ctx);
}

/*
 * For a gateway ifp and ifa may be NULL: they are those of the route to it.
 * ENETUNREACH if there is none, EEXIST if the prefix is there already.
 */
int
rib_add4(struct in_addr dst, int plen, int flags, struct in_addr gw, struct ifnet *ifp,
    struct ifaddr *ifa)
{
	struct epoch_tracker et;
	struct rtentry *rt;
	struct nhop_object *nh;
	int error;

	rt = malloc(sizeof(*rt), M_RTABLE, M_WAITOK | M_ZERO);
	rt->rt_dst = ntohl(dst.s_addr) & plen2mask(plen);
	rt->rt_plen = plen;
	rt->rt_flags = flags | RTF_UP;
	if (ifp == NULL) {
		NET_EPOCH_ENTER(et);
		nh = fib4_lookup(RT_DEFAULT_FIB, gw, 0, NHR_NONE, 0);
		if (nh == NULL || (nh->nh_flags & NHF_GATEWAY) ||
		    !if_try_ref(nh->nh_ifp)) {
			NET_EPOCH_EXIT(et);
			free(rt, M_RTABLE);
			return (ENETUNREACH);
		}
		ifp = nh->nh_ifp;
		ifa = nh->nh_ifa;
		ifa_ref(ifa);
		NET_EPOCH_EXIT(et);
	} else {
		if_ref(ifp);
		ifa_ref(ifa);
	}
	rt->rt_nhop = nhop_new(rt->rt_flags, gw, ifp, ifa);
	RIB_LOCK();
	if (rib_find(rt->rt_dst, plen) != NULL)
		error = EEXIST;
	else {
		error = 0;
		CK_LIST_INSERT_HEAD(rib_bucket(rt->rt_dst, plen), rt, rt_link);
		V_rib4_count[plen]++;
		atomic_store_64(&V_rib4_lens, V_rib4_lens | 1ULL << (32 - plen));
		atomic_add_int(&V_rib_gen, 1);
	}
	RIB_UNLOCK();
	if (error != 0) {
		nhop_free(rt->rt_nhop);
		free(rt, M_RTABLE);
	}
	ifa_free(ifa);
	if_rele(ifp);
	return (error);
}

/* With a gateway or an interface given, only the route that goes there. */
int
rib_del4(struct in_addr dst, int plen, struct in_addr *gw, struct ifnet *ifp)
{
	struct rtentry *rt;
	int error;

	error = ESRCH;
	RIB_LOCK();
	rt = rib_find(ntohl(dst.s_addr) & plen2mask(plen), plen);
	if (rt != NULL && (ifp == NULL || rt->rt_nhop->nh_aifp == ifp) &&
	    (gw == NULL || ((rt->rt_flags & RTF_GATEWAY) &&
	    rt->rt_nhop->gw4_sa.sin_addr.s_addr == gw->s_addr))) {
		rib_unlink(rt);
		error = 0;
	}
	RIB_UNLOCK();
	return (error);
}

void
rib_purge_ifp(struct ifnet *ifp)
{
	struct rtentry *rt, *next;
	u_int i;

	RIB_LOCK();
	for (i = 0; V_rib4 != NULL && i < 33 * RIB_HASH; i++)
		CK_LIST_FOREACH_SAFE(rt, &V_rib4[i], rt_link, next)
			if (ifp == NULL || rt->rt_nhop->nh_ifp == ifp ||
			    rt->rt_nhop->nh_aifp == ifp)
				rib_unlink(rt);
	RIB_UNLOCK();
}

void
rt_flushifroutes(struct ifnet *ifp)
{
	rib_purge_ifp(ifp);
}

__attribute__((__no_sanitize_thread__)) void
rt_updatemtu(struct ifnet *ifp)
{
	struct rtentry *rt;
	u_int i;

	RIB_LOCK();
	for (i = 0; i < 33 * RIB_HASH; i++)
		CK_LIST_FOREACH(rt, &V_rib4[i], rt_link)
			if (rt->rt_nhop->nh_ifp == ifp)
				rt->rt_nhop->nh_mtu = MIN(ifp->if_mtu, 65535);
	RIB_UNLOCK();
}

static void
rib_info(const struct rtentry *rt, struct rt_info *ri)
{
	const struct nhop_object *nh = rt->rt_nhop;

	bzero(ri, sizeof(*ri));
	ri->ri_dst.s_addr = htonl(rt->rt_dst);
	ri->ri_plen = rt->rt_plen;
	ri->ri_flags = rt->rt_flags;
	ri->ri_mtu = nh->nh_mtu;
	strlcpy(ri->ri_ifname, nh->nh_ifp->if_xname, sizeof(ri->ri_ifname));
	if (rt->rt_flags & RTF_GATEWAY)
		ri->ri_gw = nh->gw4_sa.sin_addr;
	else {
		ri->ri_linkgw = true;
		ri->ri_index = nh->nh_aifp->if_index;
	}
}

/* In the order of addresses, as a radix tree would give them. */
int
rib_walk4(int (*cb)(const struct rt_info *, void *), void *arg)
{
	struct epoch_tracker et;
	struct rtentry *rt, *best;
	struct rt_info ri;
	uint64_t last, key;
	u_int i;
	int error;

	last = 0;
	for (;;) {
		best = NULL;
		NET_EPOCH_ENTER(et);
		for (i = 0; i < 33 * RIB_HASH; i++)
			CK_LIST_FOREACH(rt, &V_rib4[i], rt_link) {
				key = ((uint64_t)rt->rt_dst << 8 | rt->rt_plen) + 1;
				if (key > last && (best == NULL ||
				    key < ((uint64_t)best->rt_dst << 8 | best->rt_plen) + 1))
					best = rt;
			}
		if (best != NULL) {
			last = ((uint64_t)best->rt_dst << 8 | best->rt_plen) + 1;
			rib_info(best, &ri);
		}
		NET_EPOCH_EXIT(et);
		if (best == NULL)
			return (0);
		if ((error = cb(&ri, arg)) != 0)
			return (error);
	}
}

int
rib_get4(struct in_addr dst, struct rt_info *ri)
{
	struct epoch_tracker et;
	struct rtentry *rt;

	NET_EPOCH_ENTER(et);
	rt = rib_match(ntohl(dst.s_addr));
	if (rt != NULL)
		rib_info(rt, ri);
	NET_EPOCH_EXIT(et);
	return (rt != NULL ? 0 : ESRCH);
}

/* -1 if the mask has holes. */
int
in_mask2len(const struct in_addr *mask)
{
	in_addr_t m = ntohl(mask->s_addr);
	int len;

	len = m == 0 ? 0 : 32 - (ffs(m) - 1);
	return (m == plen2mask(len) ? len : -1);
}

static void
vnet_rib_init(const void *unused __unused)
{
	u_int i;

	mtx_init(&V_rib_mtx, "rib head lock", NULL, MTX_DEF);
	V_rib4 = malloc(33 * RIB_HASH * sizeof(struct rtlist), M_RTABLE, M_WAITOK | M_ZERO);
	for (i = 0; i < 33 * RIB_HASH; i++)
		CK_LIST_INIT(&V_rib4[i]);
}
VNET_SYSINIT(vnet_rib_init, SI_SUB_PROTO_DOMAIN, SI_ORDER_FIRST, vnet_rib_init, NULL);

static void
vnet_rib_uninit(const void *unused __unused)
{
	struct rtlist *rib;

	rib_purge_ifp(NULL);
	rib = V_rib4;
	NET_EPOCH_WAIT();
	V_rib4 = NULL;
	NET_EPOCH_DRAIN_CALLBACKS();
	free(rib, M_RTABLE);
	mtx_destroy(&V_rib_mtx);
}
VNET_SYSUNINIT(vnet_rib_uninit, SI_SUB_PROTO_DOMAIN, SI_ORDER_FIRST, vnet_rib_uninit, NULL);
