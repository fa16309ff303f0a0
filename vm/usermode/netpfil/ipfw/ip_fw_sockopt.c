/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw: the ruleset, and what ipfw(8) does to it (IP_FW3).
 *
 * A new ruleset is a new map, made without locks and put in place under both.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/counter.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/priv.h>
#include <sys/proc.h>
#include <sys/rmlock.h>
#include <sys/rwlock.h>
#include <sys/smp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <vm/uma.h>

#include <net/if.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_icmp.h>

#include <netpfil/ipfw/ip_fw_private.h>

static uma_zone_t ipfw_cntr_zone;

void
ipfw_init_counters(void)
{

	ipfw_cntr_zone = uma_zcreate("IPFW counters", IPFW_RULE_CNTR_SIZE,
	    NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, UMA_ZONE_PCPU);
}

void
ipfw_destroy_counters(void)
{

	uma_zdestroy(ipfw_cntr_zone);
}

struct ip_fw *
ipfw_alloc_rule(struct ip_fw_chain *chain, size_t rulesize)
{
	struct ip_fw *rule;

	rule = malloc(rulesize, M_IPFW, M_WAITOK | M_ZERO);
	rule->cntr = uma_zalloc_pcpu(ipfw_cntr_zone, M_WAITOK | M_ZERO);
	rule->refcnt = 1;
	return (rule);
}

void
ipfw_free_rule(struct ip_fw *rule)
{

	if (rule->refcnt > 1)
		return;
	uma_zfree_pcpu(ipfw_cntr_zone, rule->cntr);
	free(rule, M_IPFW);
}

void
ipfw_reap_add(struct ip_fw_chain *chain, struct ip_fw **head,
    struct ip_fw *rule)
{

	IPFW_UH_WLOCK_ASSERT(chain);
	rule->next = *head;
	*head = rule;
}

void
ipfw_reap_rules(struct ip_fw *head)
{
	struct ip_fw *rule;

	while ((rule = head) != NULL) {
		head = rule->next;
		ipfw_free_rule(rule);
	}
}

/*
 * The first slot whose rule has this number and at least this id, or a higher
 * number.  The default rule has the highest.
 */
int
ipfw_find_rule(struct ip_fw_chain *chain, uint32_t key, uint32_t id)
{
	struct ip_fw *r;
	int hi, lo, mid;

	for (lo = 0, hi = chain->n_rules - 1; lo < hi;) {
		mid = (lo + hi) / 2;
		r = chain->map[mid];
		if (r->rulenum < key || (r->rulenum == key && r->id < id))
			lo = mid + 1;
		else
			hi = mid;
	}
	return (hi);
}

/*
 * Room for a new map of extra more (or less) rules.  Returns with the upper
 * lock held.
 */
static struct ip_fw **
get_map(struct ip_fw_chain *chain, int extra)
{
	struct ip_fw **map;
	int i;

	for (;;) {
		i = chain->n_rules + extra;
		map = malloc((i + 1) * sizeof(map[0]), M_IPFW,
		    M_WAITOK | M_ZERO);
		IPFW_UH_WLOCK(chain);
		if (i >= chain->n_rules + extra)
			return (map);
		IPFW_UH_WUNLOCK(chain);
		free(map, M_IPFW);
	}
}

/* Puts a map in place; returns the old one. */
static struct ip_fw **
swap_map(struct ip_fw_chain *chain, struct ip_fw **map, int n_rules)
{
	struct ip_fw **old;

	IPFW_WLOCK(chain);
	chain->id++;
	chain->n_rules = n_rules;
	old = chain->map;
	chain->map = map;
	IPFW_WUNLOCK(chain);
	return (old);
}

