/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw(8), dnctl(8): pipes, queues and schedulers.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <netinet/ip_dummynet.h>
#include "ipfw_user.h"

enum {
	TOK_PLR, TOK_NOERROR, TOK_BUCKETS, TOK_DSTIP, TOK_SRCIP, TOK_DSTPORT,
	TOK_SRCPORT, TOK_PROTO, TOK_WEIGHT, TOK_LMAX, TOK_ALL, TOK_MASK,
	TOK_DROPTAIL, TOK_ECN, TOK_RED, TOK_GRED, TOK_BW, TOK_DELAY,
	TOK_PIPE, TOK_QUEUE, TOK_PRI, TOK_TYPE, TOK_BURST, TOK_UNSUPPORTED
};

/* Of a real kernel's schedulers, those that this one lacks. */
static const char *const real_only[] = { "qfq", "fq_codel", "fq_pie" };

static const struct token params[] = {
	{ "plr",	TOK_PLR },
	{ "noerror",	TOK_NOERROR },
	{ "buckets",	TOK_BUCKETS },
	{ "dst-ip",	TOK_DSTIP },
	{ "src-ip",	TOK_SRCIP },
	{ "dst-port",	TOK_DSTPORT },
	{ "src-port",	TOK_SRCPORT },
	{ "proto",	TOK_PROTO },
	{ "weight",	TOK_WEIGHT },
	{ "lmax",	TOK_LMAX },
	{ "maxlen",	TOK_LMAX },
	{ "all",	TOK_ALL },
	{ "mask",	TOK_MASK },
	{ "sched_mask",	TOK_MASK },
	{ "flow_mask",	TOK_MASK },
	{ "droptail",	TOK_DROPTAIL },
	{ "ecn",	TOK_ECN },
	{ "red",	TOK_RED },
	{ "gred",	TOK_GRED },
	{ "bw",		TOK_BW },
	{ "bandwidth",	TOK_BW },
	{ "delay",	TOK_DELAY },
	{ "pipe",	TOK_PIPE },
	{ "queue",	TOK_QUEUE },
	{ "sched",	TOK_PIPE },
	{ "pri",	TOK_PRI },
	{ "priority",	TOK_PRI },
	{ "type",	TOK_TYPE },
	{ "burst",	TOK_BURST },
	{ "link",	TOK_UNSUPPORTED },
	{ "flowset",	TOK_UNSUPPORTED },
	{ "codel",	TOK_UNSUPPORTED },
	{ "fq_codel",	TOK_UNSUPPORTED },
	{ "pie",	TOK_UNSUPPORTED },
	{ "fq_pie",	TOK_UNSUPPORTED },
	{ "flow-id",	TOK_UNSUPPORTED },
	{ "dst-ip6",	TOK_UNSUPPORTED },
	{ "dst-ipv6",	TOK_UNSUPPORTED },
	{ "src-ip6",	TOK_UNSUPPORTED },
	{ "src-ipv6",	TOK_UNSUPPORTED },
	{ "profile",	TOK_UNSUPPORTED },
	{ NULL, 0 }
};

struct config {
	const struct ipfw *x;
	char		**av;
	struct dn_sch	sch;
	struct dn_link	link;
	struct dn_fs	fs;
	bool		has_sch, has_link, has_fs;
};

static void
oid_fill(struct dn_id *oid, int len, int type, uint32_t id)
{

	oid->len = len;
	oid->type = type;
	oid->subtype = 0;
	oid->id = id;
}

#define	ERRX(status, ...)	return (ipfw_errx(c->x, (status), __VA_ARGS__))
#define	NEED(has, msg)	do {						\
	if (!(has))							\
		ERRX(EX_USAGE, msg);					\
} while (0)
#define	NEED1(msg)	NEED(*c->av != NULL, msg)

static bool
one_of(const char *s, const char *const *words)
{

	for (; *words != NULL; words++)
		if (strcmp(s, *words) == 0)
			return (true);
	return (false);
}

