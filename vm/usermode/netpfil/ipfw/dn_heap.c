/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two containers of dummynet: a binary heap of things to come, and a hash
 * table of objects that carry their own link.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/malloc.h>
#include <netpfil/ipfw/dn_heap.h>

static MALLOC_DEFINE(M_DN_HEAP, "dummynet", "dummynet heap");

#define	PARENT(i)	(((i) - 1) / 2)
#define	LEFT(i)		(2 * (i) + 1)

/* Where an object keeps its place in the heap. */
static inline int32_t *
heap_place(const struct dn_heap *h, void *obj)
{

	return ((int32_t *)((char *)obj + h->ofs));
}

static inline void
heap_put(struct dn_heap *h, int i, struct dn_heap_entry e)
{

	h->p[i] = e;
	if (h->ofs > 0)
		*heap_place(h, e.object) = i;
}

static int
heap_grow(struct dn_heap *h, int size)
{
	struct dn_heap_entry *p;

	if (h->size >= size)
		return (0);
	/* One block of 2^n - 1 entries is n full levels. */
	size = (1 << fls(size)) - 1;
	p = malloc(size * sizeof(*p), M_DN_HEAP, M_NOWAIT | M_ZERO);
	if (p == NULL) {
		printf("dummynet: no memory for a heap of %d entries\n", size);
		return (1);
	}
	if (h->elements > 0)
		bcopy(h->p, p, h->elements * sizeof(*p));
	free(h->p, M_DN_HEAP);
	h->p = p;
	h->size = size;
	return (0);
}

int
heap_init(struct dn_heap *h, int size, int ofs)
{

	if (heap_grow(h, size) != 0)
		return (1);
	h->elements = 0;
	h->ofs = ofs;
	return (0);
}

static void
heap_up(struct dn_heap *h, int i, struct dn_heap_entry e)
{

	while (i > 0 && DN_KEY_LT(e.key, h->p[PARENT(i)].key)) {
		heap_put(h, i, h->p[PARENT(i)]);
		i = PARENT(i);
	}
	heap_put(h, i, e);
}

static void
heap_down(struct dn_heap *h, int i, struct dn_heap_entry e)
{
	int child;

	while ((child = LEFT(i)) < h->elements) {
		if (child + 1 < h->elements &&
		    DN_KEY_LT(h->p[child + 1].key, h->p[child].key))
			child++;
		if (!DN_KEY_LT(h->p[child].key, e.key))
			break;
		heap_put(h, i, h->p[child]);
		i = child;
	}
	heap_put(h, i, e);
}

int
heap_insert(struct dn_heap *h, uint64_t key1, void *p)
{

	if (h->elements == h->size && heap_grow(h, h->elements + 1) != 0)
		return (1);
	h->elements++;
	heap_up(h, h->elements - 1, (struct dn_heap_entry){ key1, p });
	return (0);
}

bool
heap_extract(struct dn_heap *h, void *obj)
{
	struct dn_heap_entry last;
	int i;

	if (h->elements <= 0)
		return (false);
	i = 0;
	if (obj != NULL) {
		if (h->ofs <= 0)
			panic("%s: heap %p does not track its objects",
			    __func__, h);
		i = *heap_place(h, obj);
		/* It may be in another heap, or in none. */
		if (i < 0 || i >= h->elements || h->p[i].object != obj)
			return (false);
	}
	if (h->ofs > 0)
		*heap_place(h, h->p[i].object) = -1;
	last = h->p[--h->elements];
	if (i == h->elements)
		return (true);
	if (i > 0 && DN_KEY_LT(last.key, h->p[PARENT(i)].key))
		heap_up(h, i, last);
	else
		heap_down(h, i, last);
	return (true);
}

int
heap_scan(struct dn_heap *h, int (*fn)(void *, uintptr_t), uintptr_t arg)
{
	int i, kept, ret, found;

	for (i = kept = found = 0; i < h->elements; i++) {
		ret = fn(h->p[i].object, arg);
		if ((ret & HEAP_SCAN_DEL) == 0)
			h->p[kept++] = h->p[i];
		else {
			found++;
			if (h->ofs > 0)
				*heap_place(h, h->p[i].object) = -1;
		}
		if ((ret & HEAP_SCAN_END) != 0) {
			for (i++; i < h->elements; i++)
				h->p[kept++] = h->p[i];
			break;
		}
	}
	h->elements = kept;
	for (i = h->elements - 1; i >= 0; i--)
		heap_down(h, i, h->p[i]);
	return (found);
}

void
heap_free(struct dn_heap *h)
{

	free(h->p, M_DN_HEAP);
	bzero(h, sizeof(*h));
}

/*
 * Hash tables.
 */
