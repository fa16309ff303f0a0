/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ktest: breaks the rules of the kernel on purpose, one at a time, so that
 * tests can see that each break is found and named as FreeBSD names it.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/epoch.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/refcount.h>
#include <sys/rmlock.h>
#include <sys/rwlock.h>
#include <sys/sched.h>
#include <sys/smp.h>
#include <sys/sx.h>
#include <net/vnet.h>

#include "userland.h"

static MALLOC_DEFINE(M_KTEST, "ktest", "memory of ktest");
static struct mtx mtx_a, mtx_b, mtx_r, mtx_spin;
static struct rwlock rw;
static struct sx sx;
MTX_SYSINIT(ktest_a, &mtx_a, "ktest a", MTX_DEF);
MTX_SYSINIT(ktest_b, &mtx_b, "ktest b", MTX_DEF);
MTX_SYSINIT(ktest_r, &mtx_r, "ktest r", MTX_DEF | MTX_RECURSE);
MTX_SYSINIT(ktest_spin, &mtx_spin, "ktest spin", MTX_SPIN);
RW_SYSINIT(ktest_rw, &rw, "ktest rw");
SX_SYSINIT(ktest_sx, &sx, "ktest sx");
VNET_DEFINE_STATIC(int, ktest_variable);
#define	V_ktest_variable	VNET(ktest_variable)

static void
t_lor(void)
{
	mtx_lock(&mtx_a);
	mtx_lock(&mtx_b);
	mtx_unlock(&mtx_b);
	mtx_unlock(&mtx_a);
	mtx_lock(&mtx_b);
	mtx_lock(&mtx_a);
	mtx_unlock(&mtx_a);
	mtx_unlock(&mtx_b);
}

static void
t_recurse(void)
{
	mtx_lock(&mtx_r);
	mtx_lock(&mtx_r);
	mtx_unlock(&mtx_r);
	mtx_unlock(&mtx_r);
	mtx_lock(&mtx_a);
	mtx_lock(&mtx_a);
}

static void
t_not_owned(void)
{
	mtx_assert(&mtx_a, MA_OWNED);
}

static void
t_unlock(void)
{
	mtx_unlock(&mtx_a);
}

static void
t_sleep_locked(void)
{
	mtx_lock(&mtx_a);
	tsleep(&mtx_b, 0, "ktest", 1);
	mtx_unlock(&mtx_a);
}

static void
t_sleep_epoch(void)
{
	struct epoch_tracker et;

	NET_EPOCH_ENTER(et);
	tsleep(&mtx_b, 0, "ktest", 1);
	NET_EPOCH_EXIT(et);
}

static void
t_no_epoch(void)
{
	NET_EPOCH_ASSERT();
}

static void
t_waitok_epoch(void)
{
	struct epoch_tracker et;

	NET_EPOCH_ENTER(et);
	free(malloc(16, M_KTEST, M_WAITOK), M_KTEST);
	NET_EPOCH_EXIT(et);
}

static void
t_spin_sleep(void)
{
	mtx_lock_spin(&mtx_spin);
	mtx_lock(&mtx_a);
}

static void
t_excl_share(void)
{
	rw_rlock(&rw);
	rw_wlock(&rw);
}

static void
t_return_locked(void)
{
	sx_xlock(&sx);
	userret(curthread, NULL);
}

static void
t_double_free(void)
{
	void *p = malloc(100, M_KTEST, M_WAITOK);

	free(p, M_KTEST);
	free(p, M_KTEST);
}

static void __nosanitizeaddress
t_late_write(void)
{
	volatile char *p = malloc(100, M_KTEST, M_WAITOK);
	int i;

	free(__DEVOLATILE(void *, p), M_KTEST);
	p[50] = 1;
	for (i = 0; i < 10000; i++)
		free(malloc(100, M_KTEST, M_WAITOK), M_KTEST);
}

static void __nosanitizeaddress
t_overrun(void)
{
	volatile char *p = malloc(100, M_KTEST, M_WAITOK);

	p[100] = 1;
	free(__DEVOLATILE(void *, p), M_KTEST);
}

