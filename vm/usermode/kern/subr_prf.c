/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * printf and its family, with FreeBSD's %b (bits by name) and %D (hex dump).
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/stdarg.h>
#include <sys/syslog.h>
#include "kern_internal.h"

/* Where the characters go: always counted, kept as long as there is room. */
struct out {
	char	*buf;
	size_t	 room;		/* for characters, without the NUL */
	size_t	 len;
	void	(*func)(int, void *);
	void	*arg;
};

static void
put(struct out *o, char c)
{
	if (o->func != NULL)
		o->func(c, o->arg);
	else if (o->len < o->room)
		o->buf[o->len] = c;
	o->len++;
}

static void
fill(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

struct spec {
	bool	left, plus, space, alt, zero;
	int	width, prec;		/* prec -1: none */
};

static void
put_padded(struct out *o, const struct spec *s, const char *prefix, const char *digits, int n)
{
	int zeros, pad, i, npre;

	npre = strlen(prefix);
	zeros = s->prec > n ? s->prec - n : 0;
	pad = s->width - npre - zeros - n;
	if (s->zero && !s->left && s->prec < 0 && pad > 0) {
		zeros += pad;
		pad = 0;
	}
	if (!s->left)
		fill(o, ' ', pad);
	for (i = 0; i < npre; i++)
		put(o, prefix[i]);
	fill(o, '0', zeros);
	for (i = 0; i < n; i++)
		put(o, digits[i]);
	if (s->left)
		fill(o, ' ', pad);
}

static int
digits_of(uintmax_t v, int base, bool upper, char *end)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char *p = end;

	do {
		*--p = set[v % base];
		v /= base;
	} while (v != 0);
	return (end - p);
}

static void
put_integer(struct out *o, const struct spec *s, uintmax_t v, int base, bool upper,
    const char *sign)
{
	char buf[72];
	const char *prefix = sign;
	int n;

	n = v == 0 && s->prec == 0 ? 0 : digits_of(v, base, upper, buf + sizeof(buf));
	if (s->alt && v != 0) {
		if (base == 16)
			prefix = upper ? "0X" : "0x";
		else if (base == 8)
			prefix = "0";
	}
	put_padded(o, s, prefix, buf + sizeof(buf) - n, n);
}

/* Fixed notation; what a kernel never prints but the guest's programs do. */
static void
put_float(struct out *o, const struct spec *sp, double v)
{
	struct spec s = *sp;
	char buf[64], *p;
	const char *sign = "";
	uintmax_t ip, fp, scale;
	int prec, i, n;

	prec = MIN(s.prec < 0 ? 6 : s.prec, 15);
	s.prec = -1;
	if (v < 0) {
		sign = "-";
		v = -v;
	} else if (s.plus)
		sign = "+";
	if (v != v || v > 1e18) {
		s.zero = false;
		put_padded(o, &s, v != v ? "" : sign, v != v ? "nan" : "inf", 3);
		return;
	}
	for (scale = 1, i = 0; i < prec; i++)
		scale *= 10;
	ip = (uintmax_t)v;
	fp = (uintmax_t)((v - (double)ip) * (double)scale + 0.5);
	if (fp >= scale) {
		ip++;
		fp -= scale;
	}
	p = buf + sizeof(buf);
	if (prec > 0) {
		for (i = 0; i < prec; i++, fp /= 10)
			*--p = '0' + fp % 10;
		*--p = '.';
	}
	n = digits_of(ip, 10, false, p);
	p -= n;
	put_padded(o, &s, sign, p, buf + sizeof(buf) - p);
}

/* "\20\2BITTWO\1BITONE": a base, then bit numbers from 1 with their names. */
static void
put_bits(struct out *o, u_int v, const char *names)
{
	char buf[36];
	const char *p;
	char sep = '<';
	int bit, n;

	n = digits_of(v, *names++, false, buf + sizeof(buf));
	for (p = buf + sizeof(buf) - n; p < buf + sizeof(buf); p++)
		put(o, *p);
	if (v == 0)
		return;
	while ((bit = *names++) != 0) {
		if (v & (1u << (bit - 1))) {
			put(o, sep);
			sep = ',';
			for (; *names > ' '; names++)
				put(o, *names);
		} else
			while (*names > ' ')
				names++;
	}
	if (sep == ',')
		put(o, '>');
}

