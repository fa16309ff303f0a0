/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_CK_H_
#define	_SYS_CK_H_

/*
 * Lists whose readers are in an epoch while one writer changes them.  A new
 * element is complete before it can be reached; a removed one keeps its link,
 * so a reader that stands on it finds its way on.
 */
#include <sys/queue.h>

#define	CK_STORE(p, v)		__atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define	CK_LOAD(p)		__atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define	ck_pr_load_ptr(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define	ck_pr_store_ptr(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)

#define	CK_SLIST_HEAD(name, type)	struct name { struct type *cslh_first; }
#define	CK_SLIST_HEAD_INITIALIZER(head)	{ NULL }
#define	CK_SLIST_ENTRY(type)	struct { struct type *csle_next; }
#define	CK_SLIST_INIT(head)	CK_STORE((head)->cslh_first, NULL)
#define	CK_SLIST_FIRST(head)	CK_LOAD((head)->cslh_first)
#define	CK_SLIST_NEXT(e, f)	CK_LOAD((e)->f.csle_next)
#define	CK_SLIST_EMPTY(head)	(CK_SLIST_FIRST(head) == NULL)
#define	CK_SLIST_FOREACH(v, head, f)					\
	for ((v) = CK_SLIST_FIRST(head); (v) != NULL; (v) = CK_SLIST_NEXT(v, f))
#define	CK_SLIST_FOREACH_SAFE(v, head, f, t)				\
	for ((v) = CK_SLIST_FIRST(head);					\
	    (v) != NULL && ((t) = CK_SLIST_NEXT(v, f), 1); (v) = (t))
#define	CK_SLIST_INSERT_HEAD(head, e, f)	do {			\
	CK_STORE((e)->f.csle_next, (head)->cslh_first);			\
	CK_STORE((head)->cslh_first, (e));				\
} while (0)
#define	CK_SLIST_INSERT_AFTER(at, e, f)	do {				\
	CK_STORE((e)->f.csle_next, (at)->f.csle_next);			\
	CK_STORE((at)->f.csle_next, (e));				\
} while (0)
#define	CK_SLIST_REMOVE_HEAD(head, f)					\
	CK_STORE((head)->cslh_first, (head)->cslh_first->f.csle_next)
#define	CK_SLIST_REMOVE_AFTER(e, f)					\
	CK_STORE((e)->f.csle_next, (e)->f.csle_next->f.csle_next)
#define	CK_SLIST_REMOVE(head, e, type, f)	do {			\
	struct type **_pp = &(head)->cslh_first;			\
	while (*_pp != (e))						\
		_pp = &(*_pp)->f.csle_next;				\
	CK_STORE(*_pp, (e)->f.csle_next);				\
} while (0)

#define	CK_STAILQ_HEAD(name, type)					\
	struct name { struct type *cstqh_first; struct type **cstqh_last; }
#define	CK_STAILQ_HEAD_INITIALIZER(head)	{ NULL, &(head).cstqh_first }
#define	CK_STAILQ_ENTRY(type)	struct { struct type *cstqe_next; }
#define	CK_STAILQ_INIT(head)	do {					\
	CK_STORE((head)->cstqh_first, NULL);				\
	(head)->cstqh_last = &(head)->cstqh_first;			\
} while (0)
#define	CK_STAILQ_FIRST(head)	CK_LOAD((head)->cstqh_first)
#define	CK_STAILQ_NEXT(e, f)	CK_LOAD((e)->f.cstqe_next)
#define	CK_STAILQ_EMPTY(head)	(CK_STAILQ_FIRST(head) == NULL)
#define	CK_STAILQ_FOREACH(v, head, f)					\
	for ((v) = CK_STAILQ_FIRST(head); (v) != NULL; (v) = CK_STAILQ_NEXT(v, f))
#define	CK_STAILQ_FOREACH_SAFE(v, head, f, t)				\
	for ((v) = CK_STAILQ_FIRST(head);					\
	    (v) != NULL && ((t) = CK_STAILQ_NEXT(v, f), 1); (v) = (t))
