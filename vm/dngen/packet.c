/* SPDX-License-Identifier: BSD-2-Clause */
/* What a packet says of itself, and what a sequence of them comes to. */
#include "dngen.h"

#define	MAGIC	UINT32_C(0x444e4731)	/* DNG1 */

static uint8_t *
put(uint8_t *p, uint64_t v, int bytes)
{
	int i;

	for (i = bytes - 1; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
	return (p + bytes);
}

static const uint8_t *
get(const uint8_t *p, uint64_t *v, int bytes)
{
	int i;

	for (*v = 0, i = 0; i < bytes; i++)
		*v = *v << 8 | p[i];
	return (p + bytes);
}

void
dg_header_put(void *buf, const struct dg_header *h)
{
	uint8_t *p = buf;

	p = put(p, MAGIC, 4);
	p = put(p, h->flow, 4);
	p = put(p, h->session, 4);
	p = put(p, h->sender, 1);
	p = put(p, h->senders - 1u, 1);
	p = put(p, h->flags, 2);
	p = put(p, h->length, 4);
	p = put(p, h->seq, 8);
	put(p, (uint64_t)h->when, 8);
}

bool
dg_header_get(const void *buf, size_t len, struct dg_header *h)
{
	const uint8_t *p = buf;
	uint64_t v;

	if (len < DG_HEADER_SIZE)
		return (false);
	p = get(p, &v, 4);
	if (v != MAGIC)
		return (false);
	p = get(p, &v, 4);
	h->flow = (uint32_t)v;
	p = get(p, &v, 4);
	h->session = (uint32_t)v;
	p = get(p, &v, 1);
	h->sender = (uint16_t)v;
	p = get(p, &v, 1);
	h->senders = (uint16_t)(v + 1);
	p = get(p, &v, 2);
	h->flags = (uint16_t)v;
	p = get(p, &v, 4);
	h->length = (uint32_t)v;
	p = get(p, &h->seq, 8);
	get(p, &v, 8);
	h->when = (int64_t)v;
	return (true);
}

/* FNV-1a. */
uint32_t
dg_hash(const char *text)
{
	uint32_t h = UINT32_C(2166136261);

	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * UINT32_C(16777619);
	return (h);
}

/* splitmix64 */
uint64_t
dg_random(uint64_t *state)
{
	uint64_t z;

	z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31);
}

enum dg_seen
dg_seq_add(struct dg_seq *q, uint64_t seq)
{
	uint64_t behind, i, jump;
	uint8_t bit, *byte;

	byte = &q->seen[seq % DG_WINDOW / 8];
	bit = (uint8_t)(1 << seq % 8);
	if (seq >= q->next) {
		/* The window moves on: what leaves it is forgotten. */
		jump = seq - q->next;
		if (jump >= DG_WINDOW)
			memset(q->seen, 0, sizeof(q->seen));
		else
			for (i = q->next; i < seq; i++)
				q->seen[i % DG_WINDOW / 8] &= (uint8_t)~(1 << i % 8);
		*byte |= bit;
		q->next = seq + 1;
		q->received++;
		return (DG_NEW);
	}
	behind = q->next - seq;
	if (behind > DG_WINDOW) {
		q->beyond++;
		return (DG_BEYOND);
	}
	if ((*byte & bit) != 0) {
		q->duplicates++;
		return (DG_DUPLICATE);
	}
	*byte |= bit;
	q->received++;
	q->reordered++;
	if (behind > q->extent)
		q->extent = behind;
	return (DG_NEW);
}
