/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_LIBKERN_H_
#define	_SYS_LIBKERN_H_

#include <sys/types.h>

/* These are the host's: their names, types and meaning are the same. */
void	*memcpy(void *restrict, const void *restrict, size_t);
void	*memmove(void *, const void *, size_t);
void	*memset(void *, int, size_t);
int	memcmp(const void *, const void *, size_t);
void	*memchr(const void *, int, size_t);
size_t	strlen(const char *);
int	strcmp(const char *, const char *);
int	strncmp(const char *, const char *, size_t);
int	strcasecmp(const char *, const char *);
int	strncasecmp(const char *, const char *, size_t);
char	*strcpy(char *restrict, const char *restrict);
char	*strncpy(char *restrict, const char *restrict, size_t);
char	*strcat(char *restrict, const char *restrict);
char	*strchr(const char *, int);
char	*strrchr(const char *, int);
char	*strstr(const char *, const char *);
size_t	strspn(const char *, const char *);
size_t	strcspn(const char *, const char *);
size_t	strnlen(const char *, size_t);

size_t	strlcpy(char *, const char *, size_t);
size_t	strlcat(char *, const char *, size_t);
char	*strsep(char **, const char *);
struct malloc_type;
char	*strdup(const char *, struct malloc_type *);
long	strtol(const char *, char **, int);
u_long	strtoul(const char *, char **, int);
quad_t	strtoq(const char *, char **, int);
u_quad_t strtouq(const char *, char **, int);
#define	index(s, c)	strchr((s), (c))
#define	rindex(s, c)	strrchr((s), (c))
#define	bcopy(s, d, n)	((void)memmove((d), (s), (n)))
#define	bzero(d, n)	((void)memset((d), 0, (n)))
#define	bcmp(a, b, n)	memcmp((a), (b), (n))
#define	explicit_bzero(d, n)	bzero((d), (n))
void	qsort(void *base, size_t nmemb, size_t size,
	    int (*cmp)(const void *, const void *));

static inline int imax(int a, int b) { return (a > b ? a : b); }
static inline int imin(int a, int b) { return (a < b ? a : b); }
static inline long lmax(long a, long b) { return (a > b ? a : b); }
static inline long lmin(long a, long b) { return (a < b ? a : b); }
static inline u_int max(u_int a, u_int b) { return (a > b ? a : b); }
static inline u_int min(u_int a, u_int b) { return (a < b ? a : b); }
static inline u_long ulmax(u_long a, u_long b) { return (a > b ? a : b); }
static inline u_long ulmin(u_long a, u_long b) { return (a < b ? a : b); }
static inline quad_t qmax(quad_t a, quad_t b) { return (a > b ? a : b); }
static inline quad_t qmin(quad_t a, quad_t b) { return (a < b ? a : b); }
static inline int abs_(int a) { return (a < 0 ? -a : a); }
static inline int ffs(int m) { return (__builtin_ffs(m)); }
static inline int ffsl(long m) { return (__builtin_ffsl(m)); }
#define	ffsll(m)	__builtin_ffsll(m)
static inline int fls(int m) { return (m == 0 ? 0 : 32 - __builtin_clz((u_int)m)); }
static inline int flsl(long m) { return (m == 0 ? 0 : 64 - __builtin_clzl((u_long)m)); }
#define	flsll(m)	flsl(m)
#define	ilog2(n)	(flsl(n) - 1)
#define	abs(x)		__builtin_abs(x)

static inline int isspace(int c) { return (c == ' ' || (c >= '\t' && c <= '\r')); }
static inline int isdigit(int c) { return (c >= '0' && c <= '9'); }
static inline int isupper(int c) { return (c >= 'A' && c <= 'Z'); }
static inline int islower(int c) { return (c >= 'a' && c <= 'z'); }
static inline int isalpha(int c) { return (isupper(c) || islower(c)); }
static inline int isalnum(int c) { return (isalpha(c) || isdigit(c)); }
static inline int isxdigit(int c)
{ return (isdigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')); }
static inline int isprint(int c) { return (c >= ' ' && c <= '~'); }
static inline int tolower(int c) { return (isupper(c) ? c + 32 : c); }
static inline int toupper(int c) { return (islower(c) ? c - 32 : c); }

/* Seeded, so that the virtual clock repeats itself. */
uint32_t arc4random(void);
uint32_t arc4random_uniform(uint32_t);
void	arc4rand(void *, u_int, int);
u_long	random(void);
#define	read_random(p, n)	(arc4rand((p), (n), 0), (int)(n))
uint32_t prng32(void);
uint32_t prng32_bounded(uint32_t);
uint64_t prng64(void);

/* FNV-1a and Jenkins' one-at-a-time, for hashes that only must spread. */
#define	FNV1_32_INIT	((uint32_t)33554467UL)
#define	FNV_32_PRIME	((uint32_t)0x01000193UL)
static inline uint32_t
fnv_32_buf(const void *buf, size_t len, uint32_t hval)
{
	const uint8_t *s = buf;

	while (len-- != 0) {
		hval *= FNV_32_PRIME;
		hval ^= *s++;
	}
	return (hval);
}
uint32_t jenkins_hash32(const uint32_t *, size_t, uint32_t);
uint32_t jenkins_hash(const void *, size_t, uint32_t);
#define	HASHINIT	5381

#endif /* !_SYS_LIBKERN_H_ */
