/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pacing.  When a packet is due follows from the packets before it and the
 * rate, never from when they were sent, so that nothing drifts.  A sender that
 * is late makes up for it at twice the rate, after a few packets at once.
 */
#include "dngen.h"

#define	BURST		4		/* packets back to back, by right */
#define	OVERSLEEP_MAX	(10 * NS_PER_MS)

static void
shuffle(struct dg_pace *p)
{
	uint32_t i, j;
	uint16_t card;

	for (i = p->o->sizes.total - 1; i > 0; i--) {
		j = (uint32_t)(dg_random(&p->random) % (i + 1));
		card = p->deck[i];
		p->deck[i] = p->deck[j];
		p->deck[j] = card;
	}
	p->dealt = 0;
}

/*
 * The rate is shared equally, to the bit (the first senders have what does not
 * divide), and sender k begins k/n of its first gap later: together they are
 * as even as one.
 */
void
dg_pace_init(struct dg_pace *p, const struct dg_options *o, uint32_t sender, int64_t zero)
{
	uint64_t rate;
	int64_t gap;
	uint32_t i, n, w;

	memset(p, 0, sizeof(*p));
	p->o = o;
	p->zero = zero;
	p->end = zero + o->length;
	p->random = o->seed ^ ((uint64_t)o->flow << 16) ^ sender;
	p->deck = os_alloc(o->sizes.total * sizeof(*p->deck));
	for (n = 0, i = 0; i < (uint32_t)o->sizes.count; i++)
		for (w = 0; w < o->sizes.weight[i]; w++)
			p->deck[n++] = (uint16_t)o->sizes.size[i];
	shuffle(p);
	rate = o->mrate != 0 ? o->mrate : o->upps;
	rate = rate / o->senders + (sender < rate % o->senders ? 1 : 0);
	if (rate == 0)
		rate = 1;
	p->num = o->mrate != 0 ? NS_PER_S * 1000 : NS_PER_S * 1000000;
	p->den = rate;
	gap = (int64_t)(o->mrate != 0 ? p->num * 8 * p->deck[0] / p->den : p->num / p->den);
	p->active = (int64_t)((uint64_t)gap / o->senders * sender);
	p->step = gap;
	p->catch_up = zero;
}

void
dg_pace_fini(struct dg_pace *p)
{
	os_free(p->deck);
}

int64_t
dg_pace_due(const struct dg_pace *p)
{
	const struct dg_options *o = p->o;

	if (o->off == 0)
		return (p->zero + p->active);
	return (p->zero + p->active / o->on * (o->on + o->off) + p->active % o->on);
}

bool
dg_pace_over(const struct dg_pace *p)
{
	return (dg_pace_due(p) >= p->end);
}

uint32_t
dg_pace_take(struct dg_pace *p, int64_t now)
{
	uint64_t ns;
	int64_t late;
	uint32_t size;

	late = now - dg_pace_due(p);
	if (late > p->late)
		p->late = late;
	size = p->deck[p->dealt++];
	if (p->dealt == p->o->sizes.total)
		shuffle(p);
	ns = p->num * (p->o->mrate != 0 ? size * 8 : 1) + p->rem;
	p->step = (int64_t)(ns / p->den);
	p->rem = ns % p->den;
	p->active += p->step;
	p->catch_up += p->step / 2;
	p->scheduled++;
	return (size);
}

bool
dg_pace_wait(struct dg_pace *p, int64_t *now)
{
	int64_t slack, over, when;

	*now = os_now();
	for (;;) {
		/* Where sleeping is coarse, what was slept over may go at once. */
		slack = p->step / 2 * BURST + p->oversleep * 2;
		if (p->catch_up < *now - slack)
			p->catch_up = *now - slack;
		when = dg_pace_due(p);
		if (when < p->catch_up)
			when = p->catch_up;
		if (*now >= when)
			return (!os_stopping());
		os_sleep_until(when);
		if (os_stopping())
			return (false);
		*now = os_now();
		over = *now - when;
		if (over > OVERSLEEP_MAX)
			over = OVERSLEEP_MAX;
		p->oversleep += (over - p->oversleep) / 8;
	}
}
