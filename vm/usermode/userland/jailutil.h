/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _JAILUTIL_H_
#define	_JAILUTIL_H_

struct prison;

/* By name or number, held: prison_free() it.  NULL if there is none. */
struct prison *u_find_jail(const char *name);

#endif
