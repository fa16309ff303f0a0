/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw: a packet against the rules, and the module.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/counter.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/module.h>
#include <sys/proc.h>
#include <sys/rmlock.h>
#include <sys/rwlock.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/time.h>

#include <net/if.h>
#include <net/if_var.h>
#include <net/if_private.h>
#include <net/ethernet.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <netpfil/ipfw/ip_fw_private.h>

/* tcp_subr.c: what TCP says to a segment that nobody wants. */
void	tcp_respond_rst(struct mbuf *, const struct ip *, const struct tcphdr *, int);

MALLOC_DEFINE(M_IPFW, "IpFw/IpAcct", "IpFw/IpAcct chain's");

#ifdef IPFIREWALL_DEFAULT_TO_ACCEPT
static int default_to_accept = 1;
#else
static int default_to_accept;
#endif
static u_int default_rule_number = IPFW_DEFAULT_RULE;

VNET_DEFINE(int, autoinc_step);
VNET_DEFINE(int, fw_one_pass) = 1;
VNET_DEFINE(u_int32_t, set_disable);	/* one bit per set */
VNET_DEFINE(int, fw_verbose);
VNET_DEFINE(u_int64_t, norule_counter);
VNET_DEFINE(int, verbose_limit);
VNET_DEFINE(struct ip_fw_chain, layer3_chain);
VNET_DEFINE(int, ipfw_vnet_ready) = 0;

SYSCTL_DECL(_net_inet_ip);
SYSCTL_NODE(_net_inet_ip, OID_AUTO, fw, CTLFLAG_RW | CTLFLAG_MPSAFE, 0,
    "Firewall");
SYSCTL_INT(_net_inet_ip_fw, OID_AUTO, one_pass, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(fw_one_pass), 0,
    "Only do a single pass through ipfw when using dummynet(4), ipfw_nat or other divert(4)-like interfaces");
SYSCTL_INT(_net_inet_ip_fw, OID_AUTO, autoinc_step, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(autoinc_step), 0, "Rule number auto-increment step");
SYSCTL_INT(_net_inet_ip_fw, OID_AUTO, verbose, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(fw_verbose), 0, "Log matches to ipfw rules");
SYSCTL_INT(_net_inet_ip_fw, OID_AUTO, verbose_limit, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(verbose_limit), 0,
    "Set upper limit of matches of ipfw rules logged");
SYSCTL_UINT(_net_inet_ip_fw, OID_AUTO, default_rule, CTLFLAG_RD,
    &default_rule_number, 0, "The default/max possible rule number.");
SYSCTL_INT(_net_inet_ip_fw, OID_AUTO, default_to_accept, CTLFLAG_RDTUN,
    &default_to_accept, 0, "Make the default rule accept all packets.");
SYSCTL_INT(_net_inet_ip_fw, OID_AUTO, static_count, CTLFLAG_VNET | CTLFLAG_RD,
    &VNET_NAME(layer3_chain.n_rules), 0, "Number of static rules");

/*
 * What the instructions look at.  Ports are in host order, addresses in
 * network order; pointers are good until the packet is pulled up, which is
 * done before the first rule.
 */
struct fw_pkt {
	struct ip_fw_args	*args;
	struct ether_header	*eh;	/* NULL: starts with the IP header */
	struct ip		*ip;
	void			*ulp;	/* tcp, udp, icmp header, or NULL */
	struct ifnet		*iif;
	struct ifnet		*oif;
	struct in_addr		src, dst;
	u_int			hlen;	/* 0: not IP */
	uint16_t		offset;	/* of the fragment, in 8 bytes */
	uint16_t		sport, dport;
	uint8_t			proto;
	bool			is_ipv4;
	int			iplen;
	int			pktlen;
};

/*
 * Bits of which some are wanted (low byte) and some are not (high byte).
 */
static bool
flags_match(const ipfw_insn *cmd, uint8_t bits)
{
	uint8_t clear, set;

	set = cmd->arg1 & 0xff;
	clear = cmd->arg1 >> 8;
	return ((bits & set) == set && (bits & clear) == 0);
}

