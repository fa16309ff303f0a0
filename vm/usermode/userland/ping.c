/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ping(8)
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include "userland/userland.h"
#include "userland/usersock.h"

#define	MAXPACKET	(65536 - 60 - 8)
#define	NS		1000000000LL
#define	MAX_SEQ		65536

struct ping {
	struct usock	*sock;
	struct us_addr	 target;
	int64_t		 npackets;	/* -c, 0: no limit */
	int64_t		 interval;	/* ns */
	int64_t		 waittime;	/* ns, for the answer to the last */
	int64_t		 timeout;	/* ns, of it all; 0: none */
	int		 datalen;
	int		 ttl;
	bool		 quiet, df, flood, verbose, once;
	uint16_t	 ident;
	int64_t		 sent, received, duplicates, outofwait;
	int64_t		 tmin, tmax;	/* us */
	int64_t		 tsum, tsumsq;	/* us, us^2 */
	u_char		 seen[MAX_SEQ / 8];
	u_char		 buf[MAXPACKET + 128];
};

/* getopt(3) with its state in hand: several pings may start at once. */
struct opts {
	int		 ind;
	const char	*pos, *arg;
};

static int
next_option(struct opts *o, int argc, char **argv, const char *spec)
{
	const char *p;
	char c;

	o->arg = NULL;
	if (o->pos == NULL || *o->pos == '\0') {
		if (o->ind >= argc || argv[o->ind][0] != '-' || argv[o->ind][1] == '\0')
			return (-1);
		o->pos = argv[o->ind++] + 1;
		if (strcmp(o->pos, "-") == 0)
			return (-1);
	}
	c = *o->pos++;
	for (p = spec; *p != '\0' && *p != c; p++)
		;
	if (*p == '\0' || c == ':') {
		u_warnx("ping", "illegal option -- %c", c);
		return ('?');
	}
	if (p[1] != ':')
		return (c);
	if (*o->pos != '\0')
		o->arg = o->pos;
	else if (o->ind < argc)
		o->arg = argv[o->ind++];
	else {
		u_warnx("ping", "option requires an argument -- %c", c);
		return ('?');
	}
	o->pos = NULL;
	return (c);
}

/* "0.25", "10": ns; -1 if it is none. */
static int64_t
parse_seconds(const char *s)
{
	int64_t ns, unit;

	if (*s < '0' && *s != '.')
		return (-1);
	for (ns = 0; *s >= '0' && *s <= '9' && ns < 1000000000 * NS / 10; s++)
		ns = ns * 10 + (*s - '0') * NS;
	if (*s == '.')
		for (s++, unit = NS / 10; *s >= '0' && *s <= '9'; s++, unit /= 10)
			ns += (*s - '0') * unit;
	return (*s == '\0' ? ns : -1);
}

static uint16_t
cksum(const void *buf, int len)
{
	const uint16_t *w = buf;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *w++;
	if (len > 0)
		sum += *(const u_char *)w;
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (~sum);
}

static void
pinger(struct ping *p)
{
	struct icmp *icp = (struct icmp *)p->buf;
	int64_t now;
	uint16_t seq;
	int error, i, len;

	len = ICMP_MINLEN + p->datalen;
	seq = p->sent % MAX_SEQ;
	bzero(icp, ICMP_MINLEN);
	icp->icmp_type = ICMP_ECHO;
	icp->icmp_id = htons(p->ident);
	icp->icmp_seq = htons(seq);
	p->seen[seq / 8] &= ~(1 << (seq % 8));
	for (i = 0; i < p->datalen; i++)
		p->buf[ICMP_MINLEN + i] = i;
	now = us_now_ns();
	if (p->datalen >= (int)sizeof(now))
		memcpy(p->buf + ICMP_MINLEN, &now, sizeof(now));
	icp->icmp_cksum = cksum(icp, len);
	error = us_sendto(p->sock, p->buf, len, &p->target);
	p->sent++;
	if (error != 0)
		u_warn("ping", error, "sendto");
}

