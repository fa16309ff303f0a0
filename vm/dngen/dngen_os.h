/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that dngen asks of the system it runs on: os_posix.c (FreeBSD, Linux) and
 * os_usermode.c (inside the user-mode guest) give it.
 */
#ifndef _DNGEN_OS_H_
#define	_DNGEN_OS_H_

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

struct os_sock;
struct os_thread;

enum os_kind { OS_UDP, OS_TCP, OS_ICMP };

/*
 * Every call returns 0 or an errno number; EINTR when the program is to stop.
 * Sending a datagram never waits.
 */
int	os_open(enum os_kind kind, bool ip6, struct os_sock **sp);
int	os_bind(struct os_sock *s, int port);
int	os_connect(struct os_sock *s, const char *addr, int port, int64_t deadline);
int	os_listen(struct os_sock *s);
int	os_accept(struct os_sock *s, struct os_sock **newp, int64_t deadline);
/* *len is the room on entry, the bytes on return; 0 bytes: the end of a stream. */
int	os_send(struct os_sock *s, const void *buf, size_t *len, int64_t deadline);
int	os_recv(struct os_sock *s, void *buf, size_t *len, int64_t deadline);
void	os_close(struct os_sock *s);
bool	os_again(int error);		/* a deadline passed */

int64_t	os_now(void);			/* ns, monotonic */
void	os_sleep_until(int64_t when);	/* shorter when the program is to stop */
bool	os_stopping(void);		/* somebody wants the program to end */
int	os_spawn(void (*func)(void *), void *arg, struct os_thread **tp);
void	os_join(struct os_thread *t);
void	*os_alloc(size_t size);		/* zeroed; ends the program when there is none */
void	os_free(void *p);
void	os_eprintf(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));
void	os_write(const char *text, size_t len);	/* to standard output, in one piece */
int	os_vformat(char *buf, size_t size, const char *fmt, va_list ap)
	    __attribute__((__format__(__printf__, 3, 0)));
unsigned os_ident(void);		/* tells this run from another */

/* A lock that may be held while waiting. */
struct os_lock;
struct os_lock *os_lock_new(void);
void	os_lock_free(struct os_lock *l);
void	os_lock(struct os_lock *l);
void	os_unlock(struct os_lock *l);

int	dngen_main(int argc, char **argv);

#endif /* !_DNGEN_OS_H_ */