/* "10Mbit/s", "64000", "1MByte/s". */
static int
take_bandwidth(struct config *c)
{
	static const char *const bits[] = { "", "b", "bit", "bits", "bit/s",
	    "bits/s", "bps", "Bit", "Bits", "Bit/s", "Bits/s", NULL };
	static const char *const bytes[] = { "B", "Byte", "Bytes", "Byte/s",
	    "Bytes/s", "by", "byt", "byte", "bytes", "byte/s", "bytes/s",
	    "B/s", "Bps", NULL };
	const char *arg = *c->av++;
	char *end;
	uint64_t bw;

	if (isalpha(*arg))
		ERRX(1, "no if support");
	bw = strtoul(arg, &end, 0);
	if (end == arg)
		ERRX(EX_DATAERR, "bandwidth: invalid argument %s", arg);
	switch (*end) {
	case 'K':
	case 'k':
		bw *= 1000;
		end++;
		break;
	case 'M':
	case 'm':
		bw *= 1000000;
		end++;
		break;
	case 'G':
	case 'g':
		bw *= 1000000000;
		end++;
		break;
	}
	if (one_of(end, bytes))
		bw *= 8;
	else if (!one_of(end, bits))
		ERRX(EX_DATAERR, "bandwidth: invalid argument %s", arg);
	if (bw > UINT32_MAX)
		ERRX(EX_DATAERR, "bandwidth too large");
	c->link.bandwidth = bw;
	return (EX_OK);
}

/* Packets, or with a unit bytes. */
static int
take_qsize(struct config *c)
{
	static const char *const kbytes[] = { "K", "k", "KB", "kB", "KByte",
	    "KBytes", "Kbyte", "Kbytes", "kbytes", NULL };
	static const char *const bytes[] = { "B", "Byte", "Bytes", "by",
	    "byte", "bytes", NULL };
	const char *arg = *c->av++;
	char *end;
	u_long v, unit = 1;

	v = strtoul(arg, &end, 0);
	if (end != arg && one_of(end, kbytes))
		unit = 1024;
	else if (end == arg || (*end != '\0' && !one_of(end, bytes)))
		ERRX(EX_DATAERR, "queue: invalid argument %s", arg);
	if (v > INT_MAX / unit)
		ERRX(EX_DATAERR, "queue: invalid argument %s", arg);
	if (*end != '\0')
		c->fs.flags |= DN_QSIZE_BYTES;
	c->fs.qsize = v * unit;
	return (EX_OK);
}

static int
take_burst(struct config *c)
{
	const char *arg = *c->av++;
	char *end;
	uint64_t v;
	int shift;

	v = strtoull(arg, &end, 0);
	shift = 0;
	switch (tolower(*end)) {
	case 'k':
		shift = 10;
		break;
	case 'm':
		shift = 20;
		break;
	case 'g':
		shift = 30;
		break;
	case 't':
		shift = 40;
		break;
	}
	if (shift != 0)
		end++;
	if (tolower(*end) == 'b')
		end++;
	if (end == arg || *end != '\0')
		ERRX(EX_DATAERR, "burst: invalid argument");
	if (v > ((1ULL << 48) - 1) >> shift)
		ERRX(EX_DATAERR, "burst: out of range (0..2^48-1)");
	c->link.burst = v << shift;
	return (EX_OK);
}

static int
take_plr(struct config *c)
{
	char *end, *s = *c->av++;
	double d;
	int i;

	for (i = 0; i < 4; i++) {
		d = strtod(s, &end);
		if (end == s || (*end != ',' && *end != '\0'))
			ERRX(EX_DATAERR, "plr needs one or four arguments 0..1\n");
		d = d < 0 ? 0 : d > 1 ? 1 : d;
		c->fs.plr[i] = (int)(d * 0x7fffffff);
		if (*end == '\0')
			break;
		s = end + 1;
	}
	if (i != 0 && i != 3)
		ERRX(EX_DATAERR, "plr needs one or four arguments 0..1\n");
	return (EX_OK);
}

