/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IF_H_
#define	_NET_IF_H_

#include <sys/types.h>
#include <sys/time.h>
#include <sys/socket.h>

typedef struct ifnet *if_t;

#define	IF_NAMESIZE	16
#define	IFNAMSIZ	IF_NAMESIZE
#define	IF_MAXUNIT	0x7fff
#define	IF_DUNIT_NONE	-1

#define	IFF_UP		0x1
#define	IFF_BROADCAST	0x2
#define	IFF_DEBUG	0x4
#define	IFF_LOOPBACK	0x8
#define	IFF_POINTOPOINT	0x10
#define	IFF_NEEDSEPOCH	0x20
#define	IFF_DRV_RUNNING	0x40
#define	IFF_NOARP	0x80
#define	IFF_PROMISC	0x100
#define	IFF_ALLMULTI	0x200
#define	IFF_DRV_OACTIVE	0x400
#define	IFF_SIMPLEX	0x800
#define	IFF_LINK0	0x1000
#define	IFF_LINK1	0x2000
#define	IFF_LINK2	0x4000
#define	IFF_MULTICAST	0x8000
#define	IFF_CANTCONFIG	0x10000
#define	IFF_PPROMISC	0x20000
#define	IFF_MONITOR	0x40000
#define	IFF_STATICARP	0x80000
#define	IFF_STICKYARP	0x100000
#define	IFF_DYING	0x200000
#define	IFF_RENAMING	0x400000
#define	IFF_PALLMULTI	0x800000
#define	IFF_NETLINK_1	0x1000000
#define	IFF_RUNNING	IFF_DRV_RUNNING
#define	IFF_OACTIVE	IFF_DRV_OACTIVE
#define	IFF_CANTCHANGE							\
	(IFF_BROADCAST | IFF_POINTOPOINT | IFF_DRV_RUNNING |		\
	IFF_DRV_OACTIVE | IFF_SIMPLEX | IFF_MULTICAST | IFF_ALLMULTI |	\
	IFF_PROMISC | IFF_DYING | IFF_CANTCONFIG)

#define	LINK_STATE_UNKNOWN	0
#define	LINK_STATE_DOWN		1
#define	LINK_STATE_UP		2
#define	LINK_STATE_IS_UP(_s)	((_s) >= LINK_STATE_UP)

#define	IFCAP_RXCSUM		0x00001
#define	IFCAP_TXCSUM		0x00002
#define	IFCAP_VLAN_MTU		0x00008
#define	IFCAP_VLAN_HWTAGGING	0x00010
#define	IFCAP_JUMBO_MTU		0x00020
#define	IFCAP_TSO4		0x00100
#define	IFCAP_LRO		0x00400
#define	IFCAP_LINKSTATE		0x80000
#define	IFCAP_HWCSUM		(IFCAP_RXCSUM | IFCAP_TXCSUM)

#define	IFQ_MAXLEN		50
#define	IFNET_SLOWHZ		1

struct if_data {
	uint8_t		ifi_type;
	uint8_t		ifi_physical;
	uint8_t		ifi_addrlen;
	uint8_t		ifi_hdrlen;
	uint8_t		ifi_link_state;
	uint8_t		ifi_vhid;
	uint16_t	ifi_datalen;
	uint32_t	ifi_mtu;
	uint32_t	ifi_metric;
	uint64_t	ifi_baudrate;
	uint64_t	ifi_ipackets;
	uint64_t	ifi_ierrors;
	uint64_t	ifi_opackets;
	uint64_t	ifi_oerrors;
	uint64_t	ifi_collisions;
	uint64_t	ifi_ibytes;
	uint64_t	ifi_obytes;
	uint64_t	ifi_imcasts;
	uint64_t	ifi_omcasts;
	uint64_t	ifi_iqdrops;
	uint64_t	ifi_oqdrops;
	uint64_t	ifi_noproto;
	uint64_t	ifi_hwassist;
	time_t		ifi_epoch;
	struct timeval	ifi_lastchange;
};

struct ifreq {
	char	ifr_name[IFNAMSIZ];
	union {
		struct sockaddr	ifru_addr;
		struct sockaddr	ifru_dstaddr;
		struct sockaddr	ifru_broadaddr;
		short		ifru_flags[2];
		short		ifru_index;
		int		ifru_jid;
		int		ifru_metric;
		int		ifru_mtu;
		caddr_t		ifru_data;
		int		ifru_cap[2];
		u_int		ifru_fib;
	} ifr_ifru;
#define	ifr_addr	ifr_ifru.ifru_addr
#define	ifr_dstaddr	ifr_ifru.ifru_dstaddr
#define	ifr_broadaddr	ifr_ifru.ifru_broadaddr
#define	ifr_flags	ifr_ifru.ifru_flags[0]
#define	ifr_flagshigh	ifr_ifru.ifru_flags[1]
#define	ifr_index	ifr_ifru.ifru_index
#define	ifr_jid		ifr_ifru.ifru_jid
#define	ifr_metric	ifr_ifru.ifru_metric
#define	ifr_mtu		ifr_ifru.ifru_mtu
#define	ifr_data	ifr_ifru.ifru_data
#define	ifr_reqcap	ifr_ifru.ifru_cap[0]
#define	ifr_curcap	ifr_ifru.ifru_cap[1]
#define	ifr_fib		ifr_ifru.ifru_fib
};

struct ifaliasreq {
	char		ifra_name[IFNAMSIZ];
	struct sockaddr	ifra_addr;
	struct sockaddr	ifra_broadaddr;
	struct sockaddr	ifra_mask;
	int		ifra_vhid;
};

#ifdef _KERNEL
#include <sys/malloc.h>
MALLOC_DECLARE(M_IFADDR);
MALLOC_DECLARE(M_IFMADDR);
extern struct sx ifnet_detach_sxlock;
#endif

#endif /* !_NET_IF_H_ */
