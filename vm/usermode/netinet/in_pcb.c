/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protocol control blocks: who has which port.  Lookups run inside the epoch
 * without a lock; a block is freed an epoch after its last reference.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/refcount.h>
#include <sys/rwlock.h>
#include <sys/sysctl.h>
#include <net/if_llatbl.h>
#include <net/if_private.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_fib.h>
#include <netinet/in_pcb.h>
#include <netinet/in_var.h>
#include <netinet/ip_var.h>
#include "inet_internal.h"
#include "inet_socket.h"
#include "tcp_internal.h"

static MALLOC_DEFINE(M_PCB, "pcb", "protocol control block");

SYSCTL_NODE(_net_inet_ip, OID_AUTO, portrange, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "IP Ports");
VNET_DEFINE_STATIC(int, ipport_firstauto) = IPPORT_EPHEMERALFIRST;
VNET_DEFINE_STATIC(int, ipport_lastauto) = IPPORT_HILASTAUTO;
SYSCTL_INT(_net_inet_ip_portrange, OID_AUTO, first, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(ipport_firstauto), 0, "");
SYSCTL_INT(_net_inet_ip_portrange, OID_AUTO, last, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(ipport_lastauto), 0, "");

void
in_pcbinfo_init(struct inpcbinfo *pi, const char *listname, const char *lockname)
{
	int i;

	mtx_init(&pi->ipi_lock, listname, NULL, MTX_DEF);
	CK_LIST_INIT(&pi->ipi_listhead);
	for (i = 0; i < INPCB_HASH; i++)
		CK_LIST_INIT(&pi->ipi_hash[i]);
	pi->ipi_lockname = lockname;
	pi->ipi_lastport = VNET(ipport_firstauto);
	pi->ipi_vnet = curvnet;
}

void
in_pcbinfo_destroy(struct inpcbinfo *pi)
{
	KASSERT(pi->ipi_count == 0, ("%s: ipi_count = %u", __func__, pi->ipi_count));
	mtx_destroy(&pi->ipi_lock);
}

static struct inpcbhead *
pcb_bucket(struct inpcbinfo *pi, u_int lport)
{
	return (&pi->ipi_hash[ntohs(lport) % INPCB_HASH]);
}

/* Returns with the block write-locked. */
int
in_pcballoc(struct socket *so, struct inpcbinfo *pi, size_t size)
{
	struct inpcb *inp;

	KASSERT(size >= sizeof(*inp), ("%s: size %zu", __func__, size));
	inp = malloc(size, M_PCB, M_NOWAIT | M_ZERO);
	if (inp == NULL)
		return (ENOBUFS);
	inp->inp_pcbinfo = pi;
	inp->inp_socket = so;
	inp->inp_vflag = INP_IPV4;
	inp->inp_ip_ttl = V_ip_defttl;
	refcount_init(&inp->inp_refcount, 1);
	rw_init_flags(&inp->inp_lock, pi->ipi_lockname, RW_RECURSE | RW_DUPOK);
	INP_WLOCK(inp);
	mtx_lock(&pi->ipi_lock);
	CK_LIST_INSERT_HEAD(&pi->ipi_listhead, inp, inp_list);
	pi->ipi_count++;
	mtx_unlock(&pi->ipi_lock);
	sotous(so)->so_pcb = inp;
	return (0);
}

static void
inp_destroy(epoch_context_t ctx)
{
	struct inpcb *inp = __containerof(ctx, struct inpcb, inp_epoch_ctx);

	if (inp->inp_ip_p == IPPROTO_TCP)
		tcp_freecb(inp);
	rw_destroy(&inp->inp_lock);
	free(inp, M_PCB);
}

void
in_pcbref(struct inpcb *inp)
{
	u_int old __diagused;

	old = refcount_acquire(&inp->inp_refcount);
	KASSERT(old > 0, ("%s: refcount 0", __func__));
}

/* True when that was the last one, with the lock gone too. */
bool
in_pcbrele_wlocked(struct inpcb *inp)
{
	INP_WLOCK_ASSERT(inp);
	if (!refcount_release(&inp->inp_refcount))
		return (false);
	INP_WUNLOCK(inp);
	NET_EPOCH_CALL(inp_destroy, &inp->inp_epoch_ctx);
	return (true);
}

void
in_pcbrele(struct inpcb *inp)
{
	INP_WLOCK(inp);
	if (!in_pcbrele_wlocked(inp))
		INP_WUNLOCK(inp);
}

/* Out of the lists, for good; unlocks. */
void
in_pcbfree(struct inpcb *inp)
{
	struct inpcbinfo *pi = inp->inp_pcbinfo;

	INP_WLOCK_ASSERT(inp);
	KASSERT((inp->inp_flags & INP_FREED) == 0, ("%s: called twice for %p", __func__, inp));
	mtx_lock(&pi->ipi_lock);
	if (inp->inp_lport != 0)
		CK_LIST_REMOVE(inp, inp_hash);
	CK_LIST_REMOVE(inp, inp_list);
	pi->ipi_count--;
	mtx_unlock(&pi->ipi_lock);
	inp->inp_flags |= INP_FREED;
	RO_INVALIDATE_CACHE(&inp->inp_route);
	inp->inp_socket = NULL;
	if (!in_pcbrele_wlocked(inp))
		INP_WUNLOCK(inp);
}

