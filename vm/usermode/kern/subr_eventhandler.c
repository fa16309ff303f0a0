/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eventhandler(9): lists of functions by name.  A list's lock is not held
 * while one of its functions runs.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/eventhandler.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>

static MALLOC_DEFINE(M_EVENTHANDLER, "eventhandler", "Event handler records");

static TAILQ_HEAD(, eventhandler_list) eventhandler_lists =
    TAILQ_HEAD_INITIALIZER(eventhandler_lists);
static struct mtx eventhandler_mutex;
MTX_SYSINIT(eventhandler_mutex, &eventhandler_mutex, "eventhandler", MTX_DEF);
static bool eventhandler_lists_initted;

static void
eventhandler_init(void *dummy __unused)
{
	atomic_store_rel_8((uint8_t *)&eventhandler_lists_initted, true);
}
SYSINIT(eventhandlers, SI_SUB_EVENTHANDLER, SI_ORDER_FIRST, eventhandler_init, NULL);

static struct eventhandler_list *
list_by_name(const char *name)
{
	struct eventhandler_list *list;

	mtx_assert(&eventhandler_mutex, MA_OWNED);
	TAILQ_FOREACH(list, &eventhandler_lists, el_link)
		if (strcmp(name, list->el_name) == 0)
			break;
	return (list);
}

struct eventhandler_list *
eventhandler_create_list(const char *name)
{
	struct eventhandler_list *list, *fresh;

	fresh = malloc(sizeof(*fresh) + strlen(name) + 1, M_EVENTHANDLER, M_WAITOK | M_ZERO);
	fresh->el_name = (char *)(fresh + 1);
	strlcpy(fresh->el_name, name, strlen(name) + 1);
	TAILQ_INIT(&fresh->el_entries);
	mtx_init(&fresh->el_lock, "eventhandler list", NULL, MTX_DEF | MTX_DUPOK);
	mtx_lock(&eventhandler_mutex);
	list = list_by_name(name);
	if (list == NULL) {
		TAILQ_INSERT_HEAD(&eventhandler_lists, fresh, el_link);
		list = fresh;
		fresh = NULL;
	}
	mtx_unlock(&eventhandler_mutex);
	if (fresh != NULL) {
		mtx_destroy(&fresh->el_lock);
		free(fresh, M_EVENTHANDLER);
	}
	return (list);
}

struct eventhandler_list *
eventhandler_find_list(const char *name)
{
	struct eventhandler_list *list;

	if (!eventhandler_lists_initted)
		return (NULL);
	mtx_lock(&eventhandler_mutex);
	list = list_by_name(name);
	mtx_unlock(&eventhandler_mutex);
	/* Lists are never freed. */
	if (list != NULL)
		mtx_lock(&list->el_lock);
	return (list);
}

static eventhandler_tag
register_entry(struct eventhandler_list *list, const char *name, struct eventhandler_entry *ee)
{
	struct eventhandler_entry *other;

	KASSERT(eventhandler_lists_initted, ("eventhandler registered too early"));
	if (list == NULL)
		list = eventhandler_create_list(name);
	mtx_lock(&list->el_lock);
	TAILQ_FOREACH(other, &list->el_entries, ee_link)
		if (other->ee_priority != EHE_DEAD_PRIORITY &&
		    ee->ee_priority < other->ee_priority)
			break;
	if (other != NULL)
		TAILQ_INSERT_BEFORE(other, ee, ee_link);
	else
		TAILQ_INSERT_TAIL(&list->el_entries, ee, ee_link);
	mtx_unlock(&list->el_lock);
	return (ee);
}

eventhandler_tag
eventhandler_register(struct eventhandler_list *list, const char *name, void *func, void *arg,
    int priority)
{
	struct eventhandler_entry_generic *eg;

	eg = malloc(sizeof(*eg), M_EVENTHANDLER, M_WAITOK | M_ZERO);
	eg->func = (void (*)(void))(uintptr_t)func;
	eg->ee.ee_arg = arg;
	eg->ee.ee_priority = priority;
	return (register_entry(list, name, &eg->ee));
}

/* The iterator is called, and calls the function in every vnet. */
eventhandler_tag
vimage_eventhandler_register(struct eventhandler_list *list, const char *name, void *func,
    void *arg, int priority, vimage_iterator_func_t iter)
{
	struct eventhandler_entry_generic *eg;

	eg = malloc(sizeof(*eg), M_EVENTHANDLER, M_WAITOK | M_ZERO);
	eg->func = (void (*)(void))iter;
	eg->vimage.func = (void (*)(void))(uintptr_t)func;
	eg->vimage.ee_arg = arg;
	eg->ee.ee_arg = &eg->vimage;
	eg->ee.ee_priority = priority;
	return (register_entry(list, name, &eg->ee));
}

void
eventhandler_prune_list(struct eventhandler_list *list)
{
	struct eventhandler_entry *ee, *next;
	bool pruned = false;

	mtx_assert(&list->el_lock, MA_OWNED);
	TAILQ_FOREACH_SAFE(ee, &list->el_entries, ee_link, next)
		if (ee->ee_priority == EHE_DEAD_PRIORITY) {
			TAILQ_REMOVE(&list->el_entries, ee, ee_link);
			free(ee, M_EVENTHANDLER);
			pruned = true;
		}
	if (pruned)
		wakeup(list);
}

void
eventhandler_walk_done(struct eventhandler_list *list)
{
	mtx_assert(&list->el_lock, MA_OWNED);
	KASSERT(list->el_runcount > 0, ("eventhandler_invoke: runcount overflow"));
	if (--list->el_runcount == 0)
		eventhandler_prune_list(list);
	mtx_unlock(&list->el_lock);
}

/* Called with the list locked; tag NULL: all of its entries. */
static void
deregister(struct eventhandler_list *list, eventhandler_tag tag, bool wait)
{
	struct eventhandler_entry *ee, *next;

	mtx_assert(&list->el_lock, MA_OWNED);
	TAILQ_FOREACH_SAFE(ee, &list->el_entries, ee_link, next) {
		if (tag != NULL && ee != tag)
			continue;
		if (list->el_runcount == 0) {
			TAILQ_REMOVE(&list->el_entries, ee, ee_link);
			free(ee, M_EVENTHANDLER);
		} else
			/* Somebody walks the list: the last one to do so takes it out. */
			ee->ee_priority = EHE_DEAD_PRIORITY;
	}
	while (wait && list->el_runcount > 0)
		mtx_sleep(list, &list->el_lock, 0, "evhrm", 0);
	mtx_unlock(&list->el_lock);
}

void
eventhandler_deregister(struct eventhandler_list *list, eventhandler_tag tag)
{
	deregister(list, tag, true);
}

void
eventhandler_deregister_nowait(struct eventhandler_list *list, eventhandler_tag tag)
{
	deregister(list, tag, false);
}