/* Fields and the bits of them that tell flows apart. */
static int
take_mask(struct config *c)
{
	struct ipfw_flow_id *mask;
	uint32_t *flags;
	char *end;
	u_long a;
	int tok;

	if (c->has_sch) {
		mask = &c->sch.sched_mask;
		flags = &c->sch.flags;
	} else {
		mask = &c->fs.flow_mask;
		flags = &c->fs.flags;
	}
	bzero(mask, sizeof(*mask));
	for (;;) {
		tok = *c->av != NULL ? match_token(params, *c->av) : -1;
		switch (tok) {
		case TOK_ALL:
			c->av++;
			mask->dst_ip = mask->src_ip = ~0;
			mask->dst_port = mask->src_port = ~0;
			mask->proto = ~0;
			memset(&mask->dst_ip6, 0xff, sizeof(mask->dst_ip6));
			memset(&mask->src_ip6, 0xff, sizeof(mask->src_ip6));
			mask->flow_id6 = ~0;
			*flags |= DN_HAVE_MASK;
			return (EX_OK);
		case TOK_QUEUE:
			/* "mask queue", or the size behind the mask. */
			if (c->av[1] != NULL && isdigit(*c->av[1]))
				return (EX_OK);
			c->av++;
			mask->extra = ~0;
			*flags |= DN_HAVE_MASK;
			return (EX_OK);
		case TOK_DSTIP:
		case TOK_SRCIP:
		case TOK_DSTPORT:
		case TOK_SRCPORT:
		case TOK_PROTO:
			break;
		default:
			return (EX_OK);
		}
		c->av++;
		if (*c->av == NULL)
			ERRX(EX_USAGE, "mask: value missing");
		if (**c->av == '/') {
			a = strtoul(*c->av + 1, &end, 0);
			a = a >= 32 ? 0xffffffff : (1UL << a) - 1;
		} else
			a = strtoul(*c->av, &end, 0);
		if (end == *c->av || *end != '\0')
			ERRX(EX_DATAERR, "mask: invalid value %s", *c->av);
		c->av++;
		switch (tok) {
		case TOK_DSTIP:
			mask->addr_type = 4;
			mask->dst_ip = a;
			break;
		case TOK_SRCIP:
			mask->addr_type = 4;
			mask->src_ip = a;
			break;
		case TOK_DSTPORT:
		case TOK_SRCPORT:
			if (a > 0xffff)
				ERRX(EX_DATAERR, "port mask must be 16 bit");
			if (tok == TOK_DSTPORT)
				mask->dst_port = a;
			else
				mask->src_port = a;
			break;
		case TOK_PROTO:
			if (a > 0xff)
				ERRX(EX_DATAERR, "proto mask must be 8 bit");
			mask->proto = a;
			break;
		}
		if (a != 0)
			*flags |= DN_HAVE_MASK;
	}
}

/* w_q/min_th/max_th/max_p */
static int
take_red(struct config *c, bool gentle)
{
	char *end, *s = *c->av++;
	double v[4];
	int i;

	for (i = 0; i < 4; i++) {
		v[i] = strtod(s, &end);
		if (end != s && (*end == 'K' || *end == 'k')) {
			v[i] *= 1024;
			end++;
		}
		if (end == s || *end != (i < 3 ? '/' : '\0'))
			ERRX(EX_USAGE,
			    "red/gred needs w_q/min_th/max_th/max_p\n");
		s = end + 1;
	}
	if (v[0] > 1 || v[0] <= 0)
		ERRX(EX_DATAERR, "0 < w_q <= 1");
	if (v[3] > 1 || v[3] < 0)
		ERRX(EX_DATAERR, "0 <= max_p <= 1");
	c->fs.flags |= DN_IS_RED | (gentle ? DN_IS_GENTLE_RED : 0);
	c->fs.w_q = (int)(v[0] * (1 << SCALE_RED));
	c->fs.min_th = (int)v[1];
	c->fs.max_th = (int)v[2];
	c->fs.max_p = (int)(v[3] * (1 << SCALE_RED));
	return (EX_OK);
}

