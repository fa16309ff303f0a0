/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETPFIL_PSPAT_VAR_H_
#define	_NETPFIL_PSPAT_VAR_H_

#include <netpfil/pspat/pspat.h>
#include <netpfil/pspat/pspat_mailbox.h>

MALLOC_DECLARE(M_PSPAT);

#define	MTAG_PSPAT		1532000718	/* cookie of struct pspat_tag */
#define	PSPAT_TAG_CUSTODY	1		/* PSPAT has the packet */
#define	PSPAT_TAG_SEEN		2		/* it had it: not twice */

/*
 * What a packet carries while PSPAT has it: all that the sender knew and that
 * will be gone when the packet leaves (C6).  The tag is the first thing put on
 * the packet and stays on it afterwards as PSPAT_TAG_SEEN, which is how a
 * packet is scheduled once, whichever points it passes (C11).  It is not
 * persistent: across an epair the packet is another host's, and new.
 *
 * A tag in custody holds a reference on pt_ifp and pt_rcvif, so that the memory
 * of the interfaces outlives the wait; whether they still are interfaces is
 * asked at the exit.
 */
struct pspat_tag {
	struct m_tag	pt_tag;
	struct vnet	*pt_vnet;
	struct ifnet	*pt_ifp;
	struct ifnet	*pt_rcvif;	/* where it came in, if it did */
	sbintime_t	pt_due;		/* end of the link's delay */
	uint32_t	pt_flowset;	/* as dummynet numbers them */
	uint8_t		pt_point;	/* enum pspat_point */
	uint8_t		pt_dir;		/* as in dn_pkt_tag.dn_dir */
	uint16_t	pt_ro_flags;	/* PSPAT_IF_OUTPUT */
	sa_family_t	pt_af;		/* PSPAT_IF_OUTPUT: the packet's own */
	struct ipfw_rule_ref pt_rule;
	struct ipfw_flow_id pt_flow;
	union {
		struct sockaddr		sa;
		struct sockaddr_in	sin;
		struct sockaddr_in6	sin6;
	} pt_dst;			/* PSPAT_IF_OUTPUT: the next hop */
	PSPAT_LENT
};

/*
 * The packet's own tag, in custody or seen, or NULL.  Of two the newer one,
 * which is in custody.
 */
static inline struct pspat_tag *
pspat_tag_find(struct mbuf *m)
{
	struct m_tag *t;

	SLIST_FOREACH(t, &m->m_pkthdr.tags, m_tag_link)
		if (t->m_tag_cookie == MTAG_PSPAT)
			return ((struct pspat_tag *)t);
	return (NULL);
}

/*
 * Accounts.  Once PSPAT is off and flushed, in is the sum of all that
 * follows it; offered is in plus what was refused at the door.
 */
#define	PSPAT_COUNTERS(X)						\
	X(in,		"Packets taken from senders")			\
	X(out,		"Packets transmitted")				\
	X(drop_sched,	"Packets dropped by a scheduler or its removal") \
	X(drop_flowset,	"Packets whose pipe or queue was gone")		\
	X(drop_departed, "Packets whose interface or vnet was gone")	\
	X(drop_nomem,	"Packets dropped for want of memory")		\
	X(refused_full,	"Packets refused: the mailbox was full")	\
	X(refused_nomem, "Packets refused for want of memory")		\
	X(out_error,	"Transmitted packets whose output failed")	\
	X(passed,	"Packets let by: not output, or seen before")	\
	X(wakeups,	"Times a sender woke the arbiter")		\
	X(loops,	"Rounds of the arbiter")			\
	X(busy_loops,	"Rounds that found something to do")

struct pspat_counters {
#define	PSPAT_COUNTER_FIELD(name, text)	counter_u64_t name;
	PSPAT_COUNTERS(PSPAT_COUNTER_FIELD)
#undef PSPAT_COUNTER_FIELD
};
extern struct pspat_counters pspat_cnt;
#define	PSPAT_COUNT(name)	counter_u64_add(pspat_cnt.name, 1)

/*
 * One link: a dummynet scheduler instance that the arbiter serves.  It exists
 * while it has packets; the list is the arbiter's alone.
 */
struct pspat_link {
	TAILQ_ENTRY(pspat_link) pl_next;
	LIST_ENTRY(pspat_link) pl_hash;
	struct vnet	*pl_vnet;
	struct dn_sch_inst *pl_si;
	void		*pl_was;	/* the one that is idle or gone */
	u_int		pl_put;		/* packets put into it */
	uint32_t	pl_sched;	/* number of its scheduler */
	struct ipfw_flow_id pl_flow;	/* which instance of the scheduler */
	uint64_t	pl_credit;	/* what is left of its burst, bits * hz */
	sbintime_t	pl_free;	/* when the link is free again */
	struct mbuf	*pl_delayed;	/* on their way: FIFO by pt_due */
	struct mbuf	**pl_delayed_tail;
};

