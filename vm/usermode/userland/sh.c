/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shell on the console, and process 1 below it.
 *
 * Lists with ; && || &, quotes, backslash, comments, variables, > >> 2> 2>&1.
 * No loops, no pipes: who drives the guest has those.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/errno.h>
#include <sys/jail.h>
#include <sys/kthread.h>
#include <sys/proc.h>
#include <sys/signal.h>
#include <sys/sx.h>
#include <net/if.h>
#include <net/if_clone.h>
#include <net/if_private.h>
#include <net/vnet.h>
#include "kern/kern_internal.h"
#include "userland/userland.h"

#define	LINE_MAX	8192
#define	WORDS_MAX	128

struct var {
	SLIST_ENTRY(var) link;
	char	*name, *value;
};
struct job {
	TAILQ_ENTRY(job) link;
	int		 id;
	struct proc	*proc;
	char		*text;
};

struct shell {
	SLIST_HEAD(, var) vars;
	TAILQ_HEAD(, job) jobs;
	int		 next_job;
	int		 status;	/* $? */
	pid_t		 last_bg;	/* $! */
	bool		 done;		/* exit */
	int		 depth;
};

static int	run_list(struct shell *sh, const char *text, size_t len);

static const char *
get_var(struct shell *sh, const char *name)
{
	struct var *v;

	SLIST_FOREACH(v, &sh->vars, link)
		if (strcmp(v->name, name) == 0)
			return (v->value);
	return ("");
}

static void
set_var(struct shell *sh, const char *name, size_t n, const char *value)
{
	struct var *v;

	SLIST_FOREACH(v, &sh->vars, link)
		if (strlen(v->name) == n && strncmp(v->name, name, n) == 0)
			break;
	if (v == NULL) {
		v = u_calloc(sizeof(*v));
		v->name = strndup(name, n, M_USERLAND);
		SLIST_INSERT_HEAD(&sh->vars, v, link);
	} else
		u_free(v->value);
	v->value = u_strdup(value);
}

static void
free_vars(struct shell *sh)
{
	struct var *v;

	while ((v = SLIST_FIRST(&sh->vars)) != NULL) {
		SLIST_REMOVE_HEAD(&sh->vars, link);
		u_free(v->name);
		u_free(v->value);
		u_free(v);
	}
}

/*
 * Words.
 */
struct word {
	char	*buf;
	size_t	 len, room;
	bool	 any;		/* "" is a word too */
};

static void
add_char(struct word *w, char c)
{
	if (w->len + 1 >= w->room) {
		w->room = w->room == 0 ? 64 : w->room * 2;
		w->buf = w->buf == NULL ? u_malloc(w->room) : u_realloc(w->buf, w->room);
	}
	w->buf[w->len++] = c;
	w->buf[w->len] = '\0';
	w->any = true;
}

static bool
name_char(char c, bool first)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    (!first && c >= '0' && c <= '9'));
}

/* At a $; returns where the text goes on. */
static const char *
expand(struct shell *sh, const char *p, const char *end, struct word *w)
{
	char num[16], name[64];
	const char *v;
	bool brace;
	size_t n;

	if (++p == end) {
		add_char(w, '$');
		return (p);
	}
	v = num;
	switch (*p) {
	case '?':
		snprintf(num, sizeof(num), "%d", sh->status);
		p++;
		break;
	case '!':
		snprintf(num, sizeof(num), "%d", sh->last_bg);
		p++;
		break;
	case '$':
		snprintf(num, sizeof(num), "%d", curproc->p_pid);
		p++;
		break;
	default:
		brace = *p == '{';
		if (brace)
			p++;
		for (n = 0; p < end && n < sizeof(name) - 1 && name_char(*p, n == 0); p++)
			name[n++] = *p;
		name[n] = '\0';
		if (n == 0) {
			add_char(w, '$');
			if (brace)
				add_char(w, '{');
			return (p);
		}
		if (brace && p < end && *p == '}')
			p++;
		v = get_var(sh, name);
	}
	for (; *v != '\0'; v++)
		add_char(w, *v);
	w->any = true;
	return (p);
}

