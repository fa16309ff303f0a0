/* SPDX-License-Identifier: BSD-2-Clause */
#include "dngen.h"

#define	TOP_BIT	41	/* half an hour and more; what is beyond goes to the last bucket */

static uint32_t
bucket_of(const struct dg_hist *h, uint64_t v)
{
	int shift;

	if (v >= (UINT64_C(1) << TOP_BIT))
		return (h->nbuckets - 1);
	if (v < (UINT64_C(2) << h->bits))
		return ((uint32_t)v);
	shift = 63 - __builtin_clzll(v) - h->bits;
	return (((uint32_t)shift << h->bits) + (uint32_t)(v >> shift));
}

int64_t
dg_hist_upper(const struct dg_hist *h, uint32_t index)
{
	int shift;

	shift = (int)(index >> h->bits) - 1;
	if (shift <= 0)
		return (index);
	return ((((int64_t)index - ((int64_t)shift << h->bits) + 1) << shift) - 1);
}

void
dg_hist_init(struct dg_hist *h, int bits)
{
	memset(h, 0, sizeof(*h));
	h->bits = bits;
	h->nbuckets = (uint32_t)(TOP_BIT - bits + 1) << bits;
	h->bucket = os_alloc(h->nbuckets * sizeof(*h->bucket));
	h->lo = h->nbuckets;
}

void
dg_hist_fini(struct dg_hist *h)
{
	os_free(h->bucket);
	h->bucket = NULL;
}

void
dg_hist_add(struct dg_hist *h, int64_t value)
{
	uint32_t i;

	if (value < 0)
		value = 0;
	i = bucket_of(h, (uint64_t)value);
	if (h->bucket[i] != UINT32_MAX)
		h->bucket[i]++;
	if (i < h->lo)
		h->lo = i;
	if (i >= h->hi)
		h->hi = i + 1;
	if (h->count == 0 || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->sum += (uint64_t)value;
	h->sumsq += (unsigned __int128)value * (unsigned __int128)value;
	h->count++;
}

void
dg_hist_clear(struct dg_hist *h)
{
	if (h->lo < h->hi)
		memset(h->bucket + h->lo, 0, (h->hi - h->lo) * sizeof(*h->bucket));
	h->lo = h->nbuckets;
	h->hi = 0;
	h->count = h->sum = 0;
	h->sumsq = 0;
	h->min = h->max = 0;
}

void
dg_hist_merge(struct dg_hist *into, const struct dg_hist *from)
{
	uint64_t n;
	uint32_t i, j;

	if (from->count == 0)
		return;
	for (i = from->lo; i < from->hi; i++) {
		if (from->bucket[i] == 0)
			continue;
		j = from->bits == into->bits ? i :
		    bucket_of(into, (uint64_t)dg_hist_upper(from, i));
		n = (uint64_t)into->bucket[j] + from->bucket[i];
		into->bucket[j] = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
		if (j < into->lo)
			into->lo = j;
		if (j >= into->hi)
			into->hi = j + 1;
	}
	if (into->count == 0 || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->sum += from->sum;
	into->sumsq += from->sumsq;
	into->count += from->count;
}

int64_t
dg_hist_quantile(const struct dg_hist *h, uint32_t thousandths)
{
	uint64_t rank, seen;
	int64_t v;
	uint32_t i;

	if (h->count == 0)
		return (0);
	/* The nearest rank: the smallest value that so many values do not exceed. */
	rank = h->count / 1000 * thousandths + (h->count % 1000 * thousandths + 999) / 1000;
	if (rank == 0)
		rank = 1;
	seen = 0;
	for (i = h->lo; i < h->hi; i++) {
		seen += h->bucket[i];
		if (seen >= rank) {
			v = dg_hist_upper(h, i);
			return (v > h->max || i == h->nbuckets - 1 ? h->max : v < h->min ? h->min : v);
		}
	}
	return (h->max);
}

int64_t
dg_hist_mean(const struct dg_hist *h)
{
	return (h->count == 0 ? 0 : (int64_t)((h->sum + h->count / 2) / h->count));
}
