/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jail(8) and jls(8), for jails with a network stack of their own.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/jail.h>
#include <sys/proc.h>
#include <sys/sx.h>
#include "userland/jailutil.h"
#include "userland/userland.h"

struct prison *
u_find_jail(const char *name)
{
	struct prison *pr, *found;
	int64_t id;
	bool number;

	number = u_parse_int(name, &id) == 0;
	found = NULL;
	/* Who is in a jail sees none. */
	if (jailed(curthread->td_ucred))
		return (NULL);
	sx_slock(&allprison_lock);
	TAILQ_FOREACH(pr, &allprison, pr_list)
		if (((number && pr->pr_id == id) || strcmp(pr->pr_name, name) == 0) &&
		    (pr->pr_flags & PR_REMOVE) == 0) {
			prison_hold(pr);
			prison_proc_hold(pr);
			found = pr;
			break;
		}
	sx_sunlock(&allprison_lock);
	return (found);
}

void
u_release_jail(struct prison *pr)
{
	prison_proc_free(pr);
	prison_free(pr);
}

static int
usage(void)
{
	u_eprintf("usage: jail -c [-i] name=... vnet [persist] [path=/] [host.hostname=...]\n"
	    "       jail -r jail ...\n");
	return (1);
}

/* Is word "name=value"?  Returns the value. */
static const char *
param(const char *word, const char *name)
{
	size_t n = strlen(name);

	return (strncmp(word, name, n) == 0 && word[n] == '=' ? word + n + 1 : NULL);
}

static int
jail_create(int argc, char **argv, bool print_id)
{
	const char *name, *hostname, *value;
	struct prison *pr;
	int error, i;
	bool vnet, persist;

	name = hostname = NULL;
	vnet = persist = false;
	for (i = 0; i < argc; i++) {
		if ((value = param(argv[i], "name")) != NULL)
			name = value;
		else if ((value = param(argv[i], "host.hostname")) != NULL)
			hostname = value;
		else if ((value = param(argv[i], "path")) != NULL) {
			if (strcmp(value, "/") != 0) {
				u_warnx("jail", "path=%s: this guest has no other root than /",
				    value);
				return (1);
			}
		} else if (strcmp(argv[i], "vnet") == 0 || strcmp(argv[i], "vnet=new") == 0)
			vnet = true;
		else if (strcmp(argv[i], "persist") == 0)
			persist = true;
		else if (strncmp(argv[i], "allow.", 6) == 0 ||
		    strncmp(argv[i], "children.max", 12) == 0 ||
		    strncmp(argv[i], "devfs_ruleset", 13) == 0)
			continue;	/* nothing here asks for a permission */
		else {
			u_warnx("jail", "unknown parameter: %s", argv[i]);
			return (1);
		}
	}
	if (name == NULL || name[0] == '\0') {
		u_warnx("jail", "no jail name");
		return (1);
	}
	if (!vnet || !persist) {
		u_warnx("jail", "%s: a jail of this guest needs vnet and persist", name);
		return (1);
	}
	error = prison_create_vnet(name, persist, &pr);
	if (error == EEXIST) {
		u_warnx("jail", "%s: already exists", name);
		return (1);
	}
	if (error != 0) {
		u_warn("jail", error, "%s", name);
		return (1);
	}
	if (hostname != NULL) {
		prison_lock(pr);
		strlcpy(pr->pr_hostname, hostname, sizeof(pr->pr_hostname));
		prison_unlock(pr);
	}
	if (print_id)
		u_printf("%d\n", pr->pr_id);
	prison_free(pr);
	return (0);
}