static bool
is_blank(char c)
{
	return (c == ' ' || c == '\t' || c == '\n' || c == '\r');
}

/* One word into w; returns where it ends.  The caller skipped blanks. */
static const char *
read_word(struct shell *sh, const char *p, const char *end, struct word *w)
{
	char quote = 0;

	for (; p < end; ) {
		if (quote == '\'') {
			if (*p == '\'')
				quote = 0;
			else
				add_char(w, *p);
			p++;
			continue;
		}
		if (*p == '\\' && p + 1 < end) {
			if (quote == '"' && p[1] != '"' && p[1] != '\\' && p[1] != '$' && p[1] != '`')
				add_char(w, '\\');
			add_char(w, p[1]);
			p += 2;
			continue;
		}
		if (*p == '$') {
			p = expand(sh, p, end, w);
			continue;
		}
		if (*p == '"') {
			quote = quote == '"' ? 0 : '"';
			w->any = true;
			p++;
			continue;
		}
		if (quote == 0) {
			if (*p == '\'') {
				quote = '\'';
				w->any = true;
				p++;
				continue;
			}
			if (is_blank(*p) || *p == '>' || *p == '<')
				break;
		}
		add_char(w, *p++);
	}
	return (p);
}

/*
 * Builtins: what changes the shell itself.
 */
static void
reap_jobs(struct shell *sh)
{
	struct job *j, *next;

	TAILQ_FOREACH_SAFE(j, &sh->jobs, link, next)
		if (atomic_load_bool(&j->proc->p_exited)) {
			TAILQ_REMOVE(&sh->jobs, j, link);
			(void)u_wait(j->proc);
			u_free(j->text);
			u_free(j);
		}
}

static struct job *
find_job(struct shell *sh, const char *word)
{
	struct job *j;
	int64_t n;

	if (u_parse_int(word[0] == '%' ? word + 1 : word, &n) != 0)
		return (NULL);
	TAILQ_FOREACH(j, &sh->jobs, link)
		if (word[0] == '%' ? j->id == n : j->proc->p_pid == n)
			return (j);
	return (NULL);
}

static int
wait_job(struct shell *sh, struct job *j)
{
	int status;

	status = u_wait(j->proc);
	TAILQ_REMOVE(&sh->jobs, j, link);
	u_free(j->text);
	u_free(j);
	return (status);
}

static int
do_wait(struct shell *sh, int argc, char **argv)
{
	struct job *j;
	int i, status = 0;

	if (argc == 1) {
		while ((j = TAILQ_FIRST(&sh->jobs)) != NULL)
			(void)wait_job(sh, j);
		return (0);
	}
	for (i = 1; i < argc; i++)
		status = (j = find_job(sh, argv[i])) != NULL ? wait_job(sh, j) : 127;
	return (status);
}

static int
do_kill(struct shell *sh, int argc, char **argv)
{
	struct proc *p;
	struct job *j;
	int64_t pid;
	int i, status = 0;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;	/* every signal that ends a program does it the same way */
		if ((j = find_job(sh, argv[i])) != NULL) {
			kern_psignal(j->proc, SIGTERM);
			continue;
		}
		p = u_parse_int(argv[i], &pid) == 0 ? pfind(pid) : NULL;
		if (p == NULL || (p->p_flag & P_KPROC) != 0) {
			u_warn("kill", p == NULL ? ESRCH : EPERM, "%s", argv[i]);
			status = 1;
		} else
			kern_psignal(p, SIGTERM);
		if (p != NULL)
			PROC_UNLOCK(p);
	}
	return (status);
}

