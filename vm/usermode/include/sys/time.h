/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_TIME_H_
#define	_SYS_TIME_H_

#include <sys/types.h>

struct timeval { time_t tv_sec; suseconds_t tv_usec; };
struct timespec { time_t tv_sec; long tv_nsec; };
struct bintime { time_t sec; uint64_t frac; };
struct itimerval { struct timeval it_interval, it_value; };
struct itimerspec { struct timespec it_interval, it_value; };
struct timezone { int tz_minuteswest, tz_dsttime; };

#define	SBT_1S	((sbintime_t)1 << 32)
#define	SBT_1M	(SBT_1S * 60)
#define	SBT_1MS	(SBT_1S / 1000)
#define	SBT_1US	(SBT_1S / 1000000)
#define	SBT_1NS	(SBT_1S / 1000000000)
#define	SBT_MAX	INT64_MAX

#define	CLOCK_REALTIME		0
#define	CLOCK_MONOTONIC		4
#define	CLOCK_UPTIME		5

static inline int
sbintime_getsec(sbintime_t sbt)
{
	return ((int)(sbt >> 32));
}

static inline sbintime_t
bttosbt(const struct bintime bt)
{
	return (((sbintime_t)bt.sec << 32) + (sbintime_t)(bt.frac >> 32));
}

static inline struct bintime
sbttobt(sbintime_t sbt)
{
	return ((struct bintime){ sbt >> 32, (uint64_t)sbt << 32 });
}

/* Whole seconds and the rest apart, so that nothing overflows or is lost twice. */
static inline int64_t
sbttons(sbintime_t sbt)
{
	return ((sbt >> 32) * 1000000000 +
	    (int64_t)(((uint64_t)(uint32_t)sbt * 1000000000) >> 32));
}

static inline int64_t
sbttous(sbintime_t sbt)
{
	return ((sbt >> 32) * 1000000 +
	    (int64_t)(((uint64_t)(uint32_t)sbt * 1000000) >> 32));
}

static inline int64_t
sbttoms(sbintime_t sbt)
{
	return ((sbt >> 32) * 1000 + (int64_t)(((uint64_t)(uint32_t)sbt * 1000) >> 32));
}

/* Rounded up, so that the way back gives the same number. */
static inline sbintime_t
nstosbt(int64_t ns)
{
	return (((ns / 1000000000) << 32) +
	    (sbintime_t)((((uint64_t)(ns % 1000000000) << 32) + 999999999) / 1000000000));
}

static inline sbintime_t
ustosbt(int64_t us)
{
	return (((us / 1000000) << 32) +
	    (sbintime_t)((((uint64_t)(us % 1000000) << 32) + 999999) / 1000000));
}

static inline sbintime_t
mstosbt(int64_t ms)
{
	return (((ms / 1000) << 32) + (sbintime_t)((((uint64_t)(ms % 1000) << 32) + 999) / 1000));
}

static inline struct timespec
sbttots(sbintime_t sbt)
{
	return ((struct timespec){ sbt >> 32, (long)(((uint64_t)(uint32_t)sbt * 1000000000) >> 32) });
}

static inline sbintime_t
tstosbt(struct timespec ts)
{
	return (((sbintime_t)ts.tv_sec << 32) + nstosbt(ts.tv_nsec));
}

static inline struct timeval
sbttotv(sbintime_t sbt)
{
	return ((struct timeval){ sbt >> 32,
	    (suseconds_t)(((uint64_t)(uint32_t)sbt * 1000000) >> 32) });
}

static inline sbintime_t
tvtosbt(struct timeval tv)
{
	return (((sbintime_t)tv.tv_sec << 32) + ustosbt(tv.tv_usec));
}

static inline void
bintime_addx(struct bintime *bt, uint64_t x)
{
	uint64_t u = bt->frac;

	bt->frac += x;
	if (u > bt->frac)
		bt->sec++;
}

static inline void
bintime_add(struct bintime *a, const struct bintime *b)
{
	bintime_addx(a, b->frac);
	a->sec += b->sec;
}

static inline void
bintime_sub(struct bintime *a, const struct bintime *b)
{
	if (a->frac < b->frac)
		a->sec--;
	a->frac -= b->frac;
	a->sec -= b->sec;
}

static inline void
bintime2timeval(const struct bintime *bt, struct timeval *tv)
{
	*tv = sbttotv(bttosbt(*bt));
}

static inline void
bintime2timespec(const struct bintime *bt, struct timespec *ts)
{
	*ts = sbttots(bttosbt(*bt));
}

#define	timevalclear(tvp)	((tvp)->tv_sec = (tvp)->tv_usec = 0)
#define	timevalisset(tvp)	((tvp)->tv_sec != 0 || (tvp)->tv_usec != 0)
#define	timevalcmp(a, b, cmp)						\
	((a)->tv_sec == (b)->tv_sec ? (a)->tv_usec cmp (b)->tv_usec : (a)->tv_sec cmp (b)->tv_sec)
void	timevaladd(struct timeval *, const struct timeval *);
void	timevalsub(struct timeval *, const struct timeval *);
#define	timeradd(a, b, r)	do { *(r) = *(a); timevaladd((r), (b)); } while (0)
#define	timersub(a, b, r)	do { *(r) = *(a); timevalsub((r), (b)); } while (0)

extern _Atomic time_t	time_second;
extern _Atomic time_t	time_uptime;
extern time_t		boottime_sec;
extern sbintime_t	sbt_timethreshold;
extern sbintime_t	sbt_tickthreshold;
extern sbintime_t	tick_sbt;
extern int		tc_precexp;

sbintime_t sbinuptime(void);
sbintime_t getsbinuptime(void);	/* of the last tick */
void	binuptime(struct bintime *);
void	nanouptime(struct timespec *);
void	microuptime(struct timeval *);
void	bintime(struct bintime *);
void	nanotime(struct timespec *);
void	microtime(struct timeval *);
void	getbinuptime(struct bintime *);
void	getnanouptime(struct timespec *);
void	getmicrouptime(struct timeval *);
void	getbintime(struct bintime *);
void	getnanotime(struct timespec *);
void	getmicrotime(struct timeval *);
void	getboottime(struct timeval *);
void	getboottimebin(struct bintime *);
static inline sbintime_t
sbintime_add_uptime(sbintime_t d)
{
	return (sbinuptime() + d);
}
int	tvtohz(struct timeval *);
int	ratecheck(struct timeval *, const struct timeval *);
int	ppsratecheck(struct timeval *, int *, int);
struct counter_rate;

#endif /* !_SYS_TIME_H_ */