/* Would (laddr, lport) with faddr clash with somebody else? */
static bool
in_pcb_taken(struct inpcbinfo *pi, struct inpcb *self, struct in_addr laddr, u_short lport,
    struct in_addr faddr, u_short fport)
{
	struct inpcb *inp;

	mtx_assert(&pi->ipi_lock, MA_OWNED);
	CK_LIST_FOREACH(inp, pcb_bucket(pi, lport), inp_hash) {
		if (inp == self || inp->inp_lport != lport)
			continue;
		if (faddr.s_addr != INADDR_ANY || inp->inp_faddr.s_addr != INADDR_ANY) {
			if (inp->inp_faddr.s_addr == faddr.s_addr && inp->inp_fport == fport &&
			    inp->inp_laddr.s_addr == laddr.s_addr)
				return (true);
			/* A bind must keep clear of connections that are not a server's. */
			continue;
		}
		if (laddr.s_addr == INADDR_ANY || inp->inp_laddr.s_addr == INADDR_ANY ||
		    laddr.s_addr == inp->inp_laddr.s_addr)
			return (true);
	}
	return (false);
}

static void
in_pcb_setport(struct inpcbinfo *pi, struct inpcb *inp, u_short lport)
{
	mtx_assert(&pi->ipi_lock, MA_OWNED);
	if (inp->inp_lport != 0)
		CK_LIST_REMOVE(inp, inp_hash);
	inp->inp_lport = lport;
	CK_LIST_INSERT_HEAD(pcb_bucket(pi, lport), inp, inp_hash);
}

static int
in_pcb_autoport(struct inpcbinfo *pi, struct inpcb *inp, u_short *lport)
{
	struct in_addr any = { INADDR_ANY };
	struct inpcb *other;
	int first, last, n;
	u_short p;

	mtx_assert(&pi->ipi_lock, MA_OWNED);
	first = VNET(ipport_firstauto);
	last = MAX(VNET(ipport_lastauto), first);
	for (n = last - first; n >= 0; n--) {
		if (pi->ipi_lastport < first || pi->ipi_lastport >= last)
			pi->ipi_lastport = first;
		else
			pi->ipi_lastport++;
		p = htons(pi->ipi_lastport);
		CK_LIST_FOREACH(other, pcb_bucket(pi, p), inp_hash)
			if (other->inp_lport == p)
				break;
		if (other == NULL && !in_pcb_taken(pi, inp, inp->inp_laddr, p, any, 0)) {
			*lport = p;
			return (0);
		}
	}
	return (EADDRNOTAVAIL);
}

/* A port of 0 asks for any; so does sin NULL. */
int
in_pcbbind(struct inpcb *inp, struct sockaddr_in *sin, struct ucred *cred)
{
	struct inpcbinfo *pi = inp->inp_pcbinfo;
	struct in_addr laddr = { INADDR_ANY }, any = { INADDR_ANY };
	u_short lport = 0;
	int error;

	INP_WLOCK_ASSERT(inp);
	NET_EPOCH_ASSERT();
	if (inp->inp_lport != 0)
		return (EINVAL);
	if (sin != NULL) {
		laddr = sin->sin_addr;
		lport = sin->sin_port;
		if (laddr.s_addr != INADDR_ANY && !in_localip(laddr) && !in_broadcast(laddr))
			return (EADDRNOTAVAIL);
	} else
		laddr = inp->inp_laddr;
	mtx_lock(&pi->ipi_lock);
	error = 0;
	if (lport != 0) {
		if (in_pcb_taken(pi, inp, laddr, lport, any, 0))
			error = EADDRINUSE;
	} else
		error = in_pcb_autoport(pi, inp, &lport);
	if (error == 0) {
		inp->inp_laddr = laddr;
		in_pcb_setport(pi, inp, lport);
	}
	mtx_unlock(&pi->ipi_lock);
	return (error);
}

/* The address that packets to faddr will have as their source. */
int
in_pcbladdr(struct inpcb *inp, struct in_addr *faddr, struct in_addr *laddr,
    struct ucred *cred)
{
	struct nhop_object *nh;

	NET_EPOCH_ASSERT();
	nh = fib4_lookup(RT_DEFAULT_FIB, *faddr, 0, NHR_NONE, 0);
	if (nh == NULL)
		return (EHOSTUNREACH);
	if (nh->nh_flags & (NHF_REJECT | NHF_BLACKHOLE))
		return (ENETUNREACH);
	*laddr = IA_SIN(nh->nh_ifa)->sin_addr;
	return (0);
}

