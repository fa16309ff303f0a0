/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many packets a second are scheduled, and how long each takes: options
 * PSPAT_BENCH.
 *
 * Clients are kernel threads.  Each makes a packet and gives it to whatever is
 * behind ip_dn_io_ptr, as ipfw does for outgoing packets on the link layer:
 * dummynet_io(), which enqueues, dequeues and sends under and behind its one
 * lock, or PSPAT.  Either one sends by ether_output_frame(), on an interface
 * whose wire ends here.  So nothing differs but who waits for whom.
 *
 *	sysctl net.pspat.bench.clients=4 net.pspat.bench.time_ms=1000
 *	sysctl net.pspat.bench.run=1; sysctl net.pspat.bench.result
 */
#include "opt_pspat.h"

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/counter.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/sbuf.h>
#include <sys/smp.h>
#include <sys/socket.h>
#include <sys/sx.h>
#include <sys/sysctl.h>
#include <sys/time.h>

#include <net/if.h>
#include <net/if_var.h>
#if __FreeBSD_version >= 1400000
#include <net/if_private.h>
#endif
#include <net/if_types.h>
#include <net/ethernet.h>
#include <net/pfil.h>
#include <net/route.h>
#include <net/vnet.h>

#include <netinet/in.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>

#include <netpfil/ipfw/ip_fw_private.h>
#include <netpfil/pspat/pspat_var.h>

#define	PSB_CLIENTS	64	/* at most */
#define	PSB_STAMP	16	/* one packet in so many is timed */

/*
 * Times in ns, 16 to an octave: a percentile is known to 6 %.
 */
#define	PSB_STEPS	16
#define	PSB_BUCKETS	(PSB_STEPS * 40)

/* What came out on one CPU. */
struct psb_wire {
	uint64_t	pw_packets;
	uint64_t	pw_took[PSB_BUCKETS];
} __aligned(CACHE_LINE_SIZE);

struct psb_client {
	uint64_t	pc_sent;
	uint64_t	pc_refused;
	u_int		pc_number;
} __aligned(CACHE_LINE_SIZE);

static struct sx psb_sx;
SX_SYSINIT(pspat_bench, &psb_sx, "pspat_bench");
static struct mtx psb_mtx;
MTX_SYSINIT(pspat_bench_end, &psb_mtx, "pspat_bench_end", MTX_DEF);
static struct ifnet *psb_ifp;
static struct psb_wire *psb_wire;
static struct psb_client *psb_client;
static u_int psb_go;		/* clients send */
static u_int psb_running;	/* under psb_mtx */

/* Settings: plain numbers, read when a run begins. */
static u_int psb_clients = 1;
static u_int psb_flows = 4;
static u_int psb_size = 60;
static u_int psb_pps;
static u_int psb_time_ms = 1000;
static u_int psb_queue = 11;
static char psb_result[256];

static u_int
psb_bucket(uint64_t ns)
{
	u_int octave;

	if (ns < PSB_STEPS)
		return (ns);
	octave = flsll(ns) - 1;		/* >= 4 */
	return (MIN((octave - 3) * PSB_STEPS +
	    ((ns >> (octave - 4)) & (PSB_STEPS - 1)), PSB_BUCKETS - 1));
}

/* The middle of a bucket, ns. */
static uint64_t
psb_value(u_int bucket)
{
	u_int octave;

	if (bucket < PSB_STEPS)
		return (bucket);
	octave = bucket / PSB_STEPS + 3;
	return ((1ULL << octave) + ((uint64_t)(bucket % PSB_STEPS) <<
	    (octave - 4)) + ((1ULL << (octave - 4)) >> 1));
}

/*
 * The end of the wire.
 */
static int
psb_transmit(struct ifnet *ifp, struct mbuf *m)
{
	struct psb_wire *pw;
	sbintime_t stamp;

	m_copydata(m, ETHER_HDR_LEN, sizeof(stamp), (caddr_t)&stamp);
	critical_enter();
	pw = &psb_wire[curcpu];
	pw->pw_packets++;
	if (stamp != 0)
		pw->pw_took[psb_bucket(sbttons(sbinuptime() - stamp))]++;
	critical_exit();
	m_freem(m);
	return (0);
}

static void
psb_qflush(struct ifnet *ifp)
{
}

static int
psb_ioctl(struct ifnet *ifp, u_long cmd, caddr_t data)
{

	return (ether_ioctl(ifp, cmd, data));
}

static void
psb_attach(void)
{
	static const uint8_t address[ETHER_ADDR_LEN] = { 2, 'p', 's', 'b' };

	sx_assert(&psb_sx, SA_XLOCKED);
	if (psb_ifp != NULL)
		return;
	psb_ifp = if_alloc(IFT_ETHER);
	if_initname(psb_ifp, "psb", 0);
	psb_ifp->if_flags = IFF_BROADCAST | IFF_SIMPLEX;
	psb_ifp->if_transmit = psb_transmit;
	psb_ifp->if_qflush = psb_qflush;
	psb_ifp->if_ioctl = psb_ioctl;
	ether_ifattach(psb_ifp, address);
}

