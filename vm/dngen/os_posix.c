/* SPDX-License-Identifier: BSD-2-Clause */
/* dngen as an ordinary program: FreeBSD and Linux. */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "dngen_os.h"

struct os_sock {
	int		fd;
	enum os_kind	kind;
};
struct os_thread {
	pthread_t	id;
	void		(*func)(void *);
	void		*arg;
};

int64_t
os_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

void
os_sleep_until(int64_t when)
{
	struct timespec ts = { (time_t)(when / 1000000000), (long)(when % 1000000000) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { fd, events, 0 };
	struct timespec ts;
	int64_t left = deadline - os_now();

	if (left < 0)
		left = 0;
	ts.tv_sec = (time_t)(left / 1000000000);
	ts.tv_nsec = (long)(left % 1000000000);
	switch (ppoll(&p, 1, &ts, NULL)) {
	case 1:
		return (0);
	case 0:
		return (ETIMEDOUT);
	default:
		return (errno == EINTR ? ETIMEDOUT : errno);
	}
}

int
os_open(enum os_kind kind, struct os_sock **sp)
{
	struct os_sock *s;
	int big = 1 << 20, one = 1, fd;

	switch (kind) {
	case OS_UDP:
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		break;
	case OS_TCP:
		fd = socket(AF_INET, SOCK_STREAM, 0);
		break;
	default:
		fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
		break;
	}
	if (fd < 0)
		return (errno);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	/* A receiver that is kept from running shall not lose what arrived. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	s = os_alloc(sizeof(*s));
	s->fd = fd;
	s->kind = kind;
	*sp = s;
	return (0);
}

int
os_bind(struct os_sock *s, int port)
{
	struct sockaddr_in sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons((uint16_t)port);
	return (bind(s->fd, (struct sockaddr *)&sin, sizeof(sin)) == 0 ? 0 : errno);
}

int
os_connect(struct os_sock *s, const char *addr, int port, int64_t deadline)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(int);
	int error;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, addr, &sin.sin_addr) != 1)
		return (EINVAL);
	if (connect(s->fd, (struct sockaddr *)&sin, sizeof(sin)) == 0)
		return (0);
	if (errno != EINPROGRESS)
		return (errno);
	error = wait_for(s->fd, POLLOUT, deadline);
	if (error == 0 && getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	return (error);
}

int
os_listen(struct os_sock *s)
{
	return (listen(s->fd, 128) == 0 ? 0 : errno);
}

int
os_accept(struct os_sock *s, struct os_sock **newp, int64_t deadline)
{
	struct os_sock *n;
	int error, fd;

	while ((fd = accept(s->fd, NULL, NULL)) < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ECONNABORTED && errno != EINTR)
			return (errno);
		error = wait_for(s->fd, POLLIN, deadline);
		if (error != 0)
			return (error);
	}
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	n = os_alloc(sizeof(*n));
	n->fd = fd;
	n->kind = OS_TCP;
	*newp = n;
	return (0);
}

int
os_send(struct os_sock *s, const void *buf, size_t *len, int64_t deadline)
{
	size_t want = *len;
	ssize_t n;
	int error;

	*len = 0;
	for (;;) {
		n = send(s->fd, buf, want, MSG_NOSIGNAL);
		if (n >= 0) {
			*len = (size_t)n;
			return (0);
		}
		if ((errno != EAGAIN && errno != EWOULDBLOCK) || s->kind != OS_TCP)
			return (errno == EAGAIN ? ENOBUFS : errno);
		error = wait_for(s->fd, POLLOUT, deadline);
		if (error != 0)
			return (error);
	}
}

int
os_recv(struct os_sock *s, void *buf, size_t *len, int64_t deadline)
{
	ssize_t n;
	int error;

	for (;;) {
		n = recv(s->fd, buf, *len, 0);
		if (n >= 0) {
			*len = (size_t)n;
			return (0);
		}
		/* An ICMP error that some packet of ours caused is not ours to stop for. */
		if (s->kind != OS_TCP && (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH))
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			return (errno);
		error = wait_for(s->fd, POLLIN, deadline);
		if (error != 0)
			return (error);
	}
}

void
os_close(struct os_sock *s)
{
	(void)close(s->fd);
	free(s);
}

bool
os_again(int error)
{
	return (error == ETIMEDOUT || error == EAGAIN);
}

const char *
os_error(int error)
{
	static const struct {
		int		error;
		const char	*name;
	} names[] = {
		{ ENOBUFS, "ENOBUFS" }, { EHOSTDOWN, "EHOSTDOWN" }, { EHOSTUNREACH, "EHOSTUNREACH" },
		{ ENETUNREACH, "ENETUNREACH" }, { ENETDOWN, "ENETDOWN" }, { EMSGSIZE, "EMSGSIZE" },
		{ ECONNREFUSED, "ECONNREFUSED" }, { ECONNRESET, "ECONNRESET" }, { ETIMEDOUT, "ETIMEDOUT" },
		{ EACCES, "EACCES" }, { EPERM, "EPERM" }, { EADDRINUSE, "EADDRINUSE" }, { EPIPE, "EPIPE" },
		{ EADDRNOTAVAIL, "EADDRNOTAVAIL" }, { EINVAL, "EINVAL" }, { ENXIO, "ENXIO" }, { ENOMEM, "ENOMEM" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].error == error)
			return (names[i].name);
	return ("EOTHER");
}

static void *
thread_start(void *arg)
{
	struct os_thread *t = arg;

	t->func(t->arg);
	return (NULL);
}

int
os_spawn(void (*func)(void *), void *arg, struct os_thread **tp)
{
	struct os_thread *t = os_alloc(sizeof(*t));
	int error;

	t->func = func;
	t->arg = arg;
	error = pthread_create(&t->id, NULL, thread_start, t);
	if (error != 0) {
		free(t);
		return (error);
	}
	*tp = t;
	return (0);
}

void
os_join(struct os_thread *t)
{
	(void)pthread_join(t->id, NULL);
	free(t);
}

void *
os_alloc(size_t size)
{
	void *p = calloc(1, size);

	if (p == NULL) {
		fprintf(stderr, "dngen: out of memory\n");
		exit(71);
	}
	return (p);
}

void
os_free(void *p)
{
	free(p);
}

void
os_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
}

void
os_eprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
}

unsigned
os_ident(void)
{
	return ((unsigned)getpid());
}

int
main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setvbuf(stdout, NULL, _IOFBF, 65536);
	return (dngen_main(argc, argv));
}
