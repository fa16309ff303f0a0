/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP: connections as such, their timers, and what programs ask of them.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/random.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <net/if_llatbl.h>
#include <net/if_private.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_fib.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/ip_var.h>
#include <netinet/tcp.h>
#include <machine/in_cksum.h>
#include "tcp_internal.h"

static MALLOC_DEFINE(M_TCPBUF, "tcp_sndbuf", "TCP send buffers");

VNET_DEFINE(struct inpcbinfo, tcbinfo);
VNET_PCPUSTAT_DEFINE(struct tcpstat, tcpstat);
VNET_PCPUSTAT_SYSINIT(tcpstat);
VNET_PCPUSTAT_SYSUNINIT(tcpstat);
SYSCTL_VNET_PCPUSTAT(_net_inet_tcp, OID_AUTO, stats, struct tcpstat, tcpstat,
    "TCP statistics (struct tcpstat, netinet/tcp_var.h)");

VNET_DEFINE(int, tcp_mssdflt) = TCP_MSS;
SYSCTL_INT(_net_inet_tcp, OID_AUTO, mssdflt, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_mssdflt), 0, "Default TCP Maximum Segment Size");
VNET_DEFINE(int, tcp_do_rfc1323) = 1;
SYSCTL_INT(_net_inet_tcp, OID_AUTO, rfc1323, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_do_rfc1323), 0, "Enable rfc1323 (high performance TCP) extensions");
VNET_DEFINE(int, tcp_do_sack) = 1;
SYSCTL_NODE(_net_inet_tcp, OID_AUTO, sack, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "TCP SACK");
SYSCTL_INT(_net_inet_tcp_sack, OID_AUTO, enable, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_do_sack), 0, "Enable/Disable TCP SACK support");
VNET_DEFINE(u_long, tcp_sendspace) = 32768;
SYSCTL_ULONG(_net_inet_tcp, OID_AUTO, sendspace, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_sendspace), 0, "Initial send socket buffer size");
VNET_DEFINE(u_long, tcp_recvspace) = 65536;
SYSCTL_ULONG(_net_inet_tcp, OID_AUTO, recvspace, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_recvspace), 0, "Initial receive socket buffer size");
VNET_DEFINE(int, tcp_do_autosndbuf) = 1;
SYSCTL_INT(_net_inet_tcp, OID_AUTO, sendbuf_auto, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_do_autosndbuf), 0, "Enable automatic send buffer sizing");
VNET_DEFINE(int, tcp_autosndbuf_inc) = 8 * 1024;
SYSCTL_INT(_net_inet_tcp, OID_AUTO, sendbuf_inc, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_autosndbuf_inc), 0, "Incrementor step size of automatic send buffer");
VNET_DEFINE(int, tcp_autosndbuf_max) = 2 * 1024 * 1024;
SYSCTL_INT(_net_inet_tcp, OID_AUTO, sendbuf_max, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_autosndbuf_max), 0, "Max size of automatic send buffer");
VNET_DEFINE(int, tcp_do_autorcvbuf) = 1;
SYSCTL_INT(_net_inet_tcp, OID_AUTO, recvbuf_auto, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_do_autorcvbuf), 0, "Enable automatic receive buffer sizing");
VNET_DEFINE(int, tcp_autorcvbuf_max) = 2 * 1024 * 1024;
SYSCTL_INT(_net_inet_tcp, OID_AUTO, recvbuf_max, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_autorcvbuf_max), 0, "Max size of automatic receive buffer");
VNET_DEFINE(int, tcp_delacktime) = 40;
SYSCTL_INT(_net_inet_tcp, OID_AUTO, delacktime, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_delacktime), 0, "Time before a delayed ACK is sent (ms)");
/* Short: no packet lives long in here, and tests use the same ports again. */
VNET_DEFINE(int, tcp_msl) = 1000;
SYSCTL_INT(_net_inet_tcp, OID_AUTO, msl, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_msl), 0, "Maximum segment lifetime (ms)");
VNET_DEFINE_STATIC(int, tcp_keepinit) = 75000;
SYSCTL_INT(_net_inet_tcp, OID_AUTO, keepinit, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(tcp_keepinit), 0, "time to establish connection (ms)");

