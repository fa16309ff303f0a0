/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _VM_UMA_H_
#define	_VM_UMA_H_

#include <sys/param.h>
#include <sys/malloc.h>

typedef struct uma_zone *uma_zone_t;
typedef int (*uma_ctor)(void *mem, int size, void *arg, int flags);
typedef void (*uma_dtor)(void *mem, int size, void *arg);
typedef int (*uma_init)(void *mem, int size, int flags);
typedef void (*uma_fini)(void *mem, int size);

#define	UMA_ZONE_ZINIT		0x0004
#define	UMA_ZONE_CONTIG		0x0008
#define	UMA_ZONE_NOTOUCH	0x0010
#define	UMA_ZONE_MALLOC		0x0020
#define	UMA_ZONE_NOFREE		0x0040
#define	UMA_ZONE_MTXCLASS	0x0080
#define	UMA_ZONE_VM		0x0100
#define	UMA_ZONE_SECONDARY	0x0200
#define	UMA_ZONE_PCPU		0x0800
#define	UMA_ZONE_UNMANAGED	0x1000
#define	UMA_ZONE_SMR		0x2000
#define	UMA_ZONE_NODUMP		0x4000

#define	UMA_ALIGN_PTR		(sizeof(void *) - 1)
#define	UMA_ALIGN_LONG		(sizeof(long) - 1)
#define	UMA_ALIGN_INT		(sizeof(int) - 1)
#define	UMA_ALIGN_SHORT		(sizeof(short) - 1)
#define	UMA_ALIGN_CHAR		0
#define	UMA_ALIGN_CACHE		(CACHE_LINE_SIZE - 1)

#define	UMA_RECLAIM_DRAIN	1
#define	UMA_RECLAIM_TRIM	2

uma_zone_t uma_zcreate(const char *name, size_t size, uma_ctor ctor, uma_dtor dtor,
	    uma_init uminit, uma_fini fini, int align, uint32_t flags);
void	uma_zdestroy(uma_zone_t zone);
void	*uma_zalloc_arg(uma_zone_t zone, void *arg, int flags);
void	*uma_zalloc_pcpu_arg(uma_zone_t zone, void *arg, int flags);
void	uma_zfree_arg(uma_zone_t zone, void *item, void *arg);
void	uma_zfree_pcpu_arg(uma_zone_t zone, void *item, void *arg);
#define	uma_zalloc(z, f)	uma_zalloc_arg((z), NULL, (f))
#define	uma_zfree(z, i)		uma_zfree_arg((z), (i), NULL)
#define	uma_zalloc_pcpu(z, f)	uma_zalloc_pcpu_arg((z), NULL, (f))
#define	uma_zfree_pcpu(z, i)	uma_zfree_pcpu_arg((z), (i), NULL)
int	uma_zone_set_max(uma_zone_t zone, int nitems);
int	uma_zone_get_max(uma_zone_t zone);
int	uma_zone_get_cur(uma_zone_t zone);
void	uma_zone_set_maxcache(uma_zone_t zone, int nitems);
void	uma_zone_set_warning(uma_zone_t zone, const char *warning);
void	uma_zone_set_maxaction(uma_zone_t zone, void (*)(uma_zone_t, int));
void	uma_zone_reclaim(uma_zone_t zone, int req);
void	uma_prealloc(uma_zone_t zone, int items);
int	uma_zone_exhausted(uma_zone_t zone);

#endif /* !_VM_UMA_H_ */
