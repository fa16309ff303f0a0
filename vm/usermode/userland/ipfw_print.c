/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw(8): instructions back into words.  Protocol, source and destination
 * come first, wherever they are in the rule; all else in its order.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/socket.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include "ipfw_user.h"

#define	HAVE_PROTO	0x01
#define	HAVE_SRCIP	0x02
#define	HAVE_DSTIP	0x04

struct printer {
	const struct ipfw *x;
	const struct ip_fw_rule *rule;
	int		flags;
	bool		or_block;
	bool		printed[256];	/* by word */
};

#define	FOREACH_INSN(cmd, rule)						\
	for (cmd = (rule)->cmd; cmd < (rule)->cmd + (rule)->act_ofs;	\
	    cmd += F_LEN(cmd))

static void
print_inet(struct in_addr a)
{
	char buf[INET_ADDRSTRLEN];

	u_printf("%s", inet_ntoa_r(a, buf));
}

static const char *
list_name(int opcode)
{

	switch (opcode) {
	case O_IP_DSTPORT:
		return ("dst-port");
	case O_IP_SRCPORT:
		return ("src-port");
	case O_IPID:
		return ("ipid");
	case O_IPLEN:
		return ("iplen");
	case O_IPTTL:
		return ("ipttl");
	case O_MAC_TYPE:
		return ("mac-type");
	case O_TCPDATALEN:
		return ("tcpdatalen");
	case O_TCPWIN:
		return ("tcpwin");
	default:
		return ("???");
	}
}

static void
print_u16(int opcode, uint16_t v)
{

	if (opcode == O_MAC_TYPE)
		u_printf("0x%04x", v);
	else
		u_printf("%d", v);
}

static void
print_list(const ipfw_insn *cmd, bool name)
{
	const uint16_t *p;
	const char *sep;
	int i;

	if (name)
		u_printf(" %s", list_name(cmd->opcode));
	if (F_LEN(cmd) == 1) {
		u_printf(" %u", cmd->arg1);
		return;
	}
	p = insntoc(cmd, u16)->ports;
	sep = " ";
	for (i = F_LEN(cmd) - 1; i > 0; i--, p += 2) {
		u_printf("%s", sep);
		print_u16(cmd->opcode, p[0]);
		if (p[0] != p[1]) {
			u_printf("-");
			print_u16(cmd->opcode, p[1]);
		}
		sep = ",";
	}
}

static void
print_flags(const char *name, const ipfw_insn *cmd, const struct token *t)
{
	const char *comma;
	int clear, set;

	set = cmd->arg1 & 0xff;
	clear = cmd->arg1 >> 8;
	if (t == ipfw_tcpflags && set == TH_SYN && clear == TH_ACK) {
		u_printf(" setup");
		return;
	}
	u_printf(" %s ", name);
	for (comma = ""; t->word != NULL; t++) {
		if ((set & t->value) != 0) {
			u_printf("%s%s", comma, t->word);
			comma = ",";
			set &= ~t->value;
		}
		if ((clear & t->value) != 0) {
			u_printf("%s!%s", comma, t->word);
			comma = ",";
			clear &= ~t->value;
		}
	}
}

static void
print_addr_set(const ipfw_insn_u32 *cmd)
{
	const uint32_t *map;
	struct in_addr addr;
	uint32_t base, mask;
	int i, j, n;
	char comma;

#define	BIT(i)	((map[(i) / 32] & (1U << ((i) & 31))) != 0)
	n = cmd->o.arg1;
	mask = htonl(~(uint32_t)(n - 1));
	addr.s_addr = htonl(cmd->d[0]);
	u_printf(" ");
	print_inet(addr);
	u_printf("/%d", ipfw_contigmask((uint8_t *)&mask, 32));
	base = cmd->d[0] & 0xff;
	map = &cmd->d[1];
	comma = '{';
	for (i = 0; i < n; i++) {
		if (!BIT(i))
			continue;
		for (j = i + 1; j < n && BIT(j); j++)
			;
		u_printf("%c%d", comma, i + (int)base);
		if (j > i + 2) {
			u_printf("-%d", j - 1 + (int)base);
			i = j - 1;
		}
		comma = ',';
	}
	u_printf("}");
#undef BIT
}

