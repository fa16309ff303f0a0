/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP input: RFC 9293, congestion control by RFC 5681, loss recovery by
 * RFC 6675 with SACK and RFC 6582 (NewReno) without.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <net/if_llatbl.h>
#include <net/if_private.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/ip_var.h>
#include <netinet/tcp.h>
#include <machine/in_cksum.h>
#include "tcp_internal.h"

struct tcpopt {
	u_int		to_flags;
#define	TOF_MSS		0x01
#define	TOF_SCALE	0x02
#define	TOF_SACKPERM	0x04
#define	TOF_TS		0x08
#define	TOF_SACK	0x10
	uint32_t	to_tsval, to_tsecr;
	uint16_t	to_mss;
	uint8_t		to_wscale;
	int		to_nsacks;
	struct sackrange to_sacks[4];
};

static void
tcp_dooptions(struct tcpopt *to, const u_char *cp, int cnt, bool syn)
{
	uint32_t v;
	uint16_t mss;
	int opt, optlen, i;

	bzero(to, sizeof(*to));
	for (; cnt > 0; cnt -= optlen, cp += optlen) {
		opt = cp[0];
		if (opt == TCPOPT_EOL)
			break;
		if (opt == TCPOPT_NOP) {
			optlen = 1;
			continue;
		}
		if (cnt < 2)
			break;
		optlen = cp[1];
		if (optlen < 2 || optlen > cnt)
			break;
		switch (opt) {
		case TCPOPT_MAXSEG:
			if (optlen != TCPOLEN_MAXSEG || !syn)
				break;
			memcpy(&mss, cp + 2, 2);
			to->to_mss = ntohs(mss);
			to->to_flags |= TOF_MSS;
			break;
		case TCPOPT_WINDOW:
			if (optlen != TCPOLEN_WINDOW || !syn)
				break;
			to->to_wscale = MIN(cp[2], TCP_MAX_WINSHIFT);
			to->to_flags |= TOF_SCALE;
			break;
		case TCPOPT_SACK_PERMITTED:
			if (syn)
				to->to_flags |= TOF_SACKPERM;
			break;
		case TCPOPT_TIMESTAMP:
			if (optlen != TCPOLEN_TIMESTAMP)
				break;
			memcpy(&v, cp + 2, 4);
			to->to_tsval = ntohl(v);
			memcpy(&v, cp + 6, 4);
			to->to_tsecr = ntohl(v);
			to->to_flags |= TOF_TS;
			break;
		case TCPOPT_SACK:
			if ((optlen - 2) % TCPOLEN_SACK != 0 || syn)
				break;
			to->to_nsacks = MIN((optlen - 2) / TCPOLEN_SACK, 4);
			for (i = 0; i < to->to_nsacks; i++) {
				memcpy(&v, cp + 2 + i * 8, 4);
				to->to_sacks[i].start = ntohl(v);
				memcpy(&v, cp + 6 + i * 8, 4);
				to->to_sacks[i].end = ntohl(v);
			}
			to->to_flags |= TOF_SACK;
			break;
		}
	}
}

/*
 * The sender's view of what the receiver has.
 */
static void
tcp_sack_add(struct tcpcb *tp, struct sackrange r)
{
	struct sackrange *s = tp->snd_sack;
	int i, j;

	if (SEQ_LEQ(r.end, r.start) || SEQ_LT(r.start, tp->snd_una) ||
	    SEQ_GT(r.end, tp->snd_max))
		return;
	for (i = 0; i < tp->snd_nsack && SEQ_LT(s[i].end, r.start); i++)
		;
	/* Ranges i..j-1 touch the new one and become part of it. */
	for (j = i; j < tp->snd_nsack && SEQ_LEQ(s[j].start, r.end); j++) {
		r.start = SEQ_MIN(r.start, s[j].start);
		r.end = SEQ_MAX(r.end, s[j].end);
	}
	if (j == i) {
		if (tp->snd_nsack == TCP_SACK_MAX)
			return;
		memmove(&s[i + 1], &s[i], (tp->snd_nsack - i) * sizeof(*s));
		tp->snd_nsack++;
	} else if (j > i + 1) {
		memmove(&s[i + 1], &s[j], (tp->snd_nsack - j) * sizeof(*s));
		tp->snd_nsack -= j - i - 1;
	}
	s[i] = r;
}

static void
tcp_sack_ack(struct tcpcb *tp)
{
	struct sackrange *s = tp->snd_sack;
	int i;

	for (i = 0; i < tp->snd_nsack && SEQ_LEQ(s[i].end, tp->snd_una); i++)
		;
	tp->snd_nsack -= i;
	memmove(s, s + i, tp->snd_nsack * sizeof(*s));
	if (tp->snd_nsack > 0 && SEQ_LT(s[0].start, tp->snd_una))
		s[0].start = tp->snd_una;
	if (SEQ_LT(tp->snd_rexmit, tp->snd_una))
		tp->snd_rexmit = tp->snd_una;
}

uint32_t
tcp_sacked_below(const struct tcpcb *tp, tcp_seq seq)
{
	uint32_t n;
	int i;

	n = 0;
	for (i = 0; i < tp->snd_nsack && SEQ_LT(tp->snd_sack[i].start, seq); i++)
		n += SEQ_MIN(tp->snd_sack[i].end, seq) - tp->snd_sack[i].start;
	return (n);
}

