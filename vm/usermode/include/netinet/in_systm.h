/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_IN_SYSTM_H_
#define	_NETINET_IN_SYSTM_H_

#include <sys/types.h>

typedef uint16_t n_short;
typedef uint32_t n_long;
typedef uint32_t n_time;

uint32_t iptime(void);

#endif
