/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From nothing to a shell.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/module.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/reboot.h>
#include <sys/smp.h>
#include <sys/sysctl.h>
#include <net/vnet.h>

#include "kern_internal.h"

#ifdef INVARIANTS
#define	KERN_IDENT	"DNH-DEBUG"
#else
#define	KERN_IDENT	"DNH"
#endif

_Atomic int cold = 1;
_Atomic int rebooting;
int bootverbose;
int maxusers = 64;
u_long physmem = 262144;
long maxmbufmem = 1L << 30;
char kernelname[] = "/boot/kernel/kernel";
char hostname[MAXHOSTNAMELEN] = "dnh";
char osrelease[] = "15.1-RELEASE";
char ostype[] = "FreeBSD";
char kern_ident[] = KERN_IDENT;
int osreldate = __FreeBSD_version;
/* Without a date: the same sources are the same kernel. */
char version[] = "FreeBSD 15.1-RELEASE " KERN_IDENT " " MACHINE " (user mode)\n";

SYSCTL_STRING(_kern, OID_AUTO, ostype, CTLFLAG_RD, ostype, 0, "Operating system type");
SYSCTL_STRING(_kern, OID_AUTO, osrelease, CTLFLAG_RD, osrelease, 0, "Operating system release");
SYSCTL_STRING(_kern, OID_AUTO, version, CTLFLAG_RD, version, 0, "Kernel version");
SYSCTL_STRING(_kern, OID_AUTO, ident, CTLFLAG_RD, kern_ident, 0, "Kernel identifier");
SYSCTL_INT(_kern, OID_AUTO, osreldate, CTLFLAG_RD, &osreldate, 0, "Kernel release date");
SYSCTL_STRING(_kern, OID_AUTO, hostname, CTLFLAG_RW, hostname, sizeof(hostname), "Hostname");
SYSCTL_STRING(_kern, OID_AUTO, bootfile, CTLFLAG_RD, kernelname, 0, "Name of kernel file booted");
SYSCTL_INT(_hw, OID_AUTO, ncpu, CTLFLAG_RD, &mp_ncpus, 0, "Number of active CPUs");
static char machine[] = MACHINE;
SYSCTL_STRING(_hw, OID_AUTO, machine, CTLFLAG_RD, machine, 0, "Machine class");
SYSCTL_NODE(_kern, OID_AUTO, smp, CTLFLAG_RD, 0, "Kernel SMP");
SYSCTL_INT(_kern_smp, OID_AUTO, cpus, CTLFLAG_RD, &smp_cpus, 0, "Number of CPUs online");
SYSCTL_UINT(_kern_smp, OID_AUTO, maxid, CTLFLAG_RD, &mp_maxid, 0, "Max CPU ID");
static char seed_text[24];
SYSCTL_STRING(_kern_dnh, OID_AUTO, seed, CTLFLAG_RD, seed_text, 0, "Seed of the scheduler and of random numbers");
static char clock_text[8];
SYSCTL_STRING(_kern_dnh, OID_AUTO, clock, CTLFLAG_RD, clock_text, 0, "virtual or wall");

SET_DECLARE(sysinit_set, struct sysinit);
SET_DECLARE(sysuninit_set, struct sysinit);

static bool
sysinit_before(const struct sysinit *a, const struct sysinit *b)
{
	return (a->subsystem != b->subsystem ? a->subsystem < b->subsystem : a->order < b->order);
}

/* Those of one kld (NULL: the kernel), in order, or in the reverse order. */
static void
sysinit_run(struct sysinit **begin, struct sysinit **end, struct kld *kld, bool reverse)
{
	static struct sysinit *list[2048];
	struct sysinit **sip, *si;
	u_int n = 0, from, i, k;

	for (sip = begin; sip < end; sip++)
		if (kld_of_file((*sip)->file) == kld) {
			if (n == nitems(list))
				panic("%s: too many", __func__);
			list[n++] = *sip;
		}
	/* Insertion keeps those of one rank in the order of the link. */
	for (i = 1; i < n; i++) {
		si = list[i];
		for (k = i; k > 0 && sysinit_before(si, list[k - 1]); k--)
			list[k] = list[k - 1];
		list[k] = si;
	}
	for (i = 0; i < n; i++) {
		from = reverse ? n - 1 - i : i;
		if (list[from]->subsystem == SI_SUB_DUMMY)
			continue;
		list[from]->func(list[from]->udata);
	}
}

void
kld_sysinit(struct kld *kld)
{
	sysinit_run(SET_BEGIN(sysinit_set), SET_LIMIT(sysinit_set), kld, false);
}

void
kld_sysuninit(struct kld *kld)
{
	sysinit_run(SET_BEGIN(sysuninit_set), SET_LIMIT(sysuninit_set), kld, true);
}

static void
announce(void *arg)
{
	printf("---<<BOOT>>---\n");
	printf("Copyright (c) 2026 The dnh project.\n");
	printf("%s", version);
	printf("FreeBSD/SMP: Multiprocessor System Detected: %d CPUs\n", mp_ncpus);
#ifdef WITNESS
	printf("WARNING: WITNESS option enabled, expect reduced performance.\n");
#endif
}
SYSINIT(announce, SI_SUB_COPYRIGHT, SI_ORDER_FIRST, announce, NULL);

static void
tunables_early(void *arg)
{
	snprintf(seed_text, sizeof(seed_text), "%lu", host_config.seed);
	strlcpy(clock_text, CLOCK_VIRTUAL ? "virtual" : "wall", sizeof(clock_text));
	(void)getenv_string("kern.hostname", hostname, sizeof(hostname));
	bootverbose = getenv_is_true("boot_verbose");
}
SYSINIT(tunables_early, SI_SUB_TUNABLES, SI_ORDER_FIRST, tunables_early, NULL);

static void
sh_start(void *arg)
{
	init_main(arg);
	shutdown_nice();
}

void
mi_startup(void)
{
	struct proc *p;

	sysinit_run(SET_BEGIN(sysinit_set), SET_LIMIT(sysinit_set), NULL, false);
	cold = 0;
	kld_boot();
	malloc_mark_boot();
	mbuf_mark_boot();
	if (proc_spawn("sh", thread0_ucred, sh_start, NULL, &p) != 0)
		panic("init died");
	/* This thread has no other work. */
	for (;;)
		tsleep(&proc0, 0, "swapin", 0);
}

void
kern_main(void)
{
	sched_init();
	pcpu_init();
	kmeminit();
	clock_init();
	cn_boot();
	mi_startup();
	panic("mi_startup returned");
}
