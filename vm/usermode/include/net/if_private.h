/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IF_PRIVATE_H_
#define	_NET_IF_PRIVATE_H_

#include <sys/_task.h>
#include <net/if_var.h>
#include <net/ifq.h>

struct if_clone;
struct rtentry;

struct ifnet {
	CK_STAILQ_ENTRY(ifnet)	 if_link;
	LIST_ENTRY(ifnet)	 if_clones;
	CK_STAILQ_HEAD(, ifg_list) if_groups;
	u_char			 if_alloctype;
	uint8_t			 if_numa_domain;
	void			*if_softc;
	void			*if_llsoftc;
	void			*if_l2com;
	const char		*if_dname;
	int			 if_dunit;
	u_short			 if_index;
	u_short			 if_idxgen;
	char			 if_xname[IFNAMSIZ];
	char			*if_description;

	int			 if_flags;
	int			 if_drv_flags;
	int			 if_capabilities;
	int			 if_capabilities2;
	int			 if_capenable;
	int			 if_capenable2;
	u_int			 if_refcount;

	uint8_t			 if_type;
	uint8_t			 if_addrlen;
	uint8_t			 if_hdrlen;
	uint8_t			 if_link_state;
	uint32_t		 if_mtu;
	uint32_t		 if_metric;
	uint64_t		 if_baudrate;
	uint64_t		 if_hwassist;
	time_t			 if_epoch;
	struct timeval		 if_lastchange;

	struct ifaltq		 if_snd;
	struct task		 if_linktask;

	struct mtx		 if_addr_lock;
	struct ifaddrhead	 if_addrhead;	/* first the AF_LINK address */
	struct ifmultihead	 if_multiaddrs;
	int			 if_amcount;
	struct ifaddr		*if_addr;
	void			*if_hw_addr;
	const u_int8_t		*if_broadcastaddr;
	struct mtx		 if_afdata_lock;
	void			*if_afdata[AF_MAX];
	int			 if_afdata_initialized;

	u_int			 if_fib;
	struct vnet		*if_vnet;
	struct vnet		*if_home_vnet;
	struct bpf_if		*if_bpf;
	int			 if_pcount;
	void			*if_bridge;
	void			*if_lagg;
	struct ifvlantrunk	*if_vlantrunk;
	void			*if_pf_kif;

	if_output_fn_t		 if_output;
	if_input_fn_t		 if_input;
	struct mbuf		*(*if_bridge_input)(struct ifnet *, struct mbuf *);
	int			(*if_bridge_output)(struct ifnet *, struct mbuf *,
				    struct sockaddr *, struct rtentry *);
	void			(*if_bridge_linkstate)(struct ifnet *ifp);
	if_start_fn_t		 if_start;
	if_ioctl_fn_t		 if_ioctl;
	if_init_fn_t		 if_init;
	if_qflush_fn_t		 if_qflush;
	if_transmit_fn_t	 if_transmit;
	if_reassign_fn_t	 if_reassign;
	if_get_counter_t	 if_get_counter;
	int			(*if_requestencap)(struct ifnet *, struct if_encap_req *);

	counter_u64_t		 if_counters[IFCOUNTERS];

	struct if_clone		*if_cloner;
	struct epoch_context	 if_epoch_ctx;
};

#define	IF_AFDATA_LOCK_INIT(ifp)					\
	mtx_init(&(ifp)->if_afdata_lock, "if_afdata", NULL, MTX_DEF)
#define	IF_AFDATA_WLOCK(ifp)	mtx_lock(&(ifp)->if_afdata_lock)
#define	IF_AFDATA_WUNLOCK(ifp)	mtx_unlock(&(ifp)->if_afdata_lock)
#define	IF_AFDATA_LOCK(ifp)	IF_AFDATA_WLOCK(ifp)
#define	IF_AFDATA_UNLOCK(ifp)	IF_AFDATA_WUNLOCK(ifp)
#define	IF_AFDATA_DESTROY(ifp)	mtx_destroy(&(ifp)->if_afdata_lock)
#define	IF_AFDATA_WLOCK_ASSERT(ifp)	mtx_assert(&(ifp)->if_afdata_lock, MA_OWNED)
#define	IF_AFDATA_LOCK_ASSERT(ifp)					\
	MPASS(in_epoch(net_epoch_preempt) || mtx_owned(&(ifp)->if_afdata_lock))

#define	IF_LLADDR(ifp)							\
	LLADDR((struct sockaddr_dl *)((ifp)->if_addr->ifa_addr))

#endif /* !_NET_IF_PRIVATE_H_ */
