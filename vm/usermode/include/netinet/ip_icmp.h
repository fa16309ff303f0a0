/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_IP_ICMP_H_
#define	_NETINET_IP_ICMP_H_

#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>

struct icmp {
	u_char	icmp_type;
	u_char	icmp_code;
	u_short	icmp_cksum;
	union {
		u_char	ih_pptr;
		struct in_addr ih_gwaddr;
		struct ih_idseq {
			uint16_t icd_id;
			uint16_t icd_seq;
		} ih_idseq;
		struct ih_pmtu {
			uint16_t ipm_void;
			uint16_t ipm_nextmtu;
		} ih_pmtu;
		uint32_t ih_void;
	} icmp_hun;
#define	icmp_pptr	icmp_hun.ih_pptr
#define	icmp_gwaddr	icmp_hun.ih_gwaddr
#define	icmp_id		icmp_hun.ih_idseq.icd_id
#define	icmp_seq	icmp_hun.ih_idseq.icd_seq
#define	icmp_void	icmp_hun.ih_void
#define	icmp_nextmtu	icmp_hun.ih_pmtu.ipm_nextmtu
	union {
		struct id_ip {
			struct ip idi_ip;
		} id_ip;
		uint32_t id_mask;
		char	id_data[1];
	} icmp_dun;
#define	icmp_ip		icmp_dun.id_ip.idi_ip
#define	icmp_mask	icmp_dun.id_mask
#define	icmp_data	icmp_dun.id_data
} __packed __aligned(2);

#define	ICMP_MINLEN		8
#define	ICMP_TSLEN		20
#define	ICMP_ADVLENMIN		(8 + sizeof(struct ip) + 8)
#define	ICMP_ADVLEN(p)		(8 + ((p)->icmp_ip.ip_hl << 2) + 8)

#define	ICMP_ECHOREPLY		0
#define	ICMP_UNREACH		3
#define	ICMP_UNREACH_NET	0
#define	ICMP_UNREACH_HOST	1
#define	ICMP_UNREACH_PROTOCOL	2
#define	ICMP_UNREACH_PORT	3
#define	ICMP_UNREACH_NEEDFRAG	4
#define	ICMP_UNREACH_SRCFAIL	5
#define	ICMP_UNREACH_NET_UNKNOWN	6
#define	ICMP_UNREACH_HOST_UNKNOWN	7
#define	ICMP_UNREACH_FILTER_PROHIB	13
#define	ICMP_SOURCEQUENCH	4
#define	ICMP_REDIRECT		5
#define	ICMP_REDIRECT_NET	0
#define	ICMP_REDIRECT_HOST	1
#define	ICMP_ECHO		8
#define	ICMP_TIMXCEED		11
#define	ICMP_TIMXCEED_INTRANS	0
#define	ICMP_TIMXCEED_REASS	1
#define	ICMP_PARAMPROB		12
#define	ICMP_TSTAMP		13
#define	ICMP_TSTAMPREPLY	14
#define	ICMP_MASKREQ		17
#define	ICMP_MASKREPLY		18
#define	ICMP_MAXTYPE		40

#define	ICMP_INFOTYPE(type)						\
	((type) == ICMP_ECHOREPLY || (type) == ICMP_ECHO ||		\
	((type) >= ICMP_TSTAMP && (type) <= ICMP_MASKREPLY))

struct mbuf;
void	icmp_error(struct mbuf *, int, int, uint32_t, int);
int	icmp_errmap(const struct icmp *);
int	icmp_input(struct mbuf **, int *, int);

#endif /* !_NETINET_IP_ICMP_H_ */
