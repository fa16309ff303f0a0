/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel environment: what the loader hands over, here --tunable.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include "kern_internal.h"
#include "userland/userland.h"

static MALLOC_DEFINE(M_KENV, "kenv", "kernel environment");

struct kenv {
	TAILQ_ENTRY(kenv) link;
	char	*name, *value;
};
static TAILQ_HEAD(, kenv) kenvs = TAILQ_HEAD_INITIALIZER(kenvs);
static struct mtx kenv_lock;
MTX_SYSINIT(kenv, &kenv_lock, "kernel environment", MTX_DEF);

/* Until the first kern_setenv() the words of the command line are all there is. */
static bool kenv_dynamic;

static const char *
static_find(const char *name)
{
	size_t n = strlen(name);
	int i;

	/* The last one counts. */
	for (i = host_config.ntunables - 1; i >= 0; i--)
		if (strncmp(host_config.tunable[i], name, n) == 0 &&
		    host_config.tunable[i][n] == '=')
			return (host_config.tunable[i] + n + 1);
	return (NULL);
}

static struct kenv *
kenv_find(const char *name)
{
	struct kenv *e;

	TAILQ_FOREACH(e, &kenvs, link)
		if (strcmp(e->name, name) == 0)
			break;
	return (e);
}

static void
kenv_set_locked(struct kenv *fresh)
{
	struct kenv *e;

	e = kenv_find(fresh->name);
	if (e != NULL) {
		TAILQ_REMOVE(&kenvs, e, link);
		free(e->name, M_KENV);
		free(e->value, M_KENV);
		free(e, M_KENV);
	}
	TAILQ_INSERT_TAIL(&kenvs, fresh, link);
}

static struct kenv *
kenv_new(const char *name, size_t n, const char *value)
{
	struct kenv *e;

	e = malloc(sizeof(*e), M_KENV, M_WAITOK);
	e->name = strndup(name, n, M_KENV);
	e->value = strdup(value, M_KENV);
	return (e);
}

static void
kenv_init(void *arg)
{
	const char *t, *eq;
	int i;

	for (i = 0; i < host_config.ntunables; i++) {
		t = host_config.tunable[i];
		eq = strchr(t, '=');
		if (eq != NULL)
			kenv_set_locked(kenv_new(t, eq - t, eq + 1));
	}
	kenv_dynamic = true;
}
SYSINIT(kenv, SI_SUB_LOCK, SI_ORDER_ANY, kenv_init, NULL);

/* Copies a value; false when there is none. */
static bool
kenv_copy(const char *name, char *buf, size_t size)
{
	const char *v;
	struct kenv *e;

	if (!kenv_dynamic) {
		v = static_find(name);
		if (v != NULL)
			(void)strlcpy(buf, v, size);
		return (v != NULL);
	}
	mtx_lock(&kenv_lock);
	e = kenv_find(name);
	if (e != NULL)
		(void)strlcpy(buf, e->value, size);
	mtx_unlock(&kenv_lock);
	return (e != NULL);
}

char *
kern_getenv(const char *name)
{
	char buf[256];

	return (kenv_copy(name, buf, sizeof(buf)) ? strdup(buf, M_KENV) : NULL);
}

void
freeenv(char *env)
{
	free(env, M_KENV);
}

int
testenv(const char *name)
{
	char buf[2];

	return (kenv_copy(name, buf, sizeof(buf)));
}

int
kern_setenv(const char *name, const char *value)
{
	struct kenv *e = kenv_new(name, strlen(name), value);

	mtx_lock(&kenv_lock);
	kenv_set_locked(e);
	mtx_unlock(&kenv_lock);
	return (0);
}

int
kern_unsetenv(const char *name)
{
	struct kenv *e;

	mtx_lock(&kenv_lock);
	e = kenv_find(name);
	if (e != NULL)
		TAILQ_REMOVE(&kenvs, e, link);
	mtx_unlock(&kenv_lock);
	if (e == NULL)
		return (-1);
	free(e->name, M_KENV);
	free(e->value, M_KENV);
	free(e, M_KENV);
	return (0);
}

