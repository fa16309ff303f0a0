/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_BITSET_H_
#define	_SYS_BITSET_H_

#include <sys/types.h>
#include <sys/libkern.h>

#define	_BITSET_BITS		64
#define	__bitset_words(s)	(((s) + _BITSET_BITS - 1) / _BITSET_BITS)
#define	BITSET_DEFINE(t, s)	struct t { long __bits[__bitset_words(s)]; }
#define	BITSET_T_INITIALIZER(x)	{ .__bits = { x } }
#define	BITSET_FSET(n)		[0 ... ((n) - 1)] = (-1L)
#define	__bitset_mask(n)	((long)(1UL << ((n) % _BITSET_BITS)))
#define	__bitset_word(n)	((n) / _BITSET_BITS)
#define	__BIT_EACH(s, i)	for (size_t i = 0; i < __bitset_words((size_t)(s)); i++)
#define	BIT_CLR(s, n, p)	((p)->__bits[__bitset_word(n)] &= ~__bitset_mask(n))
#define	BIT_SET(s, n, p)	((p)->__bits[__bitset_word(n)] |= __bitset_mask(n))
#define	BIT_ISSET(s, n, p)	(((p)->__bits[__bitset_word(n)] & __bitset_mask(n)) != 0)
#define	BIT_ZERO(s, p)		do { __BIT_EACH(s, __i) (p)->__bits[__i] = 0L; } while (0)
#define	BIT_FILL(s, p)		do { __BIT_EACH(s, __i) (p)->__bits[__i] = -1L; } while (0)
#define	BIT_SETOF(s, n, p)	do { BIT_ZERO(s, p); BIT_SET(s, n, p); } while (0)
#define	BIT_COPY(s, f, t)	((void)(*(t) = *(f)))
#define	BIT_OR(s, d, b)		do { __BIT_EACH(s, __i) (d)->__bits[__i] |= (b)->__bits[__i]; } while (0)
#define	BIT_AND(s, d, b)	do { __BIT_EACH(s, __i) (d)->__bits[__i] &= (b)->__bits[__i]; } while (0)
#define	BIT_ANDNOT(s, d, b)	do { __BIT_EACH(s, __i) (d)->__bits[__i] &= ~(b)->__bits[__i]; } while (0)
#define	BIT_XOR(s, d, b)	do { __BIT_EACH(s, __i) (d)->__bits[__i] ^= (b)->__bits[__i]; } while (0)
#define	BIT_EMPTY(s, p) __extension__ ({ bool __r = true;				\
	__BIT_EACH(s, __i) { if ((p)->__bits[__i] != 0) __r = false; } __r; })
#define	BIT_ISFULLSET(s, p) __extension__ ({ bool __r = true;			\
	__BIT_EACH(s, __i) { if ((p)->__bits[__i] != -1L) __r = false; } __r; })
#define	BIT_CMP(s, p, c) __extension__ ({ bool __r = false;				\
	__BIT_EACH(s, __i) { if ((p)->__bits[__i] != (c)->__bits[__i]) __r = true; } __r; })
#define	BIT_OVERLAP(s, p, c) __extension__ ({ bool __r = false;			\
	__BIT_EACH(s, __i) { if (((p)->__bits[__i] & (c)->__bits[__i]) != 0) __r = true; } __r; })
#define	BIT_FFS(s, p) __extension__ ({ int __r = 0;					\
	__BIT_EACH(s, __i) { if ((p)->__bits[__i] != 0) {		\
		__r = ffsl((p)->__bits[__i]) + (int)__i * _BITSET_BITS; break; } } __r; })
#define	BIT_FLS(s, p) __extension__ ({ int __r = 0;					\
	__BIT_EACH(s, __i) { if ((p)->__bits[__i] != 0)			\
		__r = flsl((p)->__bits[__i]) + (int)__i * _BITSET_BITS; } __r; })
#define	BIT_COUNT(s, p) __extension__ ({ int __r = 0;				\
	__BIT_EACH(s, __i) __r += __builtin_popcountl((u_long)(p)->__bits[__i]); __r; })
#define	BIT_FOREACH_ISSET(s, i, p)					\
	for ((i) = 0; (i) < (int)(s); (i)++) if (BIT_ISSET(s, i, p))
#define	BIT_FOREACH_ISCLR(s, i, p)					\
	for ((i) = 0; (i) < (int)(s); (i)++) if (!BIT_ISSET(s, i, p))

#endif /* !_SYS_BITSET_H_ */
