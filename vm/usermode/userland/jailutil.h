/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _JAILUTIL_H_
#define	_JAILUTIL_H_

struct prison;

/*
 * By name or number; NULL if there is none.  Until u_release_jail() it is not
 * removed.
 */
struct prison *u_find_jail(const char *name);
void	u_release_jail(struct prison *pr);

#endif
