/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dummynet, its objects: flowsets with their queues, schedulers with their
 * instances and links, how they are found, configured, shown and taken away.
 *
 * Numbers (N is DN_MAX_ID):
 *	1 .. N-1	a scheduler with its link ("sched", "pipe"), a flowset
 *			("queue")
 *	N+1 .. 2N-1	the FIFO scheduler and link behind "pipe n"; the
 *			flowset of a scheduler n that has no queues of its own
 *	2N+1 .. 3N-1	the flowset of that FIFO: what a rule "pipe n" finds
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/callout.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/module.h>
#include <sys/mutex.h>
#include <sys/priv.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/taskqueue.h>
#include <sys/time.h>

#include <net/if.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>

#include <netpfil/ipfw/ip_fw_private.h>
#include <netpfil/ipfw/dn_heap.h>
#include <netpfil/ipfw/ip_dn_private.h>
#include <netpfil/ipfw/dn_aqm.h>
#include <netpfil/ipfw/dn_sched.h>

/* What "show" is to copy. */
#define	DN_C_LINK	0x01
#define	DN_C_SCH	0x02
#define	DN_C_FLOW	0x04
#define	DN_C_FS		0x08
#define	DN_C_QUEUE	0x10

/* What a new scheduler is made of. */
struct schk_new_arg {
	struct dn_alg	*fp;
	struct dn_sch	*sch;
};

static struct callout dn_timeout;
static struct task dn_task;
static struct taskqueue *dn_tq;
static int dn_tasks_started;
static int dn_gone;

static struct mtx sched_mtx;
static CK_LIST_HEAD(, dn_alg) schedlist = CK_LIST_HEAD_INITIALIZER(schedlist);

static void
dummynet(void *arg __unused)
{

	taskqueue_enqueue(dn_tq, &dn_task);
}

void
dn_reschedule(void)
{

	if (__atomic_load_n(&dn_gone, __ATOMIC_RELAXED) == 0)
		callout_reset_sbt(&dn_timeout, tick_sbt, 0, dummynet, NULL,
		    C_HARDCLOCK | C_DIRECT_EXEC);
}

void
dummynet_sched_lock(void)
{

	mtx_lock(&sched_mtx);
}

void
dummynet_sched_unlock(void)
{

	mtx_unlock(&sched_mtx);
}

static struct dn_alg *
find_sched_type(uint32_t type, const char *name)
{
	struct dn_alg *d;

	NET_EPOCH_ASSERT();
	CK_LIST_FOREACH(d, &schedlist, next)
		if (d->type == type || strcasecmp(d->name, name) == 0)
			return (d);
	return (NULL);
}

int
ipdn_bound_var(int *v, int dflt, int lo, int hi, const char *msg)
{
	const char *op;
	int old = *v;

	if (old >= lo && old <= hi)
		return (old);
	if (old < lo) {
		*v = MIN(MAX(dflt, lo), hi);
		op = "Bump";
	} else {
		*v = hi;
		op = "Clamp";
	}
	if (msg != NULL && bootverbose)
		printf("%s %s to %d (was %d)\n", op, msg, *v, old);
	return (*v);
}

/*
 * Flow ids: masked they tell which queue and which instance.
 */
static void
in6_mask(struct in6_addr *a, const struct in6_addr *mask)
{
	int i;

	for (i = 0; i < 4; i++)
		a->s6_addr32[i] &= mask->s6_addr32[i];
}

static void
in6_merge(struct in6_addr *a, const struct in6_addr *other)
{
	int i;

	for (i = 0; i < 4; i++)
		a->s6_addr32[i] |= other->s6_addr32[i];
}

static bool
in6_zero(const struct in6_addr *a)
{

	return ((a->s6_addr32[0] | a->s6_addr32[1] | a->s6_addr32[2] |
	    a->s6_addr32[3]) == 0);
}

static void
flow_id_mask(const struct ipfw_flow_id *mask, struct ipfw_flow_id *id)
{

	id->dst_port &= mask->dst_port;
	id->src_port &= mask->src_port;
	id->proto &= mask->proto;
	id->extra &= mask->extra;
	if (IS_IP6_FLOW_ID(id)) {
		in6_mask(&id->dst_ip6, &mask->dst_ip6);
		in6_mask(&id->src_ip6, &mask->src_ip6);
		id->flow_id6 &= mask->flow_id6;
	} else {
		id->dst_ip &= mask->dst_ip;
		id->src_ip &= mask->src_ip;
	}
}

static void
flow_id_or(const struct ipfw_flow_id *src, struct ipfw_flow_id *dst)
{

	dst->dst_port |= src->dst_port;
	dst->src_port |= src->src_port;
	dst->proto |= src->proto;
	dst->extra |= src->extra;
	if (IS_IP6_FLOW_ID(dst)) {
		in6_merge(&dst->dst_ip6, &src->dst_ip6);
		in6_merge(&dst->src_ip6, &src->src_ip6);
		dst->flow_id6 |= src->flow_id6;
	} else {
		dst->dst_ip |= src->dst_ip;
		dst->src_ip |= src->src_ip;
	}
}

static bool
nonzero_mask(const struct ipfw_flow_id *m)
{

	if (m->dst_port != 0 || m->src_port != 0 || m->proto != 0 ||
	    m->extra != 0)
		return (true);
	if (IS_IP6_FLOW_ID(m))
		return (!in6_zero(&m->dst_ip6) || !in6_zero(&m->src_ip6) ||
		    m->flow_id6 != 0);
	return (m->dst_ip != 0 || m->src_ip != 0);
}

/* "show" prints it modulo 256, so it is FreeBSD's function of the id. */
static uint32_t
flow_id_hash(const struct ipfw_flow_id *id)
{
	const uint32_t *d, *s;
	uint32_t h;
	int i;

	if (!IS_IP6_FLOW_ID(id))
		return (id->dst_ip ^ (id->dst_ip >> 15) ^
		    (id->src_ip << 1) ^ (id->src_ip >> 16) ^ id->extra ^
		    (id->dst_port << 1) ^ id->src_port ^ id->proto);
	d = id->dst_ip6.s6_addr32;
	s = id->src_ip6.s6_addr32;
	h = (id->dst_port << 1) ^ id->src_port ^ id->extra ^ id->proto ^
	    id->flow_id6;
	for (i = 0; i < 4; i++)
		h ^= d[i] ^ (d[i] >> 15) ^ (s[i] << 1) ^ (s[i] << 16);
	return (h);
}

static bool
flow_id_equal(const struct ipfw_flow_id *a, const struct ipfw_flow_id *b)
{

	if (IS_IP6_FLOW_ID(a) != IS_IP6_FLOW_ID(b) ||
	    a->dst_port != b->dst_port || a->src_port != b->src_port ||
	    a->proto != b->proto || a->extra != b->extra)
		return (false);
	if (IS_IP6_FLOW_ID(a))
		return (a->flow_id6 == b->flow_id6 &&
		    bcmp(&a->dst_ip6, &b->dst_ip6, sizeof(a->dst_ip6)) == 0 &&
		    bcmp(&a->src_ip6, &b->src_ip6, sizeof(a->src_ip6)) == 0);
	return (a->dst_ip == b->dst_ip && a->src_ip == b->src_ip);
}

/*
 * Queues, in a flowset's hash table by flow id.
 */
static uint32_t
q_hash(uintptr_t key, int flags, void *arg)
{

	return (flow_id_hash((flags & DNHT_KEY_IS_OBJ) != 0 ?
	    &((struct dn_queue *)key)->ni.fid : (struct ipfw_flow_id *)key));
}

static int
q_match(void *obj, uintptr_t key, int flags, void *arg)
{

	return (flow_id_equal(&((struct dn_queue *)obj)->ni.fid,
	    (flags & DNHT_KEY_IS_OBJ) != 0 ? &((struct dn_queue *)key)->ni.fid :
	    (struct ipfw_flow_id *)key));
}

