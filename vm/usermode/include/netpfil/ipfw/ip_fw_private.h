/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _IPFW2_PRIVATE_H
#define	_IPFW2_PRIVATE_H

#ifdef _KERNEL
#include <sys/param.h>
#include <sys/counter.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/queue.h>
#include <sys/rmlock.h>
#include <sys/rwlock.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>

#ifndef SYSBEGIN
#define	SYSBEGIN(x)
#endif
#ifndef SYSEND
#define	SYSEND
#endif

/* What ipfw_chk() says. */
enum {
	IP_FW_PASS = 0,
	IP_FW_DENY,
	IP_FW_DIVERT,
	IP_FW_TEE,
	IP_FW_DUMMYNET,
	IP_FW_NETGRAPH,
	IP_FW_NGTEE,
	IP_FW_NAT,
	IP_FW_REASS,
	IP_FW_NAT64,
};

struct inpcb;
struct mbuf;

/* One packet on its way through ipfw_chk() and dummynet_io(). */
struct ip_fw_args {
	uint32_t		flags;
#define	IPFW_ARGS_ETHER		0x00010000	/* starts with a link header */
#define	IPFW_ARGS_NH4		0x00020000
#define	IPFW_ARGS_NH6		0x00040000
#define	IPFW_ARGS_NH4PTR	0x00080000
#define	IPFW_ARGS_NH6PTR	0x00100000
#define	IPFW_ARGS_REF		0x00200000	/* rule says where to go on */
#define	IPFW_ARGS_IN		0x00400000
#define	IPFW_ARGS_OUT		0x00800000
#define	IPFW_ARGS_IP4		0x01000000
#define	IPFW_ARGS_IP6		0x02000000
#define	IPFW_ARGS_DROP		0x04000000	/* dummynet is to drop it */
#define	IPFW_ARGS_LENMASK	0x0000ffff
#define	IPFW_ARGS_LENGTH(f)	((f) & IPFW_ARGS_LENMASK)
	/* In: where to start (IPFW_ARGS_REF); out: the rule that matched. */
	struct ipfw_rule_ref	rule;
	struct ifnet		*ifp;
	struct inpcb		*inp;
	union {
		struct sockaddr_in	*next_hop;
		struct sockaddr_in6	*next_hop6;
		struct sockaddr_in	hopstore;
		struct ip_fw_nh6 {
			struct in6_addr	sin6_addr;
			uint32_t	sin6_scope_id;
			uint16_t	sin6_port;
		} hopstore6;
	};
	union {
		struct mbuf	*m;
		void		*mem;
	};
	struct ipfw_flow_id	f_id;
};

MALLOC_DECLARE(M_IPFW);

#ifndef FREE_PKT
#define	FREE_PKT(m)	m_freem(m)
#endif

struct ip;
struct ip_fw;
struct ip_fw_chain;

int	ipfw_chk(struct ip_fw_args *args);
int	ipfw_attach_hooks(void);
void	ipfw_detach_hooks(void);
void	ipfw_log(struct ip_fw_chain *chain, struct ip_fw *f, u_int hlen,
	    struct ip_fw_args *args, u_short offset, uint32_t tablearg,
	    struct ip *ip, void *eh);

VNET_DECLARE(u_int64_t, norule_counter);
#define	V_norule_counter	VNET(norule_counter)
VNET_DECLARE(int, verbose_limit);
#define	V_verbose_limit		VNET(verbose_limit)
VNET_DECLARE(int, fw_one_pass);
#define	V_fw_one_pass		VNET(fw_one_pass)
VNET_DECLARE(int, fw_verbose);
#define	V_fw_verbose		VNET(fw_verbose)
VNET_DECLARE(struct ip_fw_chain, layer3_chain);
#define	V_layer3_chain		VNET(layer3_chain)
VNET_DECLARE(int, ipfw_vnet_ready);
#define	V_ipfw_vnet_ready	VNET(ipfw_vnet_ready)
VNET_DECLARE(u_int32_t, set_disable);
#define	V_set_disable		VNET(set_disable)
VNET_DECLARE(int, autoinc_step);
#define	V_autoinc_step		VNET(autoinc_step)

/* A skipto's last jump: good while the ruleset is the same. */
struct ip_fw_jump_cache {
	union {
		struct {
			uint32_t	id;
			uint32_t	pos;
		};
		uint64_t	raw_value;
	};
};

