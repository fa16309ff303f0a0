/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_TCP_H_
#define	_NETINET_TCP_H_

#include <sys/types.h>
#include <sys/endian.h>

typedef uint32_t tcp_seq;

struct tcphdr {
	u_short	th_sport;
	u_short	th_dport;
	tcp_seq	th_seq;
	tcp_seq	th_ack;
#if _BYTE_ORDER == _LITTLE_ENDIAN
	u_char	th_x2:4,
		th_off:4;
#else
	u_char	th_off:4,
		th_x2:4;
#endif
	u_char	th_flags;
#define	TH_FIN	0x01
#define	TH_SYN	0x02
#define	TH_RST	0x04
#define	TH_PUSH	0x08
#define	TH_ACK	0x10
#define	TH_URG	0x20
#define	TH_ECE	0x40
#define	TH_CWR	0x80
	u_short	th_win;
	u_short	th_sum;
	u_short	th_urp;
} __packed __aligned(2);

static __inline uint16_t
tcp_get_flags(const struct tcphdr *th)
{
	return (((uint16_t)th->th_x2 << 8) | th->th_flags);
}

static __inline void
tcp_set_flags(struct tcphdr *th, uint16_t flags)
{
	th->th_x2 = (flags >> 8) & 0x0f;
	th->th_flags = flags & 0xff;
}

#define	TCPOPT_EOL		0
#define	TCPOPT_NOP		1
#define	TCPOPT_MAXSEG		2
#define	TCPOLEN_MAXSEG		4
#define	TCPOPT_WINDOW		3
#define	TCPOLEN_WINDOW		3
#define	TCPOPT_SACK_PERMITTED	4
#define	TCPOLEN_SACK_PERMITTED	2
#define	TCPOPT_SACK		5
#define	TCPOLEN_SACKHDR		2
#define	TCPOLEN_SACK		8
#define	TCPOPT_TIMESTAMP	8
#define	TCPOLEN_TIMESTAMP	10
#define	TCPOLEN_TSTAMP_APPA	(TCPOLEN_TIMESTAMP + 2)

#define	TCP_MSS			536
#define	TCP_MAXWIN		65535
#define	TCP_MAX_WINSHIFT	14

#endif
