/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes, threads, credentials: their birth and death.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/priv.h>
#include <sys/proc.h>
#include <sys/sched.h>
#include <sys/smp.h>
#include <net/vnet.h>
#include <vm/uma.h>

#include "kern_internal.h"

MALLOC_DEFINE(M_PROC, "proc", "Proc structures");
MALLOC_DEFINE(M_THREAD, "thread", "Thread structures");
MALLOC_DEFINE(M_CRED, "cred", "credentials");

/* There from the start, as in FreeBSD: a module that asks to be told does not make them. */
EVENTHANDLER_LIST_DEFINE(thread_ctor);
EVENTHANDLER_LIST_DEFINE(thread_dtor);

struct proc proc0 = { .p_comm = "kernel", .p_flag = P_SYSTEM | P_KPROC };
struct thread thread0 = { .td_name = "swapper", .td_tid = 100000 };
struct ucred *thread0_ucred;
static struct ucred ucred0 = { .cr_ref = 1, .cr_prison = &prison0 };
struct proclist allproc = LIST_HEAD_INITIALIZER(allproc);
struct threadlist allthreads = TAILQ_HEAD_INITIALIZER(allthreads);
struct mtx allthreads_mtx;	/* both lists, and the threads of each process */
MTX_SYSINIT(allthreads, &allthreads_mtx, "allproc", MTX_DEF);

static lwpid_t last_tid = 100000;
static pid_t last_pid;

static void
proc0_init(void *arg)
{
	thread0_ucred = &ucred0;
	proc0.p_ucred = &ucred0;
	TAILQ_INIT(&proc0.p_threads);
	mtx_init(&proc0.p_mtx, "process lock", NULL, MTX_DEF | MTX_DUPOK);
	LIST_INSERT_HEAD(&allproc, &proc0, p_list);
	thread0.td_proc = &proc0;
	thread0.td_ucred = &ucred0;
	TAILQ_INSERT_TAIL(&proc0.p_threads, &thread0, td_plist);
	TAILQ_INSERT_TAIL(&allthreads, &thread0, td_list);
	proc0.p_numthreads = 1;
}
SYSINIT(proc0, SI_SUB_LOCK, SI_ORDER_ANY, proc0_init, NULL);

/* The end of the line for every thread: what it was begun with. */
void __noinline
fork_exit(void (*callout)(void *), void *arg)
{
	callout(arg);
	if (curproc == &proc0 || (curproc->p_flag & P_KPROC) != 0)
		kthread_exit();
	kproc_exit(0);
}

static struct proc *
proc_new(const char *comm, struct ucred *cr, int flags)
{
	struct proc *p;

	p = malloc(sizeof(*p), M_PROC, M_WAITOK | M_ZERO);
	TAILQ_INIT(&p->p_threads);
	strlcpy(p->p_comm, comm, sizeof(p->p_comm));
	p->p_ucred = crhold(cr);
	p->p_flag = flags;
	mtx_init(&p->p_mtx, "process lock", NULL, MTX_DEF | MTX_DUPOK);
	mtx_lock(&allthreads_mtx);
	p->p_pid = ++last_pid;
	LIST_INSERT_HEAD(&allproc, p, p_list);
	mtx_unlock(&allthreads_mtx);
	return (p);
}

void
proc_reap(struct proc *p)
{
	mtx_lock(&allthreads_mtx);
	LIST_REMOVE(p, p_list);
	mtx_unlock(&allthreads_mtx);
	mtx_destroy(&p->p_mtx);
	crfree(p->p_ucred);
	free(p, M_PROC);
}

