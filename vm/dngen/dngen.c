/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dngen: traffic for dnh, and what came of it.
 *
 *	dngen recv udp|tcp --port N --id NAME --for TIME [--interval TIME]
 *	dngen send udp --to ADDR:PORT --id NAME --for TIME
 *		(--rate BITS | --pps N) [--size N | --sizes N:W,N:W...]
 *		[--on TIME --off TIME] [--start TIME] [--senders N]
 *	dngen send tcp --to ADDR:PORT --id NAME --for TIME [--start TIME] [--senders N]
 *	dngen ping --to ADDR --id NAME --for TIME [--interval TIME] [--size N] [--start TIME]
 *
 * Times are numbers with ns, us, ms or s; sizes are those of the IP packet, and
 * rates bit/s of such packets, as ipfw(8) counts both.  Prints JSON lines, one
 * each interval and a last one with "kind":"final".
 */
#include "dngen_os.h"
#include "hist.h"

#define	MAGIC		0x646e6831u
#define	OVERHEAD	28		/* IP and UDP headers */
#define	MAX_SIZE	65535
#define	MAX_SIZES	16
#define	MAX_SENDERS	64
#define	WINDOW		(1u << 16)	/* sequence numbers whose duplicates are known */
#define	MS		1000000ll
#define	SEC		1000000000ll

struct packet {
	uint32_t	magic;
	uint32_t	run;		/* of the sender, by its --id */
	uint32_t	sender;
	uint32_t	size;
	uint64_t	seq;
	int64_t		sent;		/* ns of the sender's clock */
};

struct options {
	const char	*id;
	char		to[64];
	int		port;
	double		rate;		/* bit/s */
	double		pps;
	int		sizes[MAX_SIZES], weights[MAX_SIZES], nsizes;
	int64_t		on, off, start, length, interval;
	int		senders;
};

/* What may end a program early: a name of an error and how often it came. */
struct errors {
	struct {
		char		name[24];
		uint64_t	count;
	}		e[8];
	int		n;
};

static void
count_error(struct errors *errors, int error)
{
	const char *name = os_error(error);
	int i;

	for (i = 0; i < errors->n; i++)
		if (strcmp(errors->e[i].name, name) == 0) {
			errors->e[i].count++;
			return;
		}
	if (errors->n == 8)
		return;
	strncpy(errors->e[i].name, name, sizeof(errors->e[i].name) - 1);
	errors->e[i].count = 1;
	errors->n++;
}

static void
print_errors(const struct errors *errors)
{
	os_printf(",\"errors\":{");
	for (int i = 0; i < errors->n; i++)
		os_printf("%s\"%s\":%llu", i > 0 ? "," : "", errors->e[i].name,
		    (unsigned long long)errors->e[i].count);
	os_printf("}");
}

static uint32_t
run_of(const char *id)
{
	uint32_t h = 2166136261u;

	for (; *id != '\0'; id++)
		h = (h ^ (uint8_t)*id) * 16777619u;
	return (h);
}

static void
head(const struct options *o, const char *role, const char *kind, int64_t t0, int64_t t1)
{
	os_printf("{\"dngen\":1,\"id\":\"%s\",\"role\":\"%s\",\"kind\":\"%s\",\"t0\":%lld,\"t1\":%lld",
	    o->id, role, kind, (long long)t0, (long long)t1);
}

static void
print_delay(const struct hist *h)
{
	if (h->count == 0)
		return;
	os_printf(",\"delay\":{\"min\":%lld,\"mean\":%lld,\"p50\":%lld,\"p99\":%lld,\"max\":%lld,\"sum\":%.17g,\"sumsq\":%.17g}",
	    (long long)h->min, (long long)(h->sum / (double)h->count),
	    (long long)hist_percentile(h, 50), (long long)hist_percentile(h, 99), (long long)h->max, h->sum, h->sumsq);
}

/*
 * Sending.
 */
struct sender {
	const struct options *o;
	int		number;
	int64_t		zero;		/* when the flow begins */
	struct os_thread *thread;
	uint64_t	sent, bytes;
	int64_t		first, last, late;	/* the most that it was behind its schedule */
	struct errors	errors;
	int		failed;
};

