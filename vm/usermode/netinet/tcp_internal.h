/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _TCP_INTERNAL_H_
#define	_TCP_INTERNAL_H_

/* Between the files of TCP; no interface of FreeBSD's. */
#include <netinet/ip.h>
#include <netinet/tcp_seq.h>
#include <netinet/tcp_var.h>
#include "inet_internal.h"
#include "inet_socket.h"

#define	TCP_MAXRXTSHIFT		12
#define	TCP_REXMIT_MIN_MS	30
#define	TCP_REXMIT_SLOP_MS	200
#define	TCP_REXMIT_MAX_MS	64000
#define	TCP_RTO_INIT_MS		1000
#define	TCP_INITCWND_SEGMENTS	10
#define	TCPREXMTTHRESH		3

VNET_DECLARE(int, tcp_do_rfc1323);
VNET_DECLARE(int, tcp_do_sack);
VNET_DECLARE(int, tcp_do_autosndbuf);
VNET_DECLARE(int, tcp_autosndbuf_inc);
VNET_DECLARE(int, tcp_autosndbuf_max);
VNET_DECLARE(int, tcp_do_autorcvbuf);
VNET_DECLARE(int, tcp_autorcvbuf_max);
VNET_DECLARE(int, tcp_delacktime);
VNET_DECLARE(int, tcp_msl);
#define	V_tcp_do_rfc1323	VNET(tcp_do_rfc1323)
#define	V_tcp_do_sack		VNET(tcp_do_sack)
#define	V_tcp_do_autosndbuf	VNET(tcp_do_autosndbuf)
#define	V_tcp_autosndbuf_inc	VNET(tcp_autosndbuf_inc)
#define	V_tcp_autosndbuf_max	VNET(tcp_autosndbuf_max)
#define	V_tcp_do_autorcvbuf	VNET(tcp_do_autorcvbuf)
#define	V_tcp_autorcvbuf_max	VNET(tcp_autorcvbuf_max)
#define	V_tcp_delacktime	VNET(tcp_delacktime)
#define	V_tcp_msl		VNET(tcp_msl)

/* Milliseconds, never 0: the clock of timestamps. */
uint32_t tcp_ts_getticks(void);
int64_t	tcp_now_us(void);

int	tcp_output(struct tcpcb *tp);
/* An IP header, a TCP header, options: what a segment starts with. */
struct tcpiphdr {
	struct ip	ip;
	struct tcphdr	th;
	u_char		opt[40];
};
struct tcpiphdr *tcp_headers(struct mbuf *m, int optlen, struct in_addr laddr, u_short lport,
	    struct in_addr faddr, u_short fport);
void	tcp_respond_rst(struct mbuf *m, const struct ip *ip, const struct tcphdr *th, int tlen);
void	tcp_set_rexmt(struct tcpcb *tp);
void	tcp_setpersist(struct tcpcb *tp);
void	tcp_rttupdate(struct tcpcb *tp, int rtt_us);

int	tcp_newtcpcb(struct usock *s);	/* returns with the pcb locked */
void	tcp_timer_delack(void *arg);
void	tcp_timer_2msl(void *arg);
/* For a connection that came to a listener, whose port it shares. */
int	in_pcbconnect_port(struct inpcb *inp, struct sockaddr_in *sin, u_short lport);
u_int	tcp_mss_for(struct inpcb *inp);
uint32_t tcp_isn(void);
/* The connection is over: unlocks; true if that was known to nobody. */
void	tcp_close(struct tcpcb *tp);
void	tcp_drop(struct tcpcb *tp, int error);
void	tcp_twstart(struct tcpcb *tp);
void	tcp_freecb(struct inpcb *inp);
void	tcp_segq_flush(struct tcpcb *tp);

/* Sacked bytes below a sequence number; all of them for snd_max. */
uint32_t tcp_sacked_below(const struct tcpcb *tp, tcp_seq seq);
/* What is under way in the network, by RFC 6675. */
uint32_t tcp_pipe(const struct tcpcb *tp);
/* The next lost bytes that were not sent again; false if there are none. */
bool	tcp_next_hole(const struct tcpcb *tp, tcp_seq *start, uint32_t *len);

#endif
