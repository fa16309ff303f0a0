/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams: as much as they take.  A stream is a row of blocks, each with a
 * header that says when writing it began; its delay is the time from then to
 * the arrival of its last byte, waiting in the sender's buffer included.
 */
#include "dngen.h"

#define	RETRY		(20 * NS_PER_MS)
#define	BLOCK		16384
#define	BLOCK_MAX	(1024 * 1024)
#define	READ_SIZE	65536

struct sender {
	const struct dg_options	*o;
	struct os_thread	*thread;
	struct os_sock		*sock;
	uint32_t		 index, session;
	int64_t			 zero, end;
	uint64_t		 sent, bytes;
	int64_t			 first, last;
	struct dg_errors	 errors;
};

static int
dial(struct sender *s)
{
	int64_t again;
	int error;

	/* Whoever is to listen may be there a moment later. */
	for (;;) {
		error = os_open(OS_TCP, s->o->ip6, &s->sock);
		if (error == 0)
			error = os_connect(s->sock, s->o->to, s->o->port, s->end);
		if (error == 0)
			return (0);
		dg_errors_add(&s->errors, error, 1);
		if (s->sock != NULL)
			os_close(s->sock);
		s->sock = NULL;
		again = os_now() + RETRY;
		if (again >= s->end || os_stopping())
			return (error);
		os_sleep_until(again);
	}
}

/* The whole of it, or as much as there is time for. */
static int
write_block(struct sender *s, uint8_t *block)
{
	struct dg_header h = {
		.flow = s->o->flow, .session = s->session, .sender = (uint16_t)s->index,
		.senders = (uint16_t)s->o->senders, .length = BLOCK, .seq = s->sent, .when = os_now()
	};
	size_t done, n;
	int error;

	dg_header_put(block, &h);
	for (done = 0; done < BLOCK; done += n) {
		n = BLOCK - done;
		error = os_send(s->sock, block + done, &n, s->end);
		if (error != 0)
			return (error);
		s->last = os_now();
		s->bytes += n;
	}
	s->sent++;
	return (0);
}

static void
sender_run(void *arg)
{
	struct sender *s = arg;
	uint8_t *block;
	int error = 0;

	os_sleep_until(s->zero);
	if (os_stopping() || dial(s) != 0)
		return;
	block = os_alloc(BLOCK);
	s->first = os_now();
	while (error == 0 && os_now() < s->end && !os_stopping())
		error = write_block(s, block);
	/* Blocked until the end is at work until the end. */
	if (error == ETIMEDOUT)
		s->last = s->end;
	else if (error != 0 && error != EINTR)
		dg_errors_add(&s->errors, error, 1);
	os_free(block);
	/* What is queued still goes out, and then the end of the stream. */
	os_close(s->sock);
}

int
dg_tcp_send(const struct dg_options *o)
{
	struct sender *senders = os_alloc(o->senders * sizeof(*senders)), *s;
	struct dg_errors errors = { .count = { 0 } };
	struct dg_line l;
	uint64_t sent = 0, bytes = 0;
	int64_t first = 0, last = 0, zero = os_now() + o->start;
	uint32_t session = os_ident();
	int error = 0;

	for (s = senders; s < senders + o->senders; s++) {
		s->o = o;
		s->index = (uint32_t)(s - senders);
		s->session = session;
		s->zero = zero;
		s->end = zero + o->length;
		if (s != senders && error == 0)
			error = os_spawn(sender_run, s, &s->thread);
	}
	if (error == 0)
		sender_run(&senders[0]);
	for (s = senders; s < senders + o->senders; s++) {
		if (s->thread != NULL)
			os_join(s->thread);
		sent += s->sent;
		bytes += s->bytes;
		if (s->first != 0 && (first == 0 || s->first < first))
			first = s->first;
		if (s->last > last)
			last = s->last;
		dg_errors_merge(&errors, &s->errors);
	}
	dg_line_begin(&l, o, "tcp-send", "final", zero, zero + o->length);
	dg_line_add(&l, ",\"sent\":%llu,\"bytes\":%llu,\"senders\":%u,\"first\":%lld,\"last\":%lld,\"late\":0",
	    (unsigned long long)sent, (unsigned long long)bytes, o->senders, (long long)first,
	    (long long)last);
	dg_line_errors(&l, &errors);
	dg_line_end(&l);
	os_free(senders);
	if (error != 0)
		return (dg_fail("cannot start a sender", error));
	return (first == 0 && errors.count[0] != 0 ? dg_fail("cannot connect", errors.number[0]) : 0);
}

