/* SPDX-License-Identifier: BSD-2-Clause */
/* What dngen says: one object of JSON a line, and errors by their names. */
#include "dngen.h"

static const struct {
	int		number;
	const char	*name;
} errnames[] = {
#define	E(e)	{ e, #e }
	E(EPERM), E(EINTR), E(EIO), E(ENXIO), E(EBADF), E(ENOMEM), E(EACCES), E(EFAULT), E(ENODEV),
	E(EINVAL), E(ENFILE), E(EMFILE), E(EPIPE), E(EAGAIN), E(EDESTADDRREQ), E(EMSGSIZE),
	E(ENOPROTOOPT), E(EPROTONOSUPPORT), E(EOPNOTSUPP), E(EAFNOSUPPORT), E(EADDRINUSE),
	E(EADDRNOTAVAIL), E(ENETDOWN), E(ENETUNREACH), E(ENETRESET), E(ECONNABORTED),
	E(ECONNRESET), E(ENOBUFS), E(EISCONN), E(ENOTCONN), E(ETIMEDOUT), E(ECONNREFUSED),
	E(EHOSTDOWN), E(EHOSTUNREACH), E(ECANCELED),
#undef E
};

const char *
dg_errname(int error)
{
	size_t i;

	for (i = 0; i < sizeof(errnames) / sizeof(errnames[0]); i++)
		if (errnames[i].number == error)
			return (errnames[i].name);
	return ("EOTHER");
}

void
dg_errors_add(struct dg_errors *e, int error, uint64_t n)
{
	int i;

	for (i = 0; i < DG_ERRORS - 1; i++)
		if (e->count[i] == 0 || e->number[i] == error)
			break;
	e->number[i] = i == DG_ERRORS - 1 ? 0 : error;
	e->count[i] += n;
}

void
dg_errors_merge(struct dg_errors *into, const struct dg_errors *from)
{
	int i;

	for (i = 0; i < DG_ERRORS; i++)
		if (from->count[i] != 0)
			dg_errors_add(into, from->number[i], from->count[i]);
}

/* Room for another short piece of text. */
static void
line_grow(struct dg_line *l)
{
	char *text;

	if (l->room - l->len >= 256)
		return;
	text = os_alloc(l->room * 2 + 1024);
	if (l->len != 0)
		memcpy(text, l->text, l->len);
	os_free(l->text);
	l->text = text;
	l->room = l->room * 2 + 1024;
}

/* What is added at once is at most 255 characters long. */
void
dg_line_add(struct dg_line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	line_grow(l);
	va_start(ap, fmt);
	n = os_vformat(l->text + l->len, l->room - l->len, fmt, ap);
	va_end(ap);
	l->len += n > 0 ? (size_t)n : 0;
}

void
dg_line_begin(struct dg_line *l, const struct dg_options *o, const char *role, const char *kind,
    int64_t t0, int64_t t1)
{
	memset(l, 0, sizeof(*l));
	dg_line_add(l, "{\"dngen\":1,\"id\":\"%s\",\"role\":\"%s\",\"kind\":\"%s\",\"t0\":%lld,\"t1\":%lld",
	    o->id, role, kind, (long long)t0, (long long)t1);
}

void
dg_line_end(struct dg_line *l)
{
	dg_line_add(l, "}\n");
	os_write(l->text, l->len);
	os_free(l->text);
	l->text = NULL;
}

/* In decimal: no printf has a format for so long a number. */
static void
add_u128(struct dg_line *l, const char *name, unsigned __int128 v)
{
	uint32_t limb[4], rest;
	uint64_t part;
	char digits[40];
	int i, n = sizeof(digits) - 1;

	for (i = 0; i < 4; i++, v >>= 32)
		limb[3 - i] = (uint32_t)v;
	digits[n] = '\0';
	do {
		for (rest = 0, i = 0; i < 4; i++) {
			part = (uint64_t)rest << 32 | limb[i];
			limb[i] = (uint32_t)(part / 10);
			rest = (uint32_t)(part % 10);
		}
		digits[--n] = (char)('0' + rest);
	} while ((limb[0] | limb[1] | limb[2] | limb[3]) != 0);
	dg_line_add(l, ",\"%s\":%s", name, digits + n);
}