static void *
q_new(uintptr_t key, int flags, void *arg)
{
	struct dn_queue *q, *template = arg;
	struct dn_fsk *fs = template->fs;
	int size;

	size = sizeof(*q) + fs->sched->fp->q_datalen;
	q = malloc(size, M_DUMMYNET, M_NOWAIT | M_ZERO);
	if (q == NULL) {
		D("no memory for new queue");
		return (NULL);
	}
	set_oid(&q->ni.oid, DN_QUEUE, size);
	if ((fs->fs.flags & DN_QHT_HASH) != 0)
		q->ni.fid = *(struct ipfw_flow_id *)key;
	q->fs = fs;
	q->_si = template->_si;
	q->_si->q_count++;
	if (fs->sched->fp->new_queue != NULL)
		fs->sched->fp->new_queue(q);
	if (fs->aqmfp != NULL && fs->aqmfp->init != NULL &&
	    fs->aqmfp->init(q) != 0)
		D("unable to init AQM for fs %d", fs->fs.fs_nr);
	V_dn_cfg.queue_count++;
	return (q);
}

/*
 * The scheduler forgets a queue; with DN_DESTROY its packets and itself go.
 */
static void
dn_delete_queue(struct dn_queue *q, int flags)
{
	struct dn_fsk *fs = q->fs;

	if (fs != NULL && fs->aqmfp != NULL && fs->aqmfp->cleanup != NULL)
		fs->aqmfp->cleanup(q);
	if (fs != NULL && fs->sched->fp->free_queue != NULL)
		fs->sched->fp->free_queue(q);
	/* What is still in it stays in the instance's account: in FreeBSD, too. */
	q->_si->q_count--;
	q->_si = NULL;
	if ((flags & DN_DESTROY) != 0) {
		dn_free_pkts(q->mq.head);
		bzero(q, sizeof(*q));
		free(q, M_DUMMYNET);
		V_dn_cfg.queue_count--;
	}
}

static int
q_delete_cb(void *q, void *arg)
{
	int flags = (int)(uintptr_t)arg;

	dn_delete_queue(q, flags);
	return ((flags & DN_DESTROY) != 0 ? DNHT_SCAN_DEL : 0);
}

static void
qht_delete(struct dn_fsk *fs, int flags)
{

	if (fs->qht == NULL)
		return;
	if ((fs->fs.flags & DN_QHT_HASH) != 0) {
		dn_ht_scan(fs->qht, q_delete_cb, (void *)(uintptr_t)flags);
		if ((flags & DN_DESTROY) != 0)
			dn_ht_free(fs->qht, 0);
	} else
		dn_delete_queue((struct dn_queue *)fs->qht, flags);
	if ((flags & DN_DESTROY) != 0)
		fs->qht = NULL;
}

/*
 * The queue of a flow; made if it is the flow's first packet.
 */
struct dn_queue *
ipdn_q_find(struct dn_fsk *fs, struct dn_sch_inst *si, struct ipfw_flow_id *id)
{
	struct dn_queue template;
	struct ipfw_flow_id masked;

	DN_BH_LOCK_ASSERT();
	template._si = si;
	template.fs = fs;
	if ((fs->fs.flags & DN_QHT_HASH) == 0) {
		if (fs->qht == NULL)
			fs->qht = q_new(0, 0, &template);
		return ((struct dn_queue *)fs->qht);
	}
	if (fs->qht == NULL) {
		fs->qht = dn_ht_init(NULL, fs->fs.buckets,
		    offsetof(struct dn_queue, q_next), q_hash, q_match, q_new);
		if (fs->qht == NULL)
			return (NULL);
	}
	masked = *id;
	flow_id_mask(&fs->fsk_mask, &masked);
	return (dn_ht_find(fs->qht, (uintptr_t)&masked, DNHT_INSERT,
	    &template));
}

/*
 * Scheduler instances, in a scheduler's hash table by flow id.
 */
static uint32_t
si_hash(uintptr_t key, int flags, void *arg)
{

	return (flow_id_hash((flags & DNHT_KEY_IS_OBJ) != 0 ?
	    &((struct dn_sch_inst *)key)->ni.fid : (struct ipfw_flow_id *)key));
}

static int
si_match(void *obj, uintptr_t key, int flags, void *arg)
{

	return (flow_id_equal(&((struct dn_sch_inst *)obj)->ni.fid,
	    (flags & DNHT_KEY_IS_OBJ) != 0 ?
	    &((struct dn_sch_inst *)key)->ni.fid : (struct ipfw_flow_id *)key));
}

static void *
si_new(uintptr_t key, int flags, void *arg)
{
	struct dn_schk *s = arg;
	struct dn_sch_inst *si;

	si = malloc(sizeof(*si) + s->fp->si_datalen, M_DUMMYNET,
	    M_NOWAIT | M_ZERO);
	if (si == NULL)
		return (NULL);
	/* The length is that of the part that is shown. */
	set_oid(&si->ni.oid, DN_SCH_I, sizeof(struct dn_flow));
	set_oid(&si->dline.oid, DN_DELAY_LINE, sizeof(struct delay_line));
	/* oid.id is the place in the event heap. */
	si->ni.oid.id = si->dline.oid.id = -1;
	si->sched = s;
	si->dline.si = si;
	if (s->fp->new_sched != NULL && s->fp->new_sched(si) != 0) {
		D("new_sched error");
		goto error;
	}
	if ((s->sch.flags & DN_HAVE_MASK) != 0)
		si->ni.fid = *(struct ipfw_flow_id *)key;
	if ((s->fp->flags & DN_MULTIQUEUE) == 0 && s->fs->aqmfp != NULL &&
	    s->fs->aqmfp->init != NULL &&
	    s->fs->aqmfp->init((struct dn_queue *)(si + 1)) != 0) {
		D("unable to init AQM for fs %d", s->fs->fs.fs_nr);
		goto error;
	}
	V_dn_cfg.si_count++;
	return (si);

error:
	bzero(si, sizeof(*si));
	free(si, M_DUMMYNET);
	return (NULL);
}

/*
 * No flowset points here any more: out of the event heap, and gone with all
 * that is on the line.
 */
static int
si_destroy(void *_si, void *arg)
{
	struct dn_sch_inst *si = _si;
	struct dn_schk *s = si->sched;
	struct dn_queue *q;

	if (si->dline.oid.subtype != 0)
		heap_extract(&V_dn_cfg.evheap, &si->dline);
	dn_free_pkts(si->dline.mq.head);
	if ((si->kflags & DN_ACTIVE) != 0)
		heap_extract(&V_dn_cfg.evheap, si);
	if ((s->fp->flags & DN_MULTIQUEUE) == 0) {
		q = (struct dn_queue *)(si + 1);
		if (q->aqm_status != NULL && q->fs->aqmfp != NULL &&
		    q->fs->aqmfp->cleanup != NULL)
			q->fs->aqmfp->cleanup(q);
	}
	if (s->fp->free_sched != NULL)
		s->fp->free_sched(si);
	bzero(si, sizeof(*si));
	free(si, M_DUMMYNET);
	V_dn_cfg.si_count--;
	return (DNHT_SCAN_DEL);
}

struct dn_sch_inst *
ipdn_si_find(struct dn_schk *s, struct ipfw_flow_id *id)
{
	struct ipfw_flow_id masked;

	DN_BH_LOCK_ASSERT();
	if ((s->sch.flags & DN_HAVE_MASK) != 0) {
		masked = *id;
		flow_id_mask(&s->sch.sched_mask, &masked);
		return (dn_ht_find(s->siht, (uintptr_t)&masked, DNHT_INSERT,
		    s));
	}
	if (s->siht == NULL)
		s->siht = si_new(0, 0, s);
	return ((struct dn_sch_inst *)s->siht);
}

static int
si_reset_credit(void *_si, void *arg)
{
	struct dn_sch_inst *si = _si;
	struct dn_link *p = &si->sched->link;

	si->credit = p->burst;
	if (__atomic_load_n(&V_dn_cfg.io_fast, __ATOMIC_RELAXED))
		si->credit += p->bandwidth;
	return (0);
}

static void
schk_reset_credit(struct dn_schk *s)
{

	if ((s->sch.flags & DN_HAVE_MASK) != 0)
		dn_ht_scan(s->siht, si_reset_credit, NULL);
	else if (s->siht != NULL)
		si_reset_credit(s->siht, NULL);
}

/*
 * Flowsets, in V_dn_cfg.fshash by number.
 */
static uint32_t
nr_hash(uint32_t i)
{

	return ((i >> 8) ^ (i >> 4) ^ i);
}

static uint32_t
fsk_hash(uintptr_t key, int flags, void *arg)
{

	return (nr_hash((flags & DNHT_KEY_IS_OBJ) != 0 ?
	    ((struct dn_fsk *)key)->fs.fs_nr : key));
}