static int
take_number(struct config *c, const char *what, const char *unit, long max,
    long *value)
{
	char *end;

	if (*c->av == NULL)
		ERRX(EX_USAGE, "%s needs argument\n", what);
	*value = strtol(*c->av, &end, 0);
	if (end == *c->av || (*end != '\0' && strcmp(end, unit) != 0) ||
	    *value < 0 || *value > max)
		ERRX(EX_DATAERR, "%s: invalid argument %s", what, *c->av);
	c->av++;
	return (EX_OK);
}

static int
take_param(struct config *c)
{
	const char *word = *c->av++;
	int tok;
	long v;

	tok = match_token(params, word);
	switch (tok) {
	case TOK_NOERROR:
		c->fs.flags |= DN_NOERROR;
		return (EX_OK);
	case TOK_PLR:
		NEED1("plr needs one or four arguments 0..1\n");
		return (take_plr(c));
	case TOK_QUEUE:
		NEED1("queue needs queue size\n");
		return (take_qsize(c));
	case TOK_BUCKETS:
		TRY(take_number(c, word, "", 65536, &v));
		if (c->has_sch)
			c->sch.buckets = v;
		else
			c->fs.buckets = v;
		return (EX_OK);
	case TOK_MASK:
		NEED1("mask needs mask specifier\n");
		return (take_mask(c));
	case TOK_RED:
	case TOK_GRED:
		NEED1("red/gred needs w_q/min_th/max_th/max_p\n");
		return (take_red(c, tok == TOK_GRED));
	case TOK_ECN:
		c->fs.flags |= DN_IS_ECN;
		return (EX_OK);
	case TOK_DROPTAIL:
		c->fs.flags &= ~(DN_IS_RED | DN_IS_GENTLE_RED);
		return (EX_OK);
	case TOK_BW:
		NEED(c->has_link, "bw is only for links");
		NEED1("bw needs bandwidth or interface\n");
		return (take_bandwidth(c));
	case TOK_DELAY:
		NEED(c->has_link, "delay is only for links");
		NEED1("delay needs argument 0..10000ms\n");
		TRY(take_number(c, word, "ms", INT_MAX, &v));
		c->link.delay = v;
		if (v > 10000)
			ERRX(EX_DATAERR, "delay must be < 10000");
		return (EX_OK);
	case TOK_BURST:
		NEED(c->has_link, "burst");
		NEED1("burst needs argument\n");
		return (take_burst(c));
	case TOK_TYPE:
		NEED(c->has_sch, "type is only for schedulers");
		NEED1("type needs a string");
		if (strlen(*c->av) == 0 || strlen(*c->av) > 15)
			ERRX(1, "type %s too long\n", *c->av);
		for (v = 0; v < (long)nitems(real_only); v++)
			if (strcasecmp(*c->av, real_only[v]) == 0)
				ERRX(EX_DATAERR, "scheduler type %s is not in "
				    "the user-mode guest (--guest qemu)", *c->av);
		strlcpy(c->sch.name, *c->av++, sizeof(c->sch.name));
		c->sch.oid.subtype = 0;
		return (EX_OK);
	case TOK_WEIGHT:
		TRY(take_number(c, word, "", INT_MAX, &v));
		c->fs.par[0] = v;
		return (EX_OK);
	case TOK_LMAX:
		TRY(take_number(c, word, "", INT_MAX, &v));
		c->fs.par[1] = v;
		return (EX_OK);
	case TOK_PRI:
		TRY(take_number(c, word, "", INT_MAX, &v));
		c->fs.par[2] = v;
		return (EX_OK);
	case TOK_PIPE:
		NEED1("pipe/link/sched needs number\n");
		TRY(take_number(c, word, "", DN_MAX_ID - 1, &v));
		c->fs.sched_nr = v;
		return (EX_OK);
	case TOK_UNSUPPORTED:
		ERRX(EX_DATAERR, "unsupported option ``%s'' (of the user-mode "
		    "guest; a real kernel may have it: --guest qemu)", word);
	default:
		ERRX(EX_DATAERR, "unrecognised option ``%s''", word);
	}
}

