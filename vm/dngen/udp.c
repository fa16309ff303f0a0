/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams: senders that keep a schedule, a receiver that keeps count. */
#include "dngen.h"

#define	LATE_LIMIT	(200 * NS_PER_MS)	/* past its end a sender does not go on for longer */
#define	PEERS		1024			/* senders that a receiver tells apart */

struct sender {
	const struct dg_options	*o;
	struct os_thread	*thread;
	struct os_sock		*sock;
	uint32_t		 index;
	uint32_t		 session;
	uint8_t			*buf;
	struct dg_pace		 pace;
	struct dg_errors	 errors;
	uint64_t		 sent, bytes, missed;
	int64_t			 first, last;
};

static void
send_one(struct sender *s, uint32_t size, int64_t now)
{
	struct dg_header h = {
		.flow = s->o->flow, .session = s->session, .sender = (uint16_t)s->index,
		.senders = (uint16_t)s->o->senders, .length = size, .seq = s->sent, .when = now,
		.flags = dg_pace_over(&s->pace) ? DG_LAST : 0
	};
	size_t len;
	int error, tries;

	dg_header_put(s->buf, &h);
	for (tries = 0; tries < 2; tries++) {
		len = size - dg_headers(s->o);
		error = os_send(s->sock, s->buf, &len, 0);
		if (error == 0)
			break;
		dg_errors_add(&s->errors, error, 1);
		/* This one is the news of an earlier packet: the present one has not been tried. */
		if (error != ECONNREFUSED)
			break;
	}
	/* A refused packet has its number and its time as well: it is lost. */
	if (s->sent++ == 0)
		s->first = now;
	s->last = now;
	s->bytes += size;
}

static void
sender_run(void *arg)
{
	struct sender *s = arg;
	int64_t now;

	while (!dg_pace_over(&s->pace) && dg_pace_wait(&s->pace, &now)) {
		if (now > s->pace.end + LATE_LIMIT)
			break;
		send_one(s, dg_pace_take(&s->pace, now), now);
	}
	/* What a sender that cannot keep up has left undone. */
	for (; !os_stopping() && !dg_pace_over(&s->pace); s->missed++)
		dg_pace_take(&s->pace, dg_pace_due(&s->pace));
}

static int
sender_init(struct sender *s, const struct dg_options *o, uint32_t index, uint32_t session, int64_t zero)
{
	int error;

	s->o = o;
	s->index = index;
	s->session = session;
	s->buf = os_alloc(IP_MAX_SIZE);
	dg_pace_init(&s->pace, o, index, zero);
	error = os_open(OS_UDP, o->ip6, &s->sock);
	return (error != 0 ? error : os_connect(s->sock, o->to, o->port, INT64_MAX));
}

static void
sender_fini(struct sender *s)
{
	if (s->sock != NULL)
		os_close(s->sock);
	dg_pace_fini(&s->pace);
	os_free(s->buf);
}

static void
report_senders(struct sender *senders, const struct dg_options *o, int64_t zero)
{
	struct dg_errors errors = { .count = { 0 } };
	struct dg_line l;
	struct sender *s;
	uint64_t sent = 0, bytes = 0, missed = 0;
	int64_t first = 0, last = 0, late = 0;

	for (s = senders; s < senders + o->senders; s++) {
		if (s->sent != 0 && (sent == 0 || s->first < first))
			first = s->first;
		if (s->last > last)
			last = s->last;
		sent += s->sent;
		bytes += s->bytes;
		missed += s->missed;
		if (s->pace.late > late)
			late = s->pace.late;
		dg_errors_merge(&errors, &s->errors);
	}
	dg_line_begin(&l, o, "udp-send", "final", zero, zero + o->length);
	dg_line_add(&l, ",\"sent\":%llu,\"bytes\":%llu,\"missed\":%llu,\"senders\":%u",
	    (unsigned long long)sent, (unsigned long long)bytes, (unsigned long long)missed, o->senders);
	dg_line_add(&l, ",\"first\":%lld,\"last\":%lld,\"late\":%lld", (long long)first,
	    (long long)last, (long long)late);
	dg_line_errors(&l, &errors);
	dg_line_end(&l);
}

int
dg_udp_send(const struct dg_options *o)
{
	struct sender *senders = os_alloc(o->senders * sizeof(*senders));
	int64_t zero = os_now() + o->start;
	uint32_t i, session = os_ident(), started = 0;
	int error = 0;

	for (i = 0; i < o->senders && error == 0; i++)
		error = sender_init(&senders[i], o, i, session, zero);
	/* All of them or none. */
	for (i = 1; i < o->senders && error == 0; i++, started++)
		error = os_spawn(sender_run, &senders[i], &senders[i].thread);
	if (error == 0)
		sender_run(&senders[0]);
	for (i = 1; i < o->senders; i++)
		if (senders[i].thread != NULL)
			os_join(senders[i].thread);
	report_senders(senders, o, zero);
	for (i = 0; i < o->senders; i++)
		sender_fini(&senders[i]);
	os_free(senders);
	return (error != 0 ? dg_fail("cannot start a sender", error) : 0);
}

/* One sender, as the receiver knows it. */
struct peer {
	uint32_t	session;
	uint16_t	sender;
	bool		finished;
	struct dg_seq	seq;
};

struct receiver {
	const struct dg_options *o;
	struct os_sock		*sock;
	uint8_t			*buf;
	struct peer		*peers[PEERS];
	uint32_t		 npeers, finished, expected;
	uint64_t		 received, bytes;
	uint64_t		 strangers;
	int64_t			 first, last;
	struct dg_hist		 delay;
	struct dg_interval	 in;
};

