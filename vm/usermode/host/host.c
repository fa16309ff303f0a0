/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine: command line, console, memory, time.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

struct host_config host_config = { .seed = 1, .ncpu = 4 };

static struct termios tio_before;
static int tio_changed;
static int signals;		/* of note_signal(), on whatever thread it comes */

/* The sanitizers leave faults to the kernel, whose business they are. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__ubsan_default_options(void);

const char *
__asan_default_options(void)
{
	return ("handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_sigtrap=0:"
	    "use_sigaltstack=0:detect_leaks=0:detect_stack_use_after_return=0:"
	    "detect_odr_violation=0:allocator_may_return_null=1:exitcode=99");
}

const char *
__tsan_default_options(void)
{
	return ("handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:"
	    "use_sigaltstack=0:exitcode=99:halt_on_error=1:second_deadlock_stack=1:"
	    "detect_deadlocks=0:report_thread_leaks=0:report_signal_unsafe=0");
}

const char *
__ubsan_default_options(void)
{
	return ("print_stacktrace=1:halt_on_error=1:exitcode=99:handle_segv=0:handle_sigbus=0:"
	    "handle_sigfpe=0:handle_sigill=0:use_sigaltstack=0");
}

void
host_exit(int status)
{
	if (tio_changed)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &tio_before);
#if defined(__SANITIZE_THREAD__) && defined(__linux__)
	/* It would object to whom it was told to overlook; what it saw it has said. */
	(void)syscall(SYS_exit_group, status);
#endif
	_exit(status);
}

void
host_write(const char *buf, unsigned long len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { STDOUT_FILENO, POLLOUT, 0 };

			(void)poll(&p, 1, -1);
			continue;
		}
		if (n <= 0)
			host_exit(1);	/* nobody listens any more */
		buf += n;
		len -= (unsigned long)n;
	}
}

long
host_read(char *buf, unsigned long len)
{
	for (;;) {
		if (host_config.wall) {
			/* Signals come to another thread; so look now and then. */
			struct pollfd p = { STDIN_FILENO, POLLIN, 0 };

			if (poll(&p, 1, 20) <= 0) {
				if (host_signal_pending())
					return (-1);
				continue;
			}
		}
		ssize_t n = read(STDIN_FILENO, buf, len);

		if (n >= 0)
			return (n);
		if (errno == EINTR) {
			if (host_signal_pending())
				return (-1);
			continue;
		}
		if (errno == EAGAIN) {
			struct pollfd p = { STDIN_FILENO, POLLIN, 0 };

			(void)poll(&p, 1, -1);
			continue;
		}
		return (0);	/* EIO: the terminal hung up */
	}
}

static void
note_signal(int sig)
{
	if (sig == SIGINT)
		(void)__atomic_fetch_or(&signals, HOST_SIG_INT, __ATOMIC_RELAXED);
	else {
		(void)__atomic_fetch_or(&signals, HOST_SIG_TERM, __ATOMIC_RELAXED);
		/* A kernel that hangs does not get in the way of whoever ends it. */
		(void)alarm(3);
	}
}

int
host_signals(void)
{
	if (host_signal_pending() == 0)
		return (0);
	return (__atomic_exchange_n(&signals, 0, __ATOMIC_RELAXED));
}

int
host_signal_pending(void)
{
	return (__atomic_load_n(&signals, __ATOMIC_RELAXED));
}

/*
 * Memory comes from one reservation, so that the same kernel finds the same
 * things at the same addresses in each run.  ThreadSanitizer leaves no such
 * place; it runs on the wall clock, where nothing repeats itself anyway.
 */
#define	ARENA_SIZE	(16ul << 30)
static char *arena, *arena_next;

static int
arena_reserve(void)
{
	void *want = NULL;
	unsigned long size = ARENA_SIZE;

#ifndef __SANITIZE_THREAD__
	want = (void *)0x200000000000ul;
#endif
	for (; size >= (256ul << 20); size /= 2) {
		arena = mmap(want, size + HOST_CHUNK, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (arena != MAP_FAILED) {
			arena = (char *)(((unsigned long)arena + HOST_CHUNK - 1) & ~(HOST_CHUNK - 1));
			arena_next = arena;
			return (0);
		}
	}
	arena = NULL;
	return (-1);
}

/*
 * What was given back stays unmapped for a while, so that late users of it
 * fault, and is then given out again.
 */
#define	FREED_KEEP	32
static struct chunks { char *p; unsigned long n; } freed[FREED_KEEP], again[256];
static unsigned freed_next, nagain;

void *
host_chunks(unsigned long n)
{
	char *p;

	for (unsigned i = 0; i < nagain; i++)
		if (again[i].n == n) {
			p = again[i].p;
			again[i] = again[--nagain];
			return (p);
		}
	if (arena == NULL && arena_reserve() != 0)
		return (NULL);
	p = arena_next;
	if ((unsigned long)(p - arena) + n * HOST_CHUNK > ARENA_SIZE)
		return (NULL);
	__atomic_store_n(&arena_next, p + n * HOST_CHUNK, __ATOMIC_RELAXED);
	return (p);
}

int
host_in_arena(const void *p)
{
	return ((const char *)p >= arena && (const char *)p < __atomic_load_n(&arena_next, __ATOMIC_RELAXED));
}

void
host_chunks_free(void *p, unsigned long n)
{
	struct chunks *f = &freed[freed_next++ % FREED_KEEP];

	if (f->p != NULL && nagain < sizeof(again) / sizeof(again[0])) {
		(void)mprotect(f->p, f->n * HOST_CHUNK, PROT_READ | PROT_WRITE);
		again[nagain++] = *f;
	}
	(void)madvise(p, n * HOST_CHUNK, MADV_DONTNEED);
	(void)mprotect(p, n * HOST_CHUNK, PROT_NONE);
	f->p = p;
	f->n = n;
}

void *
host_stack_alloc(unsigned long size)
{
	char *p = mmap(NULL, size + HOST_GUARD, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED || mprotect(p, HOST_GUARD, PROT_NONE) != 0)
		return (NULL);
	return (p + HOST_GUARD);
}

void
host_stack_free(void *p, unsigned long size)
{
	host_unpoison(p, size);
	(void)munmap((char *)p - HOST_GUARD, size + HOST_GUARD);
}

void
host_poison(const void *p, unsigned long size)
{
#if defined(__SANITIZE_ADDRESS__)
	__asan_poison_memory_region(p, size);
#else
	(void)p, (void)size;
#endif
}

void
host_unpoison(const void *p, unsigned long size)
{
#if defined(__SANITIZE_ADDRESS__)
	__asan_unpoison_memory_region(p, size);
#else
	(void)p, (void)size;
#endif
}

unsigned long
host_maxrss_kb(void)
{
	struct rusage ru;

	(void)getrusage(RUSAGE_SELF, &ru);
	return ((unsigned long)ru.ru_maxrss);
}

long
host_now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000000000L + ts.tv_nsec);
}

