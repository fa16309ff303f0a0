/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_BPF_H_
#define	_NET_BPF_H_

#include <net/dlt.h>

/*
 * There is no bpf(4) here: an interface never has a listener, and the tap
 * macros that drivers use come to nothing.
 */
struct bpf_if;
struct ifnet;
struct mbuf;

static __inline bool
bpf_peers_present(struct bpf_if *bpf)
{
	return (false);
}
#define	bpf_peers_present_if(ifp)	false
#define	BPF_TAP(_ifp, _pkt, _pktlen)	do { } while (0)
#define	BPF_MTAP(_ifp, _m)		do { } while (0)
#define	BPF_MTAP2(_ifp, _d, _l, _m)	do { } while (0)
#define	ETHER_BPF_MTAP(_ifp, _m)	do { } while (0)
#define	bpfattach(ifp, dlt, hdrlen)	do { } while (0)
#define	bpfdetach(ifp)			do { } while (0)
#define	bpf_mtap_if(ifp, m)		do { } while (0)
#define	bpf_mtap2_if(ifp, d, l, m)	do { } while (0)

#endif