/* What all streams of a receiver come to, under the lock. */
struct receiver {
	const struct dg_options	*o;
	struct os_sock		*sock;
	struct os_thread	*thread;
	struct os_lock		*lock;
	int64_t			 end;
	uint32_t		 expected, done, running;
	uint64_t		 blocks, bytes, first_bytes, strangers;
	int64_t			 first, last;
	struct dg_hist		 delay;
	struct dg_interval	 in;
	struct dg_errors	 errors;
	bool			 over;		/* the listener has ended */
};

struct stream {
	struct receiver		*r;
	struct os_sock		*sock;
	struct os_thread	*thread;
	uint8_t			 header[DG_HEADER_SIZE];
	uint32_t		 have;		/* bytes of the present block */
	struct dg_header	 h;		/* its header, once there is so much */
	bool			 known;		/* it is a stream of this flow */
};

static void
block_done(struct stream *s, int64_t now)
{
	struct receiver *r = s->r;

	os_lock(r->lock);
	r->blocks++;
	r->in.packets++;
	dg_hist_add(&r->delay, now - s->h.when);
	dg_hist_add(&r->in.delay, now - s->h.when);
	os_unlock(r->lock);
	s->have = 0;
}

/* Bytes of the stream into blocks; false when they are not of this flow. */
static bool
parse(struct stream *s, const uint8_t *p, size_t len, int64_t now)
{
	size_t n;

	while (len > 0) {
		if (s->have < DG_HEADER_SIZE) {
			n = DG_HEADER_SIZE - s->have;
			n = n < len ? n : len;
			memcpy(s->header + s->have, p, n);
			s->have += (uint32_t)n;
			if (s->have == DG_HEADER_SIZE && (!dg_header_get(s->header,
			    DG_HEADER_SIZE, &s->h) || s->h.flow != s->r->o->flow ||
			    s->h.length <= DG_HEADER_SIZE || s->h.length > BLOCK_MAX))
				return (false);
			s->known = s->known || s->have == DG_HEADER_SIZE;
		} else {
			n = s->h.length - s->have;
			n = n < len ? n : len;
			s->have += (uint32_t)n;
			if (s->have == s->h.length)
				block_done(s, now);
		}
		p += n;
		len -= n;
	}
	return (true);
}

static void
account(struct stream *s, size_t n, int64_t now)
{
	struct receiver *r = s->r;

	os_lock(r->lock);
	if (r->bytes == 0) {
		r->first = now;
		r->first_bytes = n;
	}
	r->last = now;
	r->bytes += n;
	r->in.bytes += n;
	if (s->h.senders > r->expected)
		r->expected = s->h.senders;
	os_unlock(r->lock);
}

static void
stream_run(void *arg)
{
	struct stream *s = arg;
	struct receiver *r = s->r;
	uint8_t *buf = os_alloc(READ_SIZE);
	bool ours = true;
	int64_t now;
	size_t n;
	int error;

	for (;;) {
		n = READ_SIZE;
		error = os_recv(s->sock, buf, &n, r->end);
		now = os_now();
		if (error != 0 || n == 0 || !(ours = parse(s, buf, n, now)))
			break;
		account(s, n, now);
		if (now >= r->end)
			break;
	}
	os_lock(r->lock);
	if (ours && s->known)
		r->done++;
	else
		r->strangers++;
	if (error != 0 && error != EINTR && !os_again(error))
		dg_errors_add(&r->errors, error, 1);
	r->running--;
	os_unlock(r->lock);
	os_close(s->sock);
	os_free(buf);
}

