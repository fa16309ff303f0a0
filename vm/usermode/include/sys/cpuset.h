/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_CPUSET_H_
#define	_SYS_CPUSET_H_

#include <sys/bitset.h>
#include <machine/param.h>

#define	CPU_SETSIZE	MAXCPU
BITSET_DEFINE(_cpuset, CPU_SETSIZE);
typedef struct _cpuset cpuset_t;
struct cpuset { cpuset_t cs_mask; };

#define	CPU_CLR(n, p)		BIT_CLR(CPU_SETSIZE, n, p)
#define	CPU_SET(n, p)		BIT_SET(CPU_SETSIZE, n, p)
#define	CPU_ISSET(n, p)		BIT_ISSET(CPU_SETSIZE, n, p)
#define	CPU_ZERO(p)		BIT_ZERO(CPU_SETSIZE, p)
#define	CPU_FILL(p)		BIT_FILL(CPU_SETSIZE, p)
#define	CPU_SETOF(n, p)		BIT_SETOF(CPU_SETSIZE, n, p)
#define	CPU_EMPTY(p)		BIT_EMPTY(CPU_SETSIZE, p)
#define	CPU_COPY(f, t)		BIT_COPY(CPU_SETSIZE, f, t)
#define	CPU_AND(d, s)		BIT_AND(CPU_SETSIZE, d, s)
#define	CPU_OR(d, s)		BIT_OR(CPU_SETSIZE, d, s)
#define	CPU_ANDNOT(d, s)	BIT_ANDNOT(CPU_SETSIZE, d, s)
#define	CPU_CMP(p, c)		BIT_CMP(CPU_SETSIZE, p, c)
#define	CPU_FFS(p)		BIT_FFS(CPU_SETSIZE, p)
#define	CPU_FLS(p)		BIT_FLS(CPU_SETSIZE, p)
#define	CPU_COUNT(p)		BIT_COUNT(CPU_SETSIZE, p)
#define	CPU_FOREACH_ISSET(i, p)	BIT_FOREACH_ISSET(CPU_SETSIZE, i, p)

struct thread;
int	cpuset_setthread(lwpid_t id, cpuset_t *mask);
int	cpuset_kernthread(struct thread *td);
int	cpuset_setaffinity_td(struct thread *td, const cpuset_t *mask);

#endif /* !_SYS_CPUSET_H_ */
