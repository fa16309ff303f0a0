/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSPAT's mailbox between two threads of the host: what goes in comes out, once and in order, from counters that
 * begin anywhere, the ends of their range too.  "mailbox SLOTS FIRST PACKETS" prints how often it was full and empty.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define	CACHE_LINE_SIZE		64
#define	__aligned(n)		__attribute__((__aligned__(n)))
#define	PSPAT_BROKEN(n)		false
#define	atomic_load_acq_ptr(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define	atomic_store_rel_ptr(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
struct mbuf {
	uint32_t	number;
};
typedef unsigned int u_int;
#include <netpfil/pspat/pspat_mailbox.h>

static struct pspat_mailbox *mb;
static struct mbuf *packet;
static uint32_t packets;
static unsigned long full;

static void *
produce(void *arg)
{
	uint32_t i;

	for (i = 0; i < packets; i++) {
		packet[i].number = i;	/* seen by whoever gets the packet */
		while (pspat_mailbox_insert(mb, &packet[i]) != 0) {
			full++;
			sched_yield();
		}
	}
	return (NULL);
}

int
main(int argc, char **argv)
{
	unsigned long empty = 0;
	pthread_t producer;
	uint32_t first, i, slots;
	struct mbuf *m, *ahead;

	if (argc != 4)
		return (2);
	slots = strtoul(argv[1], NULL, 0);
	first = strtoul(argv[2], NULL, 0) & ~(uint32_t)(PSPAT_LINE_SLOTS - 1);
	packets = strtoul(argv[3], NULL, 0);
	mb = aligned_alloc(CACHE_LINE_SIZE, sizeof(*mb) + slots * sizeof(mb->mb_slot[0]));
	packet = calloc(packets, sizeof(*packet));
	memset(mb, 0, sizeof(*mb) + slots * sizeof(mb->mb_slot[0]));
	mb->mb_slots = slots;
	mb->mb_mask = slots - 1;
	mb->mb_write = mb->mb_ahead = mb->mb_read = mb->mb_clear = first;
	if (pthread_create(&producer, NULL, produce, NULL) != 0)
		return (3);
	for (i = 0; i < packets; i++) {
		while ((m = pspat_mailbox_extract(mb)) == NULL) {
			empty++;
			sched_yield();
		}
		if (m != &packet[i] || m->number != i) {
			printf("packet %u came in place of %u\n", m->number, i);
			return (1);
		}
		ahead = pspat_mailbox_peek(mb, 3);
		if (ahead != NULL && ahead != &packet[i + 4]) {
			printf("packet %u is seen ahead in place of %u\n", ahead->number, i + 4);
			return (1);
		}
	}
	(void)pthread_join(producer, NULL);
	if (!pspat_mailbox_empty(mb) || pspat_mailbox_extract(mb) != NULL) {
		printf("something is left\n");
		return (1);
	}
	printf("full %lu empty %lu\n", full, empty);
	return (0);
}
