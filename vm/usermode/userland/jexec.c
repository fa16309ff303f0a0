/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jexec(8): a program in the network stack of a jail.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/jail.h>
#include <sys/proc.h>
#include <sys/ucred.h>
#include "userland/jailutil.h"
#include "userland/userland.h"

static int
cmd_jexec(int argc, char **argv)
{
	struct prison *pr;
	struct ucred *cr;
	int i, rv;

	for (i = 1; i < argc && argv[i][0] == '-'; i++)
		if (strcmp(argv[i], "-l") != 0) {
			u_eprintf("usage: jexec [-l] jail command ...\n");
			return (1);
		}
	if (argc - i < 2) {
		u_eprintf("usage: jexec [-l] jail command ...\n");
		return (1);
	}
	pr = u_find_jail(argv[i]);
	if (pr == NULL) {
		u_warnx("jexec", "jail \"%s\" not found", argv[i]);
		return (1);
	}
	cr = crdup(curthread->td_ucred);
	prison_free(cr->cr_prison);
	prison_hold(pr);
	cr->cr_prison = pr;
	rv = u_run(cr, argc - i - 1, argv + i + 1);
	crfree(cr);
	u_release_jail(pr);
	return (rv);
}
USERCMD(jexec, cmd_jexec);
