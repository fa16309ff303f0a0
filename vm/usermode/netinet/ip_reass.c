/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reassembly of IPv4 fragments.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <net/if_private.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/ip_var.h>
#include "inet_internal.h"

static MALLOC_DEFINE(M_FTABLE, "fragment", "IP fragment reassembly queues");

#define	IPREASS_HASH	64

struct ipq {
	TAILQ_ENTRY(ipq) ipq_list;
	time_t		 ipq_expire;
	int		 ipq_nfrags;
	u_char		 ipq_p;
	u_short		 ipq_id;
	struct in_addr	 ipq_src, ipq_dst;
	struct mbuf	*ipq_frags;	/* by m_nextpkt, in order of offsets, no overlaps */
};
TAILQ_HEAD(ipqhead, ipq);

VNET_DEFINE_STATIC(struct ipqhead, ipq[IPREASS_HASH]);
VNET_DEFINE_STATIC(struct mtx, ipq_mtx);
VNET_DEFINE_STATIC(struct callout, ipreass_callout);
VNET_DEFINE_STATIC(int, nipq);
VNET_DEFINE_STATIC(int, ipreass_maxfragsperpacket) = 16;
VNET_DEFINE_STATIC(int, maxfragpackets) = 1024;
VNET_DEFINE_STATIC(int, ipfragttl) = IPFRAGTTL;
#define	V_ipq		VNET(ipq)
#define	V_ipq_mtx	VNET(ipq_mtx)
#define	V_ipreass_callout	VNET(ipreass_callout)
#define	V_nipq		VNET(nipq)
#define	V_maxfrags	VNET(ipreass_maxfragsperpacket)
#define	V_maxfragpackets	VNET(maxfragpackets)
#define	V_ipfragttl	VNET(ipfragttl)
SYSCTL_INT(_net_inet_ip, OID_AUTO, maxfragsperpacket, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(ipreass_maxfragsperpacket), 0,
    "Maximum number of IPv4 fragments allowed per packet");
SYSCTL_INT(_net_inet_ip, OID_AUTO, maxfragpackets, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(maxfragpackets), 0,
    "Maximum number of IPv4 fragment reassembly queue entries");
SYSCTL_INT(_net_inet_ip, OID_AUTO, fragttl, CTLFLAG_VNET | CTLFLAG_RW,
    &VNET_NAME(ipfragttl), 0, "IP fragment life time on reassembly queue (seconds)");

static void	ipreass_slowtimo(void *arg);

static struct ipqhead *
ipq_bucket(const struct ip *ip)
{
	return (&V_ipq[(ntohl(ip->ip_src.s_addr) ^ ntohs(ip->ip_id)) % IPREASS_HASH]);
}

/* Returns how many fragments are gone with the queue. */
static int
ipq_free(struct ipqhead *head, struct ipq *fp, struct mbuf **drop)
{
	struct mbuf *m;
	int n;

	mtx_assert(&V_ipq_mtx, MA_OWNED);
	n = fp->ipq_nfrags;
	while ((m = fp->ipq_frags) != NULL) {
		fp->ipq_frags = m->m_nextpkt;
		m->m_nextpkt = *drop;
		*drop = m;
	}
	TAILQ_REMOVE(head, fp, ipq_list);
	V_nipq--;
	free(fp, M_FTABLE);
	return (n);
}

static void
mbuf_list_free(struct mbuf *m)
{
	struct mbuf *next;

	for (; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		m_freem(m);
	}
}

#define	FRAG_START(m)	(ntohs(mtod(m, struct ip *)->ip_off & htons(IP_OFFMASK)) << 3)
#define	FRAG_LEN(m)	(ntohs(mtod(m, struct ip *)->ip_len) - (mtod(m, struct ip *)->ip_hl << 2))

