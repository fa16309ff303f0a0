/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zones of items of one size, and malloc(9) on top of them.
 *
 * A slab is one chunk of the host's, with a header that tells its zone, so a
 * bare address finds its way home.  With INVARIANTS an item has a header of its
 * own and a red zone behind it; a freed one is filled with 0xdeadc0de, waits a
 * while in the order of its freeing, and is looked over before it is used
 * again: late writers and double frees are found, as FreeBSD finds them.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kdb.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/smp.h>
#include <sys/sysctl.h>
#include <vm/uma.h>

#include "kern_internal.h"

MALLOC_DEFINE(M_CACHE, "cache", "Various Dynamically allocated caches");
MALLOC_DEFINE(M_DEVBUF, "devbuf", "device driver memory");
MALLOC_DEFINE(M_TEMP, "temp", "misc temporary data buffers");
MALLOC_DEFINE(M_IOV, "iov", "large iov's");

#define	SLAB_MAGIC	0x51ab51ab
#define	LARGE_MAGIC	0x1a46e1a4
#define	UMA_JUNK	0xdeadc0de
#define	ITEM_USED	0xa110c8ed
#define	ITEM_FREE	0xf4ee0000
#define	REDZONE		16
#define	REDZONE_BYTE	0x42

struct slab {
	uint32_t	 s_magic;
	uint32_t	 s_items;
	struct uma_zone	*s_zone;
	u_long		 s_chunks;	/* of a large allocation */
	size_t		 s_size;
	struct malloc_type *s_type;
	char		*s_first;
} __aligned(CACHE_LINE_SIZE);

#ifdef INVARIANTS
/* Just below the item. */
struct item {
	uint32_t	 i_state;
	uint32_t	 i_size;	/* as asked for */
	void		*i_owner;	/* malloc type of the last user */
};
#define	ITEM(p)		((struct item *)(p) - 1)
#endif

/*
 * CPUs that run at once keep freed items of their own and trade them by the
 * magazine, as uma(9) does.  INVARIANTS wants items to wait their turn instead.
 */
#ifndef INVARIANTS
#define	ZONE_CACHES
#define	MAGAZINE	64
struct zone_cache {
	char		*c_items;	/* those in use now, c_n of them */
	char		*c_full;	/* and a magazine, or NULL */
	u_long		 c_n;
	u_long		 c_requests;
} __aligned(CACHE_LINE_SIZE);
#endif

struct uma_zone {
	const char	*z_name;
	size_t		 z_size;
	size_t		 z_stride;
	size_t		 z_head;	/* bytes before the item */
	uma_ctor	 z_ctor;
	uma_dtor	 z_dtor;
	uma_init	 z_init;
	uma_fini	 z_fini;
	uint32_t	 z_flags;
	volatile u_int	 z_lock;
	char		*z_free, *z_free_last;
	u_long		 z_nfree;
	u_long		 z_keep;	/* freed items that wait before they are used again */
	char		*z_bump, *z_bump_end;	/* rest of the newest slab */
	u_long		 z_inuse;
	u_long		 z_total;
	u_long		 z_requests;
	u_long		 z_fails;
	u_long		 z_max;
	bool		 z_sleepers;
	struct uma_zone	*z_next;
#ifdef ZONE_CACHES
	char		*z_full;	/* magazines that no CPU has */
	struct zone_cache z_cache[MAXCPU];
#endif
};
static struct uma_zone *zones;
static struct uma_zone zone_store[256];
static u_int nzones;

static const size_t kmem_sizes[] = {
	16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144,
	8192, 12288, 16384
};
#define	KMEM_MAX	16384
static struct uma_zone *kmem_zones[nitems(kmem_sizes)];
static uint8_t kmem_class[KMEM_MAX / 16 + 1];
static char kmem_names[nitems(kmem_sizes)][16];

static u_long fail_every;		/* tests: every n-th M_NOWAIT allocation fails */
static u_long fail_count;
SYSCTL_ULONG(_kern_dnh, OID_AUTO, malloc_fail_every, CTLFLAG_RW, &fail_every, 0,
    "Every n-th M_NOWAIT allocation fails (0: none)");

static int
sysctl_maxrss(SYSCTL_HANDLER_ARGS)
{
	uint64_t kb = host_maxrss_kb();

	return (sysctl_handle_64(oidp, &kb, 0, req));
}
SYSCTL_PROC(_kern_dnh, OID_AUTO, maxrss_kb, CTLTYPE_U64 | CTLFLAG_RD | CTLFLAG_MPSAFE, NULL, 0,
    sysctl_maxrss, "QU", "Most memory that the guest's process has had at once");

