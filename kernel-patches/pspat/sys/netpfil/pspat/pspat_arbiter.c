/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arbiter: from the mailboxes into dummynet's scheduler instances, and out
 * of these at the pace of their links.
 *
 * A scheduler instance is dummynet's.  While the arbiter serves one it is in
 * dummynet's event heap with an event that never comes: dummynet_io() then
 * only enqueues into it, the drain of idle instances leaves it alone, and its
 * removal takes the event away.  All of it happens under dummynet's lock (C5),
 * and nothing is transmitted under it.
 */
#include "opt_pspat.h"

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/counter.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/module.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/sched.h>
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
#ifdef NEW_AQM
#include <netpfil/ipfw/dn_aqm.h>
#endif
#include <netpfil/ipfw/dn_sched.h>
#include <netpfil/pspat/pspat_var.h>

/* Key of an event that does not come: ticks, far but within half the range. */
#define	PSPAT_NEVER	(V_dn_cfg.curr_time + (1ULL << 40))
#define	PSPAT_IS_NEVER(key)						\
	((int64_t)((key) - V_dn_cfg.curr_time) > (int64_t)1 << 39)

/* How late the arbiter may come to a busy link and still make up for it. */
#define	PSPAT_LATE	(100 * SBT_1MS)

/* How long a busy arbiter keeps its CPU before others may have a turn. */
#define	PSPAT_YIELD	(100 * SBT_1US)

/* Packets put into an instance after which it is served, if its link is free. */
#define	PSPAT_SERVE	8

/* How often a scheduler that has packets is asked for one: of prio, each. */
#define	PSPAT_ASK	64

/* How long the dispatcher gets to catch up. */
#define	PSPAT_BACKLOG	(100 * SBT_1US)

void
pspat_ready_init(struct pspat_ready *r)
{

	r->head = NULL;
	r->tail = &r->head;
	r->count = 0;
}

static void
pspat_ready_append(struct pspat_ready *r, struct mbuf *m)
{

	m->m_nextpkt = NULL;
	*r->tail = m;
	r->tail = &m->m_nextpkt;
	r->count++;
}

/*
 * What dummynet puts on a packet of its own: schedulers and AQMs read it, it
 * comes first, and it is what a packet re-enters the stack with (C2).
 */
void
pspat_dn_tag(struct mbuf *m, struct pspat_tag *pt)
{
	struct m_tag *t;
	struct dn_pkt_tag *dt;

	t = m_tag_first(m);
	KASSERT(t->m_tag_cookie == MTAG_ABI_COMPAT &&
	    t->m_tag_id == PACKET_TAG_DUMMYNET, ("%s: another's tag", __func__));
	dt = (struct dn_pkt_tag *)(t + 1);
	bzero(dt, sizeof(*dt));
	dt->rule = pt->pt_rule;
	dt->rule.info &= IPFW_ONEPASS;
#ifdef IPFW_IS_DUMMYNET
	dt->rule.info |= pt->pt_rule.info & IPFW_IS_DUMMYNET;
#endif
	dt->dn_dir = pt->pt_dir;
#if __FreeBSD_version >= 1400000
	dt->if_index = pt->pt_ifp->if_index;
	dt->if_idxgen = pt->pt_ifp->if_idxgen;
#else
	dt->ifp = pt->pt_ifp;
#endif
	dt->output_time = V_dn_cfg.curr_time;
	dt->iphdr_off = (pt->pt_dir & PROTO_LAYER2) != 0 ? ETHER_HDR_LEN : 0;
}

/*
 * A packet in custody ends here.
 */
static void
pspat_drop(struct mbuf *m)
{

	pspat_tag_release(&pspat_tag_find(m)->pt_tag);
	m_freem(m);
}

static void pspat_link_check(struct pspat_link *);
static sbintime_t pspat_serve(struct pspat_softc *, struct pspat_link *,
    sbintime_t, bool, u_int, struct pspat_ready *, struct pspat_ready *);
static void pspat_transmit(struct pspat_softc *, struct pspat_ready *, bool);

static struct pspat_bucket *
pspat_bucket(struct pspat_softc *sc, struct dn_sch_inst *si)
{

	return (&sc->sc_hash[((uintptr_t)si >> 8) & (PSPAT_HASH - 1)]);
}