static bool
iface_match(struct ifnet *ifp, const ipfw_insn_if *cmd)
{
	struct ifaddr *ia;

	if (ifp == NULL)
		return (false);
	if (cmd->name[0] != '\0') {
		if (cmd->p.glob)
			return (fnmatch(cmd->name, ifp->if_xname, 0) == 0);
		return (strncmp(ifp->if_xname, cmd->name, IFNAMSIZ) == 0);
	}
	NET_EPOCH_ASSERT();
	CK_STAILQ_FOREACH(ia, &ifp->if_addrhead, ifa_link)
		if (ia->ifa_addr->sa_family == AF_INET &&
		    satosin(ia->ifa_addr)->sin_addr.s_addr == cmd->p.ip.s_addr)
			return (true);
	return (false);
}

static bool
mac_match(const struct ether_header *eh, const ipfw_insn_mac *cmd)
{
	const u_char *hdr = (const u_char *)eh;
	int i;

	for (i = 0; i < 2 * ETHER_ADDR_LEN; i++)
		if ((hdr[i] & cmd->mask[i]) != cmd->addr[i])
			return (false);
	return (true);
}

/* Pairs of from and to; a single word has its value in arg1. */
static bool
u16_match(const ipfw_insn *cmd, uint16_t x)
{
	const uint16_t *p;
	int i;

	if (F_LEN(cmd) == 1)
		return (cmd->arg1 == x);
	p = insntoc(cmd, u16)->ports;
	for (i = F_LEN(cmd) - 1; i > 0; i--, p += 2)
		if (x >= p[0] && x <= p[1])
			return (true);
	return (false);
}

static bool
masks_match(const ipfw_insn *cmd, struct in_addr a)
{
	const uint32_t *p = insntoc(cmd, u32)->d;
	int i;

	for (i = F_LEN(cmd) - 1; i > 0; i -= 2, p += 2)
		if ((a.s_addr & p[1]) == p[0])
			return (true);
	return (false);
}

static bool
set_match_addr(const ipfw_insn *cmd, struct in_addr a)
{
	const uint32_t *d = insntoc(cmd, u32)->d;
	uint32_t addr;

	addr = ntohl(a.s_addr);
	if (addr < d[0] || addr - d[0] >= cmd->arg1)
		return (false);
	addr -= d[0];
	return ((d[1 + (addr >> 5)] & (1U << (addr & 0x1f))) != 0);
}

static bool
has_ports(const struct fw_pkt *p)
{

	return (p->offset == 0 &&
	    (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP ||
	    p->proto == IPPROTO_UDPLITE || p->proto == IPPROTO_SCTP));
}

