/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel side asks of the machine it runs on.  Both sides include this
 * file, so it names no type but the language's own.
 */
#ifndef _HOST_H_
#define	_HOST_H_

/* Start and end. */
struct host_config {
	unsigned long	seed;
	int		wall;		/* real threads and real time */
	int		ncpu;
	int		interactive;	/* the console shows what is typed */
	const char	*tunable[256];	/* name=value */
	int		ntunables;
};
extern struct host_config host_config;
void	host_exit(int status) __attribute__((__noreturn__));

/* The console: stdin and stdout.  host_read: 0 at the end, -1 when a signal came. */
void	host_write(const char *buf, unsigned long len);
long	host_read(char *buf, unsigned long len);
/* Signals since the last call, HOST_SIG_* . */
int	host_signals(void);
int	host_signal_pending(void);
#define	HOST_SIG_INT	1	/* Ctrl-C */
#define	HOST_SIG_TERM	2	/* the power button */

/* Memory: chunks at HOST_CHUNK boundaries, always at the same addresses in the same order. */
#define	HOST_CHUNK	65536ul
void	*host_chunks(unsigned long n);		/* zeroed; NULL when there is no more */
void	host_chunks_free(void *p, unsigned long n);
int	host_in_arena(const void *p);
/* Page-aligned stacks with a guard below. */
void	*host_stack_alloc(unsigned long size);
void	host_stack_free(void *p, unsigned long size);
#define	HOST_GUARD	65536ul
/* AddressSanitizer's view of memory that the kernel's allocator has back. */
void	host_poison(const void *p, unsigned long size);
void	host_unpoison(const void *p, unsigned long size);
unsigned long host_maxrss_kb(void);

/* Time in ns: monotonic; and s since 1970. */
long	host_now_ns(void);
long	host_epoch_s(void);

/*
 * Threads: coroutines on the virtual clock, the host's own on the wall clock.
 * The big lock guards the kernel's scheduler; it costs nothing on the virtual
 * clock.
 */
struct hthread;
void	host_lock(void);
void	host_unlock(void);
struct hthread *host_thread_self(void);		/* of the thread that main() runs in */
struct hthread *host_thread_new(void *stack, unsigned long size, void (*entry)(void *), void *arg);
void	host_thread_free(struct hthread *t);	/* wall: waits for its end */
/*
 * ThreadSanitizer's view of the virtual clock.  Coroutines are threads to it,
 * a switch orders nothing, the big lock does.  What is done unseen is the
 * scheduler's playing at being several processors: no processor would do it.
 */
void	host_unseen_begin(void);
void	host_unseen_end(void);
/* Virtual: from one to another; last: from will never run again. */
void	host_switch_to(struct hthread *from, struct hthread *to, int last);
/* Wall, with the big lock held: wait to be woken, or for the deadline (< 0: none). */
void	host_thread_start(struct hthread *t);
void	host_thread_relax(void);
void	host_thread_wait(struct hthread *self, long deadline_ns);
void	host_thread_wake(struct hthread *t);
void	host_thread_exit(struct hthread *self) __attribute__((__noreturn__));

/* Faults: the host calls kern_trap() on a stack of its own. */
struct host_frame {
	int		sig;
	int		write;		/* the access was a write */
	int		exec;		/* an instruction fetch */
	int		noncanonical;
	int		present;	/* a protection violation */
	int		undefined;	/* the sanitizers' trap */
	unsigned long	addr;
	unsigned long	pc, sp, fp, flags;
	unsigned long	reg[16];	/* rax rbx rcx rdx rsi rdi rbp rsp r8 ... r15 */
};
enum { HOST_FAULT_PAGE = 1, HOST_FAULT_GP, HOST_FAULT_FPE, HOST_FAULT_ILL, HOST_FAULT_INT, HOST_FAULT_BREAK };
void	kern_trap(int kind, struct host_frame *frame);
void	host_fault_init(void);
void	host_fault_thread_init(void);
void	host_fault_thread_fini(void);
int	host_peek(unsigned long addr, unsigned long *value);	/* 0: readable */
/* Another panic or debugger session: the other host threads stand still until let go. */
void	host_stop_others(void);
void	host_resume_others(void);
/* Where a thread was stopped, or, a coroutine, where it left off; 0 when known. */
int	host_thread_where(struct hthread *t, unsigned long *pc, unsigned long *fp);

/* Symbols of this program: the function that holds pc, and how far in. */
const char *host_symbol(unsigned long pc, unsigned long *offset);

/* The kernel's entry point, on a stack of the kernel's own size. */
void	kern_main(void) __attribute__((__noreturn__));

#endif /* !_HOST_H_ */
