/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _MACHINE_CPUFUNC_H_
#define	_MACHINE_CPUFUNC_H_

#include <sys/types.h>

/* Ordered as the crowd of runnable threads is: of no cost on the virtual clock. */
void	cpu_spinwait(void);

static inline uint64_t
rdtsc(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return (__builtin_ia32_rdtsc());
#else
	extern uint64_t cpu_ticks(void);
	return (cpu_ticks());
#endif
}

static inline void breakpoint(void) { __builtin_trap(); }
#define	prefetch(x)	__builtin_prefetch(x)

#endif /* !_MACHINE_CPUFUNC_H_ */
