/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_IP_VAR_H_
#define	_NETINET_IP_VAR_H_

#include <sys/param.h>
#include <sys/counter.h>
#include <sys/queue.h>
#include <net/vnet.h>
#include <netinet/in.h>

struct ipstat {
	uint64_t ips_total;
	uint64_t ips_badsum;
	uint64_t ips_tooshort;
	uint64_t ips_toosmall;
	uint64_t ips_badhlen;
	uint64_t ips_badlen;
	uint64_t ips_fragments;
	uint64_t ips_fragdropped;
	uint64_t ips_fragtimeout;
	uint64_t ips_forward;
	uint64_t ips_fastforward;
	uint64_t ips_cantforward;
	uint64_t ips_redirectsent;
	uint64_t ips_noproto;
	uint64_t ips_delivered;
	uint64_t ips_localout;
	uint64_t ips_odropped;
	uint64_t ips_reassembled;
	uint64_t ips_fragmented;
	uint64_t ips_ofragments;
	uint64_t ips_cantfrag;
	uint64_t ips_badoptions;
	uint64_t ips_noroute;
	uint64_t ips_badvers;
	uint64_t ips_rawout;
	uint64_t ips_toolong;
	uint64_t ips_notmember;
	uint64_t ips_nogif;
	uint64_t ips_badaddr;
};

VNET_PCPUSTAT_DECLARE(struct ipstat, ipstat);
#define	IPSTAT_ADD(name, val)	VNET_PCPUSTAT_ADD(struct ipstat, ipstat, name, (val))
#define	IPSTAT_SUB(name, val)	IPSTAT_ADD(name, -(val))
#define	IPSTAT_INC(name)	IPSTAT_ADD(name, 1)
#define	IPSTAT_DEC(name)	IPSTAT_SUB(name, 1)
#define	KMOD_IPSTAT_INC(name)	IPSTAT_INC(name)

#define	IP_FORWARDING		0x1
#define	IP_RAWOUTPUT		0x2
#define	IP_SENDONES		0x4
#define	IP_SENDTOIF		0x8
#define	IP_ROUTETOIF		SO_DONTROUTE
#define	IP_ALLOWBROADCAST	SO_BROADCAST
#define	IP_NODEFAULTFLOWID	0x40
#define	IP_NO_SND_TAG_RL	0x80

struct inpcb;
struct ip;
struct ip_moptions;
struct mbuf;
struct route;
struct socket;
struct sockopt;

VNET_DECLARE(int, ip_defttl);
VNET_DECLARE(int, ipforwarding);
VNET_DECLARE(int, ipsendredirects);
VNET_DECLARE(int, ip_random_id);
#define	V_ip_defttl		VNET(ip_defttl)
#define	V_ipforwarding		VNET(ipforwarding)
#define	V_ipsendredirects	VNET(ipsendredirects)
#define	V_ip_random_id		VNET(ip_random_id)

int	ip_fragment(struct ip *ip, struct mbuf **m_frag, int mtu, u_long if_hwassist_flags);
void	ip_forward(struct mbuf *m, int srcrt);
int	ip_output(struct mbuf *, struct mbuf *, struct route *, int,
	    struct ip_moptions *, struct inpcb *);
void	ip_input(struct mbuf *);
struct mbuf *ip_reass(struct mbuf *);
struct mbuf *ip_tryforward(struct mbuf *);
void	ip_fillid(struct ip *, bool);
void	ipreass_vnet_purge(void);
void	in_delayed_cksum(struct mbuf *m);

struct icmp;
typedef int	ipproto_input_t(struct mbuf **, int *, int);
typedef void	ipproto_ctlinput_t(struct icmp *);
int	ipproto_register(uint8_t, ipproto_input_t, ipproto_ctlinput_t);
int	ipproto_unregister(uint8_t);
#define	IPPROTO_REGISTER(prot, input, ctl)	do {			\
	int error __diagused;						\
	error = ipproto_register(prot, input, ctl);			\
	MPASS(error == 0);						\
} while (0)
ipproto_input_t		rip_input;
ipproto_input_t		udp_input;
ipproto_input_t		tcp_input;
ipproto_ctlinput_t	rip_ctlinput;

VNET_DECLARE(struct pfil_head *, inet_pfil_head);
#define	V_inet_pfil_head	VNET(inet_pfil_head)
#define	PFIL_INET_NAME		"inet"
VNET_DECLARE(struct pfil_head *, inet_local_pfil_head);
#define	V_inet_local_pfil_head	VNET(inet_local_pfil_head)
#define	PFIL_INET_LOCAL_NAME	"inet-local"

/* The rule that a packet met last; an MTAG_IPFW_RULE carries it across a queue. */
struct ipfw_rule_ref {
	uint32_t	slot;
	uint32_t	rulenum;
	uint32_t	rule_id;
	uint32_t	chain_id;
	uint32_t	info;
	uint32_t	pkt_mark;
	uint32_t	spare[2];
};

enum {
	IPFW_INFO_MASK		= 0x0000ffff,
	IPFW_INFO_OUT		= 0x00000000,
	IPFW_INFO_IN		= 0x80000000,
	IPFW_ONEPASS		= 0x40000000,
	IPFW_IS_MASK		= 0x30000000,
	IPFW_IS_DIVERT		= 0x20000000,
	IPFW_IS_DUMMYNET	= 0x10000000,
	IPFW_IS_PIPE		= 0x08000000,
};
#define	MTAG_IPFW	1148380143
#define	MTAG_IPFW_RULE	1262273568
#define	MTAG_IPFW_CALL	1308397630

struct ip_fw_args;
typedef int	(*ip_fw_ctl_ptr_t)(struct sockopt *);
VNET_DECLARE(ip_fw_ctl_ptr_t, ip_fw_ctl_ptr);
#define	V_ip_fw_ctl_ptr	VNET(ip_fw_ctl_ptr)
extern void	(*ip_divert_ptr)(struct mbuf *m, bool incoming);
extern int	(*ng_ipfw_input_p)(struct mbuf **, struct ip_fw_args *, bool);
extern int	(*ip_dn_ctl_ptr)(struct sockopt *);
extern int	(*ip_dn_io_ptr)(struct mbuf **, struct ip_fw_args *);

#endif /* !_NETINET_IP_VAR_H_ */
