/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _MACHINE_CPU_H_
#define	_MACHINE_CPU_H_

#include <sys/types.h>
#include <machine/cpufunc.h>

uint64_t cpu_ticks(void);
uint64_t cpu_tickrate(void);
uint64_t get_cyclecount(void);
#define	TRAPF_USERMODE(f)	false

#endif /* !_MACHINE_CPU_H_ */
