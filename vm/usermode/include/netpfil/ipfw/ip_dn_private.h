/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _IP_DN_PRIVATE_H
#define	_IP_DN_PRIVATE_H

#include <sys/param.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/queue.h>
#include <sys/time.h>
#include <net/vnet.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>
#include <netpfil/ipfw/dn_heap.h>

#ifndef D
#define	ND(fmt, ...)	do { } while (0)
#define	D1(fmt, ...)	do { } while (0)
#define	D(fmt, ...)	printf("%-10s " fmt "\n", __FUNCTION__, ## __VA_ARGS__)
#define	DX(lev, fmt, ...)	do {					\
	if (V_dn_cfg.debug > lev)					\
		D(fmt, ## __VA_ARGS__);					\
} while (0)
#endif

MALLOC_DECLARE(M_DUMMYNET);

#define	div64(a, b)	((int64_t)(a) / (int64_t)(b))

#define	DN_LOCK_INIT()	do {						\
	mtx_init(&V_dn_cfg.uh_mtx, "dn_uh", NULL, MTX_DEF);		\
	mtx_init(&V_dn_cfg.bh_mtx, "dn_bh", NULL, MTX_DEF);		\
} while (0)
#define	DN_LOCK_DESTROY()	do {					\
	mtx_destroy(&V_dn_cfg.uh_mtx);					\
	mtx_destroy(&V_dn_cfg.bh_mtx);					\
} while (0)
/* Named for two, one lock does it all: FreeBSD's way since 9. */
#define	DN_BH_RLOCK()		mtx_lock(&V_dn_cfg.uh_mtx)
#define	DN_BH_RUNLOCK()		mtx_unlock(&V_dn_cfg.uh_mtx)
#define	DN_BH_WLOCK()		mtx_lock(&V_dn_cfg.uh_mtx)
#define	DN_BH_WUNLOCK()		mtx_unlock(&V_dn_cfg.uh_mtx)
#define	DN_BH_LOCK_ASSERT()	mtx_assert(&V_dn_cfg.uh_mtx, MA_OWNED)

SLIST_HEAD(dn_fsk_head, dn_fsk);

struct mq {
	struct mbuf	*head, *tail;
	int		count;
};

static inline void
set_oid(struct dn_id *o, int type, int len)
{

	o->type = type;
	o->len = len;
	o->subtype = 0;
}

/* dummynet of a vnet. */
struct dn_parms {
	uint32_t	id;		/* counts configurations */

	int		red_lookup_depth;
	int		red_avg_pkt_size;
	int		red_max_pkt_size;
	int		hash_size;
	int		max_hash_size;
	long		byte_limit;
	long		slot_limit;
	int		io_fast;
	int		debug;

	struct timeval	prev_t;
	struct dn_heap	evheap;		/* scheduler instances and delay lines, by time */

	long		tick_last;	/* us */
	long		tick_delta;
	long		tick_delta_sum;
	long		tick_adjustment;
	long		tick_lost;
	long		tick_diff;

	int		schk_count;
	int		si_count;
	int		fsk_count;
	int		queue_count;

	unsigned long	io_pkt;
	unsigned long	io_pkt_fast;
	unsigned long	io_pkt_drop;

	uint64_t	curr_time;	/* ticks */
	struct dn_ht	*fshash;
	struct dn_ht	*schedhash;
	struct dn_fsk_head fsu;		/* flowsets whose scheduler does not exist */

	int		drain_fs;	/* next bucket to look for idle queues in */
	int		drain_sch;
	uint32_t	expire;
	uint32_t	expire_cycle;
	int		init_done;

	struct mtx	uh_mtx;
	struct mtx	bh_mtx;
};

/* In the event heap for itself: an oid first tells it from an instance. */
struct delay_line {
	struct dn_id	oid;
	struct dn_sch_inst *si;
	struct mq	mq;
};

struct dn_aqm;

/* A flowset. */
struct dn_fsk {
	struct dn_fs	fs;
	SLIST_ENTRY(dn_fsk) fsk_next;	/* V_dn_cfg.fshash */
	struct ipfw_flow_id fsk_mask;	/* flow_mask | the scheduler's */
	struct dn_ht	*qht;		/* queues; the queue itself without a mask */
	struct dn_schk	*sched;
	SLIST_ENTRY(dn_fsk) sch_chain;
	int		drain_bucket;
	/* RED */
	int		w_q;
	int		max_th;
	int		min_th;
	int		max_p;
	u_int		c_1;
	u_int		c_2;
	u_int		c_3;
	u_int		c_4;
	u_int		*w_q_lookup;
	u_int		lookup_depth;
	int		lookup_step;
	int		lookup_weight;
	int		avg_pkt_size;
	int		max_pkt_size;
#ifdef NEW_AQM
	struct dn_aqm	*aqmfp;
	void		*aqmcfg;
#endif
};

