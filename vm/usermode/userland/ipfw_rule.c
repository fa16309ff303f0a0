/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw(8): the words of a rule into instructions.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include "ipfw_user.h"

enum tok {
	/* actions */
	TOK_ACCEPT, TOK_DENY, TOK_COUNT, TOK_PIPE, TOK_QUEUE, TOK_SKIPTO,
	TOK_REJECT, TOK_RESET, TOK_UNREACH,
	/* options */
	TOK_IN, TOK_OUT, TOK_LAYER2, TOK_XMIT, TOK_RECV, TOK_VIA, TOK_FRAG,
	TOK_IPLEN, TOK_IPID, TOK_IPTTL, TOK_IPVER, TOK_IPPRECEDENCE, TOK_IPTOS,
	TOK_DSCP, TOK_ESTAB, TOK_SETUP, TOK_TCPFLAGS, TOK_TCPWIN, TOK_TCPSEQ,
	TOK_TCPACK, TOK_TCPDATALEN, TOK_ICMPTYPES, TOK_DSTIP, TOK_SRCIP,
	TOK_DSTPORT, TOK_SRCPORT, TOK_PROTO, TOK_MAC, TOK_MACTYPE, TOK_IPV4,
	TOK_COMMENT, TOK_NOT, TOK_OR, TOK_OPEN, TOK_CLOSE,
	/* words of ipfw that are not here */
	TOK_UNSUPPORTED
};

static const struct token rule_actions[] = {
	{ "accept",	TOK_ACCEPT },
	{ "pass",	TOK_ACCEPT },
	{ "allow",	TOK_ACCEPT },
	{ "permit",	TOK_ACCEPT },
	{ "count",	TOK_COUNT },
	{ "pipe",	TOK_PIPE },
	{ "queue",	TOK_QUEUE },
	{ "skipto",	TOK_SKIPTO },
	{ "deny",	TOK_DENY },
	{ "drop",	TOK_DENY },
	{ "reject",	TOK_REJECT },
	{ "reset",	TOK_RESET },
	{ "unreach",	TOK_UNREACH },
	{ "abort6",	TOK_UNSUPPORTED },
	{ "abort",	TOK_UNSUPPORTED },
	{ "divert",	TOK_UNSUPPORTED },
	{ "tee",	TOK_UNSUPPORTED },
	{ "netgraph",	TOK_UNSUPPORTED },
	{ "ngtee",	TOK_UNSUPPORTED },
	{ "fwd",	TOK_UNSUPPORTED },
	{ "forward",	TOK_UNSUPPORTED },
	{ "reset6",	TOK_UNSUPPORTED },
	{ "unreach6",	TOK_UNSUPPORTED },
	{ "check-state", TOK_UNSUPPORTED },
	{ "nat",	TOK_UNSUPPORTED },
	{ "nat64clat",	TOK_UNSUPPORTED },
	{ "nat64lsn",	TOK_UNSUPPORTED },
	{ "nat64stl",	TOK_UNSUPPORTED },
	{ "nptv6",	TOK_UNSUPPORTED },
	{ "reass",	TOK_UNSUPPORTED },
	{ "setfib",	TOK_UNSUPPORTED },
	{ "setdscp",	TOK_UNSUPPORTED },
	{ "setmark",	TOK_UNSUPPORTED },
	{ "call",	TOK_UNSUPPORTED },
	{ "return",	TOK_UNSUPPORTED },
	{ "eaction",	TOK_UNSUPPORTED },
	{ "tcp-setmss",	TOK_UNSUPPORTED },
	{ NULL, 0 }
};

static const struct token rule_options[] = {
	{ "in",		TOK_IN },
	{ "out",	TOK_OUT },
	{ "bridged",	TOK_LAYER2 },
	{ "layer2",	TOK_LAYER2 },
	{ "xmit",	TOK_XMIT },
	{ "recv",	TOK_RECV },
	{ "via",	TOK_VIA },
	{ "fragment",	TOK_FRAG },
	{ "frag",	TOK_FRAG },
	{ "iplen",	TOK_IPLEN },
	{ "ipid",	TOK_IPID },
	{ "ipttl",	TOK_IPTTL },
	{ "ipversion",	TOK_IPVER },
	{ "ipver",	TOK_IPVER },
	{ "ipprecedence", TOK_IPPRECEDENCE },
	{ "iptos",	TOK_IPTOS },
	{ "dscp",	TOK_DSCP },
	{ "estab",	TOK_ESTAB },
	{ "established", TOK_ESTAB },
	{ "setup",	TOK_SETUP },
	{ "tcpflags",	TOK_TCPFLAGS },
	{ "tcpflgs",	TOK_TCPFLAGS },
	{ "tcpwin",	TOK_TCPWIN },
	{ "tcpseq",	TOK_TCPSEQ },
	{ "tcpack",	TOK_TCPACK },
	{ "tcpdatalen",	TOK_TCPDATALEN },
	{ "icmptype",	TOK_ICMPTYPES },
	{ "icmptypes",	TOK_ICMPTYPES },
	{ "dst-ip",	TOK_DSTIP },
	{ "src-ip",	TOK_SRCIP },
	{ "dst-port",	TOK_DSTPORT },
	{ "src-port",	TOK_SRCPORT },
	{ "proto",	TOK_PROTO },
	{ "MAC",	TOK_MAC },
	{ "mac",	TOK_MAC },
	{ "mac-type",	TOK_MACTYPE },
	{ "ipv4",	TOK_IPV4 },
	{ "ip4",	TOK_IPV4 },
	{ "//",		TOK_COMMENT },
	{ "not",	TOK_NOT },
	{ "!",		TOK_NOT },
	{ "or",		TOK_OR },
	{ "|",		TOK_OR },
	{ "{",		TOK_OPEN },
	{ "(",		TOK_OPEN },
	{ "}",		TOK_CLOSE },
	{ ")",		TOK_CLOSE },
	{ "tagged",	TOK_UNSUPPORTED },
	{ "uid",	TOK_UNSUPPORTED },
	{ "gid",	TOK_UNSUPPORTED },
	{ "jail",	TOK_UNSUPPORTED },
	{ "limit",	TOK_UNSUPPORTED },
	{ "set-limit",	TOK_UNSUPPORTED },
	{ "keep-state",	TOK_UNSUPPORTED },
	{ "record-state", TOK_UNSUPPORTED },
	{ "diverted",	TOK_UNSUPPORTED },
	{ "diverted-loopback", TOK_UNSUPPORTED },
	{ "diverted-output", TOK_UNSUPPORTED },
	{ "fib",	TOK_UNSUPPORTED },
	{ "ipoptions",	TOK_UNSUPPORTED },
	{ "ipopts",	TOK_UNSUPPORTED },
	{ "sockarg",	TOK_UNSUPPORTED },
	{ "tcpmss",	TOK_UNSUPPORTED },
	{ "tcpoptions",	TOK_UNSUPPORTED },
	{ "tcpopts",	TOK_UNSUPPORTED },
	{ "dst-mac",	TOK_UNSUPPORTED },
	{ "src-mac",	TOK_UNSUPPORTED },
	{ "verrevpath",	TOK_UNSUPPORTED },
	{ "versrcreach", TOK_UNSUPPORTED },
	{ "antispoof",	TOK_UNSUPPORTED },
	{ "ipsec",	TOK_UNSUPPORTED },
	{ "icmp6type",	TOK_UNSUPPORTED },
	{ "icmp6types",	TOK_UNSUPPORTED },
	{ "ext6hdr",	TOK_UNSUPPORTED },
	{ "flow-id",	TOK_UNSUPPORTED },
	{ "ipv6",	TOK_UNSUPPORTED },
	{ "ip6",	TOK_UNSUPPORTED },
	{ "dst-ipv6",	TOK_UNSUPPORTED },
	{ "dst-ip6",	TOK_UNSUPPORTED },
	{ "src-ipv6",	TOK_UNSUPPORTED },
	{ "src-ip6",	TOK_UNSUPPORTED },
	{ "lookup",	TOK_UNSUPPORTED },
	{ "flow",	TOK_UNSUPPORTED },
	{ "mark",	TOK_UNSUPPORTED },
	{ "defer-action", TOK_UNSUPPORTED },
	{ "defer-immediate-action", TOK_UNSUPPORTED },
	{ NULL, 0 }
};

