/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _INET_INTERNAL_H_
#define	_INET_INTERNAL_H_

/* Between the files of this folder; no interface of FreeBSD's. */
#include <sys/sysctl.h>
#include <netinet/ip_var.h>
#include "net/if_internal.h"

SYSCTL_DECL(_net_inet);
SYSCTL_DECL(_net_inet_ip);
SYSCTL_DECL(_net_inet_icmp);
SYSCTL_DECL(_net_inet_udp);
SYSCTL_DECL(_net_inet_tcp);
SYSCTL_DECL(_net_inet_raw);

extern ipproto_input_t *ip_protox[IPPROTO_MAX];
extern ipproto_ctlinput_t *ip_ctlprotox[IPPROTO_MAX];

struct in_ifaddr;
/* The address of this host that a packet is for; NULL if for another. */
struct in_ifaddr *in_ifaddr_lookup(struct in_addr dst);

#endif
