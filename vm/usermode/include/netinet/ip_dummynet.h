/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _IP_DUMMYNET_H
#define	_IP_DUMMYNET_H

#include <sys/types.h>
#include <netinet/ip_fw.h>

#define	NEW_AQM
#define	DN_API_VERSION	12500000
#define	DN_MAX_ID	0x10000

/*
 * Messages by IP_DUMMYNET3 are a sequence of objects.  Each starts with one of
 * these; len counts the whole object.
 */
struct dn_id {
	uint16_t	len;
	uint8_t		type;
	uint8_t		subtype;
	uint32_t	id;
};

enum {
	DN_NONE = 0,
	DN_LINK = 1,
	DN_FS,
	DN_SCH,
	DN_SCH_I,
	DN_QUEUE,
	DN_DELAY_LINE,
	DN_PROFILE,
	DN_FLOW,
	DN_TEXT,

	DN_CMD_CONFIG = 0x80,	/* objects follow */
	DN_CMD_DELETE,		/* subtype, and a list of numbers */
	DN_CMD_GET,
	DN_CMD_FLUSH,
	DN_COMPAT_PIPE,
	DN_COMPAT_QUEUE,
	DN_GET_COMPAT,

	DN_SYSCTL_GET,
	DN_SYSCTL_SET,
	DN_AQM_PARAMS,
	DN_SCH_PARAMS,
	DN_LAST,
};

enum {	/* schedulers by number; the others name theirs in their own file */
	DN_SCHED_UNKNOWN = 0,
	DN_SCHED_FIFO = 1,
	DN_SCHED_WF2QP = 2,
};

enum {	/* flags of flowsets and schedulers */
	DN_HAVE_MASK	= 0x0001,
	DN_NOERROR	= 0x0002,	/* a full queue is no error of the sender */
	DN_QHT_HASH	= 0x0004,
	DN_QSIZE_BYTES	= 0x0008,
	DN_HAS_PROFILE	= 0x0010,
	DN_IS_RED	= 0x0020,
	DN_IS_GENTLE_RED = 0x0040,
	DN_IS_ECN	= 0x0080,
	DN_IS_AQM	= 0x0100,
	DN_PIPE_CMD	= 0x1000,	/* this came by "pipe N config" */
};

/* bit/s and ms outside; the kernel keeps delay in ticks and burst in bit*hz. */
struct dn_link {
	struct dn_id	oid;
	int32_t		link_nr;
	uint32_t	bandwidth;
	int		delay;
	uint64_t	burst;
};

/* A flowset: what separates packets into queues, and what these are like. */
struct dn_fs {
	struct dn_id	oid;
	uint32_t	fs_nr;
	uint32_t	flags;
	int		qsize;		/* packets, or bytes with DN_QSIZE_BYTES */
	int32_t		pl_state;
	uint32_t	buckets;
	struct ipfw_flow_id flow_mask;
	uint32_t	sched_nr;
	int		par[4];		/* weight, lmax, priority; -1 unset */
#define	SCALE_RED	16
#define	SCALE(x)	((x) << SCALE_RED)
#define	SCALE_VAL(x)	((x) >> SCALE_RED)
#define	SCALE_MUL(x, y)	(((x) * (y)) >> SCALE_RED)
	int		w_q;
	int		max_th;
	int		min_th;
	int		max_p;
	int32_t		plr[4];		/* 2^31 - 1 is 100 % */
};

/* One flow, as it is shown. */
struct dn_flow {
	struct dn_id	oid;
	struct ipfw_flow_id fid;
	uint64_t	tot_pkts;
	uint64_t	tot_bytes;
	uint32_t	length;
	uint32_t	len_bytes;
	uint32_t	drops;
};

struct dn_sch {
	struct dn_id	oid;
	uint32_t	sched_nr;
	uint32_t	buckets;
	uint32_t	flags;
	char		name[16];
	struct ipfw_flow_id sched_mask;
};

/* Extra delay of a link, as a distribution. */
#define	ED_MAX_SAMPLES_NO	1024
struct dn_profile {
	struct dn_id	oid;
#define	ED_MAX_NAME_LEN		32
	char		name[ED_MAX_NAME_LEN];
	int		link_nr;
	int		loss_level;
	uint32_t	bandwidth;
	int		samples_no;
	int		samples[ED_MAX_SAMPLES_NO];
};

/* Parameters of a scheduler or an AQM beyond the common ones. */
struct dn_extra_parms {
	struct dn_id	oid;
	char		name[16];
	uint32_t	nr;
#define	DN_MAX_EXTRA_PARM	10
	int64_t		par[DN_MAX_EXTRA_PARM];
};

#endif /* !_IP_DUMMYNET_H */
