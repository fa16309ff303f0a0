/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_KASSERT_H_
#define	_SYS_KASSERT_H_

#include <sys/cdefs.h>

void	panic(const char *, ...) __dead2 __printflike(1, 2);
void	kassert_panic(const char *, ...) __printflike(1, 2);

#ifdef INVARIANTS
#define	KASSERT(exp, msg) do {						\
	if (__predict_false(!(exp)))					\
		kassert_panic msg;					\
} while (0)
#define	MPASS(ex)							\
	KASSERT((ex), ("Assertion %s failed at %s:%d", #ex, __FILE__, __LINE__))
#define	VNASSERT(exp, vp, msg)	KASSERT(exp, msg)
#else
#define	KASSERT(exp, msg)	do { } while (0)
#define	MPASS(ex)		do { } while (0)
#endif
#define	MPASS2(ex, what)	KASSERT((ex), ("Assertion %s failed at %s:%d", what, __FILE__, __LINE__))
#define	CTASSERT(x)		_Static_assert(x, "compile-time assertion failed")
#ifndef static_assert
#define	static_assert		_Static_assert
#endif
#define	__assert_unreachable()	panic("executing segment marked as unreachable at %s:%d (%s())\n", \
	__FILE__, __LINE__, __func__)

#endif /* !_SYS_KASSERT_H_ */