long
host_epoch_s(void)
{
	return ((long)time(NULL));
}

#define	USAGE								\
	"usage: dnh-usermode [--seed N] [--clock virtual|wall] [--ncpu N]\n"	\
	"           [--interactive] [--tunable NAME=VALUE ...]\n"

static void
usage(const char *why, const char *word)
{
	fprintf(stderr, "dnh-usermode: %s%s\n" USAGE, why, word);
	exit(2);
}

static unsigned long
number(const char *option, const char *text, unsigned long most)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0' || *text == '-' || n > most)
		usage("bad number for ", option);
	return (n);
}

static void
arguments(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *option = argv[i];
		const char *value = argv[i + 1];

		if (strcmp(option, "--help") == 0) {
			printf(USAGE);
			exit(0);
		}
		if (strncmp(option, "--", 2) != 0)
			usage("unexpected word ", option);
		if (strcmp(option, "--interactive") == 0) {
			host_config.interactive = 1;
			continue;
		}
		if (value == NULL)
			usage("a value is missing after ", option);
		i++;
		if (strcmp(option, "--seed") == 0)
			host_config.seed = number(option, value, ~0ul);
		else if (strcmp(option, "--ncpu") == 0) {
			host_config.ncpu = (int)number(option, value, 64);
			if (host_config.ncpu == 0)
				usage("bad number for ", option);
		} else if (strcmp(option, "--clock") == 0) {
			if (strcmp(value, "wall") == 0)
				host_config.wall = 1;
			else if (strcmp(value, "virtual") != 0)
				usage("a clock is virtual or wall, not ", value);
		} else if (strcmp(option, "--tunable") == 0) {
			if (strchr(value, '=') == NULL || value[0] == '=')
				usage("a tunable is NAME=VALUE, not ", value);
			if (host_config.ntunables ==
			    (int)(sizeof(host_config.tunable) / sizeof(host_config.tunable[0])))
				usage("too many tunables at ", value);
			host_config.tunable[host_config.ntunables++] = value;
		} else
			usage("unknown option ", option);
	}
}

static void
main_entry(void *arg)
{
	(void)arg;
	kern_main();
}

int
main(int argc, char **argv)
{
	struct sigaction sa;
	struct termios tio;

	arguments(argc, argv);
#ifdef __linux__
	/* Addresses that repeat themselves, so that a panic does, byte for byte. */
	int have = personality(0xffffffff);
	if (have != -1 && (have & ADDR_NO_RANDOMIZE) == 0 && getenv("DNH_REEXEC") == NULL &&
	    personality((unsigned long)have | ADDR_NO_RANDOMIZE) != -1) {
		/*
		 * With an environment of its own: what stands on the stack would
		 * shift it.
		 */
		static const char *const keep[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS" };
		static char kept[4][4096];
		char *envp[5];
		int n = 0;

		for (unsigned i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
			if (getenv(keep[i]) != NULL) {
				snprintf(kept[n], sizeof(kept[n]), "%s=%s", keep[i], getenv(keep[i]));
				envp[n] = kept[n];
				n++;
			}
		envp[n] = strcpy(kept[n], "DNH_REEXEC=1");
		envp[n + 1] = NULL;
		(void)execve("/proc/self/exe", argv, envp);
	}
	/* Whatever ends the harness ends its guest. */
	pid_t parent = getppid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
#endif
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = note_signal;
	sa.sa_flags = SA_ONSTACK;	/* no SA_RESTART: a read ends */
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_DFL);
	(void)signal(SIGALRM, SIG_DFL);
	if (tcgetattr(STDIN_FILENO, &tio) == 0) {
		/* The guest's own terminal driver does lines and echo. */
		tio_before = tio;
		tio.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN);
		tio.c_cc[VMIN] = 1;
		tio.c_cc[VTIME] = 0;
		tio_changed = tcsetattr(STDIN_FILENO, TCSANOW, &tio) == 0;
	}
	host_fault_init();
	host_fault_thread_init();
	/* The kernel starts on a stack like that of every thread of its own. */
	if (host_config.wall)
		kern_main();
	unsigned long size = 512 * 1024;
	struct hthread *first = host_thread_new(host_stack_alloc(size), size, main_entry, NULL);
	host_lock();
	host_switch_to(host_thread_self(), first, 1);
	return (0);
}