SYSCTL_NODE(_vm, OID_AUTO, redzone, CTLFLAG_RW, 0, "Redzone data");
static int redzone_panic = 1;
SYSCTL_INT(_vm_redzone, OID_AUTO, panic, CTLFLAG_RWTUN, &redzone_panic, 0,
    "Panic when buffer corruption is detected");

static inline void
zone_lock(struct uma_zone *z)
{
	if (DNH_PLAIN)
		return;
	while (__atomic_exchange_n(&z->z_lock, 1, __ATOMIC_ACQUIRE) != 0)
		host_thread_relax();
}

static inline void
zone_unlock(struct uma_zone *z)
{
	if (!DNH_PLAIN)
		__atomic_store_n(&z->z_lock, 0, __ATOMIC_RELEASE);
}

static size_t
align_of(size_t size)
{
	size_t align = size & -size;

	return (MIN(MAX(align, 16), CACHE_LINE_SIZE));
}

static struct uma_zone *
zone_create(const char *name, size_t size, size_t align, uint32_t flags)
{
	struct uma_zone *z;

	host_lock();
	if (nzones == nitems(zone_store))
		panic("%s: too many zones", __func__);
	z = &zone_store[nzones++];
	host_unlock();
	z->z_name = name;
	z->z_size = size;
	z->z_flags = flags;
	align = MAX(align, sizeof(void *));
#ifdef INVARIANTS
	align = MAX(align, 16);
	z->z_head = align;
	z->z_stride = roundup2(z->z_head + size + REDZONE, align);
	/* A few hundred kB in all the zones that are much used. */
	z->z_keep = MAX(16, MIN(512, 262144 / z->z_stride));
#else
	z->z_stride = roundup2(MAX(size, sizeof(char *)), align);
#endif
	host_lock();
	z->z_next = zones;
	zones = z;
	host_unlock();
	return (z);
}

/* A new item that was never used, or NULL. */
static char *
zone_carve(struct uma_zone *z)
{
	struct slab *s;
	char *p;
	u_long chunks;

	if (z->z_bump == NULL || z->z_bump + z->z_stride > z->z_bump_end) {
		chunks = howmany(sizeof(*s) + z->z_stride, HOST_CHUNK);
		host_lock();
		s = host_chunks(chunks);
		host_unlock();
		if (s == NULL)
			return (NULL);
		s->s_magic = SLAB_MAGIC;
		s->s_zone = z;
		s->s_chunks = chunks;
		s->s_first = (char *)(s + 1);
		z->z_bump = s->s_first;
		z->z_bump_end = (char *)s + chunks * HOST_CHUNK;
		/* Of the parts that are nobody's, nobody has any business. */
		host_poison(z->z_bump, (u_long)(z->z_bump_end - z->z_bump));
	}
	p = z->z_bump;
	z->z_bump += z->z_stride;
	z->z_total++;
	return (p + z->z_head);
}

static struct slab *
slab_of(const void *p)
{
	return ((struct slab *)((uintptr_t)p & ~(HOST_CHUNK - 1)));
}

#ifdef INVARIANTS
static __nosanitizeaddress void
item_check_junk(struct uma_zone *z, char *p)
{
	const uint32_t *w = (const uint32_t *)(void *)p;
	struct malloc_type *type = ITEM(p)->i_owner;
	size_t i, n = z->z_size / sizeof(*w);

	if (ITEM(p)->i_state != ITEM_FREE)
		panic("zone %s: item %p on the free list is not free (%#x)", z->z_name, p,
		    ITEM(p)->i_state);
	for (i = (z->z_flags & UMA_ZONE_NOTOUCH) != 0 ? n : 0; i < n; i++)
		if (w[i] != UMA_JUNK) {
			if (type != NULL)
				panic("Memory modified after free %p (%d, %s, %s) + %d = %lx\n", p,
				    (int)z->z_size, z->z_name, type->ks_shortdesc,
				    (int)(i * sizeof(*w)), (u_long)w[i]);
			panic("Memory modified after free %p (%d, %s) + %d = %lx\n", p,
			    (int)z->z_size, z->z_name, (int)(i * sizeof(*w)), (u_long)w[i]);
		}
}

static __nosanitizeaddress void
item_set_used(struct uma_zone *z, char *p, size_t size, void *owner)
{
	size_t i;

	ITEM(p)->i_state = ITEM_USED;
	ITEM(p)->i_size = (uint32_t)size;
	ITEM(p)->i_owner = owner;
	for (i = 0; i < REDZONE; i++)
		((volatile char *)p)[size + i] = REDZONE_BYTE;
}

