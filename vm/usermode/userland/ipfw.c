/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw(8) and dnctl(8): commands, and rules as a whole.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <net/vnet.h>
#include <netinet/ip_var.h>
#include "ipfw_user.h"

static void
complain(const struct ipfw *x, int error, const char *fmt, va_list ap)
{
	char buf[256];

	vsnprintf(buf, sizeof(buf), fmt, ap);
	u_eprintf("%s: %s%s%s\n", x->prog, buf, error != 0 ? ": " : "",
	    error != 0 ? u_strerror(error) : "");
}

int
ipfw_errx(const struct ipfw *x, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(x, 0, fmt, ap);
	va_end(ap);
	return (status);
}

int
ipfw_err(const struct ipfw *x, int status, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(x, error, fmt, ap);
	va_end(ap);
	return (status);
}

void
ipfw_warnx(const struct ipfw *x, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(x, 0, fmt, ap);
	va_end(ap);
}

bool
ipfw_word(const struct ipfw *x, const char *arg, const char *word)
{

	if (*arg == '\0' || strncmp(arg, word, strlen(arg)) != 0)
		return (false);
	if (strlen(arg) != strlen(word))
		ipfw_warnx(x, "DEPRECATED: '%s' matched '%s' as a sub-string",
		    arg, word);
	return (true);
}

int
ipfw_sockopt(enum sopt_dir dir, int name, void *buf, size_t *len)
{
	struct sockopt sopt = {
		.sopt_dir = dir,
		.sopt_name = name,
		.sopt_val = buf,
		.sopt_valsize = *len,
		.sopt_td = curthread,
	};
	ip_fw_ctl_ptr_t fw;
	int (*dn)(struct sockopt *);
	int error;

	/* What raw_ip's rip_ctloutput() does with these. */
	CURVNET_SET(TD_TO_VNET(curthread));
	if (name == IP_FW3)
		error = (fw = V_ip_fw_ctl_ptr) != NULL ? fw(&sopt) :
		    ENOPROTOOPT;
	else
		error = (dn = __atomic_load_n(&ip_dn_ctl_ptr,
		    __ATOMIC_ACQUIRE)) != NULL ? dn(&sopt) :
		    ENOPROTOOPT;
	CURVNET_RESTORE();
	*len = sopt.sopt_valsize;
	return (error);
}

int
ipfw_ctl(const struct ipfw *x, int opcode, void *buf, size_t *len)
{
	ip_fw3_opheader *op = buf;

	op->opcode = opcode;
	op->version = IP_FW3_OPVER;
	if (x->test_only)
		return (0);
	return (ipfw_sockopt(SOPT_GET, IP_FW3, buf, len));
}

static int
range_cmd(const struct ipfw *x, int cmd, ipfw_range_tlv *rt)
{
	ipfw_range_header rh;
	size_t len;
	int error;

	bzero(&rh, sizeof(rh));
	rh.range = *rt;
	rh.range.head.type = IPFW_TLV_RANGE;
	rh.range.head.length = sizeof(*rt);
	len = sizeof(rh);
	error = ipfw_ctl(x, cmd, &rh, &len);
	rt->new_set = rh.range.new_set;
	return (error);
}

static int
cmd_add(struct ipfw *x, char **av)
{
	struct {
		ip_fw3_opheader	op;
		struct ip_fw_rule rule;
		uint32_t	insns[280];
	} *m;
	size_t len;
	int error, status;

	m = u_calloc(sizeof(*m));
	status = ipfw_compile(x, av, &m->rule, sizeof(*m) - sizeof(m->op));
	if (status == EX_OK) {
		len = sizeof(m->op) + sizeof(m->rule) + m->rule.cmd_len * 4;
		error = ipfw_ctl(x, IP_FW_XADD, m, &len);
		if (error != 0)
			status = ipfw_err(x, EX_UNAVAILABLE, error,
			    "getsockopt(%s)", "IP_FW_XADD");
		else if (!x->quiet)
			ipfw_print_rule(x, &m->rule, NULL, ~0U, 0, 0);
	}
	u_free(m);
	return (status);
}

