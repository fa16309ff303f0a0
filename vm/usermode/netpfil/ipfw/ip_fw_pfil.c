/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw's two places in the stack: IP packets and link-layer frames, in and out.
 *
 * A packet that dummynet gives back has a tag with its rule.  With one_pass it
 * is let through; without, the rules go on behind that one.  With both places
 * on (net.link.ether.ipfw) one packet meets the rules twice.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/mbuf.h>
#include <sys/module.h>
#include <sys/socket.h>
#include <sys/sysctl.h>

#include <net/if.h>
#include <net/if_var.h>
#include <net/ethernet.h>
#include <net/pfil.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>

#include <netpfil/ipfw/ip_fw_private.h>

VNET_DEFINE_STATIC(int, fw_enable) = 1;
#define	V_fw_enable	VNET(fw_enable)
VNET_DEFINE_STATIC(int, fwlink_enable) = 0;
#define	V_fwlink_enable	VNET(fwlink_enable)
VNET_DEFINE_STATIC(pfil_hook_t, ipfw_inet_hook);
#define	V_ipfw_inet_hook	VNET(ipfw_inet_hook)
VNET_DEFINE_STATIC(pfil_hook_t, ipfw_link_hook);
#define	V_ipfw_link_hook	VNET(ipfw_link_hook)

static int	ipfw_chg_hook(SYSCTL_HANDLER_ARGS);

SYSCTL_DECL(_net_inet_ip_fw);
SYSCTL_PROC(_net_inet_ip_fw, OID_AUTO, enable,
    CTLFLAG_VNET | CTLTYPE_INT | CTLFLAG_RWTUN | CTLFLAG_NOFETCH |
    CTLFLAG_SECURE3, &VNET_NAME(fw_enable), 0, ipfw_chg_hook, "I",
    "Enable ipfw");
SYSCTL_DECL(_net_link_ether);
SYSCTL_PROC(_net_link_ether, OID_AUTO, ipfw,
    CTLFLAG_VNET | CTLTYPE_INT | CTLFLAG_RWTUN | CTLFLAG_NOFETCH |
    CTLFLAG_SECURE3, &VNET_NAME(fwlink_enable), 0, ipfw_chg_hook, "I",
    "Pass ether pkts through firewall");

/*
 * Take the rule tag off a packet.  True when it has been through the rules
 * already and is to pass.
 */
static bool
ipfw_untag(struct mbuf *m, struct ip_fw_args *args)
{
	struct m_tag *tag;

	tag = m_tag_locate(m, MTAG_IPFW_RULE, 0, NULL);
	if (tag == NULL)
		return (false);
	args->rule = *(struct ipfw_rule_ref *)(tag + 1);
	m_tag_delete(m, tag);
	if ((args->rule.info & IPFW_ONEPASS) != 0)
		return (true);
	args->flags |= IPFW_ARGS_REF;
	return (false);
}

static pfil_return_t
ipfw_drop(struct mbuf **m0)
{

	if (*m0 != NULL)
		FREE_PKT(*m0);
	*m0 = NULL;
	return (PFIL_DROPPED);
}

static pfil_return_t
ipfw_check_packet(struct mbuf **m0, struct ifnet *ifp, int flags,
    void *ruleset __unused, struct inpcb *inp)
{
	struct ip_fw_args args;
	int (*dn_io)(struct mbuf **, struct ip_fw_args *);
	int ipfw;

	args.flags = (flags & PFIL_IN) != 0 ? IPFW_ARGS_IN : IPFW_ARGS_OUT;
	args.rule.pkt_mark = 0;
	for (;;) {
		if (ipfw_untag(*m0, &args))
			return (PFIL_PASS);
		args.m = *m0;
		args.ifp = ifp;
		args.inp = inp;
		ipfw = ipfw_chk(&args);
		*m0 = args.m;
		KASSERT(*m0 != NULL || ipfw == IP_FW_DENY,
		    ("%s: m0 is NULL", __func__));
		switch (ipfw) {
		case IP_FW_PASS:
			return (PFIL_PASS);
		case IP_FW_DENY:
			return (ipfw_drop(m0));
		case IP_FW_DUMMYNET:
			dn_io = __atomic_load_n(&ip_dn_io_ptr, __ATOMIC_ACQUIRE);
			if (dn_io == NULL ||
			    (args.flags & (IPFW_ARGS_IP4 | IPFW_ARGS_IP6)) == 0)
				return (ipfw_drop(m0));
			MPASS(args.flags & IPFW_ARGS_REF);
			(void)dn_io(m0, &args);
			if (*m0 == NULL)
				return (PFIL_CONSUMED);
			/* Through the pipe at once: it comes with its tag. */
			break;
		default:
			KASSERT(0, ("%s: unknown retval", __func__));
			return (ipfw_drop(m0));
		}
	}
}

