/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * WF2Q+: worst-case fair weighted fair queueing.
 *
 * Every queue with packets has a start and a finish time of its first packet,
 * in virtual time: how far an ideal, bit by bit scheduler would be.  Among the
 * queues whose start has come (S <= V) the one that finishes first is served.
 * After: Bennett, Zhang, "Hierarchical packet fair queueing algorithms".
 *
 * A queue is in one of three heaps: eligible (by F), not yet eligible (by S),
 * or idle (by F), where it counts in the sum of weights until V has passed F.
 * F < S marks one that is in none.
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

/* Virtual time is fixed point: 28 bits for the fraction leave 36 for bytes. */
#define	FRAC_BITS	28
#define	ONE_FP		(1UL << FRAC_BITS)

struct wf2qp_si {
	struct dn_heap	eligible;
	struct dn_heap	waiting;
	struct dn_heap	idle;
	uint64_t	V;
	uint32_t	inv_wsum;	/* ONE_FP / wsum */
	uint32_t	wsum;
};

struct wf2qp_queue {
	struct dn_queue	_q;
	uint64_t	S, F;
	uint32_t	inv_w;		/* ONE_FP / weight */
	int32_t		heap_pos;
};

static inline struct wf2qp_si *
wf2qp_priv(struct dn_sch_inst *si)
{

	return ((struct wf2qp_si *)(si + 1));
}

static inline uint64_t
later(uint64_t a, uint64_t b)
{

	return (DN_KEY_LT(a, b) ? b : a);
}

static void
wf2qp_weight(struct wf2qp_si *si, int w)
{

	si->wsum += w;
	if (si->wsum > 0)
		si->inv_wsum = ONE_FP / si->wsum;
}

/*
 * Let go of up to n idle queues that virtual time has passed, or of any.
 */
static void
wf2qp_forget_idle(struct wf2qp_si *si, int n, bool any)
{
	struct wf2qp_queue *wq;

	for (; n > 0 && si->idle.elements > 0 &&
	    (any || DN_KEY_LT(HEAP_TOP(&si->idle)->key, si->V)); n--) {
		wq = HEAP_TOP(&si->idle)->object;
		heap_extract(&si->idle, NULL);
		wq->S = wq->F + 1;
		wf2qp_weight(si, -wq->_q.fs->fs.par[0]);
	}
}

static int
wf2qp_enqueue(struct dn_sch_inst *_si, struct dn_queue *q, struct mbuf *m)
{
	struct wf2qp_si *si = wf2qp_priv(_si);
	struct wf2qp_queue *wq = (struct wf2qp_queue *)q;
	uint64_t len = m->m_pkthdr.len;

	if (m != q->mq.head) {
		if (dn_enqueue(q, m, 0) != 0)
			return (1);
		if (m != q->mq.head)
			return (0);
	}

	/* It was empty. */
	if (DN_KEY_LT(wq->F, wq->S)) {
		wq->S = si->V;
		wf2qp_weight(si, q->fs->fs.par[0]);
	} else {
		if (!heap_extract(&si->idle, q))
			return (1);
		wq->S = later(wq->F, si->V);
	}
	wq->F = wq->S + len * wq->inv_w;
	/* Whoever is alone does not wait. */
	if (si->waiting.elements == 0 && si->eligible.elements == 0)
		si->V = later(wq->S, si->V);
	if (DN_KEY_LT(si->V, wq->S)) {
		if (si->eligible.elements == 0)
			D("++ ouch! not eligible but empty scheduler!");
		heap_insert(&si->waiting, wq->S, q);
	} else
		heap_insert(&si->eligible, wq->F, q);
	return (0);
}

/*
 * With nobody eligible virtual time leaps to the first start; those whose
 * start has come are eligible.
 */
static void
wf2qp_advance(struct wf2qp_si *si)
{
	struct wf2qp_queue *wq;

	if (si->eligible.elements == 0 && si->waiting.elements > 0)
		si->V = later(si->V, HEAP_TOP(&si->waiting)->key);
	while (si->waiting.elements > 0 &&
	    DN_KEY_LEQ(HEAP_TOP(&si->waiting)->key, si->V)) {
		wq = HEAP_TOP(&si->waiting)->object;
		heap_extract(&si->waiting, NULL);
		heap_insert(&si->eligible, wq->F, wq);
	}
}

