/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_ROUTE_ROUTE_CTL_H_
#define	_NET_ROUTE_ROUTE_CTL_H_

#include <netinet/in.h>
#include <net/route.h>

/* One line of a routing table, as netstat and route see it. */
struct rt_info {
	struct in_addr	 ri_dst;
	int		 ri_plen;
	int		 ri_flags;	/* RTF_ */
	struct in_addr	 ri_gw;
	int		 ri_mtu;
	u_int		 ri_index;	/* of the nexthop */
	char		 ri_ifname[IFNAMSIZ];
	bool		 ri_linkgw;	/* the gateway is an interface */
};

/* All of the current vnet. */
int	rib_add4(struct in_addr dst, int plen, int flags, struct in_addr gw,
	    struct ifnet *ifp, struct ifaddr *ifa);
int	rib_del4(struct in_addr dst, int plen, struct in_addr *gw, struct ifnet *ifp);
void	rib_purge_ifp(struct ifnet *ifp);
int	rib_walk4(int (*cb)(const struct rt_info *, void *), void *arg);
int	rib_get4(struct in_addr dst, struct rt_info *ri);
int	in_mask2len(const struct in_addr *mask);

#endif