static bool
builtin(struct shell *sh, int argc, char **argv)
{
	struct job *j;
	int64_t n;

	if (strcmp(argv[0], "exit") == 0) {
		n = sh->status;
		if (argc > 1)
			(void)u_parse_int(argv[1], &n);
		sh->status = n & 255;
		sh->done = true;
	} else if (strcmp(argv[0], "wait") == 0)
		sh->status = do_wait(sh, argc, argv);
	else if (strcmp(argv[0], "kill") == 0)
		sh->status = do_kill(sh, argc, argv);
	else if (strcmp(argv[0], "jobs") == 0) {
		reap_jobs(sh);
		TAILQ_FOREACH(j, &sh->jobs, link)
			u_printf("[%d] Running %s\n", j->id, j->text);
		sh->status = 0;
	} else if (strcmp(argv[0], ":") == 0 || strcmp(argv[0], "stty") == 0 ||
	    strcmp(argv[0], "cd") == 0 || strcmp(argv[0], "set") == 0 ||
	    strcmp(argv[0], "unalias") == 0 || strcmp(argv[0], "export") == 0 ||
	    strcmp(argv[0], "trap") == 0)
		sh->status = 0;		/* there is nothing here that they could change */
	else
		return (false);
	return (true);
}

/*
 * One simple command.
 */
static bool
assignment(struct shell *sh, const char *word)
{
	size_t n;

	for (n = 0; name_char(word[n], n == 0); n++)
		;
	if (n == 0 || word[n] != '=')
		return (false);
	set_var(sh, word, n, word + n + 1);
	return (true);
}

struct redirect {
	struct ufile	*out, *err;
	bool		 to_out;	/* 2>&1 */
};

static int
open_output(const char *name, bool append, struct ufile **fp)
{
	if (name[0] == '\0')
		return (ENOENT);
	*fp = u_open(name, true, !append);
	return (*fp != NULL ? 0 : ENOMEM);
}

static void
run_simple(struct shell *sh, const char *p, const char *end)
{
	struct redirect r = { NULL, NULL, false };
	struct ufile *saved_out = curproc->p_out, *saved_err = curproc->p_err;
	struct word w;
	char *argv[WORDS_MAX + 1];
	int argc = 0, i, fd;
	bool append, started = false, failed = false;

	while (p < end) {
		while (p < end && is_blank(*p))
			p++;
		if (p == end)
			break;
		fd = 1;
		if (p + 1 < end && (p[0] == '1' || p[0] == '2') && p[1] == '>') {
			fd = *p - '0';
			p++;
		}
		if (*p == '>') {
			append = p + 1 < end && p[1] == '>';
			p += append ? 2 : 1;
			if (p + 1 < end && p[0] == '&' && p[1] == '1') {
				r.to_out = fd == 2;
				p += 2;
				continue;
			}
			while (p < end && is_blank(*p))
				p++;
			memset(&w, 0, sizeof(w));
			p = read_word(sh, p, end, &w);
			if (open_output(w.buf != NULL ? w.buf : "", append,
			    fd == 1 ? &r.out : &r.err) != 0) {
				u_warnx("sh", "cannot create %s", w.buf != NULL ? w.buf : "");
				failed = true;
			}
			u_free(w.buf);
			continue;
		}
		if (*p == '<') {
			u_warnx("sh", "Syntax error: \"<\" is not supported");
			failed = true;
			break;
		}
		memset(&w, 0, sizeof(w));
		p = read_word(sh, p, end, &w);
		if (!w.any)
			continue;
		if (w.buf == NULL)
			add_char(&w, '\0');
		if (!started && assignment(sh, w.buf)) {
			u_free(w.buf);
			sh->status = 0;
			continue;
		}
		started = true;
		if (argc == WORDS_MAX) {
			u_warnx("sh", "too many words");
			u_free(w.buf);
			failed = true;
			break;
		}
		argv[argc++] = w.buf;
	}
	argv[argc] = NULL;
	if (failed)
		sh->status = 2;
	else if (argc > 0) {
		if (r.out != NULL)
			curproc->p_out = r.out;
		if (r.err != NULL)
			curproc->p_err = r.err;
		else if (r.to_out)
			curproc->p_err = curproc->p_out;
		if (!builtin(sh, argc, argv)) {
			if (u_find_command(argv[0]) == NULL) {
				u_warnx("sh", "%s: not found", argv[0]);
				sh->status = 127;
			} else
				sh->status = u_run(curthread->td_ucred, argc, argv);
		}
		curproc->p_out = saved_out;
		curproc->p_err = saved_err;
	}
	u_close(r.out);
	u_close(r.err);
	for (i = 0; i < argc; i++)
		u_free(argv[i]);
}