static int
add_rule(struct ip_fw_chain *chain, struct ip_fw *rule)
{
	struct ip_fw **map;
	uint32_t last;
	int slot;

	map = get_map(chain, 1);
	if (V_autoinc_step < 1)
		V_autoinc_step = 1;
	else if (V_autoinc_step > 1000)
		V_autoinc_step = 1000;
	if (rule->rulenum == 0) {
		last = chain->n_rules > 1 ?
		    chain->map[chain->n_rules - 2]->rulenum : 0;
		if (last < (uint32_t)(IPFW_DEFAULT_RULE - V_autoinc_step))
			last += V_autoinc_step;
		rule->rulenum = last;
	}
	rule->id = chain->id + 1;
	/* Behind those of the same number. */
	slot = ipfw_find_rule(chain, rule->rulenum + 1, 0);
	memcpy(map, chain->map, slot * sizeof(map[0]));
	map[slot] = rule;
	memcpy(map + slot + 1, chain->map + slot,
	    (chain->n_rules - slot) * sizeof(map[0]));
	map = swap_map(chain, map, chain->n_rules + 1);
	IPFW_UH_WUNLOCK(chain);
	free(map, M_IPFW);
	return (0);
}

int
ipfw_add_protected_rule(struct ip_fw_chain *chain, struct ip_fw *rule,
    int locked)
{

	KASSERT(!locked, ("%s: with the lock held", __func__));
	rule->set = RESVD_SET;
	return (add_rule(chain, rule));
}

/*
 * Is the rule among those that a command is for?  The default rule only when
 * asked for.
 */
int
ipfw_match_range(struct ip_fw *rule, ipfw_range_tlv *rt)
{

	if (rule->rulenum == IPFW_DEFAULT_RULE &&
	    (rt->flags & IPFW_RCFLAG_DEFAULT) == 0)
		return (0);
	if ((rt->flags & IPFW_RCFLAG_ALL) != 0 && rule->set == RESVD_SET &&
	    (rt->flags & (IPFW_RCFLAG_SET | IPFW_RCFLAG_DEFAULT)) == 0)
		return (0);
	if ((rt->flags & IPFW_RCFLAG_SET) != 0 && rule->set != rt->set)
		return (0);
	if ((rt->flags & IPFW_RCFLAG_RANGE) != 0 &&
	    (rule->rulenum < rt->start_rule || rule->rulenum > rt->end_rule))
		return (0);
	return (1);
}

static int
delete_range(struct ip_fw_chain *chain, ipfw_range_tlv *rt, int *ndel)
{
	struct ip_fw **map, *reap;
	int i, kept;

	map = get_map(chain, 0);
	reap = NULL;
	*ndel = 0;
	for (i = kept = 0; i < chain->n_rules; i++) {
		if (ipfw_match_range(chain->map[i], rt)) {
			ipfw_reap_add(chain, &reap, chain->map[i]);
			(*ndel)++;
		} else
			map[kept++] = chain->map[i];
	}
	if (*ndel > 0)
		map = swap_map(chain, map, kept);
	IPFW_UH_WUNLOCK(chain);
	free(map, M_IPFW);
	ipfw_reap_rules(reap);
	return (0);
}

static void
clear_counters(struct ip_fw *rule, bool log_only)
{
	ipfw_insn_log *l = insntod(ACTION_PTR(rule), log);
	int cpu;

	if (!log_only) {
		CPU_FOREACH(cpu)
			bzero(zpcpu_get_cpu(rule->cntr, cpu),
			    IPFW_RULE_CNTR_SIZE);
		rule->timestamp = 0;
	}
	if (l->o.opcode == O_LOG)
		l->log_left = l->max_log;
}

static int
clear_range(struct ip_fw_chain *chain, ipfw_range_tlv *rt, bool log_only)
{
	int i, n;

	rt->flags |= IPFW_RCFLAG_DEFAULT;
	IPFW_UH_WLOCK(chain);
	for (i = n = 0; i < chain->n_rules; i++)
		if (ipfw_match_range(chain->map[i], rt)) {
			clear_counters(chain->map[i], log_only);
			n++;
		}
	IPFW_UH_WUNLOCK(chain);
	return (n);
}

