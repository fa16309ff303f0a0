/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP output: what may be sent now, and the segments for it.
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

/* The room that a reader has left, never less than what was promised. */
static uint32_t
tcp_rcvwindow(struct tcpcb *tp)
{
	struct usock *s = sotous(tp->t_inpcb.inp_socket);
	int32_t win;
	uint32_t max;

	win = 0;
	if (s != NULL)
		win = (int32_t)atomic_load_int(&s->so_rcv_hiwat) -
		    (int32_t)atomic_load_int(&s->so_rcv_cc);
	else
		win = V_tcp_recvspace;
	if (win < 0)
		win = 0;
	if (TCPS_HAVERCVDSYN(tp->t_state)) {
		/* Nothing, rather than a silly little. */
		if (win < (int32_t)(s != NULL ? s->so_rcv_hiwat / 4 : 0) && win < (int32_t)tp->t_maxseg)
			win = 0;
		if (SEQ_GT(tp->rcv_adv, tp->rcv_nxt) && win < (int32_t)(tp->rcv_adv - tp->rcv_nxt))
			win = tp->rcv_adv - tp->rcv_nxt;
	}
	max = (uint32_t)TCP_MAXWIN << tp->rcv_scale;
	return (MIN((uint32_t)win, max));
}

/*
 * A send buffer that is all but full while the window would take what has not
 * been sent yet is what keeps the sender back: a step more, as long as the
 * peer's window is no smaller.  It never shrinks.
 */
static void
tcp_sndbuf_autoscale(struct tcpcb *tp, uint32_t sendwin)
{
	struct usock *s = sotous(tp->t_inpcb.inp_socket);
	u_int most, used = tp->t_sndcc;

	if (!V_tcp_do_autosndbuf || s == NULL)
		return;
	most = MIN((u_long)V_tcp_autosndbuf_max, sb_max);
	mtx_lock(&s->so_mtx);
	if (!s->so_snd_fixed && s->so_snd_hiwat < most && used >= s->so_snd_hiwat / 8 * 7 &&
	    tp->snd_wnd / 4 * 5 >= s->so_snd_hiwat &&
	    sendwin >= used - MIN(used, tp->snd_nxt - tp->snd_una))
		s->so_snd_hiwat = MIN(s->so_snd_hiwat + V_tcp_autosndbuf_inc, most);
	mtx_unlock(&s->so_mtx);
}

static int
tcp_addoptions(struct tcpcb *tp, u_char *opt, bool syn)
{
	u_char *p = opt;
	uint32_t v;
	uint16_t mss;

	if (syn) {
		mss = htons(tcp_mss_for(&tp->t_inpcb));
		*p++ = TCPOPT_MAXSEG;
		*p++ = TCPOLEN_MAXSEG;
		memcpy(p, &mss, 2);
		p += 2;
		if (tp->t_flags & TF_REQ_SCALE) {
			*p++ = TCPOPT_NOP;
			*p++ = TCPOPT_WINDOW;
			*p++ = TCPOLEN_WINDOW;
			*p++ = tp->rcv_scale;
		}
		if (tp->t_flags & TF_SACK_PERMIT) {
			*p++ = TCPOPT_NOP;
			*p++ = TCPOPT_NOP;
			*p++ = TCPOPT_SACK_PERMITTED;
			*p++ = TCPOLEN_SACK_PERMITTED;
		}
	}
	if (tp->t_flags & TF_RCVD_TSTMP) {
		*p++ = TCPOPT_NOP;
		*p++ = TCPOPT_NOP;
		*p++ = TCPOPT_TIMESTAMP;
		*p++ = TCPOLEN_TIMESTAMP;
		v = htonl(tcp_ts_getticks());
		memcpy(p, &v, 4);
		v = htonl(tp->ts_recent);
		memcpy(p + 4, &v, 4);
		p += 8;
		if (tp->rfbuf_ts == 0)
			tp->rfbuf_ts = tcp_ts_getticks();
	}
	if (!syn && (tp->t_flags & TF_SACK_PERMIT) && tp->t_segq != NULL) {
		struct sackrange blk[4];
		struct mbuf *q;
		int n, i, max;

		/* The range that changed last comes first, then the others from the left. */
		max = MIN((40 - (int)(p - opt) - 4) / TCPOLEN_SACK, 4);
		n = 0;
		if (SEQ_GT(tp->t_lastsack.start, tp->rcv_nxt))
			blk[n++] = tp->t_lastsack;
		for (q = tp->t_segq; q != NULL && n < max;) {
			struct sackrange r;

			r.start = q->m_pkthdr.PH_loc.thirtytwo[0];
			r.end = r.start + q->m_pkthdr.len;
			for (q = q->m_nextpkt; q != NULL &&
			    q->m_pkthdr.PH_loc.thirtytwo[0] == r.end; q = q->m_nextpkt)
				r.end += q->m_pkthdr.len;
			if (n > 0 && r.start == blk[0].start)
				continue;
			blk[n++] = r;
		}
		if (n > 0) {
			*p++ = TCPOPT_NOP;
			*p++ = TCPOPT_NOP;
			*p++ = TCPOPT_SACK;
			*p++ = TCPOLEN_SACKHDR + n * TCPOLEN_SACK;
			for (i = 0; i < n; i++) {
				v = htonl(blk[i].start);
				memcpy(p, &v, 4);
				v = htonl(blk[i].end);
				memcpy(p + 4, &v, 4);
				p += 8;
			}
		}
	}
	while ((p - opt) & 3)
		*p++ = TCPOPT_NOP;
	return (p - opt);
}

