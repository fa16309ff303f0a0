/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _IPFW_USER_H_
#define	_IPFW_USER_H_

/*
 * ipfw(8) and dnctl(8).  Functions return an exit status of sysexits(3), 0
 * when all is well; whoever returns another one has said why.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <netinet/in.h>
#include <netinet/ip_fw.h>
#include "userland.h"

#define	EX_OK		0
#define	EX_USAGE	64
#define	EX_DATAERR	65
#define	EX_NOHOST	68
#define	EX_UNAVAILABLE	69
#define	EX_OSERR	71

#define	TRY(call)	do {						\
	int _status = (call);						\
	if (_status != EX_OK)						\
		return (_status);					\
} while (0)

struct ipfw {
	const char	*prog;
	bool		acct;		/* -a */
	bool		compact;	/* -c */
	bool		force;		/* -f */
	bool		test_only;	/* -n */
	bool		quiet;		/* -q */
	bool		show_sets;	/* -S */
	int		show_time;	/* 't', 'T' or 0 */
	bool		verbose;	/* -v */
	int		use_set;	/* "set N": N + 1 */
	int		do_pipe;	/* 1 pipe, 2 queue, 3 sched */
};

/* A word and its value; the list ends with a NULL word. */
struct token {
	const char	*word;
	int		value;
};
int	match_token(const struct token *table, const char *word);
const char *match_value(const struct token *table, int value);

/* "ipfw: text" on standard error; return the status. */
int	ipfw_errx(const struct ipfw *x, int status, const char *fmt, ...)
	    __printflike(3, 4);
int	ipfw_err(const struct ipfw *x, int status, int error, const char *fmt, ...)
	    __printflike(4, 5);
void	ipfw_warnx(const struct ipfw *x, const char *fmt, ...) __printflike(2, 3);
/* Equal, or (with a warning, as ipfw(8) has it) the beginning of word. */
bool	ipfw_word(const struct ipfw *x, const char *arg, const char *word);

/* [gs]etsockopt(2); 0 or an errno number.  A vnet without ipfw: ENOPROTOOPT. */
int	ipfw_sockopt(enum sopt_dir dir, int name, void *buf, size_t *len);
int	ipfw_ctl(const struct ipfw *x, int opcode, void *buf, size_t *len);

/* ipfw_rule.c: words behind "add" into a rule; room bytes are there. */
int	ipfw_compile(const struct ipfw *x, char **av, struct ip_fw_rule *rule,
	    size_t room);
const char *ipfw_proto_name(int proto);
int	ipfw_contigmask(const uint8_t *p, int len);

extern const struct token ipfw_tcpflags[], ipfw_iptos[], ipfw_ipoff[],
    ipfw_dscp[], ipfw_icmpcodes[];

/* ipfw_print.c; widths of the counters, 0 for none. */
void	ipfw_print_rule(const struct ipfw *x, const struct ip_fw_rule *rule,
	    const struct ip_fw_bcounter *cntr, uint32_t set_mask, int pcwidth,
	    int bcwidth);

/* ipfw_dummynet.c */
int	ipfw_pipe_config(const struct ipfw *x, int ac, char **av);
int	ipfw_pipe_list(const struct ipfw *x, int ac, char **av);
int	ipfw_pipe_delete(const struct ipfw *x, int nr);
int	ipfw_pipe_flush(const struct ipfw *x);

#endif /* !_IPFW_USER_H_ */
