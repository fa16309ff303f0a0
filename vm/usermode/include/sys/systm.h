/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SYSTM_H_
#define	_SYS_SYSTM_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <stdarg.h>
#include <sys/errno.h>
#include <sys/queue.h>
#include <sys/time.h>
#include <sys/libkern.h>
#include <machine/atomic.h>
#include <machine/cpufunc.h>
#include <sys/pcpu.h>
#include <sys/kpilite.h>
#include <sys/dnh.h>

extern const char *_Atomic panicstr;
extern volatile int	kdb_active_flag;
extern _Atomic bool	scheduler_stopped;
extern int		bootverbose;
extern int		maxusers;
extern u_long		physmem;
extern long		maxmbufmem;

#define	KERNEL_PANICKED()	__predict_false(panicstr != NULL)
#define	SCHEDULER_STOPPED()	__predict_false(scheduler_stopped)

void	panic(const char *, ...) __dead2 __printflike(1, 2);
void	vpanic(const char *, va_list) __dead2 __printflike(1, 0);
void	kassert_panic(const char *, ...) __printflike(1, 2);

#ifdef INVARIANTS
#define	KASSERT(exp, msg)	do {					\
	if (__predict_false(!(exp)))					\
		kassert_panic msg;					\
} while (0)
#define	__diagused
#else
#define	KASSERT(exp, msg)	do { } while (0)
#define	__diagused	__unused
#endif
#ifdef WITNESS
#define	__witness_used
#else
#define	__witness_used	__unused
#endif
#define	VNASSERT(exp, vp, msg)	KASSERT(exp, msg)
#define	MPASS(ex)	MPASS4(ex, #ex, __FILE__, __LINE__)
#define	MPASS2(ex, what)	MPASS4(ex, what, __FILE__, __LINE__)
#define	MPASS3(ex, file, line)	MPASS4(ex, #ex, file, line)
#define	MPASS4(ex, what, file, line)					\
	KASSERT((ex), ("Assertion %s failed at %s:%d", what, file, line))
#define	CTASSERT(x)	_Static_assert(x, "compile-time assertion failed")
#ifndef static_assert
#define	static_assert	_Static_assert
#endif
#define	__unreachable()	__builtin_unreachable()
#define	__assert_unreachable()						\
	panic("executing segment marked as unreachable at %s:%d (%s())\n", \
	    __FILE__, __LINE__, __func__)

int	printf(const char *, ...) __printflike(1, 2);
int	vprintf(const char *, va_list) __printflike(1, 0);
int	uprintf(const char *, ...) __printflike(1, 2);
int	sprintf(char *, const char *, ...) __printflike(2, 3);
int	vsprintf(char *, const char *, va_list) __printflike(2, 0);
int	snprintf(char *, size_t, const char *, ...) __printflike(3, 4);
int	vsnprintf(char *, size_t, const char *, va_list) __printflike(3, 0);
int	asprintf(char **, struct malloc_type *, const char *, ...) __printflike(3, 4);
int	kvprintf(const char *, void (*)(int, void *), void *, int, va_list) __printflike(1, 0);
void	log(int, const char *, ...) __printflike(2, 3);
void	vlog(int, const char *, va_list) __printflike(2, 0);
void	tprintf(struct proc *, int, const char *, ...) __printflike(3, 4);
int	sscanf(const char *, const char *, ...);

#define	copyin(u, k, n)		(memcpy((k), (u), (n)), 0)
#define	copyout(k, u, n)	(memcpy((u), (k), (n)), 0)
#define	copyin_nofault(u, k, n)	copyin(u, k, n)
#define	copyout_nofault(k, u, n) copyout(k, u, n)
int	copyinstr(const void *, void *, size_t, size_t *);

void	critical_enter(void);
void	critical_exit(void);
void	spinlock_enter(void);
void	spinlock_exit(void);

/* Sleeping and waking. */
#define	C_PRELBITS	7
#define	C_PRELRANGE	((1 << C_PRELBITS) - 1)
#define	C_PREL(x)	(((x) + 1) << 1)
#define	C_DIRECT_EXEC	0x0001
#define	C_HARDCLOCK	0x0100
#define	C_ABSOLUTE	0x0200
#define	C_PRECALC	0x0400
#define	C_CATCH		0x0800

struct lock_object;
int	_sleep(const void *chan, struct lock_object *lock, int pri, const char *wmesg,
	    sbintime_t sbt, sbintime_t pr, int flags);
int	msleep_spin_sbt(const void *chan, struct mtx *mtx, const char *wmesg,
	    sbintime_t sbt, sbintime_t pr, int flags);
int	pause_sbt(const char *wmesg, sbintime_t sbt, sbintime_t pr, int flags);
#define	msleep(chan, mtx, pri, wmesg, timo)				\
	_sleep((chan), &(mtx)->lock_object, (pri), (wmesg), tick_sbt * (timo), 0, C_HARDCLOCK)
#define	msleep_sbt(chan, mtx, pri, wmesg, bt, pr, flags)		\
	_sleep((chan), &(mtx)->lock_object, (pri), (wmesg), (bt), (pr), (flags))
#define	msleep_spin(chan, mtx, wmesg, timo)				\
	msleep_spin_sbt((chan), (mtx), (wmesg), tick_sbt * (timo), 0, C_HARDCLOCK)
#define	tsleep(chan, pri, wmesg, timo)					\
	_sleep((chan), NULL, (pri), (wmesg), tick_sbt * (timo), 0, C_HARDCLOCK)
#define	tsleep_sbt(chan, pri, wmesg, bt, pr, flags)			\
	_sleep((chan), NULL, (pri), (wmesg), (bt), (pr), (flags))
#define	pause(wmesg, timo)	pause_sbt((wmesg), tick_sbt * (timo), 0, C_HARDCLOCK)
#define	pause_sig(wmesg, timo)	pause_sbt((wmesg), tick_sbt * (timo), 0, C_HARDCLOCK | C_CATCH)
void	wakeup(const void *chan);
void	wakeup_one(const void *chan);
void	wakeup_any(const void *chan);
void	DELAY(int usec);

int	nullop(void);
int	eopnotsupp(void);
int	bus_noop(void);

struct unrhdr;
struct unrhdr *new_unrhdr(int low, int high, struct mtx *mutex);
void	init_unrhdr(struct unrhdr *uh, int low, int high, struct mtx *mutex);
void	delete_unrhdr(struct unrhdr *uh);
int	alloc_unr(struct unrhdr *uh);
int	alloc_unrl(struct unrhdr *uh);
void	free_unr(struct unrhdr *uh, u_int item);

void	kdb_enter(const char *why, const char *msg);
#include <sys/kassert.h>

#endif /* !_SYS_SYSTM_H_ */