static int
fsk_match(void *obj, uintptr_t key, int flags, void *arg)
{

	return (((struct dn_fsk *)obj)->fs.fs_nr ==
	    ((flags & DNHT_KEY_IS_OBJ) != 0 ?
	    ((struct dn_fsk *)key)->fs.fs_nr : (uint32_t)key));
}

static void *
fsk_new(uintptr_t key, int flags, void *arg)
{
	struct dn_fsk *fs;

	fs = malloc(sizeof(*fs), M_DUMMYNET, M_NOWAIT | M_ZERO);
	if (fs != NULL) {
		set_oid(&fs->fs.oid, DN_FS, sizeof(fs->fs));
		V_dn_cfg.fsk_count++;
		SLIST_INSERT_HEAD(&V_dn_cfg.fsu, fs, sch_chain);
	}
	return (fs);
}

static int
si_cleanup_q(void *_si, void *arg)
{
	struct dn_sch_inst *si = _si;

	if (si->sched->fs->aqmfp != NULL && si->sched->fs->aqmfp->cleanup != NULL)
		si->sched->fs->aqmfp->cleanup((struct dn_queue *)(si + 1));
	return (0);
}

static int
q_cleanup_q(void *_q, void *arg)
{
	struct dn_queue *q = _q;

	q->fs->aqmfp->cleanup(q);
	return (0);
}

/* The AQM of a flowset goes, in its queues first. */
static void
aqm_cleanup_deconfig_fs(struct dn_fsk *fs)
{

	if (fs->aqmfp == NULL)
		return;
	if (fs->sched != NULL && fs->aqmfp->cleanup != NULL) {
		if ((fs->sched->fp->flags & DN_MULTIQUEUE) == 0) {
			if (fs->fs.fs_nr <= DN_MAX_ID)
				;	/* the queue is not of this flowset */
			else if ((fs->sched->sch.flags & DN_HAVE_MASK) != 0)
				dn_ht_scan(fs->sched->siht, si_cleanup_q, NULL);
			else if (fs->sched->siht != NULL)
				si_cleanup_q(fs->sched->siht, NULL);
		} else if (fs->qht != NULL) {
			if ((fs->fs.flags & DN_QHT_HASH) != 0)
				dn_ht_scan(fs->qht, q_cleanup_q, NULL);
			else
				q_cleanup_q(fs->qht, NULL);
		}
	}
	if (fs->aqmcfg != NULL && fs->aqmfp->deconfig != NULL)
		fs->aqmfp->deconfig(fs);
}

/*
 * Take a flowset from its scheduler.  DN_DETACH: it is in a list; DN_DESTROY:
 * its queues go; DN_DELETE_FS: it goes itself.
 */
static void
fsk_detach(struct dn_fsk *fs, int flags)
{
	struct dn_fsk_head *h;

	if ((flags & DN_DELETE_FS) != 0)
		flags |= DN_DESTROY;
	if ((flags & DN_DETACH) != 0) {
		h = fs->sched != NULL ? &fs->sched->fsk_list : &V_dn_cfg.fsu;
		SLIST_REMOVE(h, fs, dn_fsk, sch_chain);
	}
	free(fs->w_q_lookup, M_DUMMYNET);
	fs->w_q_lookup = NULL;
	qht_delete(fs, flags);
	aqm_cleanup_deconfig_fs(fs);
	if (fs->sched != NULL && fs->sched->fp->free_fsk != NULL)
		fs->sched->fp->free_fsk(fs);
	fs->sched = NULL;
	if ((flags & DN_DELETE_FS) != 0) {
		bzero(fs, sizeof(*fs));
		free(fs, M_DUMMYNET);
		V_dn_cfg.fsk_count--;
	} else
		SLIST_INSERT_HEAD(&V_dn_cfg.fsu, fs, sch_chain);
}

static void
fsk_detach_list(struct dn_fsk_head *h, int flags)
{
	struct dn_fsk *fs;
	struct dn_fsk_head all;

	/* Those that stay go to fsu, which may be the very list. */
	all = *h;
	SLIST_INIT(h);
	while ((fs = SLIST_FIRST(&all)) != NULL) {
		SLIST_REMOVE_HEAD(&all, sch_chain);
		fsk_detach(fs, flags);
	}
}

static int
delete_fs(int i, int locked)
{
	struct dn_fsk *fs;

	if (!locked)
		DN_BH_WLOCK();
	fs = dn_ht_find(V_dn_cfg.fshash, i, DNHT_REMOVE, NULL);
	if (fs != NULL)
		fsk_detach(fs, DN_DETACH | DN_DELETE_FS);
	if (!locked)
		DN_BH_WUNLOCK();
	return (fs != NULL ? 0 : EINVAL);
}

/*
 * Schedulers, in V_dn_cfg.schedhash by number.
 */
static uint32_t
schk_hash(uintptr_t key, int flags, void *arg)
{

	return (nr_hash((flags & DNHT_KEY_IS_OBJ) != 0 ?
	    ((struct dn_schk *)key)->sch.sched_nr : key));
}

static int
schk_match(void *obj, uintptr_t key, int flags, void *arg)
{

	return (((struct dn_schk *)obj)->sch.sched_nr ==
	    ((flags & DNHT_KEY_IS_OBJ) != 0 ?
	    ((struct dn_schk *)key)->sch.sched_nr : (uint32_t)key));
}

/* fp stays NULL: that is how config_sched() knows a new one. */
static void *
schk_new(uintptr_t key, int flags, void *arg)
{
	struct schk_new_arg *a = arg;
	struct dn_schk *s;

	s = malloc(sizeof(*s) + a->fp->schk_datalen, M_DUMMYNET,
	    M_NOWAIT | M_ZERO);
	if (s == NULL)
		return (NULL);
	set_oid(&s->link.oid, DN_LINK, sizeof(s->link));
	s->sch = *a->sch;
	s->link.link_nr = s->sch.sched_nr;
	SLIST_INIT(&s->fsk_list);
	if ((s->sch.flags & DN_HAVE_MASK) != 0) {
		s->siht = dn_ht_init(NULL, s->sch.buckets,
		    offsetof(struct dn_sch_inst, si_next), si_hash, si_match,
		    si_new);
		if (s->siht == NULL) {
			free(s, M_DUMMYNET);
			return (NULL);
		}
	}
	V_dn_cfg.schk_count++;
	return (s);
}

/*
 * A scheduler goes, with its instances.  Its flowsets stay, without one.
 */
static int
schk_delete_cb(void *obj, void *arg)
{
	struct dn_schk *s = obj;

	fsk_detach_list(&s->fsk_list, arg != NULL ? DN_DESTROY : 0);
	if ((s->sch.flags & DN_HAVE_MASK) != 0) {
		dn_ht_scan(s->siht, si_destroy, NULL);
		dn_ht_free(s->siht, 0);
	} else if (s->siht != NULL)
		si_destroy(s->siht, NULL);
	s->siht = NULL;
	free(s->profile, M_DUMMYNET);
	s->profile = NULL;
	if (s->fp->destroy != NULL)
		s->fp->destroy(s);
	bzero(s, sizeof(*s));
	free(s, M_DUMMYNET);
	V_dn_cfg.schk_count--;
	return (DNHT_SCAN_DEL);
}

static int
delete_schk(int i)
{
	struct dn_schk *s;

	s = dn_ht_find(V_dn_cfg.schedhash, i, DNHT_REMOVE, NULL);
	if (s == NULL)
		return (EINVAL);
	/* Its own flowset first; those of the user are only detached. */
	delete_fs(i + DN_MAX_ID, 1);
	schk_delete_cb(s, (void *)(uintptr_t)DN_DESTROY);
	return (0);
}

static struct dn_schk *
locate_scheduler(int i)
{

	return (dn_ht_find(V_dn_cfg.schedhash, i, 0, NULL));
}

/*
 * "show": objects are copied one behind the other into a buffer.
 */