struct thread *
thread_create(struct proc *p, void (*func)(void *), void *arg, size_t stack, int pflags,
    const char *name)
{
	struct thread *td;

	td = malloc_aligned(sizeof(*td), CACHE_LINE_SIZE, M_THREAD, M_WAITOK | M_ZERO);
	td->td_kstack = (uintptr_t)host_stack_alloc(stack);
	if (td->td_kstack == 0) {
		free(td, M_THREAD);
		return (NULL);
	}
	td->td_kstack_size = stack;
	td->td_proc = p;
	td->td_func = func;
	td->td_arg = arg;
	td->td_pflags = pflags;
	td->td_priority = PRI_MIN_KERN;
	td->td_ucred = crhold(p->p_ucred);
	strlcpy(td->td_name, name, sizeof(td->td_name));
	witness_thread_init(td);
	mtx_lock(&allthreads_mtx);
	td->td_tid = ++last_tid;
	TAILQ_INSERT_TAIL(&p->p_threads, td, td_plist);
	TAILQ_INSERT_TAIL(&allthreads, td, td_list);
	p->p_numthreads++;
	mtx_unlock(&allthreads_mtx);
	EVENTHANDLER_INVOKE(thread_ctor, td);
	sched_thread_start(td);
	return (td);
}

/* Its stack is not in use any more. */
void
thread_free(struct thread *td)
{
	host_thread_free(td->td_host);
	host_stack_free((void *)td->td_kstack, td->td_kstack_size);
	witness_thread_exit(td);
	free(td, M_THREAD);
}

static void __dead2
thread_exit(int status)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;
	bool last;

	WITNESS_WARN(WARN_PANIC, NULL, "thread %p (%s) exiting", td, td->td_name);
	KASSERT(td->td_epochnest == 0, ("thread %p exits in an epoch section", td));
	KASSERT(td->td_critnest == 0, ("thread_exit: td_critnest %d", td->td_critnest));
	EVENTHANDLER_INVOKE(thread_dtor, td);
	td->td_vnet = NULL;

	mtx_lock(&allthreads_mtx);
	TAILQ_REMOVE(&p->p_threads, td, td_plist);
	TAILQ_REMOVE(&allthreads, td, td_list);
	last = --p->p_numthreads == 0 && p != &proc0;
	mtx_unlock(&allthreads_mtx);
	crfree(td->td_ucred);
	td->td_ucred = NULL;
	/* kthread_add()'s callers may wait for the thread by its address. */
	wakeup(td);
	if (last) {
		p->p_xexit = status;
		if ((p->p_flag & P_KPROC) != 0) {
			wakeup(p);
			td->td_proc = &proc0;
			proc_reap(p);
		} else {
			mtx_lock(&p->p_mtx);
			atomic_store_bool(&p->p_exited, true);
			wakeup(p);
			/* Its parent reaps it as soon as it can lock it. */
			td->td_proc = &proc0;
			mtx_unlock(&p->p_mtx);
		}
	}
	sched_thread_exit();
}

static int
kthread_vadd(struct proc *p, void (*func)(void *), void *arg, struct thread **tdp, int flags,
    int pages, const char *fmt, va_list ap)
{
	struct thread *td;
	char name[MAXCOMLEN + 1];

	vsnprintf(name, sizeof(name), fmt, ap);
	td = thread_create(p, func, arg,
	    pages > 0 ? (size_t)pages * PAGE_SIZE * STACK_SCALE : KSTACK_SIZE, TDP_KTHREAD, name);
	if (td == NULL)
		return (ENOMEM);
	if (tdp != NULL)
		*tdp = td;
	return (0);
}

int
kthread_add(void (*func)(void *), void *arg, struct proc *p, struct thread **tdp, int flags,
    int pages, const char *fmt, ...)
{
	va_list ap;
	int error;

	va_start(ap, fmt);
	error = kthread_vadd(p != NULL ? p : &proc0, func, arg, tdp, flags, pages, fmt, ap);
	va_end(ap);
	return (error);
}

int
kproc_create(void (*func)(void *), void *arg, struct proc **pp, int flags, int pages,
    const char *fmt, ...)
{
	struct proc *p;
	char name[MAXCOMLEN + 1];
	va_list ap;
	int error;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	p = proc_new(name, &ucred0, P_SYSTEM | P_KPROC);
	if (pp != NULL)
		*pp = p;
	va_start(ap, fmt);
	error = kthread_vadd(p, func, arg, NULL, flags, pages, fmt, ap);
	va_end(ap);
	if (error != 0)
		proc_reap(p);
	return (error);
}