/* Sets change under the lower lock: packets must not see half of it. */
static int
change_sets(struct ip_fw_chain *chain, ipfw_range_tlv *rt, int cmd)
{
	struct ip_fw *rule;
	uint32_t mask;
	int i;

	if (cmd == IP_FW_SET_ENABLE) {
		/* set: those to disable, new_set: those to enable */
		IPFW_UH_WLOCK(chain);
		IPFW_WLOCK(chain);
		mask = (V_set_disable | rt->set) & ~rt->new_set;
		V_set_disable = mask & ~(1U << RESVD_SET);
		IPFW_WUNLOCK(chain);
		IPFW_UH_WUNLOCK(chain);
		return (0);
	}
	if (rt->set > RESVD_SET || rt->new_set > RESVD_SET)
		return (EINVAL);
	IPFW_UH_WLOCK(chain);
	IPFW_WLOCK(chain);
	for (i = 0; i < chain->n_rules - 1; i++) {
		rule = chain->map[i];
		if (cmd == IP_FW_XMOVE) {
			if (ipfw_match_range(rule, rt))
				rule->set = rt->new_set;
		} else if (rule->set == rt->set)
			rule->set = rt->new_set;
		else if (rule->set == rt->new_set && cmd == IP_FW_SET_SWAP)
			rule->set = rt->set;
	}
	IPFW_WUNLOCK(chain);
	IPFW_UH_WUNLOCK(chain);
	return (0);
}

/*
 * How long an instruction has to be: words, or -1 for one that has a list of
 * pairs (at least one), -2 for an instruction that there is not.
 */
static int
opcode_length(int opcode)
{

	switch (opcode) {
	case O_IN:
	case O_LAYER2:
	case O_PROTO:
	case O_IP4:
	case O_IPVER:
	case O_IP_SRC_ME:
	case O_IP_DST_ME:
	case O_FRAG:
	case O_IPTOS:
	case O_IPPRECEDENCE:
	case O_ESTAB:
	case O_TCPFLAGS:
	case O_ACCEPT:
	case O_DENY:
	case O_REJECT:
	case O_COUNT:
	case O_PIPE:
	case O_QUEUE:
		return (F_INSN_SIZE(ipfw_insn));
	case O_RECV:
	case O_XMIT:
	case O_VIA:
		return (F_INSN_SIZE(ipfw_insn_if));
	case O_MACADDR2:
		return (F_INSN_SIZE(ipfw_insn_mac));
	case O_IP_SRC:
	case O_IP_DST:
	case O_ICMPTYPE:
	case O_TCPSEQ:
	case O_TCPACK:
	case O_PROB:
	case O_SKIPTO:
		return (F_INSN_SIZE(ipfw_insn_u32));
	case O_DSCP:
		return (F_INSN_SIZE(ipfw_insn_u32) + 1);
	case O_LOG:
		return (F_INSN_SIZE(ipfw_insn_log));
	case O_NOP:
	case O_MAC_TYPE:
	case O_IP_SRC_MASK:
	case O_IP_DST_MASK:
	case O_IP_SRC_SET:
	case O_IP_DST_SET:
	case O_IPLEN:
	case O_IPTTL:
	case O_IPID:
	case O_IP_SRCPORT:
	case O_IP_DSTPORT:
	case O_TCPWIN:
	case O_TCPDATALEN:
		return (-1);
	default:
		return (-2);
	}
}

static bool
is_action(int opcode)
{

	return (opcode == O_ACCEPT || opcode == O_DENY || opcode == O_REJECT ||
	    opcode == O_COUNT || opcode == O_PIPE || opcode == O_QUEUE ||
	    opcode == O_SKIPTO);
}

/*
 * A rule from userland may be anything.
 */