const struct token ipfw_tcpflags[] = {
	{ "syn",	TH_SYN },
	{ "fin",	TH_FIN },
	{ "ack",	TH_ACK },
	{ "psh",	TH_PUSH },
	{ "rst",	TH_RST },
	{ "urg",	TH_URG },
	{ NULL, 0 }
};

const struct token ipfw_iptos[] = {
	{ "lowdelay",	IPTOS_LOWDELAY },
	{ "throughput",	IPTOS_THROUGHPUT },
	{ "reliability", IPTOS_RELIABILITY },
	{ "mincost",	0x02 },
	{ "congestion",	IPTOS_ECN_CE },
	{ "ecntransport", IPTOS_ECN_ECT0 },
	{ NULL, 0 }
};

const struct token ipfw_ipoff[] = {
	{ "rf",		IP_RF >> 8 },
	{ "df",		IP_DF >> 8 },
	{ "mf",		IP_MF >> 8 },
	{ "offset",	0x1 },
	{ NULL, 0 }
};

const struct token ipfw_dscp[] = {
	{ "af11", 10 }, { "af12", 12 }, { "af13", 14 },
	{ "af21", 18 }, { "af22", 20 }, { "af23", 22 },
	{ "af31", 26 }, { "af32", 28 }, { "af33", 30 },
	{ "af41", 34 }, { "af42", 36 }, { "af43", 38 },
	{ "be", 0 }, { "va", 44 }, { "ef", 46 },
	{ "cs0", 0 }, { "cs1", 8 }, { "cs2", 16 }, { "cs3", 24 },
	{ "cs4", 32 }, { "cs5", 40 }, { "cs6", 48 }, { "cs7", 56 },
	{ NULL, 0 }
};

const struct token ipfw_icmpcodes[] = {
	{ "net",		ICMP_UNREACH_NET },
	{ "host",		ICMP_UNREACH_HOST },
	{ "protocol",		ICMP_UNREACH_PROTOCOL },
	{ "port",		ICMP_UNREACH_PORT },
	{ "needfrag",		ICMP_UNREACH_NEEDFRAG },
	{ "srcfail",		ICMP_UNREACH_SRCFAIL },
	{ "net-unknown",	ICMP_UNREACH_NET_UNKNOWN },
	{ "host-unknown",	ICMP_UNREACH_HOST_UNKNOWN },
	{ "isolated",		8 },
	{ "net-prohib",		9 },
	{ "host-prohib",	10 },
	{ "tosnet",		11 },
	{ "toshost",		12 },
	{ "filter-prohib",	ICMP_UNREACH_FILTER_PROHIB },
	{ "host-precedence",	14 },
	{ "precedence-cutoff",	15 },
	{ NULL, 0 }
};

static const struct token ether_types[] = {
	{ "ip", 0x0800 }, { "ipv4", 0x0800 }, { "ipv6", 0x86dd },
	{ "arp", 0x0806 }, { "rarp", 0x8035 }, { "vlan", 0x8100 },
	{ "loop", 0x9000 }, { "trail", 0x1000 }, { "at", 0x809b },
	{ "atalk", 0x809b }, { "aarp", 0x80f3 }, { "pppoe_disc", 0x8863 },
	{ "pppoe_sess", 0x8864 }, { "ipx", 0x8137 }, { "ns", 0x0600 },
	{ NULL, 0 }
};

/* Of /etc/protocols and /etc/services, what rules are made with. */
static const struct token protocols[] = {
	{ "ip", 0 }, { "icmp", 1 }, { "igmp", 2 }, { "ipencap", 4 },
	{ "tcp", 6 }, { "egp", 8 }, { "igp", 9 }, { "udp", 17 },
	{ "ipv6", 41 }, { "rsvp", 46 }, { "gre", 47 }, { "esp", 50 },
	{ "ah", 51 }, { "ipv6-icmp", 58 }, { "eigrp", 88 }, { "ospf", 89 },
	{ "etherip", 97 }, { "pim", 103 }, { "carp", 112 }, { "l2tp", 115 },
	{ "sctp", 132 }, { "udplite", 136 }, { "pfsync", 240 },
	{ NULL, 0 }
};