static void
t_mbuf_double_free(void)
{
	struct mbuf *m = m_gethdr(M_WAITOK, MT_DATA);

	m_freem(m);
	m_freem(m);
}

static void __nosanitizeaddress
t_mbuf_late_read(void)
{
	struct mbuf *m = m_gethdr(M_WAITOK, MT_DATA);

	m_freem(m);
	u_printf("%d\n", *(volatile char *)m->m_data);
}

static void __nosanitizeaddress
t_mtag_late_read(void)
{
	struct mbuf *m = m_gethdr(M_WAITOK, MT_DATA);
	struct m_tag *t = m_tag_get(1, 8, M_WAITOK);

	m_tag_prepend(m, t);
	m_freem(m);
	u_printf("%d\n", *(volatile uint16_t *)&SLIST_NEXT(t, m_tag_link)->m_tag_id);
}

static void
t_leak(void)
{
	(void)malloc(1000, M_KTEST, M_WAITOK);
	(void)malloc(1000, M_KTEST, M_WAITOK);
	m_tag_prepend(m_getcl(M_WAITOK, MT_DATA, M_PKTHDR), m_tag_get(1, 8, M_WAITOK));
}

static void
t_refcount(void)
{
	volatile u_int count;

	refcount_init(&count, 1);
	(void)refcount_release(&count);
	(void)refcount_release(&count);
}

static void
vnet_thread(void *arg)
{
	V_ktest_variable++;
	kthread_exit();
}

static void
t_no_vnet(void)
{
	struct thread *td;

	(void)kthread_add(vnet_thread, NULL, NULL, &td, 0, 0, "ktest_vnet");
	pause("ktest", hz);
}

static void
t_gpf(void)
{
	static volatile uintptr_t where = 0xdeadc0dedeadc0de;

	u_printf("%d\n", *(volatile int *)where);
}

static void
t_divide(void)
{
	static volatile int zero;

	u_printf("%d\n", 1000 / zero);
}

static void
t_bus(void)
{
	__builtin_trap();
}

static void
t_destroyed(void)
{
	static struct mtx m;

	mtx_init(&m, "ktest d", NULL, MTX_DEF);
	mtx_destroy(&m);
	mtx_lock(&m);
}

static void
t_hang(void)
{
	for (;;)
		kern_preempt_point();
}

static void
t_deadlock(void)
{
	tsleep(&mtx_a, 0, "ktforever", 0);
}

/*
 * What must hold while it is fought for.
 */
#define	FIGHTERS	6
static u_long shared, spun, per_cpu[MAXCPU];
static volatile u_int fighting;
static int order[FIGHTERS * 4], norder;

static void
fight(void *arg)
{
	int me = (int)(intptr_t)arg, i, cpu;
	u_long was;

	for (i = 0; i < 2000; i++) {
		mtx_lock(&mtx_a);
		was = shared;
		kern_preempt_point();
		shared = was + 1;
		mtx_unlock(&mtx_a);

		mtx_lock_spin(&mtx_spin);
		was = spun;
		kern_preempt_point();
		spun = was + 1;
		mtx_unlock_spin(&mtx_spin);

		/* Nobody else is let onto this processor. */
		critical_enter();
		cpu = curcpu;
		was = per_cpu[cpu];
		kern_preempt_point();
		per_cpu[cpu] = was + 1;
		if (cpu != curcpu)
			panic("ktest: moved in a critical section");
		critical_exit();

		sched_pin();
		cpu = curcpu;
		kern_preempt_point();
		if (cpu != curcpu)
			panic("ktest: moved although pinned");
		sched_unpin();

		if (i % 500 == 0) {
			mtx_lock(&mtx_b);
			order[norder++] = me;
			mtx_unlock(&mtx_b);
			pause("ktfight", 1);
		}
	}
	refcount_release(&fighting);
	wakeup(__DEVOLATILE(void *, &fighting));
	kthread_exit();
}

