/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl(8)
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/sysctl.h>
#include "userland/userland.h"

struct opts {
	bool	names_only, no_names, all, describe, equals, ignore, opaque, quiet;
};

/* -1 when the format is none that can be shown. */
static int
show_value(const struct sysctl_oid *oidp, const char *buf, size_t len)
{
	const char *sep = "";
	size_t i, size;
	intmax_t v;
	uintmax_t u;
	bool sign;

	switch (oidp->oid_kind & CTLTYPE) {
	case CTLTYPE_STRING:
		u_printf("%.*s", (int)strnlen(buf, len), buf);
		return (0);
	case CTLTYPE_INT: case CTLTYPE_S32: size = 4; sign = true; break;
	case CTLTYPE_UINT: case CTLTYPE_U32: size = 4; sign = false; break;
	case CTLTYPE_LONG: case CTLTYPE_S64: size = 8; sign = true; break;
	case CTLTYPE_ULONG: case CTLTYPE_U64: size = 8; sign = false; break;
	case CTLTYPE_U8: size = 1; sign = false; break;
	case CTLTYPE_S8: size = 1; sign = true; break;
	case CTLTYPE_U16: size = 2; sign = false; break;
	case CTLTYPE_S16: size = 2; sign = true; break;
	default:
		return (-1);
	}
	for (i = 0; i + size <= len; i += size, sep = " ") {
		u = 0;
		memcpy(&u, buf + i, size);	/* little endian */
		if (sign) {
			v = (intmax_t)(u << (64 - 8 * size)) >> (64 - 8 * size);
			u_printf("%s%jd", sep, v);
		} else
			u_printf("%s%ju", sep, u);
	}
	return (0);
}

static int
read_value(struct sysctl_oid *oidp, char **bufp, size_t *lenp)
{
	size_t len;
	int error;

	len = 0;
	error = sysctl_call(oidp, NULL, &len, NULL, 0);
	if (error != 0)
		return (error);
	/* It may grow in between. */
	len += len / 4 + 64;
	*bufp = u_calloc(len);
	*lenp = len - 1;
	error = sysctl_call(oidp, *bufp, lenp, NULL, 0);
	if (error != 0)
		u_free(*bufp);
	return (error);
}

static int
show_oid(struct sysctl_oid *oidp, const struct opts *o)
{
	char name[160], *buf;
	size_t len;
	int error;

	sysctl_fullname(oidp, name, sizeof(name));
	if (o->names_only) {
		u_printf("%s\n", name);
		return (0);
	}
	if (o->describe) {
		u_printf("%s%s%s\n", o->no_names ? "" : name, o->no_names ? "" : ": ",
		    oidp->oid_descr != NULL ? oidp->oid_descr : "");
		return (0);
	}
	if ((oidp->oid_kind & CTLTYPE) == CTLTYPE_OPAQUE && !o->opaque)
		return (0);
	error = read_value(oidp, &buf, &len);
	if (error != 0) {
		u_warn("sysctl", error, "%s", name);
		return (1);
	}
	if (!o->no_names)
		u_printf("%s%s", name, o->equals ? "=" : ": ");
	if (show_value(oidp, buf, len) < 0)
		u_printf("Format:%s Length:%zu", oidp->oid_fmt, len);
	u_printf("\n");
	u_free(buf);
	return (0);
}

static int
show_tree(const struct sysctl_oid_list *list, const struct opts *o)
{
	struct sysctl_oid *p;
	int rv = 0;

	LIST_FOREACH(p, list, oid_link) {
		if ((p->oid_kind & CTLTYPE) == CTLTYPE_NODE && p->oid_handler == NULL)
			rv |= show_tree(&p->oid_children, o);
		else if ((p->oid_kind & CTLFLAG_RD) != 0 && (p->oid_kind & CTLFLAG_SKIP) == 0)
			rv |= show_oid(p, o);
	}
	return (rv);
}

/* The bytes that the word means for this oid; 0 or EINVAL. */
static int
parse_value(const struct sysctl_oid *oidp, const char *word, char *buf, size_t *len)
{
	int64_t v;

	switch (oidp->oid_kind & CTLTYPE) {
	case CTLTYPE_STRING:
		*len = strlen(word);
		return (0);
	case CTLTYPE_INT: case CTLTYPE_S32: case CTLTYPE_UINT: case CTLTYPE_U32:
		*len = 4;
		break;
	case CTLTYPE_U8: case CTLTYPE_S8:
		*len = 1;
		break;
	case CTLTYPE_U16: case CTLTYPE_S16:
		*len = 2;
		break;
	default:
		*len = 8;
	}
	if (oidp->oid_handler == sysctl_handle_bool) {
		if (strcmp(word, "true") == 0)
			word = "1";
		else if (strcmp(word, "false") == 0)
			word = "0";
	}
	if (u_parse_int(word, &v) != 0)
		return (EINVAL);
	if (*len < 8 && (v >= (1LL << (8 * *len)) || v < -(1LL << (8 * *len - 1))))
		return (ERANGE);
	memcpy(buf, &v, *len);
	return (0);
}