static struct pspat_link *
pspat_link_find(struct pspat_softc *sc, struct dn_sch_inst *si)
{
	struct pspat_link *pl;

	LIST_FOREACH(pl, pspat_bucket(sc, si), pl_hash)
		if (pl->pl_si == si && pl->pl_vnet == curvnet) {
			pspat_link_check(pl);
			return (pl->pl_si != NULL ? pl : NULL);
		}
	return (NULL);
}

/*
 * dummynet is about to free an instance of a scheduler with queues of its own.
 * fq_codel and fq_pie forget what is in these: not a packet of it would be
 * freed, ours among them, so it is taken out here.  The lock is held.
 */
static int
pspat_free_sched(struct dn_sch_inst *si)
{
	struct pspat_softc *sc = &pspat_sc;
	struct epoch_tracker et;
	int (*free_sched)(struct dn_sch_inst *);
	struct mbuf *m;
	u_int i;

	DN_BH_LOCK_ASSERT();
	free_sched = NULL;
	mtx_lock(&sc->sc_mtx);
	for (i = 0; i < PSPAT_ALGS && free_sched == NULL; i++)
		if (sc->sc_alg[i].pa_fp == si->sched->fp)
			free_sched = sc->sc_alg[i].pa_free_sched;
	mtx_unlock(&sc->sc_mtx);
	/* A dequeue looks up the interface that a packet came by. */
	NET_EPOCH_ENTER(et);
	while ((m = si->sched->fp->dequeue(si)) != NULL)
		m_freem(m);
	NET_EPOCH_EXIT(et);
	return (free_sched != NULL ? free_sched(si) : 0);
}

static void
pspat_alg_hold(struct dn_alg *fp, int n)
{

#if __FreeBSD_version >= 1400000
	dummynet_sched_lock();
	fp->ref_count += n;
	dummynet_sched_unlock();
#else
	fp->ref_count += n;
#endif
}

/*
 * Be told when an instance of this scheduler goes.  FIFO frees its packets, and
 * those with one queue a flow have theirs freed by dummynet.
 */
static bool
pspat_alg_watch(struct pspat_softc *sc, struct dn_alg *fp)
{
	struct pspat_alg *pa;
	u_int i;
	bool new;

	if ((fp->flags & DN_MULTIQUEUE) != 0 || fp->type == DN_SCHED_FIFO ||
	    fp->free_sched == NULL || fp->free_sched == pspat_free_sched)
		return (true);
	new = false;
	mtx_lock(&sc->sc_mtx);
	for (i = 0; i < PSPAT_ALGS; i++) {
		pa = &sc->sc_alg[i];
		if (pa->pa_watched)
			continue;
		pa->pa_fp = fp;
		pa->pa_free_sched = fp->free_sched;
		pa->pa_watched = new = true;
		break;
	}
	mtx_unlock(&sc->sc_mtx);
	if (!new)
		return (false);
	/* It must not be unloaded while we are in it. */
	pspat_alg_hold(fp, 1);
	fp->free_sched = pspat_free_sched;
	return (true);
}

/*
 * All schedulers as they were.  Nobody is on the way to pspat_free_sched() when
 * this comes back: whoever calls it holds dummynet's lock of a vnet.
 */
void
pspat_algs_forget(void)
{
	struct pspat_softc *sc = &pspat_sc;
	struct pspat_alg *pa;
	u_int i;
	VNET_ITERATOR_DECL(vnet_iter);

	for (i = 0; i < PSPAT_ALGS; i++) {
		pa = &sc->sc_alg[i];
		if (pa->pa_watched)
			pa->pa_fp->free_sched = pa->pa_free_sched;
	}
	VNET_LIST_RLOCK();
	VNET_FOREACH(vnet_iter) {
		CURVNET_SET(vnet_iter);
		if (V_dn_cfg.init_done) {
			DN_BH_WLOCK();
			DN_BH_WUNLOCK();
		}
		CURVNET_RESTORE();
	}
	VNET_LIST_RUNLOCK();
	for (i = 0; i < PSPAT_ALGS; i++) {
		pa = &sc->sc_alg[i];
		if (pa->pa_watched)
			pspat_alg_hold(pa->pa_fp, -1);
		pa->pa_watched = false;
	}
}

