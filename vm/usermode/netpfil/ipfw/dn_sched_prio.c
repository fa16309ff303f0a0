/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PRIO: strict priorities.  A flowset's weight is its priority, 0 is served
 * first.  All queues of one priority share the first of them that has packets.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/module.h>
#include <sys/socket.h>

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>

#include <netpfil/ipfw/ip_fw_private.h>
#include <netpfil/ipfw/dn_heap.h>
#include <netpfil/ipfw/ip_dn_private.h>
#include <netpfil/ipfw/dn_aqm.h>
#include <netpfil/ipfw/dn_sched.h>

#define	DN_SCHED_PRIO	5

#define	MAXPRIO		((int)sizeof(u_long) * 8)

struct prio_si {
	u_long		bitmap;		/* priorities with packets */
	struct dn_queue	*q_array[MAXPRIO];
};

static inline struct prio_si *
prio_priv(struct dn_sch_inst *si)
{

	return ((struct prio_si *)(si + 1));
}

/*
 * FreeBSD shifts an int here, and amd64 takes the shift modulo 32: a priority
 * of 32 or more has the bit of another, and what follows from that is a fault
 * that a scenario is to find (scenarios/reports/prio-weight.yaml).
 */
static inline u_long
prio_bit(int prio)
{

	return ((u_long)(int)(1U << (prio & 31)));
}

static void
prio_set(struct prio_si *si, int prio, struct dn_queue *q)
{

	si->q_array[prio] = q;
	if (q != NULL)
		si->bitmap |= prio_bit(prio);
	else
		si->bitmap &= ~prio_bit(prio);
}

static int
prio_enqueue(struct dn_sch_inst *_si, struct dn_queue *q, struct mbuf *m)
{
	struct prio_si *si = prio_priv(_si);
	int prio = q->fs->fs.par[0];

	if ((si->bitmap & prio_bit(prio)) == 0)
		prio_set(si, prio, q);
	return (dn_enqueue(si->q_array[prio], m, 0));
}

static struct mbuf *
prio_dequeue(struct dn_sch_inst *_si)
{
	struct prio_si *si = prio_priv(_si);
	struct dn_queue *q;
	struct mbuf *m;
	int prio;

	if (si->bitmap == 0)
		return (NULL);
	prio = ffs((int)si->bitmap) - 1;
	q = si->q_array[prio];
	/* May be none, of a priority whose packets were all dropped. */
	m = dn_dequeue(q);
	if (q->mq.head == NULL)
		prio_set(si, prio, NULL);
	return (m);
}

static int
prio_new_sched(struct dn_sch_inst *si)
{

	bzero(prio_priv(si), sizeof(struct prio_si));
	return (0);
}

static int
prio_new_fsk(struct dn_fsk *fs)
{

	ipdn_bound_var(&fs->fs.par[0], 0, 0, MAXPRIO - 1, "PRIO priority");
	return (0);
}

static int
prio_new_queue(struct dn_queue *q)
{
	struct prio_si *si = prio_priv(q->_si);
	struct dn_queue *old;
	int prio = q->fs->fs.par[0];

	q->ni.oid.subtype = DN_SCHED_PRIO;
	if (q->mq.head == NULL)
		return (0);
	if ((si->bitmap & prio_bit(prio)) == 0)
		prio_set(si, prio, q);
	else if ((old = si->q_array[prio]) != q) {
		/* Behind what is there. */
		old->mq.tail->m_nextpkt = q->mq.head;
		old->mq.tail = q->mq.tail;
		old->mq.count += q->mq.count;
		old->ni.length += q->ni.length;
		old->ni.len_bytes += q->ni.len_bytes;
		q->mq.head = q->mq.tail = NULL;
		q->mq.count = 0;
		q->ni.length = q->ni.len_bytes = 0;
	}
	return (0);
}

static int
prio_free_queue(struct dn_queue *q)
{
	struct prio_si *si = prio_priv(q->_si);
	int prio = q->fs->fs.par[0];

	if (si->q_array[prio] == q)
		prio_set(si, prio, NULL);
	return (0);
}

static struct dn_alg prio_desc = {
	.type = DN_SCHED_PRIO,
	.name = "PRIO",
	.flags = DN_MULTIQUEUE,
	.si_datalen = sizeof(struct prio_si),
	.enqueue = prio_enqueue,
	.dequeue = prio_dequeue,
	.new_sched = prio_new_sched,
	.new_fsk = prio_new_fsk,
	.new_queue = prio_new_queue,
	.free_queue = prio_free_queue,
};

DECLARE_DNSCHED_MODULE(dn_prio, &prio_desc);
