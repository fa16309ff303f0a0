/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netstat(1)
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/counter.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/rwlock.h>
#include <sys/sx.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/if_dl.h>
#include <net/if_private.h>
#include <net/netisr.h>
#include <net/route.h>
#include <net/route/route_ctl.h>
#include <net/vnet.h>
#include <netinet/icmp_var.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netinet/in_pcb.h>
#include <netinet/in_var.h>
#include <netinet/ip_var.h>
#include <netinet/tcp_fsm.h>
#include <netinet/tcp_var.h>
#include <netinet/udp_var.h>
#include "net/if_internal.h"
#include "netinet/inet_socket.h"
#include "userland/userland.h"

static const char *
plural(uint64_t n)
{
	return (n == 1 ? "" : "s");
}

/*
 * -r
 */
static int
print_route(const struct rt_info *ri, void *arg)
{
	static const struct { int flag; char c; } letters[] = {
		{ RTF_UP, 'U' }, { RTF_GATEWAY, 'G' }, { RTF_HOST, 'H' }, { RTF_REJECT, 'R' },
		{ RTF_DYNAMIC, 'D' }, { RTF_STATIC, 'S' }, { RTF_BLACKHOLE, 'B' }
	};
	char dst[32], gw[32], addr[INET_ADDRSTRLEN], flags[16];
	int i, n;

	inet_ntoa_r(ri->ri_dst, addr);
	if (ri->ri_plen == 0)
		strlcpy(dst, "default", sizeof(dst));
	else if (ri->ri_plen == 32)
		strlcpy(dst, addr, sizeof(dst));
	else
		snprintf(dst, sizeof(dst), "%s/%d", addr, ri->ri_plen);
	if (ri->ri_linkgw)
		snprintf(gw, sizeof(gw), "link#%u", ri->ri_index);
	else
		inet_ntoa_r(ri->ri_gw, gw);
	for (i = n = 0; i < (int)nitems(letters); i++)
		if (ri->ri_flags & letters[i].flag)
			flags[n++] = letters[i].c;
	flags[n] = '\0';
	u_printf("%-18.18s %-18.18s %-6.6s  %10.10s\n", dst, gw, flags, ri->ri_ifname);
	return (0);
}

static int
show_routes(void)
{
	u_printf("Routing tables\n\nInternet:\n");
	u_printf("%-18.18s %-18.18s %-6.6s  %10.10s %6s\n", "Destination", "Gateway", "Flags",
	    "Netif", "Expire");
	return (rib_walk4(print_route, NULL));
}

/*
 * -i
 */
static void
print_counters(struct ifnet *ifp, bool bytes, bool drops)
{
	u_printf(" %8ju %5ju %5ju", (uintmax_t)ifp->if_get_counter(ifp, IFCOUNTER_IPACKETS),
	    (uintmax_t)ifp->if_get_counter(ifp, IFCOUNTER_IERRORS),
	    (uintmax_t)ifp->if_get_counter(ifp, IFCOUNTER_IQDROPS));
	if (bytes)
		u_printf(" %10ju", (uintmax_t)ifp->if_get_counter(ifp, IFCOUNTER_IBYTES));
	u_printf(" %8ju %5ju", (uintmax_t)ifp->if_get_counter(ifp, IFCOUNTER_OPACKETS),
	    (uintmax_t)ifp->if_get_counter(ifp, IFCOUNTER_OERRORS));
	if (bytes)
		u_printf(" %10ju", (uintmax_t)ifp->if_get_counter(ifp, IFCOUNTER_OBYTES));
	u_printf(" %5ju", (uintmax_t)ifp->if_get_counter(ifp, IFCOUNTER_COLLISIONS));
	if (drops)
		u_printf(" %5ju", (uintmax_t)ifp->if_get_counter(ifp, IFCOUNTER_OQDROPS));
	u_printf("\n");
}