/* The whole configuration; to be freed with u_free(). */
static int
get_config(const struct ipfw *x, ipfw_cfg_lheader **cfgp)
{
	ipfw_cfg_lheader *cfg;
	size_t len, size;
	int error, i;

	size = 4096;
	for (i = 0; i < 16; i++) {
		cfg = u_calloc(size);
		cfg->flags = IPFW_CFG_GET_STATIC | IPFW_CFG_GET_COUNTERS;
		len = size;
		error = ipfw_ctl(x, IP_FW_XGET, cfg, &len);
		if (error == 0) {
			*cfgp = cfg;
			return (0);
		}
		size = MAX(cfg->size, size) + 1024;
		u_free(cfg);
		if (error != ENOMEM)
			break;
	}
	return (error);
}

struct listed {
	const struct ip_fw_bcounter *cntr;
	const struct ip_fw_rule *rule;
};

/* Steps through a reply: false at its end. */
static bool
next_rule(const ipfw_cfg_lheader *cfg, const char **p, struct listed *l)
{
	const ipfw_obj_tlv *tlv;

	if (*p == NULL)
		*p = (const char *)(cfg + 1) + sizeof(ipfw_obj_ctlv);
	if (*p >= (const char *)cfg + cfg->size)
		return (false);
	tlv = (const ipfw_obj_tlv *)*p;
	l->cntr = (const struct ip_fw_bcounter *)(tlv + 1);
	l->rule = (const struct ip_fw_rule *)(l->cntr + 1);
	*p += tlv->length;
	return (true);
}

static int
digits(uint64_t v)
{
	int n;

	for (n = 1; v >= 10; v /= 10)
		n++;
	return (n);
}

static int
list_range(const struct ipfw *x, const ipfw_cfg_lheader *cfg, u_int first,
    u_int last, bool counters)
{
	struct listed l;
	const char *p;
	int bcw, n, pcw;

	pcw = bcw = 0;
	if (counters)
		for (p = NULL; next_rule(cfg, &p, &l);) {
			pcw = MAX(pcw, digits(l.cntr->pcnt));
			bcw = MAX(bcw, digits(l.cntr->bcnt));
		}
	for (p = NULL, n = 0; next_rule(cfg, &p, &l);) {
		if (l.rule->rulenum < first || l.rule->rulenum > last ||
		    (x->use_set != 0 && l.rule->set != x->use_set - 1))
			continue;
		ipfw_print_rule(x, l.rule, l.cntr, cfg->set_mask, pcw, bcw);
		n++;
	}
	return (n);
}

static int
cmd_list(struct ipfw *x, int ac, char **av, bool counters)
{
	ipfw_cfg_lheader *cfg;
	char *end;
	u_long first, last;
	int error, status;

	if (x->test_only) {
		u_eprintf("Testing only, list disabled\n");
		return (EX_OK);
	}
	if (x->do_pipe != 0)
		return (ipfw_pipe_list(x, ac, av));
	error = get_config(x, &cfg);
	if (error != 0)
		return (ipfw_err(x, EX_OSERR, error,
		    "retrieving config failed"));
	status = EX_OK;
	if (ac == 0)
		list_range(x, cfg, 0, IPFW_DEFAULT_RULE, counters);
	for (; *av != NULL; av++) {
		first = last = strtoul(*av, &end, 10);
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (*end != '\0' || end == *av) {
			status = EX_USAGE;
			ipfw_warnx(x, "invalid rule number: %s", *av);
			continue;
		}
		if (list_range(x, cfg, first, last, counters) == 0) {
			if (status == EX_OK)
				status = EX_UNAVAILABLE;
			if (first == last)
				ipfw_warnx(x, "rule %lu does not exist", first);
			else
				ipfw_warnx(x, "no rules in range %lu-%lu",
				    first, last);
		}
	}
	u_free(cfg);
	return (status);
}