/* All there, from 0 to the fragment without IP_MF? */
static bool
ipq_complete(const struct ipq *fp)
{
	struct mbuf *q;
	int next;

	next = 0;
	for (q = fp->ipq_frags; q != NULL; q = q->m_nextpkt) {
		if (FRAG_START(q) != next)
			return (false);
		next += FRAG_LEN(q);
		if ((mtod(q, struct ip *)->ip_off & htons(IP_MF)) == 0)
			return (q->m_nextpkt == NULL);
	}
	return (false);
}

struct mbuf *
ip_reass(struct mbuf *m)
{
	struct mbuf *q, *p, *drop, *t;
	struct ipqhead *head;
	struct ipq *fp;
	struct ip *ip;
	int hlen, start, len, total;

	NET_EPOCH_ASSERT();
	ip = mtod(m, struct ip *);
	hlen = ip->ip_hl << 2;
	start = FRAG_START(m);
	len = FRAG_LEN(m);
	drop = NULL;
	IPSTAT_INC(ips_fragments);
	if (V_maxfrags < 1 || V_maxfragpackets == 0 || len == 0 ||
	    ((ip->ip_off & htons(IP_MF)) && (len & 7) != 0)) {
		IPSTAT_INC(ips_toosmall);
		IPSTAT_INC(ips_fragdropped);
		m_freem(m);
		return (NULL);
	}
	if (start + len + hlen > IP_MAXPACKET) {
		IPSTAT_INC(ips_toolong);
		IPSTAT_INC(ips_fragdropped);
		m_freem(m);
		return (NULL);
	}
	m->m_pkthdr.csum_flags &= ~(CSUM_DATA_VALID | CSUM_PSEUDO_HDR);

	mtx_lock(&V_ipq_mtx);
	head = ipq_bucket(ip);
	TAILQ_FOREACH(fp, head, ipq_list)
		if (fp->ipq_id == ip->ip_id && fp->ipq_p == ip->ip_p &&
		    fp->ipq_src.s_addr == ip->ip_src.s_addr &&
		    fp->ipq_dst.s_addr == ip->ip_dst.s_addr)
			break;
	if (fp == NULL) {
		if (V_maxfragpackets > 0 && V_nipq >= V_maxfragpackets)
			goto dropfrag;
		fp = malloc(sizeof(*fp), M_FTABLE, M_NOWAIT | M_ZERO);
		if (fp == NULL)
			goto dropfrag;
		fp->ipq_id = ip->ip_id;
		fp->ipq_p = ip->ip_p;
		fp->ipq_src = ip->ip_src;
		fp->ipq_dst = ip->ip_dst;
		fp->ipq_expire = time_uptime + V_ipfragttl;
		TAILQ_INSERT_TAIL(head, fp, ipq_list);
		if (V_nipq++ == 0)
			callout_reset(&V_ipreass_callout, hz / 2, ipreass_slowtimo, curvnet);
	}
	if (fp->ipq_nfrags >= V_maxfrags) {
		IPSTAT_ADD(ips_fragdropped, ipq_free(head, fp, &drop));
		goto dropfrag;
	}

	/* Its place in the list; what overlaps with a neighbour is not to be trusted. */
	p = NULL;
	for (q = fp->ipq_frags; q != NULL && FRAG_START(q) < start; q = q->m_nextpkt)
		p = q;
	if ((p != NULL && FRAG_START(p) + FRAG_LEN(p) > start) ||
	    (q != NULL && start + len > FRAG_START(q)))
		goto dropfrag;
	m->m_nextpkt = q;
	if (p == NULL)
		fp->ipq_frags = m;
	else
		p->m_nextpkt = m;
	fp->ipq_nfrags++;
	if (!ipq_complete(fp)) {
		mtx_unlock(&V_ipq_mtx);
		mbuf_list_free(drop);
		return (NULL);
	}

	/* One packet again, under the header of the first fragment. */
	m = fp->ipq_frags;
	fp->ipq_frags = NULL;
	ipq_free(head, fp, &drop);
	mtx_unlock(&V_ipq_mtx);
	q = m->m_nextpkt;
	m->m_nextpkt = NULL;
	ip = mtod(m, struct ip *);
	hlen = ip->ip_hl << 2;
	total = FRAG_LEN(m);
	for (; q != NULL; q = t) {
		t = q->m_nextpkt;
		q->m_nextpkt = NULL;
		total += FRAG_LEN(q);
		m_adj(q, mtod(q, struct ip *)->ip_hl << 2);
		m_demote_pkthdr(q);
		m_cat(m, q);
	}
	m->m_pkthdr.len = total + hlen;
	ip->ip_len = htons(total + hlen);
	ip->ip_off = 0;
	m->m_pkthdr.csum_flags |= CSUM_IP_CHECKED | CSUM_IP_VALID;
	IPSTAT_INC(ips_reassembled);
	return (m);

dropfrag:
	IPSTAT_INC(ips_fragdropped);
	mtx_unlock(&V_ipq_mtx);
	mbuf_list_free(drop);
	m_freem(m);
	return (NULL);
}