/*
 * Lists.
 */
struct background {
	char		*text;
	struct ufile	*out, *err;
	int		 status;
};

/* A shell of its own, which ends when all that it started has ended. */
static int
run_subshell(const char *text, int status)
{
	struct shell sub;

	memset(&sub, 0, sizeof(sub));
	SLIST_INIT(&sub.vars);
	TAILQ_INIT(&sub.jobs);
	sub.status = status;
	(void)run_list(&sub, text, strlen(text));
	(void)do_wait(&sub, 1, NULL);
	free_vars(&sub);
	return (sub.status);
}

static void
background_main(void *arg)
{
	struct background *b = arg;
	int status;

	curproc->p_out = b->out;
	curproc->p_err = b->err;
	status = run_subshell(b->text, b->status);
	u_free(b->text);
	u_free(b);
	userret(curthread, NULL);
	kproc_exit(status);
}

static int
cmd_sh(int argc, char **argv)
{
	if (argc != 3 || strcmp(argv[1], "-c") != 0) {
		u_eprintf("usage: sh -c command\n");
		return (2);
	}
	return (run_subshell(argv[2], 0));
}
USERCMD(sh, cmd_sh);

static void
run_background(struct shell *sh, const char *text, size_t len)
{
	struct background *b;
	struct job *j;
	char comm[MAXCOMLEN + 1];
	int error;
	size_t n;

	b = u_calloc(sizeof(*b));
	b->text = strndup(text, len, M_USERLAND);
	b->out = curproc->p_out;
	b->err = curproc->p_err;
	b->status = sh->status;
	for (n = 0; n < len && n < MAXCOMLEN && !is_blank(text[n]); n++)
		comm[n] = text[n];
	comm[n] = '\0';
	j = u_calloc(sizeof(*j));
	j->text = strndup(text, len, M_USERLAND);
	error = proc_spawn(comm, curthread->td_ucred, background_main, b, &j->proc);
	if (error != 0) {
		u_warn("sh", error, "fork");
		u_free(b->text);
		u_free(b);
		u_free(j->text);
		u_free(j);
		sh->status = 2;
		return;
	}
	if (TAILQ_EMPTY(&sh->jobs))
		sh->next_job = 1;
	j->id = sh->next_job++;
	sh->last_bg = j->proc->p_pid;
	TAILQ_INSERT_TAIL(&sh->jobs, j, link);
	sh->status = 0;
}

/* The end of one command: at ; & && || outside of quotes, or a comment. */
static const char *
command_end(const char *start, const char *end)
{
	const char *p = start;
	char quote = 0;
	bool word = false;

	for (; p < end; p++) {
		if (quote != 0) {
			if (*p == '\\' && quote == '"' && p + 1 < end)
				p++;
			else if (*p == quote)
				quote = 0;
			continue;
		}
		if (*p == '\\' && p + 1 < end) {
			p++;
			word = true;
			continue;
		}
		if (*p == '\'' || *p == '"')
			quote = *p;
		else if (*p == '#' && !word)
			break;
		else if (*p == ';' || *p == '\n' || (*p == '|' && p + 1 < end && p[1] == '|'))
			break;
		else if (*p == '&' && !(p > start && p[-1] == '>'))
			break;
		word = !is_blank(*p);
	}
	return (p);
}

