/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_PCPU_H_
#define	_SYS_PCPU_H_

#include <sys/cdefs.h>

struct thread;

/* Who runs.  One host thread has one at a time; coroutines change it. */
extern __thread struct thread *kern_curthread;
#define	curthread	(kern_curthread)
#define	curproc		(curthread->td_proc)
u_int	kern_curcpu(void);
#define	curcpu		(kern_curcpu())
#define	PCPU_GET(member) __CONCAT(PCPU_, member)
#define	PCPU_cpuid	curcpu
#define	PCPU_curthread	curthread

/* Per-CPU variables: one copy for each processor there can be. */
#define	DPCPU_DECLARE(t, n)	extern t dpcpu_##n[]
#define	DPCPU_DEFINE(t, n)	t dpcpu_##n[MAXCPU]
#define	DPCPU_DEFINE_STATIC(t, n) static t dpcpu_##n[MAXCPU]
#define	DPCPU_PTR(n)		(&dpcpu_##n[curcpu])
#define	DPCPU_GET(n)		(dpcpu_##n[curcpu])
#define	DPCPU_SET(n, v)		(dpcpu_##n[curcpu] = (v))
#define	DPCPU_ID_PTR(i, n)	(&dpcpu_##n[(i)])
#define	DPCPU_ID_GET(i, n)	(dpcpu_##n[(i)])
#define	DPCPU_ID_SET(i, n, v)	(dpcpu_##n[(i)] = (v))

#endif /* !_SYS_PCPU_H_ */