static const struct token services[] = {
	{ "echo", 7 }, { "discard", 9 }, { "ftp", 21 }, { "ssh", 22 },
	{ "telnet", 23 }, { "smtp", 25 }, { "domain", 53 }, { "bootps", 67 },
	{ "bootpc", 68 }, { "tftp", 69 }, { "http", 80 }, { "pop3", 110 },
	{ "ntp", 123 }, { "imap", 143 }, { "snmp", 161 }, { "bgp", 179 },
	{ "https", 443 }, { "syslog", 514 },
	{ NULL, 0 }
};

/* A rule in the making.  Patterns go to cmdbuf, the action to actbuf. */
struct rule_maker {
	const struct ipfw *x;
	char		**av;
	ipfw_insn	*cmd;		/* the next pattern; zero but for F_NOT */
	ipfw_insn	*prev;		/* the last one, in an or-block */
	bool		open_par;
	int		proto;
	bool		have_log;
	uint32_t	cmdbuf[255];
	uint32_t	actbuf[16];
	ipfw_insn_log	log;
};

int
match_token(const struct token *t, const char *word)
{

	if (*word != '\0')
		for (; t->word != NULL; t++)
			if (strcmp(t->word, word) == 0)
				return (t->value);
	return (-1);
}

const char *
match_value(const struct token *t, int value)
{

	for (; t->word != NULL; t++)
		if (t->value == value)
			return (t->word);
	return (NULL);
}

const char *
ipfw_proto_name(int proto)
{

	return (match_value(protocols, proto));
}

/*
 * How many bits a mask has from the left, or -1 if there are more behind a
 * gap.  Network order.
 */
int
ipfw_contigmask(const uint8_t *p, int len)
{
	int i, n;

	for (n = 0; n < len && (p[n / 8] & (0x80 >> (n % 8))) != 0; n++)
		;
	for (i = n; i < len; i++)
		if ((p[i / 8] & (0x80 >> (i % 8))) != 0)
			return (-1);
	return (n);
}

#define	ERRX(status, ...)	return (ipfw_errx(r->x, (status), __VA_ARGS__))
#define	NEED1(msg)	do {						\
	if (*r->av == NULL)						\
		ERRX(EX_USAGE, msg);					\
} while (0)

/* Is there room for an instruction of so many words? */
static int
room(struct rule_maker *r, int words)
{

	if (words > F_LEN_MASK ||
	    (uint32_t *)r->cmd + words > r->cmdbuf + nitems(r->cmdbuf) - 1)
		ERRX(EX_DATAERR, "Rule too long");
	return (EX_OK);
}

static int
fill_cmd(struct rule_maker *r, int opcode, uint16_t arg)
{

	TRY(room(r, 1));
	r->cmd->opcode = opcode;
	r->cmd->len = (r->cmd->len & (F_NOT | F_OR)) | 1;
	r->cmd->arg1 = arg;
	return (EX_OK);
}

/* An instruction is done: it may be part of an or-block. */
static void
next_cmd(struct rule_maker *r)
{

	if (F_LEN(r->cmd) == 0)
		return;
	r->prev = r->cmd;
	r->cmd += F_LEN(r->cmd);
	bzero(r->cmd, sizeof(*r->cmd));
}

static bool
reserved(const char *word)
{

	return (match_token(rule_options, word) != -1 ||
	    strcmp(word, "from") == 0 || strcmp(word, "to") == 0);
}

/*
 * A list of numbers and ranges.  names translates words.  False if it is none.
 */
static int
add_ports(struct rule_maker *r, const char *s, const struct token *names,
    int opcode, bool *found)
{
	uint16_t *p;
	char name[24], *end;
	u_long v[2];
	int i, n, value;
	size_t l;

	*found = false;
	if (reserved(s))
		return (EX_OK);
	p = ((ipfw_insn_u16 *)r->cmd)->ports;
	for (n = 0;; s++) {
		for (i = 0; i < 2; i++) {
			if (isdigit(*s)) {
				v[i] = strtoul(s, &end, 0);
				if (v[i] > 65535)
					return (EX_OK);
				s = end;
			} else {
				l = strcspn(s, "-,");
				/* Escaped with backslashes, names may have '-'. */
				if (l == 0 || l >= sizeof(name))
					return (EX_OK);
				strlcpy(name, s, l + 1);
				value = names != NULL ?
				    match_token(names, name) : -1;
				if (value == -1)
					return (EX_OK);
				v[i] = value;
				s += l;
			}
			if (i == 0 && *s != '-') {
				v[1] = v[0];
				break;
			}
			if (i == 0)
				s++;
		}
		if (*s != ',' && *s != '\0') {
			ipfw_warnx(r->x, "port list: invalid separator <%c> "
			    "in <%s>", *s, s);
			return (EX_OK);
		}
		TRY(room(r, n + 2));
		p[2 * n] = v[0];
		p[2 * n + 1] = v[1];
		n++;
		if (*s == '\0')
			break;
		if (s[1] == '\0')
			return (EX_OK);
	}
	if (n + 1 > F_LEN_MASK)
		ERRX(EX_DATAERR, "too many ports/ranges\n");
	r->cmd->opcode = opcode;
	r->cmd->len |= n + 1;
	*found = true;
	return (EX_OK);
}

/* A number, or a list as above. */
static int
add_number(struct rule_maker *r, const char *name, int opcode)
{
	char *end, *s = *r->av++;
	bool found;

	if (strpbrk(s, "-,") != NULL) {
		TRY(add_ports(r, s, NULL, opcode, &found));
		if (!found)
			ERRX(EX_DATAERR, "invalid %s %s", name, s);
		return (EX_OK);
	}
	TRY(fill_cmd(r, opcode, strtoul(s, &end, 0)));
	if (end == s || *end != '\0')
		ERRX(EX_DATAERR, "invalid %s %s", name, s);
	return (EX_OK);
}

