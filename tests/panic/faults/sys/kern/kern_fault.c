/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Faults on purpose: 'sysctl debug.fault=WORD' makes the kernel do one thing
 * that it must not.  The consoles of these runs are what the reader of panics
 * is tested with; nothing here is ever part of a normal kernel.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/rwlock.h>
#include <sys/sx.h>
#include <sys/sysctl.h>

static MALLOC_DEFINE(M_FAULT, "fault", "faults on purpose");

static struct mtx fault_a, fault_b, fault_spin;
static struct sx fault_sx;
static struct rwlock fault_rw;
static volatile int fault_shared;
static volatile int fault_held;

static void
fault_init(void *arg __unused)
{
	mtx_init(&fault_a, "fault a", NULL, MTX_DEF);
	mtx_init(&fault_b, "fault b", NULL, MTX_DEF);
	mtx_init(&fault_spin, "fault spin", NULL, MTX_SPIN);
	sx_init(&fault_sx, "fault sx");
	rw_init(&fault_rw, "fault rw");
}
SYSINIT(fault, SI_SUB_LOCK, SI_ORDER_ANY, fault_init, NULL);

/* A thread that runs while the one that asked goes on. */
static void
fault_aside(void (*fn)(void *), const char *name)
{
	if (kthread_add(fn, NULL, NULL, NULL, 0, 0, "%s", name) != 0)
		printf("fault: no thread\n");
	while (fault_held == 0)
		pause("fault", 1);
}

static void
fault_sleep_with_mutex(void *arg __unused)
{
	mtx_lock(&fault_a);
	fault_held = 1;
	pause("asleep", 60 * hz);
	mtx_unlock(&fault_a);
	kthread_exit();
}

static void
fault_keep_spin(void *arg __unused)
{
	mtx_lock_spin(&fault_spin);
	fault_held = 1;
	for (;;)
		cpu_spinwait();
}

static void
fault_keep_sx(void *arg __unused)
{
	sx_xlock(&fault_sx);
	fault_held = 1;
	for (;;)
		pause("keeper", hz);
}

static void
fault_race(void *arg __unused)
{
	fault_held = 1;
	for (int i = 0; i < 20000000; i++)
		*__DEVOLATILE(int *, &fault_shared) += 1;
	kthread_exit();
}

static int
fault_sleeping_thread(void)
{
	fault_aside(fault_sleep_with_mutex, "sleeper");
	pause("fault", 4 * hz);		/* WITNESS has something to say first */
	mtx_lock(&fault_a);
	mtx_unlock(&fault_a);
	return (0);
}

static int
fault_spin_too_long(void)
{
	fault_aside(fault_keep_spin, "spinner");
	mtx_lock_spin(&fault_spin);
	mtx_unlock_spin(&fault_spin);
	return (0);
}

static int
fault_blocked(void)
{
	fault_aside(fault_keep_sx, "keeper");
	sx_xlock(&fault_sx);
	sx_xunlock(&fault_sx);
	return (0);
}

static int
fault_data_race(void)
{
	fault_aside(fault_race, "racer");
	fault_race(NULL);
	return (0);
}

static int
fault_recurse(void)
{
	mtx_lock(&fault_a);
	mtx_lock(&fault_a);
	return (0);
}

static int
fault_reversal(void)
{
	mtx_lock(&fault_a);
	mtx_lock(&fault_b);
	mtx_unlock(&fault_b);
	mtx_unlock(&fault_a);
	mtx_lock(&fault_b);
	mtx_lock(&fault_a);
	mtx_unlock(&fault_a);
	mtx_unlock(&fault_b);
	return (0);
}

static int
fault_sleep(void)
{
	mtx_lock(&fault_a);
	free(malloc(64, M_FAULT, M_WAITOK), M_FAULT);
	mtx_unlock(&fault_a);
	return (0);
}

static int
fault_return_locked(void)
{
	rw_wlock(&fault_rw);
	return (0);
}

static int
fault_unlock_other(void)
{
	mtx_unlock(&fault_b);
	return (0);
}

static int
fault_assert(void)
{
	rw_assert(&fault_rw, RA_WLOCKED);
	return (0);
}

static int
fault_null_read(void)
{
	struct mbuf * volatile m = NULL;

	return (m->m_pkthdr.len);
}