static int
cmd_delete(struct ipfw *x, char **av)
{
	ipfw_range_tlv rt;
	char *end;
	u_long i, j;
	bool sets;
	int error, status;

	sets = false;
	if (*av == NULL)
		return (ipfw_errx(x, EX_USAGE, "missing rule specification"));
	if (ipfw_word(x, *av, "set")) {
		if (x->use_set != 0)
			return (ipfw_errx(x, EX_DATAERR, "invalid syntax"));
		sets = true;
		av++;
	}
	status = EX_OK;
	for (; *av != NULL && isdigit(**av); av++) {
		i = j = strtoul(*av, &end, 10);
		if (*end == '-')
			j = strtoul(end + 1, &end, 10);
		if (x->do_pipe != 0) {
			error = ipfw_pipe_delete(x, i);
			if (error != EX_OK)
				status = error;
			continue;
		}
		bzero(&rt, sizeof(rt));
		if (sets) {
			rt.set = i & 31;
			rt.flags = IPFW_RCFLAG_SET;
		} else {
			rt.start_rule = MIN(i, 65535);
			rt.end_rule = MIN(j, 65535);
			rt.flags = i == 0 && j == 0 ? IPFW_RCFLAG_ALL :
			    IPFW_RCFLAG_RANGE;
			if (x->use_set != 0) {
				rt.set = x->use_set - 1;
				rt.flags |= IPFW_RCFLAG_SET;
			}
		}
		error = range_cmd(x, IP_FW_XDEL, &rt);
		if (error != 0) {
			status = EX_UNAVAILABLE;
			if (!x->quiet)
				ipfw_err(x, 0, error,
				    "rule %lu: setsockopt(IP_FW_XDEL)", i);
		} else if (rt.new_set == 0 && !sets && !x->test_only) {
			status = EX_UNAVAILABLE;
			if (x->quiet)
				continue;
			if (i != j)
				ipfw_warnx(x, "no rules in %lu-%lu range", i,
				    j);
			else
				ipfw_warnx(x, "rule %lu not found", i);
		}
	}
	if (*av != NULL)
		return (ipfw_errx(x, EX_USAGE, "bad rule number `%s'", *av));
	return (x->force ? EX_OK : status);
}

static int
cmd_flush(struct ipfw *x)
{
	ipfw_range_tlv rt;
	char line[16];
	int error;

	if (!x->force && !x->quiet) {
		u_printf("Are you sure? [yn] ");
		do {
			if (u_getline(line, sizeof(line)) < 0)
				return (EX_OK);
		} while (toupper(line[0]) != 'Y' && toupper(line[0]) != 'N');
		u_printf("\n");
		if (toupper(line[0]) == 'N')
			return (EX_OK);
	}
	if (x->do_pipe != 0)
		return (ipfw_pipe_flush(x));
	bzero(&rt, sizeof(rt));
	if (x->use_set != 0) {
		rt.set = x->use_set - 1;
		rt.flags = IPFW_RCFLAG_SET;
	} else
		rt.flags = IPFW_RCFLAG_ALL;
	error = range_cmd(x, IP_FW_XDEL, &rt);
	if (error != 0)
		return (ipfw_err(x, EX_UNAVAILABLE, error,
		    "setsockopt(IP_FW_XDEL)"));
	if (!x->quiet)
		u_printf("Flushed all rules.\n");
	return (EX_OK);
}

static int
cmd_zero(struct ipfw *x, char **av, bool log_only)
{
	ipfw_range_tlv rt;
	const char *name;
	char *end;
	u_long nr;
	int error, opcode, status;

	opcode = log_only ? IP_FW_XRESETLOG : IP_FW_XZERO;
	name = log_only ? "RESETLOG" : "ZERO";
	bzero(&rt, sizeof(rt));
	if (*av == NULL) {
		rt.flags = IPFW_RCFLAG_ALL;
		if (x->use_set != 0) {
			rt.set = x->use_set - 1;
			rt.flags |= IPFW_RCFLAG_SET;
		}
		error = range_cmd(x, opcode, &rt);
		if (error != 0)
			return (ipfw_err(x, EX_UNAVAILABLE, error,
			    "setsockopt(IP_FW_X%s)", name));
		if (!x->quiet)
			u_printf("%s.\n", log_only ? "Logging counts reset" :
			    "Accounting cleared");
		return (EX_OK);
	}
	status = EX_OK;
	for (; *av != NULL; av++) {
		if (!isdigit(**av))
			return (ipfw_errx(x, EX_USAGE,
			    "invalid rule number ``%s''", *av));
		nr = strtoul(*av, &end, 10);
		if (*end != '\0' || nr > 65535)
			return (ipfw_errx(x, EX_DATAERR,
			    "invalid rule number %s\n", *av));
		bzero(&rt, sizeof(rt));
		rt.start_rule = rt.end_rule = nr;
		rt.flags = IPFW_RCFLAG_RANGE;
		if (x->use_set != 0) {
			rt.set = x->use_set - 1;
			rt.flags |= IPFW_RCFLAG_SET;
		}
		error = range_cmd(x, opcode, &rt);
		if (error != 0) {
			ipfw_err(x, 0, error, "rule %lu: setsockopt(IP_FW_X%s)",
			    nr, name);
			status = EX_UNAVAILABLE;
		} else if (rt.new_set == 0 && !x->test_only) {
			u_printf("Entry %lu not found\n", nr);
			status = EX_UNAVAILABLE;
		} else if (!x->quiet)
			u_printf("Entry %lu %s.\n", nr, log_only ?
			    "logging count reset" : "cleared");
	}
	return (status);
}

