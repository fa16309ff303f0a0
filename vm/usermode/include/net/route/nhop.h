/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_ROUTE_NHOP_H_
#define	_NET_ROUTE_NHOP_H_

#include <sys/counter.h>
#include <sys/epoch.h>
#include <netinet/in.h>

/*
 * Where a packet goes next: gateway, interface and source address, shared by
 * the route and by whoever holds a reference.
 */
struct nhop_object {
	uint16_t		 nh_flags;	/* NHF_ */
	uint16_t		 nh_mtu;
	union {
		struct sockaddr_in gw4_sa;
		struct sockaddr	   gw_sa;
		char		   gw_buf[28];
	};
	struct ifnet		*nh_ifp;
	struct ifaddr		*nh_ifa;
	struct ifnet		*nh_aifp;
	counter_u64_t		 nh_pksent;
	u_int			 nh_refcount;
	int			 nh_rtflags;
	struct epoch_context	 nh_epoch_ctx;
};

#define	NHF_MULTIPATH		0x0008
#define	NHF_REJECT		0x0010
#define	NHF_BLACKHOLE		0x0020
#define	NHF_REDIRECT		0x0040
#define	NHF_DEFAULT		0x0080
#define	NHF_BROADCAST		0x0100
#define	NHF_GATEWAY		0x0200
#define	NHF_HOST		0x0400
#define	NHR_NONE		0x00
#define	NHR_REF			0x01

#define	RT_LINK_IS_UP(ifp)						\
	(!((ifp)->if_capabilities & IFCAP_LINKSTATE) || (ifp)->if_link_state == LINK_STATE_UP)
#define	NH_IS_VALID(_nh)	RT_LINK_IS_UP((_nh)->nh_ifp)
#define	NH_FREE(_nh)	do {						\
	nhop_free(_nh);							\
	(_nh) = NULL;							\
} while (0)

void	nhop_free(struct nhop_object *nh);
void	nhop_free_any(struct nhop_object *nh);
void	nhop_ref_object(struct nhop_object *nh);
int	nhop_try_ref_object(struct nhop_object *nh);

#endif
