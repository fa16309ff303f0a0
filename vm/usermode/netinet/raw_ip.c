/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw sockets, for ICMP.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/rwlock.h>
#include <sys/sysctl.h>
#include <net/if_private.h>
#include <net/route.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_pcb.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/ip_var.h>
#include "inet_internal.h"
#include "inet_socket.h"

static u_long rip_sendspace = 9216;
SYSCTL_ULONG(_net_inet_raw, OID_AUTO, maxdgram, CTLFLAG_RW, &rip_sendspace, 0,
    "Maximum outgoing raw IP datagram size");
static u_long rip_recvspace = 9216 * 4;
SYSCTL_ULONG(_net_inet_raw, OID_AUTO, recvspace, CTLFLAG_RW, &rip_recvspace, 0,
    "Maximum space for incoming raw IP datagrams");

VNET_DEFINE(struct inpcbinfo, ripcbinfo);

int
rip_attach(struct usock *s)
{
	int error;

	error = in_pcballoc(ustoso(s), &V_ripcbinfo, sizeof(struct inpcb));
	if (error != 0)
		return (error);
	s->so_pcb->inp_ip_p = IPPROTO_ICMP;
	s->so_rcv_hiwat = rip_recvspace;
	s->so_snd_hiwat = rip_sendspace;
	INP_WUNLOCK(s->so_pcb);
	return (0);
}

/* A copy to every socket of the protocol; nobody listens: unreachable. */
int
rip_input(struct mbuf **mp, int *offp, int proto)
{
	struct mbuf *m = *mp, *n;
	struct ip *ip = mtod(m, struct ip *);
	struct inpcb *inp;
	u_int given;

	NET_EPOCH_ASSERT();
	*mp = NULL;
	given = 0;
	CK_LIST_FOREACH(inp, &V_ripcbinfo.ipi_listhead, inp_list) {
		INP_RLOCK(inp);
		if ((inp->inp_flags & INP_FREED) == 0 && inp->inp_ip_p == proto &&
		    (inp->inp_laddr.s_addr == INADDR_ANY ||
		    inp->inp_laddr.s_addr == ip->ip_dst.s_addr) &&
		    (inp->inp_faddr.s_addr == INADDR_ANY ||
		    inp->inp_faddr.s_addr == ip->ip_src.s_addr) &&
		    (n = m_copypacket(m, M_NOWAIT)) != NULL) {
			m_tag_delete_nonpersistent(n);
			if (!so_append(sotous(inp->inp_socket), n, n->m_pkthdr.len))
				m_freem(n);
			given++;
		}
		INP_RUNLOCK(inp);
	}
	if (given == 0 && proto != IPPROTO_ICMP) {
		IPSTAT_INC(ips_noproto);
		IPSTAT_DEC(ips_delivered);
		icmp_error(m, ICMP_UNREACH, ICMP_UNREACH_PROTOCOL, 0, 0);
		return (IPPROTO_DONE);
	}
	m_freem(m);
	return (IPPROTO_DONE);
}

void
rip_ctlinput(struct icmp *icp)
{
}

int
rip_send(struct usock *s, const void *buf, size_t len, struct sockaddr_in *to)
{
	struct epoch_tracker et;
	struct inpcb *inp = s->so_pcb;
	struct ip *ip;
	struct mbuf *m;
	int error;

	if (len + sizeof(*ip) > IP_MAXPACKET || len > rip_sendspace)
		return (EMSGSIZE);
	m = m_get3(len + max_linkhdr + sizeof(*ip), M_NOWAIT, MT_DATA, M_PKTHDR);
	if (m == NULL)
		return (ENOBUFS);
	m->m_data += max_linkhdr;
	m->m_len = m->m_pkthdr.len = sizeof(*ip) + len;
	ip = mtod(m, struct ip *);
	bzero(ip, sizeof(*ip));
	memcpy(ip + 1, buf, len);

	INP_RLOCK(inp);
	NET_EPOCH_ENTER(et);
	ip->ip_tos = inp->inp_ip_tos;
	ip->ip_off = inp->inp_flags & INP_DONTFRAG ? htons(IP_DF) : 0;
	ip->ip_p = inp->inp_ip_p;
	ip->ip_len = htons(m->m_pkthdr.len);
	ip->ip_ttl = inp->inp_ip_ttl;
	ip->ip_src = inp->inp_laddr;
	ip->ip_dst = to != NULL ? to->sin_addr : inp->inp_faddr;
	if (ip->ip_dst.s_addr == INADDR_ANY) {
		error = EADDRNOTAVAIL;
		m_freem(m);
	} else {
		IPSTAT_INC(ips_rawout);
		error = ip_output(m, NULL, NULL, IP_ALLOWBROADCAST, NULL, inp);
	}
	NET_EPOCH_EXIT(et);
	INP_RUNLOCK(inp);
	return (error);
}

static void
vnet_rip_init(const void *unused __unused)
{
	in_pcbinfo_init(&V_ripcbinfo, "rip", "rawinp");
}
VNET_SYSINIT(rip_vnet_init, SI_SUB_PROTO_DOMAIN, SI_ORDER_THIRD, vnet_rip_init, NULL);

static void
vnet_rip_destroy(const void *unused __unused)
{
	in_pcbinfo_destroy(&V_ripcbinfo);
}
VNET_SYSUNINIT(rip_vnet_uninit, SI_SUB_PROTO_DOMAIN, SI_ORDER_FOURTH, vnet_rip_destroy, NULL);