static int
set_number(const struct ipfw *x, const char *s, uint32_t *set)
{
	char *end;
	u_long v;

	v = strtoul(s, &end, 10);
	if (!isdigit(*s) || *end != '\0' || v > RESVD_SET)
		return (ipfw_errx(x, EX_DATAERR, "invalid set number %s\n",
		    s));
	*set = v;
	return (EX_OK);
}

static int
sets_show(const struct ipfw *x)
{
	ipfw_cfg_lheader *cfg;
	const char *msg;
	int error, i;

	error = get_config(x, &cfg);
	if (error != 0)
		return (ipfw_err(x, EX_OSERR, error,
		    "requesting config failed"));
	msg = "disable";
	for (i = 0; i < RESVD_SET; i++)
		if ((cfg->set_mask & (1U << i)) == 0) {
			u_printf("%s %d", msg, i);
			msg = "";
		}
	msg = cfg->set_mask != ~0U ? " enable" : "enable";
	for (i = 0; i < RESVD_SET; i++)
		if ((cfg->set_mask & (1U << i)) != 0) {
			u_printf("%s %d", msg, i);
			msg = "";
		}
	u_printf("\n");
	u_free(cfg);
	return (EX_OK);
}

static int
cmd_sets(struct ipfw *x, char **av)
{
	ipfw_range_tlv rt;
	uint32_t masks[2], nr;
	char *end;
	int cmd, error, which;

	bzero(&rt, sizeof(rt));
	if (*av == NULL)
		return (ipfw_errx(x, EX_USAGE, "set needs command"));
	if (ipfw_word(x, *av, "show"))
		return (sets_show(x));
	if (ipfw_word(x, *av, "swap")) {
		if (av[1] == NULL || av[2] == NULL)
			return (ipfw_errx(x, EX_USAGE,
			    "set swap needs 2 set numbers\n"));
		TRY(set_number(x, av[1], &rt.set));
		TRY(set_number(x, av[2], &rt.new_set));
		error = range_cmd(x, IP_FW_SET_SWAP, &rt);
		return (error == 0 ? EX_OK : ipfw_err(x, EX_OSERR, error,
		    "failed to swap sets"));
	}
	if (ipfw_word(x, *av, "move")) {
		cmd = IP_FW_SET_MOVE;
		av++;
		if (*av != NULL && ipfw_word(x, *av, "rule")) {
			cmd = IP_FW_XMOVE;
			rt.flags = IPFW_RCFLAG_RANGE;
			av++;
		}
		if (av[0] == NULL || av[1] == NULL || av[2] == NULL ||
		    av[3] != NULL || !ipfw_word(x, av[1], "to"))
			return (ipfw_errx(x, EX_USAGE,
			    "syntax: set move [rule] X to Y\n"));
		nr = strtoul(av[0], &end, 10);
		if (!isdigit(*av[0]) || *end != '\0' ||
		    nr > (cmd == IP_FW_XMOVE ? 65534 : RESVD_SET))
			return (ipfw_errx(x, EX_DATAERR,
			    "invalid source number %s\n", av[0]));
		TRY(set_number(x, av[2], &rt.new_set));
		if (cmd == IP_FW_XMOVE)
			rt.start_rule = rt.end_rule = nr;
		else
			rt.set = nr;
		error = range_cmd(x, cmd, &rt);
		return (error == 0 ? EX_OK : ipfw_err(x, EX_OSERR, error,
		    "failed to move %s", cmd == IP_FW_SET_MOVE ? "set" :
		    "rule"));
	}
	if (!ipfw_word(x, *av, "disable") && !ipfw_word(x, *av, "enable"))
		return (ipfw_errx(x, EX_USAGE, "invalid set command %s\n",
		    *av));
	masks[0] = masks[1] = 0;
	for (which = 0; *av != NULL; av++) {
		if (isdigit(**av)) {
			TRY(set_number(x, *av, &nr));
			masks[which] |= 1U << nr;
		} else if (ipfw_word(x, *av, "disable"))
			which = 0;
		else if (ipfw_word(x, *av, "enable"))
			which = 1;
		else
			return (ipfw_errx(x, EX_DATAERR,
			    "invalid set command %s\n", *av));
	}
	if ((masks[0] & masks[1]) != 0)
		return (ipfw_errx(x, EX_DATAERR,
		    "cannot enable and disable the same set\n"));
	rt.set = masks[0];
	rt.new_set = masks[1];
	error = range_cmd(x, IP_FW_SET_ENABLE, &rt);
	return (error == 0 ? EX_OK : ipfw_err(x, EX_UNAVAILABLE, error,
	    "set enable/disable: setsockopt(IP_FW_SET_ENABLE)"));
}