/* base/len{1,2,5-9}: addresses within the last byte, as a bitmap. */
static int
fill_addr_set(struct rule_maker *r, uint32_t *d, const char *s, bool src)
{
	ipfw_insn_u32 *cmd = (ipfw_insn_u32 *)r->cmd;
	char *end;
	int a, high, i, low, n, prev;

	i = ipfw_contigmask((uint8_t *)&d[1], 32);
	if (i < 24 || i > 31)
		ERRX(EX_DATAERR, "invalid set with mask %d\n", i);
	n = 1 << (32 - i);
	TRY(room(r, 2 + (n + 31) / 32));
	cmd->o.arg1 = n;
	d[0] = ntohl(d[0]);
	low = d[0] & 0xff;
	high = low + n - 1;
	bzero(&cmd->d[1], (n + 31) / 32 * 4);
	prev = -1;
	for (;; s = end + 1) {
		if (!isdigit(*s)) {
			if (*s != '}')
				ERRX(EX_DATAERR, "set not closed\n");
			if (prev != -1)
				ERRX(EX_DATAERR, "incomplete range %d-",
				    prev + low);
			end = __DECONST(char *, s);
			break;
		}
		a = strtol(s, &end, 0);
		if (a < low || a > high)
			ERRX(EX_DATAERR, "addr %d out of range [%d-%d]\n", a,
			    low, high);
		a -= low;
		i = a;
		if (prev != -1) {
			if (prev > a)
				ERRX(EX_DATAERR, "invalid range %d-%d",
				    prev + low, a + low);
			if (*end == '-')
				ERRX(EX_DATAERR, "double '-' in range");
			i = prev;
		}
		for (; i <= a; i++)
			cmd->d[1 + i / 32] |= 1U << (i & 31);
		prev = *end == '-' ? a : -1;
		if (*end == '}')
			break;
		if (*end != ',' && *end != '-')
			ERRX(EX_DATAERR, "set not closed\n");
	}
	if (end[1] != '\0')
		ERRX(EX_DATAERR, "address set cannot be in a list");
	cmd->o.opcode = src ? O_IP_SRC_SET : O_IP_DST_SET;
	cmd->o.len |= 2 + (n + 31) / 32;
	return (EX_OK);
}

/*
 * any, me, or a list of addresses with masks.
 */
static int
add_addr(struct rule_maker *r, const char *arg, bool src)
{
	char buf[64], *end;
	uint32_t *d;
	const char *s;
	size_t l;
	long bits;
	int n;

	if (ipfw_word(r->x, arg, "any"))
		return (EX_OK);
	if (ipfw_word(r->x, arg, "me"))
		return (fill_cmd(r, src ? O_IP_SRC_ME : O_IP_DST_ME, 0));
	if (strncmp(arg, "table(", 6) == 0)
		ERRX(EX_USAGE, "tables are not supported: %s", arg);
	d = ((ipfw_insn_u32 *)r->cmd)->d;
	for (s = arg, n = 0;; n++, d += 2) {
		TRY(room(r, 2 * n + 3));
		l = strcspn(s, "/:,{");
		if (l >= sizeof(buf))
			l = sizeof(buf) - 1;
		strlcpy(buf, s, l + 1);
		if (inet_aton(buf, (struct in_addr *)&d[0]) == 0)
			ERRX(EX_NOHOST, "hostname ``%s'' unknown", buf);
		s += l;
		d[1] = 0xffffffff;
		if (*s == '/') {
			bits = strtol(s + 1, &end, 10);
			if (end == s + 1 || bits < 0 || bits > 32)
				ERRX(EX_DATAERR, "bad width ``%s''", s + 1);
			d[1] = bits == 0 ? 0 : htonl(~0U << (32 - bits));
			s = end;
		} else if (*s == ':') {
			l = strcspn(++s, ",{");
			if (l >= sizeof(buf))
				l = sizeof(buf) - 1;
			strlcpy(buf, s, l + 1);
			if (inet_aton(buf, (struct in_addr *)&d[1]) == 0)
				ERRX(EX_DATAERR, "bad netmask ``%s''", buf);
			s += l;
		} else if (*s == '{')
			d[1] = htonl(0xffffff00);
		d[0] &= d[1];
		if (*s == '{') {
			if (n > 0)
				ERRX(EX_DATAERR,
				    "address set cannot be in a list");
			return (fill_addr_set(r, d, s + 1, src));
		}
		if (*s != ',' && *s != '\0')
			ERRX(EX_DATAERR, "bad width ``%s''", s);
		/* One that is everything makes the list everything. */
		if (d[1] == 0) {
			if ((r->cmd->len & F_NOT) != 0 && *s == '\0' && n == 0)
				ERRX(EX_DATAERR, "not any never matches");
			return (EX_OK);
		}
		if (*s == '\0')
			break;
		s++;
	}
	if (n == 0 && d[1] == 0xffffffff) {
		r->cmd->opcode = src ? O_IP_SRC : O_IP_DST;
		r->cmd->len |= F_INSN_SIZE(ipfw_insn_u32);
	} else {
		r->cmd->opcode = src ? O_IP_SRC_MASK : O_IP_DST_MASK;
		r->cmd->len |= 2 * (n + 1) + 1;
	}
	return (EX_OK);
}

/* A protocol's number or name; false if it is none. */
static int
add_proto(struct rule_maker *r, const char *s, bool *found)
{
	char *end;
	long proto;

	*found = true;
	proto = strtol(s, &end, 10);
	if (*end != '\0' || proto <= 0) {
		proto = match_token(protocols, s);
		if (proto <= 0) {
			*found = false;
			return (EX_OK);
		}
	}
	if (proto > 255)
		ERRX(EX_DATAERR, "invalid protocol ``%s''", s);
	r->proto = proto;
	return (fill_cmd(r, O_PROTO, proto));
}

static int
add_flags(struct rule_maker *r, int opcode, const struct token *flags, char *s)
{
	char *next;
	int clear, set, v;
	bool neg;

	for (clear = set = 0; s != NULL && *s != '\0'; s = next) {
		neg = *s == '!';
		if (neg)
			s++;
		if ((next = strchr(s, ',')) != NULL)
			*next++ = '\0';
		v = match_token(flags, s);
		if (v <= 0)
			ERRX(EX_DATAERR, "invalid flag %s", s);
		if (neg)
			clear |= v;
		else
			set |= v;
	}
	return (fill_cmd(r, opcode, (set & 0xff) | ((clear & 0xff) << 8)));
}

