/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_QUEUE_H_
#define	_SYS_QUEUE_H_

#include <sys/cdefs.h>

/*
 * With INVARIANTS a removal checks its neighbours' links, and leaves poison in
 * those of the removed element, as FreeBSD's does.
 */
#ifdef INVARIANTS
void	panic(const char *, ...) __dead2 __printflike(1, 2);
#define	QMD_CHECK(elm, next, prevp, f)	do {				\
	if ((elm)->next != NULL && (elm)->next->prevp != &(elm)->next)	\
		panic("Bad link elm %p next->prev != elm", (const void *)(elm)); \
	if (*(elm)->prevp != (elm))					\
		panic("Bad link elm %p prev->next != elm", (const void *)(elm)); \
} while (0)
#define	TRASHIT(x)	do { (x) = (void *)-1; } while (0)
#else
#define	QMD_CHECK(elm, next, prevp, f)	do { } while (0)
#define	TRASHIT(x)	do { } while (0)
#endif

/* Singly linked list. */
#define	SLIST_HEAD(name, type)	struct name { struct type *slh_first; }
#define	SLIST_HEAD_INITIALIZER(head) { NULL }
#define	SLIST_ENTRY(type)	struct { struct type *sle_next; }
#define	SLIST_FIRST(head)	((head)->slh_first)
#define	SLIST_EMPTY(head)	(SLIST_FIRST(head) == NULL)
#define	SLIST_NEXT(elm, field)	((elm)->field.sle_next)
#define	SLIST_INIT(head)	(SLIST_FIRST(head) = NULL)
#define	SLIST_FOREACH(var, head, field)					\
	for ((var) = SLIST_FIRST(head); (var) != NULL; (var) = SLIST_NEXT(var, field))
#define	SLIST_FOREACH_SAFE(var, head, field, tvar)			\
	for ((var) = SLIST_FIRST(head);					\
	    (var) != NULL && ((tvar) = SLIST_NEXT(var, field), 1); (var) = (tvar))
#define	SLIST_INSERT_HEAD(head, elm, field) do {			\
	SLIST_NEXT(elm, field) = SLIST_FIRST(head);			\
	SLIST_FIRST(head) = (elm);					\
} while (0)
#define	SLIST_INSERT_AFTER(slistelm, elm, field) do {			\
	SLIST_NEXT(elm, field) = SLIST_NEXT(slistelm, field);		\
	SLIST_NEXT(slistelm, field) = (elm);				\
} while (0)
#define	SLIST_REMOVE_HEAD(head, field)					\
	(SLIST_FIRST(head) = SLIST_NEXT(SLIST_FIRST(head), field))
#define	SLIST_REMOVE_AFTER(elm, field)					\
	(SLIST_NEXT(elm, field) = SLIST_NEXT(SLIST_NEXT(elm, field), field))
#define	SLIST_REMOVE(head, elm, type, field) do {			\
	struct type **_pp = &SLIST_FIRST(head);				\
	while (*_pp != (elm))						\
		_pp = &SLIST_NEXT(*_pp, field);				\
	*_pp = SLIST_NEXT(elm, field);					\
} while (0)
#define	SLIST_SWAP(a, b, type) do {					\
	struct type *_t = SLIST_FIRST(a);				\
	SLIST_FIRST(a) = SLIST_FIRST(b);				\
	SLIST_FIRST(b) = _t;						\
} while (0)

/* Singly linked tail queue. */
#define	STAILQ_HEAD(name, type)						\
	struct name { struct type *stqh_first; struct type **stqh_last; }
#define	STAILQ_HEAD_INITIALIZER(head) { NULL, &(head).stqh_first }
#define	STAILQ_ENTRY(type)	struct { struct type *stqe_next; }
#define	STAILQ_FIRST(head)	((head)->stqh_first)
#define	STAILQ_EMPTY(head)	(STAILQ_FIRST(head) == NULL)
#define	STAILQ_NEXT(elm, field)	((elm)->field.stqe_next)
#define	STAILQ_LAST(head, type, field)					\
	(STAILQ_EMPTY(head) ? NULL :					\
	__containerof((head)->stqh_last, struct type, field.stqe_next))
#define	STAILQ_INIT(head) do {						\
	STAILQ_FIRST(head) = NULL;					\
	(head)->stqh_last = &STAILQ_FIRST(head);			\
} while (0)
#define	STAILQ_FOREACH(var, head, field)				\
	for ((var) = STAILQ_FIRST(head); (var) != NULL; (var) = STAILQ_NEXT(var, field))
