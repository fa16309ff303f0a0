/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose mailbox is which.
 *
 * By CPU: one for each, and a critical section keeps a sender on its CPU and all
 * others off it for the length of an insert (C8).
 *
 * By thread: a thread gets one with its first packet, and nobody else puts
 * anything into it.  Threads come and go, the mailboxes stay until PSPAT goes
 * out of service: when a thread is dead its mailbox is emptied by the arbiter,
 * and then is the next new thread's.  A thread that finds none, for want of
 * memory or because there are too many, uses that of its CPU.
 */
#include "opt_pspat.h"

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/counter.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/module.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/smp.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/time.h>

#include <net/if.h>
#include <net/vnet.h>

#include <netinet/in.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>

#include <netpfil/ipfw/ip_fw_private.h>
#include <netpfil/pspat/pspat_var.h>

#define	PSPAT_OWNERS	1024	/* threads that have one; a power of two */
#define	PSPAT_PROBES	16	/* places where a thread's entry may be */

/* What stands in an entry in place of a thread. */
#define	PSPAT_NOBODY	((uintptr_t)0)	/* so far: no entry behind it */
#define	PSPAT_FREE	((uintptr_t)1)	/* nobody now */
#define	PSPAT_DEAD	((uintptr_t)2)	/* its thread is gone, its packets not */

struct pspat_owner {
	volatile uintptr_t po_thread;
	struct pspat_mailbox *po_box;	/* its thread's */
};

static eventhandler_tag pspat_dtor_tag;

static struct pspat_mailbox *
pspat_box_create(u_int slots, int flags)
{
	struct pspat_mailbox *mb;
	u_int n;

	/* A read line waits to be handed back, so two lines are the least. */
	for (n = 2 * PSPAT_LINE_SLOTS; n < slots; n <<= 1)
		;
	mb = malloc(sizeof(*mb) + n * sizeof(mb->mb_slot[0]), M_PSPAT,
	    flags | M_ZERO);
	if (mb == NULL)
		return (NULL);
	mb->mb_slots = n;
	mb->mb_mask = n - 1;
	return (mb);
}

/*
 * All that is needed before a sender comes.
 */
void
pspat_boxes_create(struct pspat_softc *sc, u_int slots, bool by_thread)
{
	u_int cpu;

	sc->sc_slots = slots;
	sc->sc_box = malloc((mp_maxid + 1 + PSPAT_OWNERS) *
	    sizeof(sc->sc_box[0]), M_PSPAT, M_WAITOK | M_ZERO);
	CPU_FOREACH(cpu)
		sc->sc_box[cpu] = pspat_box_create(slots, M_WAITOK);
	sc->sc_boxes = mp_maxid + 1;
	sc->sc_idle = NULL;
	sc->sc_xbox = pspat_box_create(slots, M_WAITOK);
	if (by_thread) {
		struct pspat_owner *owner;

		owner = malloc(PSPAT_OWNERS * sizeof(*owner), M_PSPAT,
		    M_WAITOK | M_ZERO);
		mtx_lock(&sc->sc_mtx);
		sc->sc_owner = owner;
		mtx_unlock(&sc->sc_mtx);
	}
}

/*
 * No sender comes any more, and the mailboxes are empty.
 */
void
pspat_boxes_free(struct pspat_softc *sc)
{
	struct pspat_owner *owner;
	u_int i;

	mtx_lock(&sc->sc_mtx);
	owner = sc->sc_owner;
	sc->sc_owner = NULL;
	mtx_unlock(&sc->sc_mtx);
	free(owner, M_PSPAT);
	for (i = 0; i < sc->sc_boxes; i++)
		free(sc->sc_box[i], M_PSPAT);
	free(sc->sc_box, M_PSPAT);
	free(sc->sc_xbox, M_PSPAT);
	sc->sc_box = NULL;
	sc->sc_xbox = NULL;
}

static struct pspat_owner *
pspat_owner_place(struct pspat_softc *sc, uintptr_t td, u_int probe)
{

	/* Fibonacci hashing; a thread is larger than a cache line. */
	return (&sc->sc_owner[((((uint32_t)(td / CACHE_LINE_SIZE) *
	    0x9e3779b1u) >> 16) + probe) & (PSPAT_OWNERS - 1)]);
}

/*
 * An entry that has nobody, for the current thread.  Only a thread itself puts
 * itself in, so it is in no other.
 */