/* The header of the packet that an error is about. */
static void
print_quoted(const u_char *data, int len)
{
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];
	struct ip ip;

	if (len < (int)sizeof(ip))
		return;
	memcpy(&ip, data, sizeof(ip));
	u_printf("Vr HL TOS  Len   ID Flg  off TTL Pro  cks      Src      Dst\n");
	u_printf(" %1x  %1x  %02x %04x %04x", ip.ip_v, ip.ip_hl, ip.ip_tos, ntohs(ip.ip_len),
	    ntohs(ip.ip_id));
	u_printf("   %1lx %04lx", (u_long)(ntohs(ip.ip_off) >> 13),
	    (u_long)ntohs(ip.ip_off) & 0x1fff);
	u_printf("  %02x  %02x %04x", ip.ip_ttl, ip.ip_p, ntohs(ip.ip_sum));
	u_printf(" %s ", inet_ntoa_r(ip.ip_src, src));
	u_printf(" %s \n\n", inet_ntoa_r(ip.ip_dst, dst));
}

static const char *
unreach_text(int code)
{
	static const char *const text[] = {
		"Destination Net Unreachable", "Destination Host Unreachable",
		"Destination Protocol Unreachable", "Destination Port Unreachable",
		"frag needed and DF set", "Source Route Failed", "Destination Net Unknown",
		"Destination Host Unknown"
	};

	return (code < (int)nitems(text) ? text[code] :
	    code == 13 ? "Communication prohibited by filter" : "Dest Unreachable, Bad Code");
}

static void
print_error(struct ping *p, const struct icmp *icp, const u_char *data, int len,
    const struct us_addr *from)
{
	char addr[INET_ADDRSTRLEN];
	struct icmp oicmp;
	struct ip oip;
	int off;

	/* About one of ours? */
	if (len < (int)sizeof(oip))
		return;
	memcpy(&oip, data, sizeof(oip));
	off = oip.ip_hl << 2;
	if (len < off + ICMP_MINLEN)
		return;
	memcpy(&oicmp, data + off, ICMP_MINLEN);
	if (oip.ip_p != IPPROTO_ICMP || oip.ip_dst.s_addr != p->target.ip.s_addr ||
	    oicmp.icmp_type != ICMP_ECHO || ntohs(oicmp.icmp_id) != p->ident)
		return;
	if (p->quiet)
		return;
	u_printf("%d bytes from %s: ", len + ICMP_MINLEN, inet_ntoa_r(from->ip, addr));
	switch (icp->icmp_type) {
	case ICMP_UNREACH:
		if (icp->icmp_code == ICMP_UNREACH_NEEDFRAG)
			u_printf("%s (MTU %d)\n", unreach_text(icp->icmp_code),
			    ntohs(icp->icmp_nextmtu));
		else
			u_printf("%s\n", unreach_text(icp->icmp_code));
		break;
	case ICMP_TIMXCEED:
		u_printf("%s\n", icp->icmp_code == ICMP_TIMXCEED_INTRANS ?
		    "Time to live exceeded" : "Frag reassembly time exceeded");
		break;
	case ICMP_REDIRECT:
		u_printf("Redirect Host(New addr: %s)\n", inet_ntoa_r(icp->icmp_gwaddr, addr));
		break;
	default:
		u_printf("Bad ICMP type: %d\n", icp->icmp_type);
	}
	print_quoted(data, len);
}

static void
pr_pack(struct ping *p, size_t len, const struct us_addr *from, int64_t now)
{
	char addr[INET_ADDRSTRLEN];
	struct icmp icp;
	struct ip ip;
	int64_t sent, us;
	uint16_t seq;
	int hlen, i, cc;
	bool dup, timing;

	if (len < sizeof(ip))
		return;
	memcpy(&ip, p->buf, sizeof(ip));
	hlen = ip.ip_hl << 2;
	if (len < (size_t)hlen + ICMP_MINLEN)
		return;
	cc = len - hlen;
	bzero(&icp, sizeof(icp));
	memcpy(&icp, p->buf + hlen, ICMP_MINLEN);
	if (icp.icmp_type == ICMP_ECHO)
		return;		/* our own, when we ping ourselves */
	if (icp.icmp_type != ICMP_ECHOREPLY) {
		print_error(p, &icp, p->buf + hlen + ICMP_MINLEN, cc - ICMP_MINLEN, from);
		return;
	}
	if (ntohs(icp.icmp_id) != p->ident)
		return;
	p->received++;
	seq = ntohs(icp.icmp_seq);
	dup = (p->seen[seq / 8] & (1 << (seq % 8))) != 0;
	p->seen[seq / 8] |= 1 << (seq % 8);
	if (dup) {
		p->duplicates++;
		p->received--;
	}
	us = 0;
	timing = cc >= ICMP_MINLEN + (int)sizeof(sent);
	if (timing) {
		memcpy(&sent, p->buf + hlen + ICMP_MINLEN, sizeof(sent));
		us = (now - sent) / 1000;
		p->tsum += us;
		p->tsumsq += us * us;
		p->tmin = MIN(p->tmin, us);
		p->tmax = MAX(p->tmax, us);
		if (us * 1000 > p->waittime) {
			p->outofwait++;
			return;
		}
	}
	if (p->quiet)
		return;
	u_printf("%d bytes from %s: icmp_seq=%u", cc, inet_ntoa_r(from->ip, addr), seq);
	u_printf(" ttl=%d", ip.ip_ttl);
	if (timing)
		u_printf(" time=%lld.%03lld ms", (long long)(us / 1000), (long long)(us % 1000));
	if (dup)
		u_printf(" (DUP!)");
	for (i = sizeof(sent); timing && i < p->datalen && hlen + ICMP_MINLEN + i < (int)len; i++)
		if (p->buf[hlen + ICMP_MINLEN + i] != (u_char)i) {
			u_printf("\nwrong data byte #%d should be 0x%x but was 0x%x", i,
			    (u_char)i, p->buf[hlen + ICMP_MINLEN + i]);
			break;
		}
	u_printf("\n");
}

