/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 addresses of interfaces: adding and deleting them, with the routes
 * that follow from them.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/sx.h>
#include <net/if.h>
#include <net/if_llatbl.h>
#include <net/if_private.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/route/route_ctl.h>
#include <net/vnet.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include "inet_internal.h"

VNET_DEFINE(struct in_ifaddrhead, in_ifaddrhead);
VNET_DEFINE(struct in_ifaddrhashhead, in_ifaddrhashtbl[INADDR_NHASH]);

/* One change of addresses at a time, in all vnets. */
static struct sx in_control_sx;
SX_SYSINIT(in_control_sx, &in_control_sx, "in_control");
/* The lists of addresses; readers are in the epoch. */
static struct mtx in_ifaddr_mtx;
MTX_SYSINIT(in_ifaddr_mtx, &in_ifaddr_mtx, "in_ifaddr_lock", MTX_DEF);

struct in_ifaddr *
in_ifaddr_lookup(struct in_addr dst)
{
	struct in_ifaddr *ia;

	NET_EPOCH_ASSERT();
	CK_LIST_FOREACH(ia, INADDR_HASH(dst.s_addr), ia_hash)
		if (IA_SIN(ia)->sin_addr.s_addr == dst.s_addr)
			return (ia);
	return (NULL);
}

bool
in_localip(struct in_addr in)
{
	return (in_ifaddr_lookup(in) != NULL);
}

bool
in_localaddr(struct in_addr in)
{
	struct in_ifaddr *ia;

	NET_EPOCH_ASSERT();
	CK_STAILQ_FOREACH(ia, &V_in_ifaddrhead, ia_link)
		if ((ntohl(in.s_addr) & ia->ia_subnetmask) == ia->ia_subnet)
			return (true);
	return (false);
}

bool
in_ifhasaddr(struct ifnet *ifp, struct in_addr in)
{
	struct in_ifaddr *ia = in_ifaddr_lookup(in);

	return (ia != NULL && ia->ia_ifp == ifp);
}

static bool
in_ifaddr_broadcast(struct in_addr in, struct in_ifaddr *ia)
{
	return ((ia->ia_ifp->if_flags & IFF_BROADCAST) &&
	    (in.s_addr == IA_DSTSIN(ia)->sin_addr.s_addr ||
	    (ia->ia_subnetmask != 0xffffffff && ia->ia_subnetmask != 0xfffffffe &&
	    ntohl(in.s_addr) == ia->ia_subnet)));
}

bool
in_ifnet_broadcast(struct in_addr in, struct ifnet *ifp)
{
	struct ifaddr *ifa;

	NET_EPOCH_ASSERT();
	if (in.s_addr == INADDR_BROADCAST || in.s_addr == INADDR_ANY)
		return (true);
	if ((ifp->if_flags & IFF_BROADCAST) == 0)
		return (false);
	CK_STAILQ_FOREACH(ifa, &ifp->if_addrhead, ifa_link)
		if (ifa->ifa_addr->sa_family == AF_INET &&
		    in_ifaddr_broadcast(in, (struct in_ifaddr *)ifa))
			return (true);
	return (false);
}

bool
in_broadcast(struct in_addr in)
{
	struct in_ifaddr *ia;

	NET_EPOCH_ASSERT();
	if (in.s_addr == INADDR_BROADCAST || in.s_addr == INADDR_ANY)
		return (true);
	CK_STAILQ_FOREACH(ia, &V_in_ifaddrhead, ia_link)
		if (in_ifaddr_broadcast(in, ia))
			return (true);
	return (false);
}

struct in_ifaddr *
in_ifprimary(struct ifnet *ifp)
{
	struct ifaddr *ifa;

	NET_EPOCH_ASSERT();
	CK_STAILQ_FOREACH(ifa, &ifp->if_addrhead, ifa_link)
		if (ifa->ifa_addr->sa_family == AF_INET)
			return ((struct in_ifaddr *)ifa);
	return (NULL);
}

/* The host route by which this host reaches itself, through lo0. */
static void
in_selfroute(struct in_ifaddr *ia, bool add)
{
	struct in_addr none = { 0 };

	if (V_loif == NULL)
		return;
	if (add)
		(void)rib_add4(IA_SIN(ia)->sin_addr, 32,
		    RTF_HOST | RTF_PINNED | RTF_STATIC | RTF_LOCAL, none, V_loif, &ia->ia_ifa);
	else
		(void)rib_del4(IA_SIN(ia)->sin_addr, 32, NULL, ia->ia_ifp);
}

static int
in_plen(const struct in_ifaddr *ia)
{
	struct in_addr mask = { htonl(ia->ia_subnetmask) };

	return (in_mask2len(&mask));
}

