/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _IPFW2_H
#define	_IPFW2_H

#include <sys/param.h>
#include <sys/socket.h>
#include <net/if.h>
#include <netinet/in.h>

/* The last rule: it always matches and is never deleted. */
#define	IPFW_DEFAULT_RULE	65535
#define	RESVD_SET		31	/* the default rule's: survives flush */
#define	IPFW_MAX_SETS		32

#define	IPFW_ARG_MIN		1
#define	IPFW_ARG_MAX		65534
#define	IP_FW_TABLEARG		65535
#define	IP_FW_TARG		0

/* Every IP_FW3 message starts with one of these. */
typedef struct _ip_fw3_opheader {
	uint16_t	opcode;
	uint16_t	version;
	uint16_t	reserved[2];
} ip_fw3_opheader;
#define	IP_FW3_OPVER_0		0
#define	IP_FW3_OPVER_1		1
#define	IP_FW3_OPVER		IP_FW3_OPVER_1

#define	IP_FW_XGET		97
#define	IP_FW_XADD		98
#define	IP_FW_XDEL		99
#define	IP_FW_XMOVE		100
#define	IP_FW_XZERO		101
#define	IP_FW_XRESETLOG		102
#define	IP_FW_SET_SWAP		103
#define	IP_FW_SET_MOVE		104
#define	IP_FW_SET_ENABLE	105
#define	IP_FW_XIFLIST		107
#define	IP_FW_DUMP_SOPTCODES	116

/*
 * A rule is a list of instructions in 32-bit words.  Their numbers are part of
 * the interface; those that this kernel lacks are refused when a rule is added.
 */
enum ipfw_opcodes {
	O_NOP = 0,
	O_IP_SRC, O_IP_SRC_MASK, O_IP_SRC_ME, O_IP_SRC_SET,
	O_IP_DST, O_IP_DST_MASK, O_IP_DST_ME, O_IP_DST_SET,
	O_IP_SRCPORT, O_IP_DSTPORT,
	O_PROTO,
	O_MACADDR2, O_MAC_TYPE,
	O_LAYER2, O_IN, O_FRAG,
	O_RECV, O_XMIT, O_VIA,
	O_IPOPT, O_IPLEN, O_IPID,
	O_IPTOS, O_IPPRECEDENCE, O_IPTTL, O_IPVER,
	O_UID, O_GID,
	O_ESTAB, O_TCPFLAGS, O_TCPWIN, O_TCPSEQ, O_TCPACK,
	O_ICMPTYPE, O_TCPOPTS,
	O_VERREVPATH, O_VERSRCREACH,
	O_PROBE_STATE, O_KEEP_STATE, O_LIMIT, O_LIMIT_PARENT,
	/* These are actions. */
	O_LOG, O_PROB, O_CHECK_STATE,
	O_ACCEPT, O_DENY, O_REJECT, O_COUNT, O_SKIPTO, O_PIPE, O_QUEUE,
	O_DIVERT, O_TEE, O_FORWARD_IP, O_FORWARD_MAC, O_NAT, O_REASS,
	/* Later additions of both kinds. */
	O_IPSEC, O_IP_SRC_LOOKUP, O_IP_DST_LOOKUP, O_ANTISPOOF, O_JAIL,
	O_ALTQ, O_DIVERTED, O_TCPDATALEN,
	O_IP6_SRC, O_IP6_SRC_ME, O_IP6_SRC_MASK,
	O_IP6_DST, O_IP6_DST_ME, O_IP6_DST_MASK,
	O_FLOW6ID, O_ICMP6TYPE, O_EXT_HDR, O_IP6,
	O_NETGRAPH, O_NGTEE,
	O_IP4, O_UNREACH6, O_TAG, O_TAGGED, O_SETFIB, O_FIB, O_SOCKARG,
	O_CALLRETURN, O_FORWARD_IP6, O_DSCP, O_SETDSCP, O_IP_FLOW_LOOKUP,
	O_EXTERNAL_ACTION, O_EXTERNAL_INSTANCE, O_EXTERNAL_DATA,
	O_SKIP_ACTION, O_TCPMSS, O_MAC_SRC_LOOKUP, O_MAC_DST_LOOKUP,
	O_SETMARK, O_MARK, O_TABLE_LOOKUP,
	O_LAST_OPCODE
};
_Static_assert(O_LAST_OPCODE == 100, "opcodes are numbered as FreeBSD's");

/*
 * One instruction; longer ones start with it.  len is in words with two flags
 * on top: F_NOT turns the result round, F_OR joins it to the one that follows.
 */
typedef struct _ipfw_insn {
	_Alignas(_Alignof(u_int32_t)) u_int8_t opcode;
	u_int8_t	len;
#define	F_NOT		0x80
#define	F_OR		0x40
#define	F_LEN_MASK	0x3f
#define	F_LEN(cmd)	((cmd)->len & F_LEN_MASK)
	u_int16_t	arg1;
} ipfw_insn;
#define	F_INSN_SIZE(t)	((sizeof(t)) / sizeof(u_int32_t))

typedef struct _ipfw_insn_u16 {		/* pairs: from, to */
	ipfw_insn	o;
	u_int16_t	ports[2];
} ipfw_insn_u16;

typedef struct _ipfw_insn_u32 {
	ipfw_insn	o;
	u_int32_t	d[1];
} ipfw_insn_u32;

typedef struct _ipfw_insn_kidx {
	ipfw_insn	o;
	uint32_t	kidx;
} ipfw_insn_kidx;

