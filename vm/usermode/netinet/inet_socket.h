/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _INET_SOCKET_H_
#define	_INET_SOCKET_H_

/*
 * The socket of this kernel: one queue to receive, one ring to send (tcp).
 * Order of locks: inpcb, then so_mtx.
 */
#include <sys/param.h>
#include <sys/queue.h>
#include <sys/lock.h>
#include <sys/mutex.h>
#include <sys/mbuf.h>
#include <netinet/in.h>
#include <netinet/in_pcb.h>
#include "userland/usersock.h"

struct usock {
	enum us_type	 so_type;
	struct vnet	*so_vnet;
	struct inpcb	*so_pcb;
	u_int		 so_refs;	/* the program's, and a listener's of its child */
	struct mtx	 so_mtx;

	/* All below under so_mtx. */
	u_int		 so_error;	/* told once, by the next call */
	int		 so_flags;
#define	SO_F_CONNECTED		0x01
#define	SO_F_CANTRCVMORE	0x02
#define	SO_F_CANTSENDMORE	0x04
#define	SO_F_INTR		0x08
#define	SO_F_LISTEN		0x10
#define	SO_F_GONE		0x20	/* no program holds it any more */
	u_int		 so_rcv_hiwat;
	bool		 so_rcv_fixed;	/* set by the program: no autosizing */
	u_int		 so_rcv_cc;
	u_int		 so_rcv_mbcnt;
	struct mbuf	*so_rcv_head;	/* records by m_nextpkt; tcp: one chain by m_next */
	struct mbuf	*so_rcv_tail;
	int		 so_rcv_waiters;
	u_int		 so_snd_hiwat;
	bool		 so_snd_fixed;	/* set by the program: no autosizing */
	int		 so_snd_waiters;

	int		 so_qlimit;
	int		 so_qlen;
	TAILQ_HEAD(, usock) so_comp;	/* to be accepted */
	TAILQ_ENTRY(usock) so_list;
	struct usock	*so_listener;
};
/* What the rest of the kernel knows of it is that there is one. */
#define	sotous(so)	((struct usock *)(so))
#define	ustoso(s)	((struct socket *)(s))

extern u_long sb_max;

struct usock *so_alloc(enum us_type type, struct vnet *vnet);
void	so_free(struct usock *s);
void	so_wakeup(struct usock *s);
void	so_seterror(struct usock *s, int error);
/* A datagram with its IP header in front; false when there is no room. */
bool	so_append(struct usock *s, struct mbuf *m, int datalen);

int	udp_attach(struct usock *s);
int	udp_send(struct usock *s, const void *buf, size_t len, struct sockaddr_in *to);
int	rip_attach(struct usock *s);
int	rip_send(struct usock *s, const void *buf, size_t len, struct sockaddr_in *to);

int	tcp_attach(struct usock *s);
int	tcp_usr_connect(struct usock *s, struct sockaddr_in *to);
int	tcp_usr_listen(struct usock *s);
int	tcp_usr_send(struct usock *s, const void *buf, size_t len, size_t *done);
void	tcp_usr_rcvd(struct usock *s);
void	tcp_usr_shutdown(struct usock *s);
void	tcp_usr_detach(struct usock *s);
/* Called with so_mtx held to find out whether a sender has to wait. */
u_int	tcp_sndspace(struct usock *s);

#endif
