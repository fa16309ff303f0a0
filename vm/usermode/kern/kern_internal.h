/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of kern/ share with one another and with nobody else. */
#ifndef _KERN_INTERNAL_H_
#define	_KERN_INTERNAL_H_

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/proc.h>
#include <sys/callout.h>
#include <host/host.h>

#define	FOREVER		INT64_MAX
#define	CLOCK_VIRTUAL	(!host_config.wall)

#if defined(__SANITIZE_THREAD__)
/* Of a host thread's stack near 1 MB is ThreadSanitizer's own. */
#define	STACK_SCALE	(CLOCK_VIRTUAL ? 8 : 128)
#elif defined(__SANITIZE_ADDRESS__)
#define	STACK_SCALE	8
#elif defined(DNH_SANITIZE)
#define	STACK_SCALE	4
#else
#define	STACK_SCALE	1
#endif
#define	KSTACK_SIZE	((size_t)KSTACK_PAGES * PAGE_SIZE * STACK_SCALE)
/* A program has its own stack and the kernel's in one. */
#define	USTACK_SIZE	((size_t)64 * 1024 * STACK_SCALE)

/*
 * kern_sched.c.  "Locked" means between host_lock() and host_unlock(), the
 * lock of the scheduler's queues.
 */
void	sched_init(void);
void	sched_boot_done(void);
uint64_t sched_random(void);
struct thread *thread_create(struct proc *p, void (*func)(void *), void *arg,
	    size_t stack, int pflags, const char *name);
/* Locked: put curthread where a wakeup of chan finds it. */
void	waitq_enter(const void *chan, const char *wmesg, int64_t deadline);
/* Locked: wait there; 0, EWOULDBLOCK or EINTR.  Comes back unlocked. */
int	sleepq_wait(void);
/* Locked: off the queue without waiting. */
void	waitq_leave(struct thread *td);
/* Locked: wake all (or one) of those that wait for chan; how many there were. */
int	waitq_wake(const void *chan, bool all);
bool	waitq_has(const void *chan);
/* Locked: a thread that waits with a deadline gets another one. */
void	waitq_set_deadline(struct thread *td, int64_t deadline);
/* Of a lock that another CPU holds: let that CPU go on. */
void	sched_spin(void);
/* A system call's or trap's blocking by the host: the CPU is given up meanwhile. */
void	sched_leave_cpu(void);
void	sched_enter_cpu(void);
void	sched_thread_start(struct thread *td);
void	sched_thread_exit(void) __dead2;
void	thread_free(struct thread *td);
void	proc_reap(struct proc *p);

/* kern_clock.c */
void	clock_init(void);
void	clock_set(int64_t now_ns);	/* virtual: time goes on to there */
extern int64_t clock_virtual_ns;
extern int64_t clock_wall_base;	/* the host's time of boot */
int64_t	clock_deadline(sbintime_t sbt, int flags);	/* ns, or FOREVER */
int64_t	sbt_to_ns_up(sbintime_t sbt);

/* tty.c: the console */
void	cn_write(const char *s, size_t len);
void	cn_flush(void);
void	cn_panic_mode(void);
int	cn_getc(void);
int	cn_getline(char *buf, size_t size);	/* length, or -1: end of input */
/* Locked; the idle loop's: input for whoever waits for it, until it comes. */
bool	cn_waiting(void);
void	cn_poll_input(void);
void	cn_signals(void);
extern bool cn_echo;
/* Whom Ctrl-C is for: the process that the shell waits for, or NULL. */
extern struct proc *_Atomic cn_foreground;
void	cn_boot(void);

/* subr_witness.c */
struct lock_instance {
	struct lock_object *li_lock;
	const char	*li_file;
	int		 li_line;
	u_int		 li_flags;
#define	LI_RECURSEMASK	0x0000ffff
#define	LI_EXCLUSIVE	0x00010000
};
#define	LOCK_NCHILDREN	30
struct lock_list_entry {
	int		 ll_count;
	struct lock_instance ll_children[LOCK_NCHILDREN];
};
void	lock_init(struct lock_object *lo, struct lock_class *class, const char *name,
	    const char *type, int flags);