#define	STAILQ_FOREACH_SAFE(var, head, field, tvar)			\
	for ((var) = STAILQ_FIRST(head);				\
	    (var) != NULL && ((tvar) = STAILQ_NEXT(var, field), 1); (var) = (tvar))
#define	STAILQ_INSERT_HEAD(head, elm, field) do {			\
	if ((STAILQ_NEXT(elm, field) = STAILQ_FIRST(head)) == NULL)	\
		(head)->stqh_last = &STAILQ_NEXT(elm, field);		\
	STAILQ_FIRST(head) = (elm);					\
} while (0)
#define	STAILQ_INSERT_TAIL(head, elm, field) do {			\
	STAILQ_NEXT(elm, field) = NULL;					\
	*(head)->stqh_last = (elm);					\
	(head)->stqh_last = &STAILQ_NEXT(elm, field);			\
} while (0)
#define	STAILQ_INSERT_AFTER(head, tqelm, elm, field) do {		\
	if ((STAILQ_NEXT(elm, field) = STAILQ_NEXT(tqelm, field)) == NULL) \
		(head)->stqh_last = &STAILQ_NEXT(elm, field);		\
	STAILQ_NEXT(tqelm, field) = (elm);				\
} while (0)
#define	STAILQ_REMOVE_HEAD(head, field) do {				\
	if ((STAILQ_FIRST(head) = STAILQ_NEXT(STAILQ_FIRST(head), field)) == NULL) \
		(head)->stqh_last = &STAILQ_FIRST(head);		\
} while (0)
#define	STAILQ_REMOVE(head, elm, type, field) do {			\
	struct type **_pp = &STAILQ_FIRST(head);			\
	while (*_pp != (elm))						\
		_pp = &STAILQ_NEXT(*_pp, field);			\
	if ((*_pp = STAILQ_NEXT(elm, field)) == NULL)			\
		(head)->stqh_last = _pp;				\
} while (0)
#define	STAILQ_CONCAT(a, b) do {					\
	if (!STAILQ_EMPTY(b)) {						\
		*(a)->stqh_last = (b)->stqh_first;			\
		(a)->stqh_last = (b)->stqh_last;			\
		STAILQ_INIT(b);						\
	}								\
} while (0)

/* Doubly linked list. */
#define	LIST_HEAD(name, type)	struct name { struct type *lh_first; }
#define	LIST_HEAD_INITIALIZER(head) { NULL }
#define	LIST_ENTRY(type)	struct { struct type *le_next; struct type **le_prev; }
#define	LIST_FIRST(head)	((head)->lh_first)
#define	LIST_EMPTY(head)	(LIST_FIRST(head) == NULL)
#define	LIST_NEXT(elm, field)	((elm)->field.le_next)
#define	LIST_INIT(head)		(LIST_FIRST(head) = NULL)
#define	LIST_FOREACH(var, head, field)					\
	for ((var) = LIST_FIRST(head); (var) != NULL; (var) = LIST_NEXT(var, field))
#define	LIST_FOREACH_SAFE(var, head, field, tvar)			\
	for ((var) = LIST_FIRST(head);					\
	    (var) != NULL && ((tvar) = LIST_NEXT(var, field), 1); (var) = (tvar))
#define	LIST_INSERT_HEAD(head, elm, field) do {				\
	if ((LIST_NEXT(elm, field) = LIST_FIRST(head)) != NULL)		\
		LIST_FIRST(head)->field.le_prev = &LIST_NEXT(elm, field); \
	LIST_FIRST(head) = (elm);					\
	(elm)->field.le_prev = &LIST_FIRST(head);			\
} while (0)
#define	LIST_INSERT_AFTER(listelm, elm, field) do {			\
	if ((LIST_NEXT(elm, field) = LIST_NEXT(listelm, field)) != NULL) \
		LIST_NEXT(listelm, field)->field.le_prev = &LIST_NEXT(elm, field); \
	LIST_NEXT(listelm, field) = (elm);				\
	(elm)->field.le_prev = &LIST_NEXT(listelm, field);		\
} while (0)
#define	LIST_INSERT_BEFORE(listelm, elm, field) do {			\
	(elm)->field.le_prev = (listelm)->field.le_prev;		\
	LIST_NEXT(elm, field) = (listelm);				\
	*(listelm)->field.le_prev = (elm);				\
	(listelm)->field.le_prev = &LIST_NEXT(elm, field);		\
} while (0)
#define	LIST_REMOVE(elm, field) do {					\
	QMD_CHECK(elm, field.le_next, field.le_prev, field);		\
	if (LIST_NEXT(elm, field) != NULL)				\
		LIST_NEXT(elm, field)->field.le_prev = (elm)->field.le_prev; \
	*(elm)->field.le_prev = LIST_NEXT(elm, field);			\
	TRASHIT((elm)->field.le_next);					\
	TRASHIT((elm)->field.le_prev);					\
} while (0)