static void
tcp_sndcopy(const struct tcpcb *tp, uint32_t off, uint32_t len, char *dst)
{
	u_int pos, n;

	pos = (tp->t_sndoff + off) & (tp->t_sndsize - 1);
	n = MIN(len, tp->t_sndsize - pos);
	memcpy(dst, tp->t_sndbuf + pos, n);
	memcpy(dst + n, tp->t_sndbuf, len - n);
}

/*
 * What all segments have in common: m, whose length is set, gets headers with
 * room for optlen bytes of options.
 */
struct tcpiphdr *
tcp_headers(struct mbuf *m, int optlen, struct in_addr laddr, u_short lport, struct in_addr faddr,
    u_short fport)
{
	struct tcpiphdr *h = mtod(m, struct tcpiphdr *);

	bzero(h, sizeof(struct ip) + sizeof(struct tcphdr));
	h->ip.ip_v = IPVERSION;
	h->ip.ip_hl = sizeof(struct ip) >> 2;
	h->ip.ip_len = htons(m->m_pkthdr.len);
	h->ip.ip_ttl = V_ip_defttl;
	h->ip.ip_p = IPPROTO_TCP;
	h->ip.ip_src = laddr;
	h->ip.ip_dst = faddr;
	h->th.th_sport = lport;
	h->th.th_dport = fport;
	h->th.th_off = (sizeof(struct tcphdr) + optlen) >> 2;
	m->m_pkthdr.csum_flags = CSUM_TCP;
	m->m_pkthdr.csum_data = offsetof(struct tcphdr, th_sum);
	h->th.th_sum = in_pseudo(laddr.s_addr, faddr.s_addr,
	    htonl((u_short)(m->m_pkthdr.len - sizeof(struct ip)) + IPPROTO_TCP));
	return (h);
}

/* One segment; sequence numbers and timers are the caller's. */
static int
tcp_sendseg(struct tcpcb *tp, tcp_seq seq, uint32_t len, int flags)
{
	struct inpcb *inp = &tp->t_inpcb;
	struct tcpiphdr *h;
	struct mbuf *m;
	uint32_t win;
	int optlen, hdrlen;
	u_char opt[48];

	INP_WLOCK_ASSERT(inp);
	optlen = tcp_addoptions(tp, opt, (flags & TH_SYN) != 0);
	hdrlen = sizeof(struct ip) + sizeof(struct tcphdr) + optlen;
	m = m_get3(max_linkhdr + hdrlen + len, M_NOWAIT, MT_DATA, M_PKTHDR);
	if (m == NULL)
		return (ENOBUFS);
	m->m_data += max_linkhdr;
	m->m_len = m->m_pkthdr.len = hdrlen + len;
	h = tcp_headers(m, optlen, inp->inp_laddr, inp->inp_lport, inp->inp_faddr, inp->inp_fport);
	memcpy(h->opt, opt, optlen);
	if (len > 0)
		tcp_sndcopy(tp, seq - tp->snd_una, len, mtod(m, char *) + hdrlen);

	win = tcp_rcvwindow(tp);
	h->th.th_seq = htonl(seq);
	h->th.th_ack = flags & TH_ACK ? htonl(tp->rcv_nxt) : 0;
	h->th.th_flags = flags;
	h->th.th_win = htons(flags & TH_SYN ? MIN(win, TCP_MAXWIN) : win >> tp->rcv_scale);
	h->ip.ip_tos = inp->inp_ip_tos;
	h->ip.ip_off = htons(IP_DF);
	h->ip.ip_ttl = inp->inp_ip_ttl;
	m->m_pkthdr.flowid = ((uint32_t)inp->inp_lport << 16 | inp->inp_fport) ^
	    inp->inp_faddr.s_addr;

	TCPSTAT_INC(tcps_sndtotal);
	if (len > 0) {
		if (SEQ_LT(seq, tp->snd_max)) {
			TCPSTAT_INC(tcps_sndrexmitpack);
			TCPSTAT_ADD(tcps_sndrexmitbyte, len);
		} else {
			TCPSTAT_INC(tcps_sndpack);
			TCPSTAT_ADD(tcps_sndbyte, len);
		}
	} else if (flags & (TH_SYN | TH_FIN | TH_RST))
		TCPSTAT_INC(tcps_sndctrl);
	else
		TCPSTAT_INC(tcps_sndacks);

	if (win > 0 && SEQ_GT(tp->rcv_nxt + win, tp->rcv_adv))
		tp->rcv_adv = tp->rcv_nxt + win;
	tp->last_ack_sent = tp->rcv_nxt;
	tp->t_flags &= ~(TF_ACKNOW | TF_DELACK);
	callout_stop(&tp->t_timers[TT_DELACK]);
	NH_VALIDATE(&inp->inp_route, &inp->inp_rt_cookie, RT_DEFAULT_FIB);
	return (ip_output(m, NULL, &inp->inp_route, 0, NULL, inp));
}