/* "enable" and "disable" are sysctls. */
static int
cmd_enable(struct ipfw *x, char **av, int on)
{
	static const struct {
		const char *word, *oid;
	} knobs[] = {
		{ "firewall",	"net.inet.ip.fw.enable" },
		{ "one_pass",	"net.inet.ip.fw.one_pass" },
		{ "verbose",	"net.inet.ip.fw.verbose" },
	};
	int error;
	size_t i;

	if (*av == NULL)
		return (ipfw_errx(x, EX_USAGE,
		    "missing keyword to enable/disable\n"));
	for (i = 0; i < nitems(knobs); i++)
		if (ipfw_word(x, *av, knobs[i].word)) {
			error = kernel_sysctlbyname(curthread,
			    __DECONST(char *, knobs[i].oid), NULL, NULL, &on,
			    sizeof(on), NULL, 0);
			return (error == 0 ? EX_OK : ipfw_err(x, EX_OSERR,
			    error, "sysctl(%s)", knobs[i].oid));
		}
	return (ipfw_errx(x, EX_USAGE,
	    "unrecognize enable/disable keyword: %s\n", *av));
}

static int
usage(const struct ipfw *x)
{

	return (ipfw_errx(x, EX_USAGE, "usage: %s [options]\n"
	    "do \"%s -h\" or \"man %s\" for details", x->prog, x->prog,
	    x->prog));
}

static const char help_text[] =
"ipfw syntax summary (but please do read the ipfw(8) manpage):\n\n"
"\tipfw [-acfnqStTv] <command>\n\n"
"where <command> is one of the following:\n\n"
"add [num] [set N] [prob x] RULE-BODY\n"
"{pipe|queue|sched} N config PIPE-BODY\n"
"[pipe|queue|sched] {flush|delete|show} [N{,N}]\n"
"set [disable N... enable N...] | move [rule] X to Y | swap X Y | show\n"
"set N {show|list|zero|resetlog|delete} [N{,N}] | flush\n"
"\n"
"RULE-BODY:\tACTION [log [logamount N]] [PATTERN]\n"
"ACTION:\tallow | count | deny | reject | reset | unreach CODE |\n"
"\tskipto N | {pipe|queue} N\n"
"PATTERN:\t[PROTO] from [not] ADDR [PORTS] to [not] ADDR [PORTS] OPTIONS\n";

