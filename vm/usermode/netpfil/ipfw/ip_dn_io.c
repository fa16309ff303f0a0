/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dummynet, the way of a packet:
 *
 *	dummynet_io	into a queue of a scheduler instance (under the lock)
 *	serve_sched	out of the scheduler at the link's rate, into its delay
 *			line; the instance waits in the event heap for credit
 *	transmit_event	out of the delay line when its time has come
 *	dummynet_send	back into the stack (without the lock)
 *
 * Time is counted in ticks; dummynet_task() runs at each of them.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/time.h>

#include <net/if.h>
#include <net/if_var.h>
#include <net/if_private.h>
#include <net/ethernet.h>
#include <net/netisr.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>

#include <netpfil/ipfw/ip_fw_private.h>
#include <netpfil/ipfw/dn_heap.h>
#include <netpfil/ipfw/ip_dn_private.h>
#include <netpfil/ipfw/dn_aqm.h>
#include <netpfil/ipfw/dn_sched.h>

MALLOC_DEFINE(M_DUMMYNET, "dummynet", "dummynet heap");

VNET_DEFINE(struct dn_parms, dn_cfg);

SYSCTL_DECL(_net_inet_ip);
SYSCTL_NODE(_net_inet_ip, OID_AUTO, dummynet, CTLFLAG_RW | CTLFLAG_MPSAFE, 0,
    "Dummynet");