static int
copy_obj(char **start, char *end, void *obj, const char *msg, int i)
{
	struct dn_id *o = obj;
	struct dn_link link;
	struct dn_sch sch;
	struct dn_schk *s;

	if (end - *start < o->len || o->len == 0 || o->type == 0) {
		D("(WARN) type %d %s %d have %d need %d", o->type, msg, i,
		    (int)(end - *start), o->len);
		return (1);
	}
	/* Objects are not aligned in there. */
	if (o->type == DN_LINK) {
		memcpy(&link, obj, sizeof(link));
		link.burst = div64(link.burst, 8 * hz);
		link.delay = link.delay * 1000 / hz;
		memcpy(*start, &link, sizeof(link));
	} else if (o->type == DN_SCH) {
		s = obj;
		sch = s->sch;
		sch.oid.id = (sch.flags & DN_HAVE_MASK) != 0 ?
		    dn_ht_entries(s->siht) : (s->siht != NULL ? 1 : 0);
		memcpy(*start, &sch, sizeof(sch));
	} else
		memcpy(*start, obj, o->len);
	*start += o->len;
	return (0);
}

/* The part of a queue or an instance that is a struct dn_flow. */
static int
copy_flow(struct copy_args *a, struct dn_flow *ni)
{
	struct dn_flow copy;

	if (a->end - *a->start < (int)sizeof(copy)) {
		D("(WARN) no room for a flow");
		return (DNHT_SCAN_END);
	}
	copy = *ni;
	copy.oid.len = sizeof(copy);
	copy.oid.type = DN_FLOW;
	copy.oid.id = flow_id_hash(&ni->fid);
	memcpy(*a->start, &copy, sizeof(copy));
	*a->start += sizeof(copy);
	return (0);
}

static int
copy_q_cb(void *obj, void *arg)
{

	return (copy_flow(arg, &((struct dn_queue *)obj)->ni));
}

static void
copy_q(struct copy_args *a, struct dn_fsk *fs)
{

	if (fs->qht == NULL)
		return;
	if ((fs->fs.flags & DN_QHT_HASH) != 0)
		dn_ht_scan(fs->qht, copy_q_cb, a);
	else
		copy_q_cb(fs->qht, a);
}

static int
copy_si_cb(void *obj, void *arg)
{

	return (copy_flow(arg, &((struct dn_sch_inst *)obj)->ni));
}

static void
copy_si(struct copy_args *a, struct dn_schk *s)
{

	if ((s->sch.flags & DN_HAVE_MASK) != 0)
		dn_ht_scan(s->siht, copy_si_cb, a);
	else if (s->siht != NULL)
		copy_si_cb(s->siht, a);
}

/* Without its samples. */
static int
copy_profile(struct copy_args *a, struct dn_profile *p)
{
	int len;

	len = offsetof(struct dn_profile, samples);
	if (p == NULL)
		return (0);
	if (a->end - *a->start < len)
		return (1);
	memcpy(*a->start, p, len);
	((struct dn_id *)*a->start)->len = len;
	*a->start += len;
	return (0);
}

static int
copy_flowset(struct copy_args *a, struct dn_fsk *fs)
{
	struct dn_fs *copy;

	if (fs == NULL)
		return (0);
	copy = (struct dn_fs *)*a->start;
	if (copy_obj(a->start, a->end, &fs->fs, "flowset", fs->fs.fs_nr) != 0)
		return (1);
	copy->oid.id = (fs->fs.flags & DN_QHT_HASH) != 0 ?
	    dn_ht_entries(fs->qht) : (fs->qht != NULL ? 1 : 0);
	return (0);
}

/* The numbers of the flowsets of a scheduler, as a text. */
static int
copy_fsk_list(struct copy_args *a, struct dn_schk *s)
{
	struct dn_fsk *fs;
	struct dn_id *o;
	uint32_t *p;
	int n;

	n = 0;
	SLIST_FOREACH(fs, &s->fsk_list, sch_chain)
		if (fs->fs.fs_nr < DN_MAX_ID)
			n++;
	if (a->end - *a->start < (int)(sizeof(*o) + n * sizeof(*p)))
		return (1);
	o = (struct dn_id *)*a->start;
	set_oid(o, DN_TEXT, sizeof(*o) + n * sizeof(*p));
	p = (uint32_t *)(o + 1);
	SLIST_FOREACH(fs, &s->fsk_list, sch_chain)
		if (fs->fs.fs_nr < DN_MAX_ID)
			*p++ = fs->fs.fs_nr;
	*a->start += o->len;
	return (0);
}

static bool
in_ranges(const struct copy_range *c, uint32_t n)
{
	const uint32_t *r, *end;

	end = (const uint32_t *)((const char *)c + c->o.len);
	for (r = c->r; r + 1 < end; r += 2)
		if (n >= r[0] && n <= r[1])
			return (true);
	return (false);
}

static int
copy_schk_cb(void *obj, void *arg)
{
	struct copy_args *a = arg;
	struct dn_schk *s = obj;
	int n = s->sch.sched_nr;

	/* A pipe is a FIFO's number, a scheduler is not. */
	if ((a->type == DN_SCH) != (n < DN_MAX_ID) || !in_ranges(a->extra, n))
		return (0);
	if ((a->flags & DN_C_LINK) != 0 &&
	    (copy_obj(a->start, a->end, &s->link, "link", n) != 0 ||
	    copy_profile(a, s->profile) != 0 || copy_flowset(a, s->fs) != 0))
		return (DNHT_SCAN_END);
	if ((a->flags & DN_C_SCH) != 0) {
		/* copy_obj() looks behind the part that is copied. */
		if (copy_obj(a->start, a->end, s, "sched", n) != 0 ||
		    copy_fsk_list(a, s) != 0)
			return (DNHT_SCAN_END);
	}
	if ((a->flags & DN_C_FLOW) != 0)
		copy_si(a, s);
	return (0);
}

static int
copy_fsk_cb(void *obj, void *arg)
{
	struct copy_args *a = arg;
	struct dn_fsk *fs = obj;

	if (fs->fs.fs_nr >= DN_MAX_ID || !in_ranges(a->extra, fs->fs.fs_nr))
		return (0);
	if (copy_flowset(a, fs) != 0)
		return (DNHT_SCAN_END);
	copy_q(a, fs);
	return (0);
}

/* How much "show" needs, or -1: no such thing to show. */
static int
compute_space(struct dn_id *cmd, struct copy_args *a)
{
	int need;

	switch (cmd->subtype) {
	case DN_LINK:
	case DN_SCH:
		a->flags = DN_C_LINK | DN_C_SCH | DN_C_FLOW;
		need = V_dn_cfg.schk_count * (sizeof(struct dn_link) +
		    offsetof(struct dn_profile, samples) +
		    sizeof(struct dn_fs) + sizeof(struct dn_sch) +
		    sizeof(struct dn_id));
		need += V_dn_cfg.fsk_count * sizeof(uint32_t);
		need += V_dn_cfg.si_count * sizeof(struct dn_flow);
		return (need);
	case DN_FS:
		a->flags = DN_C_FS | DN_C_QUEUE;
		return (V_dn_cfg.fsk_count * sizeof(struct dn_fs) +
		    V_dn_cfg.queue_count * sizeof(struct dn_flow));
	default:
		return (-1);
	}
}

/*
 * Parameters of a scheduler or of an AQM beyond the common ones; those that
 * have none leave the message as it came.
 */
static int
get_extra_parms(struct sockopt *sopt, int subtype)
{
	struct dn_extra_parms ep;
	struct dn_fsk *fs;
	struct dn_schk *s;
	size_t valsize;
	int error;

	valsize = sopt->sopt_valsize;
	error = sooptcopyin(sopt, &ep, sizeof(ep), sizeof(ep));
	sopt->sopt_valsize = valsize;
	if (error != 0)
		return (error);
	if (ep.oid.len < sizeof(ep))
		return (EINVAL);
	DN_BH_WLOCK();
	error = EINVAL;
	if (subtype == DN_AQM_PARAMS) {
		fs = dn_ht_find(V_dn_cfg.fshash, ep.nr, 0, NULL);
		if (fs != NULL)
			error = fs->aqmfp != NULL && fs->aqmfp->getconfig != NULL ?
			    fs->aqmfp->getconfig(fs, &ep) : 0;
	} else {
		s = locate_scheduler(ep.nr);
		if (s != NULL)
			error = s->fp->getconfig != NULL ?
			    s->fp->getconfig(s, &ep) : 0;
	}
	DN_BH_WUNLOCK();
	if (error != 0)
		return (EINVAL);
	ep.oid.len = sizeof(ep);
	return (sooptcopyout(sopt, &ep, sizeof(ep)));
}