/*
 * Time on the wire.  A 32.32 time does not wrap in our lifetime (C12).
 */
static sbintime_t
pspat_wire_time(uint64_t bits, uint64_t bps)
{

	if (bits >> 32 != 0 && bps >> 32 != 0) {
		/* Of so many, the last 16 bits don't matter. */
		bits >>= 16;
		bps >>= 16;
	}
	return ((sbintime_t)((bits / bps) << 32) +
	    (sbintime_t)(((bits % bps) << 32) / bps));
}

/*
 * What an idle link may catch up at once.  dummynet's credit, in bits times hz,
 * is as much as the link could have carried since it was idle, its burst at the
 * most; within one tick it is what the last packets left of it.
 */
static uint64_t
pspat_credit(const struct dn_sch_inst *si)
{
	const struct dn_link *link = &si->sched->link;
	uint64_t idle;

	if (si->idle_time >= V_dn_cfg.curr_time)
		return (si->credit > 0 ? si->credit : 0);
	idle = V_dn_cfg.curr_time - si->idle_time;
	return (link->bandwidth != 0 && idle < link->burst / link->bandwidth ?
	    idle * link->bandwidth : link->burst);
}

/*
 * Take an idle instance over from dummynet.
 */
static struct pspat_link *
pspat_link_take(struct pspat_softc *sc, struct dn_sch_inst *si)
{
	struct pspat_link *had, *pl;

	DN_BH_LOCK_ASSERT();
	if (!pspat_alg_watch(sc, si->sched->fp))
		return (NULL);
	/* Its packets that are on their way go first. */
	LIST_FOREACH(had, pspat_bucket(sc, si), pl_hash)
		if (had->pl_si == NULL && had->pl_was == si &&
		    had->pl_vnet == curvnet)
			break;
	pl = had != NULL ? had : malloc(sizeof(*pl), M_PSPAT, M_NOWAIT | M_ZERO);
	if (pl == NULL)
		return (NULL);
	if (heap_insert(&V_dn_cfg.evheap, PSPAT_NEVER, si) != 0) {
		if (had == NULL)
			free(pl, M_PSPAT);
		return (NULL);
	}
	si->kflags |= DN_ACTIVE;
	pl->pl_si = si;
	pl->pl_was = si;
	pl->pl_sched = si->sched->sch.sched_nr;
	pl->pl_flow = si->ni.fid;
	pl->pl_credit = pspat_credit(si);
	pl->pl_free = 0;
	if (had == NULL) {
		pl->pl_vnet = curvnet;
		pl->pl_delayed_tail = &pl->pl_delayed;
		TAILQ_INSERT_TAIL(&sc->sc_links, pl, pl_next);
		LIST_INSERT_HEAD(pspat_bucket(sc, si), pl, pl_hash);
	}
	return (pl);
}

/*
 * Give an instance back, idle, with what is left of its burst.  Packets still
 * on their way keep the link.
 */
static void
pspat_link_give_back(struct pspat_link *pl, sbintime_t now)
{
	struct dn_sch_inst *si = pl->pl_si;
	const struct dn_link *link = &si->sched->link;
	uint64_t left;

	DN_BH_LOCK_ASSERT();
	heap_extract(&V_dn_cfg.evheap, si);
	si->kflags &= ~DN_ACTIVE;
	si->sched_time = V_dn_cfg.curr_time;
	/* The tick in progress is not one that earns a burst. */
	si->idle_time = V_dn_cfg.curr_time + (link->burst != 0);
	si->credit = 0;
	if (link->burst != 0 && pl->pl_free != 0 && pl->pl_free < now) {
		left = (uint64_t)sbttous(now - pl->pl_free) *
		    link->bandwidth / 1000000 * hz;
		si->credit = MIN(left, pl->pl_credit);
	}
	pl->pl_si = NULL;
}

/*
 * Is the instance still there, and still ours?  dummynet removes one with its
 * pipe, its scheduler or its vnet and tells nobody (C10), so this is asked
 * before each use.  One that was made anew in the same place is not active, or
 * has an event of dummynet's, which is due within reason.
 */
