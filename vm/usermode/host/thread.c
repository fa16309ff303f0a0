/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coroutines for the virtual clock, host threads for the wall clock.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define	WITH_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define	WITH_TSAN 1
void	AnnotateIgnoreReadsBegin(const char *file, int line);
void	AnnotateIgnoreReadsEnd(const char *file, int line);
void	AnnotateIgnoreWritesBegin(const char *file, int line);
void	AnnotateIgnoreWritesEnd(const char *file, int line);
#endif

struct hthread {
	/* virtual */
	void		*sp;
	void		*fake_stack;	/* AddressSanitizer's */
	void		*fiber;		/* ThreadSanitizer's */
	void		*stack;
	unsigned long	 size;
	void		(*entry)(void *);
	void		*arg;
	/* wall */
	pthread_t	 id;
	pthread_cond_t	 cond;
	int		 wake;
	int		 started;
	unsigned long	 stop_pc, stop_fp;
	struct hthread	*next, **prevp;
};

static struct hthread self0;
static struct hthread *threads;		/* wall: all that run */
static __thread struct hthread *self;
static pthread_mutex_t big = PTHREAD_MUTEX_INITIALIZER;

/*
 * The switch is a call, so only what a called function must keep is kept:
 *	void switch_stacks(void **save_sp, void *load_sp)
 */
void	switch_stacks(void **save_sp, void *load_sp);
static void coroutine_main(void);

#if defined(__x86_64__)
__asm__(
    ".text\n.globl switch_stacks\n.type switch_stacks,@function\nswitch_stacks:\n"
    "	pushq %rbp\n	movq %rsp, %rbp\n"
    "	pushq %rbx\n	pushq %r12\n	pushq %r13\n	pushq %r14\n	pushq %r15\n"
    "	movq %rsp, (%rdi)\n"
    "	movq %rsi, %rsp\n"
    "	popq %r15\n	popq %r14\n	popq %r13\n	popq %r12\n	popq %rbx\n"
    "	popq %rbp\n"
    "	ret\n"
    ".size switch_stacks,.-switch_stacks\n");
enum { SAVED = 5 };		/* words below the frame pointer */

static void *
prepare(void *stack, unsigned long size)
{
	unsigned long *sp = (unsigned long *)((char *)stack + size);

	/* The end of the chain of frames; one word, for a function starts at 16 n + 8. */
	*--sp = 0;
	*--sp = (unsigned long)coroutine_main;
	*--sp = 0;		/* frame pointer */
	for (int i = 0; i < SAVED; i++)
		*--sp = 0;
	return (sp);
}

static void
saved(const void *sp, unsigned long *pc, unsigned long *fp)
{
	const unsigned long *w = sp;

	*fp = w[SAVED];
	*pc = w[SAVED + 1];
}
#elif defined(__aarch64__)
__asm__(
    ".text\n.globl switch_stacks\n.type switch_stacks,%function\nswitch_stacks:\n"
    "	stp x29, x30, [sp, #-160]!\n	mov x29, sp\n"
    "	stp x19, x20, [sp, #16]\n	stp x21, x22, [sp, #32]\n"
    "	stp x23, x24, [sp, #48]\n	stp x25, x26, [sp, #64]\n"
    "	stp x27, x28, [sp, #80]\n"
    "	stp d8, d9, [sp, #96]\n	stp d10, d11, [sp, #112]\n"
    "	stp d12, d13, [sp, #128]\n	stp d14, d15, [sp, #144]\n"
    "	mov x9, sp\n	str x9, [x0]\n	mov sp, x1\n"
    "	ldp x19, x20, [sp, #16]\n	ldp x21, x22, [sp, #32]\n"
    "	ldp x23, x24, [sp, #48]\n	ldp x25, x26, [sp, #64]\n"
    "	ldp x27, x28, [sp, #80]\n"
    "	ldp d8, d9, [sp, #96]\n	ldp d10, d11, [sp, #112]\n"
    "	ldp d12, d13, [sp, #128]\n	ldp d14, d15, [sp, #144]\n"
    "	ldp x29, x30, [sp], #160\n	ret\n"
    ".size switch_stacks,.-switch_stacks\n");