static int
set_oid(struct sysctl_oid *oidp, const char *name, const char *word, const struct opts *o)
{
	char num[8], *old, *now;
	size_t len, oldlen, nowlen;
	int error;

	if ((oidp->oid_kind & CTLTYPE) == CTLTYPE_NODE && oidp->oid_handler == NULL) {
		u_warnx("sysctl", "oid '%s' isn't a leaf node", name);
		return (1);
	}
	if ((oidp->oid_kind & CTLFLAG_WR) == 0) {
		if (oidp->oid_kind & CTLFLAG_TUN) {
			u_warnx("sysctl", "oid '%s' is a read only tunable", name);
			u_warnx("sysctl", "Tunable values are set in /boot/loader.conf");
		} else
			u_warnx("sysctl", "oid '%s' is read only", name);
		return (1);
	}
	if (parse_value(oidp, word, num, &len) != 0) {
		u_warnx("sysctl", "invalid integer '%s'", word);
		return (1);
	}
	old = NULL;
	oldlen = 0;
	if (oidp->oid_kind & CTLFLAG_RD)
		(void)read_value(oidp, &old, &oldlen);
	error = sysctl_call(oidp, NULL, NULL,
	    (oidp->oid_kind & CTLTYPE) == CTLTYPE_STRING ? word : num, len);
	if (error != 0) {
		u_free(old);
		u_warn("sysctl", error, "%s=%s", name, word);
		return (1);
	}
	if (!o->quiet) {
		if (!o->no_names)
			u_printf("%s: ", name);
		if (old != NULL) {
			(void)show_value(oidp, old, oldlen);
			u_printf(" -> ");
		}
		now = NULL;
		if ((oidp->oid_kind & CTLFLAG_RD) && read_value(oidp, &now, &nowlen) == 0) {
			(void)show_value(oidp, now, nowlen);
			u_free(now);
		}
		u_printf("\n");
	}
	u_free(old);
	return (0);
}

static int
one_name(const char *word, const struct opts *o)
{
	struct sysctl_oid *oidp;
	char name[160];
	size_t n;

	for (n = 0; word[n] != '\0' && word[n] != '='; n++)
		;
	if (n >= sizeof(name)) {
		u_warnx("sysctl", "oid too long: '%s'", word);
		return (1);
	}
	memcpy(name, word, n);
	name[n] = '\0';
	oidp = sysctl_find_oidname_path(name);
	if (oidp == NULL) {
		if (o->ignore)
			return (0);
		u_warnx("sysctl", "unknown oid '%s'", name);
		return (1);
	}
	if (word[n] == '=')
		return (set_oid(oidp, name, word + n + 1, o));
	if ((oidp->oid_kind & CTLTYPE) == CTLTYPE_NODE && oidp->oid_handler == NULL)
		return (show_tree(&oidp->oid_children, o));
	return (show_oid(oidp, o));
}

static int
cmd_sysctl(int argc, char **argv)
{
	struct opts o;
	const char *p;
	int i, rv;

	bzero(&o, sizeof(o));
	for (i = 1; i < argc && argv[i][0] == '-'; i++)
		for (p = argv[i] + 1; *p != '\0'; p++)
			switch (*p) {
			case 'a': o.all = true; break;
			case 'd': o.describe = true; break;
			case 'e': o.equals = true; break;
			case 'i': o.ignore = true; break;
			case 'N': o.names_only = true; break;
			case 'n': o.no_names = true; break;
			case 'o': o.opaque = true; break;
			case 'q': o.quiet = true; break;
			case 'W': case 'h': case 'x': break;
			default: goto usage;
			}
	if (o.all)
		return (show_tree(&sysctl__children, &o));
	if (i == argc)
		goto usage;
	for (rv = 0; i < argc; i++)
		rv |= one_name(argv[i], &o);
	return (rv);
usage:
	u_eprintf("usage: sysctl [-deiNnoq] name[=value] ...\n"
	    "       sysctl [-deNno] -a\n");
	return (1);
}
USERCMD(sysctl, cmd_sysctl);
