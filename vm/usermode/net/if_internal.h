/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IF_INTERNAL_H_
#define	_NET_IF_INTERNAL_H_

/* Between the files of this folder and netinet; no interface of FreeBSD's. */
#include <sys/cdefs.h>

struct ifnet;
struct mbuf;

/*
 * For the few places that write what the packet path reads without a lock, as
 * FreeBSD does (flags, link address, methods of a dead interface): a reader
 * sees the old value or the new one, and either is right.  Keeps
 * ThreadSanitizer for the races that matter.
 */
#define	__racy_by_design	__attribute__((__no_sanitize_thread__))

void	if_link_task(void *arg, int pending);
int	if_transmit_none(struct ifnet *ifp, struct mbuf *m);
void	if_qflush_none(struct ifnet *ifp);

void	in_domifattach(struct ifnet *ifp);
void	in_domifdetach(struct ifnet *ifp);
void	in_purgeaddrs(struct ifnet *ifp);
void	in_lladdr_changed(struct ifnet *ifp);

#endif