static int64_t
square_root(int64_t v)
{
	int64_t r, bit;

	r = 0;
	for (bit = 1LL << 62; bit > v; bit >>= 2)
		;
	for (; bit != 0; bit >>= 2)
		if (v >= r + bit) {
			v -= r + bit;
			r = (r >> 1) + bit;
		} else
			r >>= 1;
	return (r);
}

static void
finish(struct ping *p)
{
	char addr[INET_ADDRSTRLEN];
	int64_t loss, n, avg, dev;

	u_printf("\n--- %s ping statistics ---\n", inet_ntoa_r(p->target.ip, addr));
	u_printf("%lld packets transmitted, %lld packets received", (long long)p->sent,
	    (long long)p->received);
	if (p->duplicates != 0)
		u_printf(", +%lld duplicates", (long long)p->duplicates);
	if (p->sent != 0) {
		if (p->received > p->sent)
			u_printf(", -- somebody is printing forged packets!");
		else {
			loss = (p->sent - p->received) * 1000 / p->sent;
			u_printf(", %lld.%lld%% packet loss", (long long)(loss / 10),
			    (long long)(loss % 10));
		}
	}
	if (p->outofwait != 0)
		u_printf(", %lld packets out of wait time", (long long)p->outofwait);
	u_printf("\n");
	n = p->received + p->duplicates;
	if (n > 0 && p->tmin != INT64_MAX) {
		avg = p->tsum / n;
		dev = square_root(MAX(p->tsumsq / n - avg * avg, 0));
		u_printf("round-trip min/avg/max/stddev = %lld.%03lld/%lld.%03lld/%lld.%03lld/"
		    "%lld.%03lld ms\n", (long long)(p->tmin / 1000), (long long)(p->tmin % 1000),
		    (long long)(avg / 1000), (long long)(avg % 1000),
		    (long long)(p->tmax / 1000), (long long)(p->tmax % 1000),
		    (long long)(dev / 1000), (long long)(dev % 1000));
	}
}

static int
usage(void)
{
	u_eprintf("usage: ping [-Doqv] [-c count] [-i wait] [-m ttl] [-S src_addr]\n"
	    "            [-s packetsize] [-t timeout] [-W waittime] host\n");
	return (64);
}

static int
ping_loop(struct ping *p)
{
	struct us_addr from;
	int64_t start, next, deadline, now, wait;
	size_t len;
	int error;
	bool last;

	start = next = us_now_ns();
	last = false;
	deadline = 0;
	for (;;) {
		now = us_now_ns();
		if (!last && now >= next) {
			pinger(p);
			next += p->interval;
			if (next < now)
				next = now;
			if (p->npackets != 0 && p->sent >= p->npackets) {
				last = true;
				/* Twice the slowest answer so far, or the whole wait. */
				wait = p->received > 0 ? MAX(2 * p->tmax * 1000, NS) : p->waittime;
				deadline = us_now_ns() + wait;
			}
		}
		wait = last ? deadline : next;
		if (p->timeout != 0)
			wait = MIN(wait, start + p->timeout);
		len = sizeof(p->buf);
		error = us_recvfrom(p->sock, p->buf, &len, &from, wait);
		now = us_now_ns();
		if (error == 0)
			pr_pack(p, len, &from, now);
		else if (error == EINTR || u_interrupted())
			return (0);
		if ((p->once && p->received > 0) ||
		    (p->npackets != 0 && p->received >= p->npackets))
			return (0);
		if ((last && now >= deadline) || (p->timeout != 0 && now >= start + p->timeout))
			return (0);
	}
}