static void
print_ip(const ipfw_insn *cmd)
{
	const uint32_t *a;
	struct in_addr in;
	int bits, n;

	switch (cmd->opcode) {
	case O_IP_SRC_ME:
	case O_IP_DST_ME:
		u_printf(" me");
		return;
	case O_IP_SRC_SET:
	case O_IP_DST_SET:
		print_addr_set(insntoc(cmd, u32));
		return;
	}
	u_printf(" ");
	a = insntoc(cmd, u32)->d;
	for (n = F_LEN(cmd) / 2; n > 0; n--, a += 2) {
		bits = F_LEN(cmd) == 2 ? 32 :
		    ipfw_contigmask((const uint8_t *)&a[1], 32);
		if (bits == 0)
			u_printf("any");
		else {
			in.s_addr = a[0];
			print_inet(in);
			if (bits < 0) {
				in.s_addr = a[1];
				u_printf(":");
				print_inet(in);
			} else if (bits < 32)
				u_printf("/%d", bits);
		}
		if (n > 1)
			u_printf(",");
	}
}

static void
print_mac(const u_char *addr, const u_char *mask)
{
	int bits;

	bits = ipfw_contigmask(mask, 48);
	if (bits == 0) {
		u_printf(" any");
		return;
	}
	u_printf(" %02x:%02x:%02x:%02x:%02x:%02x", addr[0], addr[1], addr[2],
	    addr[3], addr[4], addr[5]);
	if (bits == -1)
		u_printf("&%02x:%02x:%02x:%02x:%02x:%02x", mask[0], mask[1],
		    mask[2], mask[3], mask[4], mask[5]);
	else if (bits < 48)
		u_printf("/%d", bits);
}

static void
print_bits(const char *name, const uint32_t *d, int n, const struct token *t)
{
	const char *word;
	char sep;
	int i;

	u_printf(" %s", name);
	for (i = 0, sep = ' '; i < n; i++) {
		if ((d[i / 32] & (1U << (i % 32))) == 0)
			continue;
		word = t != NULL ? match_value(t, i) : NULL;
		if (word != NULL)
			u_printf("%c%s", sep, word);
		else
			u_printf("%c%d", sep, i);
		sep = ',';
	}
}

static void
print_iface(const char *word, const ipfw_insn_if *cmd)
{

	u_printf(" %s ", word);
	if (cmd->name[0] == '\0')
		print_inet(cmd->p.ip);
	else
		u_printf("%.*s", (int)sizeof(cmd->name), cmd->name);
}

static void
print_prob(uint32_t v)
{
	uint64_t millionth;

	millionth = ((uint64_t)v * 1000000 + 0x7fffffff / 2) / 0x7fffffff;
	u_printf("prob %d.%06d ", (int)(millionth / 1000000),
	    (int)(millionth % 1000000));
}

static bool
is_src(const ipfw_insn *cmd)
{

	return (cmd->opcode >= O_IP_SRC && cmd->opcode <= O_IP_SRC_SET);
}

static bool
is_dst(const ipfw_insn *cmd)
{

	return (cmd->opcode >= O_IP_DST && cmd->opcode <= O_IP_DST_SET);
}

