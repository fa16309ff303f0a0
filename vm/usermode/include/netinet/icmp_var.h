/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_ICMP_VAR_H_
#define	_NETINET_ICMP_VAR_H_

#include <netinet/ip_icmp.h>
#include <net/vnet.h>

struct icmpstat {
	uint64_t icps_error;
	uint64_t icps_oldshort;
	uint64_t icps_oldicmp;
	uint64_t icps_outhist[ICMP_MAXTYPE + 1];
	uint64_t icps_badcode;
	uint64_t icps_tooshort;
	uint64_t icps_checksum;
	uint64_t icps_badlen;
	uint64_t icps_reflect;
	uint64_t icps_inhist[ICMP_MAXTYPE + 1];
	uint64_t icps_bmcastecho;
	uint64_t icps_bmcasttstamp;
	uint64_t icps_badaddr;
	uint64_t icps_noroute;
};
VNET_PCPUSTAT_DECLARE(struct icmpstat, icmpstat);
#define	ICMPSTAT_ADD(name, val)	VNET_PCPUSTAT_ADD(struct icmpstat, icmpstat, name, (val))
#define	ICMPSTAT_INC(name)	ICMPSTAT_ADD(name, 1)

int	badport_bandlim(int);
#define	BANDLIM_ICMP_UNREACH	0
#define	BANDLIM_ICMP_ECHO	1
#define	BANDLIM_RST_CLOSEDPORT	3

#endif