static bool
insn_match(const struct fw_pkt *p, const ipfw_insn *cmd)
{
	const struct tcphdr *th;
	const uint32_t *d;
	uint8_t type;

	switch (cmd->opcode) {
	case O_NOP:
		return (true);

	/* Where it is. */
	case O_IN:
		return (p->oif == NULL);
	case O_RECV:
		return (iface_match(p->iif, insntoc(cmd, if)));
	case O_XMIT:
		return (iface_match(p->oif, insntoc(cmd, if)));
	case O_VIA:
		return (iface_match(p->args->ifp, insntoc(cmd, if)));
	case O_LAYER2:
		return ((p->args->flags & IPFW_ARGS_ETHER) != 0);

	/* Link layer. */
	case O_MACADDR2:
		return (p->eh != NULL && mac_match(p->eh, insntoc(cmd, mac)));
	case O_MAC_TYPE:
		return (p->eh != NULL &&
		    u16_match(cmd, ntohs(p->eh->ether_type)));

	/* IP. */
	case O_PROTO:
		return (p->proto == cmd->arg1);
	case O_IP4:
		return (p->is_ipv4);
	case O_IPVER:
		return (p->is_ipv4 && cmd->arg1 == p->ip->ip_v);
	case O_IP_SRC:
		return (p->is_ipv4 &&
		    insntoc(cmd, ip)->addr.s_addr == p->src.s_addr);
	case O_IP_DST:
		return (p->is_ipv4 &&
		    insntoc(cmd, ip)->addr.s_addr == p->dst.s_addr);
	case O_IP_SRC_MASK:
		return (p->is_ipv4 && masks_match(cmd, p->src));
	case O_IP_DST_MASK:
		return (p->is_ipv4 && masks_match(cmd, p->dst));
	case O_IP_SRC_SET:
		return (p->is_ipv4 && set_match_addr(cmd, p->src));
	case O_IP_DST_SET:
		return (p->is_ipv4 && set_match_addr(cmd, p->dst));
	case O_IP_SRC_ME:
		return (p->is_ipv4 && in_localip(p->src));
	case O_IP_DST_ME:
		return (p->is_ipv4 && in_localip(p->dst));
	case O_FRAG:
		return (p->is_ipv4 && flags_match(cmd,
		    ((ntohs(p->ip->ip_off) & ~IP_OFFMASK) >> 8) |
		    (p->offset != 0)));
	case O_IPLEN:
		return (p->hlen > 0 && u16_match(cmd, p->iplen));
	case O_IPTTL:
		return (p->is_ipv4 && u16_match(cmd, p->ip->ip_ttl));
	case O_IPID:
		return (p->is_ipv4 && u16_match(cmd, ntohs(p->ip->ip_id)));
	case O_IPTOS:
		return (p->is_ipv4 && flags_match(cmd, p->ip->ip_tos));
	case O_IPPRECEDENCE:
		return (p->is_ipv4 && cmd->arg1 == (p->ip->ip_tos & 0xe0));
	case O_DSCP:
		if (!p->is_ipv4)
			return (false);
		type = p->ip->ip_tos >> IPTOS_DSCP_OFFSET;
		d = insntoc(cmd, u32)->d;
		return ((d[type / 32] & (1U << (type % 32))) != 0);

	/* Above. */
	case O_IP_SRCPORT:
		return (has_ports(p) && u16_match(cmd, p->sport));
	case O_IP_DSTPORT:
		return (has_ports(p) && u16_match(cmd, p->dport));
	case O_ICMPTYPE:
		if (p->ulp == NULL || p->proto != IPPROTO_ICMP)
			return (false);
		type = ((const struct icmp *)p->ulp)->icmp_type;
		return (type < 32 &&
		    (insntoc(cmd, u32)->d[0] & (1U << type)) != 0);
	case O_ESTAB:
	case O_TCPFLAGS:
	case O_TCPWIN:
	case O_TCPSEQ:
	case O_TCPACK:
	case O_TCPDATALEN:
		if (p->ulp == NULL || p->proto != IPPROTO_TCP)
			return (false);
		th = p->ulp;
		switch (cmd->opcode) {
		case O_ESTAB:
			return ((th->th_flags & (TH_RST | TH_ACK | TH_SYN)) !=
			    TH_SYN);
		case O_TCPFLAGS:
			return (flags_match(cmd, th->th_flags));
		case O_TCPWIN:
			return (u16_match(cmd, ntohs(th->th_win)));
		case O_TCPSEQ:
			return (insntoc(cmd, u32)->d[0] == th->th_seq);
		case O_TCPACK:
			return (insntoc(cmd, u32)->d[0] == th->th_ack);
		default:
			return (u16_match(cmd, p->iplen - (int)p->hlen -
			    (th->th_off << 2)));
		}

	case O_PROB:
		return (random() < insntoc(cmd, u32)->d[0]);
	default:
		panic("ipfw: unknown opcode %d\n", cmd->opcode);
	}
}

/*
 * See what the packet is, pulled up as far as the rules look.  False when it
 * is too short for what it says it is.
 */