TAILQ_HEAD(pspat_links, pspat_link);
LIST_HEAD(pspat_bucket, pspat_link);
#define	PSPAT_HASH	64		/* a power of two */

/* Packets in order, linked by m_nextpkt. */
struct pspat_ready {
	struct mbuf	*head;
	struct mbuf	**tail;
	u_int		count;
};

/* What may be changed while packets pass. */
struct pspat_settings {
	uint64_t	ps_rate;	/* bit/s of all links together, or 0 */
	u_int		ps_batch;	/* packets from one mailbox in a round */
	u_int		ps_xmit;	/* enum pspat_xmit */
};

/*
 * A scheduler whose free_sched we have stepped in front of.
 */
struct pspat_alg {
	struct dn_alg	*pa_fp;
	int		(*pa_free_sched)(struct dn_sch_inst *);
	bool		pa_watched;
};
#define	PSPAT_ALGS	8

/*
 * (m) under sc_mtx, (x) under sc_xmtx, (*) atomic, (a) the arbiter's alone,
 * (c) changes under pspat_sx, when no thread of ours runs
 */
struct pspat_softc {
	struct mtx	sc_mtx;		/* sleeping and waking, requests */
	struct mtx	sc_xmtx;	/* the same for the dispatcher */
	u_int		sc_point;	/* (*) where packets are taken */
	u_int		sc_asleep;	/* (*) the arbiter sleeps, or nearly */
	u_int		sc_xasleep;	/* (*) */
	u_int		sc_xdone;	/* (*) packets the dispatcher has sent */
	bool		sc_divert;	/* (m) new interfaces are led here */
	bool		sc_stop;	/* (m, x) the threads shall end */
	u_int		sc_flush;	/* (m) flushes asked for ... */
	u_int		sc_flushed;	/* (m) ... and done */
	u_int		sc_given;	/* (m) the dispatcher's share of it */
	u_int		sc_running;	/* (m) threads that have not ended */
	u_int		sc_users;	/* (m) vnets that wait for a flush */
	bool		sc_up;		/* (m) a flush may be asked for */
	struct pspat_settings sc_set;	/* (m) as asked for */
	struct pspat_settings sc_now;	/* (a) as of this round */
	sbintime_t	sc_free;	/* (a) when ps_rate is free again */
	sbintime_t	sc_loop_max;	/* (m) longest round */
	int		(*sc_dn_io)(struct mbuf **, struct ip_fw_args *);
					/* (c) */
	struct pspat_mailbox **sc_box;	/* (c) by CPU, then by thread */
	u_int		sc_boxes;	/* (*, m to change) how many */
	struct pspat_mailbox *sc_idle;	/* (m) those of dead threads */
	u_int		sc_slots;	/* (c) in each of them */
	struct pspat_owner *sc_owner;	/* (c, m) threads that have one */
	struct pspat_mailbox *sc_xbox;	/* (c) arbiter to dispatcher */
	struct pspat_ready sc_over;	/* (a) more than the dispatcher took */
	struct pspat_links sc_links;	/* (a) */
	struct pspat_bucket sc_hash[PSPAT_HASH]; /* (a) the same by instance */
	struct pspat_alg sc_alg[PSPAT_ALGS]; /* (m) */
};
extern struct pspat_softc pspat_sc;

VNET_DECLARE(u_int, pspat_flowset);
#define	V_pspat_flowset	VNET(pspat_flowset)
VNET_DECLARE(u_int, pspat_dying);
#define	V_pspat_dying	atomic_load_int(&VNET(pspat_dying))

/* pspat.c */
SYSCTL_DECL(_net_pspat);
int	pspat_intercept(u_int);

/* pspat_boxes.c */
void	pspat_boxes_create(struct pspat_softc *, u_int, bool);
void	pspat_boxes_free(struct pspat_softc *);
int	pspat_boxes_insert(struct pspat_softc *, struct mbuf *);
void	pspat_box_empty(struct pspat_softc *, struct pspat_mailbox *);
void	pspat_boxes_init(struct pspat_softc *);
void	pspat_boxes_uninit(void);

/* pspat_client.c */
int	pspat_dn_io(struct mbuf **, struct ip_fw_args *);
int	pspat_if_output(struct ifnet *, struct mbuf *, const struct sockaddr *,
	    struct route *);
void	pspat_tag_release(struct m_tag *);
uint32_t pspat_flowset_number(const struct ipfw_rule_ref *);

/* pspat_arbiter.c */
void	pspat_arbiter(void *);
void	pspat_ready_init(struct pspat_ready *);
void	pspat_algs_forget(void);
void	pspat_raise_priority(void);
void	pspat_wakeup(void);
void	pspat_dn_tag(struct mbuf *, struct pspat_tag *);

/* pspat_exit.c */
void	pspat_exit(struct mbuf *);
int	pspat_output(struct mbuf *, u_int, struct ifnet *);
void	pspat_dispatcher(void *);
bool	pspat_hand_over(struct mbuf *);

#endif /* !_NETPFIL_PSPAT_VAR_H_ */
