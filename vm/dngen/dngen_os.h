/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _DNGEN_OS_H_
#define	_DNGEN_OS_H_

/*
 * The whole world of dngen.  os_posix.c makes it of FreeBSD's or Linux's
 * libc, os_usermode.c of the kernel of the user-mode guest.
 *
 * Errors are errno numbers, 0 is success.  Times and deadlines are absolute,
 * in ns of the monotonic clock.  A call that may wait ends at its deadline
 * with ETIMEDOUT, and with EINTR when the program is told to stop.
 */
#ifdef _KERNEL
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/stdarg.h>
#else
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#endif

#define	NS_PER_S	INT64_C(1000000000)
#define	NS_PER_MS	INT64_C(1000000)

struct os_addr {
	uint32_t	ip;	/* host byte order */
	uint16_t	port;
};

struct os_sock;
struct os_thread;

enum os_sock_type { OS_UDP, OS_TCP, OS_ICMP };

int	dngen_main(int argc, char **argv);

int64_t	os_now(void);
int	os_sleep_until(int64_t when);
bool	os_stopping(void);

/* Zeroed memory, or NULL. */
void	*os_alloc(size_t size);
void	os_free(void *p);

int	os_thread_start(struct os_thread **tp, void (*func)(void *), void *arg);
void	os_thread_join(struct os_thread *t);

int	os_socket(enum os_sock_type type, struct os_sock **sp);
void	os_close(struct os_sock *s);
int	os_bind(struct os_sock *s, uint16_t port);
int	os_local_port(struct os_sock *s, uint16_t *port);
int	os_connect(struct os_sock *s, const struct os_addr *to, int64_t deadline);
int	os_listen(struct os_sock *s, int backlog);
int	os_accept(struct os_sock *s, struct os_sock **newp, int64_t deadline);
/* The biggest receive buffer up to *bytes that the system grants; *bytes is what it came to. */
void	os_receive_buffer(struct os_sock *s, uint32_t *bytes);

/* A datagram to the peer of os_connect(); never waits. */
int	os_send(struct os_sock *s, const void *buf, size_t len);
/* The same to an address; for icmp from the icmp header on. */
int	os_send_to(struct os_sock *s, const void *buf, size_t len, const struct os_addr *to);
/*
 * One datagram, and when it came.  *len is the room in and the length out;
 * an icmp message comes without its IP header.
 */
int	os_receive(struct os_sock *s, void *buf, size_t *len, int64_t *when, int64_t deadline);

/* Some of the bytes, at least one. */
int	os_stream_write(struct os_sock *s, const void *buf, size_t len, size_t *done, int64_t deadline);
/* As above; 0 bytes at the end of the stream. */
int	os_stream_read(struct os_sock *s, void *buf, size_t *len, int64_t deadline);
int	os_stream_end(struct os_sock *s);

/* To standard output in one piece. */
void	os_write(const char *text, size_t len);
/* "dngen: " and a line to standard error. */
void	os_complain(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));
int	os_vformat(char *buf, size_t size, const char *fmt, va_list ap)
	    __attribute__((__format__(__printf__, 3, 0)));

#endif /* !_DNGEN_OS_H_ */