/* The route to the net of an address; a second address of a net shares it. */
static int
in_addprefix(struct in_ifaddr *ia)
{
	struct in_addr net = { htonl(ia->ia_subnet) }, none = { 0 };
	int error;

	if ((ia->ia_flags & IFA_ROUTE) || in_plen(ia) == 32 ||
	    (ia->ia_ifp->if_flags & IFF_LOOPBACK))
		return (0);
	error = rib_add4(net, in_plen(ia), RTF_PINNED, none, ia->ia_ifp, &ia->ia_ifa);
	if (error == 0)
		ia->ia_flags |= IFA_ROUTE;
	return (error == EEXIST ? 0 : error);
}

static void
in_scrubprefix(struct in_ifaddr *ia)
{
	struct in_addr net = { htonl(ia->ia_subnet) };
	struct in_ifaddr *other;

	if ((ia->ia_flags & IFA_ROUTE) == 0)
		return;
	(void)rib_del4(net, in_plen(ia), NULL, ia->ia_ifp);
	ia->ia_flags &= ~IFA_ROUTE;
	CK_STAILQ_FOREACH(other, &V_in_ifaddrhead, ia_link)
		if (other != ia && other->ia_subnet == ia->ia_subnet &&
		    other->ia_subnetmask == ia->ia_subnetmask &&
		    (other->ia_ifp->if_flags & IFF_UP) != 0) {
			(void)in_addprefix(other);
			break;
		}
}

static void
in_difaddr_locked(struct in_ifaddr *ia)
{
	struct ifnet *ifp = ia->ia_ifp;
	struct in_ifinfo *ii;
	struct in_addr mask;

	sx_assert(&in_control_sx, SA_XLOCKED);
	IF_ADDR_WLOCK(ifp);
	CK_STAILQ_REMOVE(&ifp->if_addrhead, &ia->ia_ifa, ifaddr, ifa_link);
	IF_ADDR_WUNLOCK(ifp);
	mtx_lock(&in_ifaddr_mtx);
	CK_STAILQ_REMOVE(&V_in_ifaddrhead, ia, in_ifaddr, ia_link);
	CK_LIST_REMOVE(ia, ia_hash);
	mtx_unlock(&in_ifaddr_mtx);
	in_selfroute(ia, false);
	in_scrubprefix(ia);
	ii = ifp->if_afdata[AF_INET];
	if (ii != NULL && ii->ii_llt != NULL) {
		mask.s_addr = htonl(ia->ia_subnetmask);
		lltable_prefix_free(ii->ii_llt, IA_SIN(ia)->sin_addr, mask, false);
	}
	EVENTHANDLER_INVOKE(ifaddr_event_ext, ifp, &ia->ia_ifa, IFADDR_EVENT_DEL);
	EVENTHANDLER_INVOKE(ifaddr_event, ifp);
	ifa_free(&ia->ia_ifa);
}

int
in_difaddr(struct ifnet *ifp, struct in_addr addr)
{
	struct epoch_tracker et;
	struct in_ifaddr *ia;

	sx_xlock(&in_control_sx);
	NET_EPOCH_ENTER(et);
	ia = addr.s_addr == INADDR_ANY ? in_ifprimary(ifp) : in_ifaddr_lookup(addr);
	NET_EPOCH_EXIT(et);
	if (ia == NULL || ia->ia_ifp != ifp) {
		sx_xunlock(&in_control_sx);
		return (EADDRNOTAVAIL);
	}
	in_difaddr_locked(ia);
	sx_xunlock(&in_control_sx);
	return (0);
}

void
in_purgeaddrs(struct ifnet *ifp)
{
	struct epoch_tracker et;
	struct in_ifaddr *ia;

	sx_xlock(&in_control_sx);
	for (;;) {
		NET_EPOCH_ENTER(et);
		ia = in_ifprimary(ifp);
		NET_EPOCH_EXIT(et);
		if (ia == NULL)
			break;
		in_difaddr_locked(ia);
	}
	sx_xunlock(&in_control_sx);
}

static void
in_sin(struct sockaddr_in *sin, struct in_addr addr)
{
	sin->sin_family = AF_INET;
	sin->sin_len = sizeof(*sin);
	sin->sin_addr = addr;
}

