/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual network stacks.  A vnet owns a copy of the set_vnet section;
 * VNET_SYSINITs run for each in order, VNET_SYSUNINITs in the reverse order.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/rwlock.h>
#include <sys/sx.h>
#include <net/vnet.h>

MALLOC_DEFINE(M_VNET, "vnet", "network stack control block");
MALLOC_DEFINE(M_VNET_DATA, "vnet_data", "VNET data");

struct vnet_list_head vnet_head = LIST_HEAD_INITIALIZER(vnet_head);
struct vnet *vnet0;
struct rwlock vnet_rwlock;
struct sx vnet_sxlock;
/* Held by whoever adds to the lists below or walks them for a vnet. */
static struct sx vnet_sysinit_sxlock;

static TAILQ_HEAD(vnet_sysinit_head, vnet_sysinit) vnet_constructors =
    TAILQ_HEAD_INITIALIZER(vnet_constructors);
static struct vnet_sysinit_head vnet_destructors =
    TAILQ_HEAD_INITIALIZER(vnet_destructors);

/* So that an empty set still has its bounds, aligned as its copies are. */
static long vnet_set_anchor __attribute__((__section__(VNET_SETNAME), __used__, __aligned__(64)));

static void
vnet_sysinit(struct vnet *vnet)
{
	struct vnet_sysinit *vs;

	TAILQ_FOREACH(vs, &vnet_constructors, link) {
		vnet->vnet_state = vs->subsystem;
		vs->func(vs->arg);
	}
}

static void
vnet_sysuninit(struct vnet *vnet)
{
	struct vnet_sysinit *vs;

	TAILQ_FOREACH_REVERSE(vs, &vnet_destructors, vnet_sysinit_head, link) {
		vnet->vnet_state = vs->subsystem;
		vs->func(vs->arg);
	}
}

static struct vnet *
vnet_new(void)
{
	struct vnet *vnet;
	size_t size;

	size = VNET_STOP - VNET_START;
	vnet = malloc(sizeof(*vnet), M_VNET, M_WAITOK | M_ZERO);
	vnet->vnet_magic_n = VNET_MAGIC_N;
	/* Room to give the copy the alignment of the section. */
	vnet->vnet_data_mem = malloc(size + 64, M_VNET_DATA, M_WAITOK | M_ZERO);
	vnet->vnet_data_base = roundup2((uintptr_t)vnet->vnet_data_mem, 64);
	memcpy((void *)vnet->vnet_data_base, (void *)VNET_START, size);
	vnet->vnet_data_base -= VNET_START;
	return (vnet);
}

struct vnet *
vnet_alloc(void)
{
	struct vnet *vnet;

	vnet = vnet_new();
	/* A module that comes or goes now must see this vnet wholly or not at all. */
	sx_slock(&vnet_sysinit_sxlock);
	CURVNET_SET_QUIET(vnet);
	vnet_sysinit(vnet);
	CURVNET_RESTORE();

	VNET_LIST_WLOCK();
	LIST_INSERT_HEAD(&vnet_head, vnet, vnet_le);
	VNET_LIST_WUNLOCK();
	sx_sunlock(&vnet_sysinit_sxlock);
	return (vnet);
}

void
vnet_destroy(struct vnet *vnet)
{
	KASSERT(vnet->vnet_sockcnt == 0,
	    ("%s: vnet still has sockets", __func__));

	sx_slock(&vnet_sysinit_sxlock);
	VNET_LIST_WLOCK();
	LIST_REMOVE(vnet, vnet_le);
	VNET_LIST_WUNLOCK();

	vnet->vnet_shutdown = true;
	CURVNET_SET_QUIET(vnet);
	vnet_sysuninit(vnet);
	CURVNET_RESTORE();
	sx_sunlock(&vnet_sysinit_sxlock);

	vnet->vnet_magic_n = 0xdeadbeef;
	free(vnet->vnet_data_mem, M_VNET_DATA);
	free(vnet, M_VNET);
}