static long
limit(const char *name, long dflt)
{
	long value;
	size_t len;

	len = sizeof(value);
	if (kernel_sysctlbyname(curthread, __DECONST(char *, name), &value,
	    &len, NULL, 0, NULL, 0) != 0)
		return (dflt);
	return (value);
}

static int
check_flowset(struct config *c)
{
	struct dn_fs *fs = &c->fs;
	long max;

	if ((fs->flags & DN_QSIZE_BYTES) != 0) {
		max = limit("net.inet.ip.dummynet.pipe_byte_limit",
		    1024 * 1024);
		if (fs->qsize > max)
			ERRX(EX_DATAERR, "queue size must be < %ldB", max);
	} else {
		max = limit("net.inet.ip.dummynet.pipe_slot_limit", 100);
		if (fs->qsize > max)
			ERRX(EX_DATAERR, "2 <= queue size <= %ld", max);
	}
	if ((fs->flags & DN_IS_ECN) != 0 && (fs->flags & DN_IS_RED) == 0)
		ERRX(EX_USAGE, "ECN can be used with red/gred/"
		    "codel/fq_codel only!");
	if ((fs->flags & DN_IS_RED) == 0)
		return (EX_OK);
	if ((fs->flags & DN_IS_ECN) == 0 && fs->min_th >= fs->max_th)
		ERRX(EX_DATAERR, "min_th %d must be < than max_th %d",
		    fs->min_th, fs->max_th);
	if ((fs->flags & DN_IS_ECN) != 0 && fs->min_th > fs->max_th)
		ERRX(EX_DATAERR, "min_th %d must be =< than max_th %d",
		    fs->min_th, fs->max_th);
	if (fs->max_th == 0)
		ERRX(EX_DATAERR, "max_th must be > 0");
	return (EX_OK);
}

static char *
append(char *p, void *obj, int len, int type)
{
	struct dn_id *o = obj;

	oid_fill(o, len, type, 0);
	memcpy(p, obj, len);
	return (p + len);
}

static int
config(struct config *c)
{
	struct dn_id cmd;
	char buf[512], *p;
	size_t len;
	int error, i;

	_Static_assert(sizeof(cmd) + sizeof(c->sch) + sizeof(c->link) +
	    sizeof(c->fs) <= sizeof(buf), "room for all objects");
	i = *c->av != NULL && isdigit(**c->av) ?
	    strtol(*c->av++, NULL, 10) : -1;
	if (i <= 0)
		ERRX(EX_USAGE, "need a pipe/flowset/sched number");
	c->has_fs = true;
	switch (c->x->do_pipe) {
	case 1:
		/* The flowset is that of the FIFO behind the pipe. */
		c->has_sch = c->has_link = true;
		c->sch.sched_nr = i;
		c->sch.flags = DN_PIPE_CMD;
		c->link.link_nr = i;
		c->fs.fs_nr = i + 2 * DN_MAX_ID;
		c->fs.sched_nr = i + DN_MAX_ID;
		break;
	case 2:
		c->fs.fs_nr = i;
		break;
	case 3:
		/* The flowset counts for a scheduler without queues. */
		c->has_sch = true;
		c->sch.sched_nr = i;
		c->fs.fs_nr = i + DN_MAX_ID;
		c->fs.sched_nr = i;
		break;
	}
	/* -1: as it is. */
	for (i = 0; i < (int)nitems(c->fs.par); i++)
		c->fs.par[i] = -1;
	while (*c->av != NULL)
		TRY(take_param(c));
	TRY(check_flowset(c));

	oid_fill(&cmd, sizeof(cmd), DN_CMD_CONFIG, DN_API_VERSION);
	memcpy(buf, &cmd, sizeof(cmd));
	p = buf + sizeof(cmd);
	if (c->has_sch)
		p = append(p, &c->sch, sizeof(c->sch), DN_SCH);
	if (c->has_link)
		p = append(p, &c->link, sizeof(c->link), DN_LINK);
	p = append(p, &c->fs, sizeof(c->fs), DN_FS);
	if (c->x->test_only)
		return (EX_OK);
	len = p - buf;
	error = ipfw_sockopt(SOPT_SET, IP_DUMMYNET3, buf, &len);
	return (error == 0 ? EX_OK : ipfw_err(c->x, 1, error,
	    "setsockopt(%s)", "IP_DUMMYNET3"));
}

