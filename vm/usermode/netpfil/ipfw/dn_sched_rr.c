/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RR: deficit round robin.  Queues with packets stand in a ring; whose turn it
 * is may send what its credit allows, and gets its quantum (weight times the
 * step of its flowset) when that was too little.
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

#define	DN_SCHED_RR	3

struct rr_queue {
	struct dn_queue	q;
	bool		in_ring;
	uint32_t	credit;		/* bytes */
	uint32_t	quantum;
	TAILQ_ENTRY(rr_queue) link;
};

struct rr_schk {
	int	min_q;
	int	max_q;
	int	q_bytes;	/* bytes, for a flowset that does not say */
};

struct rr_si {
	TAILQ_HEAD(, rr_queue) ring;	/* its turn: the first */
};

static inline struct rr_si *
rr_priv(struct dn_sch_inst *si)
{

	return ((struct rr_si *)(si + 1));
}

static void
rr_join(struct rr_si *si, struct rr_queue *q)
{

	q->in_ring = true;
	q->credit = q->quantum;
	TAILQ_INSERT_TAIL(&si->ring, q, link);
}

static void
rr_leave(struct rr_si *si, struct rr_queue *q)
{

	q->in_ring = false;
	TAILQ_REMOVE(&si->ring, q, link);
}

static int
rr_enqueue(struct dn_sch_inst *si, struct dn_queue *q, struct mbuf *m)
{
	struct rr_queue *rq = (struct rr_queue *)q;

	if (m != q->mq.head && dn_enqueue(q, m, 0) != 0)
		return (1);
	if (!rq->in_ring)
		rr_join(rr_priv(si), rq);
	return (0);
}

static struct mbuf *
rr_dequeue(struct dn_sch_inst *_si)
{
	struct rr_si *si = rr_priv(_si);
	struct rr_queue *q;
	uint32_t len;

	while ((q = TAILQ_FIRST(&si->ring)) != NULL) {
		if (q->q.mq.head == NULL) {
			rr_leave(si, q);
			continue;
		}
		len = q->q.mq.head->m_pkthdr.len;
		if (len <= q->credit) {
			q->credit -= len;
			/* None, if all it had was of interfaces that are gone. */
			return (dn_dequeue(&q->q));
		}
		q->credit += q->quantum;
		TAILQ_REMOVE(&si->ring, q, link);
		TAILQ_INSERT_TAIL(&si->ring, q, link);
	}
	return (NULL);
}

static int
rr_config(struct dn_schk *_schk)
{
	struct rr_schk *schk = (struct rr_schk *)(_schk + 1);

	schk->min_q = 64;
	schk->max_q = 2048;
	schk->q_bytes = 1500;
	return (0);
}

static int
rr_new_sched(struct dn_sch_inst *si)
{

	TAILQ_INIT(&rr_priv(si)->ring);
	return (0);
}

static int
rr_new_fsk(struct dn_fsk *fs)
{
	struct rr_schk *schk = (struct rr_schk *)(fs->sched + 1);

	/* Their product has to fit 32 bits. */
	ipdn_bound_var(&fs->fs.par[0], 1, 1, 65536, "RR weight");
	ipdn_bound_var(&fs->fs.par[1], schk->q_bytes, schk->min_q,
	    schk->max_q, "RR quantum");
	return (0);
}

static int
rr_new_queue(struct dn_queue *_q)
{
	struct rr_queue *q = (struct rr_queue *)_q;

	_q->ni.oid.subtype = DN_SCHED_RR;
	q->quantum = MIN((uint64_t)_q->fs->fs.par[0] * _q->fs->fs.par[1],
	    UINT32_MAX);
	q->in_ring = false;
	if (_q->mq.head != NULL)
		rr_join(rr_priv(_q->_si), q);
	return (0);
}

static int
rr_free_queue(struct dn_queue *_q)
{
	struct rr_queue *q = (struct rr_queue *)_q;

	if (q->in_ring)
		rr_leave(rr_priv(_q->_si), q);
	return (0);
}

static struct dn_alg rr_desc = {
	.type = DN_SCHED_RR,
	.name = "RR",
	.flags = DN_MULTIQUEUE,
	.schk_datalen = sizeof(struct rr_schk),
	.si_datalen = sizeof(struct rr_si),
	.q_datalen = sizeof(struct rr_queue) - sizeof(struct dn_queue),
	.enqueue = rr_enqueue,
	.dequeue = rr_dequeue,
	.config = rr_config,
	.new_sched = rr_new_sched,
	.new_fsk = rr_new_fsk,
	.new_queue = rr_new_queue,
	.free_queue = rr_free_queue,
};

DECLARE_DNSCHED_MODULE(dn_rr, &rr_desc);
