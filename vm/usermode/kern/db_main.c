/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ddb(4): the kernel debugger, as far as a console log needs it.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kdb.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/smp.h>
#include <ddb/ddb.h>

#include "kern_internal.h"

SET_DECLARE(db_cmd_set, struct db_cmd);

volatile bool db_pager_quit;
static void *db_jump[5];		/* where a fault of the debugger's own goes on */
static bool db_jump_set;
static struct host_frame *db_frame;	/* of the trap that brought us here, or NULL */
static uintptr_t db_pc, db_fp;
static bool db_leave;
static bool db_can_continue;

int
db_printf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vprintf(fmt, ap);
	va_end(ap);
	return (n);
}

void
db_fault(void)
{
	if (!db_jump_set)
		host_exit(EXIT_PANIC);
	__builtin_longjmp(db_jump, 1);
}

struct thread *
tdfind_ddb(int id)
{
	struct thread *td;

	TAILQ_FOREACH(td, &allthreads, td_list)
		if (td->td_tid == id)
			return (td);
	TAILQ_FOREACH(td, &allthreads, td_list)
		if (td->td_proc->p_pid == id)
			return (td);
	return (NULL);
}

static void
db_trace_thread(struct thread *td)
{
	u_long pc, fp;

	if (td == kdb_thread)
		backtrace_from(db_pc, db_fp, db_printf);
	else if (td->td_bt_pc != 0)
		backtrace_from(td->td_bt_pc, td->td_bt_fp, db_printf);
	else if (host_thread_where(td->td_host, &pc, &fp) == 0)
		backtrace_from(pc, fp, db_printf);
}

_DB_CMD("", "trace", db_stack_trace)
{
	struct thread *td = kdb_thread;

	if (have_addr && (td = tdfind_ddb((int)addr)) == NULL) {
		db_printf("Thread %ld not found\n", addr);
		return;
	}
	db_printf("Tracing pid %d tid %ld td %p\n", td->td_proc->p_pid, (long)td->td_tid, td);
	db_trace_thread(td);
}

_DB_CMD("", "alltrace", db_stack_trace_all)
{
	struct thread *td;

	TAILQ_FOREACH(td, &allthreads, td_list) {
		db_printf("\nTracing command %s pid %d tid %ld td %p\n", td->td_proc->p_comm,
		    td->td_proc->p_pid, (long)td->td_tid, td);
		db_trace_thread(td);
	}
}

_DB_CMD("", "continue", db_continue_cmd)
{
	db_leave = true;
}

_DB_CMD("", "reset", db_reset)
{
	cn_flush();
	host_exit(EXIT_PANIC);
}

_DB_CMD("", "help", db_help)
{
	struct db_cmd **c;
	int n = 0;

	SET_FOREACH(c, db_cmd_set) {
		db_printf("%s%s%-14s", (*c)->group, (*c)->group[0] != '\0' ? " " : "", (*c)->name);
		if (++n % 4 == 0)
			db_printf("\n");
	}
	db_printf("\n");
}

static const char *
state_letter(const struct thread *td, char *buf, size_t size)
{
	switch (td->td_state) {
	case TDS_RUNNING:
		snprintf(buf, size, "Run");
		break;
	case TDS_RUNQ:
	case TDS_CAN_RUN:
		snprintf(buf, size, "RunQ");
		break;
	case TDS_INHIBITED:
		snprintf(buf, size, td->td_blocked != NULL ? "L" :
		    (td->td_flags & TDF_SINTR) != 0 ? "S" : "D");
		break;
	default:
		snprintf(buf, size, "?");
		break;
	}
	return (buf);
}

_DB_CMD("", "ps", db_ps)
{
	struct proc *p;
	struct thread *td;
	char state[8], what[24];

	db_printf("  pid  ppid  pgrp   uid  state   wmesg   wchan               cmd\n");
	LIST_FOREACH(p, &allproc, p_list) {
		db_printf("%5d %5d %5d %5d  ", p->p_pid, p->p_pptr != NULL ? p->p_pptr->p_pid : 0,
		    p->p_pid, 0);
		if (p->p_numthreads > 1)
			db_printf("%-8s%-8s%-20s%s\n", "R", "(threaded)", "", p->p_comm);
		FOREACH_THREAD_IN_PROC(p, td) {
			if (td->td_state == TDS_RUNNING)
				snprintf(what, sizeof(what), "CPU %d", td->td_oncpu);
			else if (td->td_blocked != NULL)
				snprintf(what, sizeof(what), "*%s", td->td_lockname);
			else
				strlcpy(what, td->td_wmesg != NULL ? td->td_wmesg : "", sizeof(what));
			if (p->p_numthreads > 1)
				db_printf("%6d                  ", td->td_tid);
			db_printf("%-8s%-8s", state_letter(td, state, sizeof(state)), what);
			if (td->td_wchan != NULL)
				db_printf("%-18p  ", td->td_wchan);
			else
				db_printf("%-18s  ", "");
			db_printf("%s%s%s\n", (p->p_flag & P_SYSTEM) != 0 ? "[" : "", td->td_name,
			    (p->p_flag & P_SYSTEM) != 0 ? "]" : "");
		}
	}
}

