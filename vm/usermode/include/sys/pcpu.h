/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_PCPU_H_
#define	_SYS_PCPU_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/linker_set.h>
#include <machine/param.h>

struct thread;

struct pcpu {
	struct thread	*pc_curthread;	/* who owns this CPU, or NULL: idle */
	struct thread	*pc_idlethread;
	u_int		 pc_cpuid;
	u_int		 pc_acpi_id;
	u_int		 pc_apic_id;
	int		 pc_domain;
	uint64_t	 pc_switchtime;	/* start of the present slice, ns */
	uintptr_t	 pc_dynamic;	/* DPCPU base */
	void		*pc_spinlocks;
} __aligned(CACHE_LINE_SIZE);

extern struct pcpu	pcpu_data[MAXCPU];
/* One of the host's threads has one, whichever clock it runs on. */
extern __thread struct thread *pcpu_curthread;
#define	curthread	(pcpu_curthread)
#define	curproc		(curthread->td_proc)
#define	curcpu		(curthread->td_oncpu)
#define	PCPU_GET(m)	(pcpu_data[curcpu].pc_##m)
#define	PCPU_PTR(m)	(&pcpu_data[curcpu].pc_##m)
#define	PCPU_SET(m, v)	(pcpu_data[curcpu].pc_##m = (v))
#define	pcpu_find(c)	(&pcpu_data[c])
#define	cpuid_to_pcpu(c) (&pcpu_data[c])
#define	get_pcpu()	(&pcpu_data[curcpu])

/* Dynamic per-CPU data: one copy of the section for each CPU. */
#define	DPCPU_SETNAME		"set_pcpu"
extern char __start_set_pcpu[], __stop_set_pcpu[];
#define	DPCPU_START		((uintptr_t)__start_set_pcpu)
#define	DPCPU_STOP		((uintptr_t)__stop_set_pcpu)
#define	DPCPU_NAME(n)		pcpu_entry_##n
#define	DPCPU_DECLARE(t, n)	extern t DPCPU_NAME(n)
#define	DPCPU_DEFINE(t, n)						\
	struct __hack; t DPCPU_NAME(n) __section(DPCPU_SETNAME) __used
#define	DPCPU_DEFINE_STATIC(t, n)					\
	static t DPCPU_NAME(n) __section(DPCPU_SETNAME) __used
#define	_DPCPU_PTR(b, n)						\
	((__typeof(DPCPU_NAME(n)) *)((b) + (uintptr_t)&DPCPU_NAME(n)))
#define	DPCPU_PTR(n)		_DPCPU_PTR(PCPU_GET(dynamic), n)
#define	DPCPU_GET(n)		(*DPCPU_PTR(n))
#define	DPCPU_SET(n, v)		(*DPCPU_PTR(n) = (v))
#define	DPCPU_ID_PTR(i, n)	_DPCPU_PTR(pcpu_data[i].pc_dynamic, n)
#define	DPCPU_ID_GET(i, n)	(*DPCPU_ID_PTR(i, n))
#define	DPCPU_ID_SET(i, n, v)	(*DPCPU_ID_PTR(i, n) = (v))
#define	DPCPU_SUM(n) __extension__ ({						\
	__typeof(DPCPU_NAME(n)) __sum = 0;				\
	u_int __i;							\
	CPU_FOREACH(__i)						\
		__sum += DPCPU_ID_GET(__i, n);				\
	__sum; })

#define	zpcpu_get(p)		((__typeof(p))zpcpu_of((p), curcpu))
#define	zpcpu_get_cpu(p, c)	((__typeof(p))zpcpu_of((p), (c)))
#define	ZPCPU_STRIDE		CACHE_LINE_SIZE
#define	zpcpu_of(p, c)		((void *)((uintptr_t)(p) + (uintptr_t)(c) * ZPCPU_STRIDE))

#endif /* !_SYS_PCPU_H_ */