static int
next_size(const struct options *o, uint32_t *rng)
{
	int total = 0, pick;

	if (o->nsizes == 1)
		return (o->sizes[0]);
	for (int i = 0; i < o->nsizes; i++)
		total += o->weights[i];
	*rng = *rng * 1664525u + 1013904223u;
	pick = (int)((*rng >> 8) % (uint32_t)total);
	for (int i = 0; i < o->nsizes; i++) {
		if (pick < o->weights[i])
			return (o->sizes[i]);
		pick -= o->weights[i];
	}
	return (o->sizes[0]);
}

/*
 * The schedule is absolute: packet n leaves when the ones before it have had
 * their time at the flow's rate.  A sender that was kept back catches up, but
 * by no more than a few packets at once.
 */
static void
send_udp(void *arg)
{
	struct sender *s = arg;
	const struct options *o = s->o;
	static const int64_t most_behind = 20 * MS;
	struct os_sock *sock;
	struct packet *p;
	uint32_t rng = 12345u + (uint32_t)s->number;
	double due, share = 1.0 / o->senders;
	int64_t end, now, behind;
	size_t len;
	int error, size;

	error = os_open(OS_UDP, &sock);
	if (error == 0)
		error = os_connect(sock, o->to, o->port, s->zero + o->length);
	if (error != 0) {
		count_error(&s->errors, error);
		s->failed = 1;
		return;
	}
	p = os_alloc(MAX_SIZE);
	end = s->zero + o->length;
	due = (double)s->zero;
	/* Several senders take turns. */
	if (o->pps > 0)
		due += (double)s->number * (double)SEC / o->pps;
	for (;;) {
		if (o->on > 0 && o->off > 0) {
			int64_t into = ((int64_t)due - s->zero) % (o->on + o->off);

			if (into >= o->on)
				due += (double)(o->on + o->off - into);
		}
		if ((int64_t)due >= end)
			break;
		os_sleep_until((int64_t)due);
		now = os_now();
		behind = now - (int64_t)due;
		if (behind > s->late)
			s->late = behind;
		if (behind > most_behind)
			due = (double)(now - most_behind);
		size = next_size(o, &rng);
		p->magic = MAGIC;
		p->run = run_of(o->id);
		p->sender = (uint32_t)s->number;
		p->size = (uint32_t)size;
		p->seq = s->sent;
		p->sent = now;
		len = (size_t)(size - OVERHEAD);
		error = os_send(sock, p, &len, 0);
		if (error != 0)
			count_error(&s->errors, error);
		/* A refused packet has its number and its time as well: it is lost. */
		if (s->sent++ == 0)
			s->first = now;
		s->last = now;
		s->bytes += (uint64_t)size;
		if (o->pps > 0)
			due += (double)SEC / (o->pps * share);
		else
			due += (double)size * 8.0 * (double)SEC / (o->rate * share);
	}
	os_free(p);
	os_close(sock);
}

static void
send_tcp(void *arg)
{
	struct sender *s = arg;
	const struct options *o = s->o;
	enum { BLOCK = 16384 };
	struct os_sock *sock;
	int64_t end = s->zero + o->length;
	char *block;
	size_t len;
	int error;

	os_sleep_until(s->zero);
	error = os_open(OS_TCP, &sock);
	if (error == 0)
		error = os_connect(sock, o->to, o->port, end);
	if (error != 0) {
		count_error(&s->errors, error);
		s->failed = 1;
		return;
	}
	block = os_alloc(BLOCK);
	s->first = os_now();
	while (os_now() < end) {
		len = BLOCK;
		error = os_send(sock, block, &len, end);
		s->bytes += len;
		s->sent += len > 0;
		if (error != 0 && !os_again(error)) {
			count_error(&s->errors, error);
			break;
		}
	}
	s->last = os_now();
	os_free(block);
	os_close(sock);
}