static __nosanitizeaddress void
item_check_used(struct uma_zone *z, char *p)
{
	struct slab *s = slab_of(p);
	u_long off = (u_long)(p - z->z_head - s->s_first);
	size_t size = ITEM(p)->i_size, i, bad;

	if (off % z->z_stride != 0)
		panic("Unaligned free of %p from zone %p(%s) slab %p(%d)", p, z, z->z_name, s,
		    (int)(off / z->z_stride));
	if (ITEM(p)->i_state == ITEM_FREE)
		panic("Duplicate free of %p from zone %p(%s) slab %p(%d)", p, z, z->z_name, s,
		    (int)(off / z->z_stride));
	if (ITEM(p)->i_state != ITEM_USED)
		panic("Item %p of zone %p(%s) slab %p(%d): header overwritten (%#x), by an underflow "
		    "of it or an overflow of its neighbour", p, z, z->z_name, s,
		    (int)(off / z->z_stride), ITEM(p)->i_state);
	for (i = bad = 0; i < REDZONE; i++)
		if (((volatile char *)p)[size + i] != REDZONE_BYTE)
			bad++;
	if (bad != 0) {
		printf("REDZONE: Buffer overflow detected. %zu byte%s corrupted after %p "
		    "(%zu bytes allocated).\n", bad, bad == 1 ? "" : "s", p + size, size);
		kdb_backtrace();
		if (redzone_panic)
			panic("Stopping here.");
	}
}

static __nosanitizeaddress struct malloc_type *
item_owner(const void *p)
{
	return (((const struct item *)p - 1)->i_owner);
}

static __nosanitizeaddress size_t
item_size(const void *p)
{
	return (((const struct item *)p - 1)->i_size);
}

static __nosanitizeaddress void
item_junk(struct uma_zone *z, char *p)
{
	size_t i;

	ITEM(p)->i_state = ITEM_FREE;
	host_unpoison(p, z->z_size + REDZONE);
	for (i = 0; i < z->z_size / sizeof(uint32_t); i++)
		((uint32_t *)(void *)p)[i] = UMA_JUNK;
	host_poison(p, z->z_size + REDZONE);
}
#endif

/* Where a freed item keeps its link: all that was its user's is junk, so in the red zone. */
static char **
link_of(struct uma_zone *z, char *p)
{
#ifdef INVARIANTS
	p += roundup2(z->z_size, sizeof(char *));
#endif
	return ((char **)(void *)p);
}

static __nosanitizeaddress char *
free_next(struct uma_zone *z, char *p)
{
	return (*link_of(z, p));
}

static __nosanitizeaddress void
free_link(struct uma_zone *z, char *p, char *next)
{
	*link_of(z, p) = next;
}

#ifdef ZONE_CACHES
/* A magazine is known by its first item, whose second word leads to the next one. */
#define	MAGAZINE_NEXT(p)	(((char **)(void *)(p))[1])

static __noinline char *
magazine_get(struct uma_zone *z)
{
	char *items = NULL, *p;
	u_int n;

	zone_lock(z);
	if ((items = z->z_full) != NULL)
		z->z_full = MAGAZINE_NEXT(items);
	else
		for (n = 0; n < MAGAZINE; n++) {
			if ((p = z->z_free) != NULL) {
				z->z_free = free_next(z, p);
				z->z_nfree--;
			} else if ((p = zone_carve(z)) == NULL) {
				/* Not enough for one: the few go back. */
				while ((p = items) != NULL) {
					items = free_next(z, p);
					free_link(z, p, z->z_free);
					z->z_free = p;
					z->z_nfree++;
				}
				z->z_fails++;
				break;
			}
			host_unpoison(p, 2 * sizeof(char *));
			free_link(z, p, items);
			items = p;
		}
	if (items != NULL)
		z->z_inuse += MAGAZINE;
	zone_unlock(z);
	return (items);
}

static __noinline void
magazine_put(struct uma_zone *z, char *items)
{
	zone_lock(z);
	MAGAZINE_NEXT(items) = z->z_full;
	z->z_full = items;
	z->z_inuse -= MAGAZINE;
	zone_unlock(z);
}
#endif