static struct pspat_mailbox *
pspat_owner_take(struct pspat_softc *sc, struct pspat_owner *po)
{
	struct pspat_mailbox *mb;
	uintptr_t was;

	was = atomic_load_ptr(&po->po_thread);
	if ((was != PSPAT_NOBODY && was != PSPAT_FREE) ||
	    atomic_cmpset_acq_ptr(&po->po_thread, was, (uintptr_t)curthread) == 0)
		return (NULL);
	/* That of a thread that is no more, or a new one. */
	mtx_lock(&sc->sc_mtx);
	if ((mb = sc->sc_idle) != NULL) {
		sc->sc_idle = mb->mb_idle;
		atomic_store_ptr(&mb->mb_owner, po);
	}
	mtx_unlock(&sc->sc_mtx);
	if (mb == NULL) {
		mb = pspat_box_create(sc->sc_slots, M_NOWAIT);
		if (mb == NULL) {
			atomic_store_rel_ptr(&po->po_thread, PSPAT_FREE);
			return (NULL);
		}
		atomic_store_ptr(&mb->mb_owner, po);
		mtx_lock(&sc->sc_mtx);
		sc->sc_box[sc->sc_boxes] = mb;
		atomic_store_rel_int(&sc->sc_boxes, sc->sc_boxes + 1);
		mtx_unlock(&sc->sc_mtx);
	}
	po->po_box = mb;
	return (mb);
}

static struct pspat_mailbox *
pspat_box_of_thread(struct pspat_softc *sc)
{
	struct pspat_owner *nobodys, *po;
	uintptr_t td, there;
	u_int i;

	td = (uintptr_t)curthread;
	nobodys = NULL;
	for (i = 0; i < PSPAT_PROBES; i++) {
		po = pspat_owner_place(sc, td, i);
		there = atomic_load_ptr(&po->po_thread);
		if (there == td)
			return (po->po_box);
		if (nobodys == NULL &&
		    (there == PSPAT_NOBODY || there == PSPAT_FREE))
			nobodys = po;
		if (there == PSPAT_NOBODY)
			break;
	}
	return (nobodys != NULL ? pspat_owner_take(sc, nobodys) : NULL);
}

/*
 * Put a packet into the sender's mailbox: 0, or ENOBUFS when it is full.
 */
int
pspat_boxes_insert(struct pspat_softc *sc, struct mbuf *m)
{
	struct pspat_mailbox *mb;
	int error;

	if (sc->sc_owner != NULL && (mb = pspat_box_of_thread(sc)) != NULL)
		return (pspat_mailbox_insert(mb, m));
	critical_enter();
	error = pspat_mailbox_insert(sc->sc_box[curcpu], m);
	critical_exit();
	return (error);
}

/*
 * The arbiter found a mailbox empty: was that the last of a thread that is dead?
 */
void
pspat_box_empty(struct pspat_softc *sc, struct pspat_mailbox *mb)
{
	struct pspat_owner *po;

	po = atomic_load_ptr(&mb->mb_owner);
	if (po == NULL || atomic_load_ptr(&po->po_thread) != PSPAT_DEAD)
		return;
	mtx_lock(&sc->sc_mtx);
	/* Looked at again: what the thread had put in before it died. */
	if (atomic_load_acq_ptr(&po->po_thread) == PSPAT_DEAD &&
	    pspat_mailbox_empty(mb)) {
		po->po_box = NULL;
		atomic_store_ptr(&mb->mb_owner, NULL);
		mb->mb_idle = sc->sc_idle;
		sc->sc_idle = mb;
		atomic_store_rel_ptr(&po->po_thread, PSPAT_FREE);
	}
	mtx_unlock(&sc->sc_mtx);
}

static void
pspat_thread_dtor(void *arg, struct thread *td)
{
	struct pspat_softc *sc = arg;
	struct pspat_owner *po;
	uintptr_t there;
	u_int i;

	mtx_lock(&sc->sc_mtx);
	for (i = 0; i < PSPAT_PROBES && sc->sc_owner != NULL; i++) {
		po = pspat_owner_place(sc, (uintptr_t)td, i);
		there = atomic_load_ptr(&po->po_thread);
		if (there == (uintptr_t)td)
			atomic_store_rel_ptr(&po->po_thread, PSPAT_DEAD);
		if (there == (uintptr_t)td || there == PSPAT_NOBODY)
			break;
	}
	mtx_unlock(&sc->sc_mtx);
}

void
pspat_boxes_init(struct pspat_softc *sc)
{

	pspat_dtor_tag = EVENTHANDLER_REGISTER(thread_dtor, pspat_thread_dtor,
	    sc, EVENTHANDLER_PRI_ANY);
}

void
pspat_boxes_uninit(void)
{

	EVENTHANDLER_DEREGISTER(thread_dtor, pspat_dtor_tag);
}
