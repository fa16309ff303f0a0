/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _DNGEN_H_
#define	_DNGEN_H_

#include "dngen_os.h"

/*
 * No mutable state outside of what a run allocates: in the user-mode guest
 * many dngen are at work in one program.
 */

#define	DNGEN_USAGE	64	/* EX_USAGE */
#define	DNGEN_FAILED	1

#define	IP_UDP_HEADERS	28	/* sizes and rates are those of IP packets, as ipfw counts them */
#define	IP6_UDP_HEADERS	48
#define	IP_MAX_SIZE	65535
#define	MAX_SENDERS	256	/* a byte of the header */
#define	MAX_SIZES	16

/* A choice of packet sizes: exactly in these proportions, dealt from a shuffled deck. */
struct dg_sizes {
	int		count;
	uint32_t	size[MAX_SIZES];
	uint32_t	weight[MAX_SIZES];
	uint32_t	total;
};

struct dg_options {
	const char	*id;
	uint32_t	 flow;		/* hash of the id: what a packet carries of it */
	char		 to[64];
	bool		 ip6;
	uint16_t	 port;
	uint64_t	 mrate;		/* bits of IP packets in 1000 s; 0: by upps */
	uint64_t	 upps;		/* packets in 10^6 s */
	struct dg_sizes	 sizes;
	int64_t		 on, off;
	int64_t		 start, length;
	int64_t		 interval;	/* of the lines; 0: none */
	int64_t		 gap;		/* ping: between two echoes */
	int64_t		 idle;		/* 0: no limit */
	int64_t		 linger;
	uint32_t	 senders;
	uint64_t	 seed;
};

static inline size_t
dg_headers(const struct dg_options *o)
{
	return (o->ip6 ? IP6_UDP_HEADERS : IP_UDP_HEADERS);
}

int	dg_udp_send(const struct dg_options *o);
int	dg_udp_receive(const struct dg_options *o);
int	dg_tcp_send(const struct dg_options *o);
int	dg_tcp_receive(const struct dg_options *o);
int	dg_ping(const struct dg_options *o);

/*
 * Histogram of times, HDR style: exact below 2^(bits+1), above that in
 * buckets of a width of at most 1/2^bits of their value.
 */
struct dg_hist {
	int		 bits;
	uint32_t	 nbuckets;
	uint32_t	 lo, hi;	/* buckets touched: lo <= i < hi */
	uint64_t	 count;
	int64_t		 min, max;
	uint64_t	 sum;
	unsigned __int128 sumsq;
	uint32_t	*bucket;
};
#define	DG_HIST_FINE	8	/* 0.4 % */
#define	DG_HIST_COARSE	6	/* 1.6 %, for intervals */

void	dg_hist_init(struct dg_hist *h, int bits);
void	dg_hist_fini(struct dg_hist *h);
void	dg_hist_add(struct dg_hist *h, int64_t value);
void	dg_hist_clear(struct dg_hist *h);
void	dg_hist_merge(struct dg_hist *into, const struct dg_hist *from);
/* The greatest value of the bucket where that many thousandths of the values are reached, at most max. */
int64_t	dg_hist_quantile(const struct dg_hist *h, uint32_t thousandths);
int64_t	dg_hist_mean(const struct dg_hist *h);
int64_t	dg_hist_upper(const struct dg_hist *h, uint32_t index);

/* What every packet and every block of a stream begins with; big endian. */
struct dg_header {
	uint32_t	flow;
	uint32_t	session;	/* one run of a sender: an earlier one's stragglers are strangers */
	uint16_t	sender;
	uint16_t	senders;
	uint16_t	flags;
	uint32_t	length;		/* of the IP packet, or of a stream's block, header included */
	uint64_t	seq;
	int64_t		when;
};
#define	DG_HEADER_SIZE	36
#define	DG_LAST		0x0001	/* nothing comes after this one */

void	dg_header_put(void *buf, const struct dg_header *h);
bool	dg_header_get(const void *buf, size_t len, struct dg_header *h);
uint32_t dg_hash(const char *text);
uint64_t dg_random(uint64_t *state);

