/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_IN_FIB_H_
#define	_NETINET_IN_FIB_H_

#include <netinet/in.h>

struct nhop_object;

struct nhop_object *fib4_lookup(uint32_t fibnum, struct in_addr dst,
	    uint32_t scopeid, uint32_t flags, uint32_t flowid);

#endif
