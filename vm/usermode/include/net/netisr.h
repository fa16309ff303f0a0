/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_NETISR_H_
#define	_NET_NETISR_H_

#include <sys/types.h>

#define	NETISR_IP	1
#define	NETISR_IGMP	2
#define	NETISR_ROUTE	3
#define	NETISR_ARP	4
#define	NETISR_ETHER	5
#define	NETISR_IPV6	6
#define	NETISR_EPAIR	8
#define	NETISR_IP_DIRECT	9
#define	NETISR_MAXPROT	16

#define	NETISR_POLICY_SOURCE	1
#define	NETISR_POLICY_FLOW	2
#define	NETISR_POLICY_CPU	3

#define	NETISR_DISPATCH_DEFAULT		0
#define	NETISR_DISPATCH_DEFERRED	1
#define	NETISR_DISPATCH_HYBRID		2
#define	NETISR_DISPATCH_DIRECT		3

struct mbuf;
typedef void	netisr_handler_t(struct mbuf *m);
typedef struct mbuf *netisr_m2cpuid_t(struct mbuf *m, uintptr_t source, u_int *cpuid);
typedef	struct mbuf *netisr_m2flow_t(struct mbuf *m, uintptr_t source);

struct netisr_handler {
	const char		*nh_name;
	netisr_handler_t	*nh_handler;
	netisr_m2flow_t		*nh_m2flow;
	netisr_m2cpuid_t	*nh_m2cpuid;
	void			*nh_drainedcpu;
	u_int			 nh_proto;
	u_int			 nh_qlimit;
	u_int			 nh_policy;
	u_int			 nh_dispatch;
};

struct netisr_stats {
	uint64_t	dispatched;
	uint64_t	hybrid;
	uint64_t	qdrops;
	uint64_t	queued;
	uint64_t	handled;
	u_int		len, watermark, limit;
};

void	netisr_register(const struct netisr_handler *nhp);
void	netisr_unregister(const struct netisr_handler *nhp);
void	netisr_register_vnet(const struct netisr_handler *nhp);
void	netisr_unregister_vnet(const struct netisr_handler *nhp);
int	netisr_dispatch(u_int proto, struct mbuf *m);
int	netisr_dispatch_src(u_int proto, uintptr_t source, struct mbuf *m);
int	netisr_queue(u_int proto, struct mbuf *m);
int	netisr_queue_src(u_int proto, uintptr_t source, struct mbuf *m);
u_int	netisr_get_cpucount(void);
u_int	netisr_get_cpuid(u_int cpunumber);
void	netisr_purge_vnet(struct vnet *vnet);
/* One entry of netstat -Q; false when the protocol is not registered. */
bool	netisr_getstats(u_int proto, const char **name, struct netisr_stats *st);

#endif /* !_NET_NETISR_H_ */