static void
pspat_link_check(struct pspat_link *pl)
{
	const struct dn_heap_entry *event;
	struct dn_schk *sch;
	void *si;

	DN_BH_LOCK_ASSERT();
	if (pl->pl_si == NULL || PSPAT_BROKEN(10))
		return;
	si = NULL;
	sch = dn_ht_find(V_dn_cfg.schedhash, pl->pl_sched, 0, NULL);
	if (sch != NULL && sch->siht != NULL)
		si = (sch->sch.flags & DN_HAVE_MASK) != 0 ?
		    dn_ht_find(sch->siht, (uintptr_t)&pl->pl_flow, 0, NULL) :
		    (void *)sch->siht;
	/* dummynet's own may be active without an event, for want of memory. */
	if (si == pl->pl_si && (pl->pl_si->kflags & DN_ACTIVE) != 0 &&
	    pl->pl_si->ni.oid.id < (uint32_t)V_dn_cfg.evheap.elements) {
		event = &V_dn_cfg.evheap.p[pl->pl_si->ni.oid.id];
		if (event->object == si && PSPAT_IS_NEVER(event->key))
			return;
	}
	pl->pl_si = NULL;
}

/*
 * In a flush all of a vnet that goes is sent, or of all when PSPAT does.
 */
static bool
pspat_all_out(struct pspat_softc *sc, bool flush)
{

	return (flush && (V_pspat_dying != 0 ||
	    atomic_load_int(&sc->sc_point) == PSPAT_OFF));
}

/*
 * One packet from a mailbox into its scheduler.  dummynet's lock of the
 * packet's vnet is held; what shall go out at once is put on ready.
 */
static void
pspat_enqueue(struct pspat_softc *sc, struct mbuf *m, struct pspat_tag *pt,
    bool flush, struct pspat_ready *ready, struct pspat_ready *foreign)
{
	struct ipfw_flow_id *id;
	struct dn_fsk *fs;
	struct dn_sch_inst *si;
	struct dn_queue *q;
	struct pspat_link *pl;

	if (!PSPAT_BROKEN(5))
		DN_BH_LOCK_ASSERT();
	V_dn_cfg.io_pkt++;
	if (V_pspat_dying != 0 ||
	    (pt->pt_ifp->if_flags & IFF_DYING) != 0) {
		PSPAT_COUNT(drop_departed);
		pspat_drop(m);
		return;
	}
	if (atomic_load_int(&sc->sc_point) == PSPAT_OFF &&
	    pt->pt_point == PSPAT_IF_OUTPUT) {
		/* Off and being flushed: nothing is scheduled any more. */
		pspat_ready_append(ready, m);
		return;
	}
	if (PSPAT_WAY(DIRECT)) {
		pspat_ready_append(ready, m);
		return;
	}
	if (PSPAT_BROKEN(6))
		pspat_attempt_reread(pt);
	fs = dn_ht_find(V_dn_cfg.fshash, pt->pt_flowset, 0, NULL);
	if (fs == NULL || fs->sched == NULL) {
		if (pt->pt_point == PSPAT_IF_OUTPUT) {
			/* No such scheduler (yet): not a reason to lose it. */
			pspat_ready_append(ready, m);
			return;
		}
		PSPAT_COUNT(drop_flowset);
		pspat_drop(m);
		return;
	}
	id = &pt->pt_flow;
	pspat_dn_tag(m, pt);
	if ((si = ipdn_si_find(fs->sched, id)) == NULL) {
		PSPAT_COUNT(drop_nomem);
		pspat_drop(m);
		return;
	}
	q = NULL;
	if ((fs->sched->fp->flags & DN_MULTIQUEUE) != 0 &&
	    (q = ipdn_q_find(fs, si, id)) == NULL) {
		PSPAT_COUNT(drop_nomem);
		pspat_drop(m);
		return;
	}
	pl = pspat_link_find(sc, si);
	if (pl == NULL && (si->kflags & DN_ACTIVE) == 0 &&
	    (pl = pspat_link_take(sc, si)) == NULL) {
		PSPAT_COUNT(drop_nomem);
		pspat_drop(m);
		return;
	}
	/*
	 * An instance that dummynet still serves stays dummynet's until it is
	 * idle: the packet goes out by dummynet's hand, which the exit knows
	 * nothing of.  Its custody ends now, as transmitted.
	 */
	if (pl == NULL) {
		if (pt->pt_point == PSPAT_IF_OUTPUT) {
			pspat_ready_append(ready, m);
			return;
		}
		PSPAT_COUNT(out);
		if (pt->pt_rcvif != NULL)
			m->m_pkthdr.rcvif = pt->pt_rcvif;
		pspat_tag_release(&pt->pt_tag);
	}
	/* On failure it was dropped, and its tag has counted that. */
	if (fs->sched->fp->enqueue(si, q, m) != 0 || pl == NULL)
		return;
	/* A queue is not to overflow on a link that is free. */
	if (++pl->pl_put % PSPAT_SERVE == 0)
		(void)pspat_serve(sc, pl, sbinuptime(), pspat_all_out(sc, flush),
		    ready->count + sc->sc_now.ps_batch, ready, foreign);
}

