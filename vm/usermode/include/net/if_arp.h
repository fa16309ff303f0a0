/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IF_ARP_H_
#define	_NET_IF_ARP_H_

#include <sys/types.h>

struct arphdr {
	u_short	ar_hrd;
#define	ARPHRD_ETHER	1
	u_short	ar_pro;
	u_char	ar_hln;
	u_char	ar_pln;
	u_short	ar_op;
#define	ARPOP_REQUEST	1
#define	ARPOP_REPLY	2
};

struct arpstat {
	uint64_t	txrequests;
	uint64_t	txreplies;
	uint64_t	txerrors;
	uint64_t	rxrequests;
	uint64_t	rxreplies;
	uint64_t	received;
	uint64_t	dropped;
	uint64_t	timeouts;
	uint64_t	dupips;
};

#endif