typedef struct _ipfw_insn_ip {
	ipfw_insn	o;
	struct in_addr	addr;
	struct in_addr	mask;
} ipfw_insn_ip;

typedef struct _ipfw_insn_sa {
	ipfw_insn	o;
	struct sockaddr_in sa;
} ipfw_insn_sa;

typedef struct _ipfw_insn_mac {		/* destination, then source */
	ipfw_insn	o;
	u_char		addr[12];
	u_char		mask[12];
} ipfw_insn_mac;

typedef struct _ipfw_insn_if {
	ipfw_insn	o;
	union {
		struct in_addr	ip;
		int		glob;
		uint16_t	kidx_v0;
		uint32_t	kidx;
	} p;
	char		name[IFNAMSIZ];	/* empty: p.ip counts */
} ipfw_insn_if;

typedef struct _ipfw_insn_limit {
	ipfw_insn	o;
	u_int32_t	kidx;
	u_int8_t	_pad;
	u_int8_t	limit_mask;
#define	DYN_SRC_ADDR	0x1
#define	DYN_SRC_PORT	0x2
#define	DYN_DST_ADDR	0x4
#define	DYN_DST_PORT	0x8
	u_int16_t	conn_limit;
} ipfw_insn_limit;

typedef struct _ipfw_insn_log {
	ipfw_insn	o;
	u_int32_t	max_log;	/* 0: no limit */
	u_int32_t	log_left;
} ipfw_insn_log;

#define	insntod(p, type)	((ipfw_insn_ ## type *)(p))
#define	insntoc(p, type)	((const ipfw_insn_ ## type *)(p))

/* A rule between kernel and userland. */
struct ip_fw_rule {
	uint16_t	act_ofs;	/* words before the first action */
	uint16_t	cmd_len;	/* words in all */
	uint16_t	spare;
	uint8_t		set;
	uint8_t		flags;
	uint32_t	rulenum;
	uint32_t	id;
	ipfw_insn	cmd[1];
};
#define	IPFW_RULE_NOOPT		0x01
#define	IPFW_RULE_JUSTOPTS	0x02

struct ip_fw_bcounter {
	uint16_t	size;
	uint8_t		flags;
	uint8_t		spare;
	uint32_t	timestamp;	/* of the last match, s */
	uint64_t	pcnt;
	uint64_t	bcnt;
};

#define	ACTION_PTR(rule)						\
	((ipfw_insn *)((u_int32_t *)((rule)->cmd) + ((rule)->act_ofs)))
#define	RULESIZE(rule)	(sizeof(*(rule)) + (rule)->cmd_len * 4 - 4)

/* What flow a packet belongs to; also the mask that makes flows of packets. */
struct ipfw_flow_id {
	uint32_t	dst_ip;		/* host byte order */
	uint32_t	src_ip;
	uint16_t	dst_port;
	uint16_t	src_port;
	uint8_t		fib;
	uint8_t		proto;
	uint8_t		_flags;
	uint8_t		addr_type;	/* 4, 6 */
	struct in6_addr	dst_ip6;
	struct in6_addr	src_ip6;
	uint32_t	flow_id6;
	uint32_t	extra;
};
#define	IS_IP4_FLOW_ID(id)	((id)->addr_type == 4)
#define	IS_IP6_FLOW_ID(id)	((id)->addr_type == 6)

#define	IP_FW_IPOPT_LSRR	0x01
#define	IP_FW_IPOPT_SSRR	0x02
#define	IP_FW_IPOPT_RR		0x04
#define	IP_FW_IPOPT_TS		0x08
#define	ICMP_REJECT_RST		0x100
#define	ICMP_REJECT_ABORT	0x101

typedef struct _ipfw_obj_tlv {
	uint16_t	type;
	uint16_t	flags;
	uint32_t	length;
} ipfw_obj_tlv;
#define	IPFW_TLV_RULE_LIST	3
#define	IPFW_TLV_RULE_ENT	7
#define	IPFW_TLV_RANGE		9

/* Which rules a command is for. */
typedef struct _ipfw_range_tlv {
	ipfw_obj_tlv	head;
	uint32_t	flags;
	uint16_t	start_rule;
	uint16_t	end_rule;
	uint32_t	set;
	uint32_t	new_set;
} ipfw_range_tlv;
#define	IPFW_RCFLAG_RANGE	0x01	/* by number */
#define	IPFW_RCFLAG_ALL		0x02
#define	IPFW_RCFLAG_SET		0x04
#define	IPFW_RCFLAG_DYNAMIC	0x08
#define	IPFW_RCFLAG_DEFAULT	0x10000

typedef struct _ipfw_range_header {
	ip_fw3_opheader	opheader;
	ipfw_range_tlv	range;
} ipfw_range_header;

typedef struct _ipfw_cfg_lheader {
	ip_fw3_opheader	opheader;
	uint32_t	set_mask;	/* enabled sets */
	uint32_t	spare;
	uint32_t	flags;
	uint32_t	size;		/* bytes in all */
	uint32_t	start_rule;
	uint32_t	end_rule;
} ipfw_cfg_lheader;
#define	IPFW_CFG_GET_STATIC	0x01
#define	IPFW_CFG_GET_STATES	0x02
#define	IPFW_CFG_GET_COUNTERS	0x04

/* In a reply each rule is a TLV: counters, then struct ip_fw_rule. */
typedef struct _ipfw_obj_ctlv {
	ipfw_obj_tlv	head;
	uint32_t	count;
	uint16_t	objsize;
	uint8_t		version;
	uint8_t		flags;
} ipfw_obj_ctlv;

#endif /* !_IPFW2_H */