static int
do_send(const struct options *o, bool tcp)
{
	struct sender *all = os_alloc(sizeof(*all) * (size_t)o->senders);
	struct errors errors;
	int64_t zero = os_now() + o->start, first = 0, last = 0, late = 0;
	uint64_t sent = 0, bytes = 0;
	int failed = 0;

	memset(&errors, 0, sizeof(errors));
	for (int i = 0; i < o->senders; i++) {
		all[i].o = o;
		all[i].number = i;
		all[i].zero = zero;
	}
	for (int i = 1; i < o->senders; i++)
		if (os_spawn(tcp ? send_tcp : send_udp, &all[i], &all[i].thread) != 0)
			failed++;
	(tcp ? send_tcp : send_udp)(&all[0]);
	for (int i = 0; i < o->senders; i++) {
		struct sender *s = &all[i];

		if (s->thread != NULL)
			os_join(s->thread);
		sent += s->sent;
		bytes += s->bytes;
		failed += s->failed;
		late = s->late > late ? s->late : late;
		if (s->first != 0 && (first == 0 || s->first < first))
			first = s->first;
		last = s->last > last ? s->last : last;
		for (int k = 0; k < s->errors.n; k++) {
			int at;

			for (at = 0; at < errors.n; at++)
				if (strcmp(errors.e[at].name, s->errors.e[k].name) == 0)
					break;
			if (at == 8)
				continue;
			if (at == errors.n) {
				errors.n++;
				strncpy(errors.e[at].name, s->errors.e[k].name, sizeof(errors.e[at].name) - 1);
			}
			errors.e[at].count += s->errors.e[k].count;
		}
	}
	head(o, tcp ? "tcp-send" : "udp-send", "final", zero, zero + o->length);
	os_printf(",\"sent\":%llu,\"bytes\":%llu,\"senders\":%d,\"first\":%lld,\"last\":%lld,\"late\":%lld",
	    (unsigned long long)sent, (unsigned long long)bytes, o->senders, (long long)first,
	    (long long)last, (long long)late);
	print_errors(&errors);
	os_printf("}\n");
	os_free(all);
	return (failed != 0);
}

/*
 * Receiving.
 */
struct stream {			/* of one sender */
	uint64_t	next;		/* the highest number seen, plus one */
	uint64_t	distinct;
	uint8_t		seen[WINDOW / 8];
};

static void
do_recv_udp_packet(struct stream *st, uint64_t seq, uint64_t *duplicates, uint64_t *reordered,
    uint64_t *unknown)
{
	uint64_t n;

	if (seq >= st->next) {
		/* Numbers that come into the window are new. */
		if (seq - st->next >= WINDOW)
			memset(st->seen, 0, sizeof(st->seen));
		else
			for (n = st->next; n <= seq; n++)
				st->seen[n % WINDOW / 8] &= (uint8_t)~(1u << (n % 8));
		st->next = seq + 1;
	} else if (st->next - seq > WINDOW) {
		(*unknown)++;		/* too old to know whether it came before */
		return;
	} else if ((st->seen[seq % WINDOW / 8] >> (seq % 8) & 1) != 0) {
		(*duplicates)++;
		return;
	} else
		(*reordered)++;
	st->seen[seq % WINDOW / 8] |= (uint8_t)(1u << (seq % 8));
	st->distinct++;
}

struct counts {
	uint64_t	packets, bytes;
};

static void
interval_line(const struct options *o, const char *role, int64_t t0, int64_t t1,
    const struct counts *c, struct hist *h)
{
	head(o, role, "interval", t0, t1);
	os_printf(",\"packets\":%llu,\"bytes\":%llu", (unsigned long long)c->packets,
	    (unsigned long long)c->bytes);
	print_delay(h);
	os_printf("}\n");
	hist_clear(h);
}