int
kproc_kthread_add(void (*func)(void *), void *arg, struct proc **pp, struct thread **tdp,
    int flags, int pages, const char *procname, const char *fmt, ...)
{
	va_list ap;
	int error;

	if (*pp == NULL)
		*pp = proc_new(procname, &ucred0, P_SYSTEM | P_KPROC);
	va_start(ap, fmt);
	error = kthread_vadd(*pp, func, arg, tdp, flags, pages, fmt, ap);
	va_end(ap);
	return (error);
}

void
kthread_exit(void)
{
	thread_exit(0);
}

void
kproc_exit(int ecode)
{
	thread_exit(ecode);
}

void
kproc_start(const void *udata)
{
	const struct kproc_desc *kp = udata;
	int error;

	error = kproc_create((void (*)(void *))kp->func, NULL, kp->global_procpp, 0, 0, "%s",
	    kp->arg0);
	if (error != 0)
		panic("kproc_start: %s: error %d", kp->arg0, error);
}

void
kthread_start(const void *udata)
{
	const struct kthread_desc *kp = udata;
	int error;

	error = kthread_add((void (*)(void *))kp->func, NULL, NULL, kp->global_threadpp, 0, 0,
	    "%s", kp->arg0);
	if (error != 0)
		panic("kthread_start: %s: error %d", kp->arg0, error);
}

/*
 * Suspension is a request that the thread looks for by itself.
 */
#define	TDF_KTH_SUSP	0x08000000

int
kthread_suspend(struct thread *td, int timo)
{
	mtx_lock(&td->td_proc->p_mtx);
	__atomic_fetch_or(&td->td_pflags, TDF_KTH_SUSP, __ATOMIC_RELAXED);
	wakeup(&td->td_pflags);
	return (mtx_sleep(&td->td_pflags, &td->td_proc->p_mtx, PPAUSE | PDROP, "suspkt", timo));
}

int
kthread_resume(struct thread *td)
{
	mtx_lock(&td->td_proc->p_mtx);
	__atomic_fetch_and(&td->td_pflags, ~TDF_KTH_SUSP, __ATOMIC_RELAXED);
	wakeup(&td->td_name);
	mtx_unlock(&td->td_proc->p_mtx);
	return (0);
}

void
kthread_suspend_check(void)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;

	if ((__atomic_load_n(&td->td_pflags, __ATOMIC_RELAXED) & TDF_KTH_SUSP) == 0)
		return;
	mtx_lock(&p->p_mtx);
	while ((td->td_pflags & TDF_KTH_SUSP) != 0) {
		wakeup(&td->td_pflags);
		mtx_sleep(&td->td_name, &p->p_mtx, PPAUSE, "ktsusp", 0);
	}
	mtx_unlock(&p->p_mtx);
}

int
kproc_suspend(struct proc *p, int timo)
{
	return (kthread_suspend(TAILQ_FIRST(&p->p_threads), timo));
}

int
kproc_resume(struct proc *p)
{
	return (kthread_resume(TAILQ_FIRST(&p->p_threads)));
}

void
kproc_suspend_check(struct proc *p)
{
	kthread_suspend_check();
}

void
kthread_shutdown(void *arg, int howto)
{
	if (!KERNEL_PANICKED())
		(void)kthread_suspend(arg, 60 * hz);
}

void
kproc_shutdown(void *arg, int howto)
{
	if (!KERNEL_PANICKED())
		(void)kproc_suspend(arg, 60 * hz);
}

/*
 * Programs of the guest.
 */
int
proc_spawn(const char *comm, struct ucred *cr, void (*func)(void *), void *arg, struct proc **pp)
{
	struct proc *p;

	p = proc_new(comm, cr, 0);
	p->p_pptr = curproc;
	if (pp != NULL)
		*pp = p;
	if (thread_create(p, func, arg, USTACK_SIZE, TDP_USER, comm) == NULL) {
		proc_reap(p);
		return (EAGAIN);
	}
	return (0);
}

int
proc_add_thread(struct proc *p, const char *name, void (*func)(void *), void *arg,
    struct thread **tdp)
{
	struct thread *td;