/* After an error of the path: what it means for the connection. */
static int
tcp_outerror(struct tcpcb *tp, int error)
{
	u_int mss;

	if (error == 0)
		return (0);
	if (!callout_pending(&tp->t_timers[TT_REXMT]))
		tcp_set_rexmt(tp);
	switch (error) {
	case EACCES:
	case ENOBUFS:
		/* The queue at our own feet is full: start again slowly. */
		tp->snd_cwnd = tp->t_maxseg;
		return (0);
	case EMSGSIZE:
		mss = tcp_mss_for(&tp->t_inpcb);
		if (tp->t_flags & TF_RCVD_TSTMP)
			mss -= TCPOLEN_TSTAMP_APPA;
		if (mss < tp->t_maxseg) {
			tp->t_maxseg = mss;
			return (EAGAIN);
		}
		return (error);
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENETDOWN:
	case ENETUNREACH:
		if (TCPS_HAVERCVDSYN(tp->t_state)) {
			tp->t_softerror = error;
			return (0);
		}
		return (error);
	default:
		return (error);
	}
}

/* Is it worth telling the peer of the room that reading has made? */
static bool
tcp_window_update(struct tcpcb *tp)
{
	struct usock *s = sotous(tp->t_inpcb.inp_socket);
	uint32_t win, oldwin, adv;

	if (s == NULL || TCPS_HAVERCVDFIN(tp->t_state) || !TCPS_HAVEESTABLISHED(tp->t_state))
		return (false);
	win = tcp_rcvwindow(tp);
	oldwin = SEQ_GT(tp->rcv_adv, tp->rcv_nxt) ? tp->rcv_adv - tp->rcv_nxt : 0;
	if (win <= oldwin)
		return (false);
	adv = win - oldwin;
	return ((win >> tp->rcv_scale) != (oldwin >> tp->rcv_scale) && adv >= 2 * tp->t_maxseg &&
	    (adv >= s->so_rcv_hiwat / 4 || oldwin <= s->so_rcv_hiwat / 8 ||
	    s->so_rcv_hiwat <= 8 * tp->t_maxseg));
}

static int
tcp_output_syn(struct tcpcb *tp)
{
	int error;

	tp->snd_nxt = tp->iss + 1;
	error = tcp_sendseg(tp, tp->iss, 0,
	    tp->t_state == TCPS_SYN_SENT ? TH_SYN : TH_SYN | TH_ACK);
	if (SEQ_GT(tp->snd_nxt, tp->snd_max)) {
		tp->snd_max = tp->snd_nxt;
		tp->t_rtttime = tcp_now_us();
		tp->t_rtseq = tp->iss;
	}
	if (!callout_pending(&tp->t_timers[TT_REXMT]))
		tcp_set_rexmt(tp);
	return (error == ENOBUFS || error == EACCES ? 0 : error);
}