int
ipfw_pipe_config(const struct ipfw *x, int ac, char **av)
{
	struct config *c;
	int status;

	c = u_calloc(sizeof(*c));
	c->x = x;
	c->av = av;
	status = config(c);
	u_free(c);
	return (status);
}

int
ipfw_pipe_delete(const struct ipfw *x, int nr)
{
	struct {
		struct dn_id	oid;
		uintptr_t	nr;
	} cmd;
	size_t len;
	int error;

	oid_fill(&cmd.oid, sizeof(cmd), DN_CMD_DELETE, DN_API_VERSION);
	cmd.oid.subtype = x->do_pipe == 1 ? DN_LINK :
	    x->do_pipe == 2 ? DN_FS : DN_SCH;
	cmd.nr = nr;
	if (x->test_only)
		return (EX_OK);
	len = sizeof(cmd);
	error = ipfw_sockopt(SOPT_SET, IP_DUMMYNET3, &cmd, &len);
	return (error == 0 ? EX_OK : ipfw_err(x, 1, error,
	    "rule %u: setsockopt(IP_DUMMYNET3)", 1));
}

int
ipfw_pipe_flush(const struct ipfw *x)
{
	struct dn_id oid;
	size_t len;
	int error;

	oid_fill(&oid, sizeof(oid), DN_CMD_FLUSH, DN_API_VERSION);
	if (x->test_only)
		return (EX_OK);
	len = sizeof(oid);
	error = ipfw_sockopt(SOPT_SET, IP_DUMMYNET3, &oid, &len);
	return (error == 0 ? EX_OK : ipfw_err(x, EX_UNAVAILABLE, error,
	    "setsockopt(IP_DUMMYNET3)"));
}

/*
 * "show".
 */
static void
print_mask(const struct ipfw_flow_id *id)
{

	u_printf("    mask: %s 0x%02x 0x%08x/0x%04x -> 0x%08x/0x%04x\n",
	    id->extra != 0 ? "queue," : "", id->proto, id->src_ip,
	    id->src_port, id->dst_ip, id->dst_port);
}

static void
print_flow(const struct dn_flow *ni)
{
	const struct ipfw_flow_id *id = &ni->fid;
	char dst[INET_ADDRSTRLEN], src[INET_ADDRSTRLEN];
	const char *proto;

	u_printf("%3u%c", ni->oid.id & 0xff, id->extra != 0 ? '*' : ' ');
	proto = ipfw_proto_name(id->proto);
	if (proto != NULL)
		u_printf("%-4s ", proto);
	else
		u_printf("%4u ", id->proto);
	inet_ntoa_r((struct in_addr){ htonl(id->src_ip) }, src);
	inet_ntoa_r((struct in_addr){ htonl(id->dst_ip) }, dst);
	u_printf("%15s/%-5d %15s/%-5d ", src, id->src_port, dst, id->dst_port);
	u_printf("%4ju %8ju %2u %4u %3u\n", (uintmax_t)ni->tot_pkts,
	    (uintmax_t)ni->tot_bytes, ni->length, ni->len_bytes, ni->drops);
}