/* Tail queue. */
#define	TAILQ_HEAD(name, type)						\
	struct name { struct type *tqh_first; struct type **tqh_last; }
#define	TAILQ_HEAD_INITIALIZER(head) { NULL, &(head).tqh_first }
#define	TAILQ_ENTRY(type)	struct { struct type *tqe_next; struct type **tqe_prev; }
#define	TAILQ_FIRST(head)	((head)->tqh_first)
#define	TAILQ_EMPTY(head)	(TAILQ_FIRST(head) == NULL)
#define	TAILQ_NEXT(elm, field)	((elm)->field.tqe_next)
#define	TAILQ_LAST(head, headname)					\
	(*(((struct headname *)((head)->tqh_last))->tqh_last))
#define	TAILQ_PREV(elm, headname, field)				\
	(*(((struct headname *)((elm)->field.tqe_prev))->tqh_last))
#define	TAILQ_INIT(head) do {						\
	TAILQ_FIRST(head) = NULL;					\
	(head)->tqh_last = &TAILQ_FIRST(head);				\
} while (0)
#define	TAILQ_FOREACH(var, head, field)					\
	for ((var) = TAILQ_FIRST(head); (var) != NULL; (var) = TAILQ_NEXT(var, field))
#define	TAILQ_FOREACH_SAFE(var, head, field, tvar)			\
	for ((var) = TAILQ_FIRST(head);					\
	    (var) != NULL && ((tvar) = TAILQ_NEXT(var, field), 1); (var) = (tvar))
#define	TAILQ_FOREACH_REVERSE(var, head, headname, field)		\
	for ((var) = TAILQ_LAST(head, headname); (var) != NULL;		\
	    (var) = TAILQ_PREV(var, headname, field))
#define	TAILQ_FOREACH_REVERSE_SAFE(var, head, headname, field, tvar)	\
	for ((var) = TAILQ_LAST(head, headname);			\
	    (var) != NULL && ((tvar) = TAILQ_PREV(var, headname, field), 1); \
	    (var) = (tvar))
#define	TAILQ_INSERT_HEAD(head, elm, field) do {			\
	if ((TAILQ_NEXT(elm, field) = TAILQ_FIRST(head)) != NULL)	\
		TAILQ_FIRST(head)->field.tqe_prev = &TAILQ_NEXT(elm, field); \
	else								\
		(head)->tqh_last = &TAILQ_NEXT(elm, field);		\
	TAILQ_FIRST(head) = (elm);					\
	(elm)->field.tqe_prev = &TAILQ_FIRST(head);			\
} while (0)
#define	TAILQ_INSERT_TAIL(head, elm, field) do {			\
	TAILQ_NEXT(elm, field) = NULL;					\
	(elm)->field.tqe_prev = (head)->tqh_last;			\
	*(head)->tqh_last = (elm);					\
	(head)->tqh_last = &TAILQ_NEXT(elm, field);			\
} while (0)
#define	TAILQ_INSERT_AFTER(head, listelm, elm, field) do {		\
	if ((TAILQ_NEXT(elm, field) = TAILQ_NEXT(listelm, field)) != NULL) \
		TAILQ_NEXT(elm, field)->field.tqe_prev = &TAILQ_NEXT(elm, field); \
	else								\
		(head)->tqh_last = &TAILQ_NEXT(elm, field);		\
	TAILQ_NEXT(listelm, field) = (elm);				\
	(elm)->field.tqe_prev = &TAILQ_NEXT(listelm, field);		\
} while (0)
#define	TAILQ_INSERT_BEFORE(listelm, elm, field) do {			\
	(elm)->field.tqe_prev = (listelm)->field.tqe_prev;		\
	TAILQ_NEXT(elm, field) = (listelm);				\
	*(listelm)->field.tqe_prev = (elm);				\
	(listelm)->field.tqe_prev = &TAILQ_NEXT(elm, field);		\
} while (0)
#define	TAILQ_REMOVE(head, elm, field) do {				\
	QMD_CHECK(elm, field.tqe_next, field.tqe_prev, field);		\
	if (TAILQ_NEXT(elm, field) != NULL)				\
		TAILQ_NEXT(elm, field)->field.tqe_prev = (elm)->field.tqe_prev; \
	else								\
		(head)->tqh_last = (elm)->field.tqe_prev;		\
	*(elm)->field.tqe_prev = TAILQ_NEXT(elm, field);		\
	TRASHIT((elm)->field.tqe_next);					\
	TRASHIT((elm)->field.tqe_prev);					\
} while (0)
#define	TAILQ_CONCAT(a, b, field) do {					\
	if (!TAILQ_EMPTY(b)) {						\
		*(a)->tqh_last = (b)->tqh_first;			\
		(b)->tqh_first->field.tqe_prev = (a)->tqh_last;		\
		(a)->tqh_last = (b)->tqh_last;				\
		TAILQ_INIT(b);						\
	}								\
} while (0)