int
tcp_output(struct tcpcb *tp)
{
	struct inpcb *inp __diagused = &tp->t_inpcb;
	tcp_seq seq;
	uint32_t off, len, win, room, pipe;
	int error, flags;
	bool rexmit, fin;

	NET_EPOCH_ASSERT();
	INP_WLOCK_ASSERT(inp);
	if (tp->t_state == TCPS_CLOSED || tp->t_state == TCPS_LISTEN)
		return (0);
	if (tp->t_state == TCPS_SYN_SENT || tp->t_state == TCPS_SYN_RECEIVED)
		return (tcp_output_syn(tp));

again:
	tcp_sndbuf_autoscale(tp, MIN(tp->snd_wnd, tp->snd_cwnd));
	flags = TH_ACK;
	rexmit = fin = false;
	len = 0;
	seq = tp->snd_nxt;
	if ((tp->t_flags & (TF_FASTRECOVERY | TF_SACK_PERMIT)) ==
	    (TF_FASTRECOVERY | TF_SACK_PERMIT)) {
		pipe = tcp_pipe(tp);
		room = tp->snd_cwnd > pipe ? tp->snd_cwnd - pipe : 0;
		/* The head of the line is sent again at once; the rest as the pipe drains. */
		if ((room >= tp->t_maxseg || tp->snd_rexmit == tp->snd_una) &&
		    tcp_next_hole(tp, &seq, &len)) {
			len = MIN(len, tp->t_maxseg);
			rexmit = true;
		} else {
			/* New data, within the peer's window. */
			off = tp->snd_nxt - tp->snd_una;
			win = tp->snd_wnd > off ? tp->snd_wnd - off : 0;
			len = tp->t_sndcc > off ? tp->t_sndcc - off : 0;
			len = MIN(MIN(len, win), room);
			seq = tp->snd_nxt;
		}
	} else {
		off = tp->snd_nxt - tp->snd_una;
		win = MIN(tp->snd_wnd, tp->snd_cwnd);
		len = tp->t_sndcc > off ? tp->t_sndcc - off : 0;
		len = off < win ? MIN(len, win - off) : 0;
	}
	if (len > tp->t_maxseg)
		len = tp->t_maxseg;
	off = seq - tp->snd_una;
	if ((tp->t_flags & TF_NEEDFIN) && !rexmit && off + len == tp->t_sndcc &&
	    (SEQ_LT(tp->snd_nxt, tp->snd_una + tp->t_sndcc + 1)))
		fin = (tp->t_flags & TF_SENTFIN) == 0 || SEQ_LT(tp->snd_nxt, tp->snd_max);
	if (off + len == tp->t_sndcc && len > 0)
		flags |= TH_PUSH;

	if (len > 0) {
		if (rexmit || len == tp->t_maxseg || fin || SEQ_LT(tp->snd_nxt, tp->snd_max))
			goto send;
		/* Nagle: a small one waits for those under way. */
		if (off + len == tp->t_sndcc &&
		    (tp->snd_una == tp->snd_max || (tp->t_flags & TF_NODELAY)))
			goto send;
		if (len >= tp->max_sndwnd / 2 && tp->max_sndwnd > 0)
			goto send;
	} else if (fin && tp->snd_wnd + 1 > off)
		goto send;
	if (tp->t_flags & TF_ACKNOW) {
		len = 0;
		fin = false;
		goto send;
	}
	if (tcp_window_update(tp)) {
		TCPSTAT_INC(tcps_sndwinup);
		len = 0;
		fin = false;
		goto send;
	}
	/* Data, and a window of nothing: somebody has to ask from time to time. */
	if (tp->t_sndcc > 0 && tp->snd_una == tp->snd_max && tp->snd_wnd == 0 &&
	    !callout_pending(&tp->t_timers[TT_REXMT]))
		tcp_setpersist(tp);
	return (0);

send:
	if (fin)
		flags |= TH_FIN;
	if (len == 0 && !fin)
		seq = tp->snd_max;	/* a bare ACK */
	error = tcp_sendseg(tp, seq, len, flags);
	if (len == 0 && !fin)
		return (0);	/* a lost ACK is like one that is lost on its way */
	if (error == 0 || error == EHOSTDOWN || error == EHOSTUNREACH || error == ENETDOWN ||
	    error == ENETUNREACH) {
		if (rexmit) {
			tp->snd_rexmit = seq + len;
			TCPSTAT_INC(tcps_sack_rexmits);
			TCPSTAT_ADD(tcps_sack_rexmit_bytes, len);
		} else {
			tp->snd_nxt = seq + len;
			if (fin) {
				tp->snd_nxt++;
				tp->t_flags |= TF_SENTFIN;
			}
			if (SEQ_GT(tp->snd_nxt, tp->snd_max)) {
				tp->snd_max = tp->snd_nxt;
				if (tp->t_rtttime == 0) {
					tp->t_rtttime = tcp_now_us();
					tp->t_rtseq = seq;
					TCPSTAT_INC(tcps_segstimed);
				}
			}
		}
		if (!callout_pending(&tp->t_timers[TT_REXMT]) || (tp->t_flags & TF_PERSIST)) {
			tp->t_flags &= ~TF_PERSIST;
			tcp_set_rexmt(tp);
		}
	}
	if (error != 0) {
		error = tcp_outerror(tp, error);
		if (error == EAGAIN)
			goto again;
		return (error);
	}
	goto again;
}