static int
check_rule(const struct ip_fw_rule *rule, size_t size)
{
	const ipfw_insn *cmd;
	int l, want;
	bool action;

	if (size < sizeof(*rule) || size < RULESIZE(rule) ||
	    rule->act_ofs >= rule->cmd_len || rule->set > RESVD_SET ||
	    rule->rulenum > IPFW_DEFAULT_RULE - 1) {
		printf("ipfw: bogus rule\n");
		return (EINVAL);
	}
	action = false;
	for (l = rule->cmd_len, cmd = rule->cmd; l > 0;
	    l -= F_LEN(cmd), cmd += F_LEN(cmd)) {
		if (F_LEN(cmd) == 0 || F_LEN(cmd) > l) {
			printf("ipfw: opcode %d size truncated\n",
			    cmd->opcode);
			return (EINVAL);
		}
		want = opcode_length(cmd->opcode);
		if (want == -2) {
			printf("ipfw: opcode %d, unknown opcode\n",
			    cmd->opcode);
			return (EINVAL);
		}
		if (want != -1 && F_LEN(cmd) != want) {
			printf("ipfw: opcode %d, wrong size %d\n",
			    cmd->opcode, F_LEN(cmd));
			return (EINVAL);
		}
		if (is_action(cmd->opcode)) {
			if (action || F_LEN(cmd) != l) {
				printf("ipfw: opcode %d, %s\n", cmd->opcode,
				    action ? "multiple actions not allowed" :
				    "action must be last opcode");
				return (EINVAL);
			}
			action = true;
		}
	}
	if (!action) {
		printf("ipfw: missing action\n");
		return (EINVAL);
	}
	return (0);
}

static int
ctl_add(struct ip_fw_chain *chain, char *buf, size_t size)
{
	struct ip_fw_rule *u = (struct ip_fw_rule *)(buf + sizeof(ip_fw3_opheader));
	struct ip_fw *rule;
	int error;

	if (size < sizeof(ip_fw3_opheader) + sizeof(*u))
		return (EINVAL);
	error = check_rule(u, size - sizeof(ip_fw3_opheader));
	if (error != 0)
		return (error);
	rule = ipfw_alloc_rule(chain, sizeof(*rule) + u->cmd_len * 4 - 4);
	rule->act_ofs = u->act_ofs;
	rule->cmd_len = u->cmd_len;
	rule->rulenum = u->rulenum;
	rule->set = u->set;
	rule->flags = u->flags;
	memcpy(rule->cmd, u->cmd, u->cmd_len * 4);
	error = add_rule(chain, rule);
	u->rulenum = rule->rulenum;
	return (error);
}

static size_t
export_size(const struct ip_fw *rule)
{

	return (sizeof(ipfw_obj_tlv) + sizeof(struct ip_fw_bcounter) +
	    roundup2(sizeof(struct ip_fw_rule) + rule->cmd_len * 4 - 4, 8));
}

static char *
export_rule(struct ip_fw *rule, char *p)
{
	ipfw_obj_tlv *tlv = (ipfw_obj_tlv *)p;
	struct ip_fw_bcounter *cntr = (struct ip_fw_bcounter *)(tlv + 1);
	struct ip_fw_rule *u = (struct ip_fw_rule *)(cntr + 1);

	tlv->type = IPFW_TLV_RULE_ENT;
	tlv->length = export_size(rule);
	cntr->size = sizeof(*cntr);
	cntr->pcnt = counter_u64_fetch(rule->cntr);
	cntr->bcnt = counter_u64_fetch(rule->cntr + 1);
	cntr->timestamp = __atomic_load_n(&rule->timestamp, __ATOMIC_RELAXED);
	u->act_ofs = rule->act_ofs;
	u->cmd_len = rule->cmd_len;
	u->set = rule->set;
	u->flags = rule->flags;
	u->rulenum = rule->rulenum;
	u->id = rule->id;
	memcpy(u->cmd, rule->cmd, rule->cmd_len * 4);
	return (p + tlv->length);
}

/*
 * All rules.  With too little room only the header, which tells how much it
 * takes, and ENOMEM.
 */