#define	SLIST_FOREACH_FROM(var, head, field)				\
	for ((var) = ((var) != NULL ? (var) : SLIST_FIRST(head)); (var) != NULL; \
	    (var) = SLIST_NEXT(var, field))
#define	SLIST_FOREACH_PREVPTR(var, varp, head, field)			\
	for ((varp) = &SLIST_FIRST(head); ((var) = *(varp)) != NULL;	\
	    (varp) = &SLIST_NEXT(var, field))
#define	SLIST_REMOVE_PREVPTR(prevp, elm, field)	(*(prevp) = SLIST_NEXT(elm, field))
#define	STAILQ_FOREACH_FROM(var, head, field)				\
	for ((var) = ((var) != NULL ? (var) : STAILQ_FIRST(head)); (var) != NULL; \
	    (var) = STAILQ_NEXT(var, field))
#define	STAILQ_REMOVE_AFTER(head, elm, field) do {			\
	if ((STAILQ_NEXT(elm, field) =					\
	    STAILQ_NEXT(STAILQ_NEXT(elm, field), field)) == NULL)	\
		(head)->stqh_last = &STAILQ_NEXT(elm, field);		\
} while (0)
#define	STAILQ_SWAP(a, b, type) do {					\
	struct type *_first = STAILQ_FIRST(a);				\
	struct type **_last = (a)->stqh_last;				\
	STAILQ_FIRST(a) = STAILQ_FIRST(b);				\
	(a)->stqh_last = (b)->stqh_last;				\
	STAILQ_FIRST(b) = _first;					\
	(b)->stqh_last = _last;						\
	if (STAILQ_EMPTY(a))						\
		(a)->stqh_last = &STAILQ_FIRST(a);			\
	if (STAILQ_EMPTY(b))						\
		(b)->stqh_last = &STAILQ_FIRST(b);			\
} while (0)
#define	LIST_FOREACH_FROM(var, head, field)				\
	for ((var) = ((var) != NULL ? (var) : LIST_FIRST(head)); (var) != NULL; \
	    (var) = LIST_NEXT(var, field))
#define	LIST_PREV(elm, head, type, field)				\
	((elm)->field.le_prev == &LIST_FIRST(head) ? NULL :		\
	    __containerof((elm)->field.le_prev, struct type, field.le_next))
#define	LIST_SWAP(a, b, type, field) do {				\
	struct type *_first = LIST_FIRST(a);				\
	if ((LIST_FIRST(a) = LIST_FIRST(b)) != NULL)			\
		LIST_FIRST(a)->field.le_prev = &LIST_FIRST(a);		\
	if ((LIST_FIRST(b) = _first) != NULL)				\
		LIST_FIRST(b)->field.le_prev = &LIST_FIRST(b);		\
} while (0)
#define	TAILQ_FOREACH_FROM(var, head, field)				\
	for ((var) = ((var) != NULL ? (var) : TAILQ_FIRST(head)); (var) != NULL; \
	    (var) = TAILQ_NEXT(var, field))
#define	TAILQ_SWAP(a, b, type, field) do {				\
	struct type *_first = TAILQ_FIRST(a);				\
	struct type **_last = (a)->tqh_last;				\
	TAILQ_FIRST(a) = TAILQ_FIRST(b);				\
	(a)->tqh_last = (b)->tqh_last;					\
	TAILQ_FIRST(b) = _first;					\
	(b)->tqh_last = _last;						\
	if (TAILQ_FIRST(a) != NULL)					\
		TAILQ_FIRST(a)->field.tqe_prev = &TAILQ_FIRST(a);	\
	else								\
		(a)->tqh_last = &TAILQ_FIRST(a);			\
	if (TAILQ_FIRST(b) != NULL)					\
		TAILQ_FIRST(b)->field.tqe_prev = &TAILQ_FIRST(b);	\
	else								\
		(b)->tqh_last = &TAILQ_FIRST(b);			\
} while (0)

#endif /* !_SYS_QUEUE_H_ */
