/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSPAT, a parallel packet scheduler, on FreeBSD's output path.
 *
 * Senders (clients) leave packets in a mailbox, of their CPU or their own, and
 * return.  One thread, the arbiter, empties the mailboxes into dummynet's
 * scheduler instances, takes from these what the links may carry by now and
 * transmits it, or hands it to a second thread, the dispatcher, to transmit.
 * No sender ever waits for a scheduler's lock.
 *
 * After: Rizzo, Valente, Lettieri, Maffione, "PSPAT: software packet
 * scheduling at hardware speed", Computer Communications 120 (2018) 32-45.
 *
 * The files:
 *	pspat_mailbox.h		the queue between one client CPU and the arbiter
 *	pspat.c			sysctls, life and death: enable, disable, unload
 *	pspat_boxes.c		whose mailbox is which
 *	pspat_client.c		interception: what a sender runs
 *	pspat_arbiter.c		the arbiter and dummynet's schedulers
 *	pspat_exit.c		the ways out, and the dispatcher
 */
#ifndef _NETPFIL_PSPAT_H_
#define	_NETPFIL_PSPAT_H_

/* Where packets are taken from their senders: net.pspat.intercept. */
enum pspat_point {
	PSPAT_OFF = 0,
	PSPAT_DUMMYNET,		/* dummynet_io(), DIR_OUT */
	PSPAT_DUMMYNET_L2,	/* dummynet_io(), DIR_OUT | PROTO_LAYER2 */
	PSPAT_IF_OUTPUT,	/* (*ifp->if_output)() */
	PSPAT_POINTS
};

/* Who has a mailbox: net.pspat.mailbox_of. */
enum pspat_boxes {
	PSPAT_BY_CPU = 0,
	PSPAT_BY_THREAD,
	PSPAT_BOXES
};

/* Who transmits: net.pspat.xmit_mode. */
enum pspat_xmit {
	PSPAT_XMIT_ARBITER = 0,
	PSPAT_XMIT_DISPATCHER,
	PSPAT_XMIT_MODES
};

/*
 * Rules broken on purpose, and ways that were no good: the series
 * pspat-attempts, with options PSPAT_ATTEMPTS.  Nothing of it in this build.
 */
#ifdef PSPAT_ATTEMPTS
#include <netpfil/pspat/pspat_attempts.h>
#else
#define	PSPAT_BROKEN(n)			false
#define	PSPAT_WAY(way)			false
#define	PSPAT_LENT
#define	PSPAT_LEND(pt, what, from)	((void)0)
#define	pspat_attempt_client(m0, fwa, point)	(0)
#define	pspat_attempt_tag(m, pt)	((void)0)
#define	pspat_attempt_insert(m)		(0)
#define	pspat_attempt_reread(pt)	((void)0)
#define	pspat_attempt_if_output(ifp, m, pt)	(0)
#endif

#endif /* !_NETPFIL_PSPAT_H_ */
