/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IFQ_H_
#define	_NET_IFQ_H_

#include <sys/lock.h>
#include <sys/mutex.h>

struct mbuf;

/* The send queue of drivers with an if_start; ALTQ's members are not there. */
struct ifaltq {
	struct mbuf	*ifq_head;
	struct mbuf	*ifq_tail;
	int		 ifq_len;
	int		 ifq_maxlen;
	int		 ifq_drops;
	struct mtx	 ifq_mtx;
};
struct ifqueue {
	struct mbuf	*ifq_head;
	struct mbuf	*ifq_tail;
	int		 ifq_len;
	int		 ifq_maxlen;
	struct mtx	 ifq_mtx;
};

#define	IFQ_SET_MAXLEN(ifq, len)	((ifq)->ifq_maxlen = (len))
#define	IFQ_SET_READY(ifq)		do { } while (0)
#define	IFQ_IS_EMPTY(ifq)		((ifq)->ifq_len == 0)
#define	ALTQ_IS_ENABLED(ifq)		0

extern int ifqmaxlen;

#endif