int
dummynet_get(struct sockopt *sopt)
{
	struct copy_args a;
	struct copy_range r;
	struct dn_id *cmd;
	char *buf, *start;
	size_t valsize;
	int error, have, i, need;
	bool ranges;

	bzero(&a, sizeof(a));
	bzero(&r, sizeof(r));
	valsize = sopt->sopt_valsize;
	error = sooptcopyin(sopt, &r, sizeof(r), sizeof(r.o));
	sopt->sopt_valsize = valsize;
	if (error != 0)
		return (error);
	cmd = &r.o;
	if (cmd->subtype == DN_AQM_PARAMS || cmd->subtype == DN_SCH_PARAMS)
		return (get_extra_parms(sopt, cmd->subtype));
	if (cmd->len > sizeof(r)) {
		cmd = malloc(cmd->len, M_DUMMYNET, M_NOWAIT);
		if (cmd == NULL)
			return (ENOMEM);
		error = sooptcopyin(sopt, cmd, r.o.len, r.o.len);
		sopt->sopt_valsize = valsize;
		if (error != 0) {
			free(cmd, M_DUMMYNET);
			return (error);
		}
	}
	ranges = cmd->len > sizeof(*cmd);
	a.extra = (struct copy_range *)cmd;
	if (!ranges) {
		cmd->len += 2 * sizeof(uint32_t);
		a.extra->r[0] = 1;
		a.extra->r[1] = DN_MAX_ID - 1;
		if (cmd->subtype == DN_LINK) {
			a.extra->r[0] += DN_MAX_ID;
			a.extra->r[1] += DN_MAX_ID;
		}
	}

	/* Ask under the lock, allocate without; it may have grown by then. */
	start = NULL;
	for (have = i = 0;; i++) {
		DN_BH_WLOCK();
		need = compute_space(cmd, &a);
		if (need >= 0)
			need = sizeof(*cmd) +
			    (ranges ? MAX(need, (int)(valsize - sizeof(*cmd))) :
			    need);
		if (start != NULL && need >= 0 && have >= need)
			break;
		DN_BH_WUNLOCK();
		free(start, M_DUMMYNET);
		start = NULL;
		if (need < 0) {
			error = EINVAL;
			goto done;
		}
		cmd->id = need;
		if ((size_t)need > valsize || i == 10) {
			/* Tell how much it would be. */
			error = sooptcopyout(sopt, cmd, sizeof(*cmd));
			goto done;
		}
		have = need;
		start = malloc(have, M_DUMMYNET, M_NOWAIT | M_ZERO);
		if (start == NULL) {
			error = ENOMEM;
			goto done;
		}
	}
	cmd->id = need;
	memcpy(start, cmd, sizeof(*cmd));
	((struct dn_id *)start)->len = sizeof(struct dn_id);
	buf = start + sizeof(*cmd);
	a.start = &buf;
	a.end = start + have;
	a.type = cmd->subtype;
	if (a.type == DN_FS)
		dn_ht_scan(V_dn_cfg.fshash, copy_fsk_cb, &a);
	else
		dn_ht_scan(V_dn_cfg.schedhash, copy_schk_cb, &a);
	DN_BH_WUNLOCK();
	sopt->sopt_valsize = valsize;
	error = sooptcopyout(sopt, start, buf - start);
done:
	if (cmd != &r.o)
		free(cmd, M_DUMMYNET);
	free(start, M_DUMMYNET);
	return (error);
}

/*
 * RED's constants; they depend on the link's rate.  FreeBSD counts in ints that
 * wrap, and divides by a weight that ipfw(8) may have rounded down to 0: so do
 * we (scenarios/reports/red-weight.yaml).
 */
static int
config_red(struct dn_fsk *fs)
{
	int64_t idle, s, w0, weight;
	int bw, i;

	fs->w_q = fs->fs.w_q;
	fs->max_p = fs->fs.max_p;
	bw = fs->sched->link.bandwidth;
	/* Ticks that an average packet takes. */
	s = bw <= 0 ? 0 :
	    (int)((u_int)hz * V_dn_cfg.red_avg_pkt_size * 8 * SCALE(1)) / bw;
	idle = div64(s * 3, fs->w_q);
	if (V_dn_cfg.red_lookup_depth == 0) {
		printf("\ndummynet: net.inet.ip.dummynet.red_lookup_depth"
		    "must be > 0\n");
		fs->fs.flags &= ~(DN_IS_RED | DN_IS_GENTLE_RED);
		return (EINVAL);
	}
	fs->lookup_step = div64(idle, V_dn_cfg.red_lookup_depth);
	if (fs->lookup_step == 0)
		fs->lookup_step = 1;
	w0 = weight = SCALE(1) - fs->w_q;
	for (i = fs->lookup_step; i > 1; i--)
		weight = SCALE_MUL(weight, w0);
	fs->lookup_weight = (int)weight;

	fs->min_th = SCALE(fs->fs.min_th);
	fs->max_th = SCALE(fs->fs.max_th);
	if (fs->fs.max_th == fs->fs.min_th)
		fs->c_1 = fs->max_p;
	else
		fs->c_1 = SCALE((int64_t)fs->max_p) /
		    (fs->fs.max_th - fs->fs.min_th);
	fs->c_2 = SCALE_MUL(fs->c_1, SCALE((u_int)fs->fs.min_th));
	if ((fs->fs.flags & DN_IS_GENTLE_RED) != 0) {
		fs->c_3 = (SCALE(1) - fs->max_p) / fs->fs.max_th;
		fs->c_4 = SCALE(1) - 2 * fs->max_p;
	}

	free(fs->w_q_lookup, M_DUMMYNET);
	fs->lookup_depth = V_dn_cfg.red_lookup_depth;
	fs->w_q_lookup = malloc(fs->lookup_depth * sizeof(fs->w_q_lookup[0]),
	    M_DUMMYNET, M_NOWAIT);
	if (fs->w_q_lookup == NULL) {
		printf("dummynet: sorry, cannot allocate red lookup table\n");
		fs->fs.flags &= ~(DN_IS_RED | DN_IS_GENTLE_RED);
		return (ENOSPC);
	}
	fs->w_q_lookup[0] = SCALE(1) - fs->w_q;
	for (i = 1; i < (int)fs->lookup_depth; i++)
		fs->w_q_lookup[i] = SCALE_MUL((int64_t)fs->w_q_lookup[i - 1],
		    fs->lookup_weight);
	if (V_dn_cfg.red_avg_pkt_size < 1)
		V_dn_cfg.red_avg_pkt_size = 512;
	if (V_dn_cfg.red_max_pkt_size < 1)
		V_dn_cfg.red_max_pkt_size = 1500;
	fs->avg_pkt_size = V_dn_cfg.red_avg_pkt_size;
	fs->max_pkt_size = V_dn_cfg.red_max_pkt_size;
	return (0);
}

static void
update_red(struct dn_schk *s)
{
	struct dn_fsk *fs;

	SLIST_FOREACH(fs, &s->fsk_list, sch_chain)
		if ((fs->fs.flags & DN_IS_RED) != 0)
			config_red(fs);
}

/*
 * A flowset without a scheduler gets one.
 */
static void
fsk_attach(struct dn_fsk *fs, struct dn_schk *s)
{

	KASSERT(fs->qht == NULL, ("flowset %u has queues already",
	    fs->fs.fs_nr));
	SLIST_REMOVE(&V_dn_cfg.fsu, fs, dn_fsk, sch_chain);
	fs->sched = s;
	SLIST_INSERT_HEAD(&s->fsk_list, fs, sch_chain);
	if (s->fp->new_fsk != NULL)
		s->fp->new_fsk(fs);
	fs->fsk_mask = fs->fs.flow_mask;
	if ((s->sch.flags & DN_HAVE_MASK) != 0)
		flow_id_or(&s->sch.sched_mask, &fs->fsk_mask);
	if (nonzero_mask(&fs->fsk_mask))
		fs->fs.flags |= DN_QHT_HASH;
	else
		fs->fs.flags &= ~DN_QHT_HASH;
	if ((fs->fs.flags & DN_IS_RED) != 0)
		config_red(fs);
}

