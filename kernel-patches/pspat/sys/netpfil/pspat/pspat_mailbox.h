/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client mailbox: a bounded queue of pointers from one producer to one
 * consumer, without locks.
 *
 * A slot that holds NULL is empty and one that does not is full, so the two
 * sides share no index.  Each side touches the memory of the other as seldom
 * as possible: the producer looks ahead a whole cache line at a time, and the
 * consumer, who reads a slot when it is filled, hands the slots back a whole
 * line at a time.  Up to one line of read slots is therefore not yet reusable;
 * the size is rounded up to make good for it.
 *
 * One producer means one at a time: pspat_boxes.c sees to it.
 */
#ifndef _NETPFIL_PSPAT_MAILBOX_H_
#define	_NETPFIL_PSPAT_MAILBOX_H_

struct mbuf;
struct pspat_owner;

#define	PSPAT_LINE_SLOTS	(CACHE_LINE_SIZE / sizeof(uintptr_t))

struct pspat_mailbox {
	/* Written at creation only. */
	uint32_t	mb_mask;	/* slots - 1, a power of two */
	uint32_t	mb_slots;

	/* Under the lock of pspat_boxes.c. */
	struct pspat_owner *mb_owner;	/* the thread whose it is, or NULL */
	struct pspat_mailbox *mb_idle;	/* the next that is nobody's */

	/* The producer's line: free running counters, never masked. */
	uint32_t	mb_write __aligned(CACHE_LINE_SIZE);
	uint32_t	mb_ahead;	/* slots below this are known empty */

	/* The consumer's line. */
	uint32_t	mb_read __aligned(CACHE_LINE_SIZE);
	uint32_t	mb_clear;	/* slots below this were handed back */

	uintptr_t	mb_slot[] __aligned(CACHE_LINE_SIZE);
};

/*
 * Producer: put m in.  Returns 0, or ENOBUFS when the mailbox is full and m
 * still is the caller's.
 */
static inline int
pspat_mailbox_insert(struct pspat_mailbox *mb, struct mbuf *m)
{

	if (mb->mb_write == mb->mb_ahead) {
		/*
		 * The last slot of the next line tells for all of it: the
		 * consumer empties a line from its first slot to its last.
		 */
		if (atomic_load_acq_ptr(&mb->mb_slot[(mb->mb_ahead +
		    PSPAT_LINE_SLOTS - 1) & mb->mb_mask]) != 0)
			return (ENOBUFS);
		mb->mb_ahead += PSPAT_LINE_SLOTS;
	}
	/* What m points to must be visible before m is. */
	atomic_store_rel_ptr(&mb->mb_slot[mb->mb_write & mb->mb_mask],
	    (uintptr_t)m);
	mb->mb_write++;
	return (0);
}

/*
 * Consumer: hand back the lines that were read to their end.  Never a line
 * that is read in part: its unread slots would be lost.
 */
static inline void
pspat_mailbox_clear(struct pspat_mailbox *mb)
{
	uint32_t end;

	end = mb->mb_read & ~(uint32_t)(PSPAT_LINE_SLOTS - 1);
	if (PSPAT_BROKEN(12)) {
		/* C12: as if the slots ahead had been read as well. */
		end += PSPAT_LINE_SLOTS;
		if ((int32_t)(end - mb->mb_clear) <= 0)
			return;
	}
	for (; mb->mb_clear != end; mb->mb_clear++)
		atomic_store_rel_ptr(&mb->mb_slot[mb->mb_clear & mb->mb_mask],
		    0);
}

/*
 * Consumer: take one out, or NULL.  A line read to its end goes back at once,
 * so that the reader never comes round to a slot it has read before.
 */
static inline struct mbuf *
pspat_mailbox_extract(struct pspat_mailbox *mb)
{
	uintptr_t m;

	m = atomic_load_acq_ptr(&mb->mb_slot[mb->mb_read & mb->mb_mask]);
	if (m == 0)
		return (NULL);
	mb->mb_read++;
	if ((mb->mb_read & (PSPAT_LINE_SLOTS - 1)) == 0 || PSPAT_BROKEN(12))
		pspat_mailbox_clear(mb);
	return ((struct mbuf *)m);
}

/*
 * Consumer: what comes n places (less than a line's) after the next one, or NULL.
 */
static inline struct mbuf *
pspat_mailbox_peek(struct pspat_mailbox *mb, u_int n)
{

	return ((struct mbuf *)atomic_load_acq_ptr(&mb->mb_slot[(mb->mb_read +
	    n) & mb->mb_mask]));
}

static inline bool
pspat_mailbox_empty(struct pspat_mailbox *mb)
{

	return (atomic_load_acq_ptr(&mb->mb_slot[mb->mb_read & mb->mb_mask]) ==
	    0);
}

#endif /* !_NETPFIL_PSPAT_MAILBOX_H_ */
