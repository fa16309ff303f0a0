/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_PROC_H_
#define	_SYS_PROC_H_

#include <sys/types.h>
#include <sys/param.h>
#include <sys/queue.h>
#include <sys/lock.h>
#include <sys/mutex.h>
#include <sys/pcpu.h>
#include <sys/cpuset.h>
#include <sys/ucred.h>
#include <sys/jail.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/epoch.h>

struct vnet;
struct lock_list_entry;
struct hthread;
struct ufile;

enum td_states {
	TDS_INACTIVE = 0,
	TDS_INHIBITED,		/* asleep or blocked on a lock */
	TDS_CAN_RUN,
	TDS_RUNQ,
	TDS_RUNNING,
	TDS_ZOMBIE
};

struct thread {
	struct proc	*td_proc;
	TAILQ_ENTRY(thread) td_plist;	/* of its process */
	TAILQ_ENTRY(thread) td_list;	/* of all threads */
	TAILQ_ENTRY(thread) td_runq;	/* run queue */
	TAILQ_ENTRY(thread) td_slpq;	/* sleep queue: it may run while it goes to sleep */
	lwpid_t		 td_tid;
	char		 td_name[MAXCOMLEN + 1];
	struct ucred	*td_ucred;
	struct vnet	*td_vnet;	/* curvnet */
	const char	*td_vnet_lpush;
	enum td_states	 td_state;
	int		 td_flags;
	int		 td_pflags;
	int		 td_oncpu;
	int		 td_lastcpu;
	int		 td_bound;	/* sched_bind: CPU, or -1 */
	cpuset_t	 td_cpumask;
	u_char		 td_priority;
	int		 td_pinned;
	u_int		 td_critnest;
	int		 td_spinlocks;
	int		 td_no_sleeping;
	int		 td_epochnest;
	TAILQ_HEAD(, epoch_tracker) td_epochs;
	short		 td_locks;
	short		 td_rw_rlocks;
	short		 td_sx_slocks;
	short		 td_rmlocks;
	struct lock_list_entry *td_sleeplocks;
	struct lock_list_entry *td_spinheld;
	const void	*td_wchan;
	const char	*td_wmesg;
	const void	*td_blocked;	/* the lock that it waits for */
	const char	*td_lockname;
	int		 td_sleepret;
	bool		 td_wakeup;
	sbintime_t	 td_deadline;
	u_int		 td_timeridx;	/* place in the timer heap + 1 */
	uint64_t	 td_timerseq;
	int		 td_errno;
	register_t	 td_retval[2];
	uintptr_t	 td_kstack;
	size_t		 td_kstack_size;
	struct hthread	*td_host;	/* what the host keeps of it */
	void		(*td_func)(void *);
	void		*td_arg;
	uint64_t	 td_runtime;
	uint64_t	 td_nswitch;
	bool		 td_yielded;
	bool		 td_busywait;	/* DELAY(): keeps its CPU */
	bool		 td_interrupted;
	void		*td_dtor_data;
	uintptr_t	 td_bt_fp;	/* where a backtrace starts when blocked */
	uintptr_t	 td_bt_pc;
};

struct proc {
	LIST_ENTRY(proc) p_list;
	TAILQ_HEAD(, thread) p_threads;
	int		 p_numthreads;
	pid_t		 p_pid;
	struct proc	*p_pptr;
	char		 p_comm[MAXCOMLEN + 1];
	struct ucred	*p_ucred;
	int		 p_flag;
	int		 p_xexit;	/* exit status of a command */
	bool		 p_exited;
	bool		 p_killed;	/* a signal wants it to end */
	struct mtx	 p_mtx;
	struct ufile	*p_out;		/* standard output; NULL: console */
	struct ufile	*p_err;
	struct ufile	*p_in;
	void		*p_userdata;
};

#define	TDF_INMEM	0x00000004
#define	TDF_SINTR	0x00000008
#define	TDF_TIMEOUT	0x00000010
#define	TDF_NEEDRESCHED	0x00010000
#define	TDP_KTHREAD	0x00200000
#define	TDP_ITHREAD	0x00400000
#define	TDP_CALLCHAIN	0x00001000
#define	TDP_USER	0x00800000	/* runs a program of the guest */
#define	P_KPROC		0x00000004
#define	P_SYSTEM	0x00000200
#define	P_WEXIT		0x00002000
#define	TD_IS_RUNNING(td)	((td)->td_state == TDS_RUNNING)
#define	TD_ON_SLEEPQ(td)	((td)->td_wchan != NULL)
#define	TD_IS_IDLETHREAD(td)	((td)->td_flags & 0x20)
#define	TDF_IDLETD	0x00000020

LIST_HEAD(proclist, proc);
TAILQ_HEAD(threadlist, thread);
extern struct proclist	 allproc;
extern struct threadlist allthreads;
extern struct proc	 proc0;
extern struct thread	 thread0;
extern struct ucred	*thread0_ucred;
extern struct mtx	 allthreads_mtx;

#define	THREAD_NO_SLEEPING()	(curthread->td_no_sleeping++)
#define	THREAD_SLEEPING_OK()	(curthread->td_no_sleeping--)
#define	THREAD_CAN_SLEEP()	(curthread->td_no_sleeping == 0)
#define	THREAD_CONTENDS_ON_LOCK(lo) do { } while (0)
#define	THREAD_CONTENTION_DONE(lo) do { } while (0)
#ifdef INVARIANTS
#define	TD_LOCKS_INC(td)	((td)->td_locks++)
#define	TD_LOCKS_DEC(td)	((td)->td_locks--)
#else
#define	TD_LOCKS_INC(td)	do { } while (0)
#define	TD_LOCKS_DEC(td)	do { } while (0)
#endif
#define	PROC_LOCK(p)		mtx_lock(&(p)->p_mtx)
#define	PROC_UNLOCK(p)		mtx_unlock(&(p)->p_mtx)
#define	PROC_LOCK_ASSERT(p, t)	mtx_assert(&(p)->p_mtx, (t))
#define	FOREACH_THREAD_IN_PROC(p, td)	TAILQ_FOREACH((td), &(p)->p_threads, td_plist)
#define	SWT_RELINQUISH	1
#define	SW_VOL		0x100
#define	SW_INVOL	0x200

void	kern_yield(int prio);
#define	PRI_USER	-2
#define	PRI_UNCHANGED	-1
void	maybe_yield(void);
bool	should_yield(void);
void	userret(struct thread *td, void *frame);
void	fork_exit(void (*callout)(void *), void *arg);
struct proc *pfind(pid_t pid);
struct thread *tdfind(lwpid_t tid, pid_t pid);
void	kern_psignal(struct proc *p, int sig);
#define	psignal(p, s)	kern_psignal((p), (s))
/* A process of the guest, one thread with this function; it owns its console files. */
int	proc_spawn(const char *comm, struct ucred *cr, void (*func)(void *), void *arg,
	    struct proc **pp);
int	proc_add_thread(struct proc *p, const char *name, void (*func)(void *), void *arg,
	    struct thread **tdp);

#endif /* !_SYS_PROC_H_ */