/* What has come of one sender's sequence. */
#define	DG_WINDOW	131072	/* packets; duplicates are known exactly within it */
struct dg_seq {
	uint64_t	 next;		/* the next expected: highest seen + 1 */
	uint64_t	 received;	/* distinct */
	uint64_t	 duplicates;
	uint64_t	 reordered;	/* RFC 4737: smaller than the next expected */
	uint64_t	 extent;	/* how far behind the next expected, at most */
	uint64_t	 beyond;	/* too old for the window: not known whether seen before */
	uint8_t		 seen[DG_WINDOW / 8];
};
enum dg_seen { DG_NEW, DG_DUPLICATE, DG_BEYOND };
enum dg_seen dg_seq_add(struct dg_seq *q, uint64_t seq);

/* Errors by number. */
#define	DG_ERRORS	16
struct dg_errors {
	int		number[DG_ERRORS];
	uint64_t	count[DG_ERRORS];	/* the last one takes what does not fit */
};
void	dg_errors_add(struct dg_errors *e, int error, uint64_t n);
void	dg_errors_merge(struct dg_errors *into, const struct dg_errors *from);
const char *dg_errname(int error);

/* Lines of JSON, each written in one piece. */
struct dg_line {
	size_t		len, room;
	char		*text;
};
void	dg_line_begin(struct dg_line *l, const struct dg_options *o, const char *role, const char *kind,
	    int64_t t0, int64_t t1);
void	dg_line_add(struct dg_line *l, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));
void	dg_line_delay(struct dg_line *l, const struct dg_hist *h, bool all);
void	dg_line_hist(struct dg_line *l, const struct dg_hist *h);
void	dg_line_errors(struct dg_line *l, const struct dg_errors *e);
void	dg_line_end(struct dg_line *l);
/* Says on standard error what failed; returns DNGEN_FAILED. */
int	dg_fail(const char *what, int error);

/*
 * Intervals: lines at start + k * interval with what came since the last one.
 * The first line is that of the first packet.
 */
struct dg_interval {
	int64_t		 t0;		/* of the current one */
	bool		 begun;
	uint64_t	 packets, bytes;
	struct dg_hist	 delay;
};
void	dg_interval_init(struct dg_interval *i, int64_t start);
void	dg_interval_fini(struct dg_interval *i);
int64_t	dg_interval_end(const struct dg_interval *i, const struct dg_options *o);
/* Print the intervals that are over at `now'. */
void	dg_interval_pass(struct dg_interval *i, const struct dg_options *o, const char *role, int64_t now);
/* Print the last, unfinished one, if there is anything in it. */
void	dg_interval_flush(struct dg_interval *i, const struct dg_options *o, const char *role, int64_t now);

/* A schedule of packets, exact in the long run. */
struct dg_pace {
	const struct dg_options *o;
	uint64_t	 num, den;	/* a packet takes num / den ns, by rate: of one bit */
	uint64_t	 rem;
	int64_t		 active;	/* ns into the flow's time, off periods left out */
	int64_t		 step;		/* of the last packet */
	int64_t		 catch_up;	/* no packet before it */
	int64_t		 oversleep;	/* what sleeping costs here */
	int64_t		 zero, end;
	uint64_t	 scheduled;
	/* The deck. */
	uint64_t	 random;
	uint32_t	 dealt;
	uint16_t	*deck;
	int64_t		 late;		/* the most that a packet was */
};
void	dg_pace_init(struct dg_pace *p, const struct dg_options *o, uint32_t sender, int64_t zero);
void	dg_pace_fini(struct dg_pace *p);
/* When the next packet is due; past p->end there is none. */
int64_t	dg_pace_due(const struct dg_pace *p);
/* The size of the next packet, which is being sent now: the schedule moves on. */
uint32_t dg_pace_take(struct dg_pace *p, int64_t now);
/* Whether the packet just taken was the last. */
bool	dg_pace_over(const struct dg_pace *p);
/* Wait for the next packet's turn; false when the program is to stop. */
bool	dg_pace_wait(struct dg_pace *p, int64_t *now);

#endif /* !_DNGEN_H_ */
