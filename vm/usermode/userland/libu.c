/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs of the guest stand on: output, files, processes, threads.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/dnh.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/linker_set.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/signal.h>
#include "kern/kern_internal.h"
#include "userland/userland.h"

MALLOC_DEFINE(M_USERLAND, "userland", "memory of the guest's programs");
static MALLOC_DEFINE(M_UFILE, "ufile", "memory file system");

SET_DECLARE(usercmd_set, struct usercmd);

struct usercmd *
u_find_command(const char *name)
{
	struct usercmd **uc;

	SET_FOREACH(uc, usercmd_set)
		if (strcmp((*uc)->uc_name, name) == 0)
			return (*uc);
	return (NULL);
}

/*
 * Files: flat, in memory.
 */
struct ufile {
	TAILQ_ENTRY(ufile) link;
	char	*name;
	char	*data;		/* NUL-terminated */
	size_t	 size, room;
	u_int	 refs;		/* of those who have it open, and of its name */
	bool	 linked;
};
static TAILQ_HEAD(, ufile) ufiles = TAILQ_HEAD_INITIALIZER(ufiles);
static struct mtx ufile_mtx;
MTX_SYSINIT(ufile, &ufile_mtx, "memory fs", MTX_DEF);

/* "./x" and "/x" are x: there is one folder. */
static const char *
base_name(const char *name)
{
	if (name[0] == '.' && name[1] == '/')
		name++;
	while (name[0] == '/')
		name++;
	return (name);
}

static void
ufile_release(struct ufile *f)
{
	bool last;

	mtx_lock(&ufile_mtx);
	last = --f->refs == 0;
	mtx_unlock(&ufile_mtx);
	if (last) {
		free(f->data, M_UFILE);
		free(f->name, M_UFILE);
		free(f, M_UFILE);
	}
}

static struct ufile *
ufile_find(const char *name)
{
	struct ufile *f;

	mtx_assert(&ufile_mtx, MA_OWNED);
	TAILQ_FOREACH(f, &ufiles, link)
		if (strcmp(f->name, name) == 0)
			break;
	return (f);
}

struct ufile *
u_open(const char *name, bool create, bool truncate)
{
	struct ufile *f, *fresh;

	name = base_name(name);
	fresh = NULL;
	if (create) {
		fresh = malloc(sizeof(*fresh), M_UFILE, M_WAITOK | M_ZERO);
		fresh->name = strdup(name, M_UFILE);
		fresh->room = 64;
		fresh->data = malloc(fresh->room, M_UFILE, M_WAITOK | M_ZERO);
		fresh->refs = 2;
		fresh->linked = true;
	}
	mtx_lock(&ufile_mtx);
	f = ufile_find(name);
	if (f != NULL)
		f->refs++;
	else if (fresh != NULL) {
		TAILQ_INSERT_TAIL(&ufiles, fresh, link);
		f = fresh;
		fresh = NULL;
	}
	if (f != NULL && truncate) {
		f->size = 0;
		f->data[0] = '\0';
	}
	mtx_unlock(&ufile_mtx);
	if (fresh != NULL) {
		fresh->refs = 1;
		ufile_release(fresh);
	}
	return (f);
}

void
u_close(struct ufile *f)
{
	if (f != NULL)
		ufile_release(f);
}

int
u_file_write(struct ufile *f, const void *buf, size_t len)
{
	char *data, *old;
	size_t room;

	for (;;) {
		mtx_lock(&ufile_mtx);
		if (f->size + len + 1 <= f->room) {
			memcpy(f->data + f->size, buf, len);
			f->size += len;
			f->data[f->size] = '\0';
			mtx_unlock(&ufile_mtx);
			return (0);
		}
		for (room = f->room; room < f->size + len + 1; room *= 2)
			;
		mtx_unlock(&ufile_mtx);
		data = malloc(room, M_UFILE, M_WAITOK);
		mtx_lock(&ufile_mtx);
		old = data;
		if (room > f->room) {
			memcpy(data, f->data, f->size + 1);
			old = f->data;
			f->data = data;
			f->room = room;
		}
		mtx_unlock(&ufile_mtx);
		free(old, M_UFILE);
	}
}

const char *
u_file_data(struct ufile *f, size_t *len)
{
	if (len != NULL)
		*len = f->size;
	return (f->data);
}

int
u_unlink(const char *name)
{
	struct ufile *f;

	mtx_lock(&ufile_mtx);
	f = ufile_find(base_name(name));
	if (f != NULL) {
		TAILQ_REMOVE(&ufiles, f, link);
		f->linked = false;
	}
	mtx_unlock(&ufile_mtx);
	if (f == NULL)
		return (ENOENT);
	ufile_release(f);
	return (0);
}

void
u_file_each(void (*func)(const char *name, size_t size, void *arg), void *arg)
{
	struct ufile *f, *next;
	size_t size;

	mtx_lock(&ufile_mtx);
	f = TAILQ_FIRST(&ufiles);
	if (f != NULL)
		f->refs++;
	while (f != NULL) {
		/* func may unlink f: the next one is held before it is called. */
		next = f->linked ? TAILQ_NEXT(f, link) : NULL;
		if (next != NULL)
			next->refs++;
		size = f->size;
		mtx_unlock(&ufile_mtx);
		func(f->name, size, arg);
		ufile_release(f);
		f = next;
		mtx_lock(&ufile_mtx);
	}
	mtx_unlock(&ufile_mtx);
}

