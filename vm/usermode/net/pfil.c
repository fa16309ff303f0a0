/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet filter heads and hooks.  Readers run inside the network epoch;
 * heads, hooks and links change under pfil_lock.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <net/if.h>
#include <net/if_var.h>
#include <net/pfil.h>
#include <net/vnet.h>

static MALLOC_DEFINE(M_PFIL, "pfil", "pfil(9) packet filter hooks");

struct pfil_link {
	CK_STAILQ_ENTRY(pfil_link) link_chain;
	pfil_mbuf_chk_t		 link_mbuf_chk;
	void			*link_ruleset;
	int			 link_flags;
	struct pfil_hook	*link_hook;
	struct epoch_context	 link_epoch_ctx;
};
CK_STAILQ_HEAD(pfil_chain, pfil_link);

struct pfil_hook {
	pfil_mbuf_chk_t		 hook_mbuf_chk;
	void			*hook_ruleset;
	enum pfil_types		 hook_type;
	int			 hook_links;
	const char		*hook_modname;
	const char		*hook_rulname;
	LIST_ENTRY(pfil_hook)	 hook_list;
};

struct pfil_head {
	int			 head_nhooksin;		/* struct _pfil_head */
	int			 head_nhooksout;
	struct pfil_chain	 head_in;
	struct pfil_chain	 head_out;
	enum pfil_types		 head_type;
	const char		*head_name;
	LIST_ENTRY(pfil_head)	 head_list;
};

static struct mtx pfil_lock;
MTX_SYSINIT(pfil_mtxinit, &pfil_lock, "pfil(9) lock", MTX_DEF);
#define	PFIL_LOCK()		mtx_lock(&pfil_lock)
#define	PFIL_UNLOCK()		mtx_unlock(&pfil_lock)

LIST_HEAD(pfil_headhead, pfil_head);
LIST_HEAD(pfil_hookhead, pfil_hook);
VNET_DEFINE_STATIC(struct pfil_headhead, pfil_head_list);
VNET_DEFINE_STATIC(struct pfil_hookhead, pfil_hook_list);
#define	V_pfil_head_list	VNET(pfil_head_list)
#define	V_pfil_hook_list	VNET(pfil_hook_list)

static pfil_return_t
pfil_run_hooks(struct pfil_chain *chain, struct mbuf **mp, struct ifnet *ifp,
    int flags, struct inpcb *inp)
{
	struct pfil_link *link;
	pfil_return_t rv, out;

	NET_EPOCH_ASSERT();
	out = PFIL_PASS;
	CK_STAILQ_FOREACH(link, chain, link_chain) {
		rv = link->link_mbuf_chk(mp, ifp, flags, link->link_ruleset, inp);
		if (rv == PFIL_DROPPED || rv == PFIL_CONSUMED)
			return (rv);
		if (rv == PFIL_REALLOCED)
			out = rv;
	}
	return (out);
}

int
pfil_mbuf_in(struct pfil_head *head, struct mbuf **mp, struct ifnet *ifp,
    struct inpcb *inp)
{
	return (pfil_run_hooks(&head->head_in, mp, ifp, PFIL_IN, inp));
}

int
pfil_mbuf_out(struct pfil_head *head, struct mbuf **mp, struct ifnet *ifp,
    struct inpcb *inp)
{
	return (pfil_run_hooks(&head->head_out, mp, ifp, PFIL_OUT, inp));
}

int
pfil_mbuf_fwd(struct pfil_head *head, struct mbuf **mp, struct ifnet *ifp,
    struct inpcb *inp)
{
	return (pfil_run_hooks(&head->head_out, mp, ifp, PFIL_OUT | PFIL_FWD, inp));
}

/* No driver here hands over memory instead of an mbuf. */
int
pfil_mem_in(struct pfil_head *head, void *mem, u_int len, struct ifnet *ifp,
    struct mbuf **m)
{
	return (PFIL_PASS);
}