/* Holes below this edge have three segments or more above them: lost. */
static tcp_seq
tcp_lost_edge(const struct tcpcb *tp)
{
	uint32_t above;
	int i;

	above = 0;
	for (i = tp->snd_nsack - 1; i >= 0; i--) {
		above += tp->snd_sack[i].end - tp->snd_sack[i].start;
		if (above > (TCPREXMTTHRESH - 1) * tp->t_maxseg)
			return (tp->snd_sack[i].start);
	}
	/* By three duplicate ACKs the first segment is lost at least. */
	return (tp->snd_nsack > 0 ?
	    SEQ_MIN(tp->snd_sack[0].start, tp->snd_una + tp->t_maxseg) :
	    tp->snd_una + tp->t_maxseg);
}

uint32_t
tcp_pipe(const struct tcpcb *tp)
{
	tcp_seq edge;
	uint32_t flight, lost, again;

	edge = SEQ_MIN(tcp_lost_edge(tp), tp->snd_nxt);
	flight = tp->snd_nxt - tp->snd_una - tcp_sacked_below(tp, tp->snd_nxt);
	lost = edge - tp->snd_una - tcp_sacked_below(tp, edge);
	again = SEQ_GT(tp->snd_rexmit, tp->snd_una) ?
	    tp->snd_rexmit - tp->snd_una - tcp_sacked_below(tp, tp->snd_rexmit) : 0;
	return (flight - MIN(lost, flight) + again);
}

bool
tcp_next_hole(const struct tcpcb *tp, tcp_seq *start, uint32_t *len)
{
	tcp_seq p, edge;
	int i;

	edge = SEQ_MIN(tcp_lost_edge(tp), tp->snd_una + tp->t_sndcc);
	p = SEQ_MAX(tp->snd_rexmit, tp->snd_una);
	for (i = 0; i < tp->snd_nsack; i++) {
		if (SEQ_LT(p, tp->snd_sack[i].start))
			break;
		if (SEQ_LT(p, tp->snd_sack[i].end))
			p = tp->snd_sack[i].end;
	}
	if (SEQ_GEQ(p, edge))
		return (false);
	*start = p;
	*len = (i < tp->snd_nsack ? SEQ_MIN(tp->snd_sack[i].start, edge) : edge) - p;
	return (true);
}

/*
 * Congestion control.
 */
static uint32_t
tcp_half_flight(const struct tcpcb *tp)
{
	uint32_t flight = tp->snd_max - tp->snd_una;

	return (MAX(MIN(flight, tp->snd_cwnd) / 2, 2 * tp->t_maxseg));
}

static void
tcp_enter_recovery(struct tcpcb *tp)
{
	tp->snd_ssthresh = tcp_half_flight(tp);
	tp->snd_recover = tp->snd_max;
	tp->t_flags |= TF_FASTRECOVERY;
	tp->t_rtttime = 0;
	tp->t_bytes_acked = 0;
	if (tp->t_flags & TF_SACK_PERMIT) {
		TCPSTAT_INC(tcps_sack_recovery_episode);
		tp->snd_rexmit = tp->snd_una;
		tp->snd_cwnd = tp->snd_ssthresh;
		tcp_set_rexmt(tp);
		return;
	}
	/* NewReno: the lost segment now, then the window that duplicate ACKs inflate. */
	{
		tcp_seq onxt = tp->snd_nxt;

		tp->snd_nxt = tp->snd_una;
		tp->snd_cwnd = tp->t_maxseg;
		(void)tcp_output(tp);
		tp->snd_cwnd = tp->snd_ssthresh + TCPREXMTTHRESH * tp->t_maxseg;
		if (SEQ_GT(onxt, tp->snd_nxt))
			tp->snd_nxt = onxt;
	}
	tcp_set_rexmt(tp);
}

static void
tcp_exit_recovery(struct tcpcb *tp)
{
	uint32_t flight = tp->snd_max - tp->snd_una;

	/* Not a burst of everything at once, if little is under way. */
	tp->snd_cwnd = MIN(tp->snd_ssthresh, MAX(flight, tp->t_maxseg) + 2 * tp->t_maxseg);
	tp->t_flags &= ~TF_FASTRECOVERY;
	tp->t_dupacks = 0;
	tp->t_bytes_acked = 0;
}

/* acked: bytes by this ACK; flight: what was under way before it. */
static void
tcp_grow_cwnd(struct tcpcb *tp, uint32_t acked, uint32_t flight)
{
	/* A window that was not used says nothing about the path. */
	if (flight + 2 * tp->t_maxseg < tp->snd_cwnd)
		return;
	if (tp->snd_cwnd < tp->snd_ssthresh) {
		tp->snd_cwnd += MIN(acked, 2 * tp->t_maxseg);
	} else {
		tp->t_bytes_acked += acked;
		if (tp->t_bytes_acked >= tp->snd_cwnd) {
			tp->t_bytes_acked -= tp->snd_cwnd;
			tp->snd_cwnd += tp->t_maxseg;
		}
	}
	tp->snd_cwnd = MIN(tp->snd_cwnd, TCP_MAXWIN << TCP_MAX_WINSHIFT);
}

