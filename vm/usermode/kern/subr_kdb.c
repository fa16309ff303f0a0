/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backtraces, and the door to the debugger.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kdb.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/reboot.h>
#include <sys/stack.h>
#include <sys/sysctl.h>

#include "kern_internal.h"

_Atomic bool kdb_active;
volatile int kdb_active_flag;
struct thread *kdb_thread;
__thread struct trapframe_link *trapframes;

SYSCTL_NODE(_debug, OID_AUTO, kdb, CTLFLAG_RW, 0, "KDB nodes");

uintptr_t __noinline
get_pc(void)
{
	return ((uintptr_t)__builtin_return_address(0));
}

/*
 * The function's name as FreeBSD has it: without our prefix and without what
 * the compiler appends to the parts that it makes of one.
 */
static bool
symbol_name(uintptr_t pc, char *buf, size_t size, u_long *off)
{
	const char *name;
	char *dot;

	name = host_symbol(pc, off);
	if (name == NULL)
		return (false);
	if (strncmp(name, "fbsd_", 5) == 0)
		name += 5;
	strlcpy(buf, name, size);
	if ((dot = strchr(buf, '.')) != NULL && dot != buf)
		*dot = '\0';
	return (true);
}

void
print_symbol(uintptr_t pc, char *buf, size_t size)
{
	char name[80];
	u_long off;

	if (symbol_name(pc, name, sizeof(name), &off))
		snprintf(buf, size, "%s+%#lx", name, off);
	else
		snprintf(buf, size, "%#lx", (u_long)pc);
}

#define	MAXFRAMES	1024

/* The frame that this one's pointer was saved in, or false at the end. */
static bool
frame_up(uintptr_t *pc, uintptr_t *fp)
{
	u_long words[2];

	if (*fp == 0 || (*fp & 7) != 0)
		return (false);
#if defined(__x86_64__) || defined(__aarch64__)
	if (host_peek(*fp, &words[0]) != 0 || host_peek(*fp + 8, &words[1]) != 0)
		return (false);
	/* A caller's frame is further up, but for a change of stacks. */
	*pc = words[1];
	*fp = words[0];
	return (*pc != 0);
#else
	return (false);
#endif
}

void
backtrace_from(uintptr_t pc, uintptr_t fp, int (*pr)(const char *, ...))
{
	struct trapframe_link *tl;
	char name[80];
	u_long off;
	bool ret = false;	/* pc is a return address */
	int n;

	for (n = 0; n < MAXFRAMES; n++) {
		/* A call that never returns may be the last of its function. */
		if (symbol_name(ret ? pc - 1 : pc, name, sizeof(name), &off))
			pr("%s() at %s+%#lx/frame %#lx\n", name, name, off + (ret ? 1 : 0), (u_long)fp);
		else
			pr("?? () at %#lx/frame %#lx\n", (u_long)pc, (u_long)fp);
		if (strcmp(name, "fork_trampoline") == 0) {
			pr("--- trap 0, rip = 0, rsp = 0, rbp = 0 ---\n");
			return;
		}
		for (tl = trapframes; tl != NULL; tl = tl->tl_prev)
			if (tl->tl_fp == fp)
				break;
		if (tl != NULL) {
			pr("--- trap %#x, rip = %#lx, rsp = %#lx, rbp = %#lx ---\n", tl->tl_trapno,
			    tl->tl_frame->pc, tl->tl_frame->sp, tl->tl_frame->fp);
			pc = tl->tl_frame->pc;
			fp = tl->tl_frame->fp;
			ret = false;
			/* A call to nowhere: who made it is on the top of the stack. */
			if (!symbol_name(pc, name, sizeof(name), &off)) {
				pr("?? () at %#lx\n", (u_long)pc);
				if (host_peek(tl->tl_frame->sp, &pc) != 0)
					return;
				ret = true;
			}
			continue;
		}
		if (!frame_up(&pc, &fp))
			return;
		ret = true;
	}
}

void __noinline
db_trace_self_wrapper(void)
{
	backtrace_from(get_pc(), (uintptr_t)__builtin_frame_address(0), printf);
}

void
kdb_backtrace(void)
{
	printf("KDB: stack backtrace:\n");
	db_trace_self_wrapper();
}

void
kdb_backtrace_thread(struct thread *td)
{
	u_long pc, fp;

	if (td == curthread) {
		kdb_backtrace();
		return;
	}
	printf("KDB: stack backtrace of thread %d:\n", td->td_tid);
	if (host_thread_where(td->td_host, &pc, &fp) == 0)
		backtrace_from(pc, fp, printf);
}

void __noinline
kdb_enter(const char *why, const char *msg)
{
	host_stop_others();
	printf("KDB: enter: %s\n", msg);
	db_main(why, msg, !KERNEL_PANICKED());
	host_resume_others();
}

void
kdb_reboot(void)
{
	kern_reboot(0);
}

/*
 * stack(9).
 */
