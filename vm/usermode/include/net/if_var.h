/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IF_VAR_H_
#define	_NET_IF_VAR_H_

#include <sys/param.h>
#include <sys/queue.h>
#include <sys/ck.h>
#include <sys/counter.h>
#include <sys/epoch.h>
#include <sys/eventhandler.h>
#include <sys/lock.h>
#include <sys/mutex.h>
#include <sys/sx.h>
#include <sys/mbuf.h>
#include <sys/malloc.h>
#include <net/if.h>
#include <net/vnet.h>

struct ifnet;
struct ifaddr;
struct ifmultiaddr;
struct ifreq;
struct route;
struct sockaddr_dl;
struct socket;
struct thread;
struct ucred;
struct vnet;

CK_STAILQ_HEAD(ifnethead, ifnet);
CK_STAILQ_HEAD(ifaddrhead, ifaddr);
CK_STAILQ_HEAD(ifmultihead, ifmultiaddr);
CK_STAILQ_HEAD(ifgrouphead, ifg_group);

VNET_DECLARE(struct ifnethead, ifnet);
VNET_DECLARE(struct ifnet *, loif);
VNET_DECLARE(int, if_index);
VNET_DECLARE(int, useloopback);
#define	V_ifnet		VNET(ifnet)
#define	V_loif		VNET(loif)
#define	V_if_index	VNET(if_index)
#define	V_useloopback	VNET(useloopback)

typedef enum {
	IFCOUNTER_IPACKETS = 0,
	IFCOUNTER_IERRORS,
	IFCOUNTER_OPACKETS,
	IFCOUNTER_OERRORS,
	IFCOUNTER_COLLISIONS,
	IFCOUNTER_IBYTES,
	IFCOUNTER_OBYTES,
	IFCOUNTER_IMCASTS,
	IFCOUNTER_OMCASTS,
	IFCOUNTER_IQDROPS,
	IFCOUNTER_OQDROPS,
	IFCOUNTER_NOPROTO,
	IFCOUNTERS
} ift_counter;

typedef	void (*if_start_fn_t)(if_t);
typedef	int (*if_ioctl_fn_t)(if_t, u_long, caddr_t);
typedef	void (*if_init_fn_t)(void *);
typedef	void (*if_input_fn_t)(if_t, struct mbuf *);
typedef	int (*if_output_fn_t)(if_t, struct mbuf *, const struct sockaddr *, struct route *);
typedef void (*if_qflush_fn_t)(if_t);
typedef int (*if_transmit_fn_t)(if_t, struct mbuf *);
typedef	uint64_t (*if_get_counter_t)(if_t, ift_counter);
typedef	void (*if_reassign_fn_t)(if_t, struct vnet *, char *);

/* How ARP asks the link layer for a ready-made header. */
enum { IFENCAP_LL = 1 };
#define	IFENCAP_FLAG_BROADCAST	0x02
struct if_encap_req {
	u_int		 rtype;
	uint32_t	 flags;
	int		 family;
	int		 bufsize;
	u_char		*buf;
	char		*lladdr;
	int		 lladdr_len;
	int		 lladdr_off;
	char		*hdata;
};

struct ifg_group {
	char			 ifg_group[IFNAMSIZ];
	u_int			 ifg_refcnt;
	CK_STAILQ_ENTRY(ifg_group) ifg_next;
};
struct ifg_list {
	struct ifg_group	*ifgl_group;
	CK_STAILQ_ENTRY(ifg_list) ifgl_next;
};

struct ifaddr {
	struct sockaddr	*ifa_addr;
	struct sockaddr	*ifa_dstaddr;
#define	ifa_broadaddr	ifa_dstaddr
	struct sockaddr	*ifa_netmask;
	struct ifnet	*ifa_ifp;
	CK_STAILQ_ENTRY(ifaddr) ifa_link;
	u_short		 ifa_flags;
#define	IFA_ROUTE	RTF_UP
#define	IFA_RTSELF	RTF_HOST
	u_int		 ifa_refcnt;
	counter_u64_t	 ifa_ipackets;
	counter_u64_t	 ifa_opackets;
	counter_u64_t	 ifa_ibytes;
	counter_u64_t	 ifa_obytes;
	struct epoch_context ifa_epoch_ctx;
};

struct ifmultiaddr {
	CK_STAILQ_ENTRY(ifmultiaddr) ifma_link;
	struct sockaddr	*ifma_addr;
	struct ifnet	*ifma_ifp;
	u_int		 ifma_refcount;
};