static int
show_interfaces(const char *only, bool bytes, bool drops)
{
	char net[32], addr[INET_ADDRSTRLEN];
	struct ifnet *ifp;
	struct ifaddr *ifa;
	struct in_ifaddr *ia;
	struct in_addr subnet;
	const u_char *ll;

	u_printf("%-7.7s %5s %-13.13s %-17.17s %8s %5s %5s", "Name", "Mtu", "Network", "Address",
	    "Ipkts", "Ierrs", "Idrop");
	if (bytes)
		u_printf(" %10s", "Ibytes");
	u_printf(" %8s %5s", "Opkts", "Oerrs");
	if (bytes)
		u_printf(" %10s", "Obytes");
	u_printf(" %5s", "Coll");
	if (drops)
		u_printf(" %5s", "Drop");
	u_printf("\n");
	sx_slock(&ifnet_detach_sxlock);
	CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link) {
		if (only != NULL && strcmp(only, ifp->if_xname) != 0)
			continue;
		snprintf(net, sizeof(net), "<Link#%d>", ifp->if_index);
		u_printf("%-7.7s %5u %-13.13s ", ifp->if_xname, ifp->if_mtu, net);
		if (ifp->if_addrlen == ETHER_ADDR_LEN) {
			ll = (const u_char *)IF_LLADDR(ifp);
			u_printf("%02x:%02x:%02x:%02x:%02x:%02x", ll[0], ll[1], ll[2], ll[3],
			    ll[4], ll[5]);
		} else
			u_printf("%-17.17s", ifp->if_xname);
		print_counters(ifp, bytes, drops);
		CK_STAILQ_FOREACH(ifa, &ifp->if_addrhead, ifa_link) {
			if (ifa->ifa_addr->sa_family != AF_INET)
				continue;
			ia = (struct in_ifaddr *)ifa;
			subnet.s_addr = htonl(ia->ia_subnet);
			snprintf(net, sizeof(net), "%s/%d", inet_ntoa_r(subnet, addr),
			    in_mask2len(&ia->ia_sockmask.sin_addr));
			u_printf("%-7.7s %5s %-13.13s %-17.17s %8ju %5s %5s", ifp->if_xname, "-",
			    net, inet_ntoa_r(IA_SIN(ia)->sin_addr, addr),
			    (uintmax_t)counter_u64_fetch(ifa->ifa_ipackets), "-", "-");
			if (bytes)
				u_printf(" %10ju", (uintmax_t)counter_u64_fetch(ifa->ifa_ibytes));
			u_printf(" %8ju %5s", (uintmax_t)counter_u64_fetch(ifa->ifa_opackets),
			    "-");
			if (bytes)
				u_printf(" %10ju", (uintmax_t)counter_u64_fetch(ifa->ifa_obytes));
			u_printf(" %5s%s\n", "-", drops ? "     -" : "");
		}
	}
	sx_sunlock(&ifnet_detach_sxlock);
	return (0);
}

/*
 * -s
 */
#define	STAT(type, array, f)	VNET_PCPUSTAT_FETCH(type, array, f)

