/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_UDP_VAR_H_
#define	_NETINET_UDP_VAR_H_

#include <net/vnet.h>
#include <netinet/ip_var.h>
#include <netinet/udp.h>

struct udpiphdr {
	struct ip	ui_i;
	struct udphdr	ui_u;
};

struct udpstat {
	uint64_t udps_ipackets;
	uint64_t udps_hdrops;
	uint64_t udps_badsum;
	uint64_t udps_nosum;
	uint64_t udps_badlen;
	uint64_t udps_noport;
	uint64_t udps_noportbcast;
	uint64_t udps_fullsock;
	uint64_t udpps_pcbcachemiss;
	uint64_t udpps_pcbhashmiss;
	uint64_t udps_opackets;
	uint64_t udps_fastout;
	uint64_t udps_noportmcast;
	uint64_t udps_filtermcast;
};
VNET_PCPUSTAT_DECLARE(struct udpstat, udpstat);
#define	UDPSTAT_ADD(name, val)	VNET_PCPUSTAT_ADD(struct udpstat, udpstat, name, (val))
#define	UDPSTAT_INC(name)	UDPSTAT_ADD(name, 1)

VNET_DECLARE(struct inpcbinfo, udbinfo);
#define	V_udbinfo	VNET(udbinfo)
VNET_DECLARE(int, udp_blackhole);
#define	V_udp_blackhole	VNET(udp_blackhole)
VNET_DECLARE(u_long, udp_sendspace);
#define	V_udp_sendspace	VNET(udp_sendspace)
VNET_DECLARE(u_long, udp_recvspace);
#define	V_udp_recvspace	VNET(udp_recvspace)
extern int udp_cksum;

#endif