/*
 * What a link's profile adds to a packet, in bits at the link's rate, and
 * whether it loses the packet: as dummynet has it.
 */
static uint64_t
pspat_profile_bits(struct dn_schk *sch, bool *lost)
{
	struct dn_profile *pf = sch->profile;
	int i;

	*lost = false;
	if (pf == NULL || pf->samples_no == 0)
		return (0);
	i = random() % pf->samples_no;
	*lost = i >= pf->loss_level;
	return ((uint64_t)pf->samples[i] * sch->link.bandwidth / 1000);
}

/*
 * A packet of dummynet's own, which it put into an instance that we serve.  It
 * goes by dummynet's delay line, or at once if it has no delay; then it is sent
 * apart from ours, for it says nothing of its vnet (C3).
 */
static void
pspat_foreign(struct dn_sch_inst *si, struct mbuf *m, sbintime_t delay,
    struct pspat_ready *foreign)
{
	struct delay_line *dl = &si->dline;
	uint64_t ticks;

	ticks = howmany((uint64_t)sbttous(delay) * hz, 1000000);
	if (ticks == 0 && dl->mq.head == NULL) {
		pspat_ready_append(foreign, m);
		return;
	}
	dn_tag_get(m)->output_time = V_dn_cfg.curr_time + ticks;
#if __FreeBSD_version >= 1400000
	if (m->m_pkthdr.rcvif != NULL)
		m_rcvif_serialize(m);
#endif
	mq_append(&dl->mq, m);
	if (dl->oid.subtype == 0 && heap_insert(&V_dn_cfg.evheap,
	    dn_tag_get(dl->mq.head)->output_time, dl) == 0)
		dl->oid.subtype = 1;	/* in the heap */
}

/*
 * Serve one link up to now.  Returns when it wants to be served again, or 0
 * when it is idle and was given back.
 */
static sbintime_t
pspat_serve(struct pspat_softc *sc, struct pspat_link *pl, sbintime_t now,
    bool flush, u_int budget, struct pspat_ready *ready,
    struct pspat_ready *foreign)
{
	struct dn_schk *sch;
	struct mbuf *m;
	struct pspat_tag *pt;
	sbintime_t burst, delay;
	uint64_t bits;
	u_int asked;
	bool lost;