/* Items that are somebody's. */
static u_long
zone_inuse(const struct uma_zone *z)
{
	u_long n = z->z_inuse;
#ifdef ZONE_CACHES
	u_int i;

	for (i = 0; i < MAXCPU; i++)
		n -= z->z_cache[i].c_n + (z->z_cache[i].c_full != NULL ? MAGAZINE : 0);
#endif
	return (n);
}

static u_long
zone_requests(const struct uma_zone *z)
{
	u_long n = z->z_requests;
#ifdef ZONE_CACHES
	u_int i;

	for (i = 0; i < MAXCPU; i++)
		n += z->z_cache[i].c_requests;
#endif
	return (n);
}

static inline void *
zone_alloc(struct uma_zone *z, size_t size, void *owner)
{
	char *p;

#ifdef ZONE_CACHES
	struct zone_cache *c = &z->z_cache[curcpu];

	/* A limit is to the item. */
	if (!DNH_PLAIN && z->z_max == 0) {
		if (c->c_n == 0) {
			if ((p = c->c_full) != NULL)
				c->c_full = NULL;
			else if ((p = magazine_get(z)) == NULL)
				return (NULL);
			c->c_items = p;
			c->c_n = MAGAZINE;
		}
		p = c->c_items;
		host_unpoison(p, z->z_size);
		c->c_items = free_next(z, p);
		c->c_n--;
		c->c_requests++;
		return (p);
	}
#endif
	zone_lock(z);
	if (z->z_max != 0 && z->z_inuse >= z->z_max) {
		z->z_fails++;
		zone_unlock(z);
		return (NULL);
	}
	/* A freed item waits its turn while there is room for new ones. */
	if (z->z_nfree > z->z_keep || (z->z_free != NULL && z->z_keep == 0)) {
		p = z->z_free;
		z->z_free = free_next(z, p);
		z->z_nfree--;
#ifdef INVARIANTS
		item_check_junk(z, p);
#endif
	} else if ((p = zone_carve(z)) == NULL) {
		z->z_fails++;
		zone_unlock(z);
		return (NULL);
	}
	z->z_inuse++;
	z->z_requests++;
	zone_unlock(z);
#ifdef INVARIANTS
	item_set_used(z, p, size, owner);
	host_unpoison(p, size);
#else
	host_unpoison(p, z->z_size);
#endif
	return (p);
}

static inline void
zone_free(struct uma_zone *z, void *p)
{
#ifdef INVARIANTS
	item_check_used(z, p);
	item_junk(z, p);
#else
	struct zone_cache *c = &z->z_cache[curcpu];

	if (!DNH_PLAIN && z->z_max == 0) {
		if (c->c_n == MAGAZINE) {
			if (c->c_full != NULL)
				magazine_put(z, c->c_full);
			c->c_full = c->c_items;
			c->c_items = NULL;
			c->c_n = 0;
		}
		free_link(z, p, c->c_items);
		c->c_items = p;
		c->c_n++;
		host_poison((char *)p + 2 * sizeof(char *), z->z_size - MIN(z->z_size, 2 * sizeof(char *)));
		return;
	}
	host_poison(p, z->z_size);
#endif
	zone_lock(z);
#ifdef INVARIANTS
	/* The oldest first. */
	free_link(z, p, NULL);
	if (z->z_free == NULL)
		z->z_free = p;
	else
		free_link(z, z->z_free_last, p);
	z->z_free_last = p;
#else
	free_link(z, p, z->z_free);
	z->z_free = p;
#endif
	z->z_nfree++;
	z->z_inuse--;
	zone_unlock(z);
	if (z->z_sleepers)
		wakeup(&z->z_sleepers);
}

/*
 * uma(9).
 */
uma_zone_t
uma_zcreate(const char *name, size_t size, uma_ctor ctor, uma_dtor dtor, uma_init uminit,
    uma_fini fini, int align, uint32_t flags)
{
	struct uma_zone *z;

	if ((flags & UMA_ZONE_PCPU) != 0) {
		KASSERT(size <= ZPCPU_STRIDE, ("%s: pcpu items of %zu bytes", __func__, size));
		size = (size_t)mp_ncpus * ZPCPU_STRIDE;
		align = UMA_ALIGN_CACHE;
	}
	z = zone_create(name, size, (size_t)align + 1, flags);
	z->z_ctor = ctor;
	z->z_dtor = dtor;
	z->z_init = uminit;
	z->z_fini = fini;
	return (z);
}