static void *
prepare(void *stack, unsigned long size)
{
	unsigned long *sp = (unsigned long *)((char *)stack + size) - 22;

	memset(sp, 0, 22 * sizeof(*sp));
	sp[1] = (unsigned long)coroutine_main;
	return (sp);
}

static void
saved(const void *sp, unsigned long *pc, unsigned long *fp)
{
	const unsigned long *w = sp;

	*fp = w[0];
	*pc = w[1];
}
#else
#include <ucontext.h>

static void *
prepare(void *stack, unsigned long size)
{
	ucontext_t *uc = calloc(1, sizeof(*uc));

	(void)getcontext(uc);
	uc->uc_stack.ss_sp = stack;
	uc->uc_stack.ss_size = size;
	makecontext(uc, coroutine_main, 0);
	return (uc);
}

void
switch_stacks(void **save_sp, void *load_sp)
{
	if (*save_sp == NULL)
		*save_sp = calloc(1, sizeof(ucontext_t));
	(void)swapcontext(*save_sp, load_sp);
}

static void
saved(const void *sp, unsigned long *pc, unsigned long *fp)
{
	(void)sp;
	*pc = *fp = 0;
}
#endif

static void
coroutine_main(void)
{
	struct hthread *t = self;

#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(t->fake_stack, NULL, NULL);
#endif
	host_lock();
	host_unlock();
	t->entry(t->arg);
	__builtin_trap();
}

static void
unseen_begin(void)
{
#ifdef WITH_TSAN
	AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
}

static void
unseen_end(void)
{
#ifdef WITH_TSAN
	AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
#endif
}

void
host_unseen_begin(void)
{
	if (!host_config.wall)
		unseen_begin();
}

void
host_unseen_end(void)
{
	if (!host_config.wall)
		unseen_end();
}

#ifdef WITH_TSAN
__attribute__((__no_sanitize_thread__))
#endif
void
host_switch_to(struct hthread *from, struct hthread *to, int last)
{
	(void)last;
#ifdef WITH_TSAN
	if (last)	/* it takes no lock along */
		host_unlock();
	from->fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->fiber, __tsan_switch_to_fiber_no_sync);
#endif
	self = to;
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(last ? NULL : &from->fake_stack, to->stack, to->size);
#endif
	switch_stacks(&from->sp, to->sp);
#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
#endif
}

static void
cond_init(struct hthread *t)
{
	pthread_condattr_t a;

	(void)pthread_condattr_init(&a);
	(void)pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&t->cond, &a);
	(void)pthread_condattr_destroy(&a);
}

/* With the big lock held. */
static void
list_add(struct hthread *t)
{
	t->next = threads;
	t->prevp = &threads;
	if (threads != NULL)
		threads->prevp = &t->next;
	threads = t;
}

struct hthread *
host_thread_self(void)
{
	if (self == NULL) {
		self = &self0;
		if (host_config.wall) {
			cond_init(&self0);
			self0.id = pthread_self();
			host_lock();
			list_add(&self0);
			host_unlock();
		}
	}
	return (self);
}

struct hthread *
host_thread_new(void *stack, unsigned long size, void (*entry)(void *), void *arg)
{
	struct hthread *t = calloc(1, sizeof(*t));

	t->stack = stack;
	t->size = size;
	t->entry = entry;
	t->arg = arg;
	if (host_config.wall)
		cond_init(t);
	else {
		t->sp = prepare(stack, size);
#ifdef WITH_TSAN
		t->fiber = __tsan_create_fiber(0);
#endif
	}
	return (t);
}

void
host_thread_free(struct hthread *t)
{
	if (host_config.wall) {
		if (t->started)
			(void)pthread_join(t->id, NULL);
		(void)pthread_cond_destroy(&t->cond);
	}
#ifdef WITH_TSAN
	else if (t->fiber != NULL)
		__tsan_destroy_fiber(t->fiber);
#endif
	free(t);
}

void
host_lock(void)
{
	if (host_config.wall)
		(void)pthread_mutex_lock(&big);
#ifdef WITH_TSAN
	else {
		__tsan_acquire(&big);
		host_unseen_begin();
	}
#endif
}

