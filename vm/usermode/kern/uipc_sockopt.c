/* SPDX-License-Identifier: BSD-2-Clause */
/* What a socket option's value is copied by. */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/socket.h>

int
sooptcopyin(struct sockopt *sopt, void *buf, size_t len, size_t minlen)
{
	size_t n = MIN(sopt->sopt_valsize, len);

	if (n < minlen)
		return (EINVAL);
	sopt->sopt_valsize = n;
	memcpy(buf, sopt->sopt_val, n);
	return (0);
}

int
sooptcopyout(struct sockopt *sopt, const void *buf, size_t len)
{
	sopt->sopt_valsize = MIN(sopt->sopt_valsize, len);
	if (sopt->sopt_val != NULL)
		memcpy(sopt->sopt_val, buf, sopt->sopt_valsize);
	return (0);
}