static int
run_list(struct shell *sh, const char *text, size_t len)
{
	const char *p = text, *end = text + len, *stop, *start;
	bool skip = false, comment;

	if (++sh->depth > 8) {
		sh->depth--;
		return (sh->status = 2);
	}
	start = p;
	while (p < end && !sh->done && !u_interrupted()) {
		stop = command_end(p, end);
		comment = stop < end && *stop == '#';
		if (stop < end && *stop == '&' && !(stop + 1 < end && stop[1] == '&')) {
			/* All of the and-or list goes to the background. */
			if (!skip || start != p)
				run_background(sh, start, stop - start);
			skip = false;
			p = start = stop + 1;
			continue;
		}
		/* An and-or list that ends in & must not run here: look ahead. */
		if (start == p && stop + 1 < end && (stop[0] == '&' || stop[0] == '|')) {
			const char *q = stop;

			while (q + 1 < end && ((q[0] == '&' && q[1] == '&') ||
			    (q[0] == '|' && q[1] == '|')))
				q = command_end(q + 2, end);
			if (q < end && *q == '&') {
				run_background(sh, start, q - start);
				p = start = q + 1;
				continue;
			}
		}
		if (!skip)
			run_simple(sh, p, stop);
		if (comment || stop >= end)
			break;
		if (stop + 1 < end && stop[0] == '&' && stop[1] == '&') {
			skip = sh->status != 0;
			p = stop + 2;
		} else if (stop + 1 < end && stop[0] == '|' && stop[1] == '|') {
			skip = sh->status == 0;
			p = stop + 2;
		} else {
			skip = false;
			p = start = stop + 1;
		}
	}
	sh->depth--;
	return (sh->status);
}

/*
 * Process 1.
 */

/* All that programs have made goes, so that what is left is a leak. */
static void
tear_down(struct shell *sh)
{
	struct prison *pr;
	struct ifnet *ifp;
	struct job *j;
	char name[IFNAMSIZ];

	TAILQ_FOREACH(j, &sh->jobs, link)
		kern_psignal(j->proc, SIGTERM);
	(void)do_wait(sh, 1, NULL);
	for (;;) {
		sx_slock(&allprison_lock);
		pr = TAILQ_FIRST(&allprison);
		if (pr != NULL)
			prison_hold(pr);
		sx_sunlock(&allprison_lock);
		if (pr == NULL)
			break;
		(void)prison_remove_vnet(pr);
		prison_free(pr);
	}
	CURVNET_SET(TD_TO_VNET(curthread));
	for (;;) {
		IFNET_RLOCK();
		CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link)
			if ((ifp->if_flags & IFF_LOOPBACK) == 0) {
				strlcpy(name, ifp->if_xname, sizeof(name));
				break;
			}
		IFNET_RUNLOCK();
		if (ifp == NULL || if_clone_destroy(name) != 0)
			break;
	}
	CURVNET_RESTORE();
	free_vars(sh);
}

static void
unlink_file(const char *name, size_t size, void *arg)
{
	(void)u_unlink(name);
}

static struct shell console_shell;
static bool power_off;

void
init_main(void *arg)
{
	struct shell *sh = &console_shell;
	const char *prompt;
	char *line;
	int n;

	u_shell_proc = curproc;
	SLIST_INIT(&sh->vars);
	TAILQ_INIT(&sh->jobs);
	set_var(sh, "PS1", 3, "# ");
	line = u_malloc(LINE_MAX);
	while (!power_off && !sh->done) {
		prompt = get_var(sh, "PS1");
		cn_write(prompt, strlen(prompt));
		cn_flush();
		n = u_getline(line, LINE_MAX);
		if (n < 0)
			break;
		reap_jobs(sh);
		(void)run_list(sh, line, n);
	}
	u_free(line);
	tear_down(sh);
	u_file_each(unlink_file, NULL);
	shutdown_nice();
}

static int
cmd_shutdown(int argc, char **argv)
{
	if (argc < 3 || strcmp(argv[argc - 1], "now") != 0) {
		u_eprintf("usage: shutdown -p now\n");
		return (1);
	}
	power_off = true;
	return (0);
}
USERCMD(shutdown, cmd_shutdown);