void
uma_zdestroy(uma_zone_t z)
{
	struct uma_zone **zp;

	if (zone_inuse(z) != 0)
		printf("Freed UMA keg (%s) was not empty (%lu items).  Lost %lu pages of memory.\n",
		    z->z_name, zone_inuse(z), howmany(zone_inuse(z) * z->z_stride, PAGE_SIZE));
	host_lock();
	for (zp = &zones; *zp != z; zp = &(*zp)->z_next)
		;
	*zp = z->z_next;
	host_unlock();
}

static void
wait_checks(int flags, const char *what)
{
#ifdef INVARIANTS
	struct thread *td = curthread;

	KASSERT((flags & (M_WAITOK | M_NOWAIT)) != 0,
	    ("%s: flags must include either M_WAITOK or M_NOWAIT", what));
	KASSERT((flags & (M_WAITOK | M_NOWAIT)) != (M_WAITOK | M_NOWAIT),
	    ("%s: flags may not include both M_WAITOK and M_NOWAIT", what));
	if ((flags & M_WAITOK) != 0 && !cold) {
		KASSERT(td->td_epochnest == 0 || strcmp(what, "malloc") != 0,
		    ("malloc(M_WAITOK) with sleeping prohibited"));
		KASSERT(td->td_epochnest == 0, ("%s(M_WAITOK) with sleeping prohibited", what));
		KASSERT(THREAD_CAN_SLEEP(), ("%s(M_WAITOK) with sleeping prohibited", what));
	}
	KASSERT(td->td_critnest == 0 || SCHEDULER_STOPPED(),
	    ("%s: called with spinlock or critical section held", what));
#endif
}

static bool
fails_by_order(int flags)
{
	if (__predict_true(fail_every == 0) || (flags & M_WAITOK) != 0)
		return (false);
	return (__atomic_add_fetch(&fail_count, 1, __ATOMIC_RELAXED) % fail_every == 0);
}

void *
uma_zalloc_arg(uma_zone_t z, void *arg, int flags)
{
	void *p;

	wait_checks(flags, "uma_zalloc");
	if ((flags & M_WAITOK) != 0)
		WITNESS_WARN(WARN_GIANTOK | WARN_SLEEPOK, NULL, "uma_zalloc_debug: zone \"%s\"",
		    z->z_name);
	kern_preempt_point();
	if (fails_by_order(flags))
		return (NULL);
	while ((p = zone_alloc(z, z->z_size, NULL)) == NULL) {
		if ((flags & M_WAITOK) == 0)
			return (NULL);
		z->z_sleepers = true;
		tsleep(&z->z_sleepers, 0, "zonelimit", 1);
	}
	if (z->z_init != NULL && z->z_init(p, (int)z->z_size, flags) != 0)
		goto fail;
	if ((flags & M_ZERO) != 0 || (z->z_flags & UMA_ZONE_ZINIT) != 0)
		memset(p, 0, z->z_size);
	if (z->z_ctor != NULL && z->z_ctor(p, (int)z->z_size, arg, flags) != 0)
		goto fail;
	return (p);
fail:
	zone_free(z, p);
	return (NULL);
}

void
uma_zfree_arg(uma_zone_t z, void *p, void *arg)
{
	if (p == NULL)
		return;
	KASSERT(curthread->td_critnest == 0 || SCHEDULER_STOPPED(),
	    ("uma_zfree_arg: called with spinlock or critical section held"));
#ifdef INVARIANTS
	if (slab_of(p)->s_zone != z)
		panic("uma_zfree: item %p is of zone %s, not of %s", p,
		    slab_of(p)->s_magic == SLAB_MAGIC ? slab_of(p)->s_zone->z_name : "(none)",
		    z->z_name);
	item_check_used(z, p);
#endif
	if (z->z_dtor != NULL)
		z->z_dtor(p, (int)z->z_size, arg);
	if (z->z_fini != NULL)
		z->z_fini(p, (int)z->z_size);
	zone_free(z, p);
	kern_preempt_point();
}

void *
uma_zalloc_pcpu_arg(uma_zone_t z, void *arg, int flags)
{
	return (uma_zalloc_arg(z, arg, flags));
}

void
uma_zfree_pcpu_arg(uma_zone_t z, void *item, void *arg)
{
	uma_zfree_arg(z, item, arg);
}

int
uma_zone_set_max(uma_zone_t z, int n)
{
	z->z_max = (u_long)n;
	return (n);
}

int
uma_zone_get_max(uma_zone_t z)
{
	return ((int)z->z_max);
}

int
uma_zone_get_cur(uma_zone_t z)
{
	return ((int)zone_inuse(z));
}

int
uma_zone_exhausted(uma_zone_t z)
{
	return (z->z_max != 0 && z->z_inuse >= z->z_max);
}

