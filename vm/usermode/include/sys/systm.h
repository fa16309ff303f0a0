/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SYSTM_H_
#define	_SYS_SYSTM_H_

#include <sys/param.h>
#include <sys/stdarg.h>
#include <sys/queue.h>
#include <sys/kassert.h>
#include <machine/atomic.h>
#include <sys/pcpu.h>
#include <sys/libkern.h>
#include <sys/kernel.h>

struct lock_object;
struct mtx;
struct thread;
struct ucred;

int	printf(const char *, ...) __printflike(1, 2);
int	vprintf(const char *, va_list) __printflike(1, 0);
int	snprintf(char *, size_t, const char *, ...) __printflike(3, 4);
int	vsnprintf(char *, size_t, const char *, va_list) __printflike(3, 0);
int	sprintf(char *, const char *, ...) __printflike(2, 3);
int	vsprintf(char *, const char *, va_list) __printflike(2, 0);
int	uprintf(const char *, ...) __printflike(1, 2);
void	log(int, const char *, ...) __printflike(2, 3);
void	tprintf(void *, int, const char *, ...) __printflike(3, 4);

int	_sleep(const void *chan, struct lock_object *lock, int pri,
	    const char *wmesg, sbintime_t sbt, sbintime_t pr, int flags);
#define	msleep(chan, mtx, pri, wmesg, timo)				\
	_sleep((chan), &(mtx)->lock_object, (pri), (wmesg),		\
	    kern_ticks_sbt(timo), 0, 0)
#define	msleep_sbt(chan, mtx, pri, wmesg, bt, pr, flags)		\
	_sleep((chan), &(mtx)->lock_object, (pri), (wmesg), (bt), (pr), (flags))
#define	mtx_sleep(chan, mtx, pri, wmesg, timo)				\
	msleep((chan), (mtx), (pri), (wmesg), (timo))
#define	msleep_spin(chan, mtx, wmesg, timo)				\
	msleep((chan), (mtx), 0, (wmesg), (timo))
#define	rw_sleep(chan, l, pri, wmesg, timo)				\
	_sleep((chan), &(l)->rw.lock_object, (pri), (wmesg),		\
	    kern_ticks_sbt(timo), 0, 0)
#define	sx_sleep(chan, l, pri, wmesg, timo)				\
	_sleep((chan), &(l)->sx.lock_object, (pri), (wmesg),		\
	    kern_ticks_sbt(timo), 0, 0)
#define	tsleep(chan, pri, wmesg, timo)					\
	_sleep((chan), NULL, (pri), (wmesg), kern_ticks_sbt(timo), 0, 0)
#define	tsleep_sbt(chan, pri, wmesg, bt, pr, flags)			\
	_sleep((chan), NULL, (pri), (wmesg), (bt), (pr), (flags))
int	pause_sbt(const char *wmesg, sbintime_t sbt, sbintime_t pr, int flags);
#define	pause(wmesg, timo)	pause_sbt((wmesg), kern_ticks_sbt(timo), 0, 0)
#define	pause_sig(wmesg, timo)	pause((wmesg), (timo))
sbintime_t kern_ticks_sbt(int timo);
void	wakeup(const void *chan);
void	wakeup_one(const void *chan);
#define	wakeup_any(chan)	wakeup_one(chan)
void	maybe_yield(void);
void	kern_yield(int prio);
bool	should_yield(void);
/* A place where the seeded scheduler may give the processor to another. */
void	kern_preempt_point(void);

void	critical_enter(void);
void	critical_exit(void);

void	DELAY(int usec);
uint64_t cpu_ticks(void);
uint64_t get_cyclecount(void);
#define	cpu_spinwait()	__compiler_membar()

int	copyin(const void *, void *, size_t);
int	copyout(const void *, void *, size_t);
int	copyinstr(const void *, void *, size_t, size_t *);

void	*hashinit(int count, void *type, u_long *hashmask);
void	*hashinit_flags(int count, void *type, u_long *hashmask, int flags);
void	hashdestroy(void *, void *type, u_long hashmask);
#define	HASH_NOWAIT	1
#define	HASH_WAITOK	2

extern int bootverbose;
extern int boothowto;
extern char version[];
extern char osrelease[];
extern char ostype[];
extern int panicstr_set;
extern const char *panicstr;
#define	KERNEL_PANICKED()	__predict_false(panicstr != NULL)
#define	SCHEDULER_STOPPED()	KERNEL_PANICKED()

struct unrhdr;
struct unrhdr *new_unrhdr(int low, int high, struct mtx *mutex);
void	delete_unrhdr(struct unrhdr *);
int	alloc_unr(struct unrhdr *);
int	alloc_unr_specific(struct unrhdr *, u_int);
void	free_unr(struct unrhdr *, u_int);

#endif /* !_SYS_SYSTM_H_ */