static int
add_iface(struct rule_maker *r, const char *arg)
{
	ipfw_insn_if *cmd = (ipfw_insn_if *)r->cmd;

	TRY(room(r, F_INSN_SIZE(ipfw_insn_if)));
	bzero(cmd->name, sizeof(cmd->name));
	cmd->p.glob = 0;
	if (strcmp(arg, "any") == 0) {
		cmd->o.len = 0;
		return (EX_OK);
	}
	if (strncmp(arg, "table(", 6) == 0)
		ERRX(EX_USAGE, "tables are not supported: %s", arg);
	cmd->o.len |= F_INSN_SIZE(ipfw_insn_if);
	if (!isdigit(*arg)) {
		strlcpy(cmd->name, arg, sizeof(cmd->name));
		cmd->p.glob = strpbrk(arg, "*?[") != NULL;
	} else if (inet_aton(arg, &cmd->p.ip) == 0)
		ERRX(EX_DATAERR, "bad ip address ``%s''", arg);
	return (EX_OK);
}

static int
mac_addr(struct rule_maker *r, const char *s, size_t len, uint8_t *mac)
{
	char *end;
	u_long v;
	const char *stop = s + len;
	int i;

	for (i = 0; i < ETHER_ADDR_LEN; i++) {
		v = isxdigit(*s) ? strtoul(s, &end, 16) : 256;
		if (v > 255 || (i < 5 ? *end != ':' : end != stop))
			return (EX_DATAERR);
		mac[i] = v;
		s = end + 1;
	}
	return (EX_OK);
}

static int
mac_addr_mask(struct rule_maker *r, const char *s, uint8_t *addr,
    uint8_t *mask)
{
	char *end;
	size_t l;
	long bits;
	int i;

	bzero(addr, ETHER_ADDR_LEN);
	bzero(mask, ETHER_ADDR_LEN);
	if (strcmp(s, "any") == 0)
		return (EX_OK);
	l = strcspn(s, "&/");
	if (mac_addr(r, s, l, addr) != EX_OK)
		ERRX(EX_DATAERR, "Incorrect MAC address");
	memset(mask, 0xff, ETHER_ADDR_LEN);
	if (s[l] == '/') {
		bits = strtol(s + l + 1, &end, 10);
		if (*end != '\0' || end == s + l + 1 || bits < 0 || bits > 48)
			ERRX(EX_DATAERR, "Incorrect mask length");
		for (i = 0; i < ETHER_ADDR_LEN; i++, bits -= 8)
			mask[i] = bits >= 8 ? 0xff :
			    bits <= 0 ? 0 : 0xff << (8 - bits);
	} else if (s[l] == '&') {
		s += l + 1;
		if (mac_addr(r, s, strlen(s), mask) != EX_OK)
			ERRX(EX_DATAERR, "Incorrect mask");
	}
	for (i = 0; i < ETHER_ADDR_LEN; i++)
		addr[i] &= mask[i];
	return (EX_OK);
}

static int
add_mac(struct rule_maker *r)
{
	ipfw_insn_mac *cmd = (ipfw_insn_mac *)r->cmd;

	if (r->av[0] == NULL || r->av[1] == NULL)
		ERRX(EX_DATAERR, "MAC dst src");
	TRY(room(r, F_INSN_SIZE(ipfw_insn_mac)));
	cmd->o.opcode = O_MACADDR2;
	cmd->o.len |= F_INSN_SIZE(ipfw_insn_mac);
	TRY(mac_addr_mask(r, r->av[0], cmd->addr, cmd->mask));
	TRY(mac_addr_mask(r, r->av[1], cmd->addr + 6, cmd->mask + 6));
	r->av += 2;
	return (EX_OK);
}

static int
add_icmptypes(struct rule_maker *r, const char *s)
{
	ipfw_insn_u32 *cmd = (ipfw_insn_u32 *)r->cmd;
	char *end;
	u_long type;

	TRY(room(r, F_INSN_SIZE(ipfw_insn_u32)));
	cmd->d[0] = 0;
	for (;; s = end + 1) {
		type = strtoul(s, &end, 0);
		if (end == s || (*end != ',' && *end != '\0'))
			ERRX(EX_DATAERR, "invalid ICMP type");
		if (type > 31)
			ERRX(EX_DATAERR, "ICMP type out of range");
		cmd->d[0] |= 1U << type;
		if (*end == '\0')
			break;
	}
	cmd->o.opcode = O_ICMPTYPE;
	cmd->o.len |= F_INSN_SIZE(ipfw_insn_u32);
	return (EX_OK);
}

static int
add_dscp(struct rule_maker *r, char *s)
{
	ipfw_insn_u32 *cmd = (ipfw_insn_u32 *)r->cmd;
	char *end, *next;
	int code;

	TRY(room(r, F_INSN_SIZE(ipfw_insn_u32) + 1));
	cmd->d[0] = cmd->d[1] = 0;
	for (; s != NULL; s = next) {
		if ((next = strchr(s, ',')) != NULL)
			*next++ = '\0';
		if (isalpha(*s)) {
			code = match_token(ipfw_dscp, s);
			if (code == -1)
				ERRX(EX_DATAERR, "Unknown DSCP code");
		} else {
			code = strtol(s, &end, 10);
			if (end == s || *end != '\0' || code < 0 || code > 63)
				ERRX(EX_DATAERR, "Invalid DSCP value");
		}
		cmd->d[code / 32] |= 1U << (code % 32);
	}
	cmd->o.opcode = O_DSCP;
	cmd->o.len |= F_INSN_SIZE(ipfw_insn_u32) + 1;
	return (EX_OK);
}

/* All words that are left. */
static int
add_comment(struct rule_maker *r)
{
	char *p;
	size_t l, used;
	int words;

	p = (char *)(r->cmd + 1);
	for (used = 0; *r->av != NULL; r->av++) {
		l = strlen(*r->av);
		if (used + l + 2 > 80)
			ERRX(EX_DATAERR,
			    "comment too long (max 80 chars)");
		if (used > 0)
			p[used++] = ' ';
		TRY(room(r, 1 + (used + l + 4) / 4));
		memcpy(p + used, *r->av, l);
		used += l;
		p[used] = '\0';
	}
	words = 1 + (used + 1 + 3) / 4;
	r->cmd->opcode = O_NOP;
	r->cmd->len = (r->cmd->len & (F_NOT | F_OR)) | words;
	return (EX_OK);
}

/* [ not ] */
static int
take_not(struct rule_maker *r)
{

	if (*r->av != NULL && ipfw_word(r->x, *r->av, "not")) {
		if ((r->cmd->len & F_NOT) != 0)
			ERRX(EX_USAGE, "double \"not\" not allowed\n");
		r->cmd->len |= F_NOT;
		r->av++;
	}
	return (EX_OK);
}

