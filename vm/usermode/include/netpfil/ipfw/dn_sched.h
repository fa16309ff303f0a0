/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _DN_SCHED_H
#define	_DN_SCHED_H

#include <sys/ck.h>
#include <sys/module.h>
#include <netpfil/ipfw/dn_aqm.h>

#define	DN_MULTIQUEUE	0x01

/*
 * A packet scheduler.  Everything is called with dummynet's lock held.
 *
 * The *_datalen bytes follow the scheduler's, the instance's and the queue's
 * own structure.  Any pointer but enqueue, dequeue and new_sched may be NULL.
 */
struct dn_alg {
	uint32_t	type;
	const char	*name;
	uint32_t	flags;
	size_t		schk_datalen;
	size_t		si_datalen;
	size_t		q_datalen;

	/*
	 * 0, or 1 when the packet was dropped (it is consumed both ways).  The
	 * queue is NULL without DN_MULTIQUEUE.  Also called by a scheduler's
	 * own new_queue for a queue that has packets, with the first of these.
	 */
	int		(*enqueue)(struct dn_sch_inst *, struct dn_queue *,
			    struct mbuf *);
	struct mbuf	*(*dequeue)(struct dn_sch_inst *);

	int		(*config)(struct dn_schk *);
	int		(*destroy)(struct dn_schk *);
	int		(*new_sched)(struct dn_sch_inst *);
	int		(*free_sched)(struct dn_sch_inst *);
	int		(*new_fsk)(struct dn_fsk *f);
	int		(*free_fsk)(struct dn_fsk *f);
	int		(*new_queue)(struct dn_queue *q);
	int		(*free_queue)(struct dn_queue *q);
#ifdef NEW_AQM
	int		(*getconfig)(struct dn_schk *, struct dn_extra_parms *);
#endif
	int		ref_count;
	CK_LIST_ENTRY(dn_alg) next;
};
#define	_SI(fld)	fld

void	dn_free_pkts(struct mbuf *mnext);
int	dn_enqueue(struct dn_queue *q, struct mbuf *m, int drop);
int	ipdn_bound_var(int *v, int dflt, int lo, int hi, const char *msg);

/*
 * The next packet of a queue.  One whose interface has gone meanwhile is no
 * packet any more.
 */
static __inline struct mbuf *
dn_dequeue(struct dn_queue *q)
{
	struct mbuf *m;

	while ((m = q->mq.head) != NULL) {
#ifdef NEW_AQM
		if (q->fs->aqmfp != NULL && q->fs->aqmfp->dequeue != NULL)
			return (q->fs->aqmfp->dequeue(q));
#endif
		q->mq.head = m->m_nextpkt;
		q->mq.count--;
		q->ni.length--;
		q->ni.len_bytes -= m->m_pkthdr.len;
		if (q->_si != NULL) {
			q->_si->ni.length--;
			q->_si->ni.len_bytes -= m->m_pkthdr.len;
		}
		if (q->ni.length == 0)
			q->q_time = V_dn_cfg.curr_time;
		if (m->m_pkthdr.rcvif == NULL || m_rcvif_restore(m) != NULL)
			break;
		m_freem(m);
	}
	return (m);
}

int	dn_sched_modevent(module_t mod, int cmd, void *arg);

#define	DECLARE_DNSCHED_MODULE(name, dnsched)				\
	static moduledata_t name##_mod = {				\
		#name, dn_sched_modevent, dnsched			\
	};								\
	DECLARE_MODULE(name, name##_mod, SI_SUB_PROTO_FIREWALL, SI_ORDER_ANY); \
	MODULE_DEPEND(name, dummynet, 3, 3, 3)

#endif /* !_DN_SCHED_H */