/* A partial ACK without SACK: one more hole, one more segment. */
static void
tcp_newreno_partial_ack(struct tcpcb *tp, uint32_t acked)
{
	uint32_t cwnd = tp->snd_cwnd;
	tcp_seq onxt = tp->snd_nxt;

	tcp_set_rexmt(tp);
	tp->snd_nxt = tp->snd_una;
	tp->snd_cwnd = tp->t_maxseg;
	(void)tcp_output(tp);
	if (SEQ_GT(onxt, tp->snd_nxt))
		tp->snd_nxt = onxt;
	tp->snd_cwnd = (cwnd > acked ? cwnd - acked : 0) + tp->t_maxseg;
}

/*
 * Reassembly.
 */
void
tcp_segq_flush(struct tcpcb *tp)
{
	struct mbuf *m;

	while ((m = tp->t_segq) != NULL) {
		tp->t_segq = m->m_nextpkt;
		m->m_nextpkt = NULL;
		m_freem(m);
	}
	tp->t_segqlen = 0;
}

#define	SEGQ_SEQ(m)	((m)->m_pkthdr.PH_loc.thirtytwo[0])

/* Takes m, data alone, that starts at seq behind rcv_nxt. */
static void
tcp_segq_insert(struct tcpcb *tp, struct mbuf *m, tcp_seq seq)
{
	struct mbuf *p, *q;
	int over;

	TCPSTAT_INC(tcps_rcvoopack);
	TCPSTAT_ADD(tcps_rcvoobyte, m->m_pkthdr.len);
	p = NULL;
	for (q = tp->t_segq; q != NULL && SEQ_LEQ(SEGQ_SEQ(q), seq); q = q->m_nextpkt)
		p = q;
	if (p != NULL) {
		over = SEGQ_SEQ(p) + p->m_pkthdr.len - seq;
		if (over >= m->m_pkthdr.len || tp->t_segqlen > 4096) {
			TCPSTAT_INC(tcps_rcvduppack);
			m_freem(m);
			return;
		}
		if (over > 0) {
			m_adj(m, over);
			seq += over;
		}
	}
	while (q != NULL && (over = seq + m->m_pkthdr.len - SEGQ_SEQ(q)) > 0) {
		if (over < q->m_pkthdr.len) {
			m_adj(m, -over);
			break;
		}
		/* What is there is within what came. */
		if (p == NULL)
			tp->t_segq = q->m_nextpkt;
		else
			p->m_nextpkt = q->m_nextpkt;
		q->m_nextpkt = NULL;
		m_freem(q);
		tp->t_segqlen--;
		q = p == NULL ? tp->t_segq : p->m_nextpkt;
	}
	if (m->m_pkthdr.len <= 0) {
		m_freem(m);
		return;
	}
	SEGQ_SEQ(m) = seq;
	m->m_nextpkt = q;
	if (p == NULL)
		tp->t_segq = m;
	else
		p->m_nextpkt = m;
	tp->t_segqlen++;

	/* The whole range around it, for the first SACK block. */
	tp->t_lastsack.start = seq;
	tp->t_lastsack.end = seq + m->m_pkthdr.len;
	for (q = tp->t_segq; q != NULL; q = q->m_nextpkt) {
		tcp_seq s = SEGQ_SEQ(q), e = s + q->m_pkthdr.len;

		if (e == tp->t_lastsack.start) {
			/* Left neighbours may touch each other: start over from it. */
			tp->t_lastsack.start = s;
			q = tp->t_segq;
			if (q == NULL || SEGQ_SEQ(q) == s)
				break;
		}
	}
	for (q = tp->t_segq; q != NULL; q = q->m_nextpkt)
		if (SEGQ_SEQ(q) == tp->t_lastsack.end)
			tp->t_lastsack.end += q->m_pkthdr.len;
}

/* In order: to the reader, if there is one. */
static void
tcp_deliver(struct tcpcb *tp, struct mbuf *m)
{
	struct usock *s = sotous(tp->t_inpcb.inp_socket);
	struct mbuf *last;
	u_int len = m->m_pkthdr.len;

	tp->rcv_nxt += len;
	TCPSTAT_INC(tcps_rcvpack);
	TCPSTAT_ADD(tcps_rcvbyte, len);
	if (s == NULL) {
		m_freem(m);
		return;
	}
	m_demote_pkthdr(m);
	for (last = m; last->m_next != NULL; last = last->m_next)
		;
	mtx_lock(&s->so_mtx);
	if (s->so_flags & SO_F_CANTRCVMORE) {
		mtx_unlock(&s->so_mtx);
		m_freem(m);
		return;
	}
	/* Small ones share an mbuf, or a slow reader would hold much memory for little. */
	if (s->so_rcv_tail != NULL && m->m_next == NULL &&
	    m->m_len <= MLEN / 2 && M_TRAILINGSPACE(s->so_rcv_tail) >= m->m_len) {
		memcpy(mtod(s->so_rcv_tail, char *) + s->so_rcv_tail->m_len, mtod(m, char *),
		    m->m_len);
		s->so_rcv_tail->m_len += m->m_len;
	} else {
		if (s->so_rcv_head == NULL)
			s->so_rcv_head = m;
		else
			s->so_rcv_tail->m_next = m;
		s->so_rcv_tail = last;
		m = NULL;
	}
	atomic_store_int(&s->so_rcv_cc, s->so_rcv_cc + len);
	if (s->so_rcv_waiters > 0)
		wakeup(&s->so_rcv_head);
	mtx_unlock(&s->so_mtx);
	m_freem(m);
}

