/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _MACHINE_IN_CKSUM_H_
#define	_MACHINE_IN_CKSUM_H_

#include <sys/types.h>

struct ip;
struct mbuf;

u_short	in_cksum_skip(struct mbuf *m, int len, int skip);
#define	in_cksum(m, len)	in_cksum_skip((m), (len), 0)
u_int	in_cksum_hdr(const struct ip *ip);
u_short	in_addword(u_short sum, u_short b);
u_short	in_pseudo(u_int sum, u_int b, u_int c);

#endif /* !_MACHINE_IN_CKSUM_H_ */