/* Options; the words behind them, or NULL with a status. */
static char **
parse_options(struct ipfw *x, char **av, int *status)
{
	const char *p;

	*status = EX_OK;
	for (; *av != NULL && **av == '-' && (*av)[1] != '\0'; av++)
		for (p = *av + 1; *p != '\0'; p++)
			switch (*p) {
			case 'a':
				x->acct = true;
				break;
			case 'c':
				x->compact = true;
				break;
			case 'd':	/* there are no dynamic rules */
			case 'D':
			case 'e':
				break;
			case 'f':
				x->force = true;
				break;
			case 'h':
				u_eprintf("%s", help_text);
				return (NULL);
			case 'n':
				x->test_only = true;
				break;
			case 'q':
				x->quiet = true;
				break;
			case 'S':
				x->show_sets = true;
				break;
			case 't':
			case 'T':
				x->show_time = *p;
				break;
			case 'v':
				x->verbose = true;
				break;
			case 'b':
			case 'i':
			case 'N':
			case 'p':
			case 's':
			case 'x':
				*status = ipfw_errx(x, EX_USAGE,
				    "unsupported option -%c", *p);
				return (NULL);
			default:
				u_eprintf("%s: illegal option -- %c\n",
				    x->prog, *p);
				*status = usage(x);
				return (NULL);
			}
	return (av);
}

static bool
begins(const char *arg, const char *word)
{

	return (*arg != '\0' && strncmp(arg, word, strlen(arg)) == 0);
}

/* One command: what stands behind the name of the program. */
static int
ipfw_main(struct ipfw *x, char **av)
{
	static const struct {
		const char *word;
		int kind;
	} pipes[] = {
		{ "queue", 2 }, { "flowset", 2 }, { "sched", 3 },
	};
	const bool is_ipfw = strcmp(x->prog, "dnctl") != 0;
	char *swap;
	int ac, status;
	size_t i;

#define	SWAP(i, j)	do {						\
	swap = av[i];							\
	av[i] = av[j];							\
	av[j] = swap;							\
} while (0)
	av = parse_options(x, av, &status);
	if (av == NULL)
		return (status);
	for (ac = 0; av[ac] != NULL; ac++)
		;
	if (ac == 0)
		return (ipfw_errx(x, EX_USAGE,
		    "bad arguments, for usage summary ``ipfw''"));
	/* "100 add allow ..." is "add 100 allow ...". */
	if (ac > 1 && isdigit(*av[0]))
		SWAP(0, 1);
	if (is_ipfw && begins(*av, "nat"))
		return (ipfw_errx(x, EX_USAGE, "unsupported command `%s'",
		    *av));
	if (begins(*av, "pipe"))
		x->do_pipe = 1;
	for (i = 0; i < nitems(pipes) && x->do_pipe == 0; i++)
		if (ipfw_word(x, *av, pipes[i].word))
			x->do_pipe = pipes[i].kind;
	if (x->do_pipe == 0 && is_ipfw && begins(*av, "set") && ac > 1 &&
	    isdigit(*av[1])) {
		uint32_t set;

		TRY(set_number(x, av[1], &set));
		x->use_set = set + 1;
		av += 2;
		ac -= 2;
	}
	if (x->do_pipe != 0) {
		av++;
		ac--;
	}
	if (ac == 0)
		return (ipfw_errx(x, EX_USAGE, "missing command"));
	/* "pipe 1 config" is "pipe config 1". */
	if (x->do_pipe != 0 && ac > 1 && isdigit(*av[0]))
		SWAP(0, 1);
	if (!is_ipfw && x->do_pipe == 0) {
		u_eprintf("%s", help_text);
		return (EX_OK);
	}

	if (x->use_set == 0) {
		if (x->do_pipe == 0 && ipfw_word(x, *av, "add"))
			return (cmd_add(x, av + 1));
		if (x->do_pipe != 0 && ipfw_word(x, *av, "config"))
			return (ipfw_pipe_config(x, ac - 1, av + 1));
		if (x->do_pipe == 0 && ipfw_word(x, *av, "set"))
			return (cmd_sets(x, av + 1));
		if (x->do_pipe == 0 && ipfw_word(x, *av, "enable"))
			return (cmd_enable(x, av + 1, 1));
		if (x->do_pipe == 0 && ipfw_word(x, *av, "disable"))
			return (cmd_enable(x, av + 1, 0));
	}
	if (strcmp(*av, "table") == 0 || strcmp(*av, "internal") == 0 ||
	    strcmp(*av, "nptv6") == 0)
		return (ipfw_errx(x, EX_USAGE, "unsupported command `%s'",
		    *av));
	if (ipfw_word(x, *av, "delete"))
		return (cmd_delete(x, av + 1));
	if (ipfw_word(x, *av, "flush"))
		return (cmd_flush(x));
	if (ipfw_word(x, *av, "zero"))
		return (cmd_zero(x, av + 1, false));
	if (ipfw_word(x, *av, "resetlog"))
		return (cmd_zero(x, av + 1, true));
	if (ipfw_word(x, *av, "print") || ipfw_word(x, *av, "list"))
		return (cmd_list(x, ac - 1, av + 1, x->acct));
	if (ipfw_word(x, *av, "show"))
		return (cmd_list(x, ac - 1, av + 1, true));
	return (ipfw_errx(x, EX_USAGE, "bad command `%s'", *av));
}

