/* SPDX-License-Identifier: BSD-2-Clause */
/* dngen, a traffic generator: its words and options. */
#include "dngen.h"

static const char usage[] =
"usage: dngen send udp --to ADDR:PORT (--rate RATE | --pps N) [--size N | --sizes SIZE:WEIGHT,...]\n"
"                      [--on TIME --off TIME] [--senders N] [--seed N] [--start TIME] common\n"
"       dngen recv udp --port PORT [--ip 4|6] [--interval TIME] [--idle TIME] [--linger TIME] [--senders N] common\n"
"       dngen send tcp --to ADDR:PORT [--senders N] [--start TIME] common\n"
"       dngen recv tcp --port PORT [--ip 4|6] [--interval TIME] [--linger TIME] [--senders N] common\n"
"       dngen ping --to ADDR [--interval TIME] [--size N] [--report TIME] [--linger TIME] [--start TIME] common\n"
"common: --id NAME --for TIME\n"
"Times: 5s 10ms 100us 1ns.  Rates: 20Mbit/s 500Kbit/s 1MByte/s, of IP packets; sizes, 64 and up, are\n"
"those of IP packets too.  Several senders share the rate equally, each with a port of its own.\n"
"A receiver ends when all senders have (--linger after the last packet), when there was nothing for\n"
"--idle, and at the latest after --for.\n";

#define	MIN_SIZE	(IP_UDP_HEADERS + DG_HEADER_SIZE)

enum word { W_SEND_UDP = 1, W_RECV_UDP = 2, W_SEND_TCP = 4, W_RECV_TCP = 8, W_PING = 16 };
#define	W_SEND	(W_SEND_UDP | W_SEND_TCP)
#define	W_RECV	(W_RECV_UDP | W_RECV_TCP)
#define	W_ALL	(W_SEND | W_RECV | W_PING)

enum opt {
	O_FOR, O_ID, O_IDLE, O_INTERVAL, O_IP, O_LINGER, O_OFF, O_ON, O_PORT, O_PPS, O_RATE,
	O_REPORT, O_SEED, O_SENDERS, O_SIZE, O_SIZES, O_START, O_TO, O_COUNT
};

static const struct {
	const char	*name;
	int		 words;
} options[O_COUNT] = {
	[O_FOR] = { "--for", W_ALL },
	[O_ID] = { "--id", W_ALL },
	[O_IDLE] = { "--idle", W_RECV_UDP },
	[O_INTERVAL] = { "--interval", W_RECV | W_PING },
	[O_IP] = { "--ip", W_RECV },
	[O_LINGER] = { "--linger", W_RECV | W_PING },
	[O_OFF] = { "--off", W_SEND_UDP },
	[O_ON] = { "--on", W_SEND_UDP },
	[O_PORT] = { "--port", W_RECV },
	[O_PPS] = { "--pps", W_SEND_UDP },
	[O_RATE] = { "--rate", W_SEND_UDP },
	[O_REPORT] = { "--report", W_PING },
	[O_SEED] = { "--seed", W_SEND_UDP },
	[O_SENDERS] = { "--senders", W_SEND | W_RECV },
	[O_SIZE] = { "--size", W_SEND_UDP | W_PING },
	[O_SIZES] = { "--sizes", W_SEND_UDP },
	[O_START] = { "--start", W_ALL },
	[O_TO] = { "--to", W_SEND | W_PING },
};

struct unit {
	const char	*name;
	uint64_t	 factor;
};