/*
 * Output.
 */
static void
write_to(struct ufile *f, const void *buf, size_t len)
{
	if (f != NULL)
		(void)u_file_write(f, buf, len);
	else
		cn_write(buf, len);
}

void
u_write(const void *buf, size_t len)
{
	write_to(curproc->p_out, buf, len);
}

/* What one call prints stays together on the console. */
static int
vprint_to(struct ufile *f, const char *fmt, va_list ap)
{
	char small[512], *buf;
	va_list copy;
	int n;

	va_copy(copy, ap);
	n = vsnprintf(small, sizeof(small), fmt, copy);
	va_end(copy);
	if ((size_t)n < sizeof(small)) {
		write_to(f, small, n);
		return (n);
	}
	buf = u_malloc(n + 1);
	(void)vsnprintf(buf, n + 1, fmt, ap);
	write_to(f, buf, n);
	u_free(buf);
	return (n);
}

int
u_vprintf(const char *fmt, va_list ap)
{
	return (vprint_to(curproc->p_out, fmt, ap));
}

int
u_printf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vprint_to(curproc->p_out, fmt, ap);
	va_end(ap);
	return (n);
}

int
u_eprintf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vprint_to(curproc->p_err, fmt, ap);
	va_end(ap);
	return (n);
}

void
u_warn(const char *prog, int error, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)u_eprintf("%s: %s: %s\n", prog, text, u_strerror(error));
}

void
u_warnx(const char *prog, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)u_eprintf("%s: %s\n", prog, text);
}

const char *
u_strerror(int error)
{
	static const struct { int error; const char *text; } texts[] = {
		{ 0, "No error: 0" }, { EPERM, "Operation not permitted" },
		{ ENOENT, "No such file or directory" }, { ESRCH, "No such process" },
		{ EINTR, "Interrupted system call" }, { EIO, "Input/output error" },
		{ ENXIO, "Device not configured" }, { E2BIG, "Argument list too long" },
		{ EDEADLK, "Resource deadlock avoided" }, { ENOMEM, "Cannot allocate memory" },
		{ EACCES, "Permission denied" }, { EBUSY, "Device busy" },
		{ EEXIST, "File exists" }, { ENODEV, "Operation not supported by device" },
		{ EISDIR, "Is a directory" }, { EINVAL, "Invalid argument" },
		{ EFBIG, "File too large" }, { ENOSPC, "No space left on device" },
		{ EPIPE, "Broken pipe" }, { ERANGE, "Result too large" },
		{ EAGAIN, "Resource temporarily unavailable" },
		{ EALREADY, "Operation already in progress" },
		{ EMSGSIZE, "Message too long" }, { ENOPROTOOPT, "Protocol not available" },
		{ EPROTONOSUPPORT, "Protocol not supported" },
		{ EOPNOTSUPP, "Operation not supported" },
		{ EAFNOSUPPORT, "Address family not supported by protocol family" },
		{ EADDRINUSE, "Address already in use" },
		{ EADDRNOTAVAIL, "Can't assign requested address" },
		{ ENETDOWN, "Network is down" }, { ENETUNREACH, "Network is unreachable" },
		{ ECONNABORTED, "Software caused connection abort" },
		{ ECONNRESET, "Connection reset by peer" },
		{ ENOBUFS, "No buffer space available" },
		{ EISCONN, "Socket is already connected" },
		{ ENOTCONN, "Socket is not connected" },
		{ ETIMEDOUT, "Operation timed out" }, { ECONNREFUSED, "Connection refused" },
		{ EHOSTDOWN, "Host is down" }, { EHOSTUNREACH, "No route to host" },
		{ ENOTEMPTY, "Directory not empty" }, { ENOSYS, "Function not implemented" },
		{ EOVERFLOW, "Value too large to be stored in data type" },
	};
	u_int i;

	for (i = 0; i < nitems(texts); i++)
		if (texts[i].error == error)
			return (texts[i].text);
	return ("Unknown error");
}

int
u_getline(char *buf, size_t size)
{
	return (cn_getline(buf, size));
}

/*
 * Processes and threads.
 */
int
u_exec(int argc, char **argv)
{
	struct usercmd *uc;

	uc = u_find_command(argv[0]);
	if (uc == NULL) {
		(void)u_eprintf("sh: %s: not found\n", argv[0]);
		return (127);
	}
	return (uc->uc_main(argc, argv));
}

struct start {
	int		 argc;
	char		**argv;
	struct ufile	*out, *err;
};

static void
run_main(void *arg)
{
	struct start *st = arg;
	int rv;

	curproc->p_out = st->out;
	curproc->p_err = st->err;
	rv = u_exec(st->argc, st->argv);
	userret(curthread, NULL);
	kproc_exit(rv);
}

struct proc *u_shell_proc;