int
in_pcbconnect(struct inpcb *inp, struct sockaddr_in *sin, struct ucred *cred)
{
	struct inpcbinfo *pi = inp->inp_pcbinfo;
	struct in_addr laddr, faddr;
	u_short lport;
	int error;

	INP_WLOCK_ASSERT(inp);
	NET_EPOCH_ASSERT();
	if (sin->sin_port == 0 || sin->sin_addr.s_addr == INADDR_ANY)
		return (EADDRNOTAVAIL);
	if (inp->inp_faddr.s_addr != INADDR_ANY)
		return (EISCONN);
	faddr = sin->sin_addr;
	laddr = inp->inp_laddr;
	if (laddr.s_addr == INADDR_ANY &&
	    (error = in_pcbladdr(inp, &faddr, &laddr, cred)) != 0)
		return (error);
	mtx_lock(&pi->ipi_lock);
	lport = inp->inp_lport;
	error = 0;
	if (lport == 0)
		error = in_pcb_autoport(pi, inp, &lport);
	else if (in_pcb_taken(pi, inp, laddr, lport, faddr, sin->sin_port))
		error = EADDRINUSE;
	if (error == 0) {
		inp->inp_laddr = laddr;
		inp->inp_faddr = faddr;
		inp->inp_fport = sin->sin_port;
		in_pcb_setport(pi, inp, lport);
	}
	mtx_unlock(&pi->ipi_lock);
	return (error);
}

/* A server's connections have its port, which only their peers tell apart. */
int
in_pcbconnect_port(struct inpcb *inp, struct sockaddr_in *sin, u_short lport)
{
	struct inpcbinfo *pi = inp->inp_pcbinfo;
	int error;

	INP_WLOCK_ASSERT(inp);
	mtx_lock(&pi->ipi_lock);
	if (in_pcb_taken(pi, inp, inp->inp_laddr, lport, sin->sin_addr, sin->sin_port))
		error = EADDRINUSE;
	else {
		error = 0;
		inp->inp_faddr = sin->sin_addr;
		inp->inp_fport = sin->sin_port;
		in_pcb_setport(pi, inp, lport);
	}
	mtx_unlock(&pi->ipi_lock);
	return (error);
}

void
in_pcbdisconnect(struct inpcb *inp)
{
	struct inpcbinfo *pi = inp->inp_pcbinfo;

	INP_WLOCK_ASSERT(inp);
	mtx_lock(&pi->ipi_lock);
	inp->inp_faddr.s_addr = INADDR_ANY;
	inp->inp_fport = 0;
	mtx_unlock(&pi->ipi_lock);
}

/*
 * The best match: a connection, then a bound address, then any address.  The
 * reader may see a block change under it: it looks again once it has the lock.
 */
static __attribute__((__no_sanitize_thread__)) struct inpcb *
in_pcblookup_hash(struct inpcbinfo *pi, struct in_addr faddr, u_short fport,
    struct in_addr laddr, u_short lport, bool wild)
{
	struct inpcb *inp, *local, *any;

	NET_EPOCH_ASSERT();
	local = any = NULL;
	CK_LIST_FOREACH(inp, pcb_bucket(pi, lport), inp_hash) {
		if (inp->inp_lport != lport)
			continue;
		if (inp->inp_faddr.s_addr == faddr.s_addr && inp->inp_fport == fport &&
		    inp->inp_laddr.s_addr == laddr.s_addr)
			return (inp);
		if (inp->inp_faddr.s_addr != INADDR_ANY)
			continue;
		if (inp->inp_laddr.s_addr == laddr.s_addr)
			local = inp;
		else if (inp->inp_laddr.s_addr == INADDR_ANY)
			any = inp;
	}
	if (!wild)
		return (NULL);
	return (local != NULL ? local : any);
}

struct inpcb *
in_pcblookup(struct inpcbinfo *pi, struct in_addr faddr, u_int fport, struct in_addr laddr,
    u_int lport, int lookupflags, struct ifnet *ifp)
{
	struct inpcb *inp;
	int tries;

	for (tries = 0; tries < 3; tries++) {
		inp = in_pcblookup_hash(pi, faddr, fport, laddr, lport,
		    (lookupflags & INPLOOKUP_WILDCARD) != 0);
		if (inp == NULL)
			return (NULL);
		if (lookupflags & INPLOOKUP_WLOCKPCB)
			INP_WLOCK(inp);
		else
			INP_RLOCK(inp);
		if ((inp->inp_flags & INP_FREED) == 0 && inp->inp_lport == lport &&
		    (inp->inp_faddr.s_addr == INADDR_ANY || inp->inp_faddr.s_addr == faddr.s_addr))
			return (inp);
		INP_UNLOCK(inp);
	}
	return (NULL);
}

struct inpcb *
in_pcblookup_mbuf(struct inpcbinfo *pi, struct in_addr faddr, u_int fport,
    struct in_addr laddr, u_int lport, int lookupflags, struct ifnet *ifp, struct mbuf *m)
{
	return (in_pcblookup(pi, faddr, fport, laddr, lport, lookupflags, ifp));
}
