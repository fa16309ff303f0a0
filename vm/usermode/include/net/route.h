/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_ROUTE_H_
#define	_NET_ROUTE_H_

#include <sys/types.h>
#include <sys/socket.h>
#include <net/if.h>
#include <net/vnet.h>

struct nhop_object;
struct llentry;

struct route {
	struct nhop_object	*ro_nh;
	struct llentry		*ro_lle;
	char			*ro_prepend;
	uint16_t		 ro_plen;
	uint16_t		 ro_flags;
	uint16_t		 ro_mtu;
	uint16_t		 spare;
	struct sockaddr		 ro_dst;
};

#define	RT_L2_ME	0x0004
#define	RT_MAY_LOOP	0x0008
#define	RT_HAS_HEADER	0x0010
#define	RT_REJECT	0x0020
#define	RT_BLACKHOLE	0x0040
#define	RT_HAS_GW	0x0080
#define	RT_LLE_CACHE	0x0100

/* Of a packet, whose next hop may be of another family. */
#define	RO_GET_FAMILY(ro, dst)						\
	((ro) != NULL && ((ro)->ro_flags & RT_HAS_GW) != 0 ?		\
	(ro)->ro_dst.sa_family : (dst)->sa_family)

#define	RTF_UP		0x1
#define	RTF_GATEWAY	0x2
#define	RTF_HOST	0x4
#define	RTF_REJECT	0x8
#define	RTF_DYNAMIC	0x10
#define	RTF_MODIFIED	0x20
#define	RTF_LLINFO	0x400
#define	RTF_STATIC	0x800
#define	RTF_BLACKHOLE	0x1000
#define	RTF_PINNED	0x100000
#define	RTF_LOCAL	0x200000
#define	RTF_BROADCAST	0x400000
#define	RTF_MULTICAST	0x800000
#define	RTF_FIXEDMTU	0x80000

#define	RT_DEFAULT_FIB	0
#define	RT_ALL_FIBS	-1

typedef volatile u_int rt_gen_t;
u_int	rt_tables_get_gen(uint32_t table, sa_family_t family);
#define	RT_GEN(fibnum, af)	rt_tables_get_gen(fibnum, af)

VNET_DECLARE(uint32_t, _rt_numfibs);
#define	V_rt_numfibs	VNET(_rt_numfibs)
#define	rt_numfibs	V_rt_numfibs

struct rtstat {
	uint64_t	rts_badredirect;
	uint64_t	rts_dynamic;
	uint64_t	rts_newgateway;
	uint64_t	rts_unreach;
	uint64_t	rts_wildcard;
};

#define	RO_NHFREE(_ro)	do {						\
	if ((_ro)->ro_nh != NULL)					\
		NH_FREE((_ro)->ro_nh);					\
} while (0)
#define	RO_INVALIDATE_CACHE(ro)	do {					\
	if ((ro)->ro_lle != NULL)					\
		LLE_FREE((ro)->ro_lle);					\
	RO_NHFREE(ro);							\
} while (0)
#define	NH_VALIDATE(ro, cookiep, fibnum)	do {			\
	rt_gen_t cookie = RT_GEN(fibnum, (ro)->ro_dst.sa_family);	\
	if (*(cookiep) != cookie) {					\
		RO_INVALIDATE_CACHE(ro);				\
		*(cookiep) = cookie;					\
	}								\
} while (0)

void	rt_updatemtu(struct ifnet *);
void	rt_flushifroutes(struct ifnet *ifp);

#endif /* !_NET_ROUTE_H_ */