static bool
all_done(struct receiver *r)
{
	bool done;

	os_lock(r->lock);
	done = r->done != 0 && r->done >= r->expected && r->running == 0;
	os_unlock(r->lock);
	return (done);
}

/* Takes streams until the end, or until all that were announced are through. */
static void
accept_run(void *arg)
{
	struct receiver *r = arg;
	struct stream *streams = os_alloc(MAX_SENDERS * sizeof(*streams)), *s;
	int64_t turn;
	int error, n = 0;

	while (n < MAX_SENDERS && !all_done(r) && os_now() < r->end) {
		s = &streams[n];
		turn = os_now() + r->o->linger;
		error = os_accept(r->sock, &s->sock, turn < r->end ? turn : r->end);
		if (os_again(error))
			continue;
		if (error != 0)
			break;
		s->r = r;
		os_lock(r->lock);
		r->running++;
		os_unlock(r->lock);
		error = os_spawn(stream_run, s, &s->thread);
		if (error == 0) {
			n++;
			continue;
		}
		os_close(s->sock);
		os_lock(r->lock);
		r->running--;
		dg_errors_add(&r->errors, error, 1);
		os_unlock(r->lock);
	}
	while (n > 0)
		os_join(streams[--n].thread);
	os_free(streams);
	os_lock(r->lock);
	r->over = true;
	os_unlock(r->lock);
}

static void
report(struct receiver *r, int64_t start)
{
	struct dg_line l;

	dg_line_begin(&l, r->o, "tcp-recv", "final", start, os_now());
	dg_line_add(&l, ",\"received\":%llu,\"bytes\":%llu,\"first_bytes\":%llu,\"senders\":%llu"
	    ",\"strangers\":%llu", (unsigned long long)r->blocks, (unsigned long long)r->bytes,
	    (unsigned long long)r->first_bytes, (unsigned long long)r->done,
	    (unsigned long long)r->strangers);
	dg_line_add(&l, ",\"first\":%lld,\"last\":%lld", (long long)r->first, (long long)r->last);
	dg_line_errors(&l, &r->errors);
	dg_line_delay(&l, &r->delay, true);
	dg_line_hist(&l, &r->delay);
	dg_line_end(&l);
}

/* The interval lines are this thread's. */
static void
watch(struct receiver *r)
{
	int64_t next, now;
	bool over = false;

	while (!over) {
		os_lock(r->lock);
		next = dg_interval_end(&r->in, r->o);
		os_unlock(r->lock);
		os_sleep_until(next);
		now = os_now();
		os_lock(r->lock);
		over = r->over || os_stopping() || now >= r->end;
		dg_interval_pass(&r->in, r->o, "tcp-recv", now);
		os_unlock(r->lock);
	}
}

int
dg_tcp_receive(const struct dg_options *o)
{
	struct receiver *r = os_alloc(sizeof(*r));
	int64_t start = os_now();
	int error;

	r->o = o;
	r->expected = o->senders;
	r->end = start + o->start + o->length;
	r->lock = os_lock_new();
	dg_hist_init(&r->delay, DG_HIST_FINE);
	dg_interval_init(&r->in, start);
	error = os_open(OS_TCP, o->ip6, &r->sock);
	if (error == 0)
		error = os_bind(r->sock, o->port);
	if (error == 0)
		error = os_listen(r->sock);
	if (error == 0)
		error = os_spawn(accept_run, r, &r->thread);
	if (error == 0) {
		watch(r);
		os_join(r->thread);
		dg_interval_flush(&r->in, o, "tcp-recv", os_now());
		report(r, start);
	}
	if (r->sock != NULL)
		os_close(r->sock);
	dg_interval_fini(&r->in);
	dg_hist_fini(&r->delay);
	os_lock_free(r->lock);
	os_free(r);
	return (error != 0 ? dg_fail("cannot listen on the port", error) : 0);
}
