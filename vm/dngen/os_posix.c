/* SPDX-License-Identifier: BSD-2-Clause */
/* dngen as an ordinary program: FreeBSD and Linux. */
#ifndef _KERNEL

#ifdef __linux__
#define	_GNU_SOURCE
#include <sys/prctl.h>
#endif
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "dngen_os.h"

struct os_sock {
	int		fd;
	enum os_kind	kind;
	bool		ip6;
};
struct os_lock {
	pthread_mutex_t	mutex;
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

static volatile sig_atomic_t stopping;

static void
stop(int sig)
{
	(void)sig;
	stopping = 1;
}

bool
os_stopping(void)
{
	return (stopping != 0);
}

/*
 * A signal may come to another thread, or just before a sleep: nobody sleeps
 * for longer than this without having a look.
 */
#define	TURN	200000000

void
os_sleep_until(int64_t when)
{
	struct timespec ts;
	int64_t now;

	while (stopping == 0 && (now = os_now()) < when) {
		now = when - now > TURN ? now + TURN : when;
		ts.tv_sec = (time_t)(now / 1000000000);
		ts.tv_nsec = (long)(now % 1000000000);
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	}
}

static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { fd, events, 0 };
	struct timespec ts = { 0, 0 };
	int64_t left;
	int n;

	while (stopping == 0) {
		left = deadline - os_now();
		if (left < 0)
			left = 0;
		ts.tv_nsec = left < TURN ? (long)left : TURN;
		n = ppoll(&p, 1, &ts, NULL);
		if (n > 0)
			return (0);
		if (n < 0 && errno != EINTR)
			return (errno);
		if (n == 0 && left <= TURN)
			return (ETIMEDOUT);
	}
	return (EINTR);
}

int
os_open(enum os_kind kind, bool ip6, struct os_sock **sp)
{
	struct os_sock *s;
	int fd, one = 1, room;

	switch (kind) {
	case OS_UDP:
		fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
		break;
	case OS_TCP:
		fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
		break;
	default:
		fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
		break;
	}
	if (fd < 0)
		return (errno);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	/* A receiver that is kept from running shall not lose what arrived. */
	for (room = 1 << 20; kind != OS_TCP && room > 8192; room /= 2)
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) == 0)
			break;
	/* For udp it would let a second receiver take the port, and the packets, of the first. */
	if (kind == OS_TCP)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	s = os_alloc(sizeof(*s));
	s->fd = fd;
	s->kind = kind;
	s->ip6 = ip6;
	*sp = s;
	return (0);
}

union address {
	struct sockaddr		sa;
	struct sockaddr_in	sin;
	struct sockaddr_in6	sin6;
};

/* An address that was written down, or with NULL any of ours.  Returns its size, 0 for none. */
static socklen_t
address(const struct os_sock *s, const char *text, int port, union address *a)
{
	memset(a, 0, sizeof(*a));
	if (s->ip6) {
		a->sin6.sin6_family = AF_INET6;
		a->sin6.sin6_port = htons((uint16_t)port);
		if (text != NULL && inet_pton(AF_INET6, text, &a->sin6.sin6_addr) != 1)
			return (0);
		return (sizeof(a->sin6));
	}
	a->sin.sin_family = AF_INET;
	a->sin.sin_port = htons((uint16_t)port);
	if (text != NULL && inet_pton(AF_INET, text, &a->sin.sin_addr) != 1)
		return (0);
	return (sizeof(a->sin));
}

int
os_bind(struct os_sock *s, int port)
{
	union address a;
	socklen_t size = address(s, NULL, port, &a);

	return (bind(s->fd, &a.sa, size) == 0 ? 0 : errno);
}

int
os_connect(struct os_sock *s, const char *addr, int port, int64_t deadline)
{
	union address a;
	socklen_t len = sizeof(int), size = address(s, addr, port, &a);
	int error;

	if (size == 0)
		return (EINVAL);
	if (connect(s->fd, &a.sa, size) == 0)
		return (0);
	if (errno != EINPROGRESS && errno != EINTR)
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
		if (errno == EINTR)
			continue;
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

/* Linux lets every sleep of a thread take 50 us longer unless told otherwise. */
static void
precise_sleep(void)
{
#ifdef __linux__
	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
#endif
}

static void *
thread_start(void *arg)
{
	struct os_thread *t = arg;

	precise_sleep();
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
os_write(const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(STDOUT_FILENO, text, len);
		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

int
os_vformat(char *buf, size_t size, const char *fmt, va_list ap)
{
	return (vsnprintf(buf, size, fmt, ap));
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
	static unsigned count;
	uint64_t v;

	v = (uint64_t)os_now() * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)getpid();
	return ((unsigned)(v >> 32) + __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED));
}

struct os_lock *
os_lock_new(void)
{
	struct os_lock *l = os_alloc(sizeof(*l));

	(void)pthread_mutex_init(&l->mutex, NULL);
	return (l);
}

void
os_lock_free(struct os_lock *l)
{
	(void)pthread_mutex_destroy(&l->mutex);
	free(l);
}

void
os_lock(struct os_lock *l)
{
	(void)pthread_mutex_lock(&l->mutex);
}

void
os_unlock(struct os_lock *l)
{
	(void)pthread_mutex_unlock(&l->mutex);
}

int
main(int argc, char **argv)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = stop;
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	precise_sleep();
	return (dngen_main(argc, argv));
}

#else	/* _KERNEL */
typedef int dngen_not_here;
#endif