static struct mbuf *
wf2qp_dequeue(struct dn_sch_inst *_si)
{
	struct wf2qp_si *si = wf2qp_priv(_si);
	struct wf2qp_queue *wq;
	struct mbuf *m;

	if (si->eligible.elements == 0 && si->waiting.elements == 0) {
		wf2qp_forget_idle(si, INT_MAX, true);
		si->V = 0;
		si->wsum = 0;
		return (NULL);
	}
	wf2qp_forget_idle(si, 1, false);
	wf2qp_advance(si);

	wq = HEAP_TOP(&si->eligible)->object;
	m = dn_dequeue(&wq->_q);
	/* All it had was of interfaces that are gone: it stays in the way. */
	if (m == NULL)
		return (NULL);
	heap_extract(&si->eligible, NULL);
	si->V += (uint64_t)m->m_pkthdr.len * si->inv_wsum;
	wq->S = wq->F;
	if (wq->_q.mq.head == NULL)
		heap_insert(&si->idle, wq->F, wq);
	else {
		wq->F += (uint64_t)wq->_q.mq.head->m_pkthdr.len * wq->inv_w;
		if (DN_KEY_LEQ(wq->S, si->V))
			heap_insert(&si->eligible, wq->F, wq);
		else
			heap_insert(&si->waiting, wq->S, wq);
	}
	/* As enqueue wants to find it. */
	wf2qp_advance(si);
	return (m);
}

static int
wf2qp_free_sched(struct dn_sch_inst *_si)
{
	struct wf2qp_si *si = wf2qp_priv(_si);

	heap_free(&si->eligible);
	heap_free(&si->waiting);
	heap_free(&si->idle);
	return (0);
}

static int
wf2qp_new_sched(struct dn_sch_inst *_si)
{
	struct wf2qp_si *si = wf2qp_priv(_si);
	int ofs = offsetof(struct wf2qp_queue, heap_pos);

	if (heap_init(&si->idle, 16, ofs) != 0 ||
	    heap_init(&si->eligible, 16, ofs) != 0 ||
	    heap_init(&si->waiting, 16, ofs) != 0) {
		wf2qp_free_sched(_si);
		return (ENOMEM);
	}
	return (0);
}

static int
wf2qp_new_fsk(struct dn_fsk *fs)
{

	ipdn_bound_var(&fs->fs.par[0], 1, 1, 100, "WF2Q+ weight");
	return (0);
}

static int
wf2qp_new_queue(struct dn_queue *_q)
{
	struct wf2qp_queue *q = (struct wf2qp_queue *)_q;

	_q->ni.oid.subtype = DN_SCHED_WF2QP;
	q->F = 0;
	q->S = q->F + 1;
	q->heap_pos = -1;
	q->inv_w = ONE_FP / _q->fs->fs.par[0];
	if (_q->mq.head != NULL)
		wf2qp_enqueue(_q->_si, _q, _q->mq.head);
	return (0);
}

static int
wf2qp_free_queue(struct dn_queue *_q)
{
	struct wf2qp_queue *q = (struct wf2qp_queue *)_q;
	struct wf2qp_si *si = wf2qp_priv(_q->_si);

	if (DN_KEY_LT(q->F, q->S))
		return (0);
	wf2qp_weight(si, -_q->fs->fs.par[0]);
	if (!heap_extract(&si->idle, _q) && !heap_extract(&si->waiting, _q))
		heap_extract(&si->eligible, _q);
	q->S = q->F + 1;
	return (0);
}

static struct dn_alg wf2qp_desc = {
	.type = DN_SCHED_WF2QP,
	.name = "WF2Q+",
	.flags = DN_MULTIQUEUE,
	.si_datalen = sizeof(struct wf2qp_si),
	.q_datalen = sizeof(struct wf2qp_queue) - sizeof(struct dn_queue),
	.enqueue = wf2qp_enqueue,
	.dequeue = wf2qp_dequeue,
	.new_sched = wf2qp_new_sched,
	.free_sched = wf2qp_free_sched,
	.new_fsk = wf2qp_new_fsk,
	.new_queue = wf2qp_new_queue,
	.free_queue = wf2qp_free_queue,
};

DECLARE_DNSCHED_MODULE(dn_wf2qp, &wf2qp_desc);
