/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _IP_DN_HEAP_H
#define	_IP_DN_HEAP_H

#include <sys/types.h>

/* Keys wrap: a comes before b when it is less than half the range behind. */
#define	DN_KEY_LT(a, b)		((int64_t)((a) - (b)) < 0)
#define	DN_KEY_LEQ(a, b)	((int64_t)((a) - (b)) <= 0)

struct dn_heap_entry {
	uint64_t	key;
	void		*object;
};

/*
 * A binary heap, smallest key first.  With ofs > 0 every object keeps its
 * place in the heap at that offset, so that it can be taken out of the middle.
 */
struct dn_heap {
	int		size;
	int		elements;
	int		ofs;
	struct dn_heap_entry *p;
};

enum {	/* what a scan's callback may ask for, or'ed */
	HEAP_SCAN_DEL = 1,
	HEAP_SCAN_END = 2,
};

#define	HEAP_TOP(h)		((h)->p)
#define	SET_HEAP_OFS(h, n)	do { (h)->ofs = n; } while (0)
int	heap_init(struct dn_heap *h, int size, int ofs);
int	heap_insert(struct dn_heap *h, uint64_t key1, void *p);
/* NULL takes the top. */
bool	heap_extract(struct dn_heap *h, void *obj);
void	heap_free(struct dn_heap *h);
int	heap_scan(struct dn_heap *, int (*)(void *, uintptr_t), uintptr_t);

/* A hash table of objects that link themselves at an offset. */
struct dn_ht;
struct dn_ht *dn_ht_init(struct dn_ht *, int buckets, int ofs,
	    uint32_t (*hash)(uintptr_t, int, void *),
	    int (*match)(void *, uintptr_t, int, void *),
	    void *(*newh)(uintptr_t, int, void *));
void	dn_ht_free(struct dn_ht *, int flags);
void	*dn_ht_find(struct dn_ht *, uintptr_t, int, void *);
int	dn_ht_scan(struct dn_ht *, int (*)(void *, void *), void *);
/* One bucket; a number past the end turns into the first. */
int	dn_ht_scan_bucket(struct dn_ht *, int *, int (*)(void *, void *), void *);
int	dn_ht_entries(struct dn_ht *);

enum {
	DNHT_SCAN_DEL	= 0x0001,	/* the first two: results of a scan's callback */
	DNHT_SCAN_END	= 0x0002,
	DNHT_KEY_IS_OBJ	= 0x0004,	/* the key is an object, not what makes one */
	DNHT_MATCH_PTR	= 0x0008,
	DNHT_INSERT	= 0x0010,
	DNHT_UNIQUE	= 0x0020,	/* with INSERT: NULL if it is there */
	DNHT_REMOVE	= 0x0040,
};

#endif /* !_IP_DN_HEAP_H */
