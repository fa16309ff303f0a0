/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SMP_H_
#define	_SYS_SMP_H_

#include <sys/types.h>
#include <sys/cpuset.h>
#include <sys/pcpu.h>

extern int	mp_ncpus;
extern u_int	mp_maxid;
extern int	mp_ncores;
extern _Atomic int	smp_started;
extern int	smp_cpus;
extern cpuset_t	all_cpus;
#define	CPU_ABSENT(c)	((c) > mp_maxid)
#define	CPU_FOREACH(i)	for ((i) = 0; (i) <= (__typeof(i))mp_maxid; (i)++)
static inline u_int cpu_first(void) { return (0); }
static inline u_int cpu_next(u_int i) { return (i >= mp_maxid ? 0 : i + 1); }
#define	CPU_FIRST()	cpu_first()
#define	CPU_NEXT(i)	cpu_next(i)
/* Calls the function on every CPU, one after the other, and comes back. */
void	smp_rendezvous(void (*setup)(void *), void (*action)(void *),
	    void (*teardown)(void *), void *arg);
void	smp_no_rendezvous_barrier(void *);
void	quiesce_all_cpus(const char *wmesg, int prio);

#endif /* !_SYS_SMP_H_ */
