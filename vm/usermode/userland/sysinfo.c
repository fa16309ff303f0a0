/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that tell about the system: date, uname, ps, vmstat, kldload,
 * kldunload, kldstat.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/linker.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include "kern/kern_internal.h"
#include "userland/userland.h"

extern char version[];

static int
cmd_date(int argc, char **argv)
{
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
	    "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct timeval tv;
	int64_t day, era, doe, yoe, doy, mp, y, m, d;
	int sec;

	microtime(&tv);
	if (argc > 1 && strcmp(argv[1], "+%s") == 0) {
		u_printf("%jd\n", (intmax_t)tv.tv_sec);
		return (0);
	}
	if (argc > 1) {
		u_eprintf("usage: date [+%%s]\n");
		return (1);
	}
	/* Days since 1970 to a date: years that begin in March, in eras of 400. */
	day = tv.tv_sec / 86400;
	sec = tv.tv_sec % 86400;
	era = (day + 719468) / 146097;
	doe = day + 719468 - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	d = doy - (153 * mp + 2) / 5 + 1;
	m = mp < 10 ? mp + 3 : mp - 9;
	y = yoe + era * 400 + (m <= 2);
	u_printf("%s %s %2d %02d:%02d:%02d UTC %d\n", days[day % 7], months[m - 1], (int)d,
	    sec / 3600, sec / 60 % 60, sec % 60, (int)y);
	return (0);
}
USERCMD(date, cmd_date);

static int
cmd_uname(int argc, char **argv)
{
	const char *p, *word, *sep = "";
	char text[160];
	bool all = false, any = false;
	size_t n;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		for (p = argv[i] + 1; *p != '\0'; p++) {
			any = true;
			all |= *p == 'a';
			if (strchr("amnoprsvKUi", *p) == NULL) {
				u_eprintf("usage: uname [-aiKmnoprsUv]\n");
				return (1);
			}
		}
	}
	for (p = "snrvm"; *p != '\0'; p++) {
		bool asked = all || (!any && *p == 's');

		for (i = 1; i < argc; i++)
			asked |= strchr(argv[i] + 1, *p) != NULL;
		if (!asked)
			continue;
		switch (*p) {
		case 's': word = ostype; break;
		case 'n': word = curthread->td_ucred->cr_prison->pr_hostname; break;
		case 'r': word = osrelease; break;
		case 'v':
			(void)strlcpy(text, version, sizeof(text));
			n = strlen(text);
			if (n > 0 && text[n - 1] == '\n')
				text[n - 1] = '\0';
			word = text;
			break;
		default: word = "amd64";
		}
		u_printf("%s%s", sep, word);
		sep = " ";
	}
	for (i = 1; i < argc; i++) {
		if (strchr(argv[i], 'K') != NULL || strchr(argv[i], 'U') != NULL) {
			u_printf("%s%d", sep, osreldate);
			sep = " ";
		}
		if (strchr(argv[i], 'i') != NULL) {
			u_printf("%s%s", sep, kern_ident);
			sep = " ";
		}
		if (strchr(argv[i], 'p') != NULL) {
			u_printf("%samd64", sep);
			sep = " ";
		}
		if (strchr(argv[i], 'o') != NULL) {
			u_printf("%s%s", sep, ostype);
			sep = " ";
		}
	}
	u_printf("\n");
	return (0);
}
USERCMD(uname, cmd_uname);

struct ps_line {
	pid_t	pid;
	lwpid_t	tid;
	int	jid;
	char	state, comm[MAXCOMLEN + 1], name[MAXCOMLEN + 1], wmesg[9];
};

/* What is there is written down under the lock, and printed without it. */
static int
cmd_ps(int argc, char **argv)
{
	struct ps_line *lines, *l;
	struct thread *td;
	int i, n, max;
	bool threads = false;

	for (i = 1; i < argc; i++)
		threads |= strchr(argv[i], 'H') != NULL;
	max = 1024;
	lines = u_calloc(max * sizeof(*lines));
	n = 0;
	mtx_lock(&allthreads_mtx);
	TAILQ_FOREACH(td, &allthreads, td_list) {
		if (n == max || (!threads && td != TAILQ_FIRST(&td->td_proc->p_threads)))
			continue;
		l = &lines[n++];
		l->pid = td->td_proc->p_pid;
		l->tid = td->td_tid;
		l->jid = td->td_proc->p_ucred->cr_prison->pr_id;
		l->state = td->td_state == TDS_RUNNING ? 'R' : td->td_state == TDS_RUNQ ? 'R' :
		    td->td_blocked != NULL ? 'L' : 'S';
		(void)strlcpy(l->comm, td->td_proc->p_comm, sizeof(l->comm));
		(void)strlcpy(l->name, td->td_name, sizeof(l->name));
		if (td->td_wmesg != NULL)
			(void)strlcpy(l->wmesg, td->td_wmesg, sizeof(l->wmesg));
	}
	mtx_unlock(&allthreads_mtx);
	u_printf("%5s %6s %3s %s %-8s %s\n", "PID", "LWP", "JID", "S", "MWCHAN", "COMMAND");
	for (l = lines; l < lines + n; l++)
		if (threads)
			u_printf("%5d %6d %3d %c %-8s %s/%s\n", l->pid, l->tid, l->jid, l->state,
			    l->wmesg[0] != '\0' ? l->wmesg : "-", l->comm, l->name);
		else
			u_printf("%5d %6d %3d %c %-8s %s\n", l->pid, l->tid, l->jid, l->state,
			    l->wmesg[0] != '\0' ? l->wmesg : "-", l->comm);
	u_free(lines);
	return (0);
}
USERCMD(ps, cmd_ps);

