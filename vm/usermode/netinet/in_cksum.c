/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071), eight bytes at a time.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/mbuf.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <machine/in_cksum.h>
#include "inet_internal.h"

static uint64_t
cksum_add(const uint8_t *p, int len)
{
	uint64_t sum, w;
	uint32_t w4;
	uint16_t w2;

	sum = 0;
	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&w, p, 8);
		sum += w;
		sum += sum < w;
	}
	if (len >= 4) {
		memcpy(&w4, p, 4);
		sum += w4;
		sum += sum < w4;
		p += 4;
		len -= 4;
	}
	if (len >= 2) {
		memcpy(&w2, p, 2);
		sum += w2;
		sum += sum < w2;
		p += 2;
		len -= 2;
	}
	if (len > 0) {
		sum += *p;
		sum += sum < *p;
	}
	return (sum);
}

static u_int
cksum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (sum);
}

u_short
in_cksum_skip(struct mbuf *m, int len, int skip)
{
	u_int sum, part;
	int off, n;

	sum = 0;
	off = 0;
	len -= skip;
	for (; m != NULL && skip >= m->m_len; m = m->m_next)
		skip -= m->m_len;
	for (; m != NULL && len > 0; m = m->m_next) {
		n = MIN(m->m_len - skip, len);
		part = cksum_fold(cksum_add(mtod(m, const uint8_t *) + skip, n));
		/* A piece that starts at an odd offset adds with its bytes swapped. */
		if (off & 1)
			part = bswap16(part);
		sum += part;
		off += n;
		len -= n;
		skip = 0;
	}
	return (~cksum_fold(sum) & 0xffff);
}

u_int
in_cksum_hdr(const struct ip *ip)
{
	return (~cksum_fold(cksum_add((const uint8_t *)ip, sizeof(*ip))) & 0xffff);
}

u_short
in_pseudo(u_int a, u_int b, u_int c)
{
	return (cksum_fold((uint64_t)a + b + c));
}

u_short
in_addword(u_short a, u_short b)
{
	u_int sum = a + b;

	return ((sum & 0xffff) + (sum >> 16));
}
