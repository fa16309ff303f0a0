/* SPDX-License-Identifier: BSD-2-Clause */
/* Echoes: the round trip as a distribution. */
#include "dngen.h"

#define	IP_HEADER	20
#define	ICMP_HEADER	8
#define	ECHO_REPLY	0
#define	ECHO_REQUEST	8
#define	BEHIND		4	/* echoes late by more than so many gaps are left out */

struct pinger {
	const struct dg_options *o;
	struct os_sock		*sock;
	uint8_t			*out, *buf;
	uint32_t		 session;
	uint64_t		 sent, missed;
	uint64_t		 received, bytes;
	int64_t			 first, last;	/* received */
	int64_t			 late;
	struct dg_errors	 errors;
	struct dg_seq		 seq;
	struct dg_hist		 rtt;
	struct dg_interval	 in;
};

static uint16_t
checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (i < len)
		sum += (uint32_t)p[i] << 8;
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return ((uint16_t)~sum);
}

static void
echo(struct pinger *p)
{
	struct dg_header h = {
		.flow = p->o->flow, .session = p->session, .senders = 1, .seq = p->sent,
		.when = os_now(), .length = p->o->sizes.size[0]
	};
	size_t len = p->o->sizes.size[0] - IP_HEADER;
	uint16_t sum;
	int error;

	memset(p->out, 0, ICMP_HEADER);
	p->out[0] = ECHO_REQUEST;
	p->out[4] = (uint8_t)(p->session >> 8);
	p->out[5] = (uint8_t)p->session;
	p->out[6] = (uint8_t)(p->sent >> 8);
	p->out[7] = (uint8_t)p->sent;
	dg_header_put(p->out + ICMP_HEADER, &h);
	sum = checksum(p->out, len);
	p->out[2] = (uint8_t)(sum >> 8);
	p->out[3] = (uint8_t)sum;
	error = os_send(p->sock, p->out, &len, 0);
	if (error != 0)
		dg_errors_add(&p->errors, error, 1);
	p->sent++;
}

static void
answer(struct pinger *p, size_t len, int64_t now)
{
	struct dg_header h;
	size_t skip;

	skip = len == 0 ? 0 : (size_t)(p->buf[0] & 15) * 4;
	if (len < skip + ICMP_HEADER || p->buf[skip] != ECHO_REPLY ||
	    !dg_header_get(p->buf + skip + ICMP_HEADER, len - skip - ICMP_HEADER, &h) ||
	    h.flow != p->o->flow || h.session != p->session || h.seq >= p->sent)
		return;
	if (p->received++ == 0)
		p->first = now;
	p->last = now;
	p->bytes += len;
	p->in.packets++;
	p->in.bytes += len;
	if (dg_seq_add(&p->seq, h.seq) == DG_NEW) {
		dg_hist_add(&p->rtt, now - h.when);
		dg_hist_add(&p->in.delay, now - h.when);
	}
}

static int
converse(struct pinger *p, int64_t zero)
{
	const struct dg_options *o = p->o;
	int64_t deadline, due, end, now;
	size_t len;
	int error;

	due = zero;
	end = zero + o->length;
	for (;;) {
		now = os_now();
		if (due < end && now >= due) {
			if (now - due > p->late)
				p->late = now - due;
			/* Far behind, they would only queue behind each other. */
			for (; due < end && now - due > BEHIND * o->gap; due += o->gap)
				p->missed++;
			if (due < end)
				echo(p);
			due += o->gap;
			continue;
		}
		deadline = due;
		if (due >= end)
			deadline = p->seq.received == p->sent ? end : end + o->linger;
		if (now >= deadline) {
			error = 0;
			break;
		}
		if (dg_interval_end(&p->in, o) < deadline)
			deadline = dg_interval_end(&p->in, o);
		len = IP_MAX_SIZE;
		error = os_recv(p->sock, p->buf, &len, deadline);
		now = os_now();
		dg_interval_pass(&p->in, o, "ping", now);
		if (error == 0)
			answer(p, len, now);
		else if (error == EINTR)
			break;
		else if (!os_again(error)) {
			dg_errors_add(&p->errors, error, 1);
			/* What is wrong may stay wrong: no idle running. */
			os_sleep_until(deadline);
		}
	}
	dg_interval_flush(&p->in, o, "ping", now);
	return (0);
}

int
dg_ping(const struct dg_options *o)
{
	struct pinger *p = os_alloc(sizeof(*p));
	struct dg_line l;
	int64_t zero;
	int error;

	p->o = o;
	p->session = os_ident();
	p->out = os_alloc(IP_MAX_SIZE);
	p->buf = os_alloc(IP_MAX_SIZE);
	dg_hist_init(&p->rtt, DG_HIST_FINE);
	error = os_open(OS_ICMP, false, &p->sock);
	if (error == 0)
		error = os_connect(p->sock, o->to, 0, INT64_MAX);
	zero = os_now() + o->start;
	dg_interval_init(&p->in, zero);
	if (error == 0) {
		converse(p, zero);
		dg_line_begin(&l, o, "ping", "final", zero, zero + o->length);
		dg_line_add(&l, ",\"sent\":%llu,\"missed\":%llu,\"received\":%llu,\"distinct\":%llu,\"bytes\":%llu",
		    (unsigned long long)p->sent, (unsigned long long)p->missed,
		    (unsigned long long)p->received, (unsigned long long)p->seq.received,
		    (unsigned long long)p->bytes);
		dg_line_add(&l, ",\"duplicates\":%llu,\"reordered\":%llu,\"first\":%lld,\"last\":%lld,\"late\":%lld",
		    (unsigned long long)p->seq.duplicates, (unsigned long long)p->seq.reordered,
		    (long long)p->first, (long long)p->last, (long long)p->late);
		dg_line_errors(&l, &p->errors);
		dg_line_delay(&l, &p->rtt, true);
		dg_line_hist(&l, &p->rtt);
		dg_line_end(&l);
	}
	if (p->sock != NULL)
		os_close(p->sock);
	os_free(p->out);
	os_free(p->buf);
	dg_interval_fini(&p->in);
	dg_hist_fini(&p->rtt);
	os_free(p);
	return (error != 0 ? dg_fail("cannot ping", error) : 0);
}
