/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_MALLOC_H_
#define	_SYS_MALLOC_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/param.h>
#include <sys/queue.h>
#include <sys/kernel.h>

#define	M_NOWAIT	0x0001
#define	M_WAITOK	0x0002
#define	M_NORECLAIM	0x0080
#define	M_ZERO		0x0100
#define	M_NOVM		0x0200
#define	M_USE_RESERVE	0x0400
#define	M_NODUMP	0x0800
#define	M_FIRSTFIT	0x1000
#define	M_BESTFIT	0x2000
#define	M_EXEC		0x4000
#define	M_NEXTFIT	0x8000
#define	M_NEVERFREED	0x10000
#define	M_VERSION	2020110501

struct malloc_type_stats {
	uint64_t	 mts_memuse;	/* bytes in use */
	uint64_t	 mts_inuse;	/* allocations in use */
	uint64_t	 mts_requests;	/* since boot */
} __aligned(CACHE_LINE_SIZE);

struct malloc_type {
	LIST_ENTRY(malloc_type) ks_next;
	u_long		 ks_version;
	const char	*ks_shortdesc;
	const char	*ks_longdesc;
	uint64_t	 ks_size;	/* bit mask of size classes */
	uint64_t	 ks_baseline;	/* in use when start-up was over */
	const char	*ks_file;
	/* What one CPU took may be another's to give back: only the sum says something. */
	struct malloc_type_stats ks_cpu[MAXCPU];
};

struct malloc_type_stats malloc_type_sum(const struct malloc_type *);
void	malloc_init(void *);
void	malloc_uninit(void *);
#define	MALLOC_DEFINE(type, shortdesc, longdesc)			\
	struct malloc_type type[1] = {{					\
		.ks_version = M_VERSION, .ks_shortdesc = shortdesc,	\
		.ks_longdesc = longdesc, .ks_file = __FILE__		\
	}};								\
	SYSINIT(type##_init, SI_SUB_KMEM, SI_ORDER_THIRD, malloc_init, type); \
	SYSUNINIT(type##_uninit, SI_SUB_KMEM, SI_ORDER_ANY, malloc_uninit, type)
#define	MALLOC_DECLARE(type)	extern struct malloc_type type[1]

MALLOC_DECLARE(M_CACHE);
MALLOC_DECLARE(M_DEVBUF);
MALLOC_DECLARE(M_TEMP);
MALLOC_DECLARE(M_IOV);

void	*malloc(size_t size, struct malloc_type *type, int flags);
void	*mallocarray(size_t nmemb, size_t size, struct malloc_type *type, int flags);
void	*realloc(void *addr, size_t size, struct malloc_type *type, int flags);
void	*reallocf(void *addr, size_t size, struct malloc_type *type, int flags);
void	free(void *addr, struct malloc_type *type);
void	zfree(void *addr, struct malloc_type *type);
void	*malloc_aligned(size_t size, size_t align, struct malloc_type *type, int flags);
void	*contigmalloc(unsigned long size, struct malloc_type *type, int flags, vm_paddr_t low,
	    vm_paddr_t high, unsigned long alignment, vm_paddr_t boundary);
void	contigfree(void *addr, unsigned long size, struct malloc_type *type);
size_t	malloc_usable_size(const void *addr);
#define	malloc_domainset(s, t, d, f)	malloc((s), (t), (f))
#define	WOULD_OVERFLOW(n, s)	((s) != 0 && (n) > SIZE_MAX / (s))
/* What is in use beyond that of the end of start-up; called at power off. */
u_int	malloc_report_leaks(void);

#endif /* !_SYS_MALLOC_H_ */
