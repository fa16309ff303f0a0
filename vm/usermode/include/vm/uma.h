/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _VM_UMA_H_
#define	_VM_UMA_H_

#include <sys/malloc.h>

typedef struct uma_zone *uma_zone_t;
typedef int (*uma_ctor)(void *mem, int size, void *arg, int flags);
typedef void (*uma_dtor)(void *mem, int size, void *arg);
typedef int (*uma_init)(void *mem, int size, int flags);
typedef void (*uma_fini)(void *mem, int size);
#define	UMA_ALIGN_PTR	(sizeof(void *) - 1)
#define	UMA_ALIGN_CACHE	(CACHE_LINE_SIZE - 1)
#define	UMA_ZONE_PCPU	0x8000
uma_zone_t uma_zcreate(const char *, size_t, uma_ctor, uma_dtor, uma_init,
	    uma_fini, int, uint32_t);
void	uma_zdestroy(uma_zone_t);
void	*uma_zalloc_arg(uma_zone_t, void *, int);
void	uma_zfree_arg(uma_zone_t, void *, void *);
#define	uma_zalloc(z, f)	uma_zalloc_arg((z), NULL, (f))
#define	uma_zfree(z, p)		uma_zfree_arg((z), (p), NULL)
int	uma_zone_set_max(uma_zone_t, int);

#endif /* !_VM_UMA_H_ */
