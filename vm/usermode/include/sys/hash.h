/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_HASH_H_
#define	_SYS_HASH_H_

#include <sys/types.h>
#include <sys/queue.h>

#define	HASHINIT	5381
static inline uint32_t
hash32_buf(const void *buf, size_t len, uint32_t hash)
{
	const unsigned char *p = buf;

	while (len-- > 0)
		hash = hash * 33 + *p++;
	return (hash);
}
static inline uint32_t
hash32_str(const void *buf, uint32_t hash)
{
	const unsigned char *p = buf;

	while (*p != 0)
		hash = hash * 33 + *p++;
	return (hash);
}
uint32_t jenkins_hash(const void *key, size_t len, uint32_t iv);
uint32_t jenkins_hash32(const uint32_t *key, size_t words, uint32_t iv);
uint32_t murmur3_32_hash(const void *key, size_t len, uint32_t iv);
uint32_t murmur3_32_hash32(const uint32_t *key, size_t words, uint32_t iv);
struct malloc_type;
void	*hashinit(int count, struct malloc_type *type, u_long *hashmask);
void	*hashinit_flags(int count, struct malloc_type *type, u_long *hashmask, int flags);
void	hashdestroy(void *, struct malloc_type *, u_long);
#define	HASH_NOWAIT	0x01
#define	HASH_WAITOK	0x02

#endif /* !_SYS_HASH_H_ */