_DB_CMD("show", "registers", db_show_regs)
{
	static const char * const names[] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
	};
	char sym[96];
	int i;

	if (db_frame == NULL) {
		print_symbol(db_pc, sym, sizeof(sym));
		db_printf("rbp         %#18lx\n", (u_long)db_fp);
		db_printf("rip         %#18lx  %s\n", (u_long)db_pc, sym);
		return;
	}
	for (i = 0; i < 16; i++)
		db_printf("%-12s%#18lx\n", names[i], db_frame->reg[i]);
	print_symbol(db_frame->pc, sym, sizeof(sym));
	db_printf("%-12s%#18lx  %s\n", "rip", db_frame->pc, sym);
	db_printf("%-12s%#18lx\n", "rflags", db_frame->flags);
}

_DB_CMD("show", "panic", db_show_panic)
{
	if (panicstr == NULL)
		db_printf("panicstr not set\n");
	else
		db_printf("panic: %s\n", panicstr);
}

static void
show_pcpu(int cpu)
{
	struct thread *td = pcpu_data[cpu].pc_curthread;

	db_printf("cpuid        = %d\n", cpu);
	db_printf("dynamic pcpu = %#lx\n", (u_long)pcpu_data[cpu].pc_dynamic);
	if (td != NULL)
		db_printf("curthread    = %p: pid %d tid %d critnest %d \"%s\"\n", td,
		    td->td_proc->p_pid, td->td_tid, td->td_critnest, td->td_name);
	else
		db_printf("curthread    = none\n");
	db_printf("spin locks held:\n");
}

_DB_CMD("show", "pcpu", db_show_pcpu)
{
	show_pcpu(have_addr && addr >= 0 && addr < mp_ncpus ? (int)addr : curcpu);
}

_DB_CMD("show all", "pcpu", db_show_all_pcpu)
{
	int i;

	CPU_FOREACH(i)
		show_pcpu(i);
}

_DB_CMD("show", "allpcpu", db_show_cpu_all)
{
	int i;

	CPU_FOREACH(i)
		show_pcpu(i);
}

_DB_CMD("show", "thread", db_show_thread)
{
	struct thread *td = kdb_thread;

	if (have_addr && (td = tdfind_ddb((int)addr)) == NULL) {
		db_printf("Thread %ld not found\n", addr);
		return;
	}
	db_printf("Thread %d at %p:\n", td->td_tid, td);
	db_printf(" proc (pid %d): %p\n", td->td_proc->p_pid, td->td_proc);
	db_printf(" name: %s\n", td->td_name);
	db_printf(" stack: %p-%p\n", (void *)td->td_kstack,
	    (void *)(td->td_kstack + td->td_kstack_size - 1));
	db_printf(" flags: %#x  pflags: %#x\n", td->td_flags, td->td_pflags);
	db_printf(" vnet: %p  epochnest: %d  pinned: %d\n", td->td_vnet, td->td_epochnest,
	    td->td_pinned);
}

static void
show_malloc_type(const struct malloc_type *t, void *arg)
{
	const struct malloc_type_stats s = malloc_type_sum(t);

	if (s.mts_inuse != 0)
		db_printf("%18s %12ju %12juK %12ju\n", t->ks_shortdesc, (uintmax_t)s.mts_inuse,
		    (uintmax_t)howmany(s.mts_memuse, 1024), (uintmax_t)s.mts_requests);
}

_DB_CMD("show", "malloc", db_show_malloc)
{
	db_printf("%18s %12s  %12s %12s\n", "Type", "InUse", "MemUse", "Requests");
	malloc_type_each(show_malloc_type, NULL);
}