	td = thread_create(p, func, arg, USTACK_SIZE, TDP_USER, name);
	if (td == NULL)
		return (EAGAIN);
	if (tdp != NULL)
		*tdp = td;
	return (0);
}

struct proc *
pfind(pid_t pid)
{
	struct proc *p;

	mtx_lock(&allthreads_mtx);
	LIST_FOREACH(p, &allproc, p_list)
		if (p->p_pid == pid && !atomic_load_bool(&p->p_exited)) {
			PROC_LOCK(p);
			break;
		}
	mtx_unlock(&allthreads_mtx);
	return (p);
}

struct thread *
tdfind(lwpid_t tid, pid_t pid)
{
	struct thread *td;

	mtx_lock(&allthreads_mtx);
	TAILQ_FOREACH(td, &allthreads, td_list)
		if (td->td_tid == tid && (pid == -1 || td->td_proc->p_pid == pid))
			break;
	mtx_unlock(&allthreads_mtx);
	return (td);
}

/*
 * The way back to a program: everything that the kernel took it has to have
 * given back.
 */
void
userret(struct thread *td, void *frame)
{
	WITNESS_WARN(WARN_PANIC, NULL, "userret: returning");
	KASSERT(td->td_critnest == 0, ("userret: Returning in a critical section"));
	KASSERT(td->td_locks == 0, ("userret: Returning with %d locks held", td->td_locks));
	KASSERT(td->td_rw_rlocks == 0,
	    ("userret: Returning with %d rwlocks held in read mode", td->td_rw_rlocks));
	KASSERT(td->td_sx_slocks == 0,
	    ("userret: Returning with %d sx locks held in shared mode", td->td_sx_slocks));
	KASSERT(THREAD_CAN_SLEEP(), ("userret: Returning with sleep disabled"));
	KASSERT(td->td_pinned == 0, ("userret: Returning with pinned thread"));
	KASSERT(td->td_epochnest == 0, ("userret: Returning in an epoch section"));
#ifdef VIMAGE
	VNET_ASSERT(td->td_vnet == NULL,
	    ("%s: Returning on td %p (pid %d, %s) with vnet %p set in %s", __func__, td,
	    td->td_proc->p_pid, td->td_name, td->td_vnet,
	    td->td_vnet_lpush != NULL ? td->td_vnet_lpush : "N/A"));
#endif
}

/*
 * Credentials.
 */
struct ucred *
crget(void)
{
	struct ucred *cr;

	cr = malloc(sizeof(*cr), M_CRED, M_WAITOK | M_ZERO);
	cr->cr_ref = 1;
	return (cr);
}

struct ucred *
crhold(struct ucred *cr)
{
	(void)__atomic_fetch_add(&cr->cr_ref, 1, __ATOMIC_RELAXED);
	return (cr);
}

void
crfree(struct ucred *cr)
{
	u_int old;

	old = __atomic_fetch_sub(&cr->cr_ref, 1, __ATOMIC_ACQ_REL);
	KASSERT(old > 0, ("bad ucred refcount: %d", (int)old));
	if (old == 1 && cr != &ucred0) {
		if (cr->cr_prison != NULL)
			prison_free(cr->cr_prison);
		free(cr, M_CRED);
	}
}

void
crcopy(struct ucred *dest, struct ucred *src)
{
	/* All but the count, which others may be changing. */
	memcpy(&dest->cr_uid, &src->cr_uid, sizeof(*dest) - offsetof(struct ucred, cr_uid));
	prison_hold(dest->cr_prison);
}

struct ucred *
crdup(struct ucred *cr)
{
	struct ucred *new = crget();

	crcopy(new, cr);
	return (new);
}

int
cr_cansee(struct ucred *u1, struct ucred *u2)
{
	return (prison_check(u1, u2));
}

int
groupmember(gid_t gid, struct ucred *cred)
{
	return (1);
}

int
priv_check(struct thread *td, int priv)
{
	return (0);
}

int
priv_check_cred(struct ucred *cred, int priv)
{
	return (0);
}
