/* SPDX-License-Identifier: BSD-2-Clause */
#include "hist.h"

static int
index_of(int64_t ns)
{
	uint64_t v = ns < 0 ? 0 : (uint64_t)ns;
	int shift;

	if (v < HIST_SUB)
		return ((int)v);
	shift = 63 - __builtin_clzll(v) - 6;
	if (shift > HIST_BUCKETS / HIST_SUB - 2)
		return (HIST_BUCKETS - 1);
	return (HIST_SUB * (shift + 1) + (int)(v >> shift) - HIST_SUB);
}

/* The largest value that falls into a bucket. */
int64_t
hist_upper(int bucket)
{
	int shift;

	if (bucket < HIST_SUB)
		return (bucket);
	shift = bucket / HIST_SUB - 1;
	return ((((int64_t)(bucket % HIST_SUB) + HIST_SUB + 1) << shift) - 1);
}

void
hist_add(struct hist *h, int64_t ns)
{
	if (h->count == 0 || ns < h->min)
		h->min = ns;
	if (h->count == 0 || ns > h->max)
		h->max = ns;
	h->count++;
	h->sum += (double)ns;
	h->sumsq += (double)ns * (double)ns;
	h->bucket[index_of(ns)]++;
}

void
hist_clear(struct hist *h)
{
	memset(h, 0, sizeof(*h));
}

int64_t
hist_percentile(const struct hist *h, double p)
{
	uint64_t want, seen = 0;

	if (h->count == 0)
		return (0);
	want = (uint64_t)((double)h->count * p / 100.0);
	if (want >= h->count)
		want = h->count - 1;
	for (int i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen > want)
			return (hist_upper(i) < h->max ? hist_upper(i) : h->max);
	}
	return (h->max);
}

/* "hist":[[upper ns, count], ...], without the empty buckets. */
void
hist_print(const struct hist *h)
{
	const char *comma = "";

	os_printf(",\"hist\":[");
	for (int i = 0; i < HIST_BUCKETS; i++)
		if (h->bucket[i] != 0) {
			os_printf("%s[%lld,%u]", comma, (long long)hist_upper(i), h->bucket[i]);
			comma = ",";
		}
	os_printf("]");
}