/* A queue: one flow of a flowset in one scheduler instance. */
struct dn_queue {
	struct dn_flow	ni;
	struct mq	mq;
	struct dn_sch_inst *_si;
	SLIST_ENTRY(dn_queue) q_next;
	struct dn_fsk	*fs;
	int		avg;
	int		count;
	int		random;
	uint64_t	q_time;		/* idle since */
#ifdef NEW_AQM
	void		*aqm_status;
#endif
};

struct dn_alg;

/* A scheduler, with its link. */
struct dn_schk {
	struct dn_sch	sch;
	struct dn_alg	*fp;
	struct dn_link	link;
	struct dn_profile *profile;
	struct dn_id	*cfg;
	SLIST_ENTRY(dn_schk) schk_next;
	struct dn_fsk_head fsk_list;
	struct dn_fsk	*fs;		/* of a scheduler without DN_MULTIQUEUE */
	int		drain_bucket;
	struct dn_ht	*siht;		/* instances; the instance itself without a mask */
};

/* A scheduler instance.  The event heap may point to it. */
struct dn_sch_inst {
	struct dn_flow	ni;
	SLIST_ENTRY(dn_sch_inst) si_next;
	struct delay_line dline;
	struct dn_schk	*sched;
	int		kflags;
	int64_t		credit;		/* bits that may go, scaled by hz */
	uint64_t	sched_time;
	uint64_t	idle_time;
	int		q_count;	/* queues that point here */
};

enum {
	DN_DESTROY	= 0x0004,
	DN_DELETE_FS	= 0x0008,
	DN_DETACH	= 0x0010,
	DN_ACTIVE	= 0x0020,	/* in the event heap */
	DN_F_DLINE	= 0x0040,
	DN_DEL_SAFE	= 0x0080,	/* only what nobody needs */
	DN_QHT_IS_Q	= 0x0100,
};

/* What a packet in dummynet carries; it turns into an MTAG_IPFW_RULE. */
struct dn_pkt_tag {
	struct ipfw_rule_ref rule;	/* has to be first */
	int		dn_dir;
	uint64_t	output_time;
	uint16_t	if_index;
	uint16_t	if_idxgen;
	uint16_t	iphdr_off;
};

enum {
	DIR_OUT =	0,
	DIR_IN =	1,
	DIR_FWD =	2,
	DIR_DROP =	3,
	PROTO_LAYER2 =	0x4,
	PROTO_IPV4 =	0x08,
	PROTO_IPV6 =	0x10,
	PROTO_IFB =	0x0c,
};

enum {
	PLR_STATE_G = 0,
	PLR_STATE_B,
};

VNET_DECLARE(struct dn_parms, dn_cfg);
#define	V_dn_cfg	VNET(dn_cfg)

int	dummynet_io(struct mbuf **, struct ip_fw_args *);
void	dummynet_sched_lock(void);
void	dummynet_sched_unlock(void);
void	dummynet_task(void *context, int pending);
void	dn_reschedule(void);
struct dn_pkt_tag *dn_tag_get(struct mbuf *m);
struct dn_queue *ipdn_q_find(struct dn_fsk *, struct dn_sch_inst *,
	    struct ipfw_flow_id *);
struct dn_sch_inst *ipdn_si_find(struct dn_schk *, struct ipfw_flow_id *);

#define	DEFAULT_RANGES	5
struct copy_range {
	struct dn_id	o;
	uint32_t	r[2 * DEFAULT_RANGES];
};
struct copy_args {
	char		**start;
	char		*end;
	int		flags;
	int		type;
	struct copy_range *extra;
};

struct sockopt;
int	dummynet_get(struct sockopt *sopt);
int	do_config(void *p, size_t l);
void	dn_drain_scheduler(void);
void	dn_drain_queue(void);

#ifdef NEW_AQM
int	ecn_mark(struct mbuf *m);

static inline void
mq_append(struct mq *q, struct mbuf *m)
{

	if (q->head == NULL)
		q->head = m;
	else
		q->tail->m_nextpkt = m;
	q->count++;
	q->tail = m;
	m->m_nextpkt = NULL;
}
#endif

#endif /* !_IP_DN_PRIVATE_H */