struct ifaddr *ifa_alloc(size_t size, int flags);
void	ifa_free(struct ifaddr *ifa);
void	ifa_ref(struct ifaddr *ifa);
int	ifa_try_ref(struct ifaddr *ifa);

#define	IF_ADDR_LOCK_INIT(if)	mtx_init(&(if)->if_addr_lock, "if_addr_lock", NULL, MTX_DEF)
#define	IF_ADDR_LOCK_DESTROY(if)	mtx_destroy(&(if)->if_addr_lock)
#define	IF_ADDR_WLOCK(if)	mtx_lock(&(if)->if_addr_lock)
#define	IF_ADDR_WUNLOCK(if)	mtx_unlock(&(if)->if_addr_lock)
#define	IF_ADDR_LOCK_ASSERT(if)						\
	MPASS(in_epoch(net_epoch_preempt) || mtx_owned(&(if)->if_addr_lock))
#define	IF_ADDR_WLOCK_ASSERT(if)	mtx_assert(&(if)->if_addr_lock, MA_OWNED)

extern struct sx ifnet_sxlock;
#define	IFNET_WLOCK()		sx_xlock(&ifnet_sxlock)
#define	IFNET_WUNLOCK()		sx_xunlock(&ifnet_sxlock)
#define	IFNET_RLOCK()		sx_slock(&ifnet_sxlock)
#define	IFNET_RUNLOCK()		sx_sunlock(&ifnet_sxlock)
#define	IFNET_RLOCK_ASSERT()	sx_assert(&ifnet_sxlock, SA_SLOCKED)
#define	IFNET_WLOCK_ASSERT()	sx_assert(&ifnet_sxlock, SA_XLOCKED)

typedef void (*iflladdr_event_handler_t)(void *, if_t);
EVENTHANDLER_DECLARE(iflladdr_event, iflladdr_event_handler_t);
typedef void (*ifaddr_event_handler_t)(void *, if_t);
EVENTHANDLER_DECLARE(ifaddr_event, ifaddr_event_handler_t);
typedef void (*ifaddr_event_ext_handler_t)(void *, if_t, struct ifaddr *, int);
EVENTHANDLER_DECLARE(ifaddr_event_ext, ifaddr_event_ext_handler_t);
#define	IFADDR_EVENT_ADD	0
#define	IFADDR_EVENT_DEL	1
typedef void (*ifnet_arrival_event_handler_t)(void *, if_t);
EVENTHANDLER_DECLARE(ifnet_arrival_event, ifnet_arrival_event_handler_t);
EVENTHANDLER_DECLARE(ifnet_attached_event, ifnet_arrival_event_handler_t);
typedef void (*ifnet_departure_event_handler_t)(void *, if_t);
EVENTHANDLER_DECLARE(ifnet_departure_event, ifnet_departure_event_handler_t);
typedef void (*ifnet_rename_event_handler_t)(void *, if_t, const char *);
EVENTHANDLER_DECLARE(ifnet_rename_event, ifnet_rename_event_handler_t);
typedef void (*ifnet_link_event_handler_t)(void *, if_t, int);
EVENTHANDLER_DECLARE(ifnet_link_event, ifnet_link_event_handler_t);
#define	IFNET_EVENT_UP		0
#define	IFNET_EVENT_DOWN	1
typedef void (*ifnet_event_fn)(void *, if_t ifp, int event);
EVENTHANDLER_DECLARE(ifnet_event, ifnet_event_fn);

/* 13.2 hands the list over as ifnet's own; 15 keeps it behind these. */
struct if_iter { void *context[4]; };
if_t	if_iter_start(struct if_iter *);
if_t	if_iter_next(struct if_iter *);
void	if_iter_finish(struct if_iter *);
typedef int (*if_foreach_cb_t)(if_t, void *);
int	if_foreach(if_foreach_cb_t, void *);

if_t	ifnet_byindex(u_int);
if_t	ifnet_byindex_ref(u_int);
if_t	ifnet_byindexgen(uint16_t idx, uint16_t gen);