/* Called with the lock; runs as long as there are queues. */
static void
ipreass_slowtimo(void *arg)
{
	struct epoch_tracker et;
	struct ipq *fp, *next;
	struct mbuf *drop, *icmp, *m, *rest;
	int i;

	CURVNET_SET((struct vnet *)arg);
	drop = icmp = NULL;
	for (i = 0; i < IPREASS_HASH; i++)
		TAILQ_FOREACH_SAFE(fp, &V_ipq[i], ipq_list, next)
			if (fp->ipq_expire <= time_uptime) {
				/* ICMP is sent for the first fragment alone, if it came. */
				m = fp->ipq_frags;
				IPSTAT_ADD(ips_fragtimeout, fp->ipq_nfrags);
				if (m != NULL && FRAG_START(m) == 0) {
					fp->ipq_frags = m->m_nextpkt;
					m->m_nextpkt = icmp;
					icmp = m;
				}
				ipq_free(&V_ipq[i], fp, &drop);
			}
	if (V_nipq > 0)
		callout_reset(&V_ipreass_callout, hz / 2, ipreass_slowtimo, curvnet);
	mtx_unlock(&V_ipq_mtx);
	mbuf_list_free(drop);
	NET_EPOCH_ENTER(et);
	for (; icmp != NULL; icmp = rest) {
		rest = icmp->m_nextpkt;
		icmp->m_nextpkt = NULL;
		icmp_error(icmp, ICMP_TIMXCEED, ICMP_TIMXCEED_REASS, 0, 0);
	}
	NET_EPOCH_EXIT(et);
	CURVNET_RESTORE();
}

static void
vnet_ipreass_init(const void *unused __unused)
{
	int i;

	for (i = 0; i < IPREASS_HASH; i++)
		TAILQ_INIT(&V_ipq[i]);
	mtx_init(&V_ipq_mtx, "IP reassembly", NULL, MTX_DEF);
	callout_init_mtx(&V_ipreass_callout, &V_ipq_mtx, CALLOUT_RETURNUNLOCKED);
}
VNET_SYSINIT(vnet_ipreass_init, SI_SUB_PROTO_DOMAIN, SI_ORDER_SECOND, vnet_ipreass_init, NULL);

/* From ip's own end: no packet comes in any more. */
void
ipreass_vnet_purge(void)
{
	struct mbuf *drop;
	struct ipq *fp;
	int i;

	callout_drain(&V_ipreass_callout);
	drop = NULL;
	mtx_lock(&V_ipq_mtx);
	for (i = 0; i < IPREASS_HASH; i++)
		while ((fp = TAILQ_FIRST(&V_ipq[i])) != NULL)
			ipq_free(&V_ipq[i], fp, &drop);
	mtx_unlock(&V_ipq_mtx);
	mbuf_list_free(drop);
	mtx_destroy(&V_ipq_mtx);
}