static int
do_recv_udp(const struct options *o)
{
	struct stream *streams = os_alloc(sizeof(*streams) * MAX_SENDERS);
	struct hist *all = os_alloc(sizeof(*all)), *part = os_alloc(sizeof(*part));
	struct packet *p = os_alloc(MAX_SIZE);
	struct counts part_counts = { 0, 0 };
	uint64_t received = 0, bytes = 0, duplicates = 0, reordered = 0, unknown = 0, strangers = 0, distinct = 0;
	int64_t now, start = os_now(), end = start + o->length, tick = start, first = 0, last = 0;
	struct os_sock *sock;
	size_t len;
	int error;

	error = os_open(OS_UDP, &sock);
	if (error == 0)
		error = os_bind(sock, o->port);
	if (error != 0) {
		os_eprintf("dngen: port %d: %s\n", o->port, os_error(error));
		return (1);
	}
	for (;;) {
		int64_t until = tick + o->interval < end ? tick + o->interval : end;

		len = MAX_SIZE;
		error = os_recv(sock, p, &len, until);
		now = os_now();
		if (error == 0) {
			if (len < sizeof(*p) || p->magic != MAGIC || p->run != run_of(o->id) ||
			    p->sender >= MAX_SENDERS)
				strangers++;
			else {
				received++;
				bytes += len + OVERHEAD;
				part_counts.packets++;
				part_counts.bytes += len + OVERHEAD;
				if (first == 0)
					first = now;
				last = now;
				hist_add(all, now - p->sent);
				hist_add(part, now - p->sent);
				do_recv_udp_packet(&streams[p->sender], p->seq, &duplicates, &reordered, &unknown);
			}
		} else if (!os_again(error)) {
			os_eprintf("dngen: receiving: %s\n", os_error(error));
			break;
		}
		while (now >= tick + o->interval && tick < end) {
			interval_line(o, "udp-recv", tick, tick + o->interval, &part_counts, part);
			part_counts = (struct counts){ 0, 0 };
			tick += o->interval;
		}
		if (now >= end)
			break;
	}
	for (int i = 0; i < MAX_SENDERS; i++)
		distinct += streams[i].distinct;
	head(o, "udp-recv", "final", start, end);
	os_printf(",\"received\":%llu,\"distinct\":%llu,\"bytes\":%llu,\"duplicates\":%llu,\"reordered\":%llu,"
	    "\"too_old\":%llu,\"strangers\":%llu,\"first\":%lld,\"last\":%lld",
	    (unsigned long long)received, (unsigned long long)distinct, (unsigned long long)bytes,
	    (unsigned long long)duplicates, (unsigned long long)reordered, (unsigned long long)unknown,
	    (unsigned long long)strangers, (long long)first, (long long)last);
	print_delay(all);
	hist_print(all);
	os_printf("}\n");
	os_close(sock);
	os_free(p);
	os_free(part);
	os_free(all);
	os_free(streams);
	return (0);
}

struct receiver {
	const struct options *o;
	struct os_sock	*sock;
	int64_t		end;
	struct counts	*counts;	/* bytes, shared with the others */
	struct os_thread *thread;
};

static void
drain_tcp(void *arg)
{
	struct receiver *r = arg;
	char *buf = os_alloc(65536);

	for (;;) {
		size_t len = 65536;
		int error = os_recv(r->sock, buf, &len, r->end);

		if (error != 0 || len == 0)
			break;
		__atomic_fetch_add(&r->counts->bytes, len, __ATOMIC_RELAXED);
		__atomic_fetch_add(&r->counts->packets, 1, __ATOMIC_RELAXED);
	}
	os_close(r->sock);
	os_free(buf);
}

static void
accept_tcp(void *arg)
{
	struct receiver *listener = arg;
	struct receiver *all = os_alloc(sizeof(*all) * MAX_SENDERS);
	int n = 0;

	while (n < MAX_SENDERS &&
	    os_accept(listener->sock, &all[n].sock, listener->end) == 0) {
		all[n].o = listener->o;
		all[n].end = listener->end;
		all[n].counts = listener->counts;
		if (os_spawn(drain_tcp, &all[n], &all[n].thread) != 0) {
			os_close(all[n].sock);
			continue;
		}
		n++;
	}
	while (n > 0)
		os_join(all[--n].thread);
	os_free(all);
}

