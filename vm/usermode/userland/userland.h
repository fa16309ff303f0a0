/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _USERLAND_H_
#define	_USERLAND_H_

/*
 * What a program of the guest has.  A program is a function; it runs as a
 * process with one thread, in the jail of whoever started it, and its return
 * value is its exit status.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/linker_set.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <stdarg.h>

struct usercmd {
	const char	*uc_name;
	int		(*uc_main)(int argc, char **argv);
};
#define	USERCMD(name, func)						\
	static struct usercmd usercmd_##name = { #name, (func) };	\
	DATA_SET(usercmd_set, usercmd_##name)
struct usercmd *u_find_command(const char *name);

/* Memory of programs; what is not given back when one ends is its leak. */
MALLOC_DECLARE(M_USERLAND);
#define	u_malloc(n)	malloc((n), M_USERLAND, M_WAITOK)
#define	u_calloc(n)	malloc((n), M_USERLAND, M_WAITOK | M_ZERO)
#define	u_realloc(p, n)	realloc((p), (n), M_USERLAND, M_WAITOK)
#define	u_free(p)	free((p), M_USERLAND)
#define	u_strdup(s)	strdup((s), M_USERLAND)

/* Standard output and error of this process: the console, or a file. */
int	u_printf(const char *fmt, ...) __printflike(1, 2);
int	u_vprintf(const char *fmt, va_list ap) __printflike(1, 0);
int	u_eprintf(const char *fmt, ...) __printflike(1, 2);
void	u_write(const void *buf, size_t len);
/* "prog: text: strerror" on standard error, as warn(3) and warnx(3). */
void	u_warn(const char *prog, int error, const char *fmt, ...) __printflike(3, 4);
void	u_warnx(const char *prog, const char *fmt, ...) __printflike(2, 3);
const char *u_strerror(int error);

/* One line of standard input without its newline: its length, or -1 at the end. */
int	u_getline(char *buf, size_t size);

/* Runs a program in this thread with other words; what it returns, or 127. */
int	u_exec(int argc, char **argv);
/* The same in a process of its own with these credentials; waits for its end. */
int	u_run(struct ucred *cr, int argc, char **argv);

/* Waits for the end of a process that proc_spawn() made; its exit status. */
int	u_wait(struct proc *p);
/* The console's shell: Ctrl-C is for whom it waits. */
extern struct proc *u_shell_proc;

/* Sleep; EINTR when a signal ends it. */
int	u_sleep_ns(int64_t ns);
/* Somebody wants this program to end (kill, Ctrl-C): return soon. */
bool	u_interrupted(void);

/*
 * A thread of the calling process.  u_thread_join() waits for its end and
 * gives its memory back.
 */
struct u_thread;
int	u_thread_create(const char *name, void (*func)(void *), void *arg, struct u_thread **tp);
void	u_thread_join(struct u_thread *t);

/* The memory file system: flat, of names. */
struct ufile;
struct ufile *u_open(const char *name, bool create, bool truncate);
void	u_close(struct ufile *f);
int	u_file_write(struct ufile *f, const void *buf, size_t len);
/* The whole content, NUL-terminated; valid until the file changes. */
const char *u_file_data(struct ufile *f, size_t *len);
int	u_unlink(const char *name);
void	u_file_each(void (*f)(const char *name, size_t size, void *arg), void *arg);

/* Decimal or 0x, the whole word; 0 or EINVAL. */
int	u_parse_int(const char *s, int64_t *value);

extern char	*optarg;
extern int	optind, opterr, optopt, optreset;
int	getopt(int argc, char * const argv[], const char *optstring);

#endif /* !_USERLAND_H_ */