/* As "%f" of v / one. */
static void
print_fraction(int64_t v, int64_t one)
{
	int64_t millionth;

	millionth = (v * 1000000 + one / 2) / one;
	u_printf("%d.%06d", (int)(millionth / 1000000),
	    (int)(millionth % 1000000));
}

static void
print_flowset(const struct dn_fs *fs)
{
	int i;

	u_printf("q%05d ", fs->fs_nr);
	if ((fs->flags & DN_QSIZE_BYTES) == 0)
		u_printf("%3d sl.", fs->qsize);
	else if (fs->qsize >= 8192)
		u_printf("%d KB", fs->qsize / 1024);
	else
		u_printf("%d B", fs->qsize);
	if (fs->plr[0] != 0 || fs->plr[1] != 0) {
		u_printf("plr ");
		for (i = 0; i < (fs->plr[1] == 0 ? 1 : 4); i++) {
			u_printf("%s", i > 0 ? "," : "");
			print_fraction(fs->plr[i], 0x7fffffff);
		}
	}
	u_printf(" %d flows (%d buckets) sched %d weight %d lmax %d pri %d ",
	    fs->oid.id, fs->buckets, fs->sched_nr, fs->par[0], fs->par[1],
	    fs->par[2]);
	if ((fs->flags & DN_IS_RED) != 0) {
		u_printf("\n\t %cRED w_q ",
		    (fs->flags & DN_IS_GENTLE_RED) != 0 ? 'G' : ' ');
		print_fraction(fs->w_q, 1 << SCALE_RED);
		u_printf(" min_th %d max_th %d max_p ", fs->min_th, fs->max_th);
		print_fraction(fs->max_p, 1 << SCALE_RED);
		u_printf("%s\n", (fs->flags & DN_IS_ECN) != 0 ? " (ecn)" : "");
	} else
		u_printf("droptail\n");
	if ((fs->flags & DN_HAVE_MASK) != 0)
		print_mask(&fs->flow_mask);
}

static void
print_link(const struct ipfw *x, const struct dn_link *p)
{
	static const struct {
		uint32_t	unit;
		const char	*name;
	} units[] = {
		{ 1000000000, "Gbit/s" }, { 1000000, "Mbit/s" },
		{ 1000, "Kbit/s" }, { 1, "bit/s " },
	};
	static const char prefix[] = " KMGTPE";
	uint64_t burst, milli;
	size_t i;

	u_printf("%05d: ", p->link_nr % DN_MAX_ID);
	if (p->bandwidth == 0)
		u_printf("unlimited     ");
	else {
		for (i = 0; p->bandwidth < units[i].unit; i++)
			;
		milli = ((uint64_t)p->bandwidth * 1000 + units[i].unit / 2) /
		    units[i].unit;
		u_printf("%3d.%03d %s", (int)(milli / 1000),
		    (int)(milli % 1000), units[i].name);
	}
	u_printf(" %4d ms burst ", p->delay);
	/* humanize_number(3) into 12 characters. */
	if (x->verbose)
		u_printf("%d\n", (int)p->burst);
	else {
		burst = p->burst;
		for (i = 0; burst >= 10000000000 && i < 6; i++)
			burst = (burst + 512) / 1024;
		if (i == 0)
			u_printf("%ju \n", (uintmax_t)burst);
		else
			u_printf("%ju %c\n", (uintmax_t)burst, prefix[i]);
	}
}