/*
 * Words are made one's own: commands write into them.  One word alone is split
 * at blanks, one that ends with a comma belongs to the next.
 */
static int
run_words(struct ipfw *x, int ac, char **av)
{
	char *copy, *p, **words;
	size_t size;
	int i, n, status;
	bool glue;

	for (i = 0, size = 1; i < ac; i++)
		size += strlen(av[i]) + 1;
	copy = p = u_calloc(size);
	words = u_calloc((size + 2) * sizeof(words[0]));
	n = 0;
	glue = false;
	for (i = 0; i < ac; i++) {
		const char *s = av[i];

		while (*s != '\0') {
			if (ac == 1 && isspace(*s)) {
				s++;
				continue;
			}
			if (ac == 1 && *s == '#')
				break;
			if (!glue)
				words[n++] = p;
			while (*s != '\0' &&
			    !(ac == 1 && (isspace(*s) || *s == '#')))
				*p++ = *s++;
			glue = p[-1] == ',';
			if (!glue)
				*p++ = '\0';
		}
		if (*av[i] == '\0' && ac > 1 && !glue) {
			words[n++] = p;
			*p++ = '\0';
		}
	}
	status = n == 0 ? usage(x) : ipfw_main(x, words);
	u_free(words);
	u_free(copy);
	return (status);
}

/* Commands from a file, one a line. */
static int
run_file(const struct ipfw *x, const char *name)
{
	struct ipfw each;
	struct ufile *f;
	char line[1024], prog[20], *arg;
	const char *data, *eol;
	size_t l, len;
	int lineno, status;

	f = u_open(name, false, false);
	if (f == NULL)
		return (ipfw_err(x, EX_UNAVAILABLE, ENOENT, "fopen: %s", name));
	data = u_file_data(f, &len);
	status = EX_OK;
	for (lineno = 1; *data != '\0' && status == EX_OK; lineno++) {
		eol = strchr(data, '\n');
		l = eol != NULL ? (size_t)(eol - data) : strlen(data);
		strlcpy(line, data, MIN(l + 1, sizeof(line)));
		data += l + (eol != NULL);
		if (line[strspn(line, " \t\r")] == '\0' ||
		    line[strspn(line, " \t\r")] == '#')
			continue;
		each = *x;
		snprintf(prog, sizeof(prog), "Line %d", lineno);
		each.prog = prog;
		arg = line;
		status = run_words(&each, 1, &arg);
	}
	u_close(f);
	return (status);
}

static int
cmd_ipfw(int argc, char **argv)
{
	struct ipfw x;
	char **av;
	int status;

	bzero(&x, sizeof(x));
	x.prog = strcmp(argv[0], "dnctl") == 0 ? "dnctl" : "ipfw";
	if (argc < 2)
		return (usage(&x));
	if (argv[argc - 1][0] == '/' && strcmp(argv[argc - 1], "//") != 0) {
		av = parse_options(&x, argv + 1, &status);
		if (av == NULL)
			return (status);
		if (av != argv + argc - 1)
			return (ipfw_errx(&x, EX_USAGE,
			    "extraneous filename arguments %s",
			    argv[argc - 1]));
		return (run_file(&x, argv[argc - 1]));
	}
	return (run_words(&x, argc - 1, argv + 1));
}
USERCMD(ipfw, cmd_ipfw);
USERCMD(dnctl, cmd_ipfw);