#define	CK_STAILQ_INSERT_HEAD(head, e, f)	do {			\
	CK_STORE((e)->f.cstqe_next, (head)->cstqh_first);		\
	if ((head)->cstqh_first == NULL)				\
		(head)->cstqh_last = &(e)->f.cstqe_next;		\
	CK_STORE((head)->cstqh_first, (e));				\
} while (0)
#define	CK_STAILQ_INSERT_TAIL(head, e, f)	do {			\
	CK_STORE((e)->f.cstqe_next, NULL);				\
	CK_STORE(*(head)->cstqh_last, (e));				\
	(head)->cstqh_last = &(e)->f.cstqe_next;			\
} while (0)
#define	CK_STAILQ_INSERT_AFTER(head, at, e, f)	do {			\
	CK_STORE((e)->f.cstqe_next, (at)->f.cstqe_next);		\
	if ((at)->f.cstqe_next == NULL)					\
		(head)->cstqh_last = &(e)->f.cstqe_next;		\
	CK_STORE((at)->f.cstqe_next, (e));				\
} while (0)
#define	CK_STAILQ_REMOVE_HEAD(head, f)	do {				\
	CK_STORE((head)->cstqh_first, (head)->cstqh_first->f.cstqe_next); \
	if ((head)->cstqh_first == NULL)				\
		(head)->cstqh_last = &(head)->cstqh_first;		\
} while (0)
#define	CK_STAILQ_REMOVE(head, e, type, f)	do {			\
	struct type **_pp = &(head)->cstqh_first;			\
	while (*_pp != (e))						\
		_pp = &(*_pp)->f.cstqe_next;				\
	CK_STORE(*_pp, (e)->f.cstqe_next);				\
	if (*_pp == NULL)						\
		(head)->cstqh_last = _pp;				\
} while (0)

#define	CK_LIST_HEAD(name, type)	struct name { struct type *clh_first; }
#define	CK_LIST_HEAD_INITIALIZER(head)	{ NULL }
#define	CK_LIST_ENTRY(type)	struct { struct type *cle_next; struct type **cle_prev; }
#define	CK_LIST_INIT(head)	CK_STORE((head)->clh_first, NULL)
#define	CK_LIST_FIRST(head)	CK_LOAD((head)->clh_first)
#define	CK_LIST_NEXT(e, f)	CK_LOAD((e)->f.cle_next)
#define	CK_LIST_EMPTY(head)	(CK_LIST_FIRST(head) == NULL)
#define	CK_LIST_FOREACH(v, head, f)					\
	for ((v) = CK_LIST_FIRST(head); (v) != NULL; (v) = CK_LIST_NEXT(v, f))
#define	CK_LIST_FOREACH_SAFE(v, head, f, t)				\
	for ((v) = CK_LIST_FIRST(head);					\
	    (v) != NULL && ((t) = CK_LIST_NEXT(v, f), 1); (v) = (t))
#define	CK_LIST_INSERT_HEAD(head, e, f)	do {				\
	CK_STORE((e)->f.cle_next, (head)->clh_first);			\
	if ((head)->clh_first != NULL)					\
		(head)->clh_first->f.cle_prev = &(e)->f.cle_next;	\
	(e)->f.cle_prev = &(head)->clh_first;				\
	CK_STORE((head)->clh_first, (e));				\
} while (0)
#define	CK_LIST_INSERT_AFTER(at, e, f)	do {				\
	CK_STORE((e)->f.cle_next, (at)->f.cle_next);			\
	if ((at)->f.cle_next != NULL)					\
		(at)->f.cle_next->f.cle_prev = &(e)->f.cle_next;	\
	(e)->f.cle_prev = &(at)->f.cle_next;				\
	CK_STORE((at)->f.cle_next, (e));				\
} while (0)
#define	CK_LIST_INSERT_BEFORE(at, e, f)	do {				\
	(e)->f.cle_prev = (at)->f.cle_prev;				\
	CK_STORE((e)->f.cle_next, (at));				\
	CK_STORE(*(at)->f.cle_prev, (e));				\
	(at)->f.cle_prev = &(e)->f.cle_next;				\
} while (0)
#define	CK_LIST_REMOVE(e, f)	do {					\
	if ((e)->f.cle_next != NULL)					\
		(e)->f.cle_next->f.cle_prev = (e)->f.cle_prev;		\
	CK_STORE(*(e)->f.cle_prev, (e)->f.cle_next);			\
} while (0)

#endif /* !_SYS_CK_H_ */