static int
cmd_ping(int argc, char **argv)
{
	static uint16_t next_ident = 0x4d00;
	char addr[INET_ADDRSTRLEN];
	struct us_addr src;
	struct opts o;
	struct ping *p;
	int64_t v;
	int ch, error, rv;

	p = u_calloc(sizeof(*p));
	p->interval = NS;
	p->waittime = 10 * NS;
	p->datalen = 56;
	p->tmin = INT64_MAX;
	bzero(&src, sizeof(src));
	rv = -1;
	bzero(&o, sizeof(o));
	o.ind = 1;
	while (rv < 0 && (ch = next_option(&o, argc, argv, "4c:Di:m:noqS:s:t:vW:")) != -1)
		switch (ch) {
		case 'c':
			if (u_parse_int(o.arg, &p->npackets) != 0 || p->npackets <= 0) {
				u_warnx("ping", "invalid count of packets to transmit: `%s'", o.arg);
				rv = 64;
			}
			break;
		case 'D':
			p->df = true;
			break;
		case 'i':
			p->interval = parse_seconds(o.arg);
			if (p->interval <= 0) {
				u_warnx("ping", "invalid timing interval: `%s'", o.arg);
				rv = 64;
			}
			break;
		case 'm':
			if (u_parse_int(o.arg, &v) != 0 || v < 1 || v > MAXTTL) {
				u_warnx("ping", "invalid TTL: `%s'", o.arg);
				rv = 64;
			}
			p->ttl = v;
			break;
		case 'o':
			p->once = true;
			break;
		case 'q':
			p->quiet = true;
			break;
		case 'S':
			if (us_parse(o.arg, &src) != 0) {
				u_warnx("ping", "invalid source address: `%s'", o.arg);
				rv = 64;
			}
			break;
		case 's':
			if (u_parse_int(o.arg, &v) != 0 || v < 0 || v > MAXPACKET) {
				u_warnx("ping", "invalid packet size: `%s'", o.arg);
				rv = 64;
			}
			p->datalen = v;
			break;
		case 't':
			p->timeout = parse_seconds(o.arg);
			if (p->timeout <= 0) {
				u_warnx("ping", "invalid timeout: `%s'", o.arg);
				rv = 64;
			}
			break;
		case 'v':
			p->verbose = true;
			break;
		case 'W':
			if (u_parse_int(o.arg, &v) != 0 || v < 0) {
				u_warnx("ping", "invalid timing interval: `%s'", o.arg);
				rv = 64;
			}
			p->waittime = v * 1000000;
			break;
		case '4':
		case 'n':
			break;
		default:
			rv = usage();
		}
	if (rv < 0 && argc - o.ind != 1)
		rv = usage();
	if (rv < 0 && (us_parse(argv[o.ind], &p->target) != 0 || p->target.port != 0)) {
		u_warnx("ping", "cannot resolve %s: Name does not resolve", argv[o.ind]);
		rv = 68;
	}
	if (rv >= 0) {
		u_free(p);
		return (rv);
	}
	error = us_socket(US_ICMP, &p->sock);
	if (error != 0) {
		u_warn("ping", error, "socket");
		u_free(p);
		return (71);
	}
	if (src.ip.s_addr != INADDR_ANY)
		(void)us_bind(p->sock, &src);
	if (p->ttl != 0)
		(void)us_setttl(p->sock, p->ttl);
	if (p->df)
		(void)us_setdontfrag(p->sock, true);
	(void)us_setrcvbuf(p->sock, MAX(p->datalen, 2048) * 50 < 1000000 ?
	    MAX(p->datalen, 2048) * 50 : 1000000);
	p->ident = ++next_ident;
	u_printf("PING %s (%s): %d data bytes\n", argv[o.ind], inet_ntoa_r(p->target.ip, addr),
	    p->datalen);
	(void)ping_loop(p);
	finish(p);
	us_close(p->sock);
	rv = p->received > 0 ? 0 : 2;
	u_free(p);
	return (rv);
}
USERCMD(ping, cmd_ping);
