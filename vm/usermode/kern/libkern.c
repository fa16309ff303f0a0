/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libc would have but for its names, and random numbers that the seed
 * determines.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/queue.h>
#include <sys/random.h>
#include "kern_internal.h"

const char hex2ascii_data[] = "0123456789abcdefghijklmnopqrstuvwxyz";

size_t
strlcpy(char *restrict dst, const char *restrict src, size_t size)
{
	size_t n = strlen(src);

	if (size > 0) {
		memcpy(dst, src, MIN(n, size - 1));
		dst[MIN(n, size - 1)] = '\0';
	}
	return (n);
}

size_t
strlcat(char *restrict dst, const char *restrict src, size_t size)
{
	size_t n = strnlen(dst, size);

	return (n + (n < size ? strlcpy(dst + n, src, size - n) : strlen(src)));
}

char *
strndup(const char *restrict s, size_t max, struct malloc_type *type)
{
	size_t n = strnlen(s, max);
	char *p;

	p = malloc(n + 1, type, M_WAITOK);
	memcpy(p, s, n);
	p[n] = '\0';
	return (p);
}

char *
strdup(const char *restrict s, struct malloc_type *type)
{
	return (strndup(s, strlen(s), type));
}

int
copyinstr(const void *from, void *to, size_t max, size_t *done)
{
	size_t n;

	n = strlcpy(to, from, max);
	if (done != NULL)
		*done = MIN(n + 1, max);
	return (n >= max ? ENAMETOOLONG : 0);
}

/* Shell patterns: * ? [a-z] and \\. */
int
fnmatch(const char *pat, const char *s, int flags)
{
	bool not, hit;

	for (; *pat != '\0'; pat++) {
		if (*pat == '*') {
			while (pat[1] == '*')
				pat++;
			for (;; s++) {
				if (fnmatch(pat + 1, s, flags) == 0)
					return (0);
				if (*s == '\0' || ((flags & FNM_PATHNAME) && *s == '/'))
					return (FNM_NOMATCH);
			}
		}
		if (*s == '\0' || ((flags & FNM_PATHNAME) && *s == '/' && *pat != '/'))
			return (FNM_NOMATCH);
		if (*pat == '?') {
			s++;
			continue;
		}
		if (*pat == '[') {
			not = pat[1] == '!' || pat[1] == '^';
			hit = false;
			for (pat += not ? 2 : 1; *pat != '\0' && *pat != ']'; pat++)
				if (pat[1] == '-' && pat[2] != ']' && pat[2] != '\0') {
					hit |= *s >= pat[0] && *s <= pat[2];
					pat += 2;
				} else
					hit |= *s == *pat;
			if (*pat == '\0' || hit == not)
				return (FNM_NOMATCH);
			s++;
			continue;
		}
		if (*pat == '\\' && (flags & FNM_NOESCAPE) == 0 && pat[1] != '\0')
			pat++;
		if (*pat != *s++)
			return (FNM_NOMATCH);
	}
	return (*s == '\0' ? 0 : FNM_NOMATCH);
}

/*
 * Random numbers: a counter through a mixing function (splitmix64), so that
 * threads need no lock.  Apart from the scheduler's own: what packets draw
 * does not move the schedule.
 */
static uint64_t random_state;

static uint64_t
random_next(void)
{
	uint64_t z;

	z = __atomic_add_fetch(&random_state, 0x9e3779b97f4a7c15ULL, __ATOMIC_RELAXED) +
	    host_config.seed * 0xd1342543de82ef95ULL;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31));
}

uint32_t
arc4random(void)
{
	return (random_next() >> 32);
}

void
arc4random_buf(void *buf, size_t len)
{
	uint64_t r;
	char *p = buf;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		r = random_next();
		n = MIN(len, sizeof(r));
		memcpy(p, &r, n);
	}
}

void
arc4rand(void *ptr, u_int len, int reseed)
{
	arc4random_buf(ptr, len);
}

uint32_t
arc4random_uniform(uint32_t bound)
{
	uint32_t r, min;

	if (bound < 2)
		return (0);
	/* What would make some results likelier than others is drawn again. */
	min = -bound % bound;
	do
		r = arc4random();
	while (r < min);
	return (r % bound);
}

u_long
random(void)
{
	return (arc4random() & 0x7fffffff);
}

void
srandom(u_long seed)
{
}

uint32_t
prng32(void)
{
	return (arc4random());
}

uint32_t
prng32_bounded(uint32_t bound)
{
	return (arc4random_uniform(bound));
}

uint64_t
prng64(void)
{
	return (random_next());
}

uint64_t
prng64_bounded(uint64_t bound)
{
	uint64_t r, min;

	if (bound < 2)
		return (0);
	min = -bound % bound;
	do
		r = random_next();
	while (r < min);
	return (r % bound);
}

uint32_t
crc32_raw(const void *buf, size_t size, uint32_t crc)
{
	const uint8_t *p = buf;
	int bit;

	for (; size > 0; size--)
		for (crc ^= *p++, bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xedb88320 & -(crc & 1));
	return (crc);
}

uint32_t
crc32(const void *buf, size_t size)
{
	return (~crc32_raw(buf, size, ~0U));
}

uint32_t
calculate_crc32c(uint32_t crc, const unsigned char *p, unsigned int size)
{
	int bit;

	for (; size > 0; size--)
		for (crc ^= *p++, bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0x82f63b78 & -(crc & 1));
	return (crc);
}

int
nullop(void)
{
	return (0);
}

int
eopnotsupp(void)
{
	return (EOPNOTSUPP);
}

int
bus_noop(void)
{
	return (0);
}