static void
ip_stats(void)
{
#define	P(f, text)	do {						\
	uint64_t n = STAT(struct ipstat, ipstat, f);			\
	u_printf("\t%ju " text "\n", (uintmax_t)n, plural(n));		\
} while (0)
#define	P0(f, text)							\
	u_printf("\t%ju " text "\n", (uintmax_t)STAT(struct ipstat, ipstat, f))
	u_printf("ip:\n");
	P(ips_total, "total packet%s received");
	P(ips_badsum, "bad header checksum%s");
	P0(ips_toosmall, "with size smaller than minimum");
	P0(ips_tooshort, "with data size < data length");
	P0(ips_toolong, "with ip length > max ip packet size");
	P0(ips_badhlen, "with header length < data size");
	P0(ips_badlen, "with data length < header length");
	P0(ips_badoptions, "with bad options");
	P0(ips_badvers, "with incorrect version number");
	P(ips_fragments, "fragment%s received");
	P(ips_fragdropped, "fragment%s dropped (dup or out of space)");
	P(ips_fragtimeout, "fragment%s dropped after timeout");
	P(ips_reassembled, "packet%s reassembled ok");
	P(ips_delivered, "packet%s for this host");
	P(ips_noproto, "packet%s for unknown/unsupported protocol");
	{
		uint64_t n = STAT(struct ipstat, ipstat, ips_forward);

		u_printf("\t%ju packet%s forwarded (%ju packet%s fast forwarded)\n", (uintmax_t)n,
		    plural(n), (uintmax_t)STAT(struct ipstat, ipstat, ips_fastforward),
		    plural(STAT(struct ipstat, ipstat, ips_fastforward)));
	}
	P(ips_cantforward, "packet%s not forwardable");
	P(ips_notmember, "packet%s received for unknown multicast group");
	P(ips_redirectsent, "redirect%s sent");
	P(ips_localout, "packet%s sent from this host");
	P(ips_rawout, "packet%s sent with fabricated ip header");
	P(ips_odropped, "output packet%s dropped due to no bufs, etc.");
	P(ips_noroute, "output packet%s discarded due to no route");
	P(ips_fragmented, "output datagram%s fragmented");
	P(ips_ofragments, "fragment%s created");
	P(ips_cantfrag, "datagram%s that can't be fragmented");
	P(ips_nogif, "tunneling packet%s that can't find gif");
	P(ips_badaddr, "datagram%s with bad address in header");
#undef P
#undef P0
}

static const char *const icmp_names[ICMP_MAXTYPE + 1] = {
	[ICMP_ECHOREPLY] = "echo reply", [ICMP_UNREACH] = "destination unreachable",
	[ICMP_SOURCEQUENCH] = "source quench", [ICMP_REDIRECT] = "routing redirect",
	[ICMP_ECHO] = "echo", [ICMP_TIMXCEED] = "time exceeded",
	[ICMP_PARAMPROB] = "parameter problem", [ICMP_TSTAMP] = "time stamp",
	[ICMP_TSTAMPREPLY] = "time stamp reply", [ICMP_MASKREQ] = "address mask request",
	[ICMP_MASKREPLY] = "address mask reply"
};

static void
icmp_histogram(const char *title, bool out)
{
	uint64_t n;
	u_int i, base;
	bool first = true;

	base = (out ? offsetof(struct icmpstat, icps_outhist) :
	    offsetof(struct icmpstat, icps_inhist)) / sizeof(uint64_t);
	for (i = 0; i <= ICMP_MAXTYPE; i++) {
		n = counter_u64_fetch(VNET(icmpstat)[base + i]);
		if (n == 0)
			continue;
		if (first)
			u_printf("\t%s histogram:\n", title);
		first = false;
		if (icmp_names[i] != NULL)
			u_printf("\t\t%s: %ju\n", icmp_names[i], (uintmax_t)n);
		else
			u_printf("\t\tunknown ICMP #%u: %ju\n", i, (uintmax_t)n);
	}
}

static void
icmp_stats(void)
{
#define	P(f, text)	do {						\
	uint64_t n = STAT(struct icmpstat, icmpstat, f);		\
	u_printf("\t%ju " text "\n", (uintmax_t)n, plural(n));		\
} while (0)
	u_printf("icmp:\n");
	P(icps_error, "call%s to icmp_error");
	P(icps_oldicmp, "error%s not generated in response to an icmp message");
	icmp_histogram("Output", true);
	P(icps_badcode, "message%s with bad code fields");
	P(icps_tooshort, "message%s less than the minimum length");
	P(icps_checksum, "message%s with bad checksum");
	P(icps_badlen, "message%s with bad length");
	P(icps_bmcastecho, "multicast echo request%s ignored");
	P(icps_bmcasttstamp, "multicast timestamp request%s ignored");
	icmp_histogram("Input", false);
	P(icps_reflect, "message response%s generated");
	P(icps_badaddr, "invalid return address%s");
	P(icps_noroute, "no return route%s");