static void
format(struct out *o, const char *fmt, va_list ap)
{
	struct spec s;
	const char *str, *sep;
	const u_char *bytes;
	uintmax_t u;
	intmax_t v;
	int lng, n, i, len;
	char c, ch;

	while ((c = *fmt++) != '\0') {
		if (c != '%') {
			put(o, c);
			continue;
		}
		memset(&s, 0, sizeof(s));
		s.prec = -1;
		for (;; fmt++) {
			if (*fmt == '-')
				s.left = true;
			else if (*fmt == '+')
				s.plus = true;
			else if (*fmt == ' ')
				s.space = true;
			else if (*fmt == '#')
				s.alt = true;
			else if (*fmt == '0')
				s.zero = true;
			else
				break;
		}
		if (*fmt == '*') {
			s.width = va_arg(ap, int);
			if (s.width < 0) {
				s.left = true;
				s.width = -s.width;
			}
			fmt++;
		} else
			for (; *fmt >= '0' && *fmt <= '9'; fmt++)
				s.width = s.width * 10 + *fmt - '0';
		if (*fmt == '.') {
			s.prec = 0;
			if (*++fmt == '*') {
				s.prec = va_arg(ap, int);
				fmt++;
			} else
				for (; *fmt >= '0' && *fmt <= '9'; fmt++)
					s.prec = s.prec * 10 + *fmt - '0';
		}
		/* All that is longer than an int has 64 bits here. */
		for (lng = 0;; fmt++) {
			if (*fmt == 'l' || *fmt == 'j' || *fmt == 'z' || *fmt == 't' || *fmt == 'q')
				lng = 1;
			else if (*fmt == 'h')
				lng--;
			else
				break;
		}
		switch (c = *fmt++) {
		case 'd':
		case 'i':
			v = lng > 0 ? va_arg(ap, intmax_t) : va_arg(ap, int);
			if (lng == -1)
				v = (short)v;
			else if (lng == -2)
				v = (signed char)v;
			put_integer(o, &s, v < 0 ? -(uintmax_t)v : (uintmax_t)v, 10, false,
			    v < 0 ? "-" : s.plus ? "+" : s.space ? " " : "");
			break;
		case 'u':
		case 'x':
		case 'X':
		case 'o':
			u = lng > 0 ? va_arg(ap, uintmax_t) : va_arg(ap, u_int);
			if (lng == -1)
				u = (u_short)u;
			else if (lng == -2)
				u = (u_char)u;
			put_integer(o, &s, u, c == 'u' ? 10 : c == 'o' ? 8 : 16, c == 'X', "");
			break;
		case 'p':
			u = (uintptr_t)va_arg(ap, void *);
			s.alt = true;
			if (u == 0)
				put_padded(o, &s, "0x", "0", 1);
			else
				put_integer(o, &s, u, 16, false, "");
			break;
		case 'c':
			ch = va_arg(ap, int);
			s.zero = false;
			s.prec = -1;
			put_padded(o, &s, "", &ch, 1);
			break;
		case 's':
			str = va_arg(ap, const char *);
			if (str == NULL)
				str = "(null)";
			len = s.prec >= 0 ? (int)strnlen(str, s.prec) : (int)strlen(str);
			s.prec = -1;
			s.zero = false;
			put_padded(o, &s, "", str, len);
			break;
		case 'f':
		case 'e':
		case 'g':
			put_float(o, &s, va_arg(ap, double));
			break;
		case 'b':
			u = va_arg(ap, u_int);
			put_bits(o, u, va_arg(ap, const char *));
			break;
		case 'D':
			bytes = va_arg(ap, const u_char *);
			sep = va_arg(ap, const char *);
			n = s.width > 0 ? s.width : 16;
			for (i = 0; i < n; i++) {
				put(o, "0123456789abcdef"[bytes[i] >> 4]);
				put(o, "0123456789abcdef"[bytes[i] & 15]);
				for (str = sep; i < n - 1 && *str != '\0'; str++)
					put(o, *str);
			}
			break;
		case '%':
			put(o, '%');
			break;
		case '\0':
			return;
		default:
			put(o, '%');
			put(o, c);
		}
	}
}

int
vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .room = size > 0 ? size - 1 : 0 };

	format(&o, fmt, ap);
	if (size > 0)
		buf[MIN(o.len, size - 1)] = '\0';
	return (o.len);
}

int
snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return (n);
}

int
vsprintf(char *buf, const char *fmt, va_list ap)
{
	return (vsnprintf(buf, INT_MAX, fmt, ap));
}

int
sprintf(char *buf, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, INT_MAX, fmt, ap);
	va_end(ap);
	return (n);
}

int
asprintf(char **bufp, struct malloc_type *type, const char *fmt, ...)
{
	va_list ap, copy;
	int n;

	va_start(ap, fmt);
	va_copy(copy, ap);
	n = vsnprintf(NULL, 0, fmt, copy);
	va_end(copy);
	*bufp = malloc(n + 1, type, M_WAITOK);
	(void)vsnprintf(*bufp, n + 1, fmt, ap);
	va_end(ap);
	return (n);
}

int
kvprintf(const char *fmt, void (*func)(int, void *), void *arg, int radix, va_list ap)
{
	struct out o = { .buf = arg, .room = INT_MAX, .func = func, .arg = arg };

	format(&o, fmt, ap);
	if (func == NULL)
		((char *)arg)[o.len] = '\0';
	return (o.len);
}

/* A message goes out whole, or in pieces when it is very long. */
struct console_out {
	char	buf[512];
	size_t	len;
};

static void
console_putc(int c, void *arg)
{
	struct console_out *co = arg;

	co->buf[co->len++] = c;
	if (co->len == sizeof(co->buf)) {
		cn_write(co->buf, co->len);
		co->len = 0;
	}
}

int
vprintf(const char *fmt, va_list ap)
{
	struct console_out co;
	int n;

	co.len = 0;
	n = kvprintf(fmt, console_putc, &co, 10, ap);
	if (co.len > 0)
		cn_write(co.buf, co.len);
	return (n);
}

int
printf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vprintf(fmt, ap);
	va_end(ap);
	return (n);
}

int
uprintf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vprintf(fmt, ap);
	va_end(ap);
	return (n);
}

/* As a FreeBSD without syslogd: what matters comes on the console. */
void
vlog(int level, const char *fmt, va_list ap)
{
	if ((level & LOG_PRIMASK) <= LOG_INFO)
		(void)vprintf(fmt, ap);
}

void
log(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog(level, fmt, ap);
	va_end(ap);
}

void
tprintf(struct proc *p, int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
}