static bool
pkt_parse(struct fw_pkt *p)
{
	struct ip_fw_args *args = p->args;
	struct mbuf *m = args->m;
	int ehlen, need;

	bzero(&args->f_id, sizeof(args->f_id));
	args->f_id.fib = M_GETFIB(m);
	args->f_id.addr_type = 1;
	p->pktlen = m->m_pkthdr.len;
	ehlen = 0;
	if ((args->flags & IPFW_ARGS_ETHER) != 0) {
		need = MIN(p->pktlen, max_protohdr);
		if (m->m_len < need && (args->m = m = m_pullup(m, need)) == NULL)
			return (false);
		p->eh = mtod(m, struct ether_header *);
		ehlen = ETHER_HDR_LEN;
	}
	p->ip = mtodo(m, ehlen);
	if (p->pktlen >= ehlen + (int)sizeof(struct ip) &&
	    m->m_len >= ehlen + (int)sizeof(struct ip) &&
	    (p->eh == NULL || p->eh->ether_type == htons(ETHERTYPE_IP)) &&
	    p->ip->ip_v == IPVERSION) {
		p->is_ipv4 = true;
		args->flags |= IPFW_ARGS_IP4;
		p->hlen = p->ip->ip_hl << 2;
		p->proto = p->ip->ip_p;
		p->src = p->ip->ip_src;
		p->dst = p->ip->ip_dst;
		p->offset = ntohs(p->ip->ip_off) & IP_OFFMASK;
		p->iplen = ntohs(p->ip->ip_len);
		need = 0;
		if (p->offset == 0) {
			if (p->proto == IPPROTO_TCP)
				need = sizeof(struct tcphdr);
			else if (p->proto == IPPROTO_UDP ||
			    p->proto == IPPROTO_UDPLITE)
				need = sizeof(struct udphdr);
			else if (p->proto == IPPROTO_ICMP)
				need = 4;
		} else if (p->offset == 1 && p->proto == IPPROTO_TCP)
			return (false);		/* RFC 3128 */
		if (need > 0) {
			need += ehlen + p->hlen;
			if (m->m_len < need &&
			    (args->m = m = m_pullup(m, need)) == NULL)
				return (false);
			if (p->eh != NULL)
				p->eh = mtod(m, struct ether_header *);
			p->ip = mtodo(m, ehlen);
			p->ulp = mtodo(m, ehlen + p->hlen);
			if (p->proto == IPPROTO_ICMP)
				;
			else {
				/* TCP and UDP both start with the ports. */
				p->sport = ntohs(((struct udphdr *)p->ulp)->uh_sport);
				p->dport = ntohs(((struct udphdr *)p->ulp)->uh_dport);
			}
			if (p->proto == IPPROTO_TCP)
				args->f_id._flags =
				    ((struct tcphdr *)p->ulp)->th_flags;
		}
		args->f_id.addr_type = 4;
		args->f_id.src_ip = ntohl(p->src.s_addr);
		args->f_id.dst_ip = ntohl(p->dst.s_addr);
	}
	/* What is no IP counts no bytes. */
	p->pktlen = MIN(p->iplen, p->pktlen);
	args->f_id.proto = p->proto;
	args->f_id.src_port = p->sport;
	args->f_id.dst_port = p->dport;
	return (true);
}

static void
rule_count(struct ip_fw *f, int bytes)
{

	counter_u64_add(f->cntr, 1);
	counter_u64_add(f->cntr + 1, bytes);
	/* By many CPUs at once; any of them is right. */
	__atomic_store_n(&f->timestamp, (uint32_t)time_second,
	    __ATOMIC_RELAXED);
}

/* Where to go on, when the packet comes back. */
static void
set_match(struct ip_fw_args *args, int slot, struct ip_fw_chain *chain)
{

	args->rule.chain_id = chain->id;
	args->rule.slot = slot + 1;
	args->rule.rule_id = 1 + chain->map[slot]->id;
	args->rule.rulenum = chain->map[slot]->rulenum;
	args->flags |= IPFW_ARGS_REF;
}

/* The slot that a skipto goes to: forward only. */
static uint32_t
jump(struct ip_fw_chain *chain, struct ip_fw *f, uint32_t num)
{
	struct ip_fw_jump_cache cache;

	cache.raw_value = __atomic_load_n(&f->cache.raw_value, __ATOMIC_RELAXED);
	if (cache.id == chain->id)
		return (cache.pos);
	if (num <= f->rulenum)
		num = f->rulenum + 1;
	cache.id = chain->id;
	cache.pos = ipfw_find_rule(chain, num, 0);
	__atomic_store_n(&f->cache.raw_value, cache.raw_value,
	    __ATOMIC_RELAXED);
	return (cache.pos);
}

static bool
may_reject(const struct fw_pkt *p)
{
	uint8_t type;

	if (!p->is_ipv4 || p->offset != 0 ||
	    (p->args->m->m_flags & (M_BCAST | M_MCAST)) != 0 ||
	    IN_MULTICAST(ntohl(p->dst.s_addr)))
		return (false);
	if (p->proto != IPPROTO_ICMP)
		return (true);
	type = ((const struct icmp *)p->ulp)->icmp_type;
	return (type == ICMP_ECHO || type == ICMP_TSTAMP ||
	    type == ICMP_MASKREQ);
}

/*
 * Tell the sender.  Consumes the packet.
 */
static void
send_reject(struct fw_pkt *p, int code)
{
	struct ip_fw_args *args = p->args;
	struct mbuf *m = args->m;
	struct tcphdr *th;

	args->m = NULL;
	if (p->eh != NULL)
		m_adj(m, ETHER_HDR_LEN);
	if (code != ICMP_REJECT_RST) {
		icmp_error(m, ICMP_UNREACH, code, 0, 0);
		return;
	}
	if (p->proto == IPPROTO_TCP) {
		th = p->ulp;
		tcp_respond_rst(m, p->ip, th,
		    p->iplen - (int)p->hlen - (th->th_off << 2));
	}
	m_freem(m);
}

