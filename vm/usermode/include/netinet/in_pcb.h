/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_IN_PCB_H_
#define	_NETINET_IN_PCB_H_

#include <sys/queue.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/lock.h>
#include <sys/mutex.h>
#include <sys/rwlock.h>
#include <net/route.h>
#include <net/vnet.h>
#include <netinet/in.h>

struct socket;
struct ucred;
struct inpcbinfo;

struct in_conninfo {
	uint8_t		 inc_flags;
	uint8_t		 inc_len;
	uint16_t	 inc_fibnum;
	uint16_t	 inc_fport;
	uint16_t	 inc_lport;
	struct in_addr	 inc_faddr;
	struct in_addr	 inc_laddr;
};

CK_LIST_HEAD(inpcbhead, inpcb);

struct inpcb {
	CK_LIST_ENTRY(inpcb)	 inp_hash;
	CK_LIST_ENTRY(inpcb)	 inp_list;
	struct rwlock		 inp_lock;
	u_int			 inp_refcount;
	int			 inp_flags;
	int			 inp_flags2;
	struct socket		*inp_socket;
	struct inpcbinfo	*inp_pcbinfo;
	struct ucred		*inp_cred;
	u_char			 inp_vflag;
	u_char			 inp_ip_ttl;
	u_char			 inp_ip_tos;
	u_char			 inp_ip_p;
	uint32_t		 inp_flowid;
	uint32_t		 inp_flowtype;
	struct in_conninfo	 inp_inc;
	rt_gen_t		 inp_rt_cookie;
	struct route		 inp_route;
	struct epoch_context	 inp_epoch_ctx;
};
#define	inp_fport	inp_inc.inc_fport
#define	inp_lport	inp_inc.inc_lport
#define	inp_faddr	inp_inc.inc_faddr
#define	inp_laddr	inp_inc.inc_laddr
#define	inp_vnet	inp_pcbinfo->ipi_vnet

#define	INP_IPV4	0x1
#define	INP_IPV6	0x2
#define	INP_HDRINCL	0x00000008
#define	INP_DONTFRAG	0x00000800
#define	INP_FREED	0x00000010
#define	INP_DROPPED	0x04000000

#define	INPCB_HASH	128

struct inpcbinfo {
	struct mtx		 ipi_lock;	/* writers of the lists */
	struct inpcbhead	 ipi_listhead;
	struct inpcbhead	 ipi_hash[INPCB_HASH];	/* by local port */
	u_int			 ipi_count;
	u_short			 ipi_lastport;
	const char		*ipi_lockname;
	struct vnet		*ipi_vnet;
};

#define	INP_RLOCK(inp)		rw_rlock(&(inp)->inp_lock)
#define	INP_WLOCK(inp)		rw_wlock(&(inp)->inp_lock)
#define	INP_TRY_WLOCK(inp)	rw_try_wlock(&(inp)->inp_lock)
#define	INP_RUNLOCK(inp)	rw_runlock(&(inp)->inp_lock)
#define	INP_WUNLOCK(inp)	rw_wunlock(&(inp)->inp_lock)
#define	INP_UNLOCK(inp)		rw_unlock(&(inp)->inp_lock)
#define	INP_WLOCKED(inp)	rw_wowned(&(inp)->inp_lock)
#define	INP_LOCK_ASSERT(inp)	rw_assert(&(inp)->inp_lock, RA_LOCKED)
#define	INP_WLOCK_ASSERT(inp)	rw_assert(&(inp)->inp_lock, RA_WLOCKED)
#define	INP_UNLOCK_ASSERT(inp)	rw_assert(&(inp)->inp_lock, RA_UNLOCKED)

/* How a lookup returns the pcb. */
typedef enum {
	INPLOOKUP_WILDCARD	= 0x1,
	INPLOOKUP_RLOCKPCB	= 0x2,
	INPLOOKUP_WLOCKPCB	= 0x4,
} inp_lookup_t;

void	in_pcbinfo_init(struct inpcbinfo *, const char *listname, const char *lockname);
void	in_pcbinfo_destroy(struct inpcbinfo *);
int	in_pcballoc(struct socket *, struct inpcbinfo *, size_t size);
int	in_pcbbind(struct inpcb *, struct sockaddr_in *, struct ucred *);
int	in_pcbconnect(struct inpcb *, struct sockaddr_in *, struct ucred *);
void	in_pcbdisconnect(struct inpcb *);
void	in_pcbfree(struct inpcb *);
void	in_pcbref(struct inpcb *);
bool	in_pcbrele_wlocked(struct inpcb *);
void	in_pcbrele(struct inpcb *);
int	in_pcbladdr(struct inpcb *, struct in_addr *faddr, struct in_addr *laddr, struct ucred *);
struct inpcb *in_pcblookup(struct inpcbinfo *, struct in_addr faddr, u_int fport,
	    struct in_addr laddr, u_int lport, int lookupflags, struct ifnet *);
struct inpcb *in_pcblookup_mbuf(struct inpcbinfo *, struct in_addr faddr, u_int fport,
	    struct in_addr laddr, u_int lport, int lookupflags, struct ifnet *, struct mbuf *);

VNET_DECLARE(struct inpcbinfo, ripcbinfo);
VNET_DECLARE(struct inpcbinfo, tcbinfo);
#define	V_ripcbinfo	VNET(ripcbinfo)
#define	V_tcbinfo	VNET(tcbinfo)

#endif /* !_NETINET_IN_PCB_H_ */
