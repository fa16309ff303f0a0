/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_IP6_H_
#define	_NETINET_IP6_H_

#include <netinet/in.h>

/* The header alone, for code that tells the two versions apart. */
struct ip6_hdr {
	union {
		struct {
			uint32_t	ip6_un1_flow;
			uint16_t	ip6_un1_plen;
			uint8_t		ip6_un1_nxt;
			uint8_t		ip6_un1_hlim;
		} ip6_un1;
		uint8_t	ip6_un2_vfc;
	} ip6_ctlun;
	struct in6_addr	ip6_src;
	struct in6_addr	ip6_dst;
} __packed;
#define	ip6_vfc		ip6_ctlun.ip6_un2_vfc
#define	ip6_flow	ip6_ctlun.ip6_un1.ip6_un1_flow
#define	ip6_plen	ip6_ctlun.ip6_un1.ip6_un1_plen
#define	ip6_nxt		ip6_ctlun.ip6_un1.ip6_un1_nxt
#define	ip6_hlim	ip6_ctlun.ip6_un1.ip6_un1_hlim

#endif