static const struct unit time_units[] = {
	{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { "min", UINT64_C(60000000000) },
	{ NULL, 0 }
};
static const struct unit rate_units[] = {
	{ "bit/s", 1000 }, { "bits/s", 1000 }, { "Bit/s", 1000 }, { "", 1000 },
	{ "Byte/s", 8000 }, { "Bytes/s", 8000 }, { "byte/s", 8000 }, { NULL, 0 }
};
static const struct unit pps_units[] = {
	{ "", 1000000 }, { "pps", 1000000 }, { NULL, 0 }
};
static const struct unit plain_units[] = { { "", 1 }, { NULL, 0 } };
static const struct unit size_units[] = { { "", 1 }, { "B", 1 }, { NULL, 0 } };

static uint64_t
power10(int n)
{
	uint64_t v;

	for (v = 1; n > 0; n--)
		v *= 10;
	return (v);
}

/* Digits and perhaps a fraction, a prefix if there may be one, a unit: exactly, or not at all. */
static bool
parse_quantity(const char *s, const struct unit *units, bool prefixes, uint64_t *value)
{
	uint64_t digits = 0, factor = 1, v;
	int decimals = 0, n = 0;
	bool point = false;

	for (;; s++) {
		if (*s == '.' && !point) {
			point = true;
			continue;
		}
		if (*s < '0' || *s > '9')
			break;
		if (digits > UINT64_MAX / 10 - 1 || decimals == 18)
			return (false);
		digits = digits * 10 + (uint64_t)(*s - '0');
		decimals += point;
		n++;
	}
	if (n == 0)
		return (false);
	if (prefixes) {
		switch (*s) {
		case 'k': case 'K':
			factor = 1000;
			s++;
			break;
		case 'm': case 'M':
			factor = 1000000;
			s++;
			break;
		case 'g': case 'G':
			factor = 1000000000;
			s++;
			break;
		}
	}
	for (; units->name != NULL && strcmp(units->name, s) != 0; units++)
		;
	if (units->name == NULL)
		return (false);
	factor *= units->factor;
	for (; decimals > 0 && digits % 10 == 0; decimals--)
		digits /= 10;
	if (digits != 0 && factor > UINT64_MAX / digits)
		return (false);
	v = digits * factor;
	if (v % power10(decimals) != 0)
		return (false);
	*value = v / power10(decimals);
	return (true);
}

static bool
parse_time(const char *s, int64_t *ns)
{
	uint64_t v;

	/* A day is enough, and nothing overflows. */
	if (!parse_quantity(s, time_units, false, &v) || v > (uint64_t)86400 * NS_PER_S)
		return (false);
	*ns = (int64_t)v;
	return (true);
}

static bool
parse_int(const char *s, const struct unit *units, uint64_t min, uint64_t max, uint64_t *value)
{
	return (parse_quantity(s, units, false, value) && *value >= min && *value <= max);
}

/* Up to one of the two characters, or the end. */
static size_t
copy_word(const char *s, char stop1, char stop2, char *word, size_t size)
{
	size_t n;

	for (n = 0; s[n] != '\0' && s[n] != stop1 && s[n] != stop2; n++) {
		if (n == size - 1)
			return (0);
		word[n] = s[n];
	}
	word[n] = '\0';
	return (n);
}

static bool
parse_port(const char *s, struct dg_options *o)
{
	uint64_t v;

	if (*s++ != ':' || !parse_int(s, plain_units, 1, 65535, &v))
		return (false);
	o->port = (uint16_t)v;
	return (true);
}

static bool
parse_to(const char *s, bool port, struct dg_options *o)
{
	uint64_t v;
	char word[8];
	const char *rest;
	size_t n;
	int i;

	if (*s == '[' && port) {
		n = copy_word(s + 1, ']', '\0', o->to, sizeof(o->to));
		rest = s + 1 + n;
		o->ip6 = true;
		return (n > 0 && strspn(o->to, "0123456789abcdefABCDEF:.") == n && *rest++ == ']' &&
		    parse_port(rest, o));
	}
	for (rest = s, i = 0; i < 4; i++) {
		n = copy_word(rest, i < 3 ? '.' : ':', '\0', word, 4);
		if (n == 0 || !parse_int(word, plain_units, 0, 255, &v))
			return (false);
		rest += n;
		if (i < 3 && *rest++ != '.')
			return (false);
	}
	memcpy(o->to, s, (size_t)(rest - s));
	return (port ? parse_port(rest, o) : *rest == '\0');
}

static bool
parse_sizes(const char *s, struct dg_sizes *z)
{
	uint64_t size, weight;
	char word[16];
	size_t n;

	z->count = 0;
	z->total = 0;
	for (;;) {
		n = copy_word(s, ':', ',', word, sizeof(word));
		if (n == 0 || z->count == MAX_SIZES ||
		    !parse_int(word, size_units, MIN_SIZE, IP_MAX_SIZE, &size))
			return (false);
		s += n;
		weight = 1;
		if (*s == ':') {
			n = copy_word(++s, ',', ',', word, sizeof(word));
			if (n == 0 || !parse_int(word, plain_units, 1, 10000, &weight))
				return (false);
			s += n;
		}
		z->size[z->count] = (uint32_t)size;
		z->weight[z->count++] = (uint32_t)weight;
		z->total += (uint32_t)weight;
		if (*s == '\0')
			return (true);
		s++;
	}
}

static bool
parse_id(const char *s)
{
	size_t n;

	for (n = 0; s[n] != '\0'; n++)
		if (!((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z') ||
		    (s[n] >= '0' && s[n] <= '9') || s[n] == '_' || s[n] == '-' || s[n] == '.'))
			return (false);
	return (n > 0 && n < 64);
}

static bool
set_option(struct dg_options *o, enum opt opt, const char *s, enum word word)
{
	uint64_t v;
	bool ok;

	switch (opt) {
	case O_FOR:
		return (parse_time(s, &o->length) && o->length > 0);
	case O_ID:
		o->id = s;
		return (parse_id(s));
	case O_IDLE:
		return (parse_time(s, &o->idle));
	case O_INTERVAL:
		if (word == W_PING)
			return (parse_time(s, &o->gap) && o->gap > 0);
		/* FALLTHROUGH */
	case O_REPORT:
		/* Finer than this it would measure itself. */
		return (parse_time(s, &o->interval) && o->interval >= NS_PER_MS);
	case O_IP:
		o->ip6 = strcmp(s, "6") == 0;
		return (o->ip6 || strcmp(s, "4") == 0);
	case O_LINGER:
		return (parse_time(s, &o->linger));
	case O_OFF:
		return (parse_time(s, &o->off) && o->off > 0);
	case O_ON:
		return (parse_time(s, &o->on) && o->on > 0);
	case O_PORT:
		ok = parse_int(s, plain_units, 1, 65535, &v);
		o->port = ok ? (uint16_t)v : 0;
		return (ok);
	case O_PPS:
		return (parse_quantity(s, pps_units, false, &o->upps) && o->upps > 0 &&
		    o->upps <= UINT64_C(1000000000) * 1000000);
	case O_RATE:
		return (parse_quantity(s, rate_units, true, &o->mrate) && o->mrate > 0 &&
		    o->mrate <= UINT64_C(1000000000000000));
	case O_SEED:
		return (parse_int(s, plain_units, 0, UINT64_MAX / 16, &o->seed));
	case O_SENDERS:
		ok = parse_int(s, plain_units, 1, MAX_SENDERS, &v);
		o->senders = ok ? (uint32_t)v : 0;
		return (ok);
	case O_SIZE:
		o->sizes.count = 1;
		o->sizes.weight[0] = o->sizes.total = 1;
		ok = parse_int(s, size_units, MIN_SIZE, IP_MAX_SIZE, &v);
		o->sizes.size[0] = ok ? (uint32_t)v : 0;
		return (ok);
	case O_SIZES:
		return (parse_sizes(s, &o->sizes));
	case O_START:
		return (parse_time(s, &o->start));
	case O_TO:
		return (parse_to(s, word != W_PING, o));
	case O_COUNT:
		break;
	}
	return (false);
}

static const char *
check(const struct dg_options *o, unsigned given, enum word word)
{
	int i;

#define	GIVEN(x)	((given & 1u << (x)) != 0)
	if (!GIVEN(O_ID))
		return ("--id is missing");
	if (!GIVEN(O_FOR))
		return ("--for is missing");
	if ((word & (W_SEND | W_PING)) != 0 && !GIVEN(O_TO))
		return ("--to is missing");
	if ((word & W_RECV) != 0 && !GIVEN(O_PORT))
		return ("--port is missing");
	if (word == W_SEND_UDP && GIVEN(O_RATE) == GIVEN(O_PPS))
		return ("one of --rate and --pps is needed");
	if (GIVEN(O_ON) != GIVEN(O_OFF))
		return ("--on and --off go together");
	if (GIVEN(O_SIZE) && GIVEN(O_SIZES))
		return ("one of --size and --sizes is enough");
	for (i = 0; word == W_SEND_UDP && i < o->sizes.count; i++)
		if (o->sizes.size[i] < dg_headers(o) + DG_HEADER_SIZE)
			return ("too small for IPv6: --size ");
	return (NULL);
#undef GIVEN
}

static int
bad_usage(const char *what, const char *which)
{
	os_eprintf("dngen: %s%s (dngen help says more)\n", what, which);
	return (DNGEN_USAGE);
}

static int
parse_options(struct dg_options *o, enum word word, int argc, char **argv)
{
	const char *missing;
	unsigned given = 0;
	int i, opt;

	for (i = 0; i < argc; i += 2) {
		for (opt = 0; opt < O_COUNT && strcmp(options[opt].name, argv[i]) != 0; opt++)
			;
		if (opt == O_COUNT)
			return (bad_usage("unknown option ", argv[i]));
		if ((options[opt].words & word) == 0)
			return (bad_usage("not an option here: ", argv[i]));
		if ((given & 1u << opt) != 0)
			return (bad_usage("given twice: ", argv[i]));
		if (i + 1 == argc)
			return (bad_usage("a value is missing after ", argv[i]));
		if (!set_option(o, (enum opt)opt, argv[i + 1], word)) {
			os_eprintf("dngen: %s cannot be '%.100s' (dngen help says more)\n", argv[i],
			    argv[i + 1]);
			return (DNGEN_USAGE);
		}
		given |= 1u << opt;
	}
	missing = check(o, given, word);
	return (missing != NULL ? bad_usage(missing, "") : 0);
}

static void
set_defaults(struct dg_options *o, enum word word)
{
	memset(o, 0, sizeof(*o));
	o->sizes.count = 1;
	o->sizes.weight[0] = o->sizes.total = 1;
	o->sizes.size[0] = word == W_PING ? 84 : 1000;
	o->linger = word == W_PING ? NS_PER_S : NS_PER_S / 2;
	o->gap = NS_PER_S;
	o->interval = 100 * NS_PER_MS;
	/* A receiver is told by what it receives how many there are. */
	if ((word & W_SEND) != 0)
		o->senders = 1;
}

int
dngen_main(int argc, char **argv)
{
	struct dg_options o;
	const char *a1, *a2;
	enum word word;
	int error, skip;

	a1 = argc > 1 ? argv[1] : "";
	a2 = argc > 2 ? argv[2] : "";
	skip = 3;
	if (strcmp(a1, "help") == 0 || strcmp(a1, "--help") == 0 || strcmp(a1, "-h") == 0) {
		os_write(usage, sizeof(usage) - 1);
		return (0);
	}
	if (strcmp(a1, "send") == 0 && strcmp(a2, "udp") == 0)
		word = W_SEND_UDP;
	else if (strcmp(a1, "recv") == 0 && strcmp(a2, "udp") == 0)
		word = W_RECV_UDP;
	else if (strcmp(a1, "send") == 0 && strcmp(a2, "tcp") == 0)
		word = W_SEND_TCP;
	else if (strcmp(a1, "recv") == 0 && strcmp(a2, "tcp") == 0)
		word = W_RECV_TCP;
	else if (strcmp(a1, "ping") == 0) {
		word = W_PING;
		skip = 2;
	} else
		return (bad_usage("needs: send udp, recv udp, send tcp, recv tcp or ping", ""));
	set_defaults(&o, word);
	error = parse_options(&o, word, argc - skip, argv + skip);
	if (error != 0)
		return (error);
	o.flow = dg_hash(o.id);
	switch (word) {
	case W_SEND_UDP:
		return (dg_udp_send(&o));
	case W_RECV_UDP:
		return (dg_udp_receive(&o));
	case W_SEND_TCP:
		return (dg_tcp_send(&o));
	case W_RECV_TCP:
		return (dg_tcp_receive(&o));
	case W_PING:
		return (dg_ping(&o));
	}
	return (DNGEN_USAGE);
}