static struct mbuf *
psb_packet(u_int size, sbintime_t stamp)
{
	struct mbuf *m;

	m = m_gethdr(M_NOWAIT, MT_DATA);
	if (m == NULL)
		return (NULL);
	m->m_len = MIN(size, MHLEN);
	/* Schedulers go by the length that the packet says it has. */
	m->m_pkthdr.len = size;
	bzero(mtod(m, caddr_t), ETHER_HDR_LEN);
	bcopy(&stamp, mtod(m, caddr_t) + ETHER_HDR_LEN, sizeof(stamp));
	return (m);
}

static void
psb_client_run(void *arg)
{
	struct psb_client *pc = arg;
	struct epoch_tracker et;
	struct ip_fw_args fwa;
	struct mbuf *m;
	sbintime_t gap, next, now;
	uint64_t n;
	u_int flows, size;
	int error;

	flows = psb_flows;
	size = psb_size;
	gap = psb_pps != 0 ? SBT_1S * psb_clients / psb_pps : 0;

	bzero(&fwa, sizeof(fwa));
	fwa.flags = IPFW_ARGS_OUT | IPFW_ARGS_ETHER;
	fwa.ifp = psb_ifp;
	fwa.rule.info = psb_queue;
	fwa.f_id.addr_type = 4;
	fwa.f_id.proto = IPPROTO_UDP;
	fwa.f_id.dst_ip = 0x0a000001;
	fwa.f_id.src_ip = 0x0a000100 + pc->pc_number;

	while (atomic_load_acq_int(&psb_go) == 0)
		pause_sbt("psbgo", 100 * SBT_1US, 0, 0);
	CURVNET_SET(vnet0);
	next = sbinuptime();
	for (n = 0; atomic_load_int(&psb_go) == 1; n++) {
		now = 0;
		if (gap != 0) {
			while ((now = sbinuptime()) < next &&
			    atomic_load_int(&psb_go) == 1)
				pause_sbt("psbgap", next, 0, C_ABSOLUTE);
			next += gap;
		} else if (n % PSB_STAMP == 0)
			now = sbinuptime();
		m = psb_packet(size, now);
		if (m == NULL) {
			pc->pc_refused++;
			pause_sbt("psbmem", 50 * SBT_1US, 0, 0);
			continue;
		}
		fwa.f_id.src_port = 1024 + pc->pc_number * flows + n % flows;
		NET_EPOCH_ENTER(et);
		error = ip_dn_io_ptr(&m, &fwa);
		NET_EPOCH_EXIT(et);
		if (m != NULL)
			m_freem(m);
		if (error == 0)
			pc->pc_sent++;
		else {
			/* Full: a sender's socket would wait as well. */
			pc->pc_refused++;
			pause_sbt("psbful", 250 * SBT_1US, 0, 0);
		}
	}
	CURVNET_RESTORE();
	mtx_lock(&psb_mtx);
	if (--psb_running == 0)
		wakeup(&psb_running);
	mtx_unlock(&psb_mtx);
	kthread_exit();
}

static uint64_t
psb_percentile(const struct psb_wire *sum, uint64_t total, uint64_t permille)
{
	uint64_t seen, want;
	u_int i;

	want = (total * permille + 999) / 1000;
	seen = 0;
	for (i = 0; i < PSB_BUCKETS; i++)
		if ((seen += sum->pw_took[i]) >= want && want != 0)
			return (psb_value(i));
	return (0);
}

static void
psb_report(u_int clients, sbintime_t took)
{
	struct psb_wire *sum = &psb_wire[mp_maxid + 1];
	uint64_t refused, sent, timed;
	u_int cpu, i;

	refused = sent = timed = 0;
	for (i = 0; i < clients; i++) {
		sent += psb_client[i].pc_sent;
		refused += psb_client[i].pc_refused;
	}
	CPU_FOREACH(cpu) {
		sum->pw_packets += psb_wire[cpu].pw_packets;
		for (i = 0; i < PSB_BUCKETS; i++)
			sum->pw_took[i] += psb_wire[cpu].pw_took[i];
	}
	for (i = 0; i < PSB_BUCKETS; i++)
		timed += sum->pw_took[i];
	snprintf(psb_result, sizeof(psb_result), "ns=%ju sent=%ju refused=%ju "
	    "out=%ju p50=%ju p90=%ju p99=%ju p999=%ju",
	    (uintmax_t)sbttons(took), (uintmax_t)sent, (uintmax_t)refused,
	    (uintmax_t)sum->pw_packets,
	    (uintmax_t)psb_percentile(sum, timed, 500),
	    (uintmax_t)psb_percentile(sum, timed, 900),
	    (uintmax_t)psb_percentile(sum, timed, 990),
	    (uintmax_t)psb_percentile(sum, timed, 999));
}