static int
do_recv_tcp(const struct options *o)
{
	struct counts total = { 0, 0 }, before = { 0, 0 };
	struct receiver listener;
	struct hist *none = os_alloc(sizeof(*none));
	int64_t start = os_now(), end = start + o->length, tick = start, first = 0, last = 0;
	int error;

	memset(&listener, 0, sizeof(listener));
	listener.o = o;
	listener.end = end;
	listener.counts = &total;
	error = os_open(OS_TCP, &listener.sock);
	if (error == 0)
		error = os_bind(listener.sock, o->port);
	if (error == 0)
		error = os_listen(listener.sock);
	if (error == 0)
		error = os_spawn(accept_tcp, &listener, &listener.thread);
	if (error != 0) {
		os_eprintf("dngen: port %d: %s\n", o->port, os_error(error));
		return (1);
	}
	while (tick < end) {
		struct counts now, part;

		os_sleep_until(tick + o->interval < end ? tick + o->interval : end);
		now.bytes = __atomic_load_n(&total.bytes, __ATOMIC_RELAXED);
		now.packets = __atomic_load_n(&total.packets, __ATOMIC_RELAXED);
		part.bytes = now.bytes - before.bytes;
		part.packets = now.packets - before.packets;
		before = now;
		if (part.bytes != 0) {
			if (first == 0)
				first = tick;
			last = tick + o->interval;
		}
		interval_line(o, "tcp-recv", tick, tick + o->interval, &part, none);
		tick += o->interval;
	}
	os_join(listener.thread);
	os_close(listener.sock);
	head(o, "tcp-recv", "final", start, end);
	os_printf(",\"received\":%llu,\"bytes\":%llu,\"first\":%lld,\"last\":%lld,\"hist\":[]}\n",
	    (unsigned long long)total.packets, (unsigned long long)total.bytes, (long long)first,
	    (long long)last);
	os_free(none);
	return (0);
}

/*
 * Ping: echo requests on a schedule, answers by their number.
 */
struct echo {
	uint8_t		type, code;
	uint16_t	cksum, ident, seq;
	int64_t		sent;
	uint64_t	number;
};

static uint16_t
cksum(const void *data, size_t len)
{
	const uint8_t *b = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)b[i] | (uint32_t)b[i + 1] << 8;
	if (len % 2 != 0)
		sum += b[len - 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ((uint16_t)~sum);
}

static int
do_ping(const struct options *o)
{
	struct hist *all = os_alloc(sizeof(*all)), *part = os_alloc(sizeof(*part));
	struct stream *st = os_alloc(sizeof(*st));
	struct counts part_counts = { 0, 0 };
	uint8_t *out = os_alloc(MAX_SIZE), *in = os_alloc(MAX_SIZE);
	struct echo *e = (struct echo *)(void *)out, *a;
	struct errors errors;
	uint64_t sent = 0, received = 0, bytes = 0, duplicates = 0, reordered = 0, unknown = 0;
	int64_t now, zero, end, last_answer, due, tick, first = 0, last = 0;
	uint16_t ident = (uint16_t)(run_of(o->id) ^ os_ident());
	struct os_sock *sock;
	size_t len, size = (size_t)o->sizes[0] - 20;
	int error;
	static const int64_t report = 100 * MS;

	memset(&errors, 0, sizeof(errors));
	error = os_open(OS_ICMP, &sock);
	if (error == 0)
		error = os_connect(sock, o->to, 0, os_now() + SEC);
	if (error != 0) {
		os_eprintf("dngen: ping %s: %s\n", o->to, os_error(error));
		return (1);
	}
	zero = os_now() + o->start;
	end = zero + o->length;
	last_answer = end + SEC;
	due = tick = zero;
	while ((now = os_now()) < last_answer && (now < end || received < sent)) {
		if (now >= due && due < end) {
			memset(e, 0, sizeof(*e));
			e->type = 8;
			e->ident = ident;
			e->seq = __builtin_bswap16((uint16_t)sent);
			e->number = sent++;
			e->sent = os_now();
			e->cksum = cksum(out, size);
			len = size;
			error = os_send(sock, out, &len, 0);
			if (error != 0)
				count_error(&errors, error);
			due += o->interval;
			continue;
		}
		len = MAX_SIZE;
		error = os_recv(sock, in, &len, due < end ? due : received < sent ? last_answer : end);
		now = os_now();
		if (error == 0 && len > 20) {
			size_t hl = (size_t)(in[0] & 15) * 4;

			a = (struct echo *)(void *)(in + hl);
			if (len >= hl + sizeof(*a) && a->type == 0 && a->ident == ident) {
				received++;
				bytes += len;
				part_counts.packets++;
				part_counts.bytes += len;
				if (first == 0)
					first = now;
				last = now;
				hist_add(all, now - a->sent);
				hist_add(part, now - a->sent);
				do_recv_udp_packet(st, a->number, &duplicates, &reordered, &unknown);
			}
		} else if (error != 0 && !os_again(error))
			count_error(&errors, error);
		while (now >= tick + report) {
			interval_line(o, "ping", tick, tick + report, &part_counts, part);
			part_counts = (struct counts){ 0, 0 };
			tick += report;
		}
	}
	head(o, "ping", "final", zero, end);
	os_printf(",\"sent\":%llu,\"received\":%llu,\"distinct\":%llu,\"bytes\":%llu,\"duplicates\":%llu,"
	    "\"reordered\":%llu,\"first\":%lld,\"last\":%lld",
	    (unsigned long long)sent, (unsigned long long)received, (unsigned long long)st->distinct,
	    (unsigned long long)bytes, (unsigned long long)duplicates, (unsigned long long)reordered,
	    (long long)first, (long long)last);
	print_errors(&errors);
	print_delay(all);
	hist_print(all);
	os_printf("}\n");
	os_close(sock);
	os_free(in);
	os_free(out);
	os_free(st);
	os_free(part);
	os_free(all);
	return (0);
}