if_t	if_alloc(u_char);
void	if_attach(if_t);
void	if_dead(if_t);
void	if_detach(if_t);
void	if_purgeaddrs(if_t);
void	if_down(if_t);
void	if_up(if_t);
void	if_free(if_t);
void	if_initname(if_t, const char *, int);
void	if_link_state_change(if_t, int);
int	if_printf(if_t, const char *, ...) __printflike(2, 3);
int	if_log(if_t, int, const char *, ...) __printflike(3, 4);
void	if_ref(if_t);
void	if_rele(if_t);
bool	if_try_ref(if_t);
int	if_setlladdr(if_t, const u_char *, int);
int	ifioctl(struct socket *, u_long, caddr_t, struct thread *);
int	ifpromisc(if_t, int);
if_t	ifunit(const char *);
if_t	ifunit_ref(const char *);
int	if_rename(if_t ifp, char *new_name);
int	if_addgroup(if_t, const char *);
int	if_delgroup(if_t, const char *);
/* Moves an interface of the current vnet; 0 or an errno. */
int	if_vmove(if_t ifp, struct vnet *new_vnet);

struct	ifaddr *ifa_ifwithaddr(const struct sockaddr *);
int	ifa_ifwithaddr_check(const struct sockaddr *);
struct	ifaddr *ifa_ifwithnet(const struct sockaddr *, int, int);
struct	ifaddr *ifaof_ifpforaddr(const struct sockaddr *, if_t);
int	if_simloop(if_t ifp, struct mbuf *m, int af, int hlen);

uint64_t if_get_counter_default(if_t, ift_counter);
void	if_inc_counter(if_t, ift_counter, int64_t);
void	if_data_copy(if_t, struct if_data *);

uint64_t if_setbaudrate(if_t ifp, uint64_t baudrate);
uint64_t if_getbaudrate(const if_t ifp);
int	if_setcapabilities(if_t ifp, int capabilities);
int	if_getcapabilities(const if_t ifp);
int	if_setcapenable(if_t ifp, int capenable);
int	if_getcapenable(const if_t ifp);
int	if_getdunit(const if_t ifp);
int	if_getindex(const if_t ifp);
int	if_getidxgen(const if_t ifp);
const char *if_getdname(const if_t ifp);
const char *if_name(if_t ifp);
int	if_getalloctype(const if_t ifp);
int	if_gettype(const if_t ifp);
int	if_setdrvflagbits(if_t ifp, int set, int clear);
int	if_getdrvflags(const if_t ifp);
int	if_setdrvflags(if_t ifp, int flags);
int	if_getlinkstate(if_t ifp);
int	if_setsoftc(if_t ifp, void *softc);
void	*if_getsoftc(if_t ifp);
u_int	if_getfib(if_t ifp);
uint8_t	if_getaddrlen(if_t ifp);
const uint8_t *if_getbroadcastaddr(const if_t ifp);
int	if_setmtu(if_t ifp, int mtu);
int	if_getmtu(const if_t ifp);
int	if_setflagbits(if_t ifp, int set, int clear);
int	if_setflags(if_t ifp, int flags);
int	if_getflags(const if_t ifp);
void	if_input(if_t ifp, struct mbuf *m);
void	if_setrcvif(struct mbuf *m, if_t ifp);
char	*if_getlladdr(const if_t ifp);
struct vnet *if_getvnet(const if_t ifp);
int	if_transmit(if_t ifp, struct mbuf *m);
int	if_ioctl(if_t ifp, u_long cmd, void *data);
uint64_t if_getcounter(if_t ifp, ift_counter counter);
struct bpf_if *if_getbpf(if_t ifp);
void	*if_getl2com(if_t ifp);
void	*if_getafdata(if_t ifp, int);
struct ifaddr *if_getifaddr(const if_t ifp);
typedef u_int if_addr_cb_t(void *, struct ifaddr *, u_int);
u_int	if_foreach_addr_type(if_t ifp, int type, if_addr_cb_t cb, void *cb_arg);
void	if_setinitfn(if_t ifp, if_init_fn_t);
void	if_setinputfn(if_t ifp, if_input_fn_t);
if_input_fn_t if_getinputfn(if_t ifp);
void	if_setioctlfn(if_t ifp, if_ioctl_fn_t);
void	if_setoutputfn(if_t ifp, if_output_fn_t);
if_output_fn_t if_getoutputfn(if_t ifp);
void	if_setstartfn(if_t ifp, if_start_fn_t);
void	if_settransmitfn(if_t ifp, if_transmit_fn_t);
if_transmit_fn_t if_gettransmitfn(if_t ifp);
void	if_setqflushfn(if_t ifp, if_qflush_fn_t);
void	if_setgetcounterfn(if_t ifp, if_get_counter_t);

#endif /* !_NET_IF_VAR_H_ */