static int
psb_run(void)
{
	struct thread *td;
	sbintime_t began, took;
	u_int clients, i;
	int error;

	sx_assert(&psb_sx, SA_XLOCKED);
	clients = psb_clients;
	if (clients < 1 || clients > PSB_CLIENTS || psb_flows < 1 ||
	    psb_size < ETHER_HDR_LEN + sizeof(sbintime_t) ||
	    psb_time_ms < 1 || psb_time_ms > 60000)
		return (EINVAL);
	if (ip_dn_io_ptr == NULL)
		return (ENXIO);
	psb_attach();
	psb_wire = malloc((mp_maxid + 2) * sizeof(*psb_wire), M_PSPAT,
	    M_WAITOK | M_ZERO);
	psb_client = malloc(clients * sizeof(*psb_client), M_PSPAT,
	    M_WAITOK | M_ZERO);
	psb_go = 0;
	error = 0;
	for (i = 0; i < clients && error == 0; i++) {
		psb_client[i].pc_number = i;
		mtx_lock(&psb_mtx);
		psb_running++;
		mtx_unlock(&psb_mtx);
		error = kthread_add(psb_client_run, &psb_client[i], NULL, &td,
		    0, 0, "pspat client %u", i);
		if (error != 0) {
			mtx_lock(&psb_mtx);
			psb_running--;
			mtx_unlock(&psb_mtx);
		}
	}
	began = sbinuptime();
	atomic_store_rel_int(&psb_go, error == 0 ? 1 : 2);
	if (error == 0)
		pause_sbt("psbrun", psb_time_ms * SBT_1MS, 0, 0);
	atomic_store_rel_int(&psb_go, 2);
	mtx_lock(&psb_mtx);
	while (psb_running > 0)
		mtx_sleep(&psb_running, &psb_mtx, 0, "psbend", 0);
	mtx_unlock(&psb_mtx);
	/* What PSPAT still has counts, and so does its time. */
	for (i = 0; i < 1000 && counter_u64_fetch(pspat_cnt.in) !=
	    counter_u64_fetch(pspat_cnt.out) +
	    counter_u64_fetch(pspat_cnt.drop_sched); i++)
		pause_sbt("psbout", SBT_1MS, 0, 0);
	took = sbinuptime() - began;
	if (error == 0)
		psb_report(clients, took);
	NET_EPOCH_WAIT();
	free(psb_client, M_PSPAT);
	free(psb_wire, M_PSPAT);
	psb_client = NULL;
	psb_wire = NULL;
	return (error);
}

static SYSCTL_NODE(_net_pspat, OID_AUTO, bench, CTLFLAG_RW | CTLFLAG_MPSAFE, 0,
    "Measurement of schedulers");
SYSCTL_UINT(_net_pspat_bench, OID_AUTO, clients, CTLFLAG_RW, &psb_clients, 0,
    "Threads that send");
SYSCTL_UINT(_net_pspat_bench, OID_AUTO, flows, CTLFLAG_RW, &psb_flows, 0,
    "Flows of each, by source port");
SYSCTL_UINT(_net_pspat_bench, OID_AUTO, size, CTLFLAG_RW, &psb_size, 0,
    "Bytes of a packet");
SYSCTL_UINT(_net_pspat_bench, OID_AUTO, pps, CTLFLAG_RW, &psb_pps, 0,
    "Packets a second of all together, 0 for as many as go");
SYSCTL_UINT(_net_pspat_bench, OID_AUTO, time_ms, CTLFLAG_RW, &psb_time_ms, 0,
    "Length of a run");
SYSCTL_UINT(_net_pspat_bench, OID_AUTO, queue, CTLFLAG_RW, &psb_queue, 0,
    "dummynet queue that the packets go to");
SYSCTL_STRING(_net_pspat_bench, OID_AUTO, result, CTLFLAG_RD, psb_result, 0,
    "Of the last run: times are ns, from a client's hand to the wire");

static int
psb_sysctl_run(SYSCTL_HANDLER_ARGS)
{
	u_int value;
	int error;

	value = 0;
	error = sysctl_handle_int(oidp, &value, 0, req);
	if (error != 0 || req->newptr == NULL || value == 0)
		return (error);
	sx_xlock(&psb_sx);
	error = psb_run();
	sx_xunlock(&psb_sx);
	return (error);
}
SYSCTL_PROC(_net_pspat_bench, OID_AUTO, run,
    CTLTYPE_UINT | CTLFLAG_RW | CTLFLAG_MPSAFE, NULL, 0, psb_sysctl_run, "IU",
    "1: measure");
