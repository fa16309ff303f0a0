/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_LIBKERN_H_
#define	_SYS_LIBKERN_H_

#include <sys/cdefs.h>
#include <sys/types.h>

/* Pure functions of libc are used as they are. */
void	*memcpy(void *restrict, const void *restrict, size_t);
void	*memmove(void *, const void *, size_t);
void	*memset(void *, int, size_t);
int	memcmp(const void *, const void *, size_t);
void	*memchr(const void *, int, size_t);
void	*memmem(const void *, size_t, const void *, size_t);
size_t	strlen(const char *);
size_t	strnlen(const char *, size_t);
int	strcmp(const char *, const char *);
int	strncmp(const char *, const char *, size_t);
int	strcasecmp(const char *, const char *);
int	strncasecmp(const char *, const char *, size_t);
char	*strcpy(char *restrict, const char *restrict);
char	*strncpy(char *restrict, const char *restrict, size_t);
char	*strcat(char *restrict, const char *restrict);
char	*strncat(char *restrict, const char *restrict, size_t);
char	*strchr(const char *, int);
char	*strrchr(const char *, int);
char	*strstr(const char *, const char *);
char	*strcasestr(const char *, const char *);
char	*strsep(char **, const char *);
size_t	strspn(const char *, const char *);
size_t	strcspn(const char *, const char *);
char	*strpbrk(const char *, const char *);
long	strtol(const char *, char **, int);
unsigned long strtoul(const char *, char **, int);
long long strtoll(const char *, char **, int);
unsigned long long strtoull(const char *, char **, int);
double	strtod(const char *, char **);
void	qsort(void *, size_t, size_t, int (*)(const void *, const void *));
void	*bsearch(const void *, const void *, size_t, size_t, int (*)(const void *, const void *));
#define	strtoq(s, e, b)		((quad_t)strtoll((s), (e), (b)))
#define	strtouq(s, e, b)	((u_quad_t)strtoull((s), (e), (b)))
#define	index(s, c)		strchr((s), (c))
#define	rindex(s, c)		strrchr((s), (c))
#define	bcopy(s, d, n)		((void)memmove((d), (s), (n)))
#define	bzero(p, n)		((void)memset((p), 0, (n)))
#define	bcmp(a, b, n)		memcmp((a), (b), (n))
#define	explicit_bzero(p, n)	((void)memset((p), 0, (n)))
#define	memset_early		memset
size_t	strlcpy(char *restrict, const char *restrict, size_t);
size_t	strlcat(char *restrict, const char *restrict, size_t);
struct malloc_type;
char	*strdup(const char *restrict, struct malloc_type *);
char	*strndup(const char *restrict, size_t, struct malloc_type *);

static inline int imax(int a, int b) { return (a > b ? a : b); }
static inline int imin(int a, int b) { return (a < b ? a : b); }
static inline long lmax(long a, long b) { return (a > b ? a : b); }
static inline long lmin(long a, long b) { return (a < b ? a : b); }
static inline u_int max(u_int a, u_int b) { return (a > b ? a : b); }
static inline u_int min(u_int a, u_int b) { return (a < b ? a : b); }
static inline quad_t qmax(quad_t a, quad_t b) { return (a > b ? a : b); }
static inline quad_t qmin(quad_t a, quad_t b) { return (a < b ? a : b); }
static inline u_quad_t uqmax(u_quad_t a, u_quad_t b) { return (a > b ? a : b); }
static inline u_quad_t uqmin(u_quad_t a, u_quad_t b) { return (a < b ? a : b); }
static inline u_long ulmax(u_long a, u_long b) { return (a > b ? a : b); }
static inline u_long ulmin(u_long a, u_long b) { return (a < b ? a : b); }
static inline uintmax_t ummax(uintmax_t a, uintmax_t b) { return (a > b ? a : b); }
static inline uintmax_t ummin(uintmax_t a, uintmax_t b) { return (a < b ? a : b); }
static inline off_t omax(off_t a, off_t b) { return (a > b ? a : b); }
static inline off_t omin(off_t a, off_t b) { return (a < b ? a : b); }
#define	abs(x)		__builtin_abs(x)
#define	labs(x)		__builtin_labs(x)

#define	ffs(x)		__builtin_ffs(x)
#define	ffsl(x)		__builtin_ffsl(x)
#define	ffsll(x)	__builtin_ffsll(x)
static inline int fls(int m) { return (m == 0 ? 0 : 32 - __builtin_clz((u_int)m)); }
static inline int flsl(long m) { return (m == 0 ? 0 : 64 - __builtin_clzl((u_long)m)); }
static inline int flsll(long long m) { return (m == 0 ? 0 : 64 - __builtin_clzll((unsigned long long)m)); }
static inline int ilog2_int(int n) { return (fls(n) - 1); }
static inline int ilog2_long(long n) { return (flsl(n) - 1); }
#define	ilog2(x)	(flsll((long long)(x)) - 1)
#define	bitcount16(x)	__builtin_popcount((uint16_t)(x))
#define	bitcount32(x)	__builtin_popcount((uint32_t)(x))
#define	bitcount64(x)	__builtin_popcountl((uint64_t)(x))
#define	bitcount(x)	__builtin_popcount(x)
#define	bitcountl(x)	__builtin_popcountl(x)

static inline int isspace(int c) { return (c == ' ' || (c >= '\t' && c <= '\r')); }
static inline int isascii(int c) { return ((c & ~0x7f) == 0); }
static inline int isupper(int c) { return (c >= 'A' && c <= 'Z'); }
static inline int islower(int c) { return (c >= 'a' && c <= 'z'); }
static inline int isalpha(int c) { return (isupper(c) || islower(c)); }
static inline int isdigit(int c) { return (c >= '0' && c <= '9'); }
static inline int isalnum(int c) { return (isalpha(c) || isdigit(c)); }
static inline int isprint(int c) { return (c >= ' ' && c <= '~'); }
static inline int isxdigit(int c) { return (isdigit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f')); }
static inline int ispunct(int c) { return (isprint(c) && c != ' ' && !isalnum(c)); }
static inline int toupper(int c) { return (islower(c) ? c - 0x20 : c); }
static inline int tolower(int c) { return (isupper(c) ? c + 0x20 : c); }
extern const char hex2ascii_data[];
#define	hex2ascii(hex)	(hex2ascii_data[hex])

#define	FNM_NOMATCH	1
#define	FNM_NOESCAPE	0x01
#define	FNM_PATHNAME	0x02
#define	FNM_PERIOD	0x04
int	fnmatch(const char *, const char *, int);

uint32_t arc4random(void);
void	arc4random_buf(void *, size_t);
void	arc4rand(void *ptr, u_int len, int reseed);
uint32_t arc4random_uniform(uint32_t);
u_long	random(void);
void	srandom(u_long);
uint32_t prng32(void);
uint32_t prng32_bounded(uint32_t);
uint64_t prng64(void);
uint64_t prng64_bounded(uint64_t);
uint32_t crc32(const void *, size_t);
uint32_t crc32_raw(const void *, size_t, uint32_t);
uint32_t calculate_crc32c(uint32_t, const unsigned char *, unsigned int);

#define	memmove_early	memmove
#define	memcpy_early	memcpy

#endif /* !_SYS_LIBKERN_H_ */