#undef P
}

static void
udp_stats(void)
{
	uint64_t delivered;
#define	P(f, text)	do {						\
	uint64_t n = STAT(struct udpstat, udpstat, f);			\
	u_printf("\t%ju " text "\n", (uintmax_t)n, plural(n));		\
} while (0)
#define	P0(f, text)							\
	u_printf("\t%ju " text "\n", (uintmax_t)STAT(struct udpstat, udpstat, f))
	u_printf("udp:\n");
	P(udps_ipackets, "datagram%s received");
	P0(udps_hdrops, "with incomplete header");
	P0(udps_badlen, "with bad data length field");
	P0(udps_badsum, "with bad checksum");
	P0(udps_nosum, "with no checksum");
	P0(udps_noport, "dropped due to no socket");
	P(udps_noportbcast, "broadcast/multicast datagram%s undelivered");
	P0(udps_fullsock, "dropped due to full socket buffers");
	P0(udpps_pcbhashmiss, "not for hashed pcb");
	delivered = STAT(struct udpstat, udpstat, udps_ipackets) -
	    STAT(struct udpstat, udpstat, udps_hdrops) -
	    STAT(struct udpstat, udpstat, udps_badlen) -
	    STAT(struct udpstat, udpstat, udps_badsum) -
	    STAT(struct udpstat, udpstat, udps_noport) -
	    STAT(struct udpstat, udpstat, udps_noportbcast) -
	    STAT(struct udpstat, udpstat, udps_fullsock);
	u_printf("\t%ju delivered\n", (uintmax_t)delivered);
	P(udps_opackets, "datagram%s output");
#undef P
#undef P0
}

static void
tcp_stats(void)
{
#define	V(f)	((uintmax_t)STAT(struct tcpstat, tcpstat, f))
#define	P(f, text)	u_printf("\t%ju " text "\n", V(f), plural(V(f)))
#define	PP(f, text)	u_printf("\t\t%ju " text "\n", V(f), plural(V(f)))
#define	PP2(f, g, text)	u_printf("\t\t%ju " text "\n", V(f), plural(V(f)), V(g), plural(V(g)))
	u_printf("tcp:\n");
	P(tcps_sndtotal, "packet%s sent");
	PP2(tcps_sndpack, tcps_sndbyte, "data packet%s (%ju byte%s)");
	PP2(tcps_sndrexmitpack, tcps_sndrexmitbyte, "data packet%s (%ju byte%s) retransmitted");
	u_printf("\t\t%ju ack-only packet%s (%ju delayed)\n", V(tcps_sndacks),
	    plural(V(tcps_sndacks)), V(tcps_delack));
	PP(tcps_sndprobe, "window probe packet%s");
	PP(tcps_sndwinup, "window update packet%s");
	PP(tcps_sndctrl, "control packet%s");
	P(tcps_rcvtotal, "packet%s received");
	PP2(tcps_rcvackpack, tcps_rcvackbyte, "ack%s (for %ju byte%s)");
	PP(tcps_rcvdupack, "duplicate ack%s");
	PP2(tcps_rcvpack, tcps_rcvbyte, "packet%s (%ju byte%s) received in-sequence");
	PP2(tcps_rcvduppack, tcps_rcvdupbyte, "completely duplicate packet%s (%ju byte%s)");
	PP2(tcps_rcvoopack, tcps_rcvoobyte, "out-of-order packet%s (%ju byte%s)");
	PP(tcps_rcvafterclose, "packet%s received after close");
	PP(tcps_rcvbadsum, "discarded for bad checksum%s");
	PP(tcps_rcvbadoff, "discarded for bad header offset field%s");
	u_printf("\t\t%ju discarded because packet too short\n", V(tcps_rcvshort));
	P(tcps_connattempt, "connection request%s");
	P(tcps_accepts, "connection accept%s");
	P(tcps_listendrop, "listen queue overflow%s");
	u_printf("\t%ju connection%s established (including accepts)\n", V(tcps_connects),
	    plural(V(tcps_connects)));
	u_printf("\t%ju connection%s closed (including %ju drop%s)\n", V(tcps_closed),
	    plural(V(tcps_closed)), V(tcps_drops), plural(V(tcps_drops)));
	P(tcps_conndrops, "embryonic connection%s dropped");
	u_printf("\t%ju segment%s updated rtt (of %ju attempt%s)\n", V(tcps_rttupdated),
	    plural(V(tcps_rttupdated)), V(tcps_segstimed), plural(V(tcps_segstimed)));
	P(tcps_rexmttimeo, "retransmit timeout%s");
	PP(tcps_timeoutdrop, "connection%s dropped by rexmit timeout");
	P(tcps_persisttimeo, "persist timeout%s");
	P(tcps_sack_recovery_episode, "SACK recovery episode%s");
	P(tcps_sack_rexmits, "segment rexmit%s in SACK recovery episodes");
	P(tcps_sack_rexmit_bytes, "byte rexmit%s in SACK recovery episodes");
#undef V
#undef P
#undef PP
#undef PP2
}

