/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_BITSTRING_H_
#define	_SYS_BITSTRING_H_

#include <sys/types.h>

typedef unsigned long bitstr_t;
#define	_BITSTR_BITS	64
#define	bitstr_size(n)	((((n) + _BITSTR_BITS - 1) / _BITSTR_BITS) * sizeof(bitstr_t))
#define	bit_decl(name, n) bitstr_t name[bitstr_size(n) / sizeof(bitstr_t)]
#define	bit_alloc(n, t, f)	malloc(bitstr_size(n), (t), (f) | M_ZERO)
#define	bit_test(b, n)	(((b)[(n) / _BITSTR_BITS] >> ((n) % _BITSTR_BITS)) & 1)
#define	bit_set(b, n)	((void)((b)[(n) / _BITSTR_BITS] |= 1UL << ((n) % _BITSTR_BITS)))
#define	bit_clear(b, n)	((void)((b)[(n) / _BITSTR_BITS] &= ~(1UL << ((n) % _BITSTR_BITS))))
static inline void
bit_ffx_at(const bitstr_t *b, int start, int n, int *result, int want)
{
	for (; start < n; start++)
		if ((int)bit_test(b, start) == want) {
			*result = start;
			return;
		}
	*result = -1;
}
#define	bit_ffs(b, n, r)	bit_ffx_at((b), 0, (n), (r), 1)
#define	bit_ffc(b, n, r)	bit_ffx_at((b), 0, (n), (r), 0)
#define	bit_ffs_at(b, s, n, r)	bit_ffx_at((b), (s), (n), (r), 1)
#define	bit_ffc_at(b, s, n, r)	bit_ffx_at((b), (s), (n), (r), 0)

#endif /* !_SYS_BITSTRING_H_ */