static void
print_body(struct printer *p, const ipfw_insn *cmd)
{
	const char *name;

	switch (cmd->opcode) {
	case O_PROB:
		print_prob(insntoc(cmd, u32)->d[0]);
		break;
	case O_IP_SRC:
	case O_IP_SRC_MASK:
	case O_IP_SRC_ME:
	case O_IP_SRC_SET:
		if ((p->flags & HAVE_SRCIP) != 0)
			u_printf(" src-ip");
		print_ip(cmd);
		break;
	case O_IP_DST:
	case O_IP_DST_MASK:
	case O_IP_DST_ME:
	case O_IP_DST_SET:
		if ((p->flags & HAVE_DSTIP) != 0)
			u_printf(" dst-ip");
		print_ip(cmd);
		break;
	case O_IP_SRCPORT:
	case O_IP_DSTPORT:
		print_list(cmd, (p->flags & (HAVE_SRCIP | HAVE_DSTIP)) ==
		    (HAVE_SRCIP | HAVE_DSTIP));
		break;
	case O_PROTO:
		if ((p->flags & HAVE_PROTO) != 0)
			u_printf(" proto");
		name = ipfw_proto_name(cmd->arg1);
		if (name != NULL)
			u_printf(" %s", name);
		else
			u_printf(" %u", cmd->arg1);
		break;
	case O_IP4:
		if ((p->flags & HAVE_PROTO) != 0)
			u_printf(" proto");
		u_printf(" ip4");
		break;
	case O_MACADDR2:
		u_printf(" MAC");
		print_mac(insntoc(cmd, mac)->addr, insntoc(cmd, mac)->mask);
		print_mac(insntoc(cmd, mac)->addr + 6,
		    insntoc(cmd, mac)->mask + 6);
		break;
	case O_MAC_TYPE:
	case O_IPLEN:
	case O_IPID:
	case O_IPTTL:
	case O_TCPWIN:
	case O_TCPDATALEN:
		print_list(cmd, true);
		break;
	case O_FRAG:
		print_flags("frag", cmd, ipfw_ipoff);
		break;
	case O_IPTOS:
		print_flags("iptos", cmd, ipfw_iptos);
		break;
	case O_TCPFLAGS:
		print_flags("tcpflags", cmd, ipfw_tcpflags);
		break;
	case O_IN:
		u_printf((cmd->len & F_NOT) != 0 ? " out" : " in");
		break;
	case O_LAYER2:
		u_printf(" layer2");
		break;
	case O_XMIT:
		print_iface("xmit", insntoc(cmd, if));
		break;
	case O_RECV:
		print_iface("recv", insntoc(cmd, if));
		break;
	case O_VIA:
		print_iface("via", insntoc(cmd, if));
		break;
	case O_IPVER:
		u_printf(" ipver %u", cmd->arg1);
		break;
	case O_IPPRECEDENCE:
		u_printf(" ipprecedence %u", cmd->arg1 >> 5);
		break;
	case O_DSCP:
		print_bits("dscp", insntoc(cmd, u32)->d, 64, ipfw_dscp);
		break;
	case O_ICMPTYPE:
		print_bits("icmptypes", insntoc(cmd, u32)->d, 32, NULL);
		break;
	case O_ESTAB:
		u_printf(" established");
		break;
	case O_TCPSEQ:
		u_printf(" tcpseq %d", (int)ntohl(insntoc(cmd, u32)->d[0]));
		break;
	case O_TCPACK:
		u_printf(" tcpack %d", (int)ntohl(insntoc(cmd, u32)->d[0]));
		break;
	case O_NOP:
		u_printf(" // %s", (const char *)(cmd + 1));
		break;
	default:
		u_printf(" [opcode %d len %d]", cmd->opcode, cmd->len);
		break;
	}
}

/* One instruction, if it has not been printed yet. */
static bool
print_insn(struct printer *p, const ipfw_insn *cmd)
{
	bool *printed = &p->printed[cmd - p->rule->cmd];

	if (*printed)
		return (false);
	*printed = true;
	if ((cmd->len & F_OR) != 0 && !p->or_block)
		u_printf(" {");
	if (cmd->opcode != O_IN && (cmd->len & F_NOT) != 0)
		u_printf(" not");
	print_body(p, cmd);
	if ((cmd->len & F_OR) != 0) {
		u_printf(" or");
		p->or_block = true;
	} else if (p->or_block) {
		u_printf(" }");
		p->or_block = false;
	}
	return (true);
}

static void
print_protos(struct printer *p)
{
	const ipfw_insn *cmd;
	bool any;

	any = false;
	FOREACH_INSN(cmd, p->rule) {
		if (cmd->opcode != O_PROTO && cmd->opcode != O_IP4)
			continue;
		any = true;
		print_insn(p, cmd);
		if ((cmd->len & F_OR) == 0)
			break;
	}
	if (!any)
		u_printf(" ip");
	p->flags |= HAVE_PROTO;
}

/*
 * Addresses, and the ports if there is one list of them, outside of a block.
 */
static void
print_address(struct printer *p, bool (*is_addr)(const ipfw_insn *), int portop,
    int flag)
{
	const ipfw_insn *cmd, *port;
	bool any, in_or, port_in_or;
	int ports;

	any = in_or = port_in_or = false;
	port = NULL;
	ports = 0;
	FOREACH_INSN(cmd, p->rule) {
		if (is_addr(cmd))
			any = true;
		else if (cmd->opcode == portop) {
			port = cmd;
			ports++;
			port_in_or = in_or || (cmd->len & F_OR) != 0;
		}
		in_or = (cmd->len & F_OR) != 0;
	}
	if (!any)
		u_printf(" any");
	else
		FOREACH_INSN(cmd, p->rule) {
			if (!is_addr(cmd))
				continue;
			print_insn(p, cmd);
			if ((cmd->len & F_OR) == 0)
				break;
		}
	if (ports == 1 && !port_in_or)
		print_insn(p, port);
	p->flags |= flag;
}

static void
print_reject(int code)
{
	const char *word;

	if (code == ICMP_REJECT_RST)
		u_printf("reset");
	else if (code == ICMP_UNREACH_HOST)
		u_printf("reject");
	else if ((word = match_value(ipfw_icmpcodes, code)) != NULL)
		u_printf("unreach %s", word);
	else
		u_printf("unreach %u", code);
}

