/* SPDX-License-Identifier: BSD-2-Clause */
/* dngen's inner parts, for the tests to call one by one. */
#include "dngen.h"

/* min, mean, the quantiles asked for, max; then the upper ends of the buckets of each value. */
void
parts_hist(int bits, const int64_t *values, int n, const uint32_t *thousandths, int nq, int split,
    int64_t *out)
{
	struct dg_hist a, b;
	int i;

	dg_hist_init(&a, bits);
	dg_hist_init(&b, bits);
	for (i = 0; i < n; i++)
		dg_hist_add(i < split ? &a : &b, values[i]);
	dg_hist_merge(&a, &b);
	dg_hist_clear(&b);
	dg_hist_merge(&a, &b);
	out[0] = a.min;
	out[1] = dg_hist_mean(&a);
	for (i = 0; i < nq; i++)
		out[2 + i] = dg_hist_quantile(&a, thousandths[i]);
	out[2 + nq] = a.max;
	out[3 + nq] = (int64_t)a.count;
	dg_hist_fini(&a);
	dg_hist_fini(&b);
}

/* The first bucket whose upper end is at least the value, by search. */
int64_t
parts_upper(int bits, int64_t value)
{
	struct dg_hist h;
	int64_t upper;

	dg_hist_init(&h, bits);
	dg_hist_add(&h, value);
	upper = dg_hist_upper(&h, h.lo);
	dg_hist_fini(&h);
	return (upper);
}

void
parts_seq(const uint64_t *seqs, int n, uint64_t *out)
{
	struct dg_seq *q = os_alloc(sizeof(*q));
	int i;

	for (i = 0; i < n; i++)
		dg_seq_add(q, seqs[i]);
	out[0] = q->received;
	out[1] = q->duplicates;
	out[2] = q->reordered;
	out[3] = q->beyond;
	out[4] = q->next;
	out[5] = q->extent;
	os_free(q);
}

/*
 * A sender's schedule as it is kept when every packet goes out in time: when
 * each is due and how big it is.  Returns how many there are.
 */
int
parts_pace(uint64_t mrate, uint64_t upps, int64_t on, int64_t off, int64_t length, uint32_t senders,
    uint32_t sender, const uint32_t *sizes, const uint32_t *weights, int nsizes, int64_t *due,
    uint32_t *size, int room)
{
	struct dg_options o;
	struct dg_pace p;
	int i, n;

	memset(&o, 0, sizeof(o));
	o.mrate = mrate;
	o.upps = upps;
	o.on = on;
	o.off = off;
	o.length = length;
	o.senders = senders;
	o.sizes.count = nsizes;
	for (i = 0; i < nsizes; i++) {
		o.sizes.size[i] = sizes[i];
		o.sizes.weight[i] = weights[i];
		o.sizes.total += weights[i];
	}
	dg_pace_init(&p, &o, sender, 0);
	for (n = 0; n < room && !dg_pace_over(&p); n++) {
		due[n] = dg_pace_due(&p);
		size[n] = dg_pace_take(&p, due[n]);
	}
	dg_pace_fini(&p);
	return (n);
}