/*
 * The rules, from the first one or from where the packet comes back.  The
 * packet is args->m, which may change, or be NULL afterwards (with
 * IP_FW_DENY).
 */
int
ipfw_chk(struct ip_fw_args *args)
{
	struct fw_pkt pkt = { .args = args };
	struct ip_fw_chain *chain = &V_layer3_chain;
	struct ip_fw *f;
	ipfw_insn *cmd;
	uint32_t f_pos;
	int l, reject, retval;
	bool done, match, skip_or;
	IPFW_RLOCK_TRACKER;

	if ((args->m->m_flags & M_SKIP_FIREWALL) != 0 || !V_ipfw_vnet_ready)
		return (IP_FW_PASS);
	if (!pkt_parse(&pkt)) {
		if (__atomic_load_n(&V_fw_verbose, __ATOMIC_RELAXED))
			printf("ipfw: pullup failed\n");
		return (IP_FW_DENY);
	}

	IPFW_PF_RLOCK(chain);
	if (!V_ipfw_vnet_ready) {
		IPFW_PF_RUNLOCK(chain);
		return (IP_FW_PASS);
	}
	if ((args->flags & IPFW_ARGS_REF) == 0)
		f_pos = 0;
	else if (args->rule.chain_id == chain->id)
		f_pos = args->rule.slot;
	else
		f_pos = ipfw_find_rule(chain, args->rule.rulenum,
		    args->rule.rule_id);
	if ((args->flags & IPFW_ARGS_IN) != 0)
		pkt.iif = args->ifp;
	else {
		MPASS(args->flags & IPFW_ARGS_OUT);
		pkt.iif = args->m->m_pkthdr.rcvif;
		pkt.oif = args->ifp;
	}

	done = false;
	reject = -1;
	retval = IP_FW_DENY;
	while (!done && f_pos < (uint32_t)chain->n_rules) {
		f = chain->map[f_pos];
		if ((V_set_disable & (1U << f->set)) != 0) {
			f_pos++;
			continue;
		}
		skip_or = false;
		for (l = f->cmd_len, cmd = f->cmd; l > 0;
		    l -= F_LEN(cmd), cmd += F_LEN(cmd)) {
			if (skip_or) {
				skip_or = (cmd->len & F_OR) != 0;
				continue;
			}
			switch (cmd->opcode) {
			case O_LOG:
				ipfw_log(chain, f, pkt.hlen, args, pkt.offset,
				    0, pkt.ip, pkt.eh);
				continue;
			case O_ACCEPT:
				retval = IP_FW_PASS;
				done = true;
				break;
			case O_DENY:
				retval = IP_FW_DENY;
				done = true;
				break;
			case O_REJECT:
				if (may_reject(&pkt))
					reject = cmd->arg1;
				retval = IP_FW_DENY;
				done = true;
				break;
			case O_PIPE:
			case O_QUEUE:
				set_match(args, f_pos, chain);
				args->rule.info = cmd->arg1;
				if (cmd->opcode == O_PIPE)
					args->rule.info |= IPFW_IS_PIPE;
				if (__atomic_load_n(&V_fw_one_pass, __ATOMIC_RELAXED))
					args->rule.info |= IPFW_ONEPASS;
				retval = IP_FW_DUMMYNET;
				done = true;
				break;
			case O_COUNT:
				rule_count(f, pkt.pktlen);
				break;
			case O_SKIPTO:
				rule_count(f, pkt.pktlen);
				f_pos = jump(chain, f, insntoc(cmd, u32)->d[0]);
				goto next_rule;
			default:
				match = insn_match(&pkt, cmd);
				if ((cmd->len & F_NOT) != 0)
					match = !match;
				if (match) {
					skip_or = (cmd->len & F_OR) != 0;
					continue;
				}
				if ((cmd->len & F_OR) != 0)
					continue;
				break;
			}
			break;
		}
		if (!done)
			f_pos++;
next_rule:
		;
	}
	if (done)
		rule_count(chain->map[f_pos], pkt.pktlen);
	else
		printf("ipfw: ouch!, skip past end of rules, "
		    "denying packet\n");
	IPFW_PF_RUNLOCK(chain);
	if (reject >= 0)
		send_reject(&pkt, reject);
	return (retval);
}