static int
take_open(struct rule_maker *r)
{

	if (*r->av == NULL || (**r->av != '(' && **r->av != '{'))
		return (EX_OK);
	if (r->open_par)
		ERRX(EX_USAGE, "nested \"(\" not allowed\n");
	r->prev = NULL;
	r->open_par = true;
	if ((*r->av)[1] == '\0')
		r->av++;
	else
		(*r->av)++;
	return (EX_OK);
}

/* After an element: more = another one of the block follows. */
static int
take_or(struct rule_maker *r, bool *more)
{

	*more = false;
	if (*r->av != NULL && ipfw_word(r->x, *r->av, "or")) {
		if (r->prev == NULL || !r->open_par)
			ERRX(EX_DATAERR, "invalid OR block");
		r->prev->len |= F_OR;
		r->av++;
		*more = true;
		return (EX_OK);
	}
	if (r->open_par) {
		if (*r->av == NULL ||
		    (strcmp(*r->av, ")") != 0 && strcmp(*r->av, "}") != 0))
			ERRX(EX_USAGE, "missing \")\"\n");
		r->prev = NULL;
		r->open_par = false;
		r->av++;
	}
	return (EX_OK);
}

/*
 * Protocols; justopts when the first word is none, and the rule has nothing
 * but options.
 */
static int
take_protos(struct rule_maker *r, bool *justopts)
{
	const char *s;
	bool found, more;
	ipfw_insn *first = r->cmd;

	*justopts = false;
	TRY(take_open(r));
	do {
		TRY(take_not(r));
		NEED1("missing protocol");
		s = *r->av;
		found = true;
		if (strcmp(s, "all") == 0 || strcmp(s, "ip") == 0)
			;
		else if (strcmp(s, "ip4") == 0 || strcmp(s, "ipv4") == 0)
			TRY(fill_cmd(r, O_IP4, 0));
		else if (strcmp(s, "ip6") == 0 || strcmp(s, "ipv6") == 0)
			ERRX(EX_USAGE, "unsupported protocol ``%s''", s);
		else
			TRY(add_proto(r, s, &found));
		if (!found) {
			if (r->cmd != first)
				ERRX(EX_DATAERR, "invalid protocol ``%s''", s);
			*justopts = true;
			return (EX_OK);
		}
		r->av++;
		/* "not ip" would never match; ipfw says nothing of it. */
		if (F_LEN(r->cmd) == 0)
			r->cmd->len = 0;
		next_cmd(r);
		TRY(take_or(r, &more));
	} while (more);
	return (EX_OK);
}

/* "from" or "to": addresses, then ports. */
static int
take_addrs(struct rule_maker *r, bool src)
{
	bool found, more;

	if (*r->av == NULL || !ipfw_word(r->x, *r->av, src ? "from" : "to"))
		ERRX(EX_USAGE, "missing ``%s''", src ? "from" : "to");
	r->av++;
	TRY(take_open(r));
	do {
		TRY(take_not(r));
		NEED1("missing address");
		TRY(add_addr(r, *r->av, src));
		r->av++;
		if (F_LEN(r->cmd) == 0)
			r->cmd->len = 0;
		next_cmd(r);
		TRY(take_or(r, &more));
	} while (more);
	TRY(take_not(r));
	if (*r->av != NULL) {
		if (ipfw_word(r->x, *r->av, "any"))
			r->av++;
		else {
			TRY(add_ports(r, *r->av, services,
			    src ? O_IP_SRCPORT : O_IP_DSTPORT, &found));
			if (found)
				r->av++;
		}
	}
	next_cmd(r);
	return (EX_OK);
}