static int
sysctl_hash_size(SYSCTL_HANDLER_ARGS)
{
	int error, value;

	value = V_dn_cfg.hash_size;
	error = sysctl_handle_int(oidp, &value, 0, req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	if (value < 16 || value > 65536)
		return (EINVAL);
	V_dn_cfg.hash_size = value;
	return (0);
}

static int
sysctl_limits(SYSCTL_HANDLER_ARGS)
{
	long *limit, value;
	int error;

	limit = arg2 != 0 ? &V_dn_cfg.slot_limit : &V_dn_cfg.byte_limit;
	value = *limit;
	error = sysctl_handle_long(oidp, &value, 0, req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	if (value < (arg2 != 0 ? 1 : 1500))
		return (EINVAL);
	*limit = value;
	return (0);
}

#define	DN_FIELD(x)	(&VNET_NAME(dn_cfg).x)
#define	DN_INT(name, flag, descr)					\
	SYSCTL_INT(_net_inet_ip_dummynet, OID_AUTO, name,		\
	    flag | CTLFLAG_VNET, DN_FIELD(name), 0, descr)
#define	DN_UINT(name, flag, descr)					\
	SYSCTL_UINT(_net_inet_ip_dummynet, OID_AUTO, name,		\
	    flag | CTLFLAG_VNET, DN_FIELD(name), 0, descr)
#define	DN_LONG(name, flag, descr)					\
	SYSCTL_LONG(_net_inet_ip_dummynet, OID_AUTO, name,		\
	    flag | CTLFLAG_VNET, DN_FIELD(name), 0, descr)
#define	DN_ULONG(name, flag, descr)					\
	SYSCTL_ULONG(_net_inet_ip_dummynet, OID_AUTO, name,		\
	    flag | CTLFLAG_VNET, DN_FIELD(name), 0, descr)

SYSCTL_PROC(_net_inet_ip_dummynet, OID_AUTO, hash_size,
    CTLTYPE_INT | CTLFLAG_RW | CTLFLAG_VNET, NULL, 0, sysctl_hash_size, "I",
    "Default hash table size");
SYSCTL_PROC(_net_inet_ip_dummynet, OID_AUTO, pipe_slot_limit,
    CTLTYPE_LONG | CTLFLAG_RW | CTLFLAG_VNET, NULL, 1, sysctl_limits, "L",
    "Upper limit in slots for pipe queue.");
SYSCTL_PROC(_net_inet_ip_dummynet, OID_AUTO, pipe_byte_limit,
    CTLTYPE_LONG | CTLFLAG_RW | CTLFLAG_VNET, NULL, 0, sysctl_limits, "L",
    "Upper limit in bytes for pipe queue.");
DN_INT(io_fast, CTLFLAG_RW, "Enable fast dummynet io.");
DN_INT(debug, CTLFLAG_RW, "Dummynet debug level");
DN_INT(red_lookup_depth, CTLFLAG_RD, "Depth of RED lookup table");
DN_INT(red_avg_pkt_size, CTLFLAG_RD, "RED Medium packet size");
DN_INT(red_max_pkt_size, CTLFLAG_RD, "RED Max packet size");
DN_LONG(tick_delta, CTLFLAG_RD, "Last vs standard tick difference (usec).");
DN_LONG(tick_delta_sum, CTLFLAG_RD, "Accumulated tick difference (usec).");
DN_LONG(tick_adjustment, CTLFLAG_RD, "Tick adjustments done.");
DN_LONG(tick_diff, CTLFLAG_RD,
    "Adjusted vs non-adjusted curr_time difference (ticks).");
DN_LONG(tick_lost, CTLFLAG_RD,
    "Number of ticks coalesced by dummynet taskqueue.");
DN_UINT(expire, CTLFLAG_RW, "Expire empty queues/pipes");
DN_UINT(expire_cycle, CTLFLAG_RD, "Expire cycle for queues/pipes");
DN_INT(schk_count, CTLFLAG_RD, "Number of schedulers");
DN_INT(si_count, CTLFLAG_RD, "Number of scheduler instances");
DN_INT(fsk_count, CTLFLAG_RD, "Number of flowsets");
DN_INT(queue_count, CTLFLAG_RD, "Number of queues");
DN_ULONG(io_pkt, CTLFLAG_RD, "Number of packets passed to dummynet.");
DN_ULONG(io_pkt_fast, CTLFLAG_RD,
    "Number of packets bypassed dummynet scheduler.");
DN_ULONG(io_pkt_drop, CTLFLAG_RD, "Number of packets dropped by dummynet.");

/*
 * The state that a packet carries through dummynet: its first tag.
 */
struct dn_pkt_tag *
dn_tag_get(struct mbuf *m)
{
	struct m_tag *mtag;

	mtag = m_tag_first(m);
	KASSERT(mtag != NULL && mtag->m_tag_cookie == MTAG_ABI_COMPAT &&
	    mtag->m_tag_id == PACKET_TAG_DUMMYNET,
	    ("packet on dummynet queue w/o dummynet tag!"));
	return ((struct dn_pkt_tag *)(mtag + 1));
}

void
dn_free_pkts(struct mbuf *mnext)
{
	struct mbuf *m;

	while ((m = mnext) != NULL) {
		mnext = m->m_nextpkt;
		m->m_nextpkt = NULL;
		FREE_PKT(m);
	}
}

/*
 * Random early detection.  avg follows the queue's length by a low-pass filter
 * of weight w_q; a table has the filter's powers for the time it was idle.
 * Between the thresholds the chance of a drop rises to max_p, and with every
 * packet since the last drop.  All in fixed point of SCALE_RED bits, and in 32
 * of them where FreeBSD has no more: a queue of 32768 bytes wraps, and so does
 * an average of a packet or more that was idle.
 */
static bool
red_drops(struct dn_queue *q, int len)
{
	struct dn_fsk *fs = q->fs;
	int64_t p_b;
	uint32_t q_size;
	u_int idle;

	q_size = (fs->fs.flags & DN_QSIZE_BYTES) != 0 ? q->ni.len_bytes :
	    q->ni.length;
	if (q_size != 0)
		q->avg = (int)((u_int)q->avg + (u_int)SCALE_MUL(
		    (int64_t)(int)(SCALE(q_size) - (u_int)q->avg),
		    (int64_t)fs->w_q));
	else if (q->avg != 0) {
		idle = div64(V_dn_cfg.curr_time - q->q_time, fs->lookup_step);
		q->avg = idle < fs->lookup_depth ?
		    SCALE_MUL((u_int)q->avg, fs->w_q_lookup[idle]) : 0;
	}

	if (q->avg < fs->min_th) {
		q->count = -1;
		return (false);
	}
	p_b = 0;
	if (q->avg >= fs->max_th) {
		if ((fs->fs.flags & DN_IS_ECN) != 0)
			return (true);
		if ((fs->fs.flags & DN_IS_GENTLE_RED) == 0) {
			q->count = -1;
			return (true);
		}
		p_b = SCALE_MUL((int64_t)fs->c_3, (int64_t)q->avg) - fs->c_4;
	} else if (q->avg > fs->min_th) {
		if ((fs->fs.flags & DN_IS_ECN) != 0)
			return (true);
		p_b = SCALE_MUL((int64_t)fs->c_1, (int64_t)q->avg) - fs->c_2;
	}
	if ((fs->fs.flags & DN_QSIZE_BYTES) != 0)
		p_b = div64(p_b * len, fs->max_pkt_size);
	if (++q->count == 0) {
		q->random = random() & 0xffff;
		return (false);
	}
	if (SCALE_MUL(p_b, SCALE((int64_t)q->count)) <= q->random)
		return (false);
	q->count = 0;
	q->random = random() & 0xffff;
	return (true);
}

/*
 * Mark instead of drop; 0 when the packet can't be marked.
 */
int
ecn_mark(struct mbuf *m)
{
	struct ip *ip;
	uint32_t sum;
	uint16_t new, old;

	ip = (struct ip *)mtodo(m, dn_tag_get(m)->iphdr_off);
	if (ip->ip_v != IPVERSION ||
	    (ip->ip_tos & IPTOS_ECN_MASK) == IPTOS_ECN_NOTECT)
		return (0);
	if ((ip->ip_tos & IPTOS_ECN_MASK) == IPTOS_ECN_CE)
		return (1);
	memcpy(&old, ip, sizeof(old));
	ip->ip_tos |= IPTOS_ECN_CE;
	memcpy(&new, ip, sizeof(new));
	/* RFC 1624, of one word. */
	sum = (uint16_t)~ip->ip_sum + (uint16_t)~old + new;
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	ip->ip_sum = ~sum;
	return (1);
}

/*
 * Packet loss: independent (one rate), or by two states of the link, each with
 * its own rate and a chance to leave it.
 */
static bool
plr_drops(struct dn_fs *f)
{
	bool bad;

	if (f->plr[0] == 0 && f->plr[1] == 0)
		return (false);
	if (f->plr[1] == 0)
		return (random() < (u_long)f->plr[0]);
	bad = f->pl_state == PLR_STATE_B;
	if (random() < (u_long)(bad ? f->plr[3] : f->plr[1]))
		f->pl_state = bad ? PLR_STATE_G : PLR_STATE_B;
	return (random() < (u_long)(bad ? f->plr[2] : f->plr[0]));
}

static bool
queue_refuses(struct dn_queue *q, struct mbuf *m)
{
	struct dn_fs *f = &q->fs->fs;

	if ((f->flags & DN_IS_RED) != 0 && red_drops(q, m->m_pkthdr.len) &&
	    ((f->flags & DN_IS_ECN) == 0 || ecn_mark(m) == 0))
		return (true);
	if ((f->flags & DN_QSIZE_BYTES) != 0)
		return (q->ni.len_bytes > (uint32_t)f->qsize);
	return (q->ni.length >= (uint32_t)f->qsize);
}

/*
 * Put a packet into a queue, if that has room and luck is on its side.
 * Consumes it; 1 when it was dropped.
 */
int
dn_enqueue(struct dn_queue *q, struct mbuf *m, int drop)
{
	struct dn_flow *ni;
	uint64_t len;

	if (q->fs == NULL || q->_si == NULL) {
		printf("%s fs %p si %p, dropping\n", __func__, q->fs, q->_si);
		FREE_PKT(m);
		return (1);
	}
	ni = &q->_si->ni;
	len = m->m_pkthdr.len;
	q->ni.tot_bytes += len;
	q->ni.tot_pkts++;
	ni->tot_bytes += len;
	ni->tot_pkts++;
	if (drop || plr_drops(&q->fs->fs))
		goto drop;
	/* It may outlive its interface here. */
	if (m->m_pkthdr.rcvif != NULL)
		m_rcvif_serialize(m);
	if (q->fs->aqmfp != NULL)
		return (q->fs->aqmfp->enqueue(q, m));
	if (queue_refuses(q, m))
		goto drop;
	mq_append(&q->mq, m);
	q->ni.length++;
	q->ni.len_bytes += len;
	ni->length++;
	ni->len_bytes += len;
	return (0);

drop:
	V_dn_cfg.io_pkt_drop++;
	q->ni.drops++;
	ni->drops++;
	FREE_PKT(m);
	return (1);
}

/*
 * Move what has come to the end of a delay line to q.  With packets left in
 * it the line waits in the event heap (oid.subtype tells).
 */
static void
transmit_event(struct mq *q, struct delay_line *dline, uint64_t now)
{
	struct dn_pkt_tag *pkt;
	struct mbuf *m;

	DN_BH_LOCK_ASSERT();
	dline->oid.subtype = 0;
	while ((m = dline->mq.head) != NULL) {
		pkt = dn_tag_get(m);
		if (!DN_KEY_LEQ(pkt->output_time, now)) {
			dline->oid.subtype = 1;
			heap_insert(&V_dn_cfg.evheap, pkt->output_time, dline);
			break;
		}
		dline->mq.head = m->m_nextpkt;
		dline->mq.count--;
		if (m->m_pkthdr.rcvif != NULL && m_rcvif_restore(m) == NULL) {
			m->m_nextpkt = NULL;
			m_freem(m);
		} else
			mq_append(q, m);
	}
}

/*
 * What a link's profile adds to a packet, as bits of the link.
 */
static uint64_t
extra_bits(struct mbuf *m, struct dn_schk *s)
{
	struct dn_profile *pf = s->profile;
	int i;

	if (pf == NULL || pf->samples_no == 0)
		return (0);
	i = random() % pf->samples_no;
	if (i >= pf->loss_level)
		dn_tag_get(m)->dn_dir = DIR_DROP;
	return (div64((uint64_t)pf->samples[i] * s->link.bandwidth, 1000));
}

/*
 * Take from a scheduler what its link can carry by now.  Credit is in bits
 * times hz, so that a tick of a link of bw bit/s is worth bw.  The last packet
 * may overdraw it: it is then late by the time that takes to be paid back, for
 * which the instance waits in the event heap.
 *
 * Returns the packets that are due at once, if the delay line was empty.
 */
static struct mbuf *
serve_sched(struct mq *q, struct dn_sch_inst *si, uint64_t now)
{
	struct dn_schk *s = si->sched;
	struct mq own;
	struct mbuf *m;
	uint64_t t;
	uint32_t bw;
	bool line_idle;
	int done;

	DN_BH_LOCK_ASSERT();
	if (q == NULL) {
		q = &own;
		q->head = NULL;
	}
	line_idle = si->dline.mq.head == NULL;
	bw = s->link.bandwidth;
	si->kflags &= ~DN_ACTIVE;
	if (bw > 0)
		si->credit += (now - si->sched_time) * bw;
	else
		si->credit = 0;
	si->sched_time = now;

	m = NULL;
	done = 0;
	while (si->credit >= 0 && (m = s->fp->dequeue(si)) != NULL) {
		done++;
		if (bw > 0)
			si->credit -= (int64_t)hz *
			    (m->m_pkthdr.len * 8 + extra_bits(m, s));
		dn_tag_get(m)->output_time = V_dn_cfg.curr_time + s->link.delay;
		if (m->m_pkthdr.rcvif != NULL)
			m_rcvif_serialize(m);
		mq_append(&si->dline.mq, m);
	}
	if (si->credit >= 0)
		si->idle_time = now;
	else {
		KASSERT(bw > 0, ("bw=0 and credit<0 ?"));
		t = div64(bw - 1 - si->credit, bw);
		if (m != NULL)
			dn_tag_get(m)->output_time += t;
		si->kflags |= DN_ACTIVE;
		heap_insert(&V_dn_cfg.evheap, now + t, si);
	}
	if (line_idle && done > 0)
		transmit_event(q, &si->dline, now);
	return (q->head);
}

static void	dummynet_send(struct mbuf *);

/*
 * The clock of a vnet.  It follows the real time even if ticks come late or
 * not at all, and never goes back.
 */
static void
dn_tick(int pending)
{
	struct timeval now;
	int diff;

	V_dn_cfg.tick_lost += pending - 1;
	getmicrouptime(&now);
	V_dn_cfg.tick_last = (now.tv_sec - V_dn_cfg.prev_t.tv_sec) * 1000000 +
	    (now.tv_usec - V_dn_cfg.prev_t.tv_usec);
	V_dn_cfg.tick_delta = (V_dn_cfg.tick_last * hz - 1000000) / hz;
	V_dn_cfg.tick_delta_sum += V_dn_cfg.tick_delta;
	V_dn_cfg.prev_t = now;

	V_dn_cfg.curr_time++;
	if (V_dn_cfg.tick_delta_sum >= tick) {
		diff = V_dn_cfg.tick_delta_sum / tick;
		V_dn_cfg.curr_time += diff;
		V_dn_cfg.tick_diff += diff;
		V_dn_cfg.tick_delta_sum %= tick;
		V_dn_cfg.tick_adjustment++;
	} else if (V_dn_cfg.tick_delta_sum <= -tick) {
		V_dn_cfg.curr_time--;
		V_dn_cfg.tick_diff--;
		V_dn_cfg.tick_delta_sum += tick;
		V_dn_cfg.tick_adjustment++;
	}
}

/*
 * The timer: every tick, in the thread of the dummynet taskqueue, for all
 * vnets.  It starts the next one.
 */
void
dummynet_task(void *context, int pending)
{
	struct epoch_tracker et;
	struct dn_id *p;
	struct mq q;
	u_int expire;
	VNET_ITERATOR_DECL(vnet_iter);

	VNET_LIST_RLOCK();
	NET_EPOCH_ENTER(et);
	VNET_FOREACH(vnet_iter) {
		CURVNET_SET(vnet_iter);
		if (!__atomic_load_n(&V_dn_cfg.init_done, __ATOMIC_ACQUIRE)) {
			CURVNET_RESTORE();
			continue;
		}
		bzero(&q, sizeof(q));
		DN_BH_WLOCK();
		dn_tick(pending);
		while (V_dn_cfg.evheap.elements > 0 &&
		    DN_KEY_LEQ(HEAP_TOP(&V_dn_cfg.evheap)->key,
		    V_dn_cfg.curr_time)) {
			p = HEAP_TOP(&V_dn_cfg.evheap)->object;
			heap_extract(&V_dn_cfg.evheap, NULL);
			if (p->type == DN_SCH_I)
				serve_sched(&q, (struct dn_sch_inst *)p,
				    V_dn_cfg.curr_time);
			else
				transmit_event(&q, (struct delay_line *)p,
				    V_dn_cfg.curr_time);
		}
		expire = __atomic_load_n(&V_dn_cfg.expire, __ATOMIC_RELAXED);
		if (expire != 0 && ++V_dn_cfg.expire_cycle >= expire) {
			V_dn_cfg.expire_cycle = 0;
			dn_drain_scheduler();
			dn_drain_queue();
		}
		DN_BH_WUNLOCK();
		if (q.head != NULL)
			dummynet_send(q.head);
		CURVNET_RESTORE();
	}
	NET_EPOCH_EXIT(et);
	VNET_LIST_RUNLOCK();
	dn_reschedule();
}

/*
 * The tag of dummynet becomes the one by which ipfw knows where to go on.
 */
static void
dn_tag_to_rule(struct m_tag *tag)
{

	tag->m_tag_cookie = MTAG_IPFW_RULE;
	tag->m_tag_id = 0;
}

/*
 * Back into the stack, where they came from.
 */
static void
dummynet_send(struct mbuf *m)
{
	struct dn_pkt_tag *pkt;
	struct ifnet *ifp;
	struct m_tag *tag;
	struct mbuf *n;
	int dst;

	NET_EPOCH_ASSERT();
	for (; m != NULL; m = n) {
		n = m->m_nextpkt;
		m->m_nextpkt = NULL;
		ifp = NULL;
		dst = DIR_DROP;
		tag = m_tag_first(m);
		if (tag != NULL) {
			pkt = dn_tag_get(m);
			/* It may have gone, or be another one, by now. */
			ifp = ifnet_byindexgen(pkt->if_index, pkt->if_idxgen);
			if ((pkt->dn_dir & ~PROTO_IPV6) !=
			    (DIR_OUT | PROTO_LAYER2) || ifp != NULL) {
				dst = pkt->dn_dir;
				dn_tag_to_rule(tag);
			}
		}

		switch (dst) {
		case DIR_OUT:
			ip_output(m, NULL, NULL, IP_FORWARDING, NULL, NULL);
			break;
		case DIR_IN:
			netisr_dispatch(NETISR_IP, m);
			break;
		case DIR_IN | PROTO_LAYER2 | PROTO_IPV6:
		case DIR_IN | PROTO_LAYER2:
			if (m->m_len < ETHER_HDR_LEN &&
			    (m = m_pullup(m, ETHER_HDR_LEN)) == NULL) {
				printf("dummynet/ether: pullup failed, "
				    "dropping packet\n");
				break;
			}
			ether_demux(m->m_pkthdr.rcvif, m);
			break;
		case DIR_OUT | PROTO_LAYER2 | PROTO_IPV6:
		case DIR_OUT | PROTO_LAYER2:
			MPASS(ifp != NULL);
			ether_output_frame(ifp, m);
			break;
		case DIR_DROP:
			FREE_PKT(m);
			break;
		default:
			printf("dummynet: bad switch %d!\n", dst);
			FREE_PKT(m);
			break;
		}
	}
}

static int
tag_mbuf(struct mbuf *m, int dir, struct ip_fw_args *fwa)
{
	struct dn_pkt_tag *dt;
	struct m_tag *mtag;

	mtag = m_tag_get(PACKET_TAG_DUMMYNET, sizeof(*dt), M_NOWAIT | M_ZERO);
	if (mtag == NULL)
		return (1);
	m_tag_prepend(m, mtag);
	dt = (struct dn_pkt_tag *)(mtag + 1);
	bzero(dt, sizeof(*dt));
	dt->rule = fwa->rule;
	dt->rule.info &= IPFW_ONEPASS | IPFW_IS_DUMMYNET;
	dt->dn_dir = dir;
	if ((fwa->flags & IPFW_ARGS_OUT) != 0 && fwa->ifp != NULL) {
		NET_EPOCH_ASSERT();
		dt->if_index = fwa->ifp->if_index;
		dt->if_idxgen = fwa->ifp->if_idxgen;
	}
	dt->output_time = V_dn_cfg.curr_time;
	dt->iphdr_off = (dir & PROTO_LAYER2) != 0 ? ETHER_HDR_LEN : 0;
	return (0);
}

/*
 * A pipe that was idle starts with its burst, as much of it as the time has
 * filled up again, and in fast mode with a tick's worth.
 */
static void
dn_first_credit(struct dn_sch_inst *si, const struct dn_link *p)
{
	uint64_t burst;

	if (si->idle_time >= V_dn_cfg.curr_time)
		return;
	si->sched_time = V_dn_cfg.curr_time;
	si->credit = __atomic_load_n(&V_dn_cfg.io_fast, __ATOMIC_RELAXED) ?
	    p->bandwidth : 0;
	if (p->burst != 0) {
		burst = (V_dn_cfg.curr_time - si->idle_time) * p->bandwidth;
		si->credit += MIN(burst, p->burst);
	}
}

/*
 * ipfw gives a packet to a pipe or a queue.  It is ours, unless it goes
 * through at once: then it is handed back with its rule, *m0 as it was.
 */
int
dummynet_io(struct mbuf **m0, struct ip_fw_args *fwa)
{
	struct dn_fsk *fs;
	struct dn_queue *q;
	struct dn_sch_inst *si;
	struct mbuf *m = *m0;
	int dir, error, fs_id;

	fs_id = fwa->rule.info & IPFW_INFO_MASK;
	if ((fwa->rule.info & IPFW_IS_PIPE) != 0)
		fs_id += 2 * DN_MAX_ID;
	dir = (fwa->flags & IPFW_ARGS_IN) != 0 ? DIR_IN : DIR_OUT;
	if ((fwa->flags & IPFW_ARGS_ETHER) != 0)
		dir |= PROTO_LAYER2;
	else if ((fwa->flags & IPFW_ARGS_IP6) != 0)
		dir |= PROTO_IPV6;

	/* Its vnet's dummynet has gone, or is not there yet. */
	if (__predict_false(!__atomic_load_n(&V_dn_cfg.init_done,
	    __ATOMIC_ACQUIRE))) {
		FREE_PKT(m);
		*m0 = NULL;
		return (ENOBUFS);
	}
	fs = NULL;
	q = NULL;
	DN_BH_WLOCK();
	V_dn_cfg.io_pkt++;
	if (tag_mbuf(m, dir, fwa) != 0)
		goto dropit;
	fs = dn_ht_find(V_dn_cfg.fshash, fs_id, 0, NULL);
	if (fs == NULL || fs->sched == NULL)
		goto dropit;
	si = ipdn_si_find(fs->sched, &fwa->f_id);
	if (si == NULL)
		goto dropit;
	if ((fs->sched->fp->flags & DN_MULTIQUEUE) != 0 &&
	    (q = ipdn_q_find(fs, si, &fwa->f_id)) == NULL)
		goto dropit;
	if (fs->sched->fp->enqueue(si, q, m) != 0) {
		/* Freed and counted by dn_enqueue(). */
		m = *m0 = NULL;
		V_dn_cfg.io_pkt_drop--;
		goto dropit;
	}
	if ((si->kflags & DN_ACTIVE) != 0) {
		/* Its turn comes by the timer. */
		m = *m0 = NULL;
		goto done;
	}
	dn_first_credit(si, &fs->sched->link);
	m = serve_sched(NULL, si, V_dn_cfg.curr_time);
	if (m != NULL && m == *m0 && (dir & PROTO_LAYER2) == 0) {
		/* Through at once: ipfw sends it, without our stack frames. */
		dn_tag_to_rule(m_tag_first(m));
		V_dn_cfg.io_pkt_fast++;
		if (m->m_nextpkt != NULL) {
			printf("dummynet: fast io: pkt chain detected!\n");
			m->m_nextpkt = NULL;
		}
		m = NULL;
	} else
		*m0 = NULL;
done:
	DN_BH_WUNLOCK();
	if (m != NULL)
		dummynet_send(m);
	return (0);

dropit:
	V_dn_cfg.io_pkt_drop++;
	/* Without the lock the flowset may go. */
	error = fs != NULL && (fs->fs.flags & DN_NOERROR) != 0 ? 0 : ENOBUFS;
	DN_BH_WUNLOCK();
	if (m != NULL)
		FREE_PKT(m);
	*m0 = NULL;
	return (error);
}
