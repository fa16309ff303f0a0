/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_PROC_H_
#define	_SYS_PROC_H_

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/lock.h>
#include <sys/ucred.h>
#include <sys/pcpu.h>
#include <sys/kthread.h>

struct vnet;
struct epoch_tracker;

#define	TD_MAXLOCKS	32

struct proc {
	LIST_ENTRY(proc) p_list;
	pid_t		p_pid;
	int		p_numthreads;
	char		p_comm[MAXCOMLEN + 1];
	struct ucred	*p_ucred;
	TAILQ_HEAD(, thread) p_threads;
};

enum td_states { TDS_INACTIVE, TDS_RUNQ, TDS_RUNNING, TDS_INHIBITED };

struct thread {
	TAILQ_ENTRY(thread) td_plist;	/* of its process */
	TAILQ_ENTRY(thread) td_all;	/* of all threads */
	TAILQ_ENTRY(thread) td_slpq;	/* of those asleep on one channel */
	struct proc	*td_proc;
	lwpid_t		td_tid;
	char		td_name[MAXCOMLEN + 1 + 12];
	struct ucred	*td_ucred;
	struct vnet	*td_vnet;
	u_int		td_oncpu;
	int		td_pinned;
	int		td_bound;	/* CPU it was bound to, or -1 */
	u_int		td_critnest;
	u_int		td_epochnest;
	u_int		td_no_sleeping;
	volatile uint64_t td_epochseq;	/* 0: outside; else when it went in */
	enum td_states	td_state;
	int		td_errno;
	int		td_pflags;
#define	TDP_KTHREAD	0x00200000
	void		*td_kstack;	/* lowest usable byte */
	size_t		td_kstack_size;
	void		(*td_entry)(void *, void *);
	void		*td_entry_arg;
	void		*td_entry_frame;
	/* sleeping */
	const void	*td_wchan;
	const char	*td_wmesg;
	struct lock_object *td_blocked;	/* lock it waits for */
	int64_t		td_wake_ns;	/* end of its sleep, or INT64_MAX */
	int		td_heapidx;	/* in the timer heap, from 1; 0: not */
	int		td_runidx;	/* in the run queue, from 1; 0: not */
	bool		td_timedout;
	bool		td_woken;
	bool		td_exiting;
	bool		td_interrupted;	/* killed: sleeps end with EINTR */
	/* locks held, for WITNESS */
	int		td_nlocks;
	int		td_locks;
	struct lock_instance td_lock[TD_MAXLOCKS];
	/* how the host runs it */
	void		*td_host;	/* wall clock: its host thread */
	void		*td_sp;		/* virtual clock: where it left off */
	void		*td_fp;
	void		*td_fake_stack;	/* AddressSanitizer's */
	/* what a command of the shell has */
	void		*td_user;
};

TAILQ_HEAD(threadlist, thread);
extern struct threadlist kern_threads;
extern struct proc proc0;
extern struct thread thread0;

static inline void sched_pin(void) { curthread->td_pinned++; __compiler_membar(); }
static inline void sched_unpin(void) { __compiler_membar(); curthread->td_pinned--; }
void	sched_bind(struct thread *, int cpu);
void	sched_unbind(struct thread *);
#define	sched_is_bound(td)	((td)->td_bound >= 0)
#define	sched_prio(td, prio)	((void)(td), (void)(prio))
#define	thread_lock(td)		((void)(td))
#define	thread_unlock(td)	((void)(td))
#define	PROC_LOCK(p)		((void)(p))
#define	PROC_UNLOCK(p)		((void)(p))
#define	FOREACH_THREAD_IN_PROC(p, td) TAILQ_FOREACH((td), &(p)->p_threads, td_plist)
#define	THREAD_NO_SLEEPING()	((void)curthread->td_no_sleeping++)
#define	THREAD_SLEEPING_OK()	((void)curthread->td_no_sleeping--)
#define	THREAD_CAN_SLEEP()	(curthread->td_no_sleeping == 0)

#endif /* !_SYS_PROC_H_ */