static int
take_option(struct rule_maker *r, int tok, const char *word)
{
	ipfw_insn_u32 *cmd32 = (ipfw_insn_u32 *)r->cmd;
	const char *s;
	bool found;
	char *copy;
	int set;

	switch (tok) {
	case TOK_IN:
		return (fill_cmd(r, O_IN, 0));
	case TOK_OUT:
		r->cmd->len ^= F_NOT;
		return (fill_cmd(r, O_IN, 0));
	case TOK_LAYER2:
		return (fill_cmd(r, O_LAYER2, 0));
	case TOK_ESTAB:
		return (fill_cmd(r, O_ESTAB, 0));
	case TOK_SETUP:
		return (fill_cmd(r, O_TCPFLAGS, TH_SYN | (TH_ACK << 8)));
	case TOK_IPV4:
		return (fill_cmd(r, O_IP4, 0));
	case TOK_FRAG:
		/* Its argument is optional. */
		if (*r->av != NULL) {
			copy = u_strdup(*r->av);
			for (s = copy; s != NULL && *s != '\0';) {
				char *comma = strchr(s, ',');

				if (comma != NULL)
					*comma++ = '\0';
				if (match_token(ipfw_ipoff, *s == '!' ? s + 1 : s) <= 0)
					break;
				s = comma;
			}
			found = s == NULL || *s == '\0';
			u_free(copy);
			if (found)
				return (add_flags(r, O_FRAG, ipfw_ipoff,
				    *r->av++));
		}
		return (fill_cmd(r, O_FRAG, 0x01));
	case TOK_XMIT:
	case TOK_RECV:
	case TOK_VIA:
		NEED1("recv, xmit, via require interface name or address");
		TRY(add_iface(r, *r->av++));
		r->cmd->opcode = tok == TOK_XMIT ? O_XMIT :
		    tok == TOK_RECV ? O_RECV : O_VIA;
		return (EX_OK);
	case TOK_ICMPTYPES:
		NEED1("icmptypes requires list of types");
		return (add_icmptypes(r, *r->av++));
	case TOK_IPTTL:
		NEED1("ipttl requires TTL");
		return (add_number(r, "ipttl", O_IPTTL));
	case TOK_IPID:
		NEED1("ipid requires id");
		return (add_number(r, "ipid", O_IPID));
	case TOK_IPLEN:
		NEED1("iplen requires length");
		return (add_number(r, "ip len", O_IPLEN));
	case TOK_TCPWIN:
		NEED1("tcpmss/tcpwin requires size");
		return (add_number(r, "tcpwin size", O_TCPWIN));
	case TOK_TCPDATALEN:
		NEED1("tcpdatalen requires length");
		return (add_number(r, "tcpdata len", O_TCPDATALEN));
	case TOK_IPVER:
		NEED1("ipver requires version");
		return (fill_cmd(r, O_IPVER, strtoul(*r->av++, NULL, 0)));
	case TOK_IPPRECEDENCE:
		NEED1("ipprecedence requires value");
		set = strtoul(*r->av++, NULL, 0) & 7;
		return (fill_cmd(r, O_IPPRECEDENCE, set << 5));
	case TOK_IPTOS:
		NEED1("missing argument for iptos");
		return (add_flags(r, O_IPTOS, ipfw_iptos, *r->av++));
	case TOK_TCPFLAGS:
		NEED1("missing argument for tcpflags");
		return (add_flags(r, O_TCPFLAGS, ipfw_tcpflags, *r->av++));
	case TOK_DSCP:
		NEED1("missing DSCP code");
		return (add_dscp(r, *r->av++));
	case TOK_TCPSEQ:
	case TOK_TCPACK:
		NEED1("tcpseq/tcpack requires argument");
		TRY(room(r, F_INSN_SIZE(ipfw_insn_u32)));
		r->cmd->opcode = tok == TOK_TCPSEQ ? O_TCPSEQ : O_TCPACK;
		r->cmd->len |= F_INSN_SIZE(ipfw_insn_u32);
		cmd32->d[0] = htonl(strtoul(*r->av++, NULL, 0));
		return (EX_OK);
	case TOK_PROTO:
		NEED1("missing protocol");
		s = *r->av++;
		if (strcmp(s, "all") == 0 || strcmp(s, "ip") == 0)
			return (EX_OK);
		TRY(add_proto(r, s, &found));
		if (!found)
			ERRX(EX_DATAERR, "invalid protocol ``%s''", s);
		return (EX_OK);
	case TOK_SRCIP:
		NEED1("missing source IP");
		return (add_addr(r, *r->av++, true));
	case TOK_DSTIP:
		NEED1("missing destination IP");
		return (add_addr(r, *r->av++, false));
	case TOK_SRCPORT:
	case TOK_DSTPORT:
		s = tok == TOK_SRCPORT ? "source" : "destination";
		if (*r->av == NULL)
			ERRX(EX_USAGE, "missing %s port", s);
		if (ipfw_word(r->x, *r->av, "any")) {
			r->av++;
			return (EX_OK);
		}
		TRY(add_ports(r, *r->av, services,
		    tok == TOK_SRCPORT ? O_IP_SRCPORT : O_IP_DSTPORT, &found));
		if (!found)
			ERRX(EX_DATAERR, "invalid %s port %s", s, *r->av);
		r->av++;
		return (EX_OK);
	case TOK_MAC:
		return (add_mac(r));
	case TOK_MACTYPE:
		NEED1("missing mac type");
		if (strcmp(*r->av, "any") == 0) {
			r->av++;
			return (EX_OK);
		}
		TRY(add_ports(r, *r->av, ether_types, O_MAC_TYPE, &found));
		if (!found)
			ERRX(EX_DATAERR, "invalid mac type %s", *r->av);
		r->av++;
		return (EX_OK);
	case TOK_COMMENT:
		return (add_comment(r));
	case TOK_UNSUPPORTED:
		ERRX(EX_USAGE, "unsupported option %s", word);
	default:
		ERRX(EX_USAGE, "unrecognised option [%d] %s\n", tok, word);
	}
}

static int
take_options(struct rule_maker *r)
{
	const char *s;
	int tok;

	r->prev = NULL;
	while (*r->av != NULL) {
		s = *r->av;
		if (*s == '!' && s[1] != '\0') {
			if ((r->cmd->len & F_NOT) != 0)
				ERRX(EX_USAGE,
				    "double \"not\" not allowed\n");
			r->cmd->len = F_NOT;
			s++;
		}
		tok = match_token(rule_options, s);
		r->av++;
		switch (tok) {
		case TOK_NOT:
			if ((r->cmd->len & F_NOT) != 0)
				ERRX(EX_USAGE,
				    "double \"not\" not allowed\n");
			r->cmd->len = F_NOT;
			continue;
		case TOK_OR:
			if (!r->open_par || r->prev == NULL)
				ERRX(EX_USAGE, "invalid \"or\" block\n");
			r->prev->len |= F_OR;
			continue;
		case TOK_OPEN:
			if (r->open_par)
				ERRX(EX_USAGE, "+nested \"(\" not allowed\n");
			r->open_par = true;
			r->prev = NULL;
			continue;
		case TOK_CLOSE:
			if (!r->open_par)
				ERRX(EX_USAGE, "+missing \")\"\n");
			r->open_par = false;
			r->prev = NULL;
			continue;
		default:
			TRY(take_option(r, tok, s));
			break;
		}
		if (F_LEN(r->cmd) == 0)
			r->cmd->len = 0;	/* it was "any" */
		next_cmd(r);
	}
	if (r->open_par)
		ERRX(EX_USAGE, "missing \")\"\n");
	return (EX_OK);
}

/* A number of a pipe, or the like. */
static int
arg_number(struct rule_maker *r, const char *what, u_long max, uint32_t *value)
{
	char *end;
	u_long v;

	if (*r->av == NULL)
		ERRX(EX_USAGE, "%s: missing argument", what);
	if (ipfw_word(r->x, *r->av, "tablearg"))
		ERRX(EX_USAGE, "tables are not supported: tablearg");
	v = strtoul(*r->av, &end, 10);
	if (!isdigit(**r->av) || *end != '\0')
		ERRX(EX_DATAERR, "illegal argument for %s(%s)", what, *r->av);
	if (v < 1 || v > max)
		ERRX(EX_DATAERR, "illegal argument for %s(%s)", what, *r->av);
	*value = v;
	r->av++;
	return (EX_OK);
}

