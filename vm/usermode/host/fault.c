/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real faults of the processor, as signals on a stack of their own, and the
 * names of this program's functions.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "host.h"

extern char __executable_start[];

static void
frame_from(struct host_frame *f, int sig, const siginfo_t *si, const ucontext_t *uc)
{
	memset(f, 0, sizeof(*f));
	f->sig = sig;
	f->addr = (unsigned long)si->si_addr;
#if defined(__x86_64__)
	const greg_t *g = uc->uc_mcontext.gregs;
	static const int order[16] = {
		REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
		REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15
	};

	f->pc = (unsigned long)g[REG_RIP];
	f->sp = (unsigned long)g[REG_RSP];
	f->fp = (unsigned long)g[REG_RBP];
	f->flags = (unsigned long)g[REG_EFL];
	f->present = (g[REG_ERR] & 1) != 0;
	f->write = (g[REG_ERR] & 2) != 0;
	f->exec = (g[REG_ERR] & 16) != 0;
	for (int i = 0; i < 16; i++)
		f->reg[i] = (unsigned long)g[order[i]];
	/* A general protection fault comes as a SIGSEGV that names no address. */
	f->noncanonical = g[REG_TRAPNO] == 13;
#elif defined(__aarch64__)
	f->pc = uc->uc_mcontext.pc;
	f->sp = uc->uc_mcontext.sp;
	f->fp = uc->uc_mcontext.regs[29];
	f->flags = uc->uc_mcontext.pstate;
	for (int i = 0; i < 16; i++)
		f->reg[i] = uc->uc_mcontext.regs[i];
#else
#error "no register frame for this processor"
#endif
}

static void
fault(int sig, siginfo_t *si, void *ctx)
{
	struct host_frame f;
	int kind;

	frame_from(&f, sig, si, ctx);
	switch (sig) {
	case SIGFPE:
		kind = HOST_FAULT_FPE;
		break;
	case SIGILL:
		kind = HOST_FAULT_ILL;
		break;
	case SIGTRAP:
		kind = HOST_FAULT_INT;
		break;
	case SIGUSR1:
		kind = HOST_FAULT_BREAK;
		break;
	default:
		kind = f.noncanonical ? HOST_FAULT_GP : HOST_FAULT_PAGE;
		break;
	}
	kern_trap(kind, &f);
}

void	host_stopped(unsigned long pc, unsigned long fp);

/* Another thread is in the debugger: stand still. */
static void
halt(int sig, siginfo_t *si, void *ctx)
{
	struct host_frame f;
	int saved_errno = errno;

	frame_from(&f, sig, si, ctx);
	host_stopped(f.pc, f.fp);
	errno = saved_errno;
}

void
host_fault_init(void)
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGUSR1 };
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = fault;
	/* SA_NODEFER: a fault in the debugger is caught, too. */
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	(void)sigemptyset(&sa.sa_mask);
	for (unsigned i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		(void)sigaction(sigs[i], &sa, NULL);
	sa.sa_sigaction = halt;
	(void)sigaction(SIGUSR2, &sa, NULL);
}

enum { ALTSTACK = 512 * 1024 };

void
host_fault_thread_init(void)
{
	stack_t ss;

	memset(&ss, 0, sizeof(ss));
	ss.ss_sp = mmap(NULL, ALTSTACK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ss.ss_size = ALTSTACK;
	if (ss.ss_sp != MAP_FAILED)
		(void)sigaltstack(&ss, NULL);
}

void
host_fault_thread_fini(void)
{
	stack_t none, was;

	memset(&none, 0, sizeof(none));
	none.ss_flags = SS_DISABLE;
	if (sigaltstack(&none, &was) == 0 && was.ss_sp != NULL)
		(void)munmap(was.ss_sp, was.ss_size);
}

int
host_peek(unsigned long addr, unsigned long *value)
{
	struct iovec to = { value, sizeof(*value) };
	struct iovec from = { (void *)addr, sizeof(*value) };

	/* The kernel says whether it can be read, without a fault of ours. */
	return (process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)sizeof(*value) ? 0 : -1);
}

/*
 * Symbols, static ones too, from the program's own file.
 */
struct symbol {
	unsigned long	start, size;
	const char	*name;
};
static struct symbol *symbols;
static size_t nsymbols;

/*
 * In place and without the allocator: other threads may have been stopped with
 * its lock held.
 */
static void
sift(size_t i, size_t n)
{
	struct symbol t = symbols[i];
	size_t child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && symbols[child + 1].start > symbols[child].start)
			child++;
		if (symbols[child].start <= t.start)
			break;
		symbols[i] = symbols[child];
		i = child;
	}
	symbols[i] = t;
}

static void
symbols_sort(void)
{
	for (size_t i = nsymbols / 2; i-- > 0;)
		sift(i, nsymbols);
	for (size_t n = nsymbols; n-- > 1;) {
		struct symbol t = symbols[0];

		symbols[0] = symbols[n];
		symbols[n] = t;
		sift(0, n);
	}
}

static void
symbols_load(void)
{
	static int tried;
	struct stat st;
	int fd;

	if (tried++)
		return;
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return;
	char *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (file == MAP_FAILED)
		return;
	const Elf64_Ehdr *eh = (const void *)file;
	const Elf64_Shdr *sh = (const void *)(file + eh->e_shoff);
	unsigned long base = eh->e_type == ET_DYN ? (unsigned long)__executable_start : 0;

	for (int i = 0; i < eh->e_shnum; i++) {
		if (sh[i].sh_type != SHT_SYMTAB)
			continue;
		const Elf64_Sym *sym = (const void *)(file + sh[i].sh_offset);
		const char *names = file + sh[sh[i].sh_link].sh_offset;
		size_t n = sh[i].sh_size / sizeof(*sym);

		symbols = mmap(NULL, n * sizeof(*symbols), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (symbols == MAP_FAILED) {
			symbols = NULL;
			return;
		}
		for (size_t k = 0; k < n; k++)
			if (ELF64_ST_TYPE(sym[k].st_info) == STT_FUNC && sym[k].st_value != 0) {
				symbols[nsymbols].start = sym[k].st_value + base;
				symbols[nsymbols].size = sym[k].st_size;
				symbols[nsymbols++].name = names + sym[k].st_name;
			}
		symbols_sort();
	}
}

const char *
host_symbol(unsigned long pc, unsigned long *offset)
{
	size_t lo = 0, hi;

	symbols_load();
	for (hi = nsymbols; lo < hi;) {
		size_t mid = (lo + hi) / 2;

		if (symbols[mid].start <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || pc - symbols[lo - 1].start > symbols[lo - 1].size + 16)
		return (NULL);
	*offset = pc - symbols[lo - 1].start;
	return (symbols[lo - 1].name);
}