int
pfil_mem_out(struct pfil_head *head, void *mem, u_int len, struct ifnet *ifp,
    struct mbuf **m)
{
	return (PFIL_PASS);
}

pfil_head_t
pfil_head_register(struct pfil_head_args *pa)
{
	struct pfil_head *head, *other;

	MPASS(pa->pa_version == PFIL_VERSION);
	head = malloc(sizeof(*head), M_PFIL, M_WAITOK | M_ZERO);
	head->head_type = pa->pa_type;
	head->head_name = pa->pa_headname;
	CK_STAILQ_INIT(&head->head_in);
	CK_STAILQ_INIT(&head->head_out);
	PFIL_LOCK();
	LIST_FOREACH(other, &V_pfil_head_list, head_list)
		if (strcmp(other->head_name, pa->pa_headname) == 0)
			printf("pfil: duplicate head \"%s\"\n", pa->pa_headname);
	LIST_INSERT_HEAD(&V_pfil_head_list, head, head_list);
	PFIL_UNLOCK();
	return (head);
}

static void
pfil_link_free(epoch_context_t ctx)
{
	free(__containerof(ctx, struct pfil_link, link_epoch_ctx), M_PFIL);
}

/* Takes the hook's links off one chain; how many there were. */
static int
pfil_unlink(struct pfil_chain *chain, struct pfil_hook *hook)
{
	struct pfil_link *link, *next;
	int n;

	mtx_assert(&pfil_lock, MA_OWNED);
	n = 0;
	CK_STAILQ_FOREACH_SAFE(link, chain, link_chain, next) {
		if (hook != NULL && link->link_hook != hook)
			continue;
		CK_STAILQ_REMOVE(chain, link, pfil_link, link_chain);
		link->link_hook->hook_links--;
		NET_EPOCH_CALL(pfil_link_free, &link->link_epoch_ctx);
		n++;
	}
	return (n);
}

void
pfil_head_unregister(pfil_head_t head)
{
	PFIL_LOCK();
	LIST_REMOVE(head, head_list);
	head->head_nhooksin -= pfil_unlink(&head->head_in, NULL);
	head->head_nhooksout -= pfil_unlink(&head->head_out, NULL);
	PFIL_UNLOCK();
	NET_EPOCH_WAIT();
	free(head, M_PFIL);
}

pfil_hook_t
pfil_add_hook(struct pfil_hook_args *pa)
{
	struct pfil_hook *hook, *other;

	MPASS(pa->pa_version == PFIL_VERSION);
	hook = malloc(sizeof(*hook), M_PFIL, M_WAITOK | M_ZERO);
	hook->hook_mbuf_chk = pa->pa_mbuf_chk;
	hook->hook_ruleset = pa->pa_ruleset;
	hook->hook_type = pa->pa_type;
	hook->hook_modname = pa->pa_modname;
	hook->hook_rulname = pa->pa_rulname;
	PFIL_LOCK();
	LIST_FOREACH(other, &V_pfil_hook_list, hook_list)
		if (strcmp(other->hook_modname, pa->pa_modname) == 0 &&
		    strcmp(other->hook_rulname, pa->pa_rulname) == 0)
			printf("pfil: duplicate hook \"%s:%s\"\n", pa->pa_modname,
			    pa->pa_rulname);
	LIST_INSERT_HEAD(&V_pfil_hook_list, hook, hook_list);
	PFIL_UNLOCK();
	return (hook);
}

void
pfil_remove_hook(pfil_hook_t hook)
{
	struct pfil_head *head;

	PFIL_LOCK();
	LIST_FOREACH(head, &V_pfil_head_list, head_list) {
		head->head_nhooksin -= pfil_unlink(&head->head_in, hook);
		head->head_nhooksout -= pfil_unlink(&head->head_out, hook);
	}
	LIST_REMOVE(hook, hook_list);
	KASSERT(hook->hook_links == 0, ("%s: hook %p still linked", __func__, hook));
	PFIL_UNLOCK();
	free(hook, M_PFIL);
}

