/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_BUF_RING_H_
#define	_SYS_BUF_RING_H_

#include <sys/types.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/lock.h>
#include <sys/mutex.h>

/* A bounded ring of pointers: many producers, consumers one at a time by a lock of theirs. */
struct buf_ring {
	volatile uint32_t br_prod_head;
	volatile uint32_t br_prod_tail;
	uint32_t	 br_mask;
	uint32_t	 br_size;
	uint64_t	 br_drops;
	volatile uint32_t br_cons __aligned(CACHE_LINE_SIZE);
	void		*volatile br_ring[] __aligned(CACHE_LINE_SIZE);
};

struct buf_ring *buf_ring_alloc(int count, struct malloc_type *type, int flags, struct mtx *);
void	buf_ring_free(struct buf_ring *br, struct malloc_type *type);
int	buf_ring_enqueue(struct buf_ring *br, void *buf);
void	*buf_ring_dequeue_sc(struct buf_ring *br);
void	*buf_ring_dequeue_mc(struct buf_ring *br);
void	*buf_ring_peek(struct buf_ring *br);
#define	buf_ring_peek_clear_sc(br)	buf_ring_peek(br)
void	buf_ring_advance_sc(struct buf_ring *br);
void	buf_ring_putback_sc(struct buf_ring *br, void *new);
int	buf_ring_full(struct buf_ring *br);
int	buf_ring_empty(struct buf_ring *br);
int	buf_ring_count(struct buf_ring *br);

#endif /* !_SYS_BUF_RING_H_ */