/*
 * Words.
 */
static int
usage(const char *why, const char *word)
{
	os_eprintf("dngen: %s%s%s\n", why, word != NULL ? ": " : "", word != NULL ? word : "");
	return (64);
}

/* A number with decimals, and where it ends. */
static double
number(const char *text, const char **end)
{
	double value = 0, place = 1;
	bool any = false;

	for (; *text >= '0' && *text <= '9'; text++, any = true)
		value = value * 10 + (*text - '0');
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, any = true)
			value += (*text - '0') * (place /= 10);
	*end = any ? text : NULL;
	return (value);
}

static bool
parse(const char *text, const char *const *units, const double *scales, double *value)
{
	const char *end;

	*value = number(text, &end);
	if (end == NULL)
		return (false);
	for (int i = 0; units[i] != NULL; i++)
		if (strcmp(end, units[i]) == 0) {
			*value *= scales[i];
			return (true);
		}
	return (false);
}

static bool
parse_time(const char *text, int64_t *ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s", NULL };
	static const double scales[] = { 1, 1e3, 1e6, 1e9 };
	double v;

	if (!parse(text, units, scales, &v))
		return (false);
	*ns = (int64_t)(v + 0.5);
	return (true);
}

static bool
parse_rate(const char *text, double *bps)
{
	static const char *const units[] = { "", "bit/s", "Kbit/s", "kbit/s", "Mbit/s", "Gbit/s", NULL };
	static const double scales[] = { 1, 1, 1e3, 1e3, 1e6, 1e9 };

	return (parse(text, units, scales, bps) && *bps > 0);
}

static bool
parse_int(const char *text, int lo, int hi, int *value)
{
	const char *end;
	double v = number(text, &end);

	if (end == NULL || *end != '\0' || v < lo || v > hi || v != (double)(int)v)
		return (false);
	*value = (int)v;
	return (true);
}

static bool
parse_sizes(const char *text, struct options *o)
{
	o->nsizes = 0;
	for (;;) {
		const char *end;
		double size = number(text, &end), weight = 1;

		if (end == NULL || o->nsizes == MAX_SIZES)
			return (false);
		if (*end == ':') {
			weight = number(end + 1, &end);
			if (end == NULL)
				return (false);
		}
		if (size > MAX_SIZE || weight < 1 || weight > 1e6)
			return (false);
		o->sizes[o->nsizes] = (int)size;
		o->weights[o->nsizes++] = (int)weight;
		if (*end == '\0')
			return (true);
		if (*end != ',')
			return (false);
		text = end + 1;
	}
}

static bool
parse_to(const char *text, struct options *o, bool port)
{
	size_t n = strlen(text);
	const char *colon = NULL;

	for (const char *p = text; *p != '\0'; p++)
		if (*p == ':')
			colon = p;
	if (port) {
		if (colon == NULL || !parse_int(colon + 1, 1, 65535, &o->port))
			return (false);
		n = (size_t)(colon - text);
	}
	if (n == 0 || n >= sizeof(o->to))
		return (false);
	memcpy(o->to, text, n);
	o->to[n] = '\0';
	return (true);
}