/* Decimal, 0x or octal, with k m g t behind it as the loader has them. */
static bool
parse_number(const char *s, int64_t *out)
{
	char *end;
	int64_t v;

	if (*s == '\0')
		return (false);
	v = strtoll(s, &end, 0);
	if (end == s)
		return (false);
	switch (*end) {
	case 't': case 'T': v *= 1024; /* FALLTHROUGH */
	case 'g': case 'G': v *= 1024; /* FALLTHROUGH */
	case 'm': case 'M': v *= 1024; /* FALLTHROUGH */
	case 'k': case 'K': v *= 1024; end++; break;
	}
	*out = v;
	return (*end == '\0');
}

int
getenv_int64(const char *name, int64_t *data)
{
	char buf[64];

	return (kenv_copy(name, buf, sizeof(buf)) && parse_number(buf, data));
}

#define	GETENV(func, type)						\
int									\
func(const char *name, type *data)					\
{									\
	int64_t v;							\
									\
	if (!getenv_int64(name, &v))					\
		return (0);						\
	*data = v;							\
	return (1);							\
}
GETENV(getenv_int, int)
GETENV(getenv_uint, unsigned int)
GETENV(getenv_long, long)
GETENV(getenv_ulong, unsigned long)
GETENV(getenv_uint64, uint64_t)
GETENV(getenv_quad, quad_t)

int
getenv_bool(const char *name, bool *data)
{
	char buf[8];

	if (!kenv_copy(name, buf, sizeof(buf)))
		return (0);
	if (strcmp(buf, "1") == 0 || strcasecmp(buf, "true") == 0)
		*data = true;
	else if (strcmp(buf, "0") == 0 || strcasecmp(buf, "false") == 0)
		*data = false;
	else
		return (0);
	return (1);
}

bool
getenv_is_true(const char *name)
{
	bool v;

	return (getenv_bool(name, &v) && v);
}

bool
getenv_is_false(const char *name)
{
	bool v;

	return (getenv_bool(name, &v) && !v);
}

int
getenv_string(const char *name, char *data, int size)
{
	return (kenv_copy(name, data, size));
}

void
tunable_init(const void *data)
{
	const struct tunable *t = data;

	switch (t->kind) {
	case TUN_INT:
		(void)getenv_int(t->path, t->var);
		break;
	case TUN_LONG:
		(void)getenv_long(t->path, t->var);
		break;
	case TUN_BOOL:
		(void)getenv_bool(t->path, t->var);
		break;
	case TUN_STR:
		(void)getenv_string(t->path, t->var, t->size);
		break;
	}
}

/*
 * kenv(1)
 */
static int
cmd_kenv(int argc, char **argv)
{
	char name[128], value[256];
	struct kenv *e;
	const char *eq;
	int i, n;

	if (argc == 1) {
		/* One at a time: what prints may sleep. */
		for (n = 0;; n++) {
			mtx_lock(&kenv_lock);
			i = 0;
			TAILQ_FOREACH(e, &kenvs, link)
				if (i++ == n)
					break;
			if (e != NULL) {
				(void)strlcpy(name, e->name, sizeof(name));
				(void)strlcpy(value, e->value, sizeof(value));
			}
			mtx_unlock(&kenv_lock);
			if (e == NULL)
				return (0);
			(void)u_printf("%s=\"%s\"\n", name, value);
		}
	}
	i = argc > 2 && strcmp(argv[1], "-q") == 0 ? 2 : 1;
	eq = strchr(argv[i], '=');
	if (eq != NULL) {
		(void)strlcpy(name, argv[i], MIN(sizeof(name), (size_t)(eq - argv[i] + 1)));
		(void)kern_setenv(name, eq + 1);
		(void)u_printf("%s=\"%s\"\n", name, eq + 1);
		return (0);
	}
	if (!kenv_copy(argv[i], value, sizeof(value))) {
		if (i == 1)
			u_warnx("kenv", "unable to get %s", argv[i]);
		return (1);
	}
	(void)u_printf("%s\n", value);
	return (0);
}
USERCMD(kenv, cmd_kenv);
