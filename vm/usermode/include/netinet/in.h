/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_IN_H_
#define	_NETINET_IN_H_

#include <sys/types.h>
#include <sys/cdefs.h>
#include <sys/socket.h>
#include <sys/endian.h>

typedef uint32_t in_addr_t;
typedef uint16_t in_port_t;

struct in_addr {
	in_addr_t	s_addr;
};

struct sockaddr_in {
	uint8_t		sin_len;
	sa_family_t	sin_family;
	in_port_t	sin_port;
	struct in_addr	sin_addr;
	char		sin_zero[8];
};

struct in6_addr {
	union {
		uint8_t		__u6_addr8[16];
		uint16_t	__u6_addr16[8];
		uint32_t	__u6_addr32[4];
	} __u6_addr;
};
#define	s6_addr		__u6_addr.__u6_addr8
#define	s6_addr32	__u6_addr.__u6_addr32

struct sockaddr_in6 {
	uint8_t		sin6_len;
	sa_family_t	sin6_family;
	in_port_t	sin6_port;
	uint32_t	sin6_flowinfo;
	struct in6_addr	sin6_addr;
	uint32_t	sin6_scope_id;
};

#define	INET_ADDRSTRLEN		16

#define	IPPROTO_IP		0
#define	IPPROTO_HOPOPTS		0
#define	IPPROTO_ICMP		1
#define	IPPROTO_IGMP		2
#define	IPPROTO_IPV4		4
#define	IPPROTO_TCP		6
#define	IPPROTO_UDP		17
#define	IPPROTO_IPV6		41
#define	IPPROTO_GRE		47
#define	IPPROTO_ESP		50
#define	IPPROTO_AH		51
#define	IPPROTO_ICMPV6		58
#define	IPPROTO_OSPFIGP		89
#define	IPPROTO_SCTP		132
#define	IPPROTO_UDPLITE		136
#define	IPPROTO_DIVERT		258
#define	IPPROTO_RAW		255
#define	IPPROTO_MAX		256
#define	IPPROTO_DONE		267

#define	IPPORT_RESERVED		1024
#define	IPPORT_EPHEMERALFIRST	10000
#define	IPPORT_HIFIRSTAUTO	49152
#define	IPPORT_HILASTAUTO	65535
#define	IPPORT_MAX		65535

#define	INADDR_ANY		((in_addr_t)0x00000000)
#define	INADDR_BROADCAST	((in_addr_t)0xffffffff)
#define	INADDR_LOOPBACK		((in_addr_t)0x7f000001)
#define	INADDR_NONE		((in_addr_t)0xffffffff)

#define	IN_CLASSA(i)		(((in_addr_t)(i) & 0x80000000) == 0)
#define	IN_CLASSB(i)		(((in_addr_t)(i) & 0xc0000000) == 0x80000000)
#define	IN_CLASSC(i)		(((in_addr_t)(i) & 0xe0000000) == 0xc0000000)
#define	IN_CLASSD(i)		(((in_addr_t)(i) & 0xf0000000) == 0xe0000000)
#define	IN_MULTICAST(i)		IN_CLASSD(i)
#define	IN_EXPERIMENTAL(i)	(((in_addr_t)(i) & 0xf0000000) == 0xf0000000)
#define	IN_BADCLASS(i)		IN_EXPERIMENTAL(i)
#define	IN_LINKLOCAL(i)		(((in_addr_t)(i) & 0xffff0000) == 0xa9fe0000)
#define	IN_LOOPBACK(i)		(((in_addr_t)(i) & 0xff000000) == 0x7f000000)
#define	IN_ZERONET(i)		(((in_addr_t)(i) & 0xff000000) == 0)
#define	IN_LOOPBACKNET		127

#define	IP_OPTIONS		1
#define	IP_HDRINCL		2
#define	IP_TOS			3
#define	IP_TTL			4
#define	IP_RECVOPTS		5
#define	IP_BINDANY		24
#define	IP_DONTFRAG		67

/* Socket options of ipfw(8) and dummynet. */
#define	IP_FW3			48
#define	IP_DUMMYNET3		49
#define	IP_FW_ADD		50
#define	IP_FW_DEL		51
#define	IP_FW_FLUSH		52
#define	IP_FW_ZERO		53
#define	IP_FW_GET		54
#define	IP_FW_RESETLOG		55
#define	IP_DUMMYNET_CONFIGURE	60
#define	IP_DUMMYNET_DEL		61
#define	IP_DUMMYNET_FLUSH	62
#define	IP_DUMMYNET_GET		64

#define	M_FASTFWD_OURS		M_PROTO1
#define	M_IP_NEXTHOP		M_PROTO2
#define	M_SKIP_FIREWALL		M_PROTO3
#define	M_IP_FRAG		M_PROTO4

#ifdef _KERNEL
struct ifnet;
struct mbuf;

bool	in_broadcast(struct in_addr);
bool	in_ifnet_broadcast(struct in_addr, struct ifnet *);
bool	in_canforward(struct in_addr);
bool	in_localaddr(struct in_addr);
bool	in_localip(struct in_addr);
bool	in_ifhasaddr(struct ifnet *, struct in_addr);
int	inet_aton(const char *, struct in_addr *);
char	*inet_ntoa_r(struct in_addr ina, char *buf);
char	*inet_ntop(int, const void *, char *, socklen_t);
int	inet_pton(int af, const char *, void *);
void	in_ifdetach(struct ifnet *);

#define	in_hosteq(s, t)		((s).s_addr == (t).s_addr)
#define	in_nullhost(x)		((x).s_addr == INADDR_ANY)
#define	in_allhosts(x)		((x).s_addr == htonl(0xe0000001))
#define	satosin(sa)		((struct sockaddr_in *)(sa))
#define	sintosa(sin)		((struct sockaddr *)(sin))
#define	ifatoia(ifa)		((struct in_ifaddr *)(ifa))
#endif

#endif /* !_NETINET_IN_H_ */