struct ip_fw {
	uint16_t	act_ofs;
	uint16_t	cmd_len;
	uint32_t	rulenum;
	uint8_t		set;
	uint8_t		flags;
	uint16_t	_pad;
	counter_u64_t	cntr;		/* packets, bytes */
	struct ip_fw_jump_cache cache;
	uint32_t	timestamp;
	uint32_t	id;
	uint32_t	refcnt;
	struct ip_fw	*next;		/* those that wait to be freed */
	ipfw_insn	cmd[1];
};
#define	IPFW_RULE_CNTR_SIZE	(2 * sizeof(uint64_t))

/*
 * The rules of a vnet, in order.  map is replaced as a whole: readers look at
 * it under rwmtx, writers under both locks, and all changes start with uh_lock.
 */
struct ip_fw_chain {
	struct ip_fw	**map;
	uint32_t	id;		/* another one with every change */
	int		n_rules;
	void		*tablestate;
	void		*valuestate;
	int		*idxmap;
	void		**srvstate;
	struct rmlock	rwmtx;
	uint32_t	gencnt;
	struct ip_fw	*default_rule;
	void		*tblcfg;
	void		*ifcfg;
	int		*idxmap_back;
	void		*srvmap;
	struct rwlock	uh_lock;
};

#define	IPFW_LOCK_INIT(_chain)	do {					\
	rm_init_flags(&(_chain)->rwmtx, "IPFW static rules", RM_RECURSE); \
	rw_init(&(_chain)->uh_lock, "IPFW UH lock");			\
} while (0)
#define	IPFW_LOCK_DESTROY(_chain)	do {				\
	rm_destroy(&(_chain)->rwmtx);					\
	rw_destroy(&(_chain)->uh_lock);					\
} while (0)
#define	IPFW_RLOCK_ASSERT(_chain)	rm_assert(&(_chain)->rwmtx, RA_RLOCKED)
#define	IPFW_WLOCK_ASSERT(_chain)	rm_assert(&(_chain)->rwmtx, RA_WLOCKED)
#define	IPFW_RLOCK_TRACKER		struct rm_priotracker _tracker
#define	IPFW_RLOCK(p)			rm_rlock(&(p)->rwmtx, &_tracker)
#define	IPFW_RUNLOCK(p)			rm_runlock(&(p)->rwmtx, &_tracker)
#define	IPFW_WLOCK(p)			rm_wlock(&(p)->rwmtx)
#define	IPFW_WUNLOCK(p)			rm_wunlock(&(p)->rwmtx)
#define	IPFW_PF_RLOCK(p)		IPFW_RLOCK(p)
#define	IPFW_PF_RUNLOCK(p)		IPFW_RUNLOCK(p)
#define	IPFW_UH_RLOCK_ASSERT(_chain)	rw_assert(&(_chain)->uh_lock, RA_RLOCKED)
#define	IPFW_UH_WLOCK_ASSERT(_chain)	rw_assert(&(_chain)->uh_lock, RA_WLOCKED)
#define	IPFW_UH_UNLOCK_ASSERT(_chain)	rw_assert(&(_chain)->uh_lock, RA_UNLOCKED)
#define	IPFW_UH_RLOCK(p)		rw_rlock(&(p)->uh_lock)
#define	IPFW_UH_RUNLOCK(p)		rw_runlock(&(p)->uh_lock)
#define	IPFW_UH_WLOCK(p)		rw_wlock(&(p)->uh_lock)
#define	IPFW_UH_WUNLOCK(p)		rw_wunlock(&(p)->uh_lock)

/* ip_fw_sockopt.c */
int	ipfw_find_rule(struct ip_fw_chain *chain, uint32_t key, uint32_t id);
int	ipfw_ctl3(struct sockopt *sopt);
int	ipfw_add_protected_rule(struct ip_fw_chain *chain, struct ip_fw *rule,
	    int locked);
void	ipfw_reap_add(struct ip_fw_chain *chain, struct ip_fw **head,
	    struct ip_fw *rule);
void	ipfw_reap_rules(struct ip_fw *head);
void	ipfw_init_counters(void);
void	ipfw_destroy_counters(void);
struct ip_fw *ipfw_alloc_rule(struct ip_fw_chain *chain, size_t rulesize);
void	ipfw_free_rule(struct ip_fw *rule);
int	ipfw_match_range(struct ip_fw *rule, ipfw_range_tlv *rt);

#endif /* _KERNEL */
#endif /* !_IPFW2_PRIVATE_H */
