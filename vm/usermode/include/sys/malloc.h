/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_MALLOC_H_
#define	_SYS_MALLOC_H_

#include <sys/types.h>
#include <sys/kernel.h>

#define	M_NOWAIT	0x0001
#define	M_WAITOK	0x0002
#define	M_NORECLAIM	0x0080
#define	M_ZERO		0x0100
#define	M_NOVM		0x0200
#define	M_USE_RESERVE	0x0400
#define	M_NODUMP	0x0800

struct malloc_type {
	const char	*ks_shortdesc;
	const char	*ks_longdesc;
	volatile uint64_t ks_inuse;	/* allocations */
	volatile uint64_t ks_memuse;	/* bytes */
	volatile uint64_t ks_requests;
	uint64_t	ks_boot;	/* in use when the boot was done */
};
#define	MALLOC_DEFINE(type, shortdesc, longdesc)			\
	struct malloc_type type[1] = {					\
		{ shortdesc, longdesc, 0, 0, 0, 0 }			\
	};								\
	__MAKE_SET(malloc_types, type[0].ks_boot_##type)
#undef MALLOC_DEFINE
#define	MALLOC_DEFINE(type, shortdesc, longdesc)			\
	struct malloc_type type[1] = {					\
		{ shortdesc, longdesc, 0, 0, 0, 0 }			\
	};								\
	static void const *const __set_malloc_types_##type		\
	    __section("set_malloc_types") __used = (const void *)type
#define	MALLOC_DECLARE(type)	extern struct malloc_type type[1]

MALLOC_DECLARE(M_TEMP);
MALLOC_DECLARE(M_DEVBUF);
MALLOC_DECLARE(M_CACHE);

void	*malloc(size_t, struct malloc_type *, int) __malloc_like;
void	free(void *, struct malloc_type *);
void	zfree(void *, struct malloc_type *);
void	*realloc(void *, size_t, struct malloc_type *, int);
void	*reallocf(void *, size_t, struct malloc_type *, int);
void	*mallocarray(size_t, size_t, struct malloc_type *, int);
size_t	malloc_usable_size_(const void *);

#endif /* !_SYS_MALLOC_H_ */
