/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults of the processor: the host's signals, told as amd64's traps.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kdb.h>
#include <sys/proc.h>
#include <sys/sysctl.h>

#include "kern_internal.h"

#define	T_PRIVINFLT	1
#define	T_BPTFLT	3
#define	T_PROTFLT	9
#define	T_PAGEFLT	12
#define	T_DIVIDE	18
#define	T_DOUBLEFLT	23

bool debugger_on_trap;
SYSCTL_BOOL(_debug, OID_AUTO, debugger_on_trap, CTLFLAG_RWTUN, &debugger_on_trap, 0,
    "Run debugger on kernel trap before panic");

static const char *
traptype_to_msg(int type)
{
	switch (type) {
	case T_PRIVINFLT:
		return ("privileged instruction fault");
	case T_BPTFLT:
		return ("breakpoint instruction fault");
	case T_PROTFLT:
		return ("general protection fault");
	case T_PAGEFLT:
		return ("page fault");
	case T_DIVIDE:
		return ("integer divide fault");
	case T_DOUBLEFLT:
		return ("double fault");
	default:
		return ("UNKNOWN");
	}
}

/* In the host's frame the registers stand in the order of their numbers. */
enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15 };

static void
print_registers(const struct host_frame *f)
{
	const u_long *r = f->reg;

#if defined(__x86_64__)
	printf("rdi: %016lx rsi: %016lx rdx: %016lx\n", r[RDI], r[RSI], r[RDX]);
	printf("rcx: %016lx  r8: %016lx  r9: %016lx\n", r[RCX], r[R8], r[R9]);
	printf("rax: %016lx rbx: %016lx rbp: %016lx\n", r[RAX], r[RBX], r[RBP]);
	printf("r10: %016lx r11: %016lx r12: %016lx\n", r[R10], r[R11], r[R12]);
	printf("r13: %016lx r14: %016lx r15: %016lx\n", r[R13], r[R14], r[R15]);
#else
	int i;

	for (i = 0; i < 16; i++)
		printf(" x%d: %016lx%s", i, r[i], i % 4 == 3 ? "\n" : "");
#endif
}

static void __noinline __dead2
trap_fatal(struct host_frame *f, int type)
{
	struct thread *td = curthread;

	printf("\n\nFatal trap %d: %s while in kernel mode\n", type, traptype_to_msg(type));
	printf("cpuid = %d; apic id = %02x\n", curcpu, PCPU_GET(apic_id));
	if (type == T_PAGEFLT) {
		printf("fault virtual address\t= %#lx\n", f->addr);
		printf("fault code\t\t= supervisor %s %s, %s\n", f->write ? "write" : "read",
		    f->exec ? "instruction" : "data",
		    f->present ? "protection violation" : "page not present");
	}
	printf("instruction pointer\t= 0x20:%#lx\n", f->pc);
	printf("stack pointer\t        = 0x28:%#lx\n", f->sp);
	printf("frame pointer\t        = 0x28:%#lx\n", f->fp);
	printf("code segment\t\t= base 0x0, limit 0xfffff, type 0x1b\n");
	printf("\t\t\t= DPL 0, pres 1, long 1, def32 0, gran 1\n");
	printf("processor eflags\t= %s%s%s%sIOPL = %ld\n", (f->flags & 0x100) != 0 ? "trace trap, " : "",
	    (f->flags & 0x200) != 0 ? "interrupt enabled, " : "",
	    (f->flags & 0x4000) != 0 ? "nested task, " : "",
	    (f->flags & 0x10000) != 0 ? "resume, " : "", (long)(f->flags >> 12 & 3));
	printf("current process\t\t= %d (%s)\n", td->td_proc->p_pid, td->td_name);
	print_registers(f);
	printf("trap number\t\t= %d\n", type);
	if (debugger_on_trap)
		kdb_enter(KDB_WHY_TRAP, "trap");
	panic("%s", traptype_to_msg(type));
}

static void __noinline __dead2
trap_pfault(struct host_frame *f)
{
	trap_fatal(f, T_PAGEFLT);
}

/* The thread's stack has come to its end: there is none to push a trap frame on. */
static void __noinline __dead2
dblfault_handler(struct host_frame *f)
{
	const u_long *r = f->reg;

	printf("\nFatal double fault\n"
	    "rip %#lx rsp %#lx rbp %#lx\n"
	    "rax %#lx rdx %#lx rbx %#lx\n"
	    "rcx %#lx rsi %#lx rdi %#lx\n"
	    "r8 %#lx r9 %#lx r10 %#lx\n"
	    "r11 %#lx r12 %#lx r13 %#lx\n"
	    "r14 %#lx r15 %#lx rflags %#lx\n"
	    "cs 0x20 ss 0x28\n",
	    f->pc, f->sp, f->fp, r[RAX], r[RDX], r[RBX], r[RCX], r[RSI], r[RDI], r[R8], r[R9],
	    r[R10], r[R11], r[R12], r[R13], r[R14], r[R15], f->flags);
	printf("cpuid = %d; apic id = %02x\n", curcpu, PCPU_GET(apic_id));
	panic("double fault");
}

static bool
stack_is_spent(const struct host_frame *f)
{
	struct thread *td = curthread;

	return (td->td_kstack != 0 && f->addr >= td->td_kstack - HOST_GUARD && f->addr < td->td_kstack);
}

static void __noinline
trap(int kind, struct host_frame *f)
{
	switch (kind) {
	case HOST_FAULT_PAGE:
		trap_pfault(f);
	case HOST_FAULT_GP:
		trap_fatal(f, T_PROTFLT);
	case HOST_FAULT_FPE:
		trap_fatal(f, T_DIVIDE);
	case HOST_FAULT_ILL:
		trap_fatal(f, T_PRIVINFLT);
	case HOST_FAULT_INT:
		trap_fatal(f, T_BPTFLT);
	}
}

void __noinline
kern_trap(int kind, struct host_frame *f)
{
	static const int numbers[] = {
		[HOST_FAULT_PAGE] = T_PAGEFLT, [HOST_FAULT_GP] = T_PROTFLT,
		[HOST_FAULT_FPE] = T_DIVIDE, [HOST_FAULT_ILL] = T_PRIVINFLT,
		[HOST_FAULT_INT] = T_BPTFLT, [HOST_FAULT_BREAK] = T_BPTFLT
	};
	struct trapframe_link tl = {
		.tl_prev = trapframes, .tl_fp = (uintptr_t)__builtin_frame_address(0),
		.tl_frame = f, .tl_trapno = numbers[kind]
	};

	if (curthread == NULL)
		host_exit(EXIT_PANIC);
	if (kdb_active && kind != HOST_FAULT_BREAK) {
		printf("\n*** error reading from address %lx ***\n", f->addr);
		db_fault();
	}
	if (kind == HOST_FAULT_BREAK && (kdb_active || KERNEL_PANICKED()))
		return;
	trapframes = &tl;
	host_stop_others();
	if (kind == HOST_FAULT_BREAK)
		kdb_enter(KDB_WHY_BREAK, "Break to debugger");
	else if (kind == HOST_FAULT_PAGE && stack_is_spent(f)) {
		tl.tl_trapno = T_DOUBLEFLT;
		dblfault_handler(f);
	} else
		trap(kind, f);
	trapframes = tl.tl_prev;
	host_resume_others();
}