int
dngen_main(int argc, char **argv)
{
	struct options o;
	bool send, tcp = false, ping, ok;
	int at, least;

	memset(&o, 0, sizeof(o));
	o.sizes[0] = 1000;
	o.weights[0] = 1;
	o.nsizes = 1;
	o.senders = 1;
	o.length = 0;
	if (argc < 2)
		return (usage("usage: dngen recv|send udp|tcp ..., dngen ping ...", NULL));
	send = strcmp(argv[1], "send") == 0;
	ping = strcmp(argv[1], "ping") == 0;
	if (!send && !ping && strcmp(argv[1], "recv") != 0)
		return (usage("recv, send or ping, not", argv[1]));
	at = 2;
	if (!ping) {
		if (argc < 3 || (strcmp(argv[2], "udp") != 0 && strcmp(argv[2], "tcp") != 0))
			return (usage("udp or tcp has to follow", argv[1]));
		tcp = strcmp(argv[2], "tcp") == 0;
		at = 3;
	}
	if (ping)
		o.sizes[0] = 84;
	for (; at < argc; at += 2) {
		const char *word = argv[at], *value = at + 1 < argc ? argv[at + 1] : NULL;

		if (value == NULL)
			return (usage("a value is missing after", word));
		if (strcmp(word, "--id") == 0) {
			o.id = value;
			ok = strlen(value) < 64;
			for (const char *p = value; *p != '\0'; p++)
				ok &= *p != '"' && *p != '\\' && *p >= ' ';
		} else if (strcmp(word, "--for") == 0)
			ok = parse_time(value, &o.length);
		else if (strcmp(word, "--start") == 0)
			ok = parse_time(value, &o.start);
		else if (strcmp(word, "--interval") == 0)
			ok = parse_time(value, &o.interval) && o.interval > 0;
		else if (strcmp(word, "--on") == 0)
			ok = parse_time(value, &o.on);
		else if (strcmp(word, "--off") == 0)
			ok = parse_time(value, &o.off);
		else if (strcmp(word, "--port") == 0)
			ok = parse_int(value, 1, 65535, &o.port);
		else if (strcmp(word, "--to") == 0)
			ok = parse_to(value, &o, !ping);
		else if (strcmp(word, "--rate") == 0)
			ok = parse_rate(value, &o.rate);
		else if (strcmp(word, "--pps") == 0) {
			const char *end;

			o.pps = number(value, &end);
			ok = end != NULL && *end == '\0' && o.pps > 0;
		} else if (strcmp(word, "--size") == 0 || strcmp(word, "--sizes") == 0)
			ok = parse_sizes(value, &o);
		else if (strcmp(word, "--senders") == 0)
			ok = parse_int(value, 1, MAX_SENDERS, &o.senders);
		else
			return (usage("unknown option", word));
		if (!ok) {
			os_eprintf("dngen: %s: '%s' makes no sense\n", word, value);
			return (64);
		}
	}
	if (o.id == NULL)
		return (usage("--id is missing", NULL));
	if (o.length <= 0)
		return (usage("--for is missing", NULL));
	if (o.interval == 0)
		o.interval = ping ? SEC : 100 * MS;
	if ((send || ping) && o.to[0] == '\0')
		return (usage("--to is missing", NULL));
	if (!send && !ping && o.port == 0)
		return (usage("--port is missing", NULL));
	least = ping ? 20 + (int)sizeof(struct echo) : OVERHEAD + (int)sizeof(struct packet);
	for (int i = 0; i < o.nsizes; i++)
		if ((send || ping) && !tcp && o.sizes[i] < least) {
			os_eprintf("dngen: --size: %d is less than %d\n", o.sizes[i], least);
			return (64);
		}
	if (send && !tcp && o.rate == 0 && o.pps == 0)
		return (usage("--rate or --pps is missing", NULL));
	if (ping)
		return (do_ping(&o));
	if (send)
		return (do_send(&o, tcp));
	return (tcp ? do_recv_tcp(&o) : do_recv_udp(&o));
}