/* A scheduler is there: the flowsets that waited for it. */
static void
update_fs(struct dn_schk *s)
{
	struct dn_fsk *fs, *tmp;

	SLIST_FOREACH_SAFE(fs, &V_dn_cfg.fsu, sch_chain, tmp) {
		if (s->sch.sched_nr != fs->fs.sched_nr) {
			D("fs %d for sch %d not %d still unlinked",
			    fs->fs.fs_nr, fs->fs.sched_nr, s->sch.sched_nr);
			continue;
		}
		fsk_attach(fs, s);
	}
}

/*
 * A link is that of a scheduler and of its FIFO.
 */
static int
config_link(struct dn_link *p)
{
	struct dn_schk *s;
	int i;

	if (p->oid.len != sizeof(*p)) {
		D("invalid pipe len %d", p->oid.len);
		return (EINVAL);
	}
	i = p->link_nr;
	if (i <= 0 || i >= DN_MAX_ID)
		return (EINVAL);
	p->delay = (p->delay * hz) / 1000;
	p->burst *= 8 * hz;

	DN_BH_WLOCK();
	for (; i < 2 * DN_MAX_ID; i += DN_MAX_ID) {
		s = locate_scheduler(i);
		if (s == NULL) {
			DN_BH_WUNLOCK();
			D("sched %d not found", i);
			return (EINVAL);
		}
		free(s->profile, M_DUMMYNET);
		s->profile = NULL;
		s->link.oid = p->oid;
		s->link.link_nr = i;
		s->link.delay = p->delay;
		if (s->link.bandwidth != p->bandwidth) {
			s->link.bandwidth = p->bandwidth;
			update_red(s);
		}
		s->link.burst = p->burst;
		schk_reset_credit(s);
	}
	V_dn_cfg.id++;
	DN_BH_WUNLOCK();
	return (0);
}

static struct dn_fsk *
config_fs_locked(struct dn_fs *nfs)
{
	struct dn_fsk *fs;
	struct dn_schk *s;
	int j, oldc;

	oldc = V_dn_cfg.fsk_count;
	fs = dn_ht_find(V_dn_cfg.fshash, nfs->fs_nr,
	    nfs->sched_nr != 0 ? DNHT_INSERT : 0, NULL);
	if (fs == NULL) {
		D("missing sched for flowset %d", nfs->fs_nr);
		return (NULL);
	}
	/* What is not said stays as it is. */
	if (nfs->sched_nr == 0)
		nfs->sched_nr = fs->fs.sched_nr;
	for (j = 0; j < (int)nitems(nfs->par); j++)
		if (nfs->par[j] == -1)
			nfs->par[j] = fs->fs.par[j];
	if (bcmp(&fs->fs, nfs, sizeof(*nfs)) == 0)
		return (fs);
	if (oldc != V_dn_cfg.fsk_count)
		V_dn_cfg.id++;
	s = locate_scheduler(nfs->sched_nr);
	DX(2, "fs %d changed sched %d@%p to %d@%p", fs->fs.fs_nr,
	    fs->fs.sched_nr, fs->sched, nfs->sched_nr, s);
	if (fs->sched != NULL)
		fsk_detach(fs, DN_DETACH | DN_DESTROY);
	fs->fs = *nfs;
	fs->aqmfp = NULL;
	if (s != NULL)
		fsk_attach(fs, s);
	return (fs);
}

static struct dn_fsk *
config_fs(struct dn_fs *nfs, int locked)
{
	struct dn_fsk *fs;

	if (nfs->oid.len != sizeof(*nfs)) {
		D("invalid flowset len %d", nfs->oid.len);
		return (NULL);
	}
	if (nfs->fs_nr == 0 || nfs->fs_nr >= 3 * DN_MAX_ID)
		return (NULL);
	if ((nfs->flags & DN_QSIZE_BYTES) != 0)
		ipdn_bound_var(&nfs->qsize, 16384, 1500, V_dn_cfg.byte_limit,
		    NULL);
	else
		ipdn_bound_var(&nfs->qsize, 50, 1, V_dn_cfg.slot_limit, NULL);
	if ((nfs->flags & DN_HAVE_MASK) != 0)
		ipdn_bound_var((int *)&nfs->buckets, V_dn_cfg.hash_size, 1,
		    V_dn_cfg.max_hash_size, "flowset buckets");
	else
		nfs->buckets = 1;
	if (!locked)
		DN_BH_WLOCK();
	fs = config_fs_locked(nfs);
	if (!locked)
		DN_BH_WUNLOCK();
	return (fs);
}

/*
 * One scheduler comes to be what sch says.  One that was otherwise before goes
 * with its instances; link and profile outlive it.
 */
static int
config_sched_one(struct dn_sch *sch, struct dn_alg *fp)
{
	struct schk_new_arg a = { .fp = fp, .sch = sch };
	struct dn_fs fs;
	struct dn_link link;
	struct dn_profile *pf;
	struct dn_schk *s;
	int i = sch->sched_nr;

	sch->oid.subtype = fp->type;
	bzero(sch->name, sizeof(sch->name));
	strlcpy(sch->name, fp->name, sizeof(sch->name));

	s = dn_ht_find(V_dn_cfg.schedhash, i, DNHT_INSERT, &a);
	if (s != NULL && s->fp != NULL &&
	    (s->fp != fp || bcmp(sch, &s->sch, sizeof(*sch)) != 0)) {
		DX(2, "sched %d type changed from %s to %s", i, s->fp->name,
		    fp->name);
		link = s->link;
		pf = s->profile;
		s->profile = NULL;
		dn_ht_find(V_dn_cfg.schedhash, i, DNHT_REMOVE, NULL);
		schk_delete_cb(s, (void *)(uintptr_t)DN_DESTROY);
		s = dn_ht_find(V_dn_cfg.schedhash, i, DNHT_INSERT, &a);
		if (s == NULL)
			free(pf, M_DUMMYNET);
		else {
			s->link = link;
			s->profile = pf;
		}
	}
	if (s == NULL) {
		D("cannot allocate scheduler %d", i);
		return (ENOMEM);
	}
	s->sch = *sch;
	s->fp = fp;

	/* The flowset of one that has no queues per flow. */
	if ((fp->flags & DN_MULTIQUEUE) == 0 && s->fs == NULL) {
		/*
		 * FreeBSD looks for the user's queue of this number here, not
		 * for the flowset of its own that it then makes.
		 */
		s->fs = dn_ht_find(V_dn_cfg.fshash, i, 0, NULL);
		if (s->fs == NULL) {
			bzero(&fs, sizeof(fs));
			set_oid(&fs.oid, DN_FS, sizeof(fs));
			fs.fs_nr = i + DN_MAX_ID;
			fs.sched_nr = i;
			s->fs = config_fs(&fs, 1);
		}
		if (s->fs == NULL) {
			dn_ht_find(V_dn_cfg.schedhash, i, DNHT_REMOVE, NULL);
			schk_delete_cb(s, (void *)(uintptr_t)DN_DESTROY);
			D("error creating internal fs for %d", i);
			return (ENOMEM);
		}
	}
	if (fp->config != NULL)
		fp->config(s);
	update_fs(s);
	return (0);
}

/*
 * "sched i config" and "pipe i config": the scheduler, and the FIFO that goes
 * with it.  The mask is the FIFO's for a pipe, the scheduler's for a sched.
 */