static void
print_type(const struct malloc_type *type, void *arg)
{
	const char *sep = "  ";
	const struct malloc_type_stats s = malloc_type_sum(type);
	int bit;

	if (s.mts_inuse == 0 && s.mts_requests == 0)
		return;
	u_printf("%16s %5ju %6juK %8ju", type->ks_shortdesc, (uintmax_t)s.mts_inuse,
	    (uintmax_t)(s.mts_memuse + 1023) / 1024, (uintmax_t)s.mts_requests);
	for (bit = 0; bit < 64; bit++)
		if (type->ks_size & (1ULL << bit)) {
			u_printf("%s%ju", sep, (uintmax_t)1 << bit);
			sep = ",";
		}
	u_printf("\n");
}

static void
print_zone(const char *name, size_t size, u_long max, u_long used, u_long cached, u_long req,
    u_long fails, void *arg)
{
	char full[32];

	snprintf(full, sizeof(full), "%s:", name);
	u_printf("%-19s %7zu, %6lu, %7lu, %7lu, %8lu, %3lu,   0,   0\n", full, size, max, used,
	    cached, req, fails);
}

static int
cmd_vmstat(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "-m") == 0) {
		u_printf("%16s %5s %7s %8s  %s\n", "Type", "InUse", "MemUse", "Requests",
		    "Size(s)");
		malloc_type_each(print_type, NULL);
	} else if (argc == 2 && strcmp(argv[1], "-z") == 0) {
		u_printf("%-19s %7s  %6s  %7s  %7s  %8s  %3s  %3s  %3s\n\n", "ITEM", "SIZE",
		    "LIMIT", "USED", "FREE", "REQ", "FAIL", "SLEEP", "XDOMAIN");
		uma_zone_each(print_zone, NULL);
	} else {
		u_eprintf("usage: vmstat -m | -z\n");
		return (1);
	}
	return (0);
}
USERCMD(vmstat, cmd_vmstat);

/*
 * Modules.
 */
static int
cmd_kldload(int argc, char **argv)
{
	int error, i, rv = 0;
	bool quiet = false, if_needed = false;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			if_needed |= strchr(argv[i], 'n') != NULL;
			quiet |= strchr(argv[i], 'q') != NULL;
			continue;
		}
		if (if_needed && (kld_id_by_name(argv[i], false) != 0 ||
		    kld_id_by_name(argv[i], true) != 0))
			continue;
		error = kern_kldload(curthread, argv[i], NULL);
		if (error == EEXIST && if_needed)
			continue;
		if (error != 0) {
			if (!quiet && error == EEXIST)
				u_warnx("kldload", "can't load %s: module already loaded or in "
				    "kernel", argv[i]);
			else if (!quiet)
				u_warn("kldload", error, "can't load %s", argv[i]);
			rv = 1;
		}
	}
	if (argc < 2) {
		u_eprintf("usage: kldload [-nqv] file ...\n");
		return (1);
	}
	return (rv);
}
USERCMD(kldload, cmd_kldload);

static int
cmd_kldunload(int argc, char **argv)
{
	int64_t id;
	int error, i, rv = 0, flags = LINKER_UNLOAD_NORMAL;
	bool by_id = false;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			if (strchr(argv[i], 'f') != NULL)
				flags = LINKER_UNLOAD_FORCE;
			by_id |= strchr(argv[i], 'i') != NULL;
			continue;
		}
		if (by_id) {
			if (u_parse_int(argv[i], &id) != 0)
				id = 0;
		} else {
			id = kld_id_by_name(argv[i], false);
			if (id == 0)
				id = kld_id_by_name(argv[i], true);
		}
		error = id == 0 ? ENOENT : kern_kldunload(curthread, id, flags);
		if (error != 0) {
			if (id == 0)
				u_warn("kldunload", error, "can't find file %s", argv[i]);
			else
				u_warn("kldunload", error, "can't unload file");
			rv = 1;
		}
	}
	if (argc < 2) {
		u_eprintf("usage: kldunload [-fv] [-n] name | -i id\n");
		return (1);
	}
	return (rv);
}
USERCMD(kldunload, cmd_kldunload);

static void
print_module(int modid, const char *name, void *arg)
{
	u_printf("\t\t%3d %s\n", modid, name);
}

static void
print_kld(int id, int refs, const char *name, void *arg)
{
	const bool *verbose = arg;

	u_printf("%2d %4d %18s %8x %s\n", id, refs, "0xffffffff80200000", 0, name);
	if (*verbose) {
		u_printf("\tContains modules:\n\t\t Id Name\n");
		kld_each_module(id, print_module, NULL);
	}
}

static int
cmd_kldstat(int argc, char **argv)
{
	bool verbose = false, quiet = false;
	int i, id;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			verbose = true;
		else if (strcmp(argv[i], "-q") == 0)
			quiet = true;
		else if ((strcmp(argv[i], "-m") == 0 || strcmp(argv[i], "-n") == 0) &&
		    i + 1 < argc) {
			id = kld_id_by_name(argv[i + 1], argv[i][1] == 'm');
			if (id != 0) {
				if (!quiet)
					u_printf("Id  Refs Name\n%3d    1 %s\n", id, argv[i + 1]);
				return (0);
			}
			if (!quiet)
				u_warn("kldstat", ENOENT, "can't find module %s", argv[i + 1]);
			return (1);
		} else {
			u_eprintf("usage: kldstat [-qv] [-m modname] [-n filename]\n");
			return (1);
		}
	}
	u_printf("Id Refs Address                Size Name\n");
	kld_each(print_kld, &verbose);
	return (0);
}
USERCMD(kldstat, cmd_kldstat);