	pspat_link_check(pl);
	while (pl->pl_si != NULL) {
		sch = pl->pl_si->sched;
		if (!flush && (pl->pl_free > now || sc->sc_free > now ||
		    ready->count >= budget))
			break;
		/*
		 * prio says NULL of a priority that came to nothing, whatever
		 * the others have.  Not asked for ever: a queue that dummynet
		 * deleted may be counted still.
		 */
		m = sch->fp->dequeue(pl->pl_si);
		for (asked = 1; m == NULL && pl->pl_si->ni.length != 0 &&
		    asked < PSPAT_ASK; asked++)
			m = sch->fp->dequeue(pl->pl_si);
		if (m == NULL) {
			pspat_link_give_back(pl, now);
			break;
		}
		m->m_nextpkt = NULL;
		delay = 0;
		bits = (uint64_t)m->m_pkthdr.len * 8;
		bits += pspat_profile_bits(sch, &lost);
		if (sch->link.bandwidth != 0) {
			/*
			 * A link that was idle may catch up its burst.  One
			 * that is busy loses nothing by our coming late, as
			 * long as that is within reason.
			 */
			burst = pspat_wire_time(pl->pl_credit / hz,
			    sch->link.bandwidth);
			if (pl->pl_free != 0 && burst < PSPAT_LATE)
				burst = PSPAT_LATE;
			if (pl->pl_free < now - burst)
				pl->pl_free = now - burst;
			pl->pl_free += pspat_wire_time(bits,
			    sch->link.bandwidth);
			pl->pl_credit -= MIN(pl->pl_credit, bits * hz);
			delay = pl->pl_free - now;
			if (delay < 0)
				delay = 0;
		}
		if (sc->sc_now.ps_rate != 0 && !flush) {
			if (sc->sc_free < now)
				sc->sc_free = now;
			sc->sc_free += pspat_wire_time(bits,
			    sc->sc_now.ps_rate);
		}
		if (lost) {
			/* Its tag counts it as dropped. */
			m_freem(m);
			continue;
		}
		delay += sch->link.delay * (SBT_1S / hz);
		pt = pspat_tag_find(m);
		if (pt == NULL || pt->pt_tag.m_tag_id != PSPAT_TAG_CUSTODY) {
			pspat_foreign(pl->pl_si, m, delay, foreign);
			continue;
		}
		if (flush || delay == 0) {
			pspat_ready_append(ready, m);
			continue;
		}
		pt->pt_due = now + delay;
		*pl->pl_delayed_tail = m;
		pl->pl_delayed_tail = &m->m_nextpkt;
	}
	/* Those that have come to the end of the link. */
	while ((m = pl->pl_delayed) != NULL &&
	    (flush || pspat_tag_find(m)->pt_due <= now)) {
		pl->pl_delayed = m->m_nextpkt;
		if (pl->pl_delayed == NULL)
			pl->pl_delayed_tail = &pl->pl_delayed;
		pspat_ready_append(ready, m);
	}
	if (pl->pl_si == NULL && pl->pl_delayed == NULL)
		return (0);
	if (pl->pl_si == NULL)
		return (pspat_tag_find(pl->pl_delayed)->pt_due);
	burst = pl->pl_free > sc->sc_free ? pl->pl_free : sc->sc_free;
	if (pl->pl_delayed != NULL &&
	    pspat_tag_find(pl->pl_delayed)->pt_due < burst)
		burst = pspat_tag_find(pl->pl_delayed)->pt_due;
	return (burst > now ? burst : now);
}

/*
 * Transmit what was collected, outside of every lock, each packet in its vnet.
 */
static void
pspat_transmit(struct pspat_softc *sc, struct pspat_ready *ready, bool flush)
{
	struct mbuf *m, *n;
	bool hand_over;

	/* Until it is through, the dispatcher goes on: order is kept. */
	hand_over = !flush && (sc->sc_now.ps_xmit == PSPAT_XMIT_DISPATCHER ||
	    atomic_load_acq_int(&sc->sc_xdone) != sc->sc_xbox->mb_write);
	for (m = ready->head; m != NULL; m = n) {
		n = m->m_nextpkt;
		m->m_nextpkt = NULL;
		if (!hand_over)
			pspat_exit(m);
		else if (sc->sc_over.head != NULL || !pspat_hand_over(m))
			pspat_ready_append(&sc->sc_over, m);
	}
	pspat_ready_init(ready);
}

/*
 * What the dispatcher would not take the last time.  True when it still won't:
 * nothing more is scheduled then, so that packets wait, and are dropped, where
 * schedulers and senders see it.
 */
static bool
pspat_backlog(struct pspat_softc *sc, bool flush)
{
	struct pspat_ready over;

	if (sc->sc_over.head == NULL)
		return (false);
	over = sc->sc_over;
	pspat_ready_init(&sc->sc_over);
	pspat_transmit(sc, &over, flush);
	return (sc->sc_over.head != NULL);
}

/*
 * A packet comes from another CPU's cache, and its tags by way of it: each is
 * called for before its turn.
 */