static int
fault_null_write(void)
{
	struct mbuf * volatile m = NULL;

	m->m_next = NULL;
	return (0);
}

static int
fault_null_call(void)
{
	int (* volatile fn)(void) = NULL;

	return (fn());
}

static int
fault_wild(void)
{
	int * volatile p = (int *)0xdeadc0dedeadc0deUL;

	return (*p);
}

static int
fault_user(void)
{
	int * volatile p = (int *)0x400000UL;

	return (*p);
}

static int
fault_divide(void)
{
	volatile int zero = 0;

	return (1000 / zero);
}

static int
fault_after_free(void)
{
	struct mbuf ** volatile p;
	struct mbuf * volatile m;

	p = malloc(512, M_FAULT, M_WAITOK);
	free(p, M_FAULT);
	m = p[3];
	return (m->m_len);
}

static int
fault_write_after_free(void)
{
	void *got[64];
	char * volatile p;

	p = malloc(512, M_FAULT, M_WAITOK);
	free(p, M_FAULT);
	p[24] = 1;
	for (u_int i = 0; i < nitems(got); i++)
		got[i] = malloc(512, M_FAULT, M_WAITOK);
	for (u_int i = 0; i < nitems(got); i++)
		free(got[i], M_FAULT);
	return (0);
}

static int
fault_double_free(void)
{
	void * volatile p;

	p = malloc(512, M_FAULT, M_WAITOK);
	free(p, M_FAULT);
	free(p, M_FAULT);
	return (0);
}

static int
fault_overrun(void)
{
	volatile char *p;

	p = malloc(100, M_FAULT, M_WAITOK);
	p[100] = 1;
	free(__DEVOLATILE(char *, p), M_FAULT);
	return (0);
}

static int
fault_uninitialized(void)
{
	volatile int *p;
	int error;

	p = malloc(100, M_FAULT, M_WAITOK);
	error = p[3] == 42 ? EINVAL : 0;
	free(__DEVOLATILE(int *, p), M_FAULT);
	return (error);
}

static int
fault_mbufs(void)
{
	struct mbuf *all, *m;

	for (all = NULL; (m = m_getcl(M_NOWAIT, MT_DATA, 0)) != NULL; all = m)
		m->m_next = all;
	pause("mbufs", hz);
	m_freem(all);
	return (0);
}

static int
fault_mbuf_freed_twice(void)
{
	struct mbuf *m;

	m = m_gethdr(M_WAITOK, MT_DATA);
	m_free(m);
	m_free(m);
	return (0);
}

static const struct fault {
	const char	*word;
	int		(*fn)(void);
} faults[] = {
	{ "after_free",		fault_after_free },
	{ "assert",		fault_assert },
	{ "blocked",		fault_blocked },
	{ "data_race",		fault_data_race },
	{ "divide",		fault_divide },
	{ "double_free",	fault_double_free },
	{ "mbuf_freed_twice",	fault_mbuf_freed_twice },
	{ "mbufs",		fault_mbufs },
	{ "null_read",	fault_null_read },
	{ "null_call",		fault_null_call },
	{ "null_write",		fault_null_write },
	{ "overrun",		fault_overrun },
	{ "recurse",		fault_recurse },
	{ "return_locked",	fault_return_locked },
	{ "reversal",		fault_reversal },
	{ "sleep",		fault_sleep },
	{ "sleeping_thread",	fault_sleeping_thread },
	{ "spin_too_long",	fault_spin_too_long },
	{ "uninitialized",	fault_uninitialized },
	{ "unlock_other",	fault_unlock_other },
	{ "user",		fault_user },
	{ "wild",		fault_wild },
	{ "write_after_free",	fault_write_after_free },
};

static int
sysctl_fault(SYSCTL_HANDLER_ARGS)
{
	char word[32] = "";
	int error;

	error = sysctl_handle_string(oidp, word, sizeof(word), req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	fault_held = 0;
	for (u_int i = 0; i < nitems(faults); i++)
		if (strcmp(word, faults[i].word) == 0)
			return (faults[i].fn());
	return (ENOENT);
}
SYSCTL_PROC(_debug, OID_AUTO, fault, CTLTYPE_STRING | CTLFLAG_RW | CTLFLAG_MPSAFE,
    NULL, 0, sysctl_fault, "A", "Do what the word says, and die of it");
