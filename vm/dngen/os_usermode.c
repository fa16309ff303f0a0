/* SPDX-License-Identifier: BSD-2-Clause */
/* dngen as a program of the user-mode guest. */
#ifdef _KERNEL

#include "dngen_os.h"
#include <sys/lock.h>
#include <sys/sx.h>
#include "userland/userland.h"
#include "userland/usersock.h"

struct os_sock {
	struct usock	*us;
	enum os_kind	 kind;
};

struct os_thread {
	struct u_thread	*t;
};

struct os_lock {
	struct sx	sx;
};

int64_t
os_now(void)
{
	return (us_now_ns());
}

void
os_sleep_until(int64_t when)
{
	int64_t left;

	while ((left = when - us_now_ns()) > 0 && !u_interrupted())
		if (u_sleep_ns(left) != 0)
			return;
}

bool
os_stopping(void)
{
	return (u_interrupted());
}

static int
wrap(struct usock *us, enum os_kind kind, struct os_sock **sp)
{
	struct os_sock *s = os_alloc(sizeof(*s));

	s->us = us;
	s->kind = kind;
	*sp = s;
	return (0);
}

int
os_open(enum os_kind kind, bool ip6, struct os_sock **sp)
{
	struct usock *us;
	u_int room;
	int error;

	if (ip6)
		return (EAFNOSUPPORT);	/* the guest has none */
	error = us_socket(kind == OS_UDP ? US_UDP : kind == OS_TCP ? US_TCP : US_ICMP, &us);
	if (error != 0)
		return (error);
	/* A receiver that is kept from running shall not lose what arrived. */
	if (kind != OS_TCP)
		for (room = 1 << 20; room > 8192 && us_setrcvbuf(us, room) != 0; room /= 2)
			;
	return (wrap(us, kind, sp));
}

int
os_bind(struct os_sock *s, int port)
{
	struct us_addr any = { .port = (uint16_t)port };

	return (us_bind(s->us, &any));
}

int
os_connect(struct os_sock *s, const char *addr, int port, int64_t deadline)
{
	struct us_addr to;
	int error;

	error = us_parse(addr, &to);
	if (error != 0)
		return (error);
	to.port = (uint16_t)port;
	return (us_connect(s->us, &to, deadline));
}

int
os_listen(struct os_sock *s)
{
	return (us_listen(s->us, 128));
}

int
os_accept(struct os_sock *s, struct os_sock **newp, int64_t deadline)
{
	struct usock *us;
	int error;

	do {
		error = us_accept(s->us, &us, NULL, deadline);
	} while (error == ECONNABORTED);
	return (error != 0 ? error : wrap(us, OS_TCP, newp));
}

int
os_send(struct os_sock *s, const void *buf, size_t *len, int64_t deadline)
{
	size_t want = *len;
	int error;

	*len = 0;
	error = us_send(s->us, buf, want, len, deadline);
	if (*len > 0)
		return (0);
	return (error == EAGAIN && s->kind != OS_TCP ? ENOBUFS : error);
}

int
os_recv(struct os_sock *s, void *buf, size_t *len, int64_t deadline)
{
	size_t room = *len;
	int error;

	do {
		*len = room;
		error = us_recv(s->us, buf, len, deadline);
		/* An ICMP error that some packet of ours caused is not ours to stop for. */
	} while (s->kind != OS_TCP &&
	    (error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH));
	return (error);
}

void
os_close(struct os_sock *s)
{
	us_close(s->us);
	os_free(s);
}

bool
os_again(int error)
{
	return (error == ETIMEDOUT || error == EAGAIN);
}

int
os_spawn(void (*func)(void *), void *arg, struct os_thread **tp)
{
	struct os_thread *t = os_alloc(sizeof(*t));
	int error;

	error = u_thread_create("dngen", func, arg, &t->t);
	if (error != 0) {
		os_free(t);
		return (error);
	}
	*tp = t;
	return (0);
}

void
os_join(struct os_thread *t)
{
	u_thread_join(t->t);
	os_free(t);
}

void *
os_alloc(size_t size)
{
	return (u_calloc(size));
}

void
os_free(void *p)
{
	u_free(p);
}

void
os_write(const char *text, size_t len)
{
	u_write(text, len);
}

int
os_vformat(char *buf, size_t size, const char *fmt, va_list ap)
{
	return (vsnprintf(buf, size, fmt, ap));
}

void
os_eprintf(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	u_eprintf("%s", text);
}

unsigned
os_ident(void)
{
	static unsigned count;

	/* Of one boot, and the same with the same seed. */
	return (__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED));
}

struct os_lock *
os_lock_new(void)
{
	struct os_lock *l = os_alloc(sizeof(*l));

	sx_init(&l->sx, "dngen");
	return (l);
}

void
os_lock_free(struct os_lock *l)
{
	sx_destroy(&l->sx);
	os_free(l);
}

void
os_lock(struct os_lock *l)
{
	sx_xlock(&l->sx);
}

void
os_unlock(struct os_lock *l)
{
	sx_xunlock(&l->sx);
}

static int
cmd_dngen(int argc, char **argv)
{
	return (dngen_main(argc, argv));
}
USERCMD(dngen, cmd_dngen);

#else	/* !_KERNEL */
typedef int dngen_not_here;
#endif