static int
config_sched(struct dn_sch *nsch, struct dn_id *arg)
{
	struct dn_alg *fp;
	struct dn_sch sch;
	struct dn_schk *s;
	int error, i;
	bool pipe_cmd;

	NET_EPOCH_ASSERT();
	if (nsch->oid.len != sizeof(*nsch)) {
		D("bad sched len %d", nsch->oid.len);
		return (EINVAL);
	}
	i = nsch->sched_nr;
	if (i <= 0 || i >= DN_MAX_ID)
		return (EINVAL);
	if ((nsch->flags & DN_HAVE_MASK) != 0)
		ipdn_bound_var((int *)&nsch->buckets, V_dn_cfg.hash_size, 1,
		    V_dn_cfg.max_hash_size, "sched buckets");
	pipe_cmd = (nsch->flags & DN_PIPE_CMD) != 0;
	nsch->flags &= ~DN_PIPE_CMD;

	DN_BH_WLOCK();
	V_dn_cfg.id++;
	sch = *nsch;
	s = locate_scheduler(i);
	error = 0;
	if (sch.oid.subtype != 0 || sch.name[0] != '\0') {
		fp = find_sched_type(sch.oid.subtype, sch.name);
		if (fp == NULL) {
			D("invalid scheduler type %d %s", sch.oid.subtype,
			    sch.name);
			error = EINVAL;
		}
	} else if (s != NULL)
		fp = pipe_cmd ? NULL : s->fp;	/* a pipe leaves it alone */
	else {
		fp = find_sched_type(DN_SCHED_WF2QP, "WF2Q+");
		if (fp == NULL)
			error = EINVAL;
		if (pipe_cmd) {
			bzero(&sch.sched_mask, sizeof(sch.sched_mask));
			sch.buckets = 0;
			sch.flags &= ~DN_HAVE_MASK;
		}
	}
	if (error == 0 && fp != NULL) {
		error = config_sched_one(&sch, fp);
		if (error == 0 && (s = locate_scheduler(i)) != NULL)
			s->cfg = arg;
	}

	/* "sched" makes the FIFO, but does not change it. */
	if (error == 0 &&
	    (pipe_cmd || locate_scheduler(i + DN_MAX_ID) == NULL)) {
		sch = *nsch;
		sch.sched_nr = i + DN_MAX_ID;
		fp = find_sched_type(DN_SCHED_FIFO, "FIFO");
		error = fp != NULL ? config_sched_one(&sch, fp) : EINVAL;
	}
	DN_BH_WUNLOCK();
	return (error);
}

static int
config_profile(struct dn_profile *pf)
{
	struct dn_schk *s;
	int error, i;

	if (pf->oid.len < sizeof(*pf)) {
		D("short profile len %d", pf->oid.len);
		return (EINVAL);
	}
	i = pf->link_nr;
	if (i <= 0 || i >= DN_MAX_ID || pf->samples_no < 0 ||
	    pf->samples_no > ED_MAX_SAMPLES_NO)
		return (EINVAL);
	error = 0;
	DN_BH_WLOCK();
	for (; i < 2 * DN_MAX_ID; i += DN_MAX_ID) {
		s = locate_scheduler(i);
		if (s == NULL) {
			error = EINVAL;
			break;
		}
		V_dn_cfg.id++;
		free(s->profile, M_DUMMYNET);
		s->profile = NULL;
		if (pf->samples_no == 0)
			continue;
		s->profile = malloc(sizeof(*pf), M_DUMMYNET, M_NOWAIT | M_ZERO);
		if (s->profile == NULL) {
			D("no memory for profile %d", i);
			error = ENOMEM;
			break;
		}
		*s->profile = *pf;
	}
	DN_BH_WUNLOCK();
	return (error);
}

/*
 * Everything goes.
 */
static void
dummynet_flush(void)
{

	dn_ht_scan(V_dn_cfg.schedhash, schk_delete_cb,
	    (void *)(uintptr_t)DN_DELETE_FS);
	/* All flowsets are without a scheduler now. */
	dn_ht_free(V_dn_cfg.fshash, DNHT_REMOVE);
	fsk_detach_list(&V_dn_cfg.fsu, DN_DELETE_FS);
	heap_init(&V_dn_cfg.evheap, 16, offsetof(struct dn_id, id));
}

static int
do_delete(const struct dn_id *o, const char *obj)
{
	uintptr_t a;
	int error, error2;

	if (o->len < sizeof(*o) + sizeof(a))
		return (EINVAL);
	memcpy(&a, obj + sizeof(*o), sizeof(a));
	switch (o->subtype) {
	case DN_LINK:
		DN_BH_WLOCK();
		error = delete_schk(a);
		error2 = delete_schk(a + DN_MAX_ID);
		V_dn_cfg.id++;
		DN_BH_WUNLOCK();
		return (error != 0 ? error : error2);
	case DN_FS:
		return (a < 1 || a >= DN_MAX_ID ? EINVAL : delete_fs(a, 0));
	default:
		D("invalid delete type %d", o->subtype);
		return (EINVAL);
	}
}

/*
 * A message of configuration: a command, then objects.  A text belongs to the
 * object behind it.
 */
int
do_config(void *p, size_t l)
{
	union {
		struct dn_profile profile;
		struct dn_fs	fs;
		struct dn_link	link;
		struct dn_sch	sched;
	} *dn;
	struct dn_id *arg, o;
	char *obj = p;
	int error;

	memcpy(&o, p, sizeof(o));
	if (o.id != DN_API_VERSION) {
		D("invalid api version got %d need %d", o.id, DN_API_VERSION);
		return (EINVAL);
	}
	dn = malloc(sizeof(*dn), M_TEMP, M_NOWAIT);
	if (dn == NULL)
		return (ENOMEM);
	arg = NULL;
	error = 0;
	for (; error == 0 && l >= sizeof(o); obj += o.len, l -= o.len) {
		memcpy(&o, obj, sizeof(o));
		if (o.len < sizeof(o) || l < o.len) {
			D("bad len o.len %d len %zu", o.len, l);
			error = EINVAL;
			break;
		}
		bzero(dn, sizeof(*dn));
		memcpy(dn, obj, MIN(o.len, sizeof(*dn)));
		switch (o.type) {
		case DN_CMD_CONFIG:
			break;
		case DN_CMD_DELETE:
			error = do_delete(&o, obj);
			break;
		case DN_CMD_FLUSH:
			DN_BH_WLOCK();
			dummynet_flush();
			V_dn_cfg.id++;
			DN_BH_WUNLOCK();
			break;
		case DN_TEXT:
			free(arg, M_TEMP);
			arg = malloc(o.len, M_TEMP, M_NOWAIT);
			if (arg == NULL)
				error = ENOMEM;
			else
				memcpy(arg, obj, o.len);
			break;
		case DN_LINK:
			error = config_link(&dn->link);
			break;
		case DN_PROFILE:
			error = config_profile(&dn->profile);
			break;
		case DN_SCH:
			/* Its parameters are read while it is configured. */
			error = config_sched(&dn->sched, arg);
			break;
		case DN_FS:
			error = config_fs(&dn->fs, 0) == NULL ? EINVAL : 0;
			break;
		default:
			D("cmd %d not implemented", o.type);
			break;
		}
	}
	free(arg, M_TEMP);
	free(dn, M_TEMP);
	return (error);
}

/*
 * Expiry: with every tick one bucket is looked through for what is idle.
 */
static int
drain_scheduler_cb(void *_si, void *arg)
{
	struct dn_sch_inst *si = _si;
	bool idle;

	if ((si->kflags & DN_ACTIVE) != 0 || si->dline.mq.head != NULL)
		return (0);
	if ((si->sched->fp->flags & DN_MULTIQUEUE) != 0)
		idle = si->q_count == 0;
	else
		idle = ((struct dn_queue *)(si + 1))->ni.length == 0;
	return (idle ? si_destroy(si, NULL) : 0);
}

static int
drain_scheduler_sch_cb(void *_s, void *arg)
{
	struct dn_schk *s = _s;

	if ((s->sch.flags & DN_HAVE_MASK) != 0) {
		dn_ht_scan_bucket(s->siht, &s->drain_bucket,
		    drain_scheduler_cb, NULL);
		s->drain_bucket++;
	} else if (s->siht != NULL &&
	    drain_scheduler_cb(s->siht, NULL) == DNHT_SCAN_DEL)
		s->siht = NULL;
	return (0);
}

void
dn_drain_scheduler(void)
{

	dn_ht_scan_bucket(V_dn_cfg.schedhash, &V_dn_cfg.drain_sch,
	    drain_scheduler_sch_cb, NULL);
	V_dn_cfg.drain_sch++;
}

static int
drain_queue_cb(void *_q, void *arg)
{
	struct dn_queue *q = _q;

	if (q->ni.length != 0)
		return (0);
	dn_delete_queue(q, DN_DESTROY);
	return (DNHT_SCAN_DEL);
}

static int
drain_queue_fs_cb(void *_fs, void *arg)
{
	struct dn_fsk *fs = _fs;

	if ((fs->fs.flags & DN_QHT_HASH) != 0) {
		dn_ht_scan_bucket(fs->qht, &fs->drain_bucket, drain_queue_cb,
		    NULL);
		fs->drain_bucket++;
	} else if (fs->qht != NULL &&
	    drain_queue_cb(fs->qht, NULL) == DNHT_SCAN_DEL)
		fs->qht = NULL;
	return (0);
}