void
uma_zone_set_maxcache(uma_zone_t z, int n)
{
}

void
uma_zone_set_warning(uma_zone_t z, const char *warning)
{
}

void
uma_zone_set_maxaction(uma_zone_t z, void (*action)(uma_zone_t, int))
{
}

void
uma_zone_reclaim(uma_zone_t z, int req)
{
}

void
uma_prealloc(uma_zone_t z, int items)
{
}

/* For the statistics of others: in use, in the cache, failures. */
void
uma_zone_counts(uma_zone_t z, uint64_t *inuse, uint64_t *cached, uint64_t *fails)
{
	*inuse = zone_inuse(z);
	*cached = z->z_total - *inuse;
	*fails = z->z_fails;
}

/* Panics when an item is freed already, before anybody looks into it. */
void
uma_check_used(uma_zone_t z, void *p)
{
#ifdef INVARIANTS
	item_check_used(z, p);
#endif
}

__nosanitizeaddress int
uma_item_is_free(const void *p)
{
#ifdef INVARIANTS
	return (((const struct item *)p - 1)->i_state == ITEM_FREE);
#else
	return (0);
#endif
}

/*
 * malloc(9).
 */
static LIST_HEAD(, malloc_type) malloc_types = LIST_HEAD_INITIALIZER(malloc_types);

void
kmeminit(void)
{
	size_t size;
	u_int i, class = 0;

	for (i = 0; i < nitems(kmem_sizes); i++) {
		snprintf(kmem_names[i], sizeof(kmem_names[i]), "malloc-%zu", kmem_sizes[i]);
		kmem_zones[i] = zone_create(kmem_names[i], kmem_sizes[i], align_of(kmem_sizes[i]), 0);
	}
	for (size = 0; size <= KMEM_MAX; size += 16) {
		while (kmem_sizes[class] < size)
			class++;
		kmem_class[size / 16] = (uint8_t)class;
	}
}

void
malloc_init(void *data)
{
	struct malloc_type *type = data;

	host_lock();
	if (type->ks_next.le_prev == NULL)
		LIST_INSERT_HEAD(&malloc_types, type, ks_next);
	host_unlock();
}

void
malloc_uninit(void *data)
{
	struct malloc_type *type = data;
	struct malloc_type_stats s;
	u_int i;

	host_lock();
	if (type->ks_next.le_prev != NULL) {
		LIST_REMOVE(type, ks_next);
		type->ks_next.le_prev = NULL;
	}
	host_unlock();
	s = malloc_type_sum(type);
	if (s.mts_inuse != 0)
		printf("Warning: memory type %s leaked memory on destroy "
		    "(%ld allocations, %ld bytes leaked).\n", type->ks_shortdesc,
		    (long)s.mts_inuse, (long)s.mts_memuse);
	/* Said once; the memory is lost, and the next load begins anew. */
	for (i = 0; i < MAXCPU; i++)
		type->ks_cpu[i].mts_inuse = type->ks_cpu[i].mts_memuse = 0;
}

struct malloc_type_stats
malloc_type_sum(const struct malloc_type *type)
{
	struct malloc_type_stats sum = { 0, 0, 0 };
	const struct malloc_type_stats *s;
	u_int i;

	for (i = 0; i < MAXCPU; i++) {
		s = &type->ks_cpu[i];
		sum.mts_memuse += atomic_load_64(&s->mts_memuse);
		sum.mts_inuse += atomic_load_64(&s->mts_inuse);
		sum.mts_requests += atomic_load_64(&s->mts_requests);
	}
	return (sum);
}

static inline void
type_add(struct malloc_type *type, size_t size)
{
	struct malloc_type_stats *s = &type->ks_cpu[curcpu];

	DNH_ADD(&s->mts_memuse, size);
	DNH_ADD(&s->mts_inuse, 1);
	DNH_ADD(&s->mts_requests, 1);
}

static inline void
type_sub(struct malloc_type *type, size_t size)
{
	struct malloc_type_stats *s = &type->ks_cpu[curcpu];

	DNH_ADD(&s->mts_memuse, -size);
	DNH_ADD(&s->mts_inuse, -1);
}

