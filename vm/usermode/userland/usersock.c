/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets: what lies between a program's calls and the protocols.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/priority.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_pcb.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include "netinet/inet_socket.h"
#include "userland/usersock.h"

static MALLOC_DEFINE(M_SOCKET, "socket", "socket structures");

u_long sb_max = 2 * 1024 * 1024;
SYSCTL_ULONG(_kern_ipc, OID_AUTO, maxsockbuf, CTLFLAG_RW, &sb_max, 0,
    "Maximum socket buffer size");
static u_int somaxconn = SOMAXCONN;
SYSCTL_UINT(_kern_ipc, OID_AUTO, soacceptqueue, CTLFLAG_RW, &somaxconn, 0,
    "Maximum listen socket pending connection accept queue size");

/* How much memory a buffer may take for a byte that it counts. */
#define	SB_EFFICIENCY	8

/* As at the end of a system call: nothing of the kernel's may stay with the program. */
#define	SYSRET(v)	do {						\
	int _v = (v);							\
									\
	userret(curthread, NULL);					\
	return (_v);							\
} while (0)

int64_t
us_now_ns(void)
{
	struct timespec ts;

	nanouptime(&ts);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

struct usock *
so_alloc(enum us_type type, struct vnet *vnet)
{
	struct usock *s;

	s = malloc(sizeof(*s), M_SOCKET, M_NOWAIT | M_ZERO);
	if (s == NULL)
		return (NULL);
	s->so_type = type;
	s->so_vnet = vnet;
	mtx_init(&s->so_mtx, "so_rcv", NULL, MTX_DEF | MTX_DUPOK);
	TAILQ_INIT(&s->so_comp);
	atomic_add_int(&vnet->vnet_sockcnt, 1);
	return (s);
}

static void
so_flush(struct usock *s)
{
	struct mbuf *m;

	m = s->so_rcv_head;
	s->so_rcv_head = s->so_rcv_tail = NULL;
	s->so_rcv_cc = s->so_rcv_mbcnt = 0;
	m_freemp(m);
}

/* Nobody can reach it any more. */
void
so_free(struct usock *s)
{
	so_flush(s);
	atomic_subtract_int(&s->so_vnet->vnet_sockcnt, 1);
	mtx_destroy(&s->so_mtx);
	free(s, M_SOCKET);
}

void
so_wakeup(struct usock *s)
{
	mtx_assert(&s->so_mtx, MA_OWNED);
	if (s->so_rcv_waiters > 0)
		wakeup(&s->so_rcv_head);
	if (s->so_snd_waiters > 0)
		wakeup(&s->so_snd_hiwat);
}

void
so_seterror(struct usock *s, int error)
{
	mtx_lock(&s->so_mtx);
	atomic_store_int(&s->so_error, error);
	so_wakeup(s);
	mtx_unlock(&s->so_mtx);
}

static u_int
mbuf_memory(const struct mbuf *m)
{
	u_int n;

	for (n = 0; m != NULL; m = m->m_next) {
		n += MSIZE;
		if (m->m_flags & M_EXT)
			n += m->m_ext.ext_size;
	}
	return (n);
}

bool
so_append(struct usock *s, struct mbuf *m, int datalen)
{
	u_int cc, mem;

	cc = datalen + sizeof(struct sockaddr_in);
	mem = mbuf_memory(m);
	mtx_lock(&s->so_mtx);
	if ((s->so_flags & SO_F_CANTRCVMORE) || s->so_rcv_cc + cc > s->so_rcv_hiwat ||
	    s->so_rcv_mbcnt + mem > SB_EFFICIENCY * s->so_rcv_hiwat) {
		mtx_unlock(&s->so_mtx);
		return (false);
	}
	MPASS(m->m_nextpkt == NULL);
	if (s->so_rcv_head == NULL)
		s->so_rcv_head = m;
	else
		s->so_rcv_tail->m_nextpkt = m;
	s->so_rcv_tail = m;
	s->so_rcv_cc += cc;
	s->so_rcv_mbcnt += mem;
	if (s->so_rcv_waiters > 0)
		wakeup(&s->so_rcv_head);
	mtx_unlock(&s->so_mtx);
	return (true);
}

/* Sleeps on one side of a socket; its mutex is held before and after. */
static int
so_wait(struct usock *s, const void *chan, int *waiters, int64_t deadline, const char *wmesg)
{
	sbintime_t sbt;
	int64_t left;
	int error;

	mtx_assert(&s->so_mtx, MA_OWNED);
	if (s->so_flags & SO_F_INTR)
		return (EINTR);
	if (deadline == US_NOWAIT)
		return (EAGAIN);
	if (deadline == US_FOREVER)
		sbt = 0;
	else {
		left = deadline - us_now_ns();
		if (left <= 0)
			return (ETIMEDOUT);
		/* Never early: the fraction is rounded up. */
		sbt = (left / 1000000000) * SBT_1S +
		    ((uint64_t)(left % 1000000000) * SBT_1S + 999999999) / 1000000000;
	}
	(*waiters)++;
	error = msleep_sbt(chan, &s->so_mtx, PSOCK | PCATCH, wmesg, sbt, 0, 0);
	(*waiters)--;
	if (error == EWOULDBLOCK)
		/* The caller looks once more, then finds the deadline passed. */
		error = 0;
	if (error == ERESTART)
		error = EINTR;
	return (error);
}

static int
so_take_error(struct usock *s)
{
	int error = s->so_error;

	mtx_assert(&s->so_mtx, MA_OWNED);
	atomic_store_int(&s->so_error, 0);
	return (error);
}

int
us_socket(enum us_type type, struct usock **sp)
{
	struct usock *s;
	int error;

	CURVNET_SET(TD_TO_VNET(curthread));
	s = so_alloc(type, curvnet);
	if (s == NULL) {
		CURVNET_RESTORE();
		return (ENOBUFS);
	}
	switch (type) {
	case US_UDP:
		error = udp_attach(s);
		break;
	case US_TCP:
		error = tcp_attach(s);
		break;
	case US_ICMP:
		error = rip_attach(s);
		break;
	default:
		error = EPROTONOSUPPORT;
	}
	if (error != 0)
		so_free(s);
	else
		*sp = s;
	CURVNET_RESTORE();
	SYSRET(error);
}

int
us_close(struct usock *s)
{
	CURVNET_SET(s->so_vnet);
	if (s->so_type == US_TCP)
		tcp_usr_detach(s);	/* frees it, now or at the end of the connection */
	else {
		mtx_lock(&s->so_mtx);
		s->so_flags |= SO_F_CANTRCVMORE | SO_F_GONE;
		mtx_unlock(&s->so_mtx);
		INP_WLOCK(s->so_pcb);
		in_pcbfree(s->so_pcb);
		/* Input that found the pcb before holds its lock; it is out now. */
		so_free(s);
	}
	CURVNET_RESTORE();
	SYSRET(0);
}

static void
us_sin(struct sockaddr_in *sin, const struct us_addr *addr)
{
	bzero(sin, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_len = sizeof(*sin);
	sin->sin_addr = addr->ip;
	sin->sin_port = htons(addr->port);
}

int
us_bind(struct usock *s, const struct us_addr *addr)
{
	struct epoch_tracker et;
	struct sockaddr_in sin;
	int error;

	us_sin(&sin, addr);
	CURVNET_SET(s->so_vnet);
	INP_WLOCK(s->so_pcb);
	NET_EPOCH_ENTER(et);
	if (s->so_type == US_ICMP) {
		s->so_pcb->inp_laddr = addr->ip;
		error = 0;
	} else
		error = in_pcbbind(s->so_pcb, &sin, curthread->td_ucred);
	NET_EPOCH_EXIT(et);
	INP_WUNLOCK(s->so_pcb);
	CURVNET_RESTORE();
	SYSRET(error);
}

int
us_connect(struct usock *s, const struct us_addr *addr, int64_t deadline)
{
	struct epoch_tracker et;
	struct sockaddr_in sin;
	int error;

	us_sin(&sin, addr);
	CURVNET_SET(s->so_vnet);
	switch (s->so_type) {
	case US_TCP:
		error = tcp_usr_connect(s, &sin);
		if (error != 0)
			break;
		mtx_lock(&s->so_mtx);
		while ((s->so_flags & SO_F_CONNECTED) == 0 && s->so_error == 0 && error == 0)
			error = so_wait(s, &s->so_rcv_head, &s->so_rcv_waiters, deadline, "connec");
		if (error == 0)
			error = so_take_error(s);
		mtx_unlock(&s->so_mtx);
		break;
	case US_UDP:
		INP_WLOCK(s->so_pcb);
		NET_EPOCH_ENTER(et);
		error = in_pcbconnect(s->so_pcb, &sin, curthread->td_ucred);
		NET_EPOCH_EXIT(et);
		INP_WUNLOCK(s->so_pcb);
		break;
	case US_ICMP:
		INP_WLOCK(s->so_pcb);
		s->so_pcb->inp_faddr = addr->ip;
		INP_WUNLOCK(s->so_pcb);
		error = 0;
		break;
	default:
		error = EOPNOTSUPP;
	}
	CURVNET_RESTORE();
	SYSRET(error);
}

int
us_listen(struct usock *s, int backlog)
{
	int error;

	if (s->so_type != US_TCP)
		return (EOPNOTSUPP);
	CURVNET_SET(s->so_vnet);
	mtx_lock(&s->so_mtx);
	s->so_qlimit = backlog < 0 || (u_int)backlog > somaxconn ? (int)somaxconn : backlog;
	s->so_flags |= SO_F_LISTEN;
	mtx_unlock(&s->so_mtx);
	error = tcp_usr_listen(s);
	CURVNET_RESTORE();
	SYSRET(error);
}

int
us_accept(struct usock *s, struct usock **newp, struct us_addr *peer, int64_t deadline)
{
	struct usock *child;
	int error;

	error = 0;
	mtx_lock(&s->so_mtx);
	if ((s->so_flags & SO_F_LISTEN) == 0)
		error = EINVAL;
	while (error == 0 && (child = TAILQ_FIRST(&s->so_comp)) == NULL)
		error = so_wait(s, &s->so_rcv_head, &s->so_rcv_waiters, deadline, "accept");
	if (error != 0) {
		mtx_unlock(&s->so_mtx);
		return (error);
	}
	TAILQ_REMOVE(&s->so_comp, child, so_list);
	s->so_qlen--;
	child->so_listener = NULL;
	mtx_unlock(&s->so_mtx);
	*newp = child;
	if (peer != NULL)
		(void)us_getpeername(child, peer);
	return (0);
}

int
us_sendto(struct usock *s, const void *buf, size_t len, const struct us_addr *to)
{
	struct sockaddr_in sin;
	int error;

	if (s->so_type == US_TCP)
		return (EISCONN);
	if (to != NULL)
		us_sin(&sin, to);
	if (__predict_false(atomic_load_int(&s->so_error) != 0)) {
		mtx_lock(&s->so_mtx);
		error = so_take_error(s);
		mtx_unlock(&s->so_mtx);
		if (error != 0)
			return (error);
	}
	CURVNET_SET(s->so_vnet);
	if (s->so_type == US_UDP)
		error = udp_send(s, buf, len, to != NULL ? &sin : NULL);
	else
		error = rip_send(s, buf, len, to != NULL ? &sin : NULL);
	CURVNET_RESTORE();
	SYSRET(error);
}

int
us_send(struct usock *s, const void *buf, size_t len, size_t *done, int64_t deadline)
{
	size_t n, total;
	int error;

	if (s->so_type != US_TCP) {
		error = us_sendto(s, buf, len, NULL);
		if (done != NULL)
			*done = error == 0 ? len : 0;
		return (error);
	}
	CURVNET_SET(s->so_vnet);
	total = 0;
	error = 0;
	while (total < len) {
		n = 0;
		error = tcp_usr_send(s, (const char *)buf + total, len - total, &n);
		total += n;
		if (error != 0 || total == len)
			break;
		mtx_lock(&s->so_mtx);
		if (s->so_error != 0)
			error = so_take_error(s);
		else if (s->so_flags & SO_F_CANTSENDMORE)
			error = EPIPE;
		else if (tcp_sndspace(s) == 0)
			error = so_wait(s, &s->so_snd_hiwat, &s->so_snd_waiters, deadline,
			    "sbwait");
		mtx_unlock(&s->so_mtx);
		if (error != 0)
			break;
	}
	CURVNET_RESTORE();
	if (done != NULL)
		*done = total;
	/* What was taken was taken: the reason why it was not all comes next time. */
	SYSRET(total > 0 && (error == EAGAIN || error == ETIMEDOUT) ? 0 : error);
}

/* A record of a datagram socket is a packet, IP header first. */
static int
so_recv_dgram(struct usock *s, void *buf, size_t *len, struct us_addr *from, int64_t deadline)
{
	struct udphdr uh;
	struct ip ip;
	struct mbuf *m;
	int error, off, n;

	error = 0;
	mtx_lock(&s->so_mtx);
	while ((m = s->so_rcv_head) == NULL) {
		if (s->so_error != 0)
			error = so_take_error(s);
		else
			error = so_wait(s, &s->so_rcv_head, &s->so_rcv_waiters, deadline, "sbwait");
		if (error != 0) {
			mtx_unlock(&s->so_mtx);
			return (error);
		}
	}
	s->so_rcv_head = m->m_nextpkt;
	if (s->so_rcv_head == NULL)
		s->so_rcv_tail = NULL;
	m->m_nextpkt = NULL;
	m_copydata(m, 0, sizeof(ip), (caddr_t)&ip);
	off = 0;
	if (s->so_type == US_UDP) {
		off = ip.ip_hl << 2;
		m_copydata(m, off, sizeof(uh), (caddr_t)&uh);
		off += sizeof(uh);
	}
	s->so_rcv_cc -= m->m_pkthdr.len - off + sizeof(struct sockaddr_in);
	s->so_rcv_mbcnt -= mbuf_memory(m);
	mtx_unlock(&s->so_mtx);
	n = MIN((int)*len, m->m_pkthdr.len - off);
	m_copydata(m, off, n, buf);
	*len = n;
	if (from != NULL) {
		from->ip = ip.ip_src;
		from->port = s->so_type == US_UDP ? ntohs(uh.uh_sport) : 0;
	}
	m_freem(m);
	return (0);
}

static int
so_recv_stream(struct usock *s, void *buf, size_t *len, int64_t deadline)
{
	struct mbuf *m;
	size_t n, total;
	int error;

	error = 0;
	mtx_lock(&s->so_mtx);
	while (s->so_rcv_cc == 0) {
		if (s->so_error != 0)
			error = so_take_error(s);
		else if (s->so_flags & SO_F_CANTRCVMORE) {
			*len = 0;
			break;
		} else if ((s->so_flags & SO_F_CONNECTED) == 0)
			error = ENOTCONN;
		else
			error = so_wait(s, &s->so_rcv_head, &s->so_rcv_waiters, deadline, "sbwait");
		if (error != 0) {
			mtx_unlock(&s->so_mtx);
			return (error);
		}
	}
	total = 0;
	while ((m = s->so_rcv_head) != NULL && total < *len) {
		n = MIN((size_t)m->m_len, *len - total);
		memcpy((char *)buf + total, mtod(m, char *), n);
		total += n;
		m->m_data += n;
		m->m_len -= n;
		if (m->m_len == 0) {
			s->so_rcv_head = m->m_next;
			if (s->so_rcv_head == NULL)
				s->so_rcv_tail = NULL;
			m_free(m);
		}
	}
	atomic_store_int(&s->so_rcv_cc, s->so_rcv_cc - total);
	mtx_unlock(&s->so_mtx);
	*len = total;
	if (total > 0) {
		CURVNET_SET(s->so_vnet);
		tcp_usr_rcvd(s);
		CURVNET_RESTORE();
	}
	return (0);
}

int
us_recvfrom(struct usock *s, void *buf, size_t *len, struct us_addr *from, int64_t deadline)
{
	if (s->so_type != US_TCP)
		return (so_recv_dgram(s, buf, len, from, deadline));
	if (from != NULL)
		(void)us_getpeername(s, from);
	SYSRET(so_recv_stream(s, buf, len, deadline));
}

int
us_recv(struct usock *s, void *buf, size_t *len, int64_t deadline)
{
	return (us_recvfrom(s, buf, len, NULL, deadline));
}

int
us_shutdown(struct usock *s)
{
	if (s->so_type != US_TCP)
		return (EOPNOTSUPP);
	CURVNET_SET(s->so_vnet);
	tcp_usr_shutdown(s);
	CURVNET_RESTORE();
	SYSRET(0);
}

int
us_getsockname(struct usock *s, struct us_addr *addr)
{
	struct inpcb *inp = s->so_pcb;

	INP_RLOCK(inp);
	addr->ip = inp->inp_laddr;
	addr->port = ntohs(inp->inp_lport);
	INP_RUNLOCK(inp);
	return (0);
}

int
us_getpeername(struct usock *s, struct us_addr *addr)
{
	struct inpcb *inp = s->so_pcb;
	int error;

	INP_RLOCK(inp);
	addr->ip = inp->inp_faddr;
	addr->port = ntohs(inp->inp_fport);
	error = inp->inp_faddr.s_addr == INADDR_ANY ? ENOTCONN : 0;
	INP_RUNLOCK(inp);
	return (error);
}

static bool
so_bufsize_ok(u_int bytes)
{
	return (bytes > 0 && bytes <= (uint64_t)sb_max * MCLBYTES / (MSIZE + MCLBYTES));
}

int
us_setrcvbuf(struct usock *s, u_int bytes)
{
	if (!so_bufsize_ok(bytes))
		return (ENOBUFS);
	mtx_lock(&s->so_mtx);
	s->so_rcv_hiwat = bytes;
	s->so_rcv_fixed = true;
	mtx_unlock(&s->so_mtx);
	return (0);
}

int
us_setsndbuf(struct usock *s, u_int bytes)
{
	if (!so_bufsize_ok(bytes))
		return (ENOBUFS);
	mtx_lock(&s->so_mtx);
	s->so_snd_hiwat = bytes;
	s->so_snd_fixed = true;
	mtx_unlock(&s->so_mtx);
	return (0);
}

int
us_setttl(struct usock *s, int ttl)
{
	if (ttl < 1 || ttl > MAXTTL)
		return (EINVAL);
	INP_WLOCK(s->so_pcb);
	s->so_pcb->inp_ip_ttl = ttl;
	INP_WUNLOCK(s->so_pcb);
	return (0);
}

int
us_setdontfrag(struct usock *s, bool on)
{
	INP_WLOCK(s->so_pcb);
	if (on)
		s->so_pcb->inp_flags |= INP_DONTFRAG;
	else
		s->so_pcb->inp_flags &= ~INP_DONTFRAG;
	INP_WUNLOCK(s->so_pcb);
	return (0);
}

void
us_interrupt(struct usock *s)
{
	mtx_lock(&s->so_mtx);
	s->so_flags |= SO_F_INTR;
	so_wakeup(s);
	mtx_unlock(&s->so_mtx);
}

int
us_parse(const char *text, struct us_addr *addr)
{
	char host[INET_ADDRSTRLEN];
	const char *colon;
	u_long port;
	size_t n;

	for (colon = text; *colon != '\0' && *colon != ':'; colon++)
		;
	n = colon - text;
	if (n >= sizeof(host))
		return (EINVAL);
	memcpy(host, text, n);
	host[n] = '\0';
	if (inet_pton(AF_INET, host, &addr->ip) != 1)
		return (EINVAL);
	addr->port = 0;
	if (*colon == ':') {
		port = 0;
		for (text = colon + 1; *text >= '0' && *text <= '9' && port <= 65535; text++)
			port = port * 10 + (*text - '0');
		if (*text != '\0' || text == colon + 1 || port > 65535)
			return (EINVAL);
		addr->port = port;
	}
	return (0);
}