/* Waits for a child's end; whoever kills us kills it. */
static int
wait_for(struct proc *p)
{
	struct proc *foreground = NULL;
	int status;
	bool told = false;

	/* Ctrl-C is for whom the shell waits. */
	if (curproc == u_shell_proc) {
		foreground = cn_foreground;
		cn_foreground = p;
	}
	mtx_lock(&p->p_mtx);
	while (!p->p_exited) {
		if (!told && u_interrupted()) {
			told = true;
			mtx_unlock(&p->p_mtx);
			kern_psignal(p, SIGTERM);
			mtx_lock(&p->p_mtx);
			continue;
		}
		(void)msleep(p, &p->p_mtx, told ? 0 : PCATCH, "wait", 0);
	}
	status = p->p_xexit;
	mtx_unlock(&p->p_mtx);
	if (curproc == u_shell_proc)
		cn_foreground = foreground;
	proc_reap(p);
	return (status);
}

int
u_run(struct ucred *cr, int argc, char **argv)
{
	struct start st = { argc, argv, curproc->p_out, curproc->p_err };
	struct proc *p;
	int error;

	error = proc_spawn(argv[0], cr, run_main, &st, &p);
	if (error != 0) {
		u_warn("sh", error, "%s", argv[0]);
		return (126);
	}
	return (wait_for(p));
}

int
u_wait(struct proc *p)
{
	return (wait_for(p));
}

int
u_sleep_ns(int64_t ns)
{
	return (kern_sleep_until_ns(kern_now_ns() + ns));
}

bool
u_interrupted(void)
{
	return (curproc->p_killed);
}

struct u_thread {
	struct mtx	 mtx;
	void		(*func)(void *);
	void		*arg;
	bool		 done;
};

static void
thread_main(void *arg)
{
	struct u_thread *t = arg;

	t->func(t->arg);
	userret(curthread, NULL);
	mtx_lock(&t->mtx);
	t->done = true;
	wakeup(t);
	mtx_unlock(&t->mtx);
	kthread_exit();
}

int
u_thread_create(const char *name, void (*func)(void *), void *arg, struct u_thread **tp)
{
	struct u_thread *t;
	int error;

	t = u_calloc(sizeof(*t));
	mtx_init(&t->mtx, "user thread", NULL, MTX_DEF | MTX_DUPOK);
	t->func = func;
	t->arg = arg;
	error = proc_add_thread(curproc, name, thread_main, t, NULL);
	if (error != 0) {
		mtx_destroy(&t->mtx);
		u_free(t);
		return (error);
	}
	*tp = t;
	return (0);
}

void
u_thread_join(struct u_thread *t)
{
	mtx_lock(&t->mtx);
	while (!t->done)
		(void)msleep(t, &t->mtx, 0, "uthrjoin", 0);
	mtx_unlock(&t->mtx);
	mtx_destroy(&t->mtx);
	u_free(t);
}

/*
 * Words.
 */
int
u_parse_int(const char *s, int64_t *value)
{
	uint64_t v = 0, limit;
	u_int base = 10, d;
	bool neg = false;

	if (*s == '-' || *s == '+')
		neg = *s++ == '-';
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (*s == '\0')
		return (EINVAL);
	limit = neg ? (uint64_t)INT64_MAX + 1 : UINT64_MAX;
	for (; *s != '\0'; s++) {
		d = *s >= '0' && *s <= '9' ? *s - '0' : *s >= 'a' && *s <= 'f' ? *s - 'a' + 10 :
		    *s >= 'A' && *s <= 'F' ? *s - 'A' + 10 : 99;
		if (d >= base || v > (limit - d) / base)
			return (EINVAL);
		v = v * base + d;
	}
	*value = neg ? (int64_t)-v : (int64_t)v;
	return (0);
}

/* As libc's; one set of state for all: a program must parse before it sleeps. */
char	*optarg;
int	optind = 1, opterr = 1, optopt, optreset;

int
getopt(int argc, char * const argv[], const char *spec)
{
	static const char *place = "";
	const char *p;

	if (optreset || *place == '\0') {
		optreset = 0;
		if (optind >= argc || argv[optind][0] != '-' || argv[optind][1] == '\0') {
			place = "";
			return (-1);
		}
		place = argv[optind] + 1;
		if (strcmp(place, "-") == 0) {
			optind++;
			place = "";
			return (-1);
		}
	}
	optopt = *place++;
	p = optopt == ':' ? NULL : strchr(spec, optopt);
	if (p == NULL) {
		if (*place == '\0')
			optind++;
		if (opterr && *spec != ':')
			(void)u_eprintf("%s: illegal option -- %c\n", argv[0], optopt);
		return ('?');
	}
	if (p[1] != ':') {
		if (*place == '\0')
			optind++;
		return (optopt);
	}
	if (*place != '\0')
		optarg = __DECONST(char *, place);
	else if (++optind < argc)
		optarg = argv[optind];
	else {
		place = "";
		if (opterr && *spec != ':')
			(void)u_eprintf("%s: option requires an argument -- %c\n", argv[0],
			    optopt);
		return (*spec == ':' ? ':' : '?');
	}
	place = "";
	optind++;
	return (optopt);
}
