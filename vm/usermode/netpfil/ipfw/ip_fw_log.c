/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw: what a rule with "log" says on the console, when net.inet.ip.fw.verbose
 * is on.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/mbuf.h>
#include <sys/socket.h>
#include <sys/syslog.h>

#include <net/if.h>
#include <net/if_var.h>
#include <net/if_private.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <netpfil/ipfw/ip_fw_private.h>

static void
log_action(const ipfw_insn *cmd, char *buf, size_t size)
{

	switch (cmd->opcode) {
	case O_DENY:
		strlcpy(buf, "Deny", size);
		break;
	case O_REJECT:
		if (cmd->arg1 == ICMP_REJECT_RST)
			strlcpy(buf, "Reset", size);
		else if (cmd->arg1 == ICMP_UNREACH_HOST)
			strlcpy(buf, "Reject", size);
		else
			snprintf(buf, size, "Unreach %d", cmd->arg1);
		break;
	case O_ACCEPT:
		strlcpy(buf, "Accept", size);
		break;
	case O_COUNT:
		strlcpy(buf, "Count", size);
		break;
	case O_SKIPTO:
		snprintf(buf, size, "SkipTo %d", insntoc(cmd, u32)->d[0]);
		break;
	case O_PIPE:
		snprintf(buf, size, "Pipe %d", cmd->arg1);
		break;
	case O_QUEUE:
		snprintf(buf, size, "Queue %d", cmd->arg1);
		break;
	default:
		strlcpy(buf, "UNKNOWN", size);
		break;
	}
}

static void
log_packet(struct ip *ip, u_short offset, char *buf, size_t size)
{
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];
	const void *ulp;
	const struct tcphdr *tcp;
	const struct icmp *icmp;

	inet_ntoa_r(ip->ip_src, src);
	inet_ntoa_r(ip->ip_dst, dst);
	ulp = (const char *)ip + (ip->ip_hl << 2);
	switch (ip->ip_p) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		/* Both start with the ports. */
		tcp = ulp;
		if (offset == 0)
			snprintf(buf, size, "%s %s:%d %s:%d",
			    ip->ip_p == IPPROTO_TCP ? "TCP" : "UDP", src,
			    ntohs(tcp->th_sport), dst, ntohs(tcp->th_dport));
		else
			snprintf(buf, size, "%s %s %s",
			    ip->ip_p == IPPROTO_TCP ? "TCP" : "UDP", src, dst);
		break;
	case IPPROTO_ICMP:
		icmp = ulp;
		if (offset == 0)
			snprintf(buf, size, "ICMP:%u.%u %s %s",
			    icmp->icmp_type, icmp->icmp_code, src, dst);
		else
			snprintf(buf, size, "ICMP %s %s", src, dst);
		break;
	default:
		snprintf(buf, size, "P:%d %s %s", ip->ip_p, src, dst);
		break;
	}
}

void
ipfw_log(struct ip_fw_chain *chain, struct ip_fw *f, u_int hlen,
    struct ip_fw_args *args, u_short offset, uint32_t tablearg, struct ip *ip,
    void *eh)
{
	char action[32], proto[80], fragment[40];
	ipfw_insn *cmd;
	ipfw_insn_log *l;
	u_int limit;

	if (__atomic_load_n(&V_fw_verbose, __ATOMIC_RELAXED) == 0)
		return;
	/* O_LOG is the first action, what it is about the next. */
	cmd = ACTION_PTR(f);
	l = insntod(cmd, log);
	if (l->max_log != 0 && l->log_left == 0)
		return;
	l->log_left--;
	limit = l->log_left == 0 ? l->max_log : 0;
	cmd += F_LEN(cmd);
	if (cmd->opcode == O_PROB)
		cmd += F_LEN(cmd);
	log_action(cmd, action, sizeof(action));

	fragment[0] = '\0';
	if (hlen == 0)
		strlcpy(proto, "MAC", sizeof(proto));
	else {
		log_packet(ip, offset, proto, sizeof(proto));
		if ((ntohs(ip->ip_off) & (IP_MF | IP_OFFMASK)) != 0)
			snprintf(fragment, sizeof(fragment),
			    " (frag %d:%d@%d%s)", ntohs(ip->ip_id),
			    ntohs(ip->ip_len) - (ip->ip_hl << 2), offset << 3,
			    (ntohs(ip->ip_off) & IP_MF) != 0 ? "+" : "");
	}
	log(LOG_SECURITY | LOG_INFO, "ipfw: %d %s %s %s via %s%s\n",
	    f->rulenum, action, proto,
	    (args->flags & IPFW_ARGS_OUT) != 0 ? "out" : "in",
	    args->ifp->if_xname, fragment);
	if (limit != 0)
		log(LOG_SECURITY | LOG_NOTICE,
		    "ipfw: limit %d reached on entry %d\n", limit, f->rulenum);
}
