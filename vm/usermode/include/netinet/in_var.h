/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_IN_VAR_H_
#define	_NETINET_IN_VAR_H_

#include <sys/queue.h>
#include <sys/ck.h>
#include <net/if_var.h>
#include <net/route.h>
#include <netinet/in.h>

struct lltable;

struct in_ifaddr {
	struct ifaddr		 ia_ifa;
#define	ia_ifp		ia_ifa.ifa_ifp
#define	ia_flags	ia_ifa.ifa_flags
	u_long			 ia_subnet;	/* host order */
	u_long			 ia_subnetmask;
	CK_LIST_ENTRY(in_ifaddr) ia_hash;
	CK_STAILQ_ENTRY(in_ifaddr) ia_link;
	struct sockaddr_in	 ia_addr;
	struct sockaddr_in	 ia_dstaddr;
#define	ia_broadaddr	ia_dstaddr
	struct sockaddr_in	 ia_sockmask;
};

#define	IA_SIN(ia)	(&(((struct in_ifaddr *)(ia))->ia_addr))
#define	IA_DSTSIN(ia)	(&(((struct in_ifaddr *)(ia))->ia_dstaddr))
#define	IA_MASKSIN(ia)	(&(((struct in_ifaddr *)(ia))->ia_sockmask))

CK_STAILQ_HEAD(in_ifaddrhead, in_ifaddr);
CK_LIST_HEAD(in_ifaddrhashhead, in_ifaddr);
VNET_DECLARE(struct in_ifaddrhead, in_ifaddrhead);
#define	V_in_ifaddrhead	VNET(in_ifaddrhead)

#define	INADDR_NHASH	64
#define	INADDR_HASHVAL(x)	((ntohl((x).s_addr) ^ (ntohl((x).s_addr) >> 8)) & (INADDR_NHASH - 1))
VNET_DECLARE(struct in_ifaddrhashhead, in_ifaddrhashtbl[INADDR_NHASH]);
#define	V_in_ifaddrhashtbl	VNET(in_ifaddrhashtbl)
#define	INADDR_HASH(x)		(&V_in_ifaddrhashtbl[INADDR_HASHVAL((struct in_addr){ (x) })])

struct in_ifinfo {
	struct lltable	*ii_llt;
};

/* What ifconfig(8) asks for by ioctl; 0 or an errno. */
int	in_aifaddr(struct ifnet *ifp, struct in_addr addr, struct in_addr mask,
	    const struct in_addr *bcast, bool alias);
int	in_difaddr(struct ifnet *ifp, struct in_addr addr);
/* The first address of an interface, for packets of its own; 0.0.0.0 if none. */
struct in_ifaddr *in_ifprimary(struct ifnet *ifp);

#endif