static pfil_return_t
ipfw_check_frame(struct mbuf **m0, struct ifnet *ifp, int flags,
    void *ruleset __unused, struct inpcb *inp)
{
	struct ip_fw_args args;
	int (*dn_io)(struct mbuf **, struct ip_fw_args *);

	bzero(&args.rule, sizeof(args.rule));
	args.flags = IPFW_ARGS_ETHER |
	    ((flags & PFIL_IN) != 0 ? IPFW_ARGS_IN : IPFW_ARGS_OUT);
	args.ifp = ifp;
	args.inp = inp;
	if (ipfw_untag(*m0, &args))
		return (PFIL_PASS);
	args.m = *m0;
	switch (ipfw_chk(&args)) {
	case IP_FW_PASS:
		*m0 = args.m;
		return (PFIL_PASS);
	case IP_FW_DENY:
		*m0 = args.m;
		return (ipfw_drop(m0));
	case IP_FW_DUMMYNET:
		*m0 = args.m;
		dn_io = __atomic_load_n(&ip_dn_io_ptr, __ATOMIC_ACQUIRE);
		if (dn_io == NULL)
			return (ipfw_drop(m0));
		MPASS(args.flags & IPFW_ARGS_REF);
		(void)dn_io(m0, &args);
		return (PFIL_CONSUMED);
	default:
		*m0 = args.m;
		KASSERT(0, ("%s: unknown retval", __func__));
		return (ipfw_drop(m0));
	}
}

static pfil_hook_t
ipfw_hook(enum pfil_types type, pfil_mbuf_chk_t func, const char *name)
{
	struct pfil_hook_args pha = {
		.pa_version = PFIL_VERSION,
		.pa_flags = PFIL_IN | PFIL_OUT,
		.pa_type = type,
		.pa_mbuf_chk = func,
		.pa_modname = "ipfw",
		.pa_rulname = name,
	};

	return (pfil_add_hook(&pha));
}

static int
ipfw_link(int *which, bool on)
{
	struct pfil_link_args pla;

	pla.pa_version = PFIL_VERSION;
	pla.pa_flags = PFIL_IN | PFIL_OUT | PFIL_HEADPTR | PFIL_HOOKPTR |
	    (on ? 0 : PFIL_UNLINK);
	if (which == &V_fw_enable) {
		pla.pa_head = V_inet_pfil_head;
		pla.pa_hook = V_ipfw_inet_hook;
	} else {
		pla.pa_head = V_link_pfil_head;
		pla.pa_hook = V_ipfw_link_hook;
	}
	return (pfil_link(&pla));
}

int
ipfw_attach_hooks(void)
{
	int error;

	error = 0;
	V_ipfw_inet_hook = ipfw_hook(PFIL_TYPE_IP4, ipfw_check_packet,
	    "default");
	TUNABLE_INT_FETCH("net.inet.ip.fw.enable", &V_fw_enable);
	if (V_fw_enable && (error = ipfw_link(&V_fw_enable, true)) != 0)
		printf("ipfw_hook() error\n");
	V_ipfw_link_hook = ipfw_hook(PFIL_TYPE_ETHERNET, ipfw_check_frame,
	    "default-link");
	TUNABLE_INT_FETCH("net.link.ether.ipfw", &V_fwlink_enable);
	if (V_fwlink_enable && (error = ipfw_link(&V_fwlink_enable, true)) != 0)
		printf("ipfw_link_hook() error\n");
	return (error);
}

void
ipfw_detach_hooks(void)
{

	pfil_remove_hook(V_ipfw_inet_hook);
	pfil_remove_hook(V_ipfw_link_hook);
}

static int
ipfw_chg_hook(SYSCTL_HANDLER_ARGS)
{
	int error, *var = arg1, value;

	if (var != &V_fw_enable && var != &V_fwlink_enable)
		return (EINVAL);
	value = *var;
	error = sysctl_handle_int(oidp, &value, 0, req);
	if (error != 0)
		return (error);
	value = value != 0;
	if (*var == value)
		return (0);
	error = ipfw_link(var, value);
	if (error == 0)
		*var = value;
	return (error);
}
