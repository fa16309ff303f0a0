/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A histogram of times from 1 ns to hours, with at most 1/64 of error: each
 * power of two is cut into 64 buckets.
 */
#ifndef _DNGEN_HIST_H_
#define	_DNGEN_HIST_H_

#include "dngen_os.h"

#define	HIST_SUB	64
#define	HIST_BUCKETS	(HIST_SUB * 40)

struct hist {
	uint64_t	count;
	int64_t		min, max;
	double		sum, sumsq;
	uint32_t	bucket[HIST_BUCKETS];
};

void	hist_add(struct hist *h, int64_t ns);
void	hist_clear(struct hist *h);
int64_t	hist_percentile(const struct hist *h, double p);
int64_t	hist_upper(int bucket);
void	hist_print(const struct hist *h);

#endif /* !_DNGEN_HIST_H_ */