void
dn_drain_queue(void)
{

	dn_ht_scan_bucket(V_dn_cfg.fshash, &V_dn_cfg.drain_fs,
	    drain_queue_fs_cb, NULL);
	V_dn_cfg.drain_fs++;
}

static int
ip_dn_ctl(struct sockopt *sopt)
{
	struct epoch_tracker et;
	void *p;
	size_t l;
	int error;

	error = priv_check(sopt->sopt_td, PRIV_NETINET_DUMMYNET);
	if (error != 0)
		return (error);
	if (sopt->sopt_name != IP_DUMMYNET3) {
		D("dummynet: unknown option %d", sopt->sopt_name);
		return (EINVAL);
	}
	NET_EPOCH_ENTER(et);
	if (sopt->sopt_dir == SOPT_GET)
		error = dummynet_get(sopt);
	else {
		l = sopt->sopt_valsize;
		if (l < sizeof(struct dn_id) || l > 12000) {
			D("argument len %zu invalid", l);
			error = EINVAL;
		} else if ((p = malloc(l, M_TEMP, M_NOWAIT)) == NULL)
			error = ENOMEM;
		else {
			error = sooptcopyin(sopt, p, l, l);
			if (error == 0)
				error = do_config(p, l);
			free(p, M_TEMP);
		}
	}
	NET_EPOCH_EXIT(et);
	return (error);
}

static void
ip_dn_vnet_init(const void *unused __unused)
{

	if (V_dn_cfg.init_done)
		return;
	V_dn_cfg.slot_limit = 100;
	V_dn_cfg.byte_limit = 1024 * 1024;
	V_dn_cfg.expire = 1;
	V_dn_cfg.red_lookup_depth = 256;
	V_dn_cfg.red_avg_pkt_size = 512;
	V_dn_cfg.red_max_pkt_size = 1500;
	V_dn_cfg.max_hash_size = 65536;
	V_dn_cfg.hash_size = 64;
	V_dn_cfg.schedhash = dn_ht_init(NULL, V_dn_cfg.hash_size,
	    offsetof(struct dn_schk, schk_next), schk_hash, schk_match,
	    schk_new);
	V_dn_cfg.fshash = dn_ht_init(NULL, V_dn_cfg.hash_size,
	    offsetof(struct dn_fsk, fsk_next), fsk_hash, fsk_match, fsk_new);
	heap_init(&V_dn_cfg.evheap, 16, offsetof(struct dn_id, id));
	SLIST_INIT(&V_dn_cfg.fsu);
	DN_LOCK_INIT();
	getmicrouptime(&V_dn_cfg.prev_t);
	__atomic_store_n(&V_dn_cfg.init_done, 1, __ATOMIC_RELEASE);
}

static void
ip_dn_vnet_destroy(const void *unused __unused)
{

	/* Those who are in dummynet_io() leave first; no other comes in. */
	__atomic_store_n(&V_dn_cfg.init_done, 0, __ATOMIC_RELEASE);
	NET_EPOCH_WAIT();
	DN_BH_WLOCK();
	dummynet_flush();
	DN_BH_WUNLOCK();
	dn_ht_free(V_dn_cfg.schedhash, 0);
	dn_ht_free(V_dn_cfg.fshash, 0);
	heap_free(&V_dn_cfg.evheap);
	DN_LOCK_DESTROY();
	/* As a kld that is loaded again finds it. */
	bzero(&V_dn_cfg, sizeof(V_dn_cfg));
}

static void
ip_dn_init(void)
{

	if (dn_tasks_started)
		return;
	mtx_init(&sched_mtx, "dn_sched", NULL, MTX_DEF);
	dn_tasks_started = 1;
	__atomic_store_n(&dn_gone, 0, __ATOMIC_RELAXED);
	TASK_INIT(&dn_task, 0, dummynet_task, NULL);
	dn_tq = taskqueue_create_fast("dummynet", M_WAITOK,
	    taskqueue_thread_enqueue, &dn_tq);
	taskqueue_start_threads(&dn_tq, 1, PI_NET, "dummynet");
	CK_LIST_INIT(&schedlist);
	callout_init(&dn_timeout, 1);
	dn_reschedule();
}

/*
 * ipfw comes in by the pointers, in the network epoch.  Afterwards the vnets
 * are taken down, by their own uninit.
 */
static void
ip_dn_destroy(void)
{

	atomic_store_rel_ptr(&ip_dn_ctl_ptr, NULL);
	atomic_store_rel_ptr(&ip_dn_io_ptr, NULL);
	__atomic_store_n(&dn_gone, 1, __ATOMIC_RELAXED);
	NET_EPOCH_WAIT();
	/* The task may start the callout again, once. */
	callout_drain(&dn_timeout);
	taskqueue_drain(dn_tq, &dn_task);
	callout_drain(&dn_timeout);
	taskqueue_drain(dn_tq, &dn_task);
	taskqueue_free(dn_tq);
	dn_tq = NULL;
	mtx_destroy(&sched_mtx);
	dn_tasks_started = 0;
}

static int
dummynet_modevent(module_t mod, int type, void *data)
{

	switch (type) {
	case MOD_LOAD:
		if (ip_dn_io_ptr != NULL) {
			printf("DUMMYNET already loaded\n");
			return (EEXIST);
		}
		ip_dn_init();
		atomic_store_rel_ptr(&ip_dn_ctl_ptr, ip_dn_ctl);
		atomic_store_rel_ptr(&ip_dn_io_ptr, dummynet_io);
		return (0);
	case MOD_QUIESCE:
		return (0);
	case MOD_UNLOAD:
		ip_dn_destroy();
		return (0);
	default:
		return (EOPNOTSUPP);
	}
}

/*
 * Schedulers are modules.
 */
static int
load_dn_sched(struct dn_alg *d)
{
	struct dn_alg *s;

	if (d == NULL)
		return (1);
	ip_dn_init();
	if (d->enqueue == NULL || d->dequeue == NULL) {
		D("missing enqueue or dequeue for %s", d->name);
		return (1);
	}
	mtx_lock(&sched_mtx);
	CK_LIST_FOREACH(s, &schedlist, next)
		if (strcmp(s->name, d->name) == 0) {
			D("%s already loaded", d->name);
			break;
		}
	if (s == NULL)
		CK_LIST_INSERT_HEAD(&schedlist, d, next);
	mtx_unlock(&sched_mtx);
	D("dn_sched %s %sloaded", d->name, s != NULL ? "not " : "");
	return (s != NULL ? 1 : 0);
}

static int
unload_dn_sched(struct dn_alg *d)
{
	struct dn_alg *s;
	int error;

	/* Of the same kld, and dummynet went first. */
	if (!dn_tasks_started)
		return (0);
	error = EINVAL;
	mtx_lock(&sched_mtx);
	CK_LIST_FOREACH(s, &schedlist, next)
		if (strcmp(s->name, d->name) == 0) {
			error = s->ref_count != 0 ? EBUSY : 0;
			break;
		}
	if (error == 0)
		CK_LIST_REMOVE(s, next);
	mtx_unlock(&sched_mtx);
	NET_EPOCH_WAIT();
	D("dn_sched %s %sunloaded", d->name, error != 0 ? "not " : "");
	return (error);
}

int
dn_sched_modevent(module_t mod, int cmd, void *arg)
{

	switch (cmd) {
	case MOD_LOAD:
		return (load_dn_sched(arg));
	case MOD_QUIESCE:
		return (0);
	case MOD_UNLOAD:
		return (unload_dn_sched(arg));
	default:
		return (EINVAL);
	}
}

static moduledata_t dummynet_mod = {
	"dummynet",
	dummynet_modevent,
	NULL
};

#define	DN_SI_SUB	SI_SUB_PROTO_FIREWALL
#define	DN_MODEV_ORD	(SI_ORDER_ANY - 128)	/* after ipfw */
DECLARE_MODULE(dummynet, dummynet_mod, DN_SI_SUB, DN_MODEV_ORD);
MODULE_VERSION(dummynet, 3);

VNET_SYSINIT(vnet_dn_init, DN_SI_SUB, DN_MODEV_ORD + 2, ip_dn_vnet_init, NULL);
VNET_SYSUNINIT(vnet_dn_uninit, DN_SI_SUB, DN_MODEV_ORD + 2, ip_dn_vnet_destroy,
    NULL);
