/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_IF_ETHER_H_
#define	_NETINET_IF_ETHER_H_

#include <net/ethernet.h>
#include <net/if_arp.h>

struct ether_arp {
	struct arphdr	ea_hdr;
	u_char	arp_sha[ETHER_ADDR_LEN];
	u_char	arp_spa[4];
	u_char	arp_tha[ETHER_ADDR_LEN];
	u_char	arp_tpa[4];
};
#define	arp_hrd	ea_hdr.ar_hrd
#define	arp_pro	ea_hdr.ar_pro
#define	arp_hln	ea_hdr.ar_hln
#define	arp_pln	ea_hdr.ar_pln
#define	arp_op	ea_hdr.ar_op

#ifdef _KERNEL
struct ifaddr;
struct ifnet;
struct llentry;
struct mbuf;
struct sockaddr;

int	arpresolve(struct ifnet *ifp, int is_gw, struct mbuf *m,
	    const struct sockaddr *dst, u_char *desten, uint32_t *pflags,
	    struct llentry **plle);
void	arprequest(struct ifnet *ifp, const struct in_addr *sip,
	    const struct in_addr *tip, u_char *enaddr);
void	arp_ifinit(struct ifnet *ifp, struct ifaddr *ifa);

VNET_PCPUSTAT_DECLARE(struct arpstat, arpstat);
#define	ARPSTAT_INC(name)						\
	VNET_PCPUSTAT_ADD(struct arpstat, arpstat, name, 1)
#endif

#endif
