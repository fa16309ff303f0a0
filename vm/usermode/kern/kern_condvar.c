/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * condvar(9), and software interrupts.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/condvar.h>
#include <sys/errno.h>
#include <sys/interrupt.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>

void
cv_init(struct cv *cvp, const char *desc)
{
	cvp->cv_description = desc;
	cvp->cv_waiters = 0;
}

void
cv_destroy(struct cv *cvp)
{
	KASSERT(cvp->cv_waiters == 0, ("cv_destroy: %s has waiters", cvp->cv_description));
}

/* The lock that a waiter holds keeps cv_waiters right. */
static int
cv_sleep(struct cv *cvp, struct lock_object *lock, int pri, sbintime_t sbt, sbintime_t pr,
    int flags)
{
	int error;

	cvp->cv_waiters++;
	error = _sleep(cvp, lock, pri, cvp->cv_description, sbt, pr, flags);
	cvp->cv_waiters--;
	return (error);
}

void
_cv_wait(struct cv *cvp, struct lock_object *lock)
{
	(void)cv_sleep(cvp, lock, 0, 0, 0, 0);
}

int
_cv_wait_sig(struct cv *cvp, struct lock_object *lock)
{
	return (cv_sleep(cvp, lock, PCATCH, 0, 0, 0));
}

int
_cv_timedwait_sbt(struct cv *cvp, struct lock_object *lock, sbintime_t sbt, sbintime_t pr,
    int flags)
{
	return (cv_sleep(cvp, lock, 0, sbt, pr, flags));
}

void
cv_signal(struct cv *cvp)
{
	wakeup_one(cvp);
}

void
cv_broadcastpri(struct cv *cvp, int pri)
{
	wakeup(cvp);
}

/*
 * Software interrupts.
 */
static MALLOC_DEFINE(M_ITHREAD, "ithread", "Interrupt Threads");

struct intr_event {
	struct mtx	 mtx;
	driver_intr_t	*handler;
	void		*arg;
	bool		 scheduled, dying;
	int		 cpu;
};
static struct proc *intrproc;

static void
ithread_loop(void *arg)
{
	struct intr_event *ie = arg;

	mtx_lock(&ie->mtx);
	while (!ie->dying) {
		if (!ie->scheduled) {
			(void)mtx_sleep(ie, &ie->mtx, 0, "-", 0);
			continue;
		}
		ie->scheduled = false;
		mtx_unlock(&ie->mtx);
		ie->handler(ie->arg);
		mtx_lock(&ie->mtx);
	}
	ie->handler = NULL;
	wakeup(&ie->handler);
	mtx_unlock(&ie->mtx);
	kthread_exit();
}

int
swi_add(struct intr_event **eventp, const char *name, driver_intr_t handler, void *arg, int pri,
    int flags, void **cookiep)
{
	struct intr_event *ie;
	int error;

	ie = malloc(sizeof(*ie), M_ITHREAD, M_WAITOK | M_ZERO);
	mtx_init(&ie->mtx, "intr event list", NULL, MTX_DEF | MTX_DUPOK);
	ie->handler = handler;
	ie->arg = arg;
	error = kproc_kthread_add(ithread_loop, ie, &intrproc, NULL, 0, 0, "intr", "swi%d: %s",
	    pri, name);
	if (error != 0) {
		mtx_destroy(&ie->mtx);
		free(ie, M_ITHREAD);
		return (error);
	}
	if (eventp != NULL)
		*eventp = ie;
	if (cookiep != NULL)
		*cookiep = ie;
	return (0);
}

void
swi_sched(void *cookie, int flags)
{
	struct intr_event *ie = cookie;

	mtx_lock(&ie->mtx);
	ie->scheduled = true;
	wakeup(ie);
	mtx_unlock(&ie->mtx);
}

int
swi_remove(void *cookie)
{
	struct intr_event *ie = cookie;

	mtx_lock(&ie->mtx);
	ie->dying = true;
	wakeup(ie);
	while (ie->handler != NULL)
		(void)mtx_sleep(&ie->handler, &ie->mtx, 0, "swirm", 0);
	mtx_unlock(&ie->mtx);
	mtx_destroy(&ie->mtx);
	free(ie, M_ITHREAD);
	return (0);
}

int
intr_event_bind(struct intr_event *ie, int cpu)
{
	ie->cpu = cpu;
	return (0);
}