static void
arp_stats(void)
{
#define	V(f)	((uintmax_t)STAT(struct arpstat, arpstat, f))
	u_printf("arp:\n");
	u_printf("\t%ju ARP request%s sent\n", V(txrequests), plural(V(txrequests)));
	u_printf("\t%ju ARP request%s failed to sent\n", V(txerrors), plural(V(txerrors)));
	u_printf("\t%ju ARP repl%s sent\n", V(txreplies), V(txreplies) == 1 ? "y" : "ies");
	u_printf("\t%ju ARP request%s received\n", V(rxrequests), plural(V(rxrequests)));
	u_printf("\t%ju ARP repl%s received\n", V(rxreplies), V(rxreplies) == 1 ? "y" : "ies");
	u_printf("\t%ju ARP packet%s received\n", V(received), plural(V(received)));
	u_printf("\t%ju total packet%s dropped due to no ARP entry\n", V(dropped),
	    plural(V(dropped)));
	u_printf("\t%ju ARP entr%s timed out\n", V(timeouts), V(timeouts) == 1 ? "y" : "ies");
	u_printf("\t%ju Duplicate IP%s seen\n", V(dupips), plural(V(dupips)));
#undef V
}

static const struct {
	const char	*name;
	void		(*func)(void);
} protocols[] = {
	{ "tcp", tcp_stats }, { "udp", udp_stats }, { "ip", ip_stats }, { "icmp", icmp_stats },
	{ "arp", arp_stats }
};

static int
show_stats(const char *only)
{
	u_int i;
	bool found = false;

	for (i = 0; i < nitems(protocols); i++)
		if (only == NULL || strcmp(only, protocols[i].name) == 0) {
			protocols[i].func();
			found = true;
		}
	if (!found) {
		u_warnx("netstat", "%s: unknown or uninstrumented protocol", only);
		return (1);
	}
	return (0);
}

/*
 * -m
 */
