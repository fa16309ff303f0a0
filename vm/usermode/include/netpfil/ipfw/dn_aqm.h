/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _IP_DN_AQM_H
#define	_IP_DN_AQM_H

#include <sys/ck.h>
#include <sys/time.h>

/* us */
typedef int32_t		aqm_stime_t;
typedef uint64_t	aqm_time_t;
#define	AQM_TIME_1US	((aqm_time_t)(1))
#define	AQM_TIME_1MS	((aqm_time_t)(1000))
#define	AQM_TIME_1S	(AQM_TIME_1MS * 1000)
#define	AQM_UNOW	getsbinuptime() / SBT_1US

/*
 * Active queue management: what dn_enqueue() and dn_dequeue() hand over to
 * when a flowset names one.  The place is here; no algorithm is built in.
 */
struct dn_aqm {
	uint32_t	type;
	const char	*name;
	int		(*enqueue)(struct dn_queue *, struct mbuf *);
	struct mbuf	*(*dequeue)(struct dn_queue *);
	int		(*config)(struct dn_fsk *, struct dn_extra_parms *ep, int);
	int		(*deconfig)(struct dn_fsk *);
	int		(*init)(struct dn_queue *);
	int		(*cleanup)(struct dn_queue *);
	int		(*getconfig)(struct dn_fsk *, struct dn_extra_parms *);
	int		ref_count;
	int		cfg_ref_count;
	CK_LIST_ENTRY(dn_aqm) next;
};

#endif /* !_IP_DN_AQM_H */