int64_t
tcp_now_us(void)
{
	return (us_now_ns() / 1000);
}

uint32_t
tcp_ts_getticks(void)
{
	return (us_now_ns() / 1000000 + 1);
}

uint32_t
tcp_isn(void)
{
	return (arc4random());
}

/* The largest payload of a segment without options to the peer. */
u_int
tcp_mss_for(struct inpcb *inp)
{
	struct nhop_object *nh;
	u_int mtu;

	NET_EPOCH_ASSERT();
	nh = fib4_lookup(RT_DEFAULT_FIB, inp->inp_faddr, 0, NHR_NONE, 0);
	mtu = nh != NULL ? nh->nh_mtu : 0;
	if (mtu < sizeof(struct ip) + sizeof(struct tcphdr) + 64)
		return (VNET(tcp_mssdflt));
	return (mtu - sizeof(struct ip) - sizeof(struct tcphdr));
}

int
tcp_newtcpcb(struct usock *s)
{
	struct tcpcb *tp;
	int error, i;

	error = in_pcballoc(ustoso(s), &V_tcbinfo, sizeof(struct tcpcb));
	if (error != 0)
		return (error);
	tp = intotcpcb(s->so_pcb);
	s->so_pcb->inp_ip_p = IPPROTO_TCP;
	for (i = 0; i < TT_N; i++)
		callout_init_rw(&tp->t_timers[i], &s->so_pcb->inp_lock, CALLOUT_RETURNUNLOCKED);
	s->so_rcv_hiwat = V_tcp_recvspace;
	s->so_snd_hiwat = V_tcp_sendspace;
	tp->t_maxseg = VNET(tcp_mssdflt);
	tp->t_rxtcur = TCP_RTO_INIT_MS;
	tp->snd_cwnd = tp->snd_ssthresh = TCP_MAXWIN << TCP_MAX_WINSHIFT;
	if (V_tcp_do_rfc1323) {
		tp->t_flags |= TF_REQ_SCALE | TF_RCVD_TSTMP;
		while (tp->rcv_scale < TCP_MAX_WINSHIFT &&
		    ((u_long)TCP_MAXWIN << tp->rcv_scale) < sb_max)
			tp->rcv_scale++;
	}
	if (V_tcp_do_sack)
		tp->t_flags |= TF_SACK_PERMIT;
	return (0);
}

int
tcp_attach(struct usock *s)
{
	int error;

	error = tcp_newtcpcb(s);
	if (error == 0)
		INP_WUNLOCK(s->so_pcb);
	return (error);
}

/* The last of a connection, when no lookup can find it any more. */
void
tcp_freecb(struct inpcb *inp)
{
	struct tcpcb *tp = intotcpcb(inp);
	int i;

	for (i = 0; i < TT_N; i++)
		callout_drain(&tp->t_timers[i]);
	tcp_segq_flush(tp);
	free(tp->t_sndbuf, M_TCPBUF);
}

/* A connection that its listener has not handed over yet goes with all of it. */
static void
tcp_unlisten(struct tcpcb *tp)
{
	struct usock *s = sotous(tp->t_inpcb.inp_socket), *l = tp->t_listener;

	if (l == NULL)
		return;
	tp->t_listener = NULL;
	mtx_lock(&l->so_mtx);
	l->so_qlen--;
	mtx_unlock(&l->so_mtx);
	tp->t_inpcb.inp_socket = NULL;
	s->so_pcb = NULL;
	so_free(s);
}

void
tcp_close(struct tcpcb *tp)
{
	struct inpcb *inp = &tp->t_inpcb;
	struct usock *s;
	int i;

	INP_WLOCK_ASSERT(inp);
	tp->t_state = TCPS_CLOSED;
	for (i = 0; i < TT_N; i++)
		callout_stop(&tp->t_timers[i]);
	tcp_segq_flush(tp);
	TCPSTAT_INC(tcps_closed);
	tcp_unlisten(tp);
	s = sotous(inp->inp_socket);
	if (s == NULL) {
		in_pcbfree(inp);
		return;
	}
	/* The program still has it, and will call us_close(). */
	inp->inp_flags |= INP_DROPPED;
	mtx_lock(&s->so_mtx);
	s->so_flags |= SO_F_CANTRCVMORE | SO_F_CANTSENDMORE;
	s->so_flags &= ~SO_F_CONNECTED;
	so_wakeup(s);
	mtx_unlock(&s->so_mtx);
	INP_WUNLOCK(inp);
}

