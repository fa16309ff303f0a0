/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IF_BRIDGEVAR_H_
#define	_NET_IF_BRIDGEVAR_H_

struct ifnet;

/* What ifconfig asks of a bridge; the names are those of members. */
int	bridge_addm(struct ifnet *bridge, const char *member);
int	bridge_deletem(struct ifnet *bridge, const char *member);
int	bridge_members(struct ifnet *bridge, int (*cb)(struct ifnet *, void *), void *arg);

#endif