static void
pfil_link_insert(struct pfil_chain *chain, struct pfil_link *link,
    struct pfil_hook *hook, int flags)
{
	link->link_mbuf_chk = hook->hook_mbuf_chk;
	link->link_ruleset = hook->hook_ruleset;
	link->link_flags = flags;
	link->link_hook = hook;
	hook->hook_links++;
	if (flags & PFIL_APPEND)
		CK_STAILQ_INSERT_TAIL(chain, link, link_chain);
	else
		CK_STAILQ_INSERT_HEAD(chain, link, link_chain);
}

static bool
pfil_linked(struct pfil_chain *chain, struct pfil_hook *hook)
{
	struct pfil_link *link;

	CK_STAILQ_FOREACH(link, chain, link_chain)
		if (link->link_hook == hook)
			return (true);
	return (false);
}

static int
pfil_link_locked(struct pfil_link_args *pa, struct pfil_link **in,
    struct pfil_link **out)
{
	struct pfil_head *head;
	struct pfil_hook *hook;

	if (pa->pa_flags & PFIL_HEADPTR)
		head = pa->pa_head;
	else
		LIST_FOREACH(head, &V_pfil_head_list, head_list)
			if (strcmp(pa->pa_headname, head->head_name) == 0)
				break;
	if (pa->pa_flags & PFIL_HOOKPTR)
		hook = pa->pa_hook;
	else
		LIST_FOREACH(hook, &V_pfil_hook_list, hook_list)
			if (strcmp(pa->pa_modname, hook->hook_modname) == 0 &&
			    strcmp(pa->pa_rulname, hook->hook_rulname) == 0)
				break;
	if (head == NULL || hook == NULL)
		return (ENOENT);
	if (hook->hook_type != head->head_type)
		return (EINVAL);

	if (pa->pa_flags & PFIL_UNLINK) {
		if (pa->pa_flags & PFIL_IN)
			head->head_nhooksin -= pfil_unlink(&head->head_in, hook);
		if (pa->pa_flags & PFIL_OUT)
			head->head_nhooksout -= pfil_unlink(&head->head_out, hook);
		return (0);
	}
	if (((pa->pa_flags & PFIL_IN) && pfil_linked(&head->head_in, hook)) ||
	    ((pa->pa_flags & PFIL_OUT) && pfil_linked(&head->head_out, hook)))
		return (EEXIST);
	if (pa->pa_flags & PFIL_IN) {
		pfil_link_insert(&head->head_in, *in, hook, pa->pa_flags);
		head->head_nhooksin++;
		*in = NULL;
	}
	if (pa->pa_flags & PFIL_OUT) {
		pfil_link_insert(&head->head_out, *out, hook, pa->pa_flags);
		head->head_nhooksout++;
		*out = NULL;
	}
	return (0);
}

int
pfil_link(struct pfil_link_args *pa)
{
	struct pfil_link *in, *out;
	int error;

	MPASS(pa->pa_version == PFIL_VERSION);
	in = out = NULL;
	if ((pa->pa_flags & (PFIL_IN | PFIL_UNLINK)) == PFIL_IN)
		in = malloc(sizeof(*in), M_PFIL, M_WAITOK | M_ZERO);
	if ((pa->pa_flags & (PFIL_OUT | PFIL_UNLINK)) == PFIL_OUT)
		out = malloc(sizeof(*out), M_PFIL, M_WAITOK | M_ZERO);
	PFIL_LOCK();
	error = pfil_link_locked(pa, &in, &out);
	PFIL_UNLOCK();
	free(in, M_PFIL);
	free(out, M_PFIL);
	return (error);
}

static void
vnet_pfil_init(const void *unused __unused)
{
	LIST_INIT(&V_pfil_head_list);
	LIST_INIT(&V_pfil_hook_list);
}
VNET_SYSINIT(vnet_pfil_init, SI_SUB_PROTO_PFIL, SI_ORDER_FIRST, vnet_pfil_init, NULL);
