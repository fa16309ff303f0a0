/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attempts of "PSPAT subsystem Implementation in FreeBSD - GSoC 2018"
 * (freebsd-net, 27 July 2018), told as rules that they broke:
 *
 *	A  dummynet_io(), DIR_OUT: ip_output() at once, by the sender
 *	B  the same on the link layer: ether_output_frame() at once
 *	C  A, with the tag that dummynet gives its packets: the one that worked
 *	D  dummynet tags the packet, the arbiter sends it as dummynet_send() does
 *	E  taken at if_output; the arbiter calls if_output with what it was given
 *	F  the arbiter puts packets into dummynet's schedulers
 *
 * Each rule can be honoured singly (net.pspat.break.cN=0 after
 * net.pspat.attempt): which of them have to be is for the runs to say.
 */
#include "opt_inet6.h"
#include "opt_pspat.h"

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/counter.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/smp.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/time.h>

#include <net/if.h>
#include <net/if_var.h>
#if __FreeBSD_version >= 1400000
#include <net/if_private.h>
#endif
#include <net/ethernet.h>
#include <net/pfil.h>
#include <net/route.h>
#include <net/vnet.h>

#include <netinet/in.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>

#include <netpfil/ipfw/ip_fw_private.h>
#include <netpfil/ipfw/dn_heap.h>
#include <netpfil/ipfw/ip_dn_private.h>
#include <netpfil/pspat/pspat_var.h>

volatile u_int pspat_broken;
volatile u_int pspat_ways;

#define	C(n)	(1u << (n))

static const struct pspat_attempt {
	const char	*name;
	u_int		point;
	u_int		ways;
	u_int		broken;
} pspat_attempts[] = {
	{ "none", PSPAT_DUMMYNET,    0, 0 },
	{ "A",	PSPAT_DUMMYNET,	     PSPAT_WAY_CLIENT, C(1) | C(2) },
	{ "B",	PSPAT_DUMMYNET_L2,   PSPAT_WAY_CLIENT, C(1) | C(2) },
	{ "C",	PSPAT_DUMMYNET,	     PSPAT_WAY_CLIENT, 0 },
	{ "D",	PSPAT_DUMMYNET,	     PSPAT_WAY_TAGGED | PSPAT_WAY_DIRECT,
	    C(1) | C(3) | C(5) },
	{ "E",	PSPAT_IF_OUTPUT,     PSPAT_WAY_DIRECT, C(3) | C(6) | C(12) },
	{ "F",	PSPAT_DUMMYNET,	     0, C(3) | C(5) | C(6) },
};
static u_int pspat_attempt;

/*
 * A, B, C: in dummynet_io()'s place, the packet goes on at once where
 * dummynet_send() would send it.  Without the rule's tag it comes back here,
 * and again, until the stack ends (C2).
 */
int
pspat_attempt_client(struct mbuf **m0, struct ip_fw_args *fwa, u_int point)
{
	struct mbuf *m = *m0;
	struct m_tag *t;
	struct ipfw_rule_ref *rule;

	if (!PSPAT_BROKEN(2)) {
		t = m_tag_alloc(MTAG_IPFW_RULE, 0, sizeof(*rule), M_NOWAIT);
		if (t == NULL) {
			m_freem(m);
			*m0 = NULL;
			return (ENOBUFS);
		}
		rule = (struct ipfw_rule_ref *)(t + 1);
		*rule = fwa->rule;
		rule->info &= IPFW_ONEPASS;
		m_tag_prepend(m, t);
	}
	if (!PSPAT_BROKEN(1))
		*m0 = NULL;
	return (pspat_output(m, point == PSPAT_DUMMYNET_L2 ?
	    DIR_OUT | PROTO_LAYER2 : DIR_OUT, fwa->ifp));
}

/*
 * D: the packet is tagged where dummynet_io() does it, under its lock.  The
 * attempt left from the middle of that function and so kept the lock (C5).
 */
void
pspat_attempt_tag(struct mbuf *m, struct pspat_tag *pt)
{

	DN_BH_WLOCK();
	pspat_dn_tag(m, pt);
	if (!PSPAT_BROKEN(5))
		DN_BH_WUNLOCK();
}

/*
 * C8: the sender is not held on its CPU, and takes its time between finding its
 * place in the mailbox and filling it: the packet's stamp is allocated.  Whoever
 * sends from this CPU in between, a netisr or a callout, gets the same place:
 * one packet is lost, and the place after it stays empty, so that the arbiter
 * finds NULL there.
 */
