/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _RADIX_H_
#define	_RADIX_H_

/* Routes are kept in a binary trie (net/route.c); the patricia tree is not here. */

#endif