/*
 * Starting and stopping.
 */
static void
ipfw_init(const void *unused __unused)
{

	ipfw_init_counters();
	printf("ipfw2 initialized, divert loadable, nat loadable, "
	    "default to %s, logging disabled\n",
	    default_to_accept ? "accept" : "deny");
}

static void
vnet_ipfw_init(const void *unused __unused)
{
	struct ip_fw_chain *chain = &V_layer3_chain;
	struct ip_fw *rule;

	V_autoinc_step = 100;
	bzero(chain, sizeof(*chain));
	chain->map = malloc(sizeof(struct ip_fw *), M_IPFW, M_WAITOK | M_ZERO);
	rule = ipfw_alloc_rule(chain, sizeof(struct ip_fw));
	rule->cmd_len = 1;
	rule->cmd[0].len = 1;
	rule->cmd[0].opcode = default_to_accept ? O_ACCEPT : O_DENY;
	rule->rulenum = IPFW_DEFAULT_RULE;
	rule->set = RESVD_SET;
	rule->id = 1;
	chain->default_rule = chain->map[0] = rule;
	chain->id = rule->id + 1;
	chain->n_rules = 1;
	IPFW_LOCK_INIT(chain);
	V_ipfw_vnet_ready = 1;
	V_ip_fw_ctl_ptr = ipfw_ctl3;
	(void)ipfw_attach_hooks();
}

static void
vnet_ipfw_uninit(const void *unused __unused)
{
	struct ip_fw_chain *chain = &V_layer3_chain;
	struct ip_fw *reap;
	int i;

	V_ipfw_vnet_ready = 0;
	ipfw_detach_hooks();
	V_ip_fw_ctl_ptr = NULL;
	/* Those who are in the hooks, and in the rules, leave. */
	NET_EPOCH_WAIT();
	IPFW_UH_WLOCK(chain);
	IPFW_WLOCK(chain);
	reap = NULL;
	for (i = 0; i < chain->n_rules; i++)
		ipfw_reap_add(chain, &reap, chain->map[i]);
	chain->n_rules = 0;
	IPFW_WUNLOCK(chain);
	IPFW_UH_WUNLOCK(chain);
	free(chain->map, M_IPFW);
	chain->map = NULL;
	ipfw_reap_rules(reap);
	IPFW_LOCK_DESTROY(chain);
}

static void
ipfw_destroy(const void *unused __unused)
{

	ipfw_destroy_counters();
	printf("IP firewall unloaded\n");
}

static int
ipfw_modevent(module_t mod, int type, void *unused)
{

	switch (type) {
	case MOD_LOAD:
	case MOD_QUIESCE:
	case MOD_UNLOAD:
	case MOD_SHUTDOWN:
		return (0);
	default:
		return (EOPNOTSUPP);
	}
}

static moduledata_t ipfwmod = {
	"ipfw",
	ipfw_modevent,
	NULL
};

#define	IPFW_SI_SUB_FIREWALL	SI_SUB_PROTO_FIREWALL
#define	IPFW_MODEVENT_ORDER	(SI_ORDER_ANY - 255)
#define	IPFW_MODULE_ORDER	(IPFW_MODEVENT_ORDER + 1)
#define	IPFW_VNET_ORDER		(IPFW_MODEVENT_ORDER + 2)
DECLARE_MODULE(ipfw, ipfwmod, IPFW_SI_SUB_FIREWALL, IPFW_MODEVENT_ORDER);
MODULE_VERSION(ipfw, 3);
SYSINIT(ipfw_init, IPFW_SI_SUB_FIREWALL, IPFW_MODULE_ORDER, ipfw_init, NULL);
VNET_SYSINIT(vnet_ipfw_init, IPFW_SI_SUB_FIREWALL, IPFW_VNET_ORDER,
    vnet_ipfw_init, NULL);
SYSUNINIT(ipfw_destroy, IPFW_SI_SUB_FIREWALL, IPFW_MODULE_ORDER, ipfw_destroy,
    NULL);
VNET_SYSUNINIT(vnet_ipfw_uninit, IPFW_SI_SUB_FIREWALL, IPFW_VNET_ORDER,
    vnet_ipfw_uninit, NULL);