int
pspat_attempt_insert(struct mbuf *m)
{
	struct pspat_mailbox *mb = pspat_sc.sc_box[curcpu];
	sbintime_t *stamp;
	uint32_t place;

	if (mb->mb_write == mb->mb_ahead) {
		if (atomic_load_acq_ptr(&mb->mb_slot[(mb->mb_ahead +
		    PSPAT_LINE_SLOTS - 1) & mb->mb_mask]) != 0)
			return (ENOBUFS);
		mb->mb_ahead += PSPAT_LINE_SLOTS;
	}
	place = mb->mb_write;
	DELAY(50);
	stamp = malloc(sizeof(*stamp), M_PSPAT, M_NOWAIT);
	if (stamp != NULL)
		*stamp = sbinuptime();
	atomic_store_rel_ptr(&mb->mb_slot[place & mb->mb_mask], (uintptr_t)m);
	mb->mb_write++;
	free(stamp, M_PSPAT);
	return (0);
}

/*
 * C6: what the packet needs is read when it is needed, where the sender had it.
 */
void
pspat_attempt_reread(struct pspat_tag *pt)
{
	const struct ip_fw_args *args = pt->pt_lent.args;

	if (args == NULL)
		return;
	pt->pt_flowset = pspat_flowset_number(&args->rule);
	pt->pt_rule = args->rule;
	pt->pt_flow = args->f_id;
}

int
pspat_attempt_if_output(struct ifnet *ifp, struct mbuf *m, struct pspat_tag *pt)
{
	const struct sockaddr *gw = pt->pt_lent.gw;
	struct route *ro = pt->pt_lent.ro;

	pspat_tag_release(&pt->pt_tag);
	return (ether_output(ifp, m, gw, ro));
}

/*
 * Sysctls.
 */
static int
pspat_sysctl_attempt(SYSCTL_HANDLER_ARGS)
{
	const struct pspat_attempt *a;
	char text[8];
	u_int i;
	int error;

	strlcpy(text, pspat_attempts[pspat_attempt].name, sizeof(text));
	error = sysctl_handle_string(oidp, text, sizeof(text), req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	for (i = 0; i < nitems(pspat_attempts); i++) {
		a = &pspat_attempts[i];
		if (strcasecmp(text, a->name) == 0 ||
		    (text[0] == (char)('0' + i) && text[1] == '\0'))
			break;
	}
	if (i == nitems(pspat_attempts))
		return (EINVAL);
	if (pspat_sc.sc_point != PSPAT_OFF)
		return (EBUSY);
	error = pspat_intercept(a->point);
	if (error == 0) {
		pspat_attempt = i;
		pspat_ways = a->ways;
		pspat_broken = a->broken;
	}
	return (error);
}
SYSCTL_PROC(_net_pspat, OID_AUTO, attempt,
    CTLTYPE_STRING | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0, pspat_sysctl_attempt,
    "A", "Attempt of 2018: none, A to F; sets intercept and break (while off)");

static SYSCTL_NODE(_net_pspat, OID_AUTO, break, CTLFLAG_RW | CTLFLAG_MPSAFE, 0,
    "Rules to be broken");

static int
pspat_sysctl_break(SYSCTL_HANDLER_ARGS)
{
	u_int value;
	int error;

	value = (pspat_broken & C(arg2)) != 0;
	error = sysctl_handle_int(oidp, &value, 0, req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	if (value != 0)
		atomic_set_int(&pspat_broken, C(arg2));
	else
		atomic_clear_int(&pspat_broken, C(arg2));
	return (0);
}
#define	PSPAT_RULE(n, text)						\
SYSCTL_PROC(_net_pspat_break, OID_AUTO, c##n,				\
    CTLTYPE_UINT | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, n,		\
    pspat_sysctl_break, "IU", text)
PSPAT_RULE(1, "owner: the hook's caller keeps the packet as well");
PSPAT_RULE(2, "tag: packets re-enter the stack without their rule");
PSPAT_RULE(3, "vnet: the arbiter has none");
PSPAT_RULE(4, "epoch: the arbiter is not in it");
PSPAT_RULE(5, "lock: schedulers without dummynet's lock, or it is kept");
PSPAT_RULE(6, "lifetime: the sender's stack is read later");
PSPAT_RULE(7, "context: a sender may sleep for memory");
PSPAT_RULE(8, "thread: senders are not pinned");
PSPAT_RULE(9, "errors: a refused packet is freed twice");
PSPAT_RULE(10, "departure: interfaces and schedulers are not watched");
PSPAT_RULE(11, "once: packets may be taken again");
PSPAT_RULE(12, "queues: slots are handed back unread");