static void
tcp_segq_deliver(struct tcpcb *tp)
{
	struct mbuf *m;

	while ((m = tp->t_segq) != NULL && SEQ_LEQ(SEGQ_SEQ(m), tp->rcv_nxt)) {
		tp->t_segq = m->m_nextpkt;
		m->m_nextpkt = NULL;
		tp->t_segqlen--;
		if (SEQ_LT(SEGQ_SEQ(m), tp->rcv_nxt))
			m_adj(m, tp->rcv_nxt - SEGQ_SEQ(m));
		if (m->m_pkthdr.len > 0)
			tcp_deliver(tp, m);
		else
			m_freem(m);
	}
}

/* Half as much again for a receiver to whom three eighths of its buffer came within half an RTT. */
static void
tcp_autorcvbuf(struct tcpcb *tp, int tlen)
{
	struct usock *s = sotous(tp->t_inpcb.inp_socket);
	u_int most;

	if (!V_tcp_do_autorcvbuf || s == NULL || tp->rfbuf_ts == 0 || tp->t_srtt == 0)
		return;
	if ((tcp_ts_getticks() - tp->rfbuf_ts) * 1000ULL <= (u_int)tp->t_srtt / 2) {
		tp->rfbuf_cnt += tlen;
		return;
	}
	most = MIN((u_long)V_tcp_autorcvbuf_max, sb_max);
	mtx_lock(&s->so_mtx);
	if (!s->so_rcv_fixed && tp->rfbuf_cnt > s->so_rcv_hiwat / 8 * 3 && s->so_rcv_hiwat < most)
		atomic_store_int(&s->so_rcv_hiwat,
		    MIN(s->so_rcv_hiwat + s->so_rcv_hiwat / 2, most));
	mtx_unlock(&s->so_mtx);
	tp->rfbuf_ts = 0;
	tp->rfbuf_cnt = 0;
}

/*
 * Connections.
 */
static void
tcp_established(struct tcpcb *tp)
{
	struct usock *s = sotous(tp->t_inpcb.inp_socket), *l;

	tp->t_state = TCPS_ESTABLISHED;
	TCPSTAT_INC(tcps_connects);
	tp->snd_cwnd = TCP_INITCWND_SEGMENTS * tp->t_maxseg;
	tp->t_rxtshift = 0;
	callout_stop(&tp->t_timers[TT_REXMT]);
	if (s == NULL)
		return;
	mtx_lock(&s->so_mtx);
	s->so_flags |= SO_F_CONNECTED;
	so_wakeup(s);
	mtx_unlock(&s->so_mtx);
	if ((l = tp->t_listener) != NULL) {
		/* From the listener's pending ones to those that can be accepted. */
		tp->t_listener = NULL;
		mtx_lock(&l->so_mtx);
		TAILQ_INSERT_TAIL(&l->so_comp, s, so_list);
		so_wakeup(l);
		mtx_unlock(&l->so_mtx);
	}
}

static void
tcp_syn_options(struct tcpcb *tp, const struct tcpopt *to, const struct tcphdr *th)
{
	u_int mss;

	mss = to->to_flags & TOF_MSS ? to->to_mss : TCP_MSS;
	mss = MIN(MAX(mss, 64), tcp_mss_for(&tp->t_inpcb));
	if ((to->to_flags & TOF_SCALE) && (tp->t_flags & TF_REQ_SCALE))
		tp->snd_scale = to->to_wscale;
	else {
		tp->t_flags &= ~TF_REQ_SCALE;
		tp->snd_scale = tp->rcv_scale = 0;
	}
	if ((to->to_flags & TOF_TS) && (tp->t_flags & TF_RCVD_TSTMP)) {
		tp->ts_recent = to->to_tsval;
		mss -= TCPOLEN_TSTAMP_APPA;
	} else
		tp->t_flags &= ~TF_RCVD_TSTMP;
	if ((to->to_flags & TOF_SACKPERM) == 0)
		tp->t_flags &= ~TF_SACK_PERMIT;
	tp->t_maxseg = mss;
	tp->irs = ntohl(th->th_seq);
	tp->rcv_nxt = tp->irs + 1;
	tp->rcv_adv = tp->rcv_nxt;
	tp->snd_wl1 = tp->irs;
}