static int
cmd_poweroff(int argc, char **argv)
{
	power_off = true;
	return (0);
}
USERCMD(poweroff, cmd_poweroff);
USERCMD(halt, cmd_poweroff);

/*
 * Small programs.
 */
static int
cmd_echo(int argc, char **argv)
{
	char *buf;
	size_t len;
	int i, first;

	first = argc > 1 && strcmp(argv[1], "-n") == 0 ? 2 : 1;
	for (len = 2, i = first; i < argc; i++)
		len += strlen(argv[i]) + 1;
	buf = u_malloc(len);
	buf[0] = '\0';
	for (i = first; i < argc; i++) {
		if (i > first)
			strlcat(buf, " ", len);
		strlcat(buf, argv[i], len);
	}
	if (first == 1)
		strlcat(buf, "\n", len);
	u_write(buf, strlen(buf));
	u_free(buf);
	return (0);
}
USERCMD(echo, cmd_echo);

static int
cmd_cat(int argc, char **argv)
{
	struct ufile *f;
	const char *data;
	size_t len;
	int i, rv = 0;

	for (i = 1; i < argc; i++) {
		f = u_open(argv[i], false, false);
		if (f == NULL) {
			u_warn("cat", ENOENT, "%s", argv[i]);
			rv = 1;
			continue;
		}
		data = u_file_data(f, &len);
		u_write(data, len);
		u_close(f);
	}
	return (rv);
}
USERCMD(cat, cmd_cat);

static int
cmd_rm(int argc, char **argv)
{
	int i, rv = 0;
	bool force = false;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "-rf") == 0)
			force = true;
		else if (u_unlink(argv[i]) != 0 && !force) {
			u_warn("rm", ENOENT, "%s", argv[i]);
			rv = 1;
		}
	return (rv);
}
USERCMD(rm, cmd_rm);

static void
list_file(const char *name, size_t size, void *arg)
{
	if (*(bool *)arg)
		u_printf("-rw-r--r--  1 root wheel %zu %s\n", size, name);
	else
		u_printf("%s\n", name);
}

static int
cmd_ls(int argc, char **argv)
{
	bool lng = argc > 1 && strcmp(argv[1], "-l") == 0;
	struct ufile *f;
	int i, rv = 0;

	if (argc == (lng ? 2 : 1)) {
		u_file_each(list_file, &lng);
		return (0);
	}
	for (i = lng ? 2 : 1; i < argc; i++) {
		size_t len;

		f = u_open(argv[i], false, false);
		if (f == NULL) {
			u_warn("ls", ENOENT, "%s", argv[i]);
			rv = 1;
			continue;
		}
		(void)u_file_data(f, &len);
		list_file(argv[i], len, &lng);
		u_close(f);
	}
	return (rv);
}
USERCMD(ls, cmd_ls);

static int
cmd_sleep(int argc, char **argv)
{
	const char *s = argc == 2 ? argv[1] : "";
	int64_t ns, unit;

	if ((*s < '0' || *s > '9') && *s != '.') {
		u_eprintf("usage: sleep seconds\n");
		return (1);
	}
	for (ns = 0; *s >= '0' && *s <= '9' && ns < 1000000000LL * 1000000000; s++)
		ns = ns * 10 + (*s - '0') * 1000000000LL;
	if (*s == '.')
		for (s++, unit = 100000000; *s >= '0' && *s <= '9'; s++, unit /= 10)
			ns += (*s - '0') * unit;
	if (*s != '\0') {
		u_eprintf("usage: sleep seconds\n");
		return (1);
	}
	return (ns > 0 && u_sleep_ns(ns) != 0 ? 143 : 0);
}
USERCMD(sleep, cmd_sleep);

static int
cmd_true(int argc, char **argv)
{
	return (0);
}
USERCMD(true, cmd_true);

static int
cmd_false(int argc, char **argv)
{
	return (1);
}
USERCMD(false, cmd_false);
