/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jails, as far as a network stack needs them: a name, a number and a vnet.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/jail.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/refcount.h>
#include <sys/signal.h>
#include <sys/sx.h>
#include <net/vnet.h>

static MALLOC_DEFINE(M_PRISON, "prison", "Prison structures");

struct prison prison0 = {
	.pr_id = 0,
	.pr_ref = 1,
	.pr_uref = 1,
	.pr_flags = PR_PERSIST | PR_VNET,
	.pr_name = "0",
	.pr_path = "/",
};
MTX_SYSINIT(prison0, &prison0.pr_mtx, "jail mutex", MTX_DEF);
struct prisonlist allprison = TAILQ_HEAD_INITIALIZER(allprison);
struct sx allprison_lock;
SX_SYSINIT(allprison_lock, &allprison_lock, "allprison");
static int lastprid;

void
prison_hold(struct prison *pr)
{
	u_int old __diagused;

	old = refcount_acquire(&pr->pr_ref);
	KASSERT(old > 0, ("Trying to hold dead prison %p (jid=%d).", pr, pr->pr_id));
}

void
prison_free(struct prison *pr)
{
	if (!refcount_release(&pr->pr_ref))
		return;
	KASSERT(pr != &prison0, ("%s: prison0 has no references", __func__));
	mtx_destroy(&pr->pr_mtx);
	free(pr, M_PRISON);
}

void
prison_proc_hold(struct prison *pr)
{
	atomic_add_int(&pr->pr_uref, 1);
}

void
prison_proc_free(struct prison *pr)
{
	atomic_subtract_int(&pr->pr_uref, 1);
}

void
prison_lock(struct prison *pr)
{
	mtx_lock(&pr->pr_mtx);
}

void
prison_unlock(struct prison *pr)
{
	mtx_unlock(&pr->pr_mtx);
}

int
prison_check(struct ucred *cred1, struct ucred *cred2)
{
	return (cred1->cr_prison == &prison0 || cred1->cr_prison == cred2->cr_prison ? 0 : ESRCH);
}

/* Returns it locked, as FreeBSD does. */
struct prison *
prison_find(int prid)
{
	struct prison *pr;

	sx_assert(&allprison_lock, SX_LOCKED);
	TAILQ_FOREACH(pr, &allprison, pr_list)
		if (pr->pr_id == prid) {
			prison_lock(pr);
			break;
		}
	return (pr);
}

struct prison *
prison_find_name(struct prison *mypr, const char *name)
{
	struct prison *pr;

	sx_assert(&allprison_lock, SX_LOCKED);
	TAILQ_FOREACH(pr, &allprison, pr_list)
		if (strcmp(pr->pr_name, name) == 0) {
			prison_lock(pr);
			break;
		}
	return (pr);
}

/* A name that is a number, or has dots, means other things to jail(8). */
static bool
prison_name_ok(const char *name)
{
	const char *p;
	bool digits = true;

	if (name[0] == '\0' || strlen(name) >= sizeof(prison0.pr_name))
		return (false);
	for (p = name; *p != '\0'; p++) {
		if (*p == '.' || *p == '/' || *p == ' ')
			return (false);
		digits &= *p >= '0' && *p <= '9';
	}
	return (!digits);
}

/* *prp is held for the caller. */
int
prison_create_vnet(const char *name, int persist, struct prison **prp)
{
	struct prison *pr;

	if (!prison_name_ok(name))
		return (EINVAL);
	sx_xlock(&allprison_lock);
	pr = prison_find_name(&prison0, name);
	if (pr != NULL) {
		prison_unlock(pr);
		sx_xunlock(&allprison_lock);
		return (EEXIST);
	}
	pr = malloc(sizeof(*pr), M_PRISON, M_WAITOK | M_ZERO);
	mtx_init(&pr->pr_mtx, "jail mutex", NULL, MTX_DEF | MTX_DUPOK);
	refcount_init(&pr->pr_ref, 2);
	pr->pr_id = ++lastprid;
	pr->pr_parent = &prison0;
	pr->pr_flags = PR_VNET | (persist ? PR_PERSIST : 0);
	strlcpy(pr->pr_name, name, sizeof(pr->pr_name));
	strlcpy(pr->pr_path, "/", sizeof(pr->pr_path));
	pr->pr_vnet = vnet_alloc();
	TAILQ_INSERT_TAIL(&allprison, pr, pr_list);
	sx_xunlock(&allprison_lock);
	*prp = pr;
	return (0);
}

/* One process of the jail that is still alive, locked; NULL when there is none. */
static struct proc *
prison_proc_find(struct prison *pr, pid_t after)
{
	struct proc *p;
	pid_t pid;

	do {
		pid = 0;
		mtx_lock(&allthreads_mtx);
		LIST_FOREACH(p, &allproc, p_list)
			if (p->p_ucred->cr_prison == pr && p->p_pid > after &&
			    !atomic_load_bool(&p->p_exited) &&
			    (pid == 0 || p->p_pid < pid))
				pid = p->p_pid;
		mtx_unlock(&allthreads_mtx);
		if (pid == 0)
			return (NULL);
		/* It may have gone in between. */
	} while ((p = pfind(pid)) == NULL);
	return (p);
}

/* A program ends where it waits, and closes what it has open on the way. */
static void
prison_kill_processes(struct prison *pr)
{
	struct proc *p;
	pid_t pid;
	bool any;

	do {
		any = atomic_load_int(&pr->pr_uref) != 0;
		for (pid = 0; (p = prison_proc_find(pr, pid)) != NULL; any = true) {
			pid = p->p_pid;
			kern_psignal(p, SIGKILL);
			PROC_UNLOCK(p);
		}
		if (any)
			pause("jailrm", MAX(hz / 1000, 1));
	} while (any);
}

int
prison_remove_vnet(struct prison *pr)
{
	sx_xlock(&allprison_lock);
	if (pr->pr_flags & PR_REMOVE) {
		sx_xunlock(&allprison_lock);
		return (EINVAL);
	}
	/* Nobody finds it from here on, so nobody else gets in. */
	pr->pr_flags |= PR_REMOVE;
	TAILQ_REMOVE(&allprison, pr, pr_list);
	sx_xunlock(&allprison_lock);

	prison_kill_processes(pr);
	vnet_destroy(pr->pr_vnet);
	pr->pr_vnet = NULL;
	prison_free(pr);
	return (0);
}