static void *
malloc_large(size_t size, struct malloc_type *type)
{
	struct slab *s;
	u_long chunks = howmany(sizeof(*s) + size + REDZONE, HOST_CHUNK);

	host_lock();
	s = host_chunks(chunks);
	host_unlock();
	if (s == NULL)
		return (NULL);
	s->s_magic = LARGE_MAGIC;
	s->s_chunks = chunks;
	s->s_size = size;
	s->s_type = type;
	s->s_first = (char *)(s + 1);
	host_poison(s->s_first + size, chunks * HOST_CHUNK - sizeof(*s) - size);
	return (s->s_first);
}

void *
malloc(size_t size, struct malloc_type *type, int flags)
{
	struct uma_zone *z;
	size_t asked = size;
	void *p;

	wait_checks(flags, "malloc");
	KASSERT(type->ks_version == M_VERSION, ("malloc: bad malloc type version"));
	if ((flags & M_WAITOK) != 0 && !cold)
		WITNESS_WARN(WARN_GIANTOK | WARN_SLEEPOK, NULL, "malloc(M_WAITOK) of \"%s\"",
		    type->ks_shortdesc);
	kern_preempt_point();
	if (size == 0)
		size = 1;
	if (fails_by_order(flags))
		return (NULL);
	if (size <= KMEM_MAX) {
		z = kmem_zones[kmem_class[howmany(size, 16)]];
		p = zone_alloc(z, size, type);
		size = z->z_size;
	} else
		p = malloc_large(size, type);
	if (p == NULL) {
		if ((flags & M_WAITOK) != 0)
			panic("kmem_malloc(%zu): kmem_map too small", size);
		return (NULL);
	}
	type_add(type, size);
	if ((flags & M_ZERO) != 0)
		memset(p, 0, MAX(asked, 1));
	return (p);
}

void *
malloc_aligned(size_t size, size_t align, struct malloc_type *type, int flags)
{
	KASSERT(align != 0 && powerof2(align), ("malloc_aligned: wrong align %#zx", align));
	/* Classes of 64 bytes and more, and large ones, begin on cache lines. */
	if (align > CACHE_LINE_SIZE)
		panic("malloc_aligned: align %#zx too large", align);
	if (size <= KMEM_MAX)
		size = MAX(size, align);
	if (size <= KMEM_MAX && align_of(kmem_sizes[kmem_class[howmany(size, 16)]]) < align)
		size = roundup2(size, CACHE_LINE_SIZE * 4);
	return (malloc(size, type, flags));
}

void *
mallocarray(size_t nmemb, size_t size, struct malloc_type *type, int flags)
{
	if (WOULD_OVERFLOW(nmemb, size))
		panic("mallocarray: %zu * %zu overflowed", nmemb, size);
	return (malloc(nmemb * size, type, flags));
}

static struct slab *
slab_checked(const void *p, const char *func)
{
	struct slab *s = slab_of(p);
	u_long magic;

#ifdef INVARIANTS
	/* Any address may come here: it is not looked at before it is known to be there. */
	if (host_peek((u_long)s, &magic) != 0)
		panic("%s(%d): address %p(%p) has not been allocated", func, __LINE__, p, s);
#else
	(void)magic;
#endif
	if (s->s_magic != SLAB_MAGIC && s->s_magic != LARGE_MAGIC)
		panic("%s(%d): address %p(%p) has not been allocated", func, __LINE__, p, s);
	return (s);
}

static inline struct slab *
slab_fast(const void *p, const char *func)
{
	struct slab *s = slab_of(p);

	/* What malloc() gave is in the arena; the rest is looked at with care. */
	if (__predict_false(!host_in_arena(p)))
		return (slab_checked(p, func));
	if (__predict_false(s->s_magic != SLAB_MAGIC && s->s_magic != LARGE_MAGIC))
		panic("%s(%d): address %p(%p) has not been allocated", func, __LINE__, p, s);
	return (s);
}

void
free(void *addr, struct malloc_type *type)
{
	struct slab *s;
	size_t size;

	if (addr == NULL)
		return;
	KASSERT(type->ks_version == M_VERSION, ("free: bad malloc type version"));
	KASSERT(curthread->td_critnest == 0 || SCHEDULER_STOPPED(),
	    ("free: called with spinlock or critical section held"));
	s = slab_fast(addr, "free");
	if (s->s_magic == LARGE_MAGIC) {
		size = s->s_size;
#ifdef INVARIANTS
		if (s->s_type != type)
			panic("free: %p is of type %s, not of %s", addr, s->s_type->ks_shortdesc,
			    type->ks_shortdesc);
#endif
		type_sub(type, size);
		host_lock();
		host_unpoison(s, s->s_chunks * HOST_CHUNK);
		host_chunks_free(s, s->s_chunks);
		host_unlock();
		kern_preempt_point();
		return;
	}
#ifdef INVARIANTS
	item_check_used(s->s_zone, addr);
	if (item_owner(addr) != type)
		panic("free: %p is of type %s, not of %s", addr,
		    item_owner(addr) == NULL ? s->s_zone->z_name : item_owner(addr)->ks_shortdesc,
		    type->ks_shortdesc);
#endif
	type_sub(type, s->s_zone->z_size);
	zone_free(s->s_zone, addr);
	kern_preempt_point();
}