static struct peer *
peer_of(struct receiver *r, const struct dg_header *h)
{
	struct peer *p;
	uint32_t i;

	i = (h->session * UINT32_C(2654435761) + h->sender) % PEERS;
	while ((p = r->peers[i]) != NULL) {
		if (p->session == h->session && p->sender == h->sender)
			return (p);
		i = (i + 1) % PEERS;
	}
	/* A table that is never full ends every search. */
	if (r->npeers == PEERS - 1)
		return (NULL);
	p = os_alloc(sizeof(*p));
	p->session = h->session;
	p->sender = h->sender;
	r->peers[i] = p;
	r->npeers++;
	return (p);
}

/* False: not one of ours. */
static bool
take(struct receiver *r, size_t len, int64_t when)
{
	struct dg_header h;
	struct peer *p;
	size_t size = len + dg_headers(r->o);

	if (!dg_header_get(r->buf, len, &h) || h.flow != r->o->flow || h.length != size ||
	    (p = peer_of(r, &h)) == NULL)
		return (false);
	if (h.senders > r->expected)
		r->expected = h.senders;
	if ((h.flags & DG_LAST) != 0 && !p->finished) {
		p->finished = true;
		r->finished++;
	}
	if (r->received++ == 0)
		r->first = when;
	r->last = when;
	r->bytes += size;
	r->in.packets++;
	r->in.bytes += size;
	/* A copy has no delay of its own. */
	if (dg_seq_add(&p->seq, h.seq) == DG_NEW) {
		dg_hist_add(&r->delay, when - h.when);
		dg_hist_add(&r->in.delay, when - h.when);
	}
	return (true);
}

static int
receive(struct receiver *r, int64_t end)
{
	const struct dg_options *o = r->o;
	int64_t deadline, now;
	size_t len;
	int error;

	for (;;) {
		deadline = end;
		if (r->received != 0 && o->idle != 0 && r->last + o->idle < deadline)
			deadline = r->last + o->idle;
		if (r->finished != 0 && r->finished >= r->expected && r->last + o->linger < deadline)
			deadline = r->last + o->linger;
		now = os_now();
		if (now >= deadline) {
			error = 0;
			break;
		}
		if (dg_interval_end(&r->in, o) < deadline)
			deadline = dg_interval_end(&r->in, o);
		len = IP_MAX_SIZE;
		error = os_recv(r->sock, r->buf, &len, deadline);
		now = os_now();
		dg_interval_pass(&r->in, o, "udp-recv", now);
		if (error == 0) {
			if (!take(r, len, now))
				r->strangers++;
		} else if (!os_again(error)) {
			error = error == EINTR ? 0 : error;
			break;
		}
	}
	dg_interval_flush(&r->in, o, "udp-recv", now);
	return (error);
}

static void
report_receiver(struct receiver *r, int64_t start)
{
	struct dg_line l;
	struct peer *p;
	uint64_t distinct = 0, duplicates = 0, reordered = 0, beyond = 0, extent = 0;
	uint32_t i;

	for (i = 0; i < PEERS; i++) {
		if ((p = r->peers[i]) == NULL)
			continue;
		distinct += p->seq.received;
		duplicates += p->seq.duplicates;
		reordered += p->seq.reordered;
		beyond += p->seq.beyond;
		if (p->seq.extent > extent)
			extent = p->seq.extent;
		dg_line_begin(&l, r->o, "udp-recv", "sender", start, os_now());
		dg_line_add(&l, ",\"sender\":%u,\"session\":%u,\"distinct\":%llu,\"highest\":%llu"
		    ",\"finished\":%s", p->sender, p->session, (unsigned long long)p->seq.received,
		    (unsigned long long)(p->seq.next - 1), p->finished ? "true" : "false");
		dg_line_end(&l);
	}
	dg_line_begin(&l, r->o, "udp-recv", "final", start, os_now());
	dg_line_add(&l, ",\"received\":%llu,\"distinct\":%llu,\"bytes\":%llu,\"duplicates\":%llu"
	    ",\"reordered\":%llu,\"extent\":%llu", (unsigned long long)r->received,
	    (unsigned long long)distinct, (unsigned long long)r->bytes,
	    (unsigned long long)duplicates, (unsigned long long)reordered, (unsigned long long)extent);
	dg_line_add(&l, ",\"too_old\":%llu,\"strangers\":%llu,\"senders\":%u,\"finished\":%u"
	    ",\"first\":%lld,\"last\":%lld", (unsigned long long)beyond,
	    (unsigned long long)r->strangers, r->npeers, r->finished, (long long)r->first,
	    (long long)r->last);
	dg_line_delay(&l, &r->delay, true);
	dg_line_hist(&l, &r->delay);
	dg_line_end(&l);
}

int
dg_udp_receive(const struct dg_options *o)
{
	struct receiver *r = os_alloc(sizeof(*r));
	int64_t start = os_now();
	const char *what = "cannot make a socket";
	uint32_t i;
	int error;

	r->o = o;
	r->expected = o->senders;
	r->buf = os_alloc(IP_MAX_SIZE);
	dg_hist_init(&r->delay, DG_HIST_FINE);
	dg_interval_init(&r->in, start);
	error = os_open(OS_UDP, o->ip6, &r->sock);
	if (error == 0) {
		what = "cannot bind the port";
		error = os_bind(r->sock, o->port);
	}
	if (error == 0) {
		what = "cannot receive";
		error = receive(r, start + o->start + o->length);
		report_receiver(r, start);
	}
	if (r->sock != NULL)
		os_close(r->sock);
	for (i = 0; i < PEERS; i++)
		os_free(r->peers[i]);
	os_free(r->buf);
	dg_interval_fini(&r->in);
	dg_hist_fini(&r->delay);
	os_free(r);
	return (error != 0 ? dg_fail(what, error) : 0);
}
