/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _MACHINE_PARAM_H_
#define	_MACHINE_PARAM_H_

#define	PAGE_SHIFT	12
#define	PAGE_SIZE	(1 << PAGE_SHIFT)
#define	PAGE_MASK	(PAGE_SIZE - 1)
#define	MAXCPU		64
#define	MAXMEMDOM	1
#define	CACHE_LINE_SHIFT 6
#define	CACHE_LINE_SIZE	(1 << CACHE_LINE_SHIFT)
#define	KSTACK_PAGES	4
#define	ALIGNBYTES	(sizeof(register_t) - 1)
#define	ALIGN(p)	(((uintptr_t)(p) + ALIGNBYTES) & ~(uintptr_t)ALIGNBYTES)
#define	ALIGNED_POINTER(p, t)	((((uintptr_t)(p)) & (sizeof(t) - 1)) == 0)
#define	round_page(x)	(((uintptr_t)(x) + PAGE_MASK) & ~(uintptr_t)PAGE_MASK)
#define	trunc_page(x)	((uintptr_t)(x) & ~(uintptr_t)PAGE_MASK)
#define	atop(x)		((uintptr_t)(x) >> PAGE_SHIFT)
#define	ptoa(x)		((uintptr_t)(x) << PAGE_SHIFT)
#if defined(__x86_64__)
#define	MACHINE		"amd64"
#define	MACHINE_ARCH	"amd64"
#elif defined(__aarch64__)
#define	MACHINE		"arm64"
#define	MACHINE_ARCH	"aarch64"
#else
#define	MACHINE		"usermode"
#define	MACHINE_ARCH	"usermode"
#endif

#endif /* !_MACHINE_PARAM_H_ */