static inline void
pspat_fetch_ahead(struct pspat_mailbox *mb)
{
	struct mbuf *m;

	m = pspat_mailbox_peek(mb, 6);
	if (m != NULL)
		__builtin_prefetch(&m->m_pkthdr);
	m = pspat_mailbox_peek(mb, 4);
	if (m != NULL)
		__builtin_prefetch(m_tag_first(m));
	m = pspat_mailbox_peek(mb, 2);
	if (m != NULL)
		__builtin_prefetch(m_tag_next(m, m_tag_first(m)));
}

/*
 * Done with a vnet: its lock, and the packets of dummynet's own.
 */
static void
pspat_leave(struct pspat_softc *sc, struct pspat_ready *foreign)
{

	if (!PSPAT_BROKEN(5))
		DN_BH_WUNLOCK();
	pspat_transmit(sc, foreign, true);
}

/*
 * Empty the mailboxes, up to a batch each, for a flush of all that was in them
 * when it began.  Returns how many packets came.
 */
static u_int
pspat_collect(struct pspat_softc *sc, bool flush, struct pspat_ready *ready)
{
	struct pspat_mailbox *mb;
	struct pspat_ready foreign;
	struct pspat_tag *pt;
	struct vnet *vnet;
	struct mbuf *m;
	u_int boxes, i, limit, n, total;
	bool locked;

	pspat_ready_init(&foreign);
	total = 0;
	locked = false;
	vnet = NULL;
	CURVNET_SET_QUIET(vnet0);	/* a place for CURVNET_RESTORE() */
	boxes = atomic_load_acq_int(&sc->sc_boxes);
	for (i = 0; i < boxes; i++) {
		if ((mb = sc->sc_box[i]) == NULL)
			continue;
		limit = flush ? mb->mb_slots : sc->sc_now.ps_batch;
		for (n = 0; n < limit; n++) {
			m = pspat_mailbox_extract(mb);
			if (m == NULL) {
				pspat_box_empty(sc, mb);
				break;
			}
			pspat_fetch_ahead(mb);
			pt = pspat_tag_find(m);
			/* One lock for a run of packets of one vnet. */
			if (!locked || pt->pt_vnet != vnet) {
				if (locked)
					pspat_leave(sc, &foreign);
#ifdef VIMAGE
				curvnet = PSPAT_BROKEN(3) ? NULL : pt->pt_vnet;
#endif
				vnet = pt->pt_vnet;
				locked = true;
				if (!PSPAT_BROKEN(5))
					DN_BH_WLOCK();
			}
			pspat_enqueue(sc, m, pt, flush, ready, &foreign);
		}
		total += n;
	}
	if (locked)
		pspat_leave(sc, &foreign);
	CURVNET_RESTORE();
	return (total);
}

/*
 * One round.  Returns when the next one is due: 0 for at once, SBT_MAX for
 * when a sender calls.
 */
static sbintime_t
pspat_round(struct pspat_softc *sc, bool flush)
{
	struct epoch_tracker et;
	struct pspat_ready foreign, ready;
	struct pspat_link *pl, *next, *sent;
	sbintime_t due, free_at, now, soonest;
	u_int budget, got;

	pspat_ready_init(&foreign);
	pspat_ready_init(&ready);
	soonest = SBT_MAX;

	if (!PSPAT_BROKEN(4))
		NET_EPOCH_ENTER(et);
	if (pspat_backlog(sc, flush)) {
		if (!PSPAT_BROKEN(4))
			NET_EPOCH_EXIT(et);
		return (sbinuptime() + PSPAT_BACKLOG);
	}
	got = pspat_collect(sc, flush, &ready);
	now = sbinuptime();
	/* As many as came may go: links that can carry more have no queue. */
	budget = MAX(sc->sc_now.ps_batch, got);
	sent = NULL;
	TAILQ_FOREACH_SAFE(pl, &sc->sc_links, pl_next, next) {
		free_at = sc->sc_free;
		CURVNET_SET(pl->pl_vnet);
		DN_BH_WLOCK();
		due = pspat_serve(sc, pl, now, pspat_all_out(sc, flush),
		    ready.count + budget, &ready, &foreign);
		DN_BH_WUNLOCK();
		/* In this vnet, whatever else is done later. */
		got += foreign.count;
		pspat_transmit(sc, &foreign, true);
		CURVNET_RESTORE();
		if (due == 0) {
			TAILQ_REMOVE(&sc->sc_links, pl, pl_next);
			LIST_REMOVE(pl, pl_hash);
			free(pl, M_PSPAT);
			continue;
		}
		if (due < soonest)
			soonest = due;
		if (sc->sc_free != free_at)
			sent = pl;
	}
	/* Those who did not come to the rate that all share go first next. */
	if (sent != NULL)
		while ((pl = TAILQ_LAST(&sc->sc_links, pspat_links)) != sent) {
			TAILQ_REMOVE(&sc->sc_links, pl, pl_next);
			TAILQ_INSERT_HEAD(&sc->sc_links, pl, pl_next);
		}
	if (ready.count != 0)
		got++;
	pspat_transmit(sc, &ready, flush);
	if (!PSPAT_BROKEN(4))
		NET_EPOCH_EXIT(et);

	PSPAT_COUNT(loops);
	if (got != 0)
		PSPAT_COUNT(busy_loops);
	if (got != 0 || soonest <= now)
		return (0);
	return (soonest);
}

