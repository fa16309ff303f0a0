/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * panic(9), and the ways to end.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/eventhandler.h>
#include <sys/kdb.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/reboot.h>
#include <sys/sysctl.h>

#include "kern_internal.h"

const char *_Atomic panicstr;
_Atomic bool scheduler_stopped;
static char panicbuf[512];
static struct thread *panic_td;

bool debugger_on_panic = true;
SYSCTL_BOOL(_debug, OID_AUTO, debugger_on_panic, CTLFLAG_RWTUN, &debugger_on_panic, 0,
    "Run debugger on kernel panic");
static bool trace_on_panic = true;
SYSCTL_BOOL(_debug, OID_AUTO, trace_on_panic, CTLFLAG_RWTUN, &trace_on_panic, 0,
    "Print stack trace on kernel panic");
static bool trace_all_panics;
SYSCTL_BOOL(_debug, OID_AUTO, trace_all_panics, CTLFLAG_RWTUN, &trace_all_panics, 0,
    "Print stack traces on secondary kernel panics");
static int panic_reboot_wait_time = 0;
SYSCTL_INT(_kern, OID_AUTO, panic_reboot_wait_time, CTLFLAG_RWTUN, &panic_reboot_wait_time, 0,
    "Seconds to wait before rebooting after a panic");
SYSCTL_NODE(_debug, OID_AUTO, kassert, CTLFLAG_RW, 0, "kassert options");
static bool kassert_warn_only;
SYSCTL_BOOL(_debug_kassert, OID_AUTO, warn_only, CTLFLAG_RWTUN, &kassert_warn_only, 0,
    "KASSERT triggers a panic (0) or just a warning (1)");
static int kassert_warnings;
SYSCTL_INT(_debug_kassert, OID_AUTO, warnings, CTLFLAG_RD, &kassert_warnings, 0,
    "number of KASSERTs that have been triggered");

void __noinline
vpanic(const char *fmt, va_list ap)
{
	bool newpanic;

	host_stop_others();
	cn_panic_mode();
	newpanic = panicstr == NULL;
	if (!newpanic && kdb_active) {
		/* A command of the debugger's went wrong. */
		printf("panic: ");
		vprintf(fmt, ap);
		printf("\n");
		db_fault();
	}
	scheduler_stopped = true;
	if (newpanic) {
		(void)vsnprintf(panicbuf, sizeof(panicbuf), fmt, ap);
		panicstr = panicbuf;
		panic_td = curthread;
		printf("panic: %s\n", panicbuf);
	} else {
		printf("panic: ");
		vprintf(fmt, ap);
		printf("\n");
	}
	printf("cpuid = %d\n", curcpu);
	printf("time = %jd\n", (intmax_t)time_second);
	if ((newpanic || trace_all_panics) && trace_on_panic)
		kdb_backtrace();
	if (newpanic && debugger_on_panic)
		kdb_enter(KDB_WHY_PANIC, "panic");
	kern_reboot(RB_AUTOBOOT | RB_NOSYNC);
}

void __noinline
panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vpanic(fmt, ap);
}

void __noinline
kassert_panic(const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	if (KERNEL_PANICKED() || !kassert_warn_only)
		vpanic(fmt, ap);
	(void)vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	kassert_warnings++;
	printf("KASSERT failed: %s\n", buf);
	kdb_backtrace();
}

static void
print_uptime(void)
{
	printf("Uptime: %jds\n", (intmax_t)time_uptime);
}

/*
 * The end.  A panic's has a status of its own.
 */
void
kern_reboot(int howto)
{
	if (KERNEL_PANICKED()) {
		if (panic_reboot_wait_time < 0) {
			char c;

			printf("--> Press a key on the console to reboot,\n"
			    "--> or switch off the system now.\n");
			cn_flush();
			(void)host_read(&c, 1);
		} else if (panic_reboot_wait_time > 0)
			printf("Automatic reboot in %d seconds - press a key on the console to abort\n",
			    panic_reboot_wait_time);
	}
	print_uptime();
	if ((howto & RB_POWEROFF) == 0)
		printf("Rebooting...\n");
	cn_flush();
	host_exit(KERNEL_PANICKED() ? EXIT_PANIC : 0);
}

/*
 * In order: whoever asked to be told is told, modules go, and what is then
 * left over is said.
 */
void
shutdown_nice(void)
{
	rebooting = 1;
	EVENTHANDLER_INVOKE(shutdown_pre_sync, RB_POWEROFF);
	EVENTHANDLER_INVOKE(shutdown_post_sync, RB_POWEROFF);
	kld_unload_all();
	/* What callbacks still hold is not lost. */
	epoch_drain_all(net_epoch_preempt);
	(void)mbuf_report_leaks();
	(void)malloc_report_leaks();
	EVENTHANDLER_INVOKE(shutdown_final, RB_POWEROFF);
	print_uptime();
	printf("acpi0: Powering system off\n");
	cn_flush();
	host_exit(0);
}
