/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_TREE_H_
#define	_SYS_TREE_H_

/*
 * Red-black trees under FreeBSD's RB_ names.  One set of functions works on
 * the links alone, for every type of tree; the generated ones know where the
 * links are and how to compare.
 */
#include <sys/cdefs.h>
#include <sys/types.h>

struct rb_links {
	struct rb_links	*rbl_child[2];
	struct rb_links	*rbl_parent;
	bool		 rbl_red;
};

void	rb_links_insert(struct rb_links **root, struct rb_links *parent, int side, struct rb_links *n);
void	rb_links_remove(struct rb_links **root, struct rb_links *n);
struct rb_links *rb_links_end(struct rb_links *root, int side);
struct rb_links *rb_links_step(struct rb_links *n, int side);

#define	RB_ENTRY(type)		struct rb_links
#define	RB_HEAD(name, type)	struct name { struct rb_links *rbh_root; struct type *rbh_type[0]; }
#define	RB_INITIALIZER(head)	{ NULL }
#define	RB_INIT(head)		do { (head)->rbh_root = NULL; } while (0)
#define	RB_EMPTY(head)		((head)->rbh_root == NULL)

#define	RB_PROTOTYPE_INTERNAL(name, type, field, cmp, attr)		\
attr struct type *name##_RB_REMOVE(struct name *, struct type *);	\
attr struct type *name##_RB_INSERT(struct name *, struct type *);	\
attr struct type *name##_RB_FIND(struct name *, struct type *);	\
attr struct type *name##_RB_NFIND(struct name *, struct type *);	\
attr struct type *name##_RB_NEXT(struct type *);			\
attr struct type *name##_RB_PREV(struct type *);			\
attr struct type *name##_RB_MINMAX(struct name *, int);		\
attr struct type *name##_RB_ROOT(struct name *)
#define	RB_PROTOTYPE(name, type, field, cmp)	RB_PROTOTYPE_INTERNAL(name, type, field, cmp,)
#define	RB_PROTOTYPE_STATIC(name, type, field, cmp)			\
	RB_PROTOTYPE_INTERNAL(name, type, field, cmp, __unused static)

#define	RB_GENERATE_INTERNAL(name, type, field, cmp, attr)		\
static inline struct type *						\
name##_RB_OF(struct rb_links *l)					\
{									\
	return (l == NULL ? NULL : __containerof(l, struct type, field)); \
}									\
attr struct type *							\
name##_RB_REMOVE(struct name *head, struct type *e)			\
{									\
	rb_links_remove(&head->rbh_root, &e->field);			\
	return (e);							\
}									\
attr struct type *							\
name##_RB_INSERT(struct name *head, struct type *e)			\
{									\
	struct rb_links *at = head->rbh_root, *parent = NULL;		\
	int c = 0;							\
									\
	while (at != NULL) {						\
		parent = at;						\
		c = (cmp)(e, name##_RB_OF(at));				\
		if (c == 0)						\
			return (name##_RB_OF(at));			\
		at = at->rbl_child[c > 0];				\
	}								\
	rb_links_insert(&head->rbh_root, parent, c > 0, &e->field);	\
	return (NULL);							\
}									\
attr struct type *							\
name##_RB_FIND(struct name *head, struct type *e)			\
{									\
	struct rb_links *at = head->rbh_root;				\
	int c;								\
									\
	while (at != NULL && (c = (cmp)(e, name##_RB_OF(at))) != 0)	\
		at = at->rbl_child[c > 0];				\
	return (name##_RB_OF(at));					\
}									\
attr struct type *							\
name##_RB_NFIND(struct name *head, struct type *e)			\
{									\
	struct rb_links *at = head->rbh_root, *found = NULL;		\
	int c;								\
									\
	while (at != NULL) {						\
		c = (cmp)(e, name##_RB_OF(at));				\
		if (c == 0)						\
			return (name##_RB_OF(at));			\
		if (c < 0)						\
			found = at;					\
		at = at->rbl_child[c > 0];				\
	}								\
	return (name##_RB_OF(found));					\
}									\
attr struct type *							\
name##_RB_NEXT(struct type *e)						\
{									\
	return (name##_RB_OF(rb_links_step(&e->field, 1)));		\
}									\
attr struct type *							\
name##_RB_PREV(struct type *e)						\
{									\
	return (name##_RB_OF(rb_links_step(&e->field, 0)));		\
}									\
attr struct type *							\
name##_RB_MINMAX(struct name *head, int side)				\
{									\
	return (name##_RB_OF(rb_links_end(head->rbh_root, side)));	\
}									\
attr struct type *							\
name##_RB_ROOT(struct name *head)					\
{									\
	return (name##_RB_OF(head->rbh_root));				\
}									\
struct __hack
#define	RB_GENERATE(name, type, field, cmp)	RB_GENERATE_INTERNAL(name, type, field, cmp,)
#define	RB_GENERATE_STATIC(name, type, field, cmp)			\
	RB_GENERATE_INTERNAL(name, type, field, cmp, __unused static)

#define	RB_INSERT(name, x, y)	name##_RB_INSERT(x, y)
#define	RB_REMOVE(name, x, y)	name##_RB_REMOVE(x, y)
#define	RB_FIND(name, x, y)	name##_RB_FIND(x, y)
#define	RB_NFIND(name, x, y)	name##_RB_NFIND(x, y)
#define	RB_NEXT(name, x, y)	name##_RB_NEXT(y)
#define	RB_PREV(name, x, y)	name##_RB_PREV(y)
#define	RB_MIN(name, x)		name##_RB_MINMAX(x, 0)
#define	RB_MAX(name, x)		name##_RB_MINMAX(x, 1)
#define	RB_FOREACH(x, name, head)					\
	for ((x) = RB_MIN(name, head); (x) != NULL; (x) = name##_RB_NEXT(x))
#define	RB_FOREACH_SAFE(x, name, head, y)				\
	for ((x) = RB_MIN(name, head); (x) != NULL && ((y) = name##_RB_NEXT(x), 1); (x) = (y))
#define	RB_FOREACH_REVERSE(x, name, head)				\
	for ((x) = RB_MAX(name, head); (x) != NULL; (x) = name##_RB_PREV(x))

#endif /* !_SYS_TREE_H_ */