static int
show_mbufs(void)
{
	struct mb_stats ms;
	uintmax_t failed;

	mb_stats_get(&ms);
	u_printf("%ju/%ju/%ju mbufs in use (current/cache/total)\n", (uintmax_t)ms.ms_mbufs,
	    (uintmax_t)ms.ms_mbufs_cache, (uintmax_t)(ms.ms_mbufs + ms.ms_mbufs_cache));
	u_printf("%ju/%ju/%ju/%ju mbuf clusters in use (current/cache/total/max)\n",
	    (uintmax_t)ms.ms_clusters, (uintmax_t)ms.ms_clusters_cache,
	    (uintmax_t)(ms.ms_clusters + ms.ms_clusters_cache), (uintmax_t)ms.ms_clusters_max);
	u_printf("%ju/%ju mbuf+clusters out of packet secondary zone in use (current/cache)\n",
	    (uintmax_t)ms.ms_packets, (uintmax_t)0);
	u_printf("%ju/%ju/%ju/%ju 4k (page size) jumbo clusters in use (current/cache/total/max)\n",
	    (uintmax_t)ms.ms_jumbop, (uintmax_t)0, (uintmax_t)ms.ms_jumbop, (uintmax_t)0);
	u_printf("%ju/%ju/%ju/%ju 9k jumbo clusters in use (current/cache/total/max)\n",
	    (uintmax_t)ms.ms_jumbo9, (uintmax_t)0, (uintmax_t)ms.ms_jumbo9, (uintmax_t)0);
	u_printf("%ju/%ju/%ju/%ju 16k jumbo clusters in use (current/cache/total/max)\n",
	    (uintmax_t)ms.ms_jumbo16, (uintmax_t)0, (uintmax_t)ms.ms_jumbo16, (uintmax_t)0);
	u_printf("%juK/%juK/%juK bytes allocated to network (current/cache/total)\n",
	    (uintmax_t)ms.ms_bytes / 1024, (uintmax_t)ms.ms_bytes_cache / 1024,
	    (uintmax_t)(ms.ms_bytes + ms.ms_bytes_cache) / 1024);
	failed = ms.ms_mbuf_fails;
	u_printf("%ju/%ju/%ju requests for mbufs denied (mbufs/clusters/mbuf+clusters)\n", failed,
	    (uintmax_t)ms.ms_cluster_fails, (uintmax_t)0);
	u_printf("0/0/0 requests for mbufs delayed (mbufs/clusters/mbuf+clusters)\n");
	u_printf("%ju mbuf tags in use\n", (uintmax_t)ms.ms_tags);
	return (0);
}

/*
 * -Q
 */
static int
show_netisr(void)
{
	struct netisr_stats st;
	const char *name;
	u_int proto;

	u_printf("%-8s %6s %9s %9s %9s %9s\n", "Name", "QLimit", "QDrops", "Queued", "Handled",
	    "WMark");
	for (proto = 0; proto < NETISR_MAXPROT; proto++)
		if (netisr_getstats(proto, &name, &st))
			u_printf("%-8s %6u %9ju %9ju %9ju %9u\n", name, st.limit,
			    (uintmax_t)st.qdrops, (uintmax_t)st.queued, (uintmax_t)st.handled,
			    st.watermark);
	return (0);
}

/*
 * Sockets.
 */
static const char *const tcp_states[TCP_NSTATES] = {
	"CLOSED", "LISTEN", "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_1",
	"CLOSING", "LAST_ACK", "FIN_WAIT_2", "TIME_WAIT"
};

static void
socket_name(char *buf, size_t size, struct in_addr a, u_short port)
{
	char addr[INET_ADDRSTRLEN], p[8];

	if (port == 0)
		strlcpy(p, "*", sizeof(p));
	else
		snprintf(p, sizeof(p), "%u", ntohs(port));
	snprintf(buf, size, "%s.%s", a.s_addr == INADDR_ANY ? "*" : inet_ntoa_r(a, addr), p);
}