/* Without alias the interface's first address gives way, as SIOCSIFADDR has it. */
int
in_aifaddr(struct ifnet *ifp, struct in_addr addr, struct in_addr mask,
    const struct in_addr *bcast, bool alias)
{
	struct epoch_tracker et;
	struct in_ifaddr *ia;
	struct in_addr b;
	int error;

	if (addr.s_addr == INADDR_ANY || IN_MULTICAST(ntohl(addr.s_addr)) ||
	    in_mask2len(&mask) < 0)
		return (EINVAL);
	error = 0;
	sx_xlock(&in_control_sx);
	NET_EPOCH_ENTER(et);
	ia = in_ifaddr_lookup(addr);
	NET_EPOCH_EXIT(et);
	if (ia != NULL && ia->ia_ifp != ifp) {
		sx_xunlock(&in_control_sx);
		return (EEXIST);
	}
	if (ia != NULL)
		in_difaddr_locked(ia);
	else if (!alias) {
		NET_EPOCH_ENTER(et);
		ia = in_ifprimary(ifp);
		NET_EPOCH_EXIT(et);
		if (ia != NULL)
			in_difaddr_locked(ia);
	}

	ia = (struct in_ifaddr *)ifa_alloc(sizeof(*ia), M_WAITOK);
	ia->ia_ifa.ifa_addr = (struct sockaddr *)&ia->ia_addr;
	ia->ia_ifa.ifa_dstaddr = (struct sockaddr *)&ia->ia_dstaddr;
	ia->ia_ifa.ifa_netmask = (struct sockaddr *)&ia->ia_sockmask;
	ia->ia_ifp = ifp;
	in_sin(&ia->ia_addr, addr);
	in_sin(&ia->ia_sockmask, mask);
	ia->ia_subnetmask = ntohl(mask.s_addr);
	ia->ia_subnet = ntohl(addr.s_addr) & ia->ia_subnetmask;
	if (ifp->if_flags & IFF_BROADCAST) {
		b.s_addr = htonl(ia->ia_subnet | ~(in_addr_t)ia->ia_subnetmask);
		in_sin(&ia->ia_broadaddr, bcast != NULL ? *bcast : b);
	} else if (ifp->if_flags & IFF_LOOPBACK)
		in_sin(&ia->ia_dstaddr, addr);

	IF_ADDR_WLOCK(ifp);
	CK_STAILQ_INSERT_TAIL(&ifp->if_addrhead, &ia->ia_ifa, ifa_link);
	IF_ADDR_WUNLOCK(ifp);
	mtx_lock(&in_ifaddr_mtx);
	CK_STAILQ_INSERT_TAIL(&V_in_ifaddrhead, ia, ia_link);
	CK_LIST_INSERT_HEAD(INADDR_HASH(addr.s_addr), ia, ia_hash);
	mtx_unlock(&in_ifaddr_mtx);

	if (ifp->if_ioctl != NULL)
		error = ifp->if_ioctl(ifp, SIOCSIFADDR, (caddr_t)ia);
	if (error == 0)
		error = in_addprefix(ia);
	if (error == 0) {
		in_selfroute(ia, true);
		arp_ifinit(ifp, &ia->ia_ifa);
		EVENTHANDLER_INVOKE(ifaddr_event_ext, ifp, &ia->ia_ifa, IFADDR_EVENT_ADD);
		EVENTHANDLER_INVOKE(ifaddr_event, ifp);
	} else
		in_difaddr_locked(ia);
	sx_xunlock(&in_control_sx);
	return (error);
}

/* The routes of an interface's nets come and go with IFF_UP. */
static void
in_ifnet_event(void *arg __unused, struct ifnet *ifp, int event)
{
	struct ifaddr *ifa;
	struct in_ifaddr *ia;
	bool mine;

	/* From in_aifaddr() the lock is held already; the address is not routed yet. */
	mine = !sx_xlocked(&in_control_sx);
	if (mine)
		sx_xlock(&in_control_sx);
	CK_STAILQ_FOREACH(ifa, &ifp->if_addrhead, ifa_link) {
		if (ifa->ifa_addr->sa_family != AF_INET)
			continue;
		ia = (struct in_ifaddr *)ifa;
		if (event == IFNET_EVENT_DOWN)
			in_scrubprefix(ia);
		else {
			(void)in_addprefix(ia);
			in_selfroute(ia, true);
		}
	}
	if (mine)
		sx_xunlock(&in_control_sx);
}

static void
in_event_init(void *arg)
{
	EVENTHANDLER_REGISTER(ifnet_event, in_ifnet_event, NULL, EVENTHANDLER_PRI_ANY);
}
SYSINIT(in_event_init, SI_SUB_PROTO_DOMAIN, SI_ORDER_SECOND, in_event_init, NULL);

void
in_domifattach(struct ifnet *ifp)
{
	struct in_ifinfo *ii;

	ii = malloc(sizeof(*ii), M_IFADDR, M_WAITOK | M_ZERO);
	ii->ii_llt = in_lltattach(ifp);
	ifp->if_afdata[AF_INET] = ii;
}

/* The caller has waited for the epoch: nobody looks anything up here any more. */
void
in_domifdetach(struct ifnet *ifp)
{
	struct in_ifinfo *ii = ifp->if_afdata[AF_INET];

	ifp->if_afdata[AF_INET] = NULL;
	in_lltdetach(ii->ii_llt);
	free(ii, M_IFADDR);
}

static void
vnet_in_init(const void *unused __unused)
{
	u_int i;

	CK_STAILQ_INIT(&V_in_ifaddrhead);
	for (i = 0; i < INADDR_NHASH; i++)
		CK_LIST_INIT(&V_in_ifaddrhashtbl[i]);
}
VNET_SYSINIT(vnet_in_init, SI_SUB_INIT_IF, SI_ORDER_SECOND, vnet_in_init, NULL);