struct dn_ht {
	int	 buckets;
	int	 entries;
	int	 ofs;		/* of the link in an object */
	uint32_t (*hash)(uintptr_t, int, void *);
	int	 (*match)(void *, uintptr_t, int, void *);
	void	*(*newh)(uintptr_t, int, void *);
	void	*table[];
};

static inline void **
ht_link(const struct dn_ht *ht, void *obj)
{

	return ((void **)((char *)obj + ht->ofs));
}

struct dn_ht *
dn_ht_init(struct dn_ht *ht, int buckets, int ofs,
    uint32_t (*hash)(uintptr_t, int, void *),
    int (*match)(void *, uintptr_t, int, void *),
    void *(*newh)(uintptr_t, int, void *))
{

	KASSERT(ht == NULL, ("%s: tables of one's own are not a thing", __func__));
	if (buckets < 1 || buckets > 65536)
		buckets = buckets < 1 ? 1 : 65536;
	ht = malloc(sizeof(*ht) + buckets * sizeof(ht->table[0]), M_DN_HEAP,
	    M_NOWAIT | M_ZERO);
	if (ht == NULL)
		return (NULL);
	ht->buckets = buckets;
	ht->ofs = ofs;
	ht->hash = hash;
	ht->match = match;
	ht->newh = newh;
	return (ht);
}

void
dn_ht_free(struct dn_ht *ht, int flags)
{

	if (ht == NULL)
		return;
	if ((flags & DNHT_REMOVE) != 0) {
		/* Forget all, and stay. */
		bzero(ht->table, ht->buckets * sizeof(ht->table[0]));
		ht->entries = 0;
	} else
		free(ht, M_DN_HEAP);
}

int
dn_ht_entries(struct dn_ht *ht)
{

	return (ht != NULL ? ht->entries : 0);
}

void *
dn_ht_find(struct dn_ht *ht, uintptr_t key, int flags, void *arg)
{
	void **pp, *obj;
	int i;

	if (ht == NULL)
		return (NULL);
	if (ht->buckets == 1)
		i = 0;
	else if ((flags & DNHT_MATCH_PTR) != 0)
		i = ht->hash(key, flags | DNHT_KEY_IS_OBJ, arg) % ht->buckets;
	else
		i = ht->hash(key, flags, arg) % ht->buckets;

	for (pp = &ht->table[i]; (obj = *pp) != NULL; pp = ht_link(ht, obj))
		if ((flags & DNHT_MATCH_PTR) != 0 ? (uintptr_t)obj == key :
		    ht->match(obj, key, flags, arg))
			break;
	if (obj != NULL) {
		if ((flags & DNHT_REMOVE) != 0) {
			*pp = *ht_link(ht, obj);
			*ht_link(ht, obj) = NULL;
			ht->entries--;
		} else if ((flags & (DNHT_INSERT | DNHT_UNIQUE)) ==
		    (DNHT_INSERT | DNHT_UNIQUE))
			return (NULL);
		return (obj);
	}
	if ((flags & DNHT_INSERT) == 0)
		return (NULL);
	obj = ht->newh != NULL ? ht->newh(key, flags, arg) : (void *)key;
	if (obj != NULL) {
		*ht_link(ht, obj) = ht->table[i];
		ht->table[i] = obj;
		ht->entries++;
	}
	return (obj);
}

static int
ht_scan_bucket(struct dn_ht *ht, int i, int (*fn)(void *, void *), void *arg,
    bool *end)
{
	void **pp, *obj, *next;
	int found, ret;

	found = 0;
	for (pp = &ht->table[i]; (obj = *pp) != NULL && !*end;) {
		next = *ht_link(ht, obj);	/* the callback may free it */
		ret = fn(obj, arg);
		if ((ret & DNHT_SCAN_DEL) != 0) {
			*pp = next;
			ht->entries--;
			found++;
		} else
			pp = ht_link(ht, obj);
		if ((ret & DNHT_SCAN_END) != 0)
			*end = true;
	}
	return (found);
}

int
dn_ht_scan(struct dn_ht *ht, int (*fn)(void *, void *), void *arg)
{
	bool end;
	int found, i;

	if (ht == NULL || fn == NULL)
		return (0);
	end = false;
	for (found = i = 0; i < ht->buckets && !end; i++)
		found += ht_scan_bucket(ht, i, fn, arg, &end);
	return (found);
}

int
dn_ht_scan_bucket(struct dn_ht *ht, int *bucket, int (*fn)(void *, void *),
    void *arg)
{
	bool end;

	if (ht == NULL || fn == NULL || bucket == NULL)
		return (0);
	if (*bucket < 0 || *bucket >= ht->buckets)
		*bucket = 0;
	end = false;
	return (ht_scan_bucket(ht, *bucket, fn, arg, &end));
}