_DB_CMD("show", "mbuf", db_show_mbuf)
{
	struct mbuf *m = (struct mbuf *)addr;

	if (!have_addr) {
		db_printf("usage: show mbuf <addr>\n");
		return;
	}
	db_printf("mbuf: %p\n m_data: %p m_len: %d m_type: %d m_flags: %#x\n m_next: %p m_nextpkt: %p\n",
	    m, m->m_data, m->m_len, m->m_type, m->m_flags, m->m_next, m->m_nextpkt);
}

/* One line of the console; false at its end. */
static bool
read_line(char *buf, size_t size)
{
	size_t n = 0;
	int c;

	cn_flush();
	while ((c = cn_getc()) != '\r' && c != '\n') {
		if (c < 0)
			return (false);
		if ((c == '\b' || c == 0x7f) && n > 0)
			n--;
		else if (n < size - 1 && c >= ' ')
			buf[n++] = (char)c;
	}
	if (cn_echo)
		db_printf("%.*s\n", (int)n, buf);
	buf[n] = '\0';
	return (true);
}

/* By its whole name, or by what only one name begins with. */
static struct db_cmd *
find(const char *group, const char *name)
{
	struct db_cmd **c, *found = NULL;
	int n = 0;

	SET_FOREACH(c, db_cmd_set) {
		if (strcmp((*c)->group, group) != 0)
			continue;
		if (strcmp((*c)->name, name) == 0)
			return (*c);
		if (strncmp((*c)->name, name, strlen(name)) == 0) {
			found = *c;
			n++;
		}
	}
	return (n == 1 ? found : NULL);
}

static void
command(char *text)
{
	static const struct { const char *alias, *name; } aliases[] = {
		{ "bt", "trace" }, { "t", "trace" }, { "where", "trace" }, { "c", "continue" },
		{ "reboot", "reset" }, { "boot", "reset" },
	};
	struct db_cmd *c;
	const char *group = "";
	char *word, *rest = text, *end;
	db_expr_t addr = 0;
	bool have = false;
	u_int i;

	while ((word = strsep(&rest, " \t")) != NULL && *word == '\0')
		;
	if (word == NULL)
		return;
	if (strcmp(word, "show") == 0 || strcmp(word, "sho") == 0) {
		group = "show";
		while ((word = strsep(&rest, " \t")) != NULL && *word == '\0')
			;
		if (word != NULL && strcmp(word, "all") == 0) {
			group = "show all";
			while ((word = strsep(&rest, " \t")) != NULL && *word == '\0')
				;
		}
		if (word == NULL) {
			db_printf("show what?\n");
			return;
		}
	}
	/* Modifiers, as in bt/u, change nothing here. */
	if ((end = strchr(word, '/')) != NULL)
		*end = '\0';
	if (*group == '\0')
		for (i = 0; i < nitems(aliases); i++)
			if (strcmp(word, aliases[i].alias) == 0)
				word = __DECONST(char *, aliases[i].name);
	c = find(group, word);
	if (c == NULL) {
		db_printf("No such command; use \"help\" to list available commands\n");
		return;
	}
	while (rest != NULL && (*rest == ' ' || *rest == '\t'))
		rest++;
	if (rest != NULL && *rest != '\0') {
		/* Numbers of threads and processes are decimal, addresses begin with 0x. */
		addr = strtol(rest, &end, strncmp(rest, "0x", 2) == 0 ? 16 : 10);
		have = end != rest;
	}
	c->func(addr, have, -1, NULL);
}

void __noinline
db_main(const char *why, const char *msg, bool may_continue)
{
	static char text[256];
	char sym[96];
	bool was_active = kdb_active;

	if (was_active)
		return;
	kdb_active = true;
	kdb_active_flag = 1;
	kdb_thread = curthread;
	db_frame = trapframes != NULL ? trapframes->tl_frame : NULL;
	/* We are where kdb_enter() called us. */
	db_pc = (uintptr_t)__builtin_return_address(0);
	db_fp = *(uintptr_t *)__builtin_frame_address(0);
	db_can_continue = may_continue;
	db_leave = false;
	db_printf("[ thread pid %d tid %d ]\n", curproc->p_pid, curthread->td_tid);
	print_symbol(db_pc, sym, sizeof(sym));
	db_printf("Stopped at      %s:\n", sym);
	if (__builtin_setjmp(db_jump) != 0)
		db_printf("\n");
	db_jump_set = true;
	while (!db_leave) {
		db_printf("db> ");
		if (!read_line(text, sizeof(text))) {
			db_printf("\n");
			cn_flush();
			host_exit(EXIT_PANIC);
		}
		command(text);
	}
	db_jump_set = false;
	kdb_active = false;
	kdb_active_flag = 0;
}