void
tcp_drop(struct tcpcb *tp, int error)
{
	struct usock *s = sotous(tp->t_inpcb.inp_socket);

	INP_WLOCK_ASSERT(&tp->t_inpcb);
	if (TCPS_HAVERCVDSYN(tp->t_state))
		TCPSTAT_INC(tcps_drops);
	else
		TCPSTAT_INC(tcps_conndrops);
	if (error == ETIMEDOUT && tp->t_softerror != 0)
		error = tp->t_softerror;
	if (s != NULL)
		so_seterror(s, error);
	tcp_close(tp);
}

void
tcp_twstart(struct tcpcb *tp)
{
	INP_WLOCK_ASSERT(&tp->t_inpcb);
	tp->t_state = TCPS_TIME_WAIT;
	callout_stop(&tp->t_timers[TT_REXMT]);
	callout_stop(&tp->t_timers[TT_DELACK]);
	callout_reset_sbt(&tp->t_timers[TT_2MSL], 2 * V_tcp_msl * SBT_1MS, 0, tcp_timer_2msl,
	    tp, 0);
	INP_WUNLOCK(&tp->t_inpcb);
}

/* Refuses a segment. */
void
tcp_respond_rst(struct mbuf *m0, const struct ip *ip, const struct tcphdr *th, int tlen)
{
	struct tcpiphdr *h;
	struct mbuf *m;

	if ((th->th_flags & TH_RST) || (m0->m_flags & (M_BCAST | M_MCAST)))
		return;
	m = m_gethdr(M_NOWAIT, MT_DATA);
	if (m == NULL)
		return;
	m->m_data += max_linkhdr;
	m->m_len = m->m_pkthdr.len = sizeof(struct ip) + sizeof(struct tcphdr);
	h = tcp_headers(m, 0, ip->ip_dst, th->th_dport, ip->ip_src, th->th_sport);
	if (th->th_flags & TH_ACK) {
		h->th.th_seq = th->th_ack;
		h->th.th_flags = TH_RST;
	} else {
		if (th->th_flags & TH_SYN)
			tlen++;
		if (th->th_flags & TH_FIN)
			tlen++;
		h->th.th_ack = htonl(ntohl(th->th_seq) + tlen);
		h->th.th_flags = TH_RST | TH_ACK;
	}
	TCPSTAT_INC(tcps_sndctrl);
	(void)ip_output(m, NULL, NULL, 0, NULL, NULL);
}

static void
tcp_ctlinput(struct icmp *icp)
{
	struct ip *ip = &icp->icmp_ip;
	struct tcphdr *th;
	struct inpcb *inp;
	struct tcpcb *tp;
	tcp_seq seq;
	u_int mss;
	int error;

	error = icmp_errmap(icp);
	if (error == 0)
		return;
	th = (struct tcphdr *)((caddr_t)ip + (ip->ip_hl << 2));
	inp = in_pcblookup(&V_tcbinfo, ip->ip_dst, th->th_dport, ip->ip_src, th->th_sport,
	    INPLOOKUP_WLOCKPCB, NULL);
	if (inp == NULL)
		return;
	tp = intotcpcb(inp);
	seq = ntohl(th->th_seq);
	if (SEQ_LT(seq, tp->snd_una) || SEQ_GEQ(seq, tp->snd_max)) {
		INP_WUNLOCK(inp);
		return;
	}
	if (error == EMSGSIZE) {
		mss = ntohs(icp->icmp_nextmtu);
		mss = mss > 128 ? mss - sizeof(struct ip) - sizeof(struct tcphdr) : TCP_MSS;
		if (tp->t_flags & TF_RCVD_TSTMP)
			mss -= TCPOLEN_TSTAMP_APPA;
		if (mss < tp->t_maxseg) {
			tp->t_maxseg = mss;
			tp->snd_nxt = tp->snd_una;
			tp->snd_nsack = 0;
			tp->t_flags &= ~TF_FASTRECOVERY;
			(void)tcp_output(tp);
		}
	} else if (tp->t_state == TCPS_SYN_SENT && error == ECONNREFUSED) {
		tcp_drop(tp, error);
		return;
	} else
		tp->t_softerror = error;
	INP_WUNLOCK(inp);
}

