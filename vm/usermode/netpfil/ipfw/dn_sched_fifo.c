/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FIFO: one queue per instance, behind the instance.  What it is like says the
 * scheduler's own flowset.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/module.h>
#include <sys/socket.h>

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>

#include <netpfil/ipfw/ip_fw_private.h>
#include <netpfil/ipfw/dn_heap.h>
#include <netpfil/ipfw/ip_dn_private.h>
#include <netpfil/ipfw/dn_aqm.h>
#include <netpfil/ipfw/dn_sched.h>

static struct dn_queue *
fifo_queue(struct dn_sch_inst *si)
{

	return ((struct dn_queue *)(si + 1));
}

static int
fifo_enqueue(struct dn_sch_inst *si, struct dn_queue *q __unused,
    struct mbuf *m)
{

	return (dn_enqueue(fifo_queue(si), m, 0));
}

static struct mbuf *
fifo_dequeue(struct dn_sch_inst *si)
{

	return (dn_dequeue(fifo_queue(si)));
}

static int
fifo_new_sched(struct dn_sch_inst *si)
{
	struct dn_queue *q = fifo_queue(si);

	set_oid(&q->ni.oid, DN_QUEUE, sizeof(*q));
	q->_si = si;
	q->fs = si->sched->fs;
	return (0);
}

static int
fifo_free_sched(struct dn_sch_inst *si)
{
	struct dn_queue *q = fifo_queue(si);

	dn_free_pkts(q->mq.head);
	bzero(q, sizeof(*q));
	return (0);
}

static struct dn_alg fifo_desc = {
	.type = DN_SCHED_FIFO,
	.name = "FIFO",
	.si_datalen = sizeof(struct dn_queue),
	.enqueue = fifo_enqueue,
	.dequeue = fifo_dequeue,
	.new_sched = fifo_new_sched,
	.free_sched = fifo_free_sched,
};

DECLARE_DNSCHED_MODULE(dn_fifo, &fifo_desc);