static void
print_action(const struct ip_fw_rule *rule)
{
	const ipfw_insn *cmd, *log;

	cmd = ACTION_PTR(rule);
	log = NULL;
	if (cmd->opcode == O_LOG) {
		log = cmd;
		cmd += F_LEN(cmd);
	}
	switch (cmd->opcode) {
	case O_ACCEPT:
		u_printf("allow");
		break;
	case O_DENY:
		u_printf("deny");
		break;
	case O_COUNT:
		u_printf("count");
		break;
	case O_REJECT:
		print_reject(cmd->arg1);
		break;
	case O_SKIPTO:
		u_printf("skipto %u", insntoc(cmd, u32)->d[0]);
		break;
	case O_PIPE:
		u_printf("pipe %u", cmd->arg1);
		break;
	case O_QUEUE:
		u_printf("queue %u", cmd->arg1);
		break;
	default:
		u_printf("** unrecognized instruction %d len %d ",
		    cmd->opcode, cmd->len);
		break;
	}
	if (log != NULL) {
		u_printf(" log");
		if (insntoc(log, log)->max_log > 0)
			u_printf(" logamount %d", insntoc(log, log)->max_log);
	}
}

/* As ctime(3) in UTC, without the newline: 24 characters. */
static void
print_time(uint32_t t)
{
	static const char wday[] = "ThuFriSatSunMonTueWed";
	static const char month[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const int mdays[] =
	    { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int d, days, m, secs, y;

#define	LEAP(y)	((y) % 4 == 0 && ((y) % 100 != 0 || (y) % 400 == 0))

	days = t / 86400;
	secs = t % 86400;
	for (y = 1970, d = days; d >= 365 + LEAP(y); y++)
		d -= 365 + LEAP(y);
	for (m = 0; d >= mdays[m] + (m == 1 && LEAP(y)); m++)
		d -= mdays[m] + (m == 1 && LEAP(y));
	u_printf("%.3s %.3s %2d %02d:%02d:%02d %4d ", wday + days % 7 * 3,
	    month + m * 3, d + 1, secs / 3600, secs / 60 % 60, secs % 60, y);
}

void
ipfw_print_rule(const struct ipfw *x, const struct ip_fw_rule *rule,
    const struct ip_fw_bcounter *cntr, uint32_t set_mask, int pcwidth,
    int bcwidth)
{
	struct printer *p;
	const ipfw_insn *cmd;
	bool all;

	if ((set_mask & (1U << rule->set)) == 0) {
		if (!x->show_sets)
			return;
		u_printf("# DISABLED ");
	}
	u_printf("%05d ", rule->rulenum);
	if (cntr != NULL) {
		if (pcwidth > 0)
			u_printf("%*ju %*ju ", pcwidth, (uintmax_t)cntr->pcnt,
			    bcwidth, (uintmax_t)cntr->bcnt);
		if (x->show_time == 'T')
			u_printf("%10u ", cntr->timestamp);
		else if (x->show_time == 't') {
			if (cntr->timestamp != 0)
				print_time(cntr->timestamp);
			else
				u_printf("%24s ", "");
		}
	}
	if (x->show_sets)
		u_printf("set %d ", rule->set);

	p = u_calloc(sizeof(*p));
	p->x = x;
	p->rule = rule;
	FOREACH_INSN(cmd, rule)
		if (cmd->opcode == O_PROB)
			print_insn(p, cmd);
	print_action(rule);
	if ((rule->flags & IPFW_RULE_JUSTOPTS) != 0) {
		p->flags = HAVE_PROTO | HAVE_SRCIP | HAVE_DSTIP;
		all = true;
		FOREACH_INSN(cmd, rule)
			if (!p->printed[cmd - rule->cmd])
				all = false;
		if (all)
			u_printf(" proto ip");
	} else {
		print_protos(p);
		if (!x->compact || (rule->flags & IPFW_RULE_NOOPT) == 0) {
			u_printf(" from");
			print_address(p, is_src, O_IP_SRCPORT, HAVE_SRCIP);
			u_printf(" to");
			print_address(p, is_dst, O_IP_DSTPORT, HAVE_DSTIP);
		}
	}
	/* A comment comes last. */
	FOREACH_INSN(cmd, rule)
		if (cmd->opcode != O_NOP)
			print_insn(p, cmd);
	FOREACH_INSN(cmd, rule)
		print_insn(p, cmd);
	u_printf("\n");
	u_free(p);
}