/*
 * Timers.  Called with the pcb locked; they unlock it.
 */
static void	tcp_timer_rexmt(void *arg);

static int
tcp_rto(const struct tcpcb *tp)
{
	int rto;

	if (tp->t_srtt == 0)
		return (TCP_RTO_INIT_MS);
	rto = (tp->t_srtt + MAX(4 * tp->t_rttvar, 1000)) / 1000;
	return (MAX(rto, TCP_REXMIT_MIN_MS) + TCP_REXMIT_SLOP_MS);
}

void
tcp_set_rexmt(struct tcpcb *tp)
{
	int64_t ms;

	ms = (int64_t)tcp_rto(tp) << MIN(tp->t_rxtshift, 9);
	tp->t_rxtcur = MIN(ms, TCP_REXMIT_MAX_MS);
	callout_reset_sbt(&tp->t_timers[TT_REXMT], tp->t_rxtcur * SBT_1MS, 0, tcp_timer_rexmt,
	    tp, 0);
}

void
tcp_setpersist(struct tcpcb *tp)
{
	int64_t ms;

	tp->t_flags |= TF_PERSIST;
	ms = MAX((int64_t)tcp_rto(tp) << MIN(tp->t_rxtshift, 9), 5000);
	callout_reset_sbt(&tp->t_timers[TT_REXMT], MIN(ms, 60000) * SBT_1MS, 0, tcp_timer_rexmt,
	    tp, 0);
	if (tp->t_rxtshift < TCP_MAXRXTSHIFT)
		tp->t_rxtshift++;
}

/* RFC 6298 */
void
tcp_rttupdate(struct tcpcb *tp, int rtt)
{
	int delta;

	TCPSTAT_INC(tcps_rttupdated);
	rtt = MAX(rtt, 1000);
	if (tp->t_srtt == 0) {
		tp->t_srtt = rtt;
		tp->t_rttvar = rtt / 2;
		return;
	}
	delta = rtt - tp->t_srtt;
	tp->t_srtt = MAX(tp->t_srtt + delta / 8, 1);
	tp->t_rttvar += ((delta < 0 ? -delta : delta) - tp->t_rttvar) / 4;
}

static void
tcp_timer_rexmt(void *arg)
{
	struct tcpcb *tp = arg;
	struct inpcb *inp = &tp->t_inpcb;
	struct epoch_tracker et;
	uint32_t flight;

	INP_WLOCK_ASSERT(inp);
	NET_EPOCH_ENTER(et);
	CURVNET_SET(inp->inp_vnet);
	if (tp->t_flags & TF_PERSIST) {
		/* One byte into the closed window; the answer tells whether it is open. */
		TCPSTAT_INC(tcps_persisttimeo);
		TCPSTAT_INC(tcps_sndprobe);
		if (tp->t_sndcc > 0 && tp->snd_wnd == 0) {
			tp->snd_wnd = 1;
			tp->t_flags |= TF_NODELAY;
			(void)tcp_output(tp);
			tp->t_flags &= ~TF_NODELAY;
			tp->snd_wnd = 0;
			tp->snd_nxt = tp->snd_una;
			tp->snd_max = SEQ_MAX(tp->snd_max, tp->snd_una);
			tcp_setpersist(tp);
		} else {
			tp->t_flags &= ~TF_PERSIST;
			(void)tcp_output(tp);
		}
		INP_WUNLOCK(inp);
		goto out;
	}
	if (++tp->t_rxtshift > TCP_MAXRXTSHIFT ||
	    (tp->t_state == TCPS_SYN_SENT && tp->t_rxtshift > 6)) {
		tp->t_rxtshift = TCP_MAXRXTSHIFT;
		TCPSTAT_INC(tcps_timeoutdrop);
		tcp_drop(tp, ETIMEDOUT);
		goto out;
	}
	TCPSTAT_INC(tcps_rexmttimeo);
	if (tp->t_state == TCPS_SYN_SENT || tp->t_state == TCPS_SYN_RECEIVED) {
		tp->snd_nxt = tp->iss;
		tp->snd_cwnd = tp->t_maxseg;
	} else {
		flight = tp->snd_max - tp->snd_una;
		if (tp->t_rxtshift == 1)
			tp->snd_ssthresh = MAX(MIN(flight, tp->snd_cwnd) / 2, 2 * tp->t_maxseg);
		tp->snd_nxt = tp->snd_una;
		tp->snd_recover = tp->snd_max;
		tp->snd_cwnd = tp->t_maxseg;
		tp->t_bytes_acked = 0;
		tp->t_dupacks = 0;
		/* The receiver may have forgotten what it had out of order. */
		tp->snd_nsack = 0;
		tp->t_flags &= ~TF_FASTRECOVERY;
	}
	tp->t_rtttime = 0;
	tcp_set_rexmt(tp);
	(void)tcp_output(tp);
	INP_WUNLOCK(inp);
out:
	CURVNET_RESTORE();
	NET_EPOCH_EXIT(et);
}

