/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unit numbers: the lowest that is free.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/bitstring.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>

static MALLOC_DEFINE(M_UNIT, "Unitno", "Unit number allocation");

/* A bitmap that grows with the highest number in use. */
struct unrhdr {
	int		 low, high;
	struct mtx	*mtx;
	uint64_t	*map;
	int		 words;
};
static struct mtx unitmtx;
MTX_SYSINIT(unit, &unitmtx, "unit# allocation", MTX_DEF);

struct unrhdr *
new_unrhdr(int low, int high, struct mtx *mutex)
{
	struct unrhdr *uh;

	KASSERT(low >= 0 && low <= high, ("UNR: use error: new_unrhdr(%d, %d)", low, high));
	uh = malloc(sizeof(*uh), M_UNIT, M_WAITOK | M_ZERO);
	init_unrhdr(uh, low, high, mutex);
	return (uh);
}

void
init_unrhdr(struct unrhdr *uh, int low, int high, struct mtx *mutex)
{
	uh->low = low;
	uh->high = high;
	uh->mtx = mutex != NULL ? mutex : &unitmtx;
	uh->map = NULL;
	uh->words = 0;
}

void
delete_unrhdr(struct unrhdr *uh)
{
	free(uh->map, M_UNIT);
	free(uh, M_UNIT);
}

/* The caller holds the mutex. */
int
alloc_unrl(struct unrhdr *uh)
{
	uint64_t *map;
	int bit, i, words;

	mtx_assert(uh->mtx, MA_OWNED);
	for (i = 0; i < uh->words; i++)
		if (uh->map[i] != UINT64_MAX)
			break;
	if (i == uh->words) {
		words = MAX(uh->words * 2, 4);
		map = malloc(words * sizeof(*map), M_UNIT, M_NOWAIT | M_ZERO);
		if (map == NULL)
			return (-1);
		if (uh->words > 0)
			memcpy(map, uh->map, uh->words * sizeof(*map));
		free(uh->map, M_UNIT);
		uh->map = map;
		uh->words = words;
	}
	bit = ffsll(~uh->map[i]) - 1;
	if (uh->low + i * 64 + bit > uh->high)
		return (-1);
	uh->map[i] |= 1ULL << bit;
	return (uh->low + i * 64 + bit);
}

int
alloc_unr(struct unrhdr *uh)
{
	int unit;

	mtx_lock(uh->mtx);
	unit = alloc_unrl(uh);
	mtx_unlock(uh->mtx);
	return (unit);
}

void
free_unr(struct unrhdr *uh, u_int item)
{
	int n = (int)item - uh->low;

	mtx_lock(uh->mtx);
	KASSERT(n >= 0 && n / 64 < uh->words && (uh->map[n / 64] & (1ULL << (n % 64))) != 0,
	    ("UNR: Freeing free item %d", item));
	uh->map[n / 64] &= ~(1ULL << (n % 64));
	mtx_unlock(uh->mtx);
}
