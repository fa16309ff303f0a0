/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU data, counter(9), buf_ring(9) and red-black trees.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/buf_ring.h>
#include <sys/counter.h>
#include <sys/malloc.h>
#include <sys/pcpu.h>
#include <sys/smp.h>
#include <sys/tree.h>
#include <vm/uma.h>

#include "kern_internal.h"

/* So that an empty set has its bounds; it also gives the section its alignment. */
static long dpcpu_anchor __section(DPCPU_SETNAME) __used __aligned(64);

void
pcpu_init(void)
{
	size_t size = roundup2(DPCPU_STOP - DPCPU_START, CACHE_LINE_SIZE);
	char *p;
	int i;

	p = host_chunks(howmany(size * (size_t)mp_ncpus, HOST_CHUNK));
	for (i = 0; i < mp_ncpus; i++, p += size) {
		memcpy(p, (const void *)DPCPU_START, DPCPU_STOP - DPCPU_START);
		pcpu_data[i].pc_dynamic = (uintptr_t)p - DPCPU_START;
	}
}

static MALLOC_DEFINE(M_COUNTER, "counter", "counter(9)");

counter_u64_t
counter_u64_alloc(int wait)
{
	return (malloc_aligned((size_t)mp_ncpus * ZPCPU_STRIDE, CACHE_LINE_SIZE, M_COUNTER,
	    wait | M_ZERO));
}

void
counter_u64_free(counter_u64_t c)
{
	free(c, M_COUNTER);
}

uint64_t
counter_u64_fetch(counter_u64_t c)
{
	uint64_t sum = 0;
	int i;

	CPU_FOREACH(i)
		sum += __atomic_load_n((uint64_t *)zpcpu_get_cpu(c, i), __ATOMIC_RELAXED);
	return (sum);
}

void
counter_u64_zero(counter_u64_t c)
{
	int i;

	CPU_FOREACH(i)
		__atomic_store_n((uint64_t *)zpcpu_get_cpu(c, i), 0, __ATOMIC_RELAXED);
}

void
counter_u64_sysinit(void *arg)
{
	*(counter_u64_t *)arg = counter_u64_alloc(M_WAITOK);
}

void
counter_u64_sysuninit(void *arg)
{
	counter_u64_free(*(counter_u64_t *)arg);
	*(counter_u64_t *)arg = NULL;
}

/* At most limit events a second: 0 or more, how many went unseen; -1: too many. */
int64_t
counter_ratecheck(struct counter_rate *cr, int64_t limit)
{
	int64_t over = 0;
	int now = ticks;

	if ((u_int)(now - cr->cr_ticks) >= (u_int)hz) {
		over = (int64_t)cr->cr_count > limit ? (int64_t)cr->cr_count - limit : 0;
		cr->cr_count = 0;
		cr->cr_ticks = now;
	}
	cr->cr_count++;
	return ((int64_t)cr->cr_count <= limit ? over : -1);
}

/*
 * buf_ring(9).  Producers take their turn by a compare and swap and publish in
 * the order of their turns.
 */
struct buf_ring *
buf_ring_alloc(int count, struct malloc_type *type, int flags, struct mtx *lock)
{
	struct buf_ring *br;

	KASSERT(powerof2(count), ("buf ring must be size power of 2"));
	br = malloc_aligned(sizeof(*br) + (size_t)count * sizeof(br->br_ring[0]), CACHE_LINE_SIZE,
	    type, flags | M_ZERO);
	if (br != NULL) {
		br->br_size = (uint32_t)count;
		br->br_mask = (uint32_t)count - 1;
	}
	return (br);
}

void
buf_ring_free(struct buf_ring *br, struct malloc_type *type)
{
	free(br, type);
}