void	lock_destroy(struct lock_object *lo);
void	witness_init(struct lock_object *lo, const char *type);
void	witness_destroy(struct lock_object *lo);
void	witness_checkorder(struct lock_object *lo, int flags, const char *file, int line);
void	witness_lock(struct lock_object *lo, int flags, const char *file, int line);
void	witness_unlock(struct lock_object *lo, int flags, const char *file, int line);
void	witness_upgrade(struct lock_object *lo, const char *file, int line);
void	witness_downgrade(struct lock_object *lo, const char *file, int line);
void	witness_save(struct lock_object *lo, const char **filep, int *linep);
int	witness_held(struct thread *td, struct lock_object *lo);
void	witness_thread_init(struct thread *td);
void	witness_thread_exit(struct thread *td);
void	witness_show_thread(struct thread *td, int (*pr)(const char *, ...));
#ifdef WITNESS
#define	WITNESS_CHECKORDER(lo, f, file, line)	witness_checkorder((lo), (f), (file), (line))
#define	WITNESS_LOCK(lo, f, file, line)		witness_lock((lo), (f), (file), (line))
#define	WITNESS_UNLOCK(lo, f, file, line)	witness_unlock((lo), (f), (file), (line))
#else
#define	WITNESS_CHECKORDER(lo, f, file, line)	(void)0
#define	WITNESS_LOCK(lo, f, file, line)		(void)0
#define	WITNESS_UNLOCK(lo, f, file, line)	(void)0
#endif

/* subr_kdb.c */
struct trapframe_link {
	struct trapframe_link *tl_prev;
	uintptr_t	 tl_fp;		/* frame of the function that has it */
	struct host_frame *tl_frame;
	int		 tl_trapno;
};
extern __thread struct trapframe_link *trapframes;
void	backtrace_from(uintptr_t pc, uintptr_t fp, int (*pr)(const char *, ...));
void	print_symbol(uintptr_t pc, char *buf, size_t size);
uintptr_t get_pc(void);
void	db_main(const char *why, const char *msg, bool may_continue);
void	db_fault(void);		/* comes back at the prompt when the debugger is active */
extern struct thread *kdb_thread;

/* The exit status of a program whose kernel panicked. */
#define	EXIT_PANIC	70

/* uma_core.c */
struct uma_zone;
void	kmeminit(void);
void	malloc_type_each(void (*f)(const struct malloc_type *, void *), void *arg);
void	uma_zone_each(void (*f)(const char *name, size_t size, u_long max, u_long used,
	    u_long cached, u_long req, u_long fails, void *arg), void *arg);
void	uma_zone_counts(struct uma_zone *z, uint64_t *inuse, uint64_t *cached, uint64_t *fails);
int	uma_item_is_free(const void *p);
void	uma_check_used(struct uma_zone *z, void *p);

/* kern_shutdown.c: the programs are gone; account for what is left, and off. */
void	shutdown_nice(void) __dead2;

/* kern_malloc.c, uipc_mbuf.c */
void	malloc_mark_boot(void);
void	mbuf_mark_boot(void);
u_int	mbuf_report_leaks(void);

/* kern_module.c: which kld a source file belongs to; NULL: the kernel itself. */
struct kld;
struct kld *kld_of_file(const char *file);
bool	kld_loaded(struct kld *k);
void	kld_boot(void);
void	kld_unload_all(void);
void	kld_sysinit(struct kld *k);	/* init_main.c */
void	kld_sysuninit(struct kld *k);
int	kld_id_by_name(const char *name, bool module);
void	kld_each(void (*f)(int id, int refs, const char *name, void *arg), void *arg);
void	kld_each_module(int id, void (*f)(int modid, const char *name, void *arg), void *arg);

/* subr_pcpu.c */
void	pcpu_init(void);

/* userland/sh.c */
void	init_main(void *);

#endif /* !_KERN_INTERNAL_H_ */
