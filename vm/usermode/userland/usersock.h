/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _USERSOCK_H_
#define	_USERSOCK_H_

/*
 * Sockets for the programs inside the guest.  Every call runs in the vnet of
 * the calling thread's credentials, returns 0 or an errno number, and may
 * sleep unless it says otherwise.
 *
 * Deadlines are absolute, in ns of the monotonic clock (us_now_ns()):
 * US_NOWAIT never sleeps (EAGAIN), US_FOREVER never gives up; past a deadline
 * the call returns ETIMEDOUT.  A signal or the end of the process: EINTR.
 */

#include <sys/types.h>
#include <netinet/in.h>

struct usock;

enum us_type {
	US_UDP,
	US_TCP,
	US_ICMP,	/* raw, ip proto icmp: sends from the icmp header on, receives from the ip header on */
};

#define	US_NOWAIT	((int64_t)0)
#define	US_FOREVER	INT64_MAX

struct us_addr {
	struct in_addr	ip;	/* network byte order */
	uint16_t	port;	/* host byte order */
};

int64_t	us_now_ns(void);

int	us_socket(enum us_type type, struct usock **sp);
int	us_close(struct usock *s);
int	us_bind(struct usock *s, const struct us_addr *addr);
/* tcp: waits for the handshake; udp: sets the peer. */
int	us_connect(struct usock *s, const struct us_addr *addr, int64_t deadline);
int	us_listen(struct usock *s, int backlog);
int	us_accept(struct usock *s, struct usock **newp, struct us_addr *peer, int64_t deadline);

/* One datagram, never sleeps; errors are those of the output path (ENOBUFS, EHOSTDOWN ...). */
int	us_sendto(struct usock *s, const void *buf, size_t len, const struct us_addr *to);
/* udp: as us_sendto to the peer.  tcp: sleeps for room; *done bytes were taken. */
int	us_send(struct usock *s, const void *buf, size_t len, size_t *done, int64_t deadline);
/* *len is the room in, the bytes out (0 at the end of a tcp stream); from may be NULL. */
int	us_recvfrom(struct usock *s, void *buf, size_t *len, struct us_addr *from, int64_t deadline);
int	us_recv(struct usock *s, void *buf, size_t *len, int64_t deadline);
/* tcp: no more data from us, a FIN after what is queued. */
int	us_shutdown(struct usock *s);

int	us_getsockname(struct usock *s, struct us_addr *addr);
int	us_getpeername(struct usock *s, struct us_addr *addr);
/* Bytes; ENOBUFS above kern.ipc.maxsockbuf. */
int	us_setrcvbuf(struct usock *s, u_int bytes);
int	us_setsndbuf(struct usock *s, u_int bytes);
int	us_setttl(struct usock *s, int ttl);
int	us_setdontfrag(struct usock *s, bool on);
/* The hook of a thread that waits in us_recv and has to go: its calls return EINTR from now on. */
void	us_interrupt(struct usock *s);

/* Dotted decimal, "a.b.c.d" or "a.b.c.d:port"; 0 or EINVAL. */
int	us_parse(const char *text, struct us_addr *addr);

#endif /* !_USERSOCK_H_ */