/* A SYN for a listener; its pcb is locked.  The answer goes out at once. */
static void
tcp_listen_input(struct tcpcb *ltp, const struct ip *ip, const struct tcphdr *th,
    const struct tcpopt *to)
{
	struct inpcb *linp = &ltp->t_inpcb, *inp;
	struct usock *l = sotous(linp->inp_socket), *s;
	struct sockaddr_in sin;
	struct tcpcb *tp;

	if (l == NULL)
		return;
	mtx_lock(&l->so_mtx);
	if ((l->so_flags & SO_F_LISTEN) == 0 || l->so_qlen >= MAX(l->so_qlimit, 1) * 3 / 2) {
		mtx_unlock(&l->so_mtx);
		TCPSTAT_INC(tcps_listendrop);
		return;
	}
	l->so_qlen++;
	mtx_unlock(&l->so_mtx);
	s = so_alloc(US_TCP, l->so_vnet);
	if (s == NULL || tcp_newtcpcb(s) != 0) {
		if (s != NULL)
			so_free(s);
		mtx_lock(&l->so_mtx);
		l->so_qlen--;
		mtx_unlock(&l->so_mtx);
		TCPSTAT_INC(tcps_listendrop);
		return;
	}
	inp = s->so_pcb;
	tp = intotcpcb(inp);
	s->so_rcv_hiwat = l->so_rcv_hiwat;
	s->so_rcv_fixed = l->so_rcv_fixed;
	s->so_snd_hiwat = l->so_snd_hiwat;
	s->so_snd_fixed = l->so_snd_fixed;
	s->so_listener = l;
	tp->t_listener = l;
	inp->inp_ip_ttl = linp->inp_ip_ttl;
	inp->inp_laddr = ip->ip_dst;
	bzero(&sin, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_len = sizeof(sin);
	sin.sin_addr = ip->ip_src;
	sin.sin_port = th->th_sport;
	inp->inp_lport = 0;
	if (in_pcbconnect_port(inp, &sin, linp->inp_lport) != 0) {
		tcp_drop(tp, ECONNABORTED);
		return;
	}
	tp->t_state = TCPS_SYN_RECEIVED;
	tp->iss = tcp_isn();
	tp->snd_una = tp->snd_nxt = tp->snd_max = tp->snd_recover = tp->iss;
	tcp_syn_options(tp, to, th);
	tp->snd_wnd = ntohs(th->th_win);
	TCPSTAT_INC(tcps_accepts);
	(void)tcp_output(tp);
	INP_WUNLOCK(inp);
}

/* Data that the peer has taken leaves the ring. */
static void
tcp_sbdrop(struct tcpcb *tp, u_int len)
{
	struct usock *s = sotous(tp->t_inpcb.inp_socket);

	tp->t_sndoff = (tp->t_sndoff + len) & (tp->t_sndsize - 1);
	atomic_store_int(&tp->t_sndcc, tp->t_sndcc - len);
	if (s == NULL)
		return;
	mtx_lock(&s->so_mtx);
	if (s->so_snd_waiters > 0)
		wakeup(&s->so_snd_hiwat);
	mtx_unlock(&s->so_mtx);
}

/* An acceptable ACK.  False: the connection is gone and unlocked. */
static bool
tcp_do_ack(struct tcpcb *tp, const struct tcphdr *th, const struct tcpopt *to, uint32_t tiwin,
    int tlen)
{
	uint32_t acked, flight, data;
	tcp_seq ack = ntohl(th->th_ack);
	int i;
	bool ourfinisacked, sack_news;

	sack_news = false;
	if (tp->t_flags & TF_SACK_PERMIT) {
		uint32_t before = tcp_sacked_below(tp, tp->snd_max);

		for (i = 0; i < to->to_nsacks; i++)
			tcp_sack_add(tp, to->to_sacks[i]);
		sack_news = tcp_sacked_below(tp, tp->snd_max) != before;
	}

	if (SEQ_LEQ(ack, tp->snd_una)) {
		if (tlen != 0 || (tiwin != tp->snd_wnd && !sack_news) || tp->snd_una == tp->snd_max ||
		    ack != tp->snd_una || (th->th_flags & TH_FIN)) {
			if (ack == tp->snd_una && tlen == 0)
				tp->t_dupacks = tp->t_flags & TF_FASTRECOVERY ? tp->t_dupacks : 0;
			return (true);
		}
		TCPSTAT_INC(tcps_rcvdupack);
		tp->t_dupacks++;
		if (tp->t_flags & TF_FASTRECOVERY) {
			if ((tp->t_flags & TF_SACK_PERMIT) == 0)
				tp->snd_cwnd += tp->t_maxseg;
		} else if (tp->t_dupacks >= TCPREXMTTHRESH ||
		    ((tp->t_flags & TF_SACK_PERMIT) &&
		    tcp_sacked_below(tp, tp->snd_max) > (TCPREXMTTHRESH - 1) * tp->t_maxseg)) {
			/* Not for segments that a timeout has us send again anyway. */
			if (SEQ_GEQ(ack, tp->snd_recover))
				tcp_enter_recovery(tp);
		}
		return (true);
	}

	/* Something new. */
	acked = ack - tp->snd_una;
	flight = tp->snd_max - tp->snd_una;
	TCPSTAT_INC(tcps_rcvackpack);
	TCPSTAT_ADD(tcps_rcvackbyte, acked);
	if ((tp->t_flags & TF_RCVD_TSTMP) && (to->to_flags & TOF_TS) && to->to_tsecr != 0)
		tcp_rttupdate(tp, (int)(tcp_ts_getticks() - to->to_tsecr) * 1000);
	else if (tp->t_rtttime != 0 && SEQ_GT(ack, tp->t_rtseq) && tp->t_rxtshift == 0)
		tcp_rttupdate(tp, tcp_now_us() - tp->t_rtttime);
	if (SEQ_GT(ack, tp->t_rtseq))
		tp->t_rtttime = 0;
	tp->t_rxtshift = 0;
	tp->t_softerror = 0;

	ourfinisacked = false;
	data = acked;
	if (data > tp->t_sndcc) {
		data = tp->t_sndcc;
		ourfinisacked = (tp->t_flags & TF_SENTFIN) != 0;
	}
	tp->snd_una = ack;
	if (data > 0)
		tcp_sbdrop(tp, data);
	if (SEQ_LT(tp->snd_nxt, tp->snd_una))
		tp->snd_nxt = tp->snd_una;
	tcp_sack_ack(tp);

	if (tp->t_flags & TF_FASTRECOVERY) {
		if (SEQ_GEQ(ack, tp->snd_recover))
			tcp_exit_recovery(tp);
		else if ((tp->t_flags & TF_SACK_PERMIT) == 0)
			tcp_newreno_partial_ack(tp, acked);
	} else {
		tp->t_dupacks = 0;
		tcp_grow_cwnd(tp, acked, flight);
	}
	tp->t_flags &= ~TF_PERSIST;
	if (tp->snd_una == tp->snd_max)
		callout_stop(&tp->t_timers[TT_REXMT]);
	else
		tcp_set_rexmt(tp);

	if (ourfinisacked)
		switch (tp->t_state) {
		case TCPS_FIN_WAIT_1:
			tp->t_state = TCPS_FIN_WAIT_2;
			/* A peer that never closes does not keep us for ever. */
			if (tp->t_inpcb.inp_socket == NULL)
				callout_reset(&tp->t_timers[TT_2MSL], hz * 60, tcp_timer_2msl, tp);
			break;
		case TCPS_CLOSING:
			tcp_twstart(tp);
			return (false);
		case TCPS_LAST_ACK:
			tcp_close(tp);
			return (false);
		}
	return (true);
}

static void
tcp_cantrcvmore(struct tcpcb *tp)
{
	struct usock *s = sotous(tp->t_inpcb.inp_socket);

	if (s == NULL)
		return;
	mtx_lock(&s->so_mtx);
	s->so_flags |= SO_F_CANTRCVMORE;
	so_wakeup(s);
	mtx_unlock(&s->so_mtx);
}

/* For a connection, its pcb write-locked; takes m and unlocks. */
static void
tcp_do_segment(struct mbuf *m, const struct tcphdr *th, struct tcpcb *tp, int drop_hdrlen,
    int tlen, const struct tcpopt *to)
{
	struct inpcb *inp = &tp->t_inpcb;
	tcp_seq seq = ntohl(th->th_seq), ack = ntohl(th->th_ack);
	struct ip iphdr;
	uint32_t tiwin;
	int flags = th->th_flags, todrop;
	bool fin;

	tiwin = ntohs(th->th_win);
	if ((flags & TH_SYN) == 0)
		tiwin <<= tp->snd_scale;

	if (tp->t_state == TCPS_SYN_SENT) {
		if ((flags & TH_ACK) && (SEQ_LEQ(ack, tp->iss) || SEQ_GT(ack, tp->snd_max))) {
			if ((flags & TH_RST) == 0)
				goto dropwithreset;
			goto drop;
		}
		if (flags & TH_RST) {
			if (flags & TH_ACK) {
				m_freem(m);
				tcp_drop(tp, ECONNREFUSED);
				return;
			}
			goto drop;
		}
		if ((flags & TH_SYN) == 0)
			goto drop;
		tcp_syn_options(tp, to, th);
		tp->snd_wnd = tp->max_sndwnd = tiwin;
		tp->t_flags |= TF_ACKNOW;
		if (flags & TH_ACK) {
			tp->snd_una = ack;
			if (to->to_flags & TOF_TS && to->to_tsecr != 0)
				tcp_rttupdate(tp, (int)(tcp_ts_getticks() - to->to_tsecr) * 1000);
			tp->t_rtttime = 0;
			tcp_established(tp);
		} else {
			tp->t_state = TCPS_SYN_RECEIVED;
			tp->snd_nxt = tp->iss;
		}
		m_freem(m);
		(void)tcp_output(tp);
		INP_WUNLOCK(inp);
		return;
	}

	/* PAWS: not what was sent long ago. */
	if ((to->to_flags & TOF_TS) && (tp->t_flags & TF_RCVD_TSTMP) && (flags & TH_RST) == 0 &&
	    (int32_t)(to->to_tsval - tp->ts_recent) < 0) {
		TCPSTAT_INC(tcps_rcvduppack);
		goto dropafterack;
	}
	if (flags & TH_RST) {
		if (SEQ_GEQ(seq, tp->last_ack_sent) &&
		    SEQ_LEQ(seq, SEQ_MAX(tp->rcv_adv, tp->rcv_nxt))) {
			m_freem(m);
			if (tp->t_state == TCPS_SYN_RECEIVED)
				tcp_drop(tp, ECONNREFUSED);
			else if (tp->t_state == TCPS_LAST_ACK || tp->t_state == TCPS_CLOSING ||
			    tp->t_state == TCPS_TIME_WAIT)
				tcp_close(tp);
			else
				tcp_drop(tp, ECONNRESET);
			return;
		}
		goto drop;
	}
	if (flags & TH_SYN) {
		/* Again the SYN that we have answered, or one from nowhere: say where we are. */
		if (tp->t_state == TCPS_SYN_RECEIVED && seq == tp->irs) {
			m_freem(m);
			(void)tcp_output(tp);
			INP_WUNLOCK(inp);
			return;
		}
		goto dropafterack;
	}

	/* What is left of, and what is right of, the window. */
	fin = (flags & TH_FIN) != 0;
	m_adj(m, drop_hdrlen);
	todrop = tp->rcv_nxt - seq;
	if (todrop > 0) {
		if (todrop > tlen || (todrop == tlen && !fin)) {
			/* Old altogether; answer, so that the sender learns. */
			fin = false;
			todrop = tlen;
			tp->t_flags |= TF_ACKNOW;
			if (tlen > 0) {
				TCPSTAT_INC(tcps_rcvduppack);
				TCPSTAT_ADD(tcps_rcvdupbyte, tlen);
			}
		}
		m_adj(m, todrop);
		seq += todrop;
		tlen -= todrop;
	}
	todrop = (seq + tlen) - SEQ_MAX(tp->rcv_adv, tp->rcv_nxt);
	if (todrop > 0) {
		if (todrop >= tlen) {
			/* A probe of a closed window, or nonsense. */
			if (tlen > 0 && seq == tp->rcv_nxt) {
				tp->t_flags |= TF_ACKNOW;
				m_adj(m, -tlen);
				tlen = 0;
				fin = false;
			} else if (tlen > 0)
				goto dropafterack;
		} else {
			m_adj(m, -todrop);
			tlen -= todrop;
			fin = false;
		}
	}
	if ((to->to_flags & TOF_TS) && SEQ_LEQ(seq, tp->last_ack_sent))
		tp->ts_recent = to->to_tsval;
	if ((flags & TH_ACK) == 0)
		goto drop;

	if (tp->t_state == TCPS_SYN_RECEIVED) {
		if (SEQ_GT(tp->snd_una, ack) || SEQ_GT(ack, tp->snd_max))
			goto dropwithreset;
		tp->snd_una = SEQ_MAX(tp->snd_una, tp->iss + 1);
		tp->snd_wnd = tiwin;
		tp->snd_wl1 = seq - 1;
		if (to->to_flags & TOF_TS && to->to_tsecr != 0)
			tcp_rttupdate(tp, (int)(tcp_ts_getticks() - to->to_tsecr) * 1000);
		tp->t_rtttime = 0;
		tcp_established(tp);
		if (tp->t_flags & TF_NEEDFIN)
			tp->t_state = TCPS_FIN_WAIT_1;
	}
	if (SEQ_GT(ack, tp->snd_max))
		goto dropafterack;
	if (!tcp_do_ack(tp, th, to, tiwin, tlen)) {
		m_freem(m);
		return;
	}
	if (SEQ_LT(tp->snd_wl1, seq) || (tp->snd_wl1 == seq && (SEQ_LT(tp->snd_wl2, ack) ||
	    (tp->snd_wl2 == ack && tiwin > tp->snd_wnd)))) {
		tp->snd_wnd = tiwin;
		tp->snd_wl1 = seq;
		tp->snd_wl2 = ack;
		tp->max_sndwnd = MAX(tp->max_sndwnd, tiwin);
		if (tiwin > 0 && (tp->t_flags & TF_PERSIST)) {
			tp->t_flags &= ~TF_PERSIST;
			callout_stop(&tp->t_timers[TT_REXMT]);
			tp->t_rxtshift = 0;
		}
	}

	if (tlen > 0 && !TCPS_HAVERCVDFIN(tp->t_state)) {
		if (inp->inp_socket == NULL && tp->t_state >= TCPS_FIN_WAIT_1) {
			/* Nobody will ever read it. */
			TCPSTAT_INC(tcps_rcvafterclose);
			iphdr.ip_src = inp->inp_faddr;
			iphdr.ip_dst = inp->inp_laddr;
			tcp_respond_rst(m, &iphdr, th, tlen);
			m_freem(m);
			tcp_close(tp);
			return;
		}
		if (seq == tp->rcv_nxt) {
			if (tp->t_segq == NULL)
				tcp_autorcvbuf(tp, tlen);
			if (tp->t_segq != NULL || (tp->t_flags & TF_DELACK))
				tp->t_flags |= TF_ACKNOW;
			else {
				tp->t_flags |= TF_DELACK;
				callout_reset_sbt(&tp->t_timers[TT_DELACK],
				    V_tcp_delacktime * SBT_1MS, 0, tcp_timer_delack, tp, 0);
			}
			tcp_deliver(tp, m);
			tcp_segq_deliver(tp);
		} else {
			tp->t_flags |= TF_ACKNOW;
			tcp_segq_insert(tp, m, seq);
			fin = false;
		}
		m = NULL;
	}
	m_freem(m);

	if (fin && seq + tlen == tp->rcv_nxt && !TCPS_HAVERCVDFIN(tp->t_state)) {
		tp->rcv_nxt++;
		tp->t_flags |= TF_ACKNOW;
		tcp_cantrcvmore(tp);
		switch (tp->t_state) {
		case TCPS_ESTABLISHED:
			tp->t_state = TCPS_CLOSE_WAIT;
			break;
		case TCPS_FIN_WAIT_1:
			tp->t_state = TCPS_CLOSING;
			break;
		case TCPS_FIN_WAIT_2:
			(void)tcp_output(tp);
			tcp_twstart(tp);
			return;
		}
	} else if (tp->t_state == TCPS_TIME_WAIT && fin)
		tp->t_flags |= TF_ACKNOW;
	(void)tcp_output(tp);
	INP_WUNLOCK(inp);
	return;

dropafterack:
	m_freem(m);
	tp->t_flags |= TF_ACKNOW;
	(void)tcp_output(tp);
	INP_WUNLOCK(inp);
	return;
dropwithreset:
	INP_WUNLOCK(inp);
	tcp_respond_rst(m, mtod(m, struct ip *), th, tlen);
	m_freem(m);
	return;
drop:
	m_freem(m);
	INP_WUNLOCK(inp);
}

int
tcp_input(struct mbuf **mp, int *offp, int proto)
{
	struct mbuf *m = *mp;
	struct tcphdr *th, hdr;
	struct tcpopt to;
	struct inpcb *inp;
	struct tcpcb *tp;
	struct ip *ip, iphdr;
	u_short sum;
	int off0 = *offp, off, tlen, drop_hdrlen;

	NET_EPOCH_ASSERT();
	*mp = NULL;
	TCPSTAT_INC(tcps_rcvtotal);
	if (m->m_len < off0 + (int)sizeof(struct tcphdr)) {
		if (m->m_pkthdr.len < off0 + (int)sizeof(struct tcphdr) ||
		    (m = m_pullup(m, off0 + sizeof(struct tcphdr))) == NULL) {
			TCPSTAT_INC(tcps_rcvshort);
			m_freem(m);
			return (IPPROTO_DONE);
		}
	}
	ip = mtod(m, struct ip *);
	th = (struct tcphdr *)((caddr_t)ip + off0);
	tlen = ntohs(ip->ip_len) - off0;
	if ((m->m_pkthdr.csum_flags & (CSUM_DATA_VALID | CSUM_PSEUDO_HDR)) !=
	    (CSUM_DATA_VALID | CSUM_PSEUDO_HDR)) {
		sum = ~in_cksum_skip(m, off0 + tlen, off0);
		if (in_addword(sum, in_pseudo(ip->ip_src.s_addr, ip->ip_dst.s_addr,
		    htonl((u_short)tlen + IPPROTO_TCP))) != 0xffff) {
			TCPSTAT_INC(tcps_rcvbadsum);
			m_freem(m);
			return (IPPROTO_DONE);
		}
	}
	off = th->th_off << 2;
	if (off < (int)sizeof(struct tcphdr) || off > tlen) {
		TCPSTAT_INC(tcps_rcvbadoff);
		m_freem(m);
		return (IPPROTO_DONE);
	}
	if (m->m_len < off0 + off && (m = m_pullup(m, off0 + off)) == NULL) {
		TCPSTAT_INC(tcps_rcvshort);
		return (IPPROTO_DONE);
	}
	ip = mtod(m, struct ip *);
	th = (struct tcphdr *)((caddr_t)ip + off0);
	tlen -= off;
	drop_hdrlen = off0 + off;
	tcp_dooptions(&to, (u_char *)(th + 1), off - sizeof(struct tcphdr),
	    (th->th_flags & TH_SYN) != 0);
	/* The headers live on when the data goes its own way. */
	hdr = *th;
	iphdr = *ip;

	if (m->m_flags & (M_BCAST | M_MCAST)) {
		m_freem(m);
		return (IPPROTO_DONE);
	}
findpcb:
	inp = in_pcblookup_mbuf(&V_tcbinfo, iphdr.ip_src, hdr.th_sport, iphdr.ip_dst,
	    hdr.th_dport, INPLOOKUP_WILDCARD | INPLOOKUP_WLOCKPCB, m->m_pkthdr.rcvif, m);
	if (inp == NULL) {
		tcp_respond_rst(m, &iphdr, &hdr, tlen);
		m_freem(m);
		return (IPPROTO_DONE);
	}
	tp = intotcpcb(inp);
	if (tp->t_state == TCPS_TIME_WAIT && (hdr.th_flags & (TH_SYN | TH_ACK | TH_RST)) == TH_SYN &&
	    SEQ_GT(ntohl(hdr.th_seq), tp->rcv_nxt)) {
		/* The same pair of ports again, later: make room. */
		tcp_close(tp);
		goto findpcb;
	}
	switch (tp->t_state) {
	case TCPS_CLOSED:
		INP_WUNLOCK(inp);
		tcp_respond_rst(m, &iphdr, &hdr, tlen);
		m_freem(m);
		return (IPPROTO_DONE);
	case TCPS_LISTEN:
		if ((hdr.th_flags & (TH_RST | TH_ACK | TH_SYN)) == TH_SYN)
			tcp_listen_input(tp, &iphdr, &hdr, &to);
		INP_WUNLOCK(inp);
		if ((hdr.th_flags & (TH_RST | TH_ACK)) == TH_ACK)
			tcp_respond_rst(m, &iphdr, &hdr, tlen);
		m_freem(m);
		return (IPPROTO_DONE);
	default:
		tcp_do_segment(m, &hdr, tp, drop_hdrlen, tlen, &to);
		return (IPPROTO_DONE);
	}
}