static int
cmd_jail(int argc, char **argv)
{
	struct prison *pr;
	int error, i, op, rv;
	bool id;

	op = 0;
	id = false;
	for (i = 1; i < argc && argv[i][0] == '-'; i++)
		if (strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "-r") == 0 ||
		    strcmp(argv[i], "-R") == 0)
			op = argv[i][1];
		else if (strcmp(argv[i], "-i") == 0)
			id = true;
		else if (strcmp(argv[i], "-q") != 0)
			return (usage());
	argc -= i;
	argv += i;
	if (jailed(curthread->td_ucred)) {
		u_warn("jail", EPERM, "%s", "jail_set");
		return (1);
	}
	if (op == 'c')
		return (argc > 0 ? jail_create(argc, argv, id) : usage());
	if (op == 0 || argc == 0)
		return (usage());
	rv = 0;
	for (i = 0; i < argc; i++) {
		pr = u_find_jail(argv[i]);
		if (pr == NULL) {
			u_warnx("jail", "\"%s\" not found", argv[i]);
			rv = 1;
			continue;
		}
		/* Not as one of its users: it would wait for itself. */
		prison_proc_free(pr);
		error = prison_remove_vnet(pr);
		prison_free(pr);
		if (error != 0) {
			u_warn("jail", error, "jail_remove: %s", argv[i]);
			rv = 1;
		}
	}
	return (rv);
}
USERCMD(jail, cmd_jail);

static void
print_param(const struct prison *pr, const char *name, bool with_name)
{
	if (with_name)
		u_printf("%s=", name);
	if (strcmp(name, "jid") == 0)
		u_printf("%d", pr->pr_id);
	else if (strcmp(name, "name") == 0)
		u_printf("%s", pr->pr_name);
	else if (strcmp(name, "path") == 0)
		u_printf("%s", pr->pr_path[0] != '\0' ? pr->pr_path : "/");
	else if (strcmp(name, "host.hostname") == 0)
		u_printf("%s", pr->pr_hostname[0] != '\0' ? pr->pr_hostname : "\"\"");
	else if (strcmp(name, "vnet") == 0)
		u_printf("new");
	else if (strcmp(name, "persist") == 0)
		u_printf("%s", pr->pr_flags & PR_PERSIST ? "true" : "false");
	else
		u_printf("-");
}

static int
cmd_jls(int argc, char **argv)
{
	const char *only;
	struct prison *pr, *found;
	int i, p;
	bool names;

	only = NULL;
	names = false;
	for (i = 1; i < argc && argv[i][0] == '-'; i++)
		if (strcmp(argv[i], "-j") == 0 && i + 1 < argc)
			only = argv[++i];
		else if (strcmp(argv[i], "-n") == 0)
			names = true;
		else if (strcmp(argv[i], "-N") != 0 && strcmp(argv[i], "-q") != 0) {
			u_eprintf("usage: jls [-nNq] [-j jail] [param ...]\n");
			return (1);
		}
	argc -= i;
	argv += i;
	if (only != NULL) {
		found = u_find_jail(only);
		if (found == NULL) {
			u_warnx("jls", "jail \"%s\" not found", only);
			return (1);
		}
		u_release_jail(found);
	}
	if (argc == 0 && !names)
		u_printf("   JID  IP Address      Hostname                      Path\n");
	sx_slock(&allprison_lock);
	TAILQ_FOREACH(pr, &allprison, pr_list) {
		int64_t id;

		/* Who is in a jail sees none. */
		if (jailed(curthread->td_ucred) || (pr->pr_flags & PR_REMOVE))
			continue;
		if (only != NULL && strcmp(pr->pr_name, only) != 0 &&
		    (u_parse_int(only, &id) != 0 || id != pr->pr_id))
			continue;
		if (argc == 0 && !names) {
			u_printf("%6d  %-15.15s %-29.29s %.74s\n", pr->pr_id, "",
			    pr->pr_hostname, pr->pr_path[0] != '\0' ? pr->pr_path : "/");
			continue;
		}
		if (argc == 0)
			u_printf("jid=%d name=%s path=/ vnet=new\n", pr->pr_id, pr->pr_name);
		else {
			for (p = 0; p < argc; p++) {
				if (p > 0)
					u_printf(" ");
				print_param(pr, argv[p], names);
			}
			u_printf("\n");
		}
	}
	sx_sunlock(&allprison_lock);
	return (0);
}
USERCMD(jls, cmd_jls);
