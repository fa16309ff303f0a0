/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_ENDIAN_H_
#define	_SYS_ENDIAN_H_

#include <sys/types.h>

#define	_LITTLE_ENDIAN	1234
#define	_BIG_ENDIAN	4321
#define	LITTLE_ENDIAN	_LITTLE_ENDIAN
#define	BIG_ENDIAN	_BIG_ENDIAN
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define	_BYTE_ORDER	_LITTLE_ENDIAN
#define	__htobe(n, x)	__builtin_bswap##n(x)
#define	__htole(n, x)	((uint##n##_t)(x))
#else
#define	_BYTE_ORDER	_BIG_ENDIAN
#define	__htobe(n, x)	((uint##n##_t)(x))
#define	__htole(n, x)	__builtin_bswap##n(x)
#endif
#define	BYTE_ORDER	_BYTE_ORDER

#define	bswap16(x)	__builtin_bswap16(x)
#define	bswap32(x)	__builtin_bswap32(x)
#define	bswap64(x)	__builtin_bswap64(x)
#define	htobe16(x)	__htobe(16, x)
#define	htobe32(x)	__htobe(32, x)
#define	htobe64(x)	__htobe(64, x)
#define	be16toh(x)	__htobe(16, x)
#define	be32toh(x)	__htobe(32, x)
#define	be64toh(x)	__htobe(64, x)
#define	htole16(x)	__htole(16, x)
#define	htole32(x)	__htole(32, x)
#define	htole64(x)	__htole(64, x)
#define	le16toh(x)	__htole(16, x)
#define	le32toh(x)	__htole(32, x)
#define	le64toh(x)	__htole(64, x)
#define	htons(x)	__htobe(16, x)
#define	htonl(x)	__htobe(32, x)
#define	ntohs(x)	__htobe(16, x)
#define	ntohl(x)	__htobe(32, x)

static inline uint16_t
be16dec(const void *p)
{
	const uint8_t *b = p;

	return ((uint16_t)(b[0] << 8 | b[1]));
}

static inline uint32_t
be32dec(const void *p)
{
	const uint8_t *b = p;

	return ((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
}

static inline uint64_t
be64dec(const void *p)
{
	const uint8_t *b = p;

	return ((uint64_t)be32dec(b) << 32 | be32dec(b + 4));
}

static inline void
be16enc(void *p, uint16_t u)
{
	uint8_t *b = p;

	b[0] = (uint8_t)(u >> 8);
	b[1] = (uint8_t)u;
}

static inline void
be32enc(void *p, uint32_t u)
{
	be16enc(p, (uint16_t)(u >> 16));
	be16enc((uint8_t *)p + 2, (uint16_t)u);
}

static inline void
be64enc(void *p, uint64_t u)
{
	be32enc(p, (uint32_t)(u >> 32));
	be32enc((uint8_t *)p + 4, (uint32_t)u);
}

#endif /* !_SYS_ENDIAN_H_ */