static int
take_action(struct rule_maker *r)
{
	ipfw_insn *a = (ipfw_insn *)r->actbuf;
	uint32_t value;
	const char *word;
	char *end;
	int code, tok;

	NEED1("missing action");
	word = *r->av++;
	tok = match_token(rule_actions, word);
	a->len = 1;
	switch (tok) {
	case TOK_ACCEPT:
		a->opcode = O_ACCEPT;
		return (EX_OK);
	case TOK_DENY:
		a->opcode = O_DENY;
		return (EX_OK);
	case TOK_COUNT:
		a->opcode = O_COUNT;
		return (EX_OK);
	case TOK_REJECT:
		a->opcode = O_REJECT;
		a->arg1 = ICMP_UNREACH_HOST;
		return (EX_OK);
	case TOK_RESET:
		a->opcode = O_REJECT;
		a->arg1 = ICMP_REJECT_RST;
		return (EX_OK);
	case TOK_UNREACH:
		NEED1("missing reject code");
		a->opcode = O_REJECT;
		code = strtoul(*r->av, &end, 0);
		if (end == *r->av || *end != '\0' || code >= 0x100)
			code = match_token(ipfw_icmpcodes, *r->av);
		if (code < 0)
			ERRX(EX_DATAERR,
			    "unknown ICMP unreachable code ``%s''", *r->av);
		a->arg1 = code;
		r->av++;
		return (EX_OK);
	case TOK_PIPE:
	case TOK_QUEUE:
		a->opcode = tok == TOK_PIPE ? O_PIPE : O_QUEUE;
		TRY(arg_number(r, word, IPFW_ARG_MAX, &value));
		a->arg1 = value;
		return (EX_OK);
	case TOK_SKIPTO:
		a->opcode = O_SKIPTO;
		a->len = F_INSN_SIZE(ipfw_insn_u32);
		TRY(arg_number(r, word, IPFW_DEFAULT_RULE, &value));
		insntod(a, u32)->d[0] = value;
		return (EX_OK);
	case TOK_UNSUPPORTED:
		ERRX(EX_USAGE, "unsupported action %s", word);
	default:
		ERRX(EX_DATAERR, "invalid action %s\n", word);
	}
}

/* [ log [ logamount N ] ] */
static int
take_log(struct rule_maker *r)
{
	size_t len;
	int n;

	while (*r->av != NULL) {
		if (strcmp(*r->av, "altq") == 0 || strcmp(*r->av, "tag") == 0 ||
		    strcmp(*r->av, "untag") == 0)
			ERRX(EX_USAGE, "unsupported option %s", *r->av);
		if (strcmp(*r->av, "log") != 0)
			return (EX_OK);
		if (r->have_log)
			ERRX(EX_DATAERR,
			    "log cannot be specified more than once");
		r->have_log = true;
		r->av++;
		r->log.o.opcode = O_LOG;
		r->log.o.len = F_INSN_SIZE(ipfw_insn_log);
		if (*r->av != NULL && ipfw_word(r->x, *r->av, "logdst"))
			ERRX(EX_USAGE, "unsupported option %s", *r->av);
		if (*r->av != NULL && ipfw_word(r->x, *r->av, "logamount")) {
			r->av++;
			NEED1("logamount requires argument");
			n = strtol(*r->av++, NULL, 10);
			if (n < 0)
				ERRX(EX_DATAERR, "logamount must be positive");
			r->log.max_log = n;
		} else {
			len = sizeof(r->log.max_log);
			kernel_sysctlbyname(curthread,
			    __DECONST(char *, "net.inet.ip.fw.verbose_limit"),
			    &r->log.max_log, &len, NULL, 0, NULL, 0);
		}
		r->log.log_left = r->log.max_log;
	}
	return (EX_OK);
}

static int
compile(struct rule_maker *r, struct ip_fw_rule *rule, size_t size)
{
	ipfw_insn *dst, *first;
	uint32_t *end;
	char *stop;
	double prob;
	long set;
	int l;
	bool justopts;

	prob = 1;
	if (*r->av != NULL && isdigit(**r->av)) {
		rule->rulenum = strtoul(*r->av, NULL, 10);
		if (rule->rulenum >= IPFW_DEFAULT_RULE)
			ERRX(EX_DATAERR, "illegal rule number %s", *r->av);
		r->av++;
	}
	if (r->av[0] != NULL && r->av[1] != NULL &&
	    ipfw_word(r->x, r->av[0], "set")) {
		set = strtol(r->av[1], &stop, 10);
		if (stop == r->av[1] || set < 0 || set > RESVD_SET)
			ERRX(EX_DATAERR, "illegal set %s", r->av[1]);
		rule->set = set;
		r->av += 2;
	}
	if (r->av[0] != NULL && r->av[1] != NULL &&
	    ipfw_word(r->x, r->av[0], "prob")) {
		prob = strtod(r->av[1], NULL);
		if (!(prob > 0 && prob <= 1))
			ERRX(EX_DATAERR, "illegal match prob. %s", r->av[1]);
		r->av += 2;
	}
	TRY(take_action(r));
	TRY(take_log(r));

	TRY(take_protos(r, &justopts));
	if (justopts)
		rule->flags |= IPFW_RULE_JUSTOPTS;
	else {
		first = r->cmd;
		TRY(take_addrs(r, true));
		TRY(take_addrs(r, false));
		if (first == r->cmd)
			rule->flags |= IPFW_RULE_NOOPT;
	}
	TRY(take_options(r));

	/* Probability, patterns, log, action. */
	dst = rule->cmd;
	end = (uint32_t *)rule + size / 4;
	l = (uint32_t *)r->cmd - r->cmdbuf;
	if ((uint32_t *)dst + 2 + l + F_INSN_SIZE(ipfw_insn_log) + 2 > end)
		ERRX(EX_DATAERR, "Rule too long");
	if (prob != 1) {
		dst->opcode = O_PROB;
		dst->len = 2;
		insntod(dst, u32)->d[0] = (uint32_t)(prob * 0x7fffffff);
		dst += 2;
	}
	memcpy(dst, r->cmdbuf, l * 4);
	dst += l;
	rule->act_ofs = dst - rule->cmd;
	if (r->have_log) {
		memcpy(dst, &r->log, sizeof(r->log));
		dst += F_INSN_SIZE(ipfw_insn_log);
	}
	first = (ipfw_insn *)r->actbuf;
	memcpy(dst, first, F_LEN(first) * 4);
	dst += F_LEN(first);
	rule->cmd_len = dst - rule->cmd;
	return (EX_OK);
}

int
ipfw_compile(const struct ipfw *x, char **av, struct ip_fw_rule *rule,
    size_t size)
{
	struct rule_maker *r;
	int status;

	/* Too large for a kernel stack. */
	r = u_calloc(sizeof(*r));
	r->x = x;
	r->av = av;
	r->cmd = (ipfw_insn *)r->cmdbuf;
	status = compile(r, rule, size);
	u_free(r);
	return (status);
}
