/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_TCP_VAR_H_
#define	_NETINET_TCP_VAR_H_

#include <sys/callout.h>
#include <sys/counter.h>
#include <net/vnet.h>
#include <netinet/in_pcb.h>
#include <netinet/tcp.h>
#include <netinet/tcp_fsm.h>

struct tcpstat {
	uint64_t tcps_connattempt;
	uint64_t tcps_accepts;
	uint64_t tcps_connects;
	uint64_t tcps_drops;
	uint64_t tcps_conndrops;
	uint64_t tcps_closed;
	uint64_t tcps_segstimed;
	uint64_t tcps_rttupdated;
	uint64_t tcps_delack;
	uint64_t tcps_timeoutdrop;
	uint64_t tcps_rexmttimeo;
	uint64_t tcps_persisttimeo;
	uint64_t tcps_sndtotal;
	uint64_t tcps_sndpack;
	uint64_t tcps_sndbyte;
	uint64_t tcps_sndrexmitpack;
	uint64_t tcps_sndrexmitbyte;
	uint64_t tcps_sndacks;
	uint64_t tcps_sndprobe;
	uint64_t tcps_sndwinup;
	uint64_t tcps_sndctrl;
	uint64_t tcps_rcvtotal;
	uint64_t tcps_rcvpack;
	uint64_t tcps_rcvbyte;
	uint64_t tcps_rcvbadsum;
	uint64_t tcps_rcvbadoff;
	uint64_t tcps_rcvshort;
	uint64_t tcps_rcvduppack;
	uint64_t tcps_rcvdupbyte;
	uint64_t tcps_rcvoopack;
	uint64_t tcps_rcvoobyte;
	uint64_t tcps_rcvafterclose;
	uint64_t tcps_rcvdupack;
	uint64_t tcps_rcvackpack;
	uint64_t tcps_rcvackbyte;
	uint64_t tcps_listendrop;
	uint64_t tcps_sack_recovery_episode;
	uint64_t tcps_sack_rexmits;
	uint64_t tcps_sack_rexmit_bytes;
};
VNET_PCPUSTAT_DECLARE(struct tcpstat, tcpstat);
#define	TCPSTAT_ADD(name, val)	VNET_PCPUSTAT_ADD(struct tcpstat, tcpstat, name, (val))
#define	TCPSTAT_INC(name)	TCPSTAT_ADD(name, 1)

#define	TF_ACKNOW	0x00000001
#define	TF_DELACK	0x00000002
#define	TF_NODELAY	0x00000004
#define	TF_SENTFIN	0x00000010
#define	TF_REQ_SCALE	0x00000020
#define	TF_RCVD_TSTMP	0x00000100
#define	TF_SACK_PERMIT	0x00000200
#define	TF_NEEDFIN	0x00000800	/* the program is done: FIN after the data */
#define	TF_FASTRECOVERY	0x00100000
#define	TF_PERSIST	0x00200000	/* the retransmit timer probes a closed window */

#define	TCP_SACK_MAX	128		/* ranges of the peer's that we remember */

struct sackrange {
	tcp_seq	start, end;
};

enum { TT_REXMT, TT_DELACK, TT_2MSL, TT_N };

struct tcpcb {
	struct inpcb	 t_inpcb;
	int		 t_state;
	u_int		 t_flags;
	u_int		 t_maxseg;
	u_int		 t_dupacks;
	struct callout	 t_timers[TT_N];

	tcp_seq		 iss, snd_una, snd_nxt, snd_max, snd_recover;
	tcp_seq		 snd_wl1, snd_wl2;
	uint32_t	 snd_wnd, max_sndwnd, snd_cwnd, snd_ssthresh, t_bytes_acked;
	uint8_t		 snd_scale, rcv_scale;

	tcp_seq		 irs, rcv_nxt, rcv_adv, last_ack_sent;
	uint32_t	 rcv_wnd;
	uint32_t	 ts_recent;
	uint32_t	 rfbuf_ts, rfbuf_cnt;
	struct mbuf	*t_segq;	/* out of order, by m_nextpkt; no overlaps */
	int		 t_segqlen;
	struct sackrange t_lastsack;	/* the range that grew last: told first */

	struct sackrange snd_sack[TCP_SACK_MAX];	/* what the peer has, in order */
	int		 snd_nsack;
	tcp_seq		 snd_rexmit;	/* retransmitted in this recovery up to here */

	int		 t_srtt, t_rttvar;	/* us */
	int		 t_rxtcur;	/* ms */
	int		 t_rxtshift;
	int64_t		 t_rtttime;	/* us, 0: no segment is timed (no timestamps) */
	tcp_seq		 t_rtseq;
	int		 t_softerror;

	char		*t_sndbuf;	/* a ring; snd_una is at t_sndoff */
	u_int		 t_sndsize, t_sndoff, t_sndcc;
	struct usock	*t_listener;	/* until it is accepted */
};
#define	intotcpcb(inp)	__containerof((inp), struct tcpcb, t_inpcb)
#define	tptoinpcb(tp)	(&(tp)->t_inpcb)

VNET_DECLARE(int, tcp_mssdflt);
VNET_DECLARE(u_long, tcp_sendspace);
VNET_DECLARE(u_long, tcp_recvspace);
#define	V_tcp_sendspace	VNET(tcp_sendspace)
#define	V_tcp_recvspace	VNET(tcp_recvspace)

#endif /* !_NETINET_TCP_VAR_H_ */