void
tcp_timer_delack(void *arg)
{
	struct tcpcb *tp = arg;
	struct epoch_tracker et;

	INP_WLOCK_ASSERT(&tp->t_inpcb);
	NET_EPOCH_ENTER(et);
	CURVNET_SET(tp->t_inpcb.inp_vnet);
	tp->t_flags |= TF_ACKNOW;
	TCPSTAT_INC(tcps_delack);
	(void)tcp_output(tp);
	INP_WUNLOCK(&tp->t_inpcb);
	CURVNET_RESTORE();
	NET_EPOCH_EXIT(et);
}

void
tcp_timer_2msl(void *arg)
{
	struct tcpcb *tp = arg;
	struct epoch_tracker et;

	INP_WLOCK_ASSERT(&tp->t_inpcb);
	NET_EPOCH_ENTER(et);
	CURVNET_SET(tp->t_inpcb.inp_vnet);
	tcp_close(tp);
	CURVNET_RESTORE();
	NET_EPOCH_EXIT(et);
}

/*
 * Programs.
 */
int
tcp_usr_connect(struct usock *s, struct sockaddr_in *to)
{
	struct epoch_tracker et;
	struct inpcb *inp = s->so_pcb;
	struct tcpcb *tp = intotcpcb(inp);
	int error;

	INP_WLOCK(inp);
	NET_EPOCH_ENTER(et);
	if (inp->inp_flags & INP_DROPPED)
		error = EINVAL;
	else if (tp->t_state != TCPS_CLOSED)
		error = tp->t_state == TCPS_SYN_SENT ? EALREADY : EISCONN;
	else
		error = in_pcbconnect(inp, to, curthread->td_ucred);
	if (error == 0) {
		tp->t_state = TCPS_SYN_SENT;
		tp->t_maxseg = tcp_mss_for(inp);
		tp->iss = tcp_isn();
		tp->snd_una = tp->snd_nxt = tp->snd_max = tp->snd_recover = tp->iss;
		TCPSTAT_INC(tcps_connattempt);
		error = tcp_output(tp);
	}
	NET_EPOCH_EXIT(et);
	INP_WUNLOCK(inp);
	return (error);
}

int
tcp_usr_listen(struct usock *s)
{
	struct epoch_tracker et;
	struct inpcb *inp = s->so_pcb;
	struct tcpcb *tp = intotcpcb(inp);
	int error;

	INP_WLOCK(inp);
	NET_EPOCH_ENTER(et);
	error = tp->t_state != TCPS_CLOSED && tp->t_state != TCPS_LISTEN ? EINVAL : 0;
	if (error == 0 && inp->inp_lport == 0)
		error = in_pcbbind(inp, NULL, curthread->td_ucred);
	if (error == 0)
		tp->t_state = TCPS_LISTEN;
	NET_EPOCH_EXIT(et);
	INP_WUNLOCK(inp);
	return (error);
}