static int
ctl_get(struct ip_fw_chain *chain, char *buf, size_t size, size_t *used)
{
	ipfw_cfg_lheader *hdr = (ipfw_cfg_lheader *)buf;
	ipfw_obj_ctlv *ctlv;
	size_t need;
	char *p;
	int i;

	if (size < sizeof(*hdr))
		return (EINVAL);
	IPFW_UH_RLOCK(chain);
	need = sizeof(*hdr) + sizeof(*ctlv);
	for (i = 0; i < chain->n_rules; i++)
		need += export_size(chain->map[i]);
	hdr->size = need;
	hdr->set_mask = ~V_set_disable;
	if (size < need) {
		IPFW_UH_RUNLOCK(chain);
		*used = sizeof(*hdr);
		return (ENOMEM);
	}
	ctlv = (ipfw_obj_ctlv *)(hdr + 1);
	ctlv->head.type = IPFW_TLV_RULE_LIST;
	ctlv->head.length = need - sizeof(*hdr);
	ctlv->count = chain->n_rules;
	p = (char *)(ctlv + 1);
	for (i = 0; i < chain->n_rules; i++)
		p = export_rule(chain->map[i], p);
	IPFW_UH_RUNLOCK(chain);
	*used = need;
	return (0);
}

static int
ctl_range(struct ip_fw_chain *chain, char *buf, size_t size, int cmd)
{
	ipfw_range_tlv *rt;
	int error, n;

	if (size < sizeof(ipfw_range_header))
		return (EINVAL);
	rt = &((ipfw_range_header *)buf)->range;
	rt->flags &= ~IPFW_RCFLAG_DEFAULT;
	error = n = 0;
	switch (cmd) {
	case IP_FW_XDEL:
		error = delete_range(chain, rt, &n);
		break;
	case IP_FW_XZERO:
	case IP_FW_XRESETLOG:
		n = clear_range(chain, rt, cmd == IP_FW_XRESETLOG);
		break;
	default:
		return (change_sets(chain, rt, cmd));
	}
	rt->new_set = n;	/* how many it were */
	return (error);
}

int
ipfw_ctl3(struct sockopt *sopt)
{
	struct ip_fw_chain *chain = &V_layer3_chain;
	ip_fw3_opheader *op;
	size_t size, used;
	char *buf;
	int error, error2;

	error = priv_check(sopt->sopt_td, PRIV_NETINET_IPFW);
	if (error != 0)
		return (error);
	if (sopt->sopt_name != IP_FW3)
		return (ENOPROTOOPT);
	size = sopt->sopt_valsize;
	if (size < sizeof(*op) || size > 64 * 1024 * 1024)
		return (EINVAL);
	buf = malloc(size, M_TEMP, M_WAITOK | M_ZERO);
	error = sooptcopyin(sopt, buf, size, sizeof(*op));
	if (error != 0) {
		free(buf, M_TEMP);
		return (error);
	}
	op = (ip_fw3_opheader *)buf;
	used = size;
	switch (op->opcode) {
	case IP_FW_XADD:
		error = ctl_add(chain, buf, size);
		break;
	case IP_FW_XGET:
		error = ctl_get(chain, buf, size, &used);
		break;
	case IP_FW_XDEL:
	case IP_FW_XZERO:
	case IP_FW_XRESETLOG:
	case IP_FW_XMOVE:
	case IP_FW_SET_SWAP:
	case IP_FW_SET_MOVE:
	case IP_FW_SET_ENABLE:
		error = ctl_range(chain, buf, size, op->opcode);
		break;
	default:
		error = EINVAL;
		break;
	}
	if (sopt->sopt_dir == SOPT_GET && (error == 0 || error == ENOMEM)) {
		sopt->sopt_valsize = size;
		error2 = sooptcopyout(sopt, buf, used);
		if (error == 0)
			error = error2;
	}
	free(buf, M_TEMP);
	return (error);
}