static bool
pspat_all_empty(struct pspat_softc *sc)
{
	u_int boxes, i;

	boxes = atomic_load_acq_int(&sc->sc_boxes);
	for (i = 0; i < boxes; i++)
		if (sc->sc_box[i] != NULL && !pspat_mailbox_empty(sc->sc_box[i]))
			return (false);
	return (true);
}

/*
 * Before all that waits for it, senders among them, and after all interrupts.
 * There is work only as long as somebody sends: nobody is kept from running by
 * this who is not kept from it by packets.
 */
void
pspat_raise_priority(void)
{

	thread_lock(curthread);
	sched_prio(curthread, PRI_MIN_KERN);
	thread_unlock(curthread);
}

void
pspat_arbiter(void *arg)
{
	struct pspat_softc *sc = arg;
	sbintime_t began, due, took, yielded;
	u_int flush;

	pspat_raise_priority();
	took = yielded = 0;
	for (;;) {
		mtx_lock(&sc->sc_mtx);
		if (took > sc->sc_loop_max)
			sc->sc_loop_max = took;
		if (sc->sc_stop && sc->sc_flush == sc->sc_flushed)
			break;
		flush = sc->sc_flush;
		/* What was sent at another rate is paid for. */
		if (sc->sc_now.ps_rate != sc->sc_set.ps_rate)
			sc->sc_free = 0;
		sc->sc_now = sc->sc_set;
		mtx_unlock(&sc->sc_mtx);

		/* A flush does not overtake what the dispatcher still has. */
		while (flush != sc->sc_flushed &&
		    atomic_load_acq_int(&sc->sc_xdone) !=
		    sc->sc_xbox->mb_write)
			pause("pspatx", 1);
		began = sbinuptime();
		due = pspat_round(sc, flush != sc->sc_flushed);
		took = sbinuptime() - began;

		if (flush != sc->sc_flushed) {
			/*
			 * One round takes all that had come when it began, so
			 * that a flush ends whatever others go on sending.
			 */
			mtx_lock(&sc->sc_mtx);
			sc->sc_flushed = flush;
			sc->sc_given = sc->sc_xbox->mb_write;
			wakeup(&sc->sc_flushed);
			mtx_unlock(&sc->sc_mtx);
		}
		if (due == 0) {
			if (began - yielded >= PSPAT_YIELD) {
				kern_yield(PRI_UNCHANGED);
				yielded = sbinuptime();
			}
			continue;
		}

		mtx_lock(&sc->sc_mtx);
		atomic_store_int(&sc->sc_asleep, 1);
		atomic_thread_fence_seq_cst();
		if ((sc->sc_over.head != NULL || pspat_all_empty(sc)) &&
		    !sc->sc_stop && sc->sc_flush == sc->sc_flushed) {
			if (due == SBT_MAX)
				mtx_sleep(sc, &sc->sc_mtx, 0, "pspati", 0);
			else
				msleep_sbt(sc, &sc->sc_mtx, 0, "pspatw", due,
				    0, C_ABSOLUTE);
		}
		atomic_store_int(&sc->sc_asleep, 0);
		mtx_unlock(&sc->sc_mtx);
	}
	sc->sc_running--;
	wakeup(&sc->sc_running);
	mtx_unlock(&sc->sc_mtx);
	kthread_exit();
}