static u_int
tcp_sndlimit(const struct usock *s)
{
	return (MIN(s->so_snd_hiwat, sb_max));
}

u_int
tcp_sndspace(struct usock *s)
{
	struct tcpcb *tp = intotcpcb(s->so_pcb);
	u_int cc = atomic_load_int(&tp->t_sndcc), limit = tcp_sndlimit(s);

	return (limit > cc ? limit - cc : 0);
}

/* The ring doubles when it is full, up to what the socket may hold. */
static bool
tcp_growbuf(struct tcpcb *tp, u_int want)
{
	u_int size, n;
	char *buf;

	for (size = MAX(tp->t_sndsize, 32768); size < want; size *= 2)
		;
	if (size == tp->t_sndsize)
		return (true);
	buf = malloc(size, M_TCPBUF, M_NOWAIT);
	if (buf == NULL)
		return (false);
	if (tp->t_sndcc > 0) {
		n = MIN(tp->t_sndcc, tp->t_sndsize - tp->t_sndoff);
		memcpy(buf, tp->t_sndbuf + tp->t_sndoff, n);
		memcpy(buf + n, tp->t_sndbuf, tp->t_sndcc - n);
	}
	free(tp->t_sndbuf, M_TCPBUF);
	tp->t_sndbuf = buf;
	tp->t_sndsize = size;
	tp->t_sndoff = 0;
	return (true);
}

int
tcp_usr_send(struct usock *s, const void *buf, size_t len, size_t *done)
{
	struct epoch_tracker et;
	struct inpcb *inp = s->so_pcb;
	struct tcpcb *tp = intotcpcb(inp);
	u_int n, pos, part, limit;
	int error;

	*done = 0;
	INP_WLOCK(inp);
	if ((inp->inp_flags & INP_DROPPED) || (tp->t_flags & TF_NEEDFIN)) {
		INP_WUNLOCK(inp);
		mtx_lock(&s->so_mtx);
		error = s->so_error != 0 ? s->so_error : EPIPE;
		atomic_store_int(&s->so_error, 0);
		mtx_unlock(&s->so_mtx);
		return (error);
	}
	if (!TCPS_HAVEESTABLISHED(tp->t_state)) {
		INP_WUNLOCK(inp);
		return (ENOTCONN);
	}
	mtx_lock(&s->so_mtx);
	limit = tcp_sndlimit(s);
	mtx_unlock(&s->so_mtx);
	n = limit > tp->t_sndcc ? MIN(limit - tp->t_sndcc, len) : 0;
	error = 0;
	if (n > 0 && !tcp_growbuf(tp, tp->t_sndcc + n)) {
		n = 0;
		error = ENOBUFS;
	}
	if (n > 0) {
		pos = (tp->t_sndoff + tp->t_sndcc) & (tp->t_sndsize - 1);
		part = MIN(n, tp->t_sndsize - pos);
		memcpy(tp->t_sndbuf + pos, buf, part);
		memcpy(tp->t_sndbuf, (const char *)buf + part, n - part);
		atomic_store_int(&tp->t_sndcc, tp->t_sndcc + n);
		*done = n;
		NET_EPOCH_ENTER(et);
		error = tcp_output(tp);
		NET_EPOCH_EXIT(et);
	}
	INP_WUNLOCK(inp);
	return (error);
}

void
tcp_usr_rcvd(struct usock *s)
{
	struct epoch_tracker et;
	struct inpcb *inp = s->so_pcb;

	INP_WLOCK(inp);
	if ((inp->inp_flags & INP_DROPPED) == 0) {
		NET_EPOCH_ENTER(et);
		(void)tcp_output(intotcpcb(inp));
		NET_EPOCH_EXIT(et);
	}
	INP_WUNLOCK(inp);
}

static void
tcp_usrclosed(struct tcpcb *tp)
{
	tp->t_flags |= TF_NEEDFIN;
	switch (tp->t_state) {
	case TCPS_ESTABLISHED:
		tp->t_state = TCPS_FIN_WAIT_1;
		break;
	case TCPS_CLOSE_WAIT:
		tp->t_state = TCPS_LAST_ACK;
		break;
	}
}

