/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_IP_H_
#define	_NETINET_IP_H_

#include <sys/types.h>
#include <sys/endian.h>
#include <netinet/in.h>

#define	IPVERSION	4

struct ip {
#if _BYTE_ORDER == _LITTLE_ENDIAN
	u_char	ip_hl:4,
		ip_v:4;
#else
	u_char	ip_v:4,
		ip_hl:4;
#endif
	u_char	ip_tos;
	u_short	ip_len;
	u_short	ip_id;
	u_short	ip_off;
#define	IP_RF		0x8000
#define	IP_DF		0x4000
#define	IP_MF		0x2000
#define	IP_OFFMASK	0x1fff
	u_char	ip_ttl;
	u_char	ip_p;
	u_short	ip_sum;
	struct	in_addr ip_src, ip_dst;
} __packed __aligned(2);

#define	IP_MAXPACKET		65535

#define	IPTOS_LOWDELAY		0x10
#define	IPTOS_THROUGHPUT	0x08
#define	IPTOS_RELIABILITY	0x04
#define	IPTOS_ECN_NOTECT	0x00
#define	IPTOS_ECN_ECT1		0x01
#define	IPTOS_ECN_ECT0		0x02
#define	IPTOS_ECN_CE		0x03
#define	IPTOS_ECN_MASK		0x03
#define	IPTOS_DSCP_OFFSET	2

#define	IPOPT_EOL		0
#define	IPOPT_NOP		1

#define	MAXTTL			255
#define	IPDEFTTL		64
#define	IPFRAGTTL		30
#define	IPTTLDEC		1
#define	IP_MSS			576

#endif