static void
print_objects(const struct ipfw *x, const char *p, const char *end)
{
	union {
		struct dn_id	oid;
		struct dn_link	link;
		struct dn_sch	sch;
		struct dn_fs	fs;
		struct dn_flow	flow;
	} u;
	uint32_t nr;
	bool header;
	int i;

	/* Only above the first flow of all, as ipfw(8) has it. */
	header = true;
	for (; p < end; p += u.oid.len) {
		memcpy(&u.oid, p, sizeof(u.oid));
		if (u.oid.len < sizeof(u.oid) || u.oid.len > end - p)
			break;
		memcpy(&u, p, MIN(u.oid.len, sizeof(u)));
		switch (u.oid.type) {
		case DN_CMD_GET:
			if (x->verbose)
				u_printf("answer for cmd %d, len %d\n",
				    u.oid.type, u.oid.id);
			break;
		case DN_LINK:
			print_link(x, &u.link);
			break;
		case DN_SCH:
			u_printf(" sched %d type %s flags 0x%x %d buckets "
			    "%d active\n", u.sch.sched_nr, u.sch.name,
			    u.sch.flags, u.sch.buckets, u.oid.id);
			if ((u.sch.flags & DN_HAVE_MASK) != 0)
				print_mask(&u.sch.sched_mask);
			break;
		case DN_FS:
			print_flowset(&u.fs);
			break;
		case DN_FLOW:
			if (header)
				u_printf("BKT Prot ___Source IP/port____ "
				    "____Dest. IP/port____ "
				    "Tot_pkt/bytes Pkt/Byte Drp\n");
			header = false;
			print_flow(&u.flow);
			break;
		case DN_TEXT:
			if (u.oid.len == sizeof(u.oid))
				break;
			u_printf("   Children flowsets: ");
			for (i = sizeof(u.oid); i < u.oid.len; i += sizeof(nr)) {
				memcpy(&nr, p + i, sizeof(nr));
				u_printf("%u ", nr);
			}
			u_printf("\n");
			break;
		default:
			u_printf("unrecognized object %d size %d\n",
			    u.oid.type, u.oid.len);
			break;
		}
	}
}

/* "1,3-5": pairs of from and to; how many there are. */
static int
parse_ranges(const struct ipfw *x, char **av, uint32_t *v, int max)
{
	char *end, *s;
	u_long a, b;
	int n;

	n = 0;
	for (; *av != NULL; av++)
		for (s = *av; *s != '\0'; s = *end == ',' ? end + 1 : end) {
			a = b = strtoul(s, &end, 10);
			if (end != s && *end == '-')
				b = strtoul(end + 1, &end, 10);
			if (end == s || (*end != '\0' && *end != ',')) {
				ipfw_warnx(x, "invalid number: %s", s);
				break;
			}
			if (b < a || b >= DN_MAX_ID - 1 || n == max)
				continue;
			if (x->do_pipe == 1) {
				a += DN_MAX_ID;
				b += DN_MAX_ID;
			}
			v[2 * n] = a;
			v[2 * n + 1] = b;
			n++;
		}
	return (n);
}

int
ipfw_pipe_list(const struct ipfw *x, int ac, char **av)
{
	struct {
		struct dn_id	oid;
		uint32_t	range[2 * 64];
	} cmd;
	struct dn_id oid;
	char *buf;
	size_t len, size;
	int error, i, n;

	bzero(&cmd, sizeof(cmd));
	n = parse_ranges(x, av, cmd.range, nitems(cmd.range) / 2);
	if (n == 0 && ac > 0)
		return (EX_OK);
	oid_fill(&cmd.oid, sizeof(cmd.oid) + n * 2 * sizeof(uint32_t),
	    DN_CMD_GET, DN_API_VERSION);
	cmd.oid.subtype = x->do_pipe == 1 ? DN_LINK :
	    x->do_pipe == 2 ? DN_FS : DN_SCH;
	size = 4096;
	for (i = 0; i < 20; i++) {
		buf = u_calloc(size);
		memcpy(buf, &cmd, cmd.oid.len);
		len = size;
		error = ipfw_sockopt(SOPT_GET, IP_DUMMYNET3, buf, &len);
		if (error != 0) {
			/* No dummynet, nothing to show: ipfw(8) is silent. */
			u_free(buf);
			break;
		}
		memcpy(&oid, buf, sizeof(oid));
		/* Only the header comes when the rest does not fit. */
		if (oid.id <= size) {
			print_objects(x, buf, buf + len);
			u_free(buf);
			break;
		}
		size = oid.id + 4096;
		u_free(buf);
	}
	return (EX_OK);
}