void
host_unlock(void)
{
	if (host_config.wall)
		(void)pthread_mutex_unlock(&big);
#ifdef WITH_TSAN
	else {
		host_unseen_end();
		__tsan_release(&big);
	}
#endif
}

static void *
pthread_main(void *arg)
{
	struct hthread *t = arg;

	self = t;
	host_fault_thread_init();
	t->entry(t->arg);
	__builtin_trap();
}

void
host_thread_start(struct hthread *t)
{
	pthread_attr_t a;
	sigset_t main_only, old;

	(void)pthread_attr_init(&a);
	(void)pthread_attr_setstack(&a, t->stack, t->size);
	/* What the user sends is for the main thread to take. */
	(void)sigemptyset(&main_only);
	(void)sigaddset(&main_only, SIGUSR1);
	(void)sigaddset(&main_only, SIGINT);
	(void)sigaddset(&main_only, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &main_only, &old);
	if (pthread_create(&t->id, &a, pthread_main, t) != 0)
		abort();
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&a);
	t->started = 1;
	list_add(t);
}

void
host_thread_relax(void)
{
	(void)sched_yield();
}

void
host_thread_exit(struct hthread *t)
{
	*t->prevp = t->next;
	if (t->next != NULL)
		t->next->prevp = t->prevp;
	host_unlock();
	host_fault_thread_fini();
	pthread_exit(NULL);
}

void
host_thread_wait(struct hthread *t, long deadline_ns)
{
	struct timespec ts = { deadline_ns / 1000000000, deadline_ns % 1000000000 };

	while (!t->wake) {
		if (deadline_ns < 0)
			(void)pthread_cond_wait(&t->cond, &big);
		else if (pthread_cond_timedwait(&t->cond, &big, &ts) != 0)
			break;
	}
	t->wake = 0;
}

void
host_thread_wake(struct hthread *t)
{
	t->wake = 1;
	(void)pthread_cond_signal(&t->cond);
}

/*
 * Stopping the others.  The list may be in somebody's hands when the panic
 * comes; then it is read as it is, for there is nothing better.
 */
static int stopped;
static pthread_mutex_t stopping = PTHREAD_MUTEX_INITIALIZER;
static pthread_t stopper;

void	host_stopped(unsigned long pc, unsigned long fp);

void
host_stopped(unsigned long pc, unsigned long fp)
{
	struct timespec ts = { 0, 2000000 };

	if (self != NULL) {
		self->stop_pc = pc;
		self->stop_fp = fp;
	}
	while (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE))
		(void)nanosleep(&ts, NULL);
}

void
host_stop_others(void)
{
	struct hthread *t;
	pthread_t me = pthread_self();

	if (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE) && pthread_equal(stopper, me))
		return;
	/* One at a time; a second one stands here for good, or is stopped. */
	(void)pthread_mutex_lock(&stopping);
	/* The debugger reads what is others'; they stand still, and that is order enough. */
	unseen_begin();
	stopper = me;
	__atomic_store_n(&stopped, 1, __ATOMIC_RELEASE);
	if (!host_config.wall)
		return;
	for (t = threads; t != NULL; t = t->next)
		if (!pthread_equal(t->id, me))
			(void)pthread_kill(t->id, SIGUSR2);
	struct timespec ts = { 0, 3000000 };
	(void)nanosleep(&ts, NULL);
}

void
host_resume_others(void)
{
	if (!__atomic_load_n(&stopped, __ATOMIC_ACQUIRE))
		return;
	__atomic_store_n(&stopped, 0, __ATOMIC_RELEASE);
	unseen_end();
	(void)pthread_mutex_unlock(&stopping);
}

int
host_thread_where(struct hthread *t, unsigned long *pc, unsigned long *fp)
{
	if (!host_config.wall) {
		if (t->sp == NULL)
			return (-1);
		saved(t->sp, pc, fp);
		return (0);
	}
	*pc = t->stop_pc;
	*fp = t->stop_fp;
	return (*pc == 0 ? -1 : 0);
}