int
buf_ring_enqueue(struct buf_ring *br, void *buf)
{
	uint32_t head, cons;

	critical_enter();
	head = __atomic_load_n(&br->br_prod_head, __ATOMIC_ACQUIRE);
	do {
		cons = __atomic_load_n(&br->br_cons, __ATOMIC_ACQUIRE);
		if (head - cons >= br->br_size) {
			__atomic_fetch_add(&br->br_drops, 1, __ATOMIC_RELAXED);
			critical_exit();
			return (ENOBUFS);
		}
	} while (!__atomic_compare_exchange_n(&br->br_prod_head, &head, head + 1, false,
	    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	__atomic_store_n(&br->br_ring[head & br->br_mask], buf, __ATOMIC_RELAXED);
	while (__atomic_load_n(&br->br_prod_tail, __ATOMIC_ACQUIRE) != head)
		cpu_spinwait();
	__atomic_store_n(&br->br_prod_tail, head + 1, __ATOMIC_RELEASE);
	critical_exit();
	return (0);
}

void *
buf_ring_peek(struct buf_ring *br)
{
	if (buf_ring_empty(br))
		return (NULL);
	return (__atomic_load_n(&br->br_ring[br->br_cons & br->br_mask], __ATOMIC_RELAXED));
}

void
buf_ring_advance_sc(struct buf_ring *br)
{
	if (!buf_ring_empty(br))
		__atomic_store_n(&br->br_cons, br->br_cons + 1, __ATOMIC_RELEASE);
}

void
buf_ring_putback_sc(struct buf_ring *br, void *new)
{
	__atomic_store_n(&br->br_ring[br->br_cons & br->br_mask], new, __ATOMIC_RELAXED);
}

void *
buf_ring_dequeue_sc(struct buf_ring *br)
{
	void *buf = buf_ring_peek(br);

	buf_ring_advance_sc(br);
	return (buf);
}

void *
buf_ring_dequeue_mc(struct buf_ring *br)
{
	uint32_t cons = __atomic_load_n(&br->br_cons, __ATOMIC_ACQUIRE);
	void *buf;

	do {
		if (cons == __atomic_load_n(&br->br_prod_tail, __ATOMIC_ACQUIRE))
			return (NULL);
		buf = __atomic_load_n(&br->br_ring[cons & br->br_mask], __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&br->br_cons, &cons, cons + 1, false,
	    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return (buf);
}

int
buf_ring_count(struct buf_ring *br)
{
	return ((int)(__atomic_load_n(&br->br_prod_tail, __ATOMIC_ACQUIRE) -
	    __atomic_load_n(&br->br_cons, __ATOMIC_ACQUIRE)));
}

int
buf_ring_full(struct buf_ring *br)
{
	return ((uint32_t)buf_ring_count(br) >= br->br_size);
}

int
buf_ring_empty(struct buf_ring *br)
{
	return (buf_ring_count(br) == 0);
}

/*
 * Red-black trees on bare links.
 */
static void
rotate(struct rb_links **root, struct rb_links *n, int side)
{
	struct rb_links *up = n->rbl_child[!side], *parent = n->rbl_parent;

	n->rbl_child[!side] = up->rbl_child[side];
	if (up->rbl_child[side] != NULL)
		up->rbl_child[side]->rbl_parent = n;
	up->rbl_parent = parent;
	if (parent == NULL)
		*root = up;
	else
		parent->rbl_child[parent->rbl_child[1] == n] = up;
	up->rbl_child[side] = n;
	n->rbl_parent = up;
}

void
rb_links_insert(struct rb_links **root, struct rb_links *parent, int side, struct rb_links *n)
{
	struct rb_links *p, *g, *uncle;

	n->rbl_child[0] = n->rbl_child[1] = NULL;
	n->rbl_parent = parent;
	n->rbl_red = true;
	if (parent == NULL)
		*root = n;
	else
		parent->rbl_child[side] = n;
	while ((p = n->rbl_parent) != NULL && p->rbl_red) {
		g = p->rbl_parent;
		side = g->rbl_child[1] == p;
		uncle = g->rbl_child[!side];
		if (uncle != NULL && uncle->rbl_red) {
			p->rbl_red = uncle->rbl_red = false;
			g->rbl_red = true;
			n = g;
			continue;
		}
		if (n == p->rbl_child[!side]) {
			rotate(root, p, side);
			n = p;
			p = n->rbl_parent;
		}
		p->rbl_red = false;
		g->rbl_red = true;
		rotate(root, g, !side);
	}
	(*root)->rbl_red = false;
}

static bool
is_red(const struct rb_links *n)
{
	return (n != NULL && n->rbl_red);
}

void
rb_links_remove(struct rb_links **root, struct rb_links *n)
{
	struct rb_links *child, *parent, *s, *w;
	bool red;
	int side;

	if (n->rbl_child[0] != NULL && n->rbl_child[1] != NULL) {
		/* Its successor takes its place, and leaves its own. */
		s = rb_links_end(n->rbl_child[1], 0);
		child = s->rbl_child[1];
		parent = s->rbl_parent;
		red = s->rbl_red;
		if (parent == n)
			parent = s;
		else {
			parent->rbl_child[0] = child;
			if (child != NULL)
				child->rbl_parent = parent;
			s->rbl_child[1] = n->rbl_child[1];
			s->rbl_child[1]->rbl_parent = s;
		}
		s->rbl_child[0] = n->rbl_child[0];
		s->rbl_child[0]->rbl_parent = s;
		s->rbl_parent = n->rbl_parent;
		s->rbl_red = n->rbl_red;
		if (n->rbl_parent == NULL)
			*root = s;
		else
			n->rbl_parent->rbl_child[n->rbl_parent->rbl_child[1] == n] = s;
	} else {
		child = n->rbl_child[n->rbl_child[0] == NULL];
		parent = n->rbl_parent;
		red = n->rbl_red;
		if (child != NULL)
			child->rbl_parent = parent;
		if (parent == NULL)
			*root = child;
		else
			parent->rbl_child[parent->rbl_child[1] == n] = child;
	}
	if (red)
		return;
	while (child != *root && !is_red(child)) {
		side = parent->rbl_child[1] == child;
		w = parent->rbl_child[!side];
		if (is_red(w)) {
			w->rbl_red = false;
			parent->rbl_red = true;
			rotate(root, parent, side);
			w = parent->rbl_child[!side];
		}
		if (!is_red(w->rbl_child[0]) && !is_red(w->rbl_child[1])) {
			w->rbl_red = true;
			child = parent;
			parent = child->rbl_parent;
			continue;
		}
		if (!is_red(w->rbl_child[!side])) {
			w->rbl_child[side]->rbl_red = false;
			w->rbl_red = true;
			rotate(root, w, !side);
			w = parent->rbl_child[!side];
		}
		w->rbl_red = parent->rbl_red;
		parent->rbl_red = false;
		w->rbl_child[!side]->rbl_red = false;
		rotate(root, parent, side);
		child = *root;
		break;
	}
	if (child != NULL)
		child->rbl_red = false;
}

struct rb_links *
rb_links_end(struct rb_links *n, int side)
{
	if (n != NULL)
		while (n->rbl_child[side] != NULL)
			n = n->rbl_child[side];
	return (n);
}

struct rb_links *
rb_links_step(struct rb_links *n, int side)
{
	struct rb_links *p;

	if (n->rbl_child[side] != NULL)
		return (rb_links_end(n->rbl_child[side], !side));
	while ((p = n->rbl_parent) != NULL && p->rbl_child[side] == n)
		n = p;
	return (p);
}