void
zfree(void *addr, struct malloc_type *type)
{
	if (addr != NULL)
		memset(addr, 0, malloc_usable_size(addr));
	free(addr, type);
}

size_t
malloc_usable_size(const void *addr)
{
	struct slab *s;

	if (addr == NULL)
		return (0);
	s = slab_fast(addr, "malloc_usable_size");
	if (s->s_magic == LARGE_MAGIC)
		return (s->s_size);
#ifdef INVARIANTS
	return (item_size(addr));
#else
	return (s->s_zone->z_size);
#endif
}

void *
realloc(void *addr, size_t size, struct malloc_type *type, int flags)
{
	void *new;
	size_t old;

	if (addr == NULL)
		return (malloc(size, type, flags));
	old = malloc_usable_size(addr);
	new = malloc(size, type, flags);
	if (new == NULL)
		return (NULL);
	memcpy(new, addr, MIN(old, size));
	free(addr, type);
	return (new);
}

void *
reallocf(void *addr, size_t size, struct malloc_type *type, int flags)
{
	void *new = realloc(addr, size, type, flags);

	if (new == NULL)
		free(addr, type);
	return (new);
}

void *
contigmalloc(unsigned long size, struct malloc_type *type, int flags, vm_paddr_t low,
    vm_paddr_t high, unsigned long alignment, vm_paddr_t boundary)
{
	return (malloc(size, type, flags));
}

void
contigfree(void *addr, unsigned long size, struct malloc_type *type)
{
	free(addr, type);
}

/*
 * What is in use: for vmstat -m and -z, and the account at the end.
 */
void
malloc_mark_boot(void)
{
	struct malloc_type *type;

	LIST_FOREACH(type, &malloc_types, ks_next)
		type->ks_baseline = malloc_type_sum(type).mts_inuse;
}

/* Kept by the machinery of processes and programs, which a power off ends midway. */
static bool
expected(const struct malloc_type *type)
{
	static const char * const names[] = {
		"proc", "thread", "cred", "userland", "temp", "kenv", "sysctloid", "memfs", "prison"
	};
	u_int i;

	for (i = 0; i < nitems(names); i++)
		if (strcmp(names[i], type->ks_shortdesc) == 0)
			return (true);
	return (false);
}

u_int
malloc_report_leaks(void)
{
	struct malloc_type *type;
	u_int n = 0;

	LIST_FOREACH(type, &malloc_types, ks_next) {
		const struct malloc_type_stats s = malloc_type_sum(type);

		if (s.mts_inuse <= type->ks_baseline || expected(type))
			continue;
		printf("Warning: memory type %s leaked memory on destroy "
		    "(%ld allocations, %ld bytes leaked).\n", type->ks_shortdesc,
		    (long)(s.mts_inuse - type->ks_baseline), (long)s.mts_memuse);
		n++;
	}
	return (n);
}

static int
type_cmp(const void *a, const void *b)
{
	return (strcmp((*(struct malloc_type * const *)a)->ks_shortdesc,
	    (*(struct malloc_type * const *)b)->ks_shortdesc));
}

/* Calls f for each type, by name. */
void
malloc_type_each(void (*f)(const struct malloc_type *, void *), void *arg)
{
	static struct malloc_type *sorted[512];
	struct malloc_type *type;
	u_int i, n = 0;

	LIST_FOREACH(type, &malloc_types, ks_next)
		if (n < nitems(sorted))
			sorted[n++] = type;
	qsort(sorted, n, sizeof(sorted[0]), type_cmp);
	for (i = 0; i < n; i++)
		f(sorted[i], arg);
}

void
uma_zone_each(void (*f)(const char *name, size_t size, u_long max, u_long used, u_long cached,
    u_long req, u_long fails, void *arg), void *arg)
{
	struct uma_zone *z;

	for (z = zones; z != NULL; z = z->z_next)
		f(z->z_name, z->z_size, z->z_max, zone_inuse(z), z->z_total - zone_inuse(z),
		    zone_requests(z), z->z_fails, arg);
}