static void
vnet_init_prelink(void *arg)
{
	rw_init(&vnet_rwlock, "vnet_rwlock");
	sx_init(&vnet_sxlock, "vnet_sxlock");
	sx_init(&vnet_sysinit_sxlock, "vnet_sysinit_sxlock");
}
SYSINIT(vnet_init_prelink, SI_SUB_VNET_PRELINK, SI_ORDER_FIRST, vnet_init_prelink, NULL);

static void
vnet0_init(void *arg)
{
	vnet0 = vnet_new();
	LIST_INSERT_HEAD(&vnet_head, vnet0, vnet_le);
	/* Boot itself runs in vnet0 until SI_SUB_VNET_DONE. */
	curvnet = vnet0;
#ifdef VIMAGE
	prison0.pr_vnet = vnet0;
#endif
}
SYSINIT(vnet0_init, SI_SUB_VNET, SI_ORDER_FIRST, vnet0_init, NULL);

static void
vnet_init_done(void *unused __unused)
{
	curvnet = NULL;
}
SYSINIT(vnet_init_done, SI_SUB_VNET_DONE, SI_ORDER_ANY, vnet_init_done, NULL);

static void
vnet_list_insert(struct vnet_sysinit_head *head, struct vnet_sysinit *vs)
{
	struct vnet_sysinit *other;

	TAILQ_FOREACH(other, head, link)
		if (other->subsystem > vs->subsystem ||
		    (other->subsystem == vs->subsystem && other->order > vs->order))
			break;
	if (other != NULL)
		TAILQ_INSERT_BEFORE(other, vs, link);
	else
		TAILQ_INSERT_TAIL(head, vs, link);
}

/* Every vnet that exists gets it at once: a module may come late. */
static void
vnet_run_everywhere(struct vnet_sysinit *vs)
{
	struct vnet *vnet;

	VNET_FOREACH(vnet) {
		CURVNET_SET_QUIET(vnet);
		vs->func(vs->arg);
		CURVNET_RESTORE();
	}
}

void
vnet_register_sysinit(void *arg)
{
	struct vnet_sysinit *vs = arg;

	KASSERT(vs->subsystem > SI_SUB_VNET, ("vnet sysinit too early"));
	sx_xlock(&vnet_sysinit_sxlock);
	vnet_list_insert(&vnet_constructors, vs);
	vnet_run_everywhere(vs);
	sx_xunlock(&vnet_sysinit_sxlock);
}

void
vnet_deregister_sysinit(void *arg)
{
	struct vnet_sysinit *vs = arg;

	sx_xlock(&vnet_sysinit_sxlock);
	TAILQ_REMOVE(&vnet_constructors, vs, link);
	sx_xunlock(&vnet_sysinit_sxlock);
}

void
vnet_register_sysuninit(void *arg)
{
	struct vnet_sysinit *vs = arg;

	sx_xlock(&vnet_sysinit_sxlock);
	vnet_list_insert(&vnet_destructors, vs);
	sx_xunlock(&vnet_sysinit_sxlock);
}

void
vnet_deregister_sysuninit(void *arg)
{
	struct vnet_sysinit *vs = arg;

	sx_xlock(&vnet_sysinit_sxlock);
	vnet_run_everywhere(vs);
	TAILQ_REMOVE(&vnet_destructors, vs, link);
	sx_xunlock(&vnet_sysinit_sxlock);
}

/* An event that belongs to no vnet is told to the handler in each of them. */
void
vnet_global_eventhandler_iterator_func(void *arg, ...)
{
	struct eventhandler_entry_vimage *v_ee;
	struct vnet *vnet;
	void (*func)(void *);

	v_ee = arg;
	func = (void (*)(void *))v_ee->func;
	VNET_LIST_RLOCK();
	VNET_FOREACH(vnet) {
		CURVNET_SET_QUIET(vnet);
		func(v_ee->ee_arg);
		CURVNET_RESTORE();
	}
	VNET_LIST_RUNLOCK();
}
