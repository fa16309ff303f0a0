/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sbuf(9): strings that grow.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/sbuf.h>
#include <sys/stdarg.h>
#include <sys/sysctl.h>

static MALLOC_DEFINE(M_SBUF, "sbuf", "string buffers");

/* Room for n more and a NUL; false, and an error that stays, when there is none. */
static bool
sbuf_room(struct sbuf *s, size_t n)
{
	char *buf;
	ssize_t size;

	if (s->s_error != 0)
		return (false);
	if (s->s_len + (ssize_t)n + 1 <= s->s_size)
		return (true);
	if ((s->s_flags & SBUF_AUTOEXTEND) == 0) {
		s->s_error = ENOMEM;
		return (false);
	}
	for (size = MAX(s->s_size, 128); size < s->s_len + (ssize_t)n + 1; size *= 2)
		;
	buf = malloc(size, M_SBUF, M_WAITOK);
	memcpy(buf, s->s_buf, s->s_len);
	if (s->s_flags & SBUF_DYNAMIC)
		free(s->s_buf, M_SBUF);
	s->s_buf = buf;
	s->s_size = size;
	s->s_flags |= SBUF_DYNAMIC;
	return (true);
}

static void
sbuf_drain(struct sbuf *s)
{
	int n;

	while (s->s_len > 0 && s->s_error == 0) {
		n = s->s_drain_func(s->s_drain_arg, s->s_buf, s->s_len);
		if (n <= 0) {
			s->s_error = n < 0 ? -n : EDEADLK;
			return;
		}
		memmove(s->s_buf, s->s_buf + n, s->s_len - n);
		s->s_len -= n;
	}
}

struct sbuf *
sbuf_new(struct sbuf *s, char *buf, int length, int flags)
{
	if (s == NULL) {
		s = malloc(sizeof(*s), M_SBUF, M_WAITOK);
		flags |= SBUF_DYNSTRUCT;
	}
	memset(s, 0, sizeof(*s));
	s->s_flags = flags;
	s->s_buf = buf;
	s->s_size = length;
	if (buf == NULL) {
		s->s_size = MAX(length, 64);
		s->s_buf = malloc(s->s_size, M_SBUF, M_WAITOK);
		s->s_flags |= SBUF_DYNAMIC;
	}
	return (s);
}

static int
sbuf_sysctl_drain(void *arg, const char *data, int len)
{
	int error;

	error = SYSCTL_OUT((struct sysctl_req *)arg, data, len);
	return (error != 0 ? -error : len);
}

struct sbuf *
sbuf_new_for_sysctl(struct sbuf *s, char *buf, int length, struct sysctl_req *req)
{
	s = sbuf_new(s, buf, length, 0);
	sbuf_set_drain(s, sbuf_sysctl_drain, req);
	return (s);
}

void
sbuf_clear(struct sbuf *s)
{
	s->s_flags &= ~SBUF_FINISHED;
	s->s_error = 0;
	s->s_len = 0;
}

int
sbuf_setpos(struct sbuf *s, ssize_t pos)
{
	if (pos < 0 || pos > s->s_len)
		return (-1);
	s->s_len = pos;
	return (0);
}

int
sbuf_bcat(struct sbuf *s, const void *buf, size_t len)
{
	const char *p = buf;
	size_t n;

	if (s->s_drain_func != NULL) {
		for (; len > 0 && s->s_error == 0; p += n, len -= n) {
			if (s->s_len + 1 >= s->s_size)
				sbuf_drain(s);
			n = MIN(len, (size_t)(s->s_size - s->s_len - 1));
			memcpy(s->s_buf + s->s_len, p, n);
			s->s_len += n;
		}
		return (s->s_error != 0 ? -1 : 0);
	}
	if (!sbuf_room(s, len))
		return (-1);
	memcpy(s->s_buf + s->s_len, buf, len);
	s->s_len += len;
	return (0);
}

int
sbuf_cat(struct sbuf *s, const char *str)
{
	return (sbuf_bcat(s, str, strlen(str)));
}

int
sbuf_cpy(struct sbuf *s, const char *str)
{
	sbuf_clear(s);
	return (sbuf_cat(s, str));
}

int
sbuf_putc(struct sbuf *s, int c)
{
	char ch = c;

	return (sbuf_bcat(s, &ch, 1));
}

int
sbuf_vprintf(struct sbuf *s, const char *fmt, va_list ap)
{
	char small[256], *buf;
	va_list copy;
	int n, rv;

	va_copy(copy, ap);
	n = vsnprintf(small, sizeof(small), fmt, copy);
	va_end(copy);
	if ((size_t)n < sizeof(small))
		return (sbuf_bcat(s, small, n));
	buf = malloc(n + 1, M_SBUF, M_WAITOK);
	(void)vsnprintf(buf, n + 1, fmt, ap);
	rv = sbuf_bcat(s, buf, n);
	free(buf, M_SBUF);
	return (rv);
}

int
sbuf_printf(struct sbuf *s, const char *fmt, ...)
{
	va_list ap;
	int rv;

	va_start(ap, fmt);
	rv = sbuf_vprintf(s, fmt, ap);
	va_end(ap);
	return (rv);
}

void
sbuf_set_drain(struct sbuf *s, sbuf_drain_func *func, void *arg)
{
	s->s_drain_func = func;
	s->s_drain_arg = arg;
}

int
sbuf_trim(struct sbuf *s)
{
	while (s->s_len > 0 && isspace(s->s_buf[s->s_len - 1]))
		s->s_len--;
	return (0);
}

int
sbuf_error(const struct sbuf *s)
{
	return (s->s_error);
}

int
sbuf_finish(struct sbuf *s)
{
	if (s->s_drain_func != NULL)
		sbuf_drain(s);
	s->s_buf[s->s_len] = '\0';
	s->s_flags |= SBUF_FINISHED;
	return (s->s_error);
}

char *
sbuf_data(struct sbuf *s)
{
	return (s->s_buf);
}

ssize_t
sbuf_len(struct sbuf *s)
{
	return (s->s_error != 0 ? -1 : s->s_len);
}

int
sbuf_done(const struct sbuf *s)
{
	return ((s->s_flags & SBUF_FINISHED) != 0);
}

void
sbuf_delete(struct sbuf *s)
{
	if (s->s_flags & SBUF_DYNAMIC)
		free(s->s_buf, M_SBUF);
	if (s->s_flags & SBUF_DYNSTRUCT)
		free(s, M_SBUF);
}