static void
t_fight(void)
{
	u_long sum = 0;
	int i;

	shared = spun = 0;
	norder = 0;
	memset(per_cpu, 0, sizeof(per_cpu));
	refcount_init(&fighting, FIGHTERS + 1);
	for (i = 0; i < FIGHTERS; i++)
		(void)kthread_add(fight, (void *)(intptr_t)i, NULL, NULL, 0, 0, "fighter%d", i);
	while (atomic_load_acq_int(&fighting) > 1)
		pause("ktwait", 10);
	CPU_FOREACH(i)
		sum += per_cpu[i];
	u_printf("order");
	for (i = 0; i < norder; i++)
		u_printf(" %d", order[i]);
	u_printf("\nmutex %lu spin %lu per cpu %lu of %d\n", shared, spun, sum, FIGHTERS * 2000);
}

/* Two that write the same word with no lock between them: for ThreadSanitizer to see. */
static u_long unguarded;
static volatile u_int racing;

static void
racer(void *arg)
{
	int i;

	atomic_add_int(&racing, 1);
	while (atomic_load_int(&racing) < 2)
		cpu_spinwait();
	for (i = 0; i < 1000; i++) {
		unguarded++;
		kern_preempt_point();
	}
	refcount_release(&fighting);
	kthread_exit();
}

static void
t_race(void)
{
	racing = 0;
	refcount_init(&fighting, 3);
	(void)kthread_add(racer, NULL, NULL, NULL, 0, 0, "racer0");
	(void)kthread_add(racer, NULL, NULL, NULL, 0, 0, "racer1");
	while (atomic_load_acq_int(&fighting) > 1)
		pause("ktrace", 1);
}

static struct callout co;
static int co_fired;
static sbintime_t co_when;

static void
co_func(void *arg)
{
	co_fired++;
	co_when = sbinuptime();
}

static void
t_callout(void)
{
	sbintime_t t0;

	callout_init(&co, 1);
	t0 = sbinuptime();
	callout_reset_sbt(&co, SBT_1MS * 5, 0, co_func, NULL, 0);
	pause("ktco", hz / 50);
	u_printf("fired %d after %jd us\n", co_fired, (intmax_t)sbttous(co_when - t0));
	callout_reset(&co, hz, co_func, NULL);
	u_printf("stop %d\n", callout_stop(&co));
	u_printf("stop %d\n", callout_stop(&co));
	u_printf("drain %d\n", callout_drain(&co));
}

static const struct { const char *name; void (*func)(void); } breaks[] = {
	{ "lor", t_lor }, { "recurse", t_recurse }, { "not-owned", t_not_owned },
	{ "unlock", t_unlock }, { "sleep-locked", t_sleep_locked },
	{ "sleep-epoch", t_sleep_epoch }, { "no-epoch", t_no_epoch },
	{ "waitok-epoch", t_waitok_epoch }, { "spin-sleep", t_spin_sleep },
	{ "excl-share", t_excl_share }, { "return-locked", t_return_locked },
	{ "double-free", t_double_free }, { "late-write", t_late_write }, { "overrun", t_overrun },
	{ "mbuf-double-free", t_mbuf_double_free }, { "mbuf-late-read", t_mbuf_late_read },
	{ "mtag-late-read", t_mtag_late_read },
	{ "leak", t_leak }, { "refcount", t_refcount }, { "no-vnet", t_no_vnet }, { "gpf", t_gpf },
	{ "divide", t_divide }, { "illegal", t_bus }, { "destroyed", t_destroyed },
	{ "hang", t_hang }, { "deadlock", t_deadlock },
	{ "fight", t_fight }, { "race", t_race }, { "callout", t_callout },
};

static int
cmd_ktest(int argc, char **argv)
{
	u_int i;

	if (argc == 2)
		for (i = 0; i < nitems(breaks); i++)
			if (strcmp(argv[1], breaks[i].name) == 0) {
				breaks[i].func();
				return (0);
			}
	u_eprintf("usage: ktest ");
	for (i = 0; i < nitems(breaks); i++)
		u_eprintf("%s%s", breaks[i].name, i + 1 < nitems(breaks) ? " | " : "\n");
	return (1);
}
USERCMD(ktest, cmd_ktest);