void
tcp_usr_shutdown(struct usock *s)
{
	struct epoch_tracker et;
	struct inpcb *inp = s->so_pcb;
	struct tcpcb *tp = intotcpcb(inp);

	mtx_lock(&s->so_mtx);
	s->so_flags |= SO_F_CANTSENDMORE;
	mtx_unlock(&s->so_mtx);
	INP_WLOCK(inp);
	if ((inp->inp_flags & INP_DROPPED) == 0 && TCPS_HAVERCVDSYN(tp->t_state)) {
		NET_EPOCH_ENTER(et);
		tcp_usrclosed(tp);
		(void)tcp_output(tp);
		NET_EPOCH_EXIT(et);
	}
	INP_WUNLOCK(inp);
}

/* Connections that nobody will accept any more. */
static void
tcp_listen_close(struct usock *l)
{
	struct inpcb *inp;
	struct usock *s;

	CK_LIST_FOREACH(inp, &V_tcbinfo.ipi_listhead, inp_list) {
		INP_WLOCK(inp);
		if ((inp->inp_flags & INP_FREED) == 0 && intotcpcb(inp)->t_listener == l)
			tcp_drop(intotcpcb(inp), ECONNABORTED);
		else
			INP_WUNLOCK(inp);
	}
	for (;;) {
		mtx_lock(&l->so_mtx);
		s = TAILQ_FIRST(&l->so_comp);
		if (s != NULL)
			TAILQ_REMOVE(&l->so_comp, s, so_list);
		mtx_unlock(&l->so_mtx);
		if (s == NULL)
			break;
		tcp_usr_detach(s);
	}
}

void
tcp_usr_detach(struct usock *s)
{
	struct epoch_tracker et;
	struct inpcb *inp = s->so_pcb;
	struct tcpcb *tp = intotcpcb(inp);

	NET_EPOCH_ENTER(et);
	INP_WLOCK(inp);
	if (tp->t_state == TCPS_LISTEN) {
		tp->t_state = TCPS_CLOSED;
		INP_WUNLOCK(inp);
		tcp_listen_close(s);
		INP_WLOCK(inp);
	}
	inp->inp_socket = NULL;
	if ((inp->inp_flags & INP_DROPPED) || tp->t_state < TCPS_SYN_RECEIVED)
		tcp_close(tp);
	else {
		/* The rest goes its way without the program. */
		tcp_usrclosed(tp);
		if (tp->t_state == TCPS_FIN_WAIT_2)
			callout_reset(&tp->t_timers[TT_2MSL], hz * 60, tcp_timer_2msl, tp);
		(void)tcp_output(tp);
		INP_WUNLOCK(inp);
	}
	NET_EPOCH_EXIT(et);
	so_free(s);
}

static void
vnet_tcp_init(const void *unused __unused)
{
	in_pcbinfo_init(&V_tcbinfo, "tcp", "tcpinp");
	if (IS_DEFAULT_VNET(curvnet))
		IPPROTO_REGISTER(IPPROTO_TCP, tcp_input, tcp_ctlinput);
}
VNET_SYSINIT(tcp_vnet_init, SI_SUB_PROTO_DOMAIN, SI_ORDER_THIRD, vnet_tcp_init, NULL);

/* No program is left: what is here waits for time to pass. */
static void
vnet_tcp_destroy(const void *unused __unused)
{
	struct epoch_tracker et;
	struct inpcb *inp;

	NET_EPOCH_ENTER(et);
	CK_LIST_FOREACH(inp, &V_tcbinfo.ipi_listhead, inp_list) {
		INP_WLOCK(inp);
		if (inp->inp_flags & INP_FREED)
			INP_WUNLOCK(inp);
		else
			tcp_close(intotcpcb(inp));
	}
	NET_EPOCH_EXIT(et);
	/* Timers that came too late hold on to their connection for a moment. */
	NET_EPOCH_DRAIN_CALLBACKS();
	in_pcbinfo_destroy(&V_tcbinfo);
}
VNET_SYSUNINIT(tcp_vnet_uninit, SI_SUB_PROTO_DOMAIN, SI_ORDER_FOURTH, vnet_tcp_destroy, NULL);