void
dg_line_delay(struct dg_line *l, const struct dg_hist *h, bool all)
{
	if (h->count == 0)
		return;
	dg_line_add(l, ",\"delay\":{\"min\":%lld,\"mean\":%lld,\"p50\":%lld,\"p99\":%lld,\"max\":%lld",
	    (long long)h->min, (long long)dg_hist_mean(h), (long long)dg_hist_quantile(h, 500),
	    (long long)dg_hist_quantile(h, 990), (long long)h->max);
	if (all) {
		dg_line_add(l, ",\"sum\":%llu", (unsigned long long)h->sum);
		add_u128(l, "sumsq", h->sumsq);
	}
	dg_line_add(l, "}");
}

void
dg_line_hist(struct dg_line *l, const struct dg_hist *h)
{
	const char *comma = "";
	uint32_t i;

	dg_line_add(l, ",\"hist\":[");
	for (i = h->lo; i < h->hi; i++)
		if (h->bucket[i] != 0) {
			dg_line_add(l, "%s[%lld,%u]", comma, (long long)dg_hist_upper(h, i), h->bucket[i]);
			comma = ",";
		}
	dg_line_add(l, "]");
}

void
dg_line_errors(struct dg_line *l, const struct dg_errors *e)
{
	int i;

	dg_line_add(l, ",\"errors\":{");
	for (i = 0; i < DG_ERRORS && e->count[i] != 0; i++)
		dg_line_add(l, "%s\"%s\":%llu", i == 0 ? "" : ",", dg_errname(e->number[i]),
		    (unsigned long long)e->count[i]);
	dg_line_add(l, "}");
}

int
dg_fail(const char *what, int error)
{
	os_eprintf("dngen: %s: %s (%d)\n", what, dg_errname(error), error);
	return (DNGEN_FAILED);
}

void
dg_interval_init(struct dg_interval *i, int64_t start)
{
	memset(i, 0, sizeof(*i));
	i->t0 = start;
	dg_hist_init(&i->delay, DG_HIST_COARSE);
}

void
dg_interval_fini(struct dg_interval *i)
{
	dg_hist_fini(&i->delay);
}

int64_t
dg_interval_end(const struct dg_interval *i, const struct dg_options *o)
{
	return (i->t0 + o->interval);
}

static void
print_interval(struct dg_interval *i, const struct dg_options *o, const char *role, int64_t t1)
{
	struct dg_line l;

	dg_line_begin(&l, o, role, "interval", i->t0, t1);
	dg_line_add(&l, ",\"packets\":%llu,\"bytes\":%llu", (unsigned long long)i->packets,
	    (unsigned long long)i->bytes);
	dg_line_delay(&l, &i->delay, false);
	dg_line_end(&l);
	i->begun = true;
	i->packets = i->bytes = 0;
	dg_hist_clear(&i->delay);
	i->t0 = t1;
}

void
dg_interval_pass(struct dg_interval *i, const struct dg_options *o, const char *role, int64_t now)
{
	if (!i->begun && i->packets == 0 && i->bytes == 0) {
		if (now > i->t0)
			i->t0 += (now - i->t0) / o->interval * o->interval;
		return;
	}
	while (now >= i->t0 + o->interval)
		print_interval(i, o, role, i->t0 + o->interval);
}

void
dg_interval_flush(struct dg_interval *i, const struct dg_options *o, const char *role, int64_t now)
{
	dg_interval_pass(i, o, role, now);
	if (now > i->t0 && (i->packets != 0 || i->bytes != 0))
		print_interval(i, o, role, now);
}