void __noinline
stack_save(struct stack *st)
{
	uintptr_t pc = get_pc(), fp = (uintptr_t)__builtin_frame_address(0);
	uintptr_t lo = curthread->td_kstack, hi = lo + curthread->td_kstack_size;
	const uintptr_t *f;

	/* Often called: within this thread's own stack nothing needs to be probed. */
	for (st->depth = 0; st->depth < STACK_MAX;) {
		st->pcs[st->depth++] = pc;
		if (lo == 0 || fp < lo || fp + 16 > hi || (fp & 7) != 0) {
			if (lo == 0 && frame_up(&pc, &fp))
				continue;
			break;
		}
		f = (const uintptr_t *)fp;
		fp = f[0];
		pc = f[1];
		if (pc == 0)
			break;
	}
}

void
stack_zero(struct stack *st)
{
	memset(st, 0, sizeof(*st));
}

void
stack_copy(const struct stack *from, struct stack *to)
{
	*to = *from;
}

void
stack_print(const struct stack *st)
{
	char name[96];
	int i;

	for (i = 0; i < st->depth; i++) {
		print_symbol(st->pcs[i], name, sizeof(name));
		printf("#%d %#lx at %s\n", i, (u_long)st->pcs[i], name);
	}
}

void
stack_print_ddb(const struct stack *st)
{
	stack_print(st);
}

struct stack *
stack_create(int flags)
{
	return (malloc(sizeof(struct stack), M_TEMP, flags | M_ZERO));
}

void
stack_destroy(struct stack *st)
{
	free(st, M_TEMP);
}

/*
 * Ways to see all this on purpose.
 */
static int
sysctl_int_set(SYSCTL_HANDLER_ARGS)
{
	int value = 0, error;

	error = sysctl_handle_int(oidp, &value, 0, req);
	if (error != 0 || req->newptr == NULL)
		return (error != 0 ? error : -1);
	return (value != 0 ? 0 : -1);
}

static int
kdb_sysctl_panic(SYSCTL_HANDLER_ARGS)
{
	int error = sysctl_int_set(oidp, arg1, arg2, req);

	if (error != 0)
		return (MAX(error, 0));
	panic("kdb_sysctl_panic");
}
SYSCTL_PROC(_debug_kdb, OID_AUTO, panic, CTLTYPE_INT | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0,
    kdb_sysctl_panic, "I", "set to panic the kernel");

static int __nosanitizeundefined __nosanitizeaddress __nosanitizethread
kdb_sysctl_trap(SYSCTL_HANDLER_ARGS)
{
	int error = sysctl_int_set(oidp, arg1, arg2, req);
	static volatile uintptr_t where = 0x10;	/* not for the compiler to know */

	if (error != 0)
		return (MAX(error, 0));
	return (*(volatile int *)where);
}
SYSCTL_PROC(_debug_kdb, OID_AUTO, trap, CTLTYPE_INT | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0,
    kdb_sysctl_trap, "I", "set to cause a page fault via data access");

static int
kdb_sysctl_trap_code(SYSCTL_HANDLER_ARGS)
{
	int error = sysctl_int_set(oidp, arg1, arg2, req);
	void (*volatile fp)(u_int, u_int, u_int) = (void (*)(u_int, u_int, u_int))0xdeadc0de;

	if (error != 0)
		return (MAX(error, 0));
	fp(0x11111111, 0x22222222, 0x33333333);
	return (0);
}
SYSCTL_PROC(_debug_kdb, OID_AUTO, trap_code, CTLTYPE_INT | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0,
    kdb_sysctl_trap_code, "I", "set to cause a page fault via code access");

static int __noinline
kdb_stack_overflow(volatile int *x)
{
	if (*x > 10000000)
		return (0);
	(*x)++;
	return (kdb_stack_overflow(x) + (int)PCPU_GET(cpuid) / 1000000);
}

static int
kdb_sysctl_stack_overflow(SYSCTL_HANDLER_ARGS)
{
	int error = sysctl_int_set(oidp, arg1, arg2, req);
	volatile int x = 0;

	if (error != 0)
		return (MAX(error, 0));
	return (kdb_stack_overflow(&x));
}
SYSCTL_PROC(_debug_kdb, OID_AUTO, stack_overflow, CTLTYPE_INT | CTLFLAG_RW | CTLFLAG_MPSAFE,
    NULL, 0, kdb_sysctl_stack_overflow, "I", "set to cause a stack overflow");

static int
kdb_sysctl_enter(SYSCTL_HANDLER_ARGS)
{
	int error = sysctl_int_set(oidp, arg1, arg2, req);

	if (error != 0)
		return (MAX(error, 0));
	kdb_enter(KDB_WHY_SYSCTL, "sysctl debug.kdb.enter");
	return (0);
}
SYSCTL_PROC(_debug_kdb, OID_AUTO, enter, CTLTYPE_INT | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0,
    kdb_sysctl_enter, "I", "set to enter the debugger");
