/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_KTHREAD_H_
#define	_SYS_KTHREAD_H_

#include <sys/cdefs.h>
#include <sys/types.h>

struct proc;
struct thread;

struct kproc_desc { const char *arg0; void (*func)(void); struct proc **global_procpp; };
struct kthread_desc { const char *arg0; void (*func)(void); struct thread **global_threadpp; };

#define	RFSTOPPED	(1 << 17)
#define	RFHIGHPID	(1 << 18)

int	kproc_create(void (*)(void *), void *, struct proc **, int flags, int pages,
	    const char *, ...) __printflike(6, 7);
void	kproc_exit(int) __dead2;
int	kproc_resume(struct proc *);
int	kproc_suspend(struct proc *, int);
void	kproc_suspend_check(struct proc *);
void	kproc_start(const void *);
void	kproc_shutdown(void *, int);
int	kproc_kthread_add(void (*)(void *), void *, struct proc **, struct thread **,
	    int flags, int pages, const char *procname, const char *, ...) __printflike(8, 9);
int	kthread_add(void (*)(void *), void *, struct proc *, struct thread **,
	    int flags, int pages, const char *, ...) __printflike(7, 8);
void	kthread_exit(void) __dead2;
int	kthread_resume(struct thread *);
int	kthread_suspend(struct thread *, int);
void	kthread_suspend_check(void);
void	kthread_start(const void *);
void	kthread_shutdown(void *, int);

#endif /* !_SYS_KTHREAD_H_ */