static void
show_pcbs(struct inpcbinfo *pi, const char *proto, bool all)
{
	struct epoch_tracker et;
	struct inpcb *inp;
	struct usock *s;
	char (*lines)[128];
	char laddr[32], faddr[32];
	int i, n, state, max = 512;
	u_int sndcc;

	/* Collected first: what prints may sleep. */
	lines = u_calloc(max * sizeof(*lines));
	n = 0;
	NET_EPOCH_ENTER(et);
	CK_LIST_FOREACH(inp, &pi->ipi_listhead, inp_list) {
		if (n == max)
			break;
		INP_RLOCK(inp);
		state = pi == &V_tcbinfo ? intotcpcb(inp)->t_state : -1;
		sndcc = pi == &V_tcbinfo ? intotcpcb(inp)->t_sndcc : 0;
		s = sotous(inp->inp_socket);
		if ((inp->inp_flags & INP_FREED) == 0 && (all ||
		    (inp->inp_faddr.s_addr != INADDR_ANY && state != TCPS_LISTEN))) {
			socket_name(laddr, sizeof(laddr), inp->inp_laddr, inp->inp_lport);
			socket_name(faddr, sizeof(faddr), inp->inp_faddr, inp->inp_fport);
			snprintf(lines[n++], sizeof(*lines), "%-5s %6u %6u %-22s %-22s %s\n",
			    proto, s != NULL ? s->so_rcv_cc : 0, sndcc, laddr, faddr,
			    state >= 0 ? tcp_states[state] : "");
		}
		INP_RUNLOCK(inp);
	}
	NET_EPOCH_EXIT(et);
	for (i = 0; i < n; i++)
		u_printf("%s", lines[i]);
	u_free(lines);
}

static int
show_sockets(bool all, const char *proto)
{
	u_printf("Active Internet connections%s\n", all ? " (including servers)" : "");
	u_printf("%-5s %6s %6s %-22s %-22s %s\n", "Proto", "Recv-Q", "Send-Q", "Local Address",
	    "Foreign Address", "(state)");
	if (proto == NULL || strcmp(proto, "tcp") == 0)
		show_pcbs(&V_tcbinfo, "tcp4", all);
	if (proto == NULL || strcmp(proto, "udp") == 0)
		show_pcbs(&V_udbinfo, "udp4", all);
	if (proto == NULL || strcmp(proto, "icmp") == 0)
		show_pcbs(&V_ripcbinfo, "icm4", all);
	return (0);
}

static int
netstat(int argc, char **argv)
{
	const char *proto, *ifname, *p;
	bool all, bytes, drops, show_i, show_m, show_q, show_r, show_s;
	int i;

	proto = ifname = NULL;
	all = bytes = drops = show_i = show_m = show_q = show_r = show_s = false;
	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-')
			goto usage;
		for (p = argv[i] + 1; *p != '\0'; p++)
			switch (*p) {
			case '4': case 'n': case 'W': break;
			case 'a': all = true; break;
			case 'b': bytes = true; break;
			case 'd': drops = true; break;
			case 'i': show_i = true; break;
			case 'm': show_m = true; break;
			case 'Q': show_q = true; break;
			case 'r': show_r = true; break;
			case 's': show_s = true; break;
			case 'f':
				if (i + 1 == argc || strcmp(argv[++i], "inet") != 0)
					goto usage;
				goto next;
			case 'I':
				show_i = true;
				if (p[1] != '\0')
					ifname = p + 1;
				else if (i + 1 < argc)
					ifname = argv[++i];
				else
					goto usage;
				goto next;
			case 'p':
				if (i + 1 == argc)
					goto usage;
				proto = argv[++i];
				goto next;
			default:
				goto usage;
			}
next:		;
	}
	if (show_m)
		return (show_mbufs());
	if (show_q)
		return (show_netisr());
	if (show_i)
		return (show_interfaces(ifname, bytes, drops));
	if (show_r)
		return (show_routes());
	if (show_s)
		return (show_stats(proto));
	return (show_sockets(all, proto));
usage:
	u_eprintf("usage: netstat [-46an] [-p protocol]\n"
	    "       netstat -i | -I interface [-bdn]\n"
	    "       netstat -s [-p protocol]\n"
	    "       netstat -m\n"
	    "       netstat -Q\n"
	    "       netstat -r [-n]\n");
	return (1);
}

static int
cmd_netstat(int argc, char **argv)
{
	int rv;

	CURVNET_SET(TD_TO_VNET(curthread));
	rv = netstat(argc, argv);
	CURVNET_RESTORE();
	return (rv);
}
USERCMD(netstat, cmd_netstat);
