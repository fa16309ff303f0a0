/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * WITNESS: which locks a thread holds, and in what order locks of one type
 * are taken after those of another.  An order, once seen, holds for good; the
 * reverse of it is reported with both places, whether or not it hangs today.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kdb.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/stack.h>
#include <sys/sysctl.h>
#include <ddb/ddb.h>

#include "kern_internal.h"

#ifdef WITNESS

#define	WITNESS_COUNT	512
#define	EDGES		4096

struct witness {
	const char	*w_name;
	struct lock_class *w_class;
	_Atomic u_int	 w_refs;
	_Atomic bool	 w_reversed[WITNESS_COUNT];	/* reported already */
};

static struct witness witnesses[WITNESS_COUNT];
static u_int nwitnesses;
/* before[i]: the types that have been held when one of type i was taken. */
static uint64_t before[WITNESS_COUNT][WITNESS_COUNT / 64];

/* Where a direct order was first seen. */
struct edge {
	u_short		 from, to;
	const char	*file;
	int		 line;
	struct stack	 stack;
};
static struct edge edges[EDGES];
static u_int nedges;

static int witness_watch = 1;
static int witness_trace = 1;
SYSCTL_NODE(_debug, OID_AUTO, witness, CTLFLAG_RW, 0, "Witness Locking");
SYSCTL_INT(_debug_witness, OID_AUTO, watch, CTLFLAG_RWTUN, &witness_watch, 0,
    "witness is watching lock operations");
SYSCTL_INT(_debug_witness, OID_AUTO, trace, CTLFLAG_RWTUN, &witness_trace, 0, "");
static int witness_kdb;
SYSCTL_INT(_debug_witness, OID_AUTO, kdb, CTLFLAG_RWTUN, &witness_kdb, 0,
    "Enter the debugger on a lock order reversal");

/* Those of the boot, before there is memory to allocate. */
static struct lock_list_entry thread0_locks;

static u_int
index_of(const struct witness *w)
{
	return ((u_int)(w - witnesses));
}

static bool
is_before(u_int a, u_int b)
{
	return ((__atomic_load_n(&before[b][a / 64], __ATOMIC_RELAXED) >> (a % 64) & 1) != 0);
}

void
witness_init(struct lock_object *lo, const char *type)
{
	struct lock_class *class = LOCK_CLASS(lo);
	struct witness *w;
	u_int i;

	host_lock();
	for (i = 0; i < nwitnesses; i++)
		if (witnesses[i].w_class == class && strcmp(witnesses[i].w_name, type) == 0)
			break;
	if (i == nwitnesses) {
		if (i == WITNESS_COUNT) {
			host_unlock();
			return;
		}
		w = &witnesses[nwitnesses++];
		w->w_class = class;
		/* The name may be a module's or in memory that is freed. */
		w->w_name = type;
		size_t len = strlen(type) + 1;
		static char *names, *names_end;
		if ((size_t)(names_end - names) < len) {
			names = host_chunks(1);
			names_end = names + HOST_CHUNK;
		}
		w->w_name = memcpy(names, type, len);
		names += len;
	}
	witnesses[i].w_refs++;
	lo->lo_witness = &witnesses[i];
	host_unlock();
}

void
witness_destroy(struct lock_object *lo)
{
	struct witness *w = lo->lo_witness;

	if (w == NULL)
		return;
	if (!KERNEL_PANICKED() && witness_held(curthread, lo) > 0)
		panic("lock (%s) %s destroyed while held", LOCK_CLASS(lo)->lc_name, lo->lo_name);
	w->w_refs--;
	lo->lo_witness = NULL;
}

void
witness_thread_init(struct thread *td)
{
	td->td_sleeplocks = malloc(sizeof(*td->td_sleeplocks), M_TEMP, M_WAITOK | M_ZERO);
}

void
witness_thread_exit(struct thread *td)
{
	free(td->td_sleeplocks, M_TEMP);
}

static struct lock_list_entry *
held_by(struct thread *td)
{
	if (td->td_sleeplocks == NULL && td == &thread0)
		td->td_sleeplocks = &thread0_locks;
	return (td->td_sleeplocks);
}

static struct lock_instance *
find_instance(struct thread *td, const struct lock_object *lo)
{
	struct lock_list_entry *lle = held_by(td);
	int i;

	for (i = lle->ll_count - 1; i >= 0; i--)
		if (lle->ll_children[i].li_lock == lo)
			return (&lle->ll_children[i]);
	return (NULL);
}

int
witness_held(struct thread *td, struct lock_object *lo)
{
	struct lock_instance *li = find_instance(td, lo);

	return (li == NULL ? 0 : 1 + (int)(li->li_flags & LI_RECURSEMASK));
}

/* All that came before a (and a) now comes before b, and all that comes after b. */
static void
order_add(u_int a, u_int b)
{
	u_int i, k;

	for (i = 0; i < nwitnesses; i++) {
		if (i != b && !is_before(b, i))
			continue;
		for (k = 0; k < nitems(before[0]); k++)
			__atomic_fetch_or(&before[i][k], before[a][k], __ATOMIC_RELAXED);
		__atomic_fetch_or(&before[i][a / 64], 1ul << (a % 64), __ATOMIC_RELAXED);
	}
}

static struct edge *
edge_find(u_int a, u_int b)
{
	u_int i;

	for (i = 0; i < nedges; i++)
		if (edges[i].from == a && edges[i].to == b)
			return (&edges[i]);
	return (NULL);
}

static void
print_stack(const struct stack *st)
{
	char name[96];
	int i;

	for (i = 0; i < st->depth; i++) {
		print_symbol(st->pcs[i], name, sizeof(name));
		printf("#%d %#lx at %s\n", i, (u_long)st->pcs[i], name);
	}
}

static void
report_reversal(struct lock_instance *li, struct lock_object *lo, const char *file, int line)
{
	struct witness *w1 = li->li_lock->lo_witness, *w = lo->lo_witness;
	struct stack st;
	struct edge *e;

	if ((lo->lo_flags & LO_SLEEPABLE) != 0 && (li->li_lock->lo_flags & LO_SLEEPABLE) == 0)
		printf("lock order reversal: (sleepable after non-sleepable)\n");
	else
		printf("lock order reversal:\n");
	printf(" 1st %p %s (%s, %s) @ %s:%d\n", li->li_lock, li->li_lock->lo_name, w1->w_name,
	    w1->w_class->lc_name, li->li_file, li->li_line);
	printf(" 2nd %p %s (%s, %s) @ %s:%d\n", lo, lo->lo_name, w->w_name, w->w_class->lc_name,
	    file, line);
	if (witness_trace) {
		e = edge_find(index_of(w), index_of(w1));
		if (e != NULL) {
			printf("lock order %s -> %s established at:\n", w->w_name, w1->w_name);
			print_stack(&e->stack);
		}
		printf("lock order %s -> %s attempted at:\n", w1->w_name, w->w_name);
		stack_save(&st);
		print_stack(&st);
	}
	if (witness_kdb)
		kdb_enter("witness", "witness_checkorder");
}

void
witness_checkorder(struct lock_object *lo, int flags, const char *file, int line)
{
	struct thread *td = curthread;
	struct lock_class *class = LOCK_CLASS(lo);
	struct witness *w = lo->lo_witness, *w1;
	struct lock_list_entry *lle;
	struct lock_instance *li, *plock = NULL;
	u_int a, b;
	int i;

	if (w == NULL || KERNEL_PANICKED() || witness_watch <= 0)
		return;
	if ((class->lc_flags & LC_SLEEPLOCK) != 0 && td->td_critnest != 0 && !kdb_active)
		panic("acquiring blockable sleep lock with spinlock or critical section held "
		    "(%s) %s @ %s:%d", class->lc_name, lo->lo_name, file, line);
	lle = held_by(td);
	if (lle->ll_count == 0)
		return;

	li = find_instance(td, lo);
	if (li != NULL) {
		if ((li->li_flags & LI_EXCLUSIVE) != 0 && (flags & LOP_EXCLUSIVE) == 0) {
			printf("shared lock of (%s) %s @ %s:%d\n", class->lc_name, lo->lo_name, file, line);
			printf("while exclusively locked from %s:%d\n", li->li_file, li->li_line);
			panic("excl->share");
		}
		if ((li->li_flags & LI_EXCLUSIVE) == 0 && (flags & LOP_EXCLUSIVE) != 0) {
			printf("exclusive lock of (%s) %s @ %s:%d\n", class->lc_name, lo->lo_name, file, line);
			printf("while share locked from %s:%d\n", li->li_file, li->li_line);
			panic("share->excl");
		}
		return;		/* whether it may recurse is the lock's own affair */
	}
	if ((flags & LOP_DUPOK) != 0 || (lo->lo_flags & LO_DUPOK) != 0)
		plock = NULL;
	else
		plock = &lle->ll_children[lle->ll_count - 1];
	if (plock != NULL && plock->li_lock->lo_witness == w &&
	    (plock->li_flags & LI_RECURSEMASK) == 0 && !w->w_reversed[index_of(w)]) {
		w->w_reversed[index_of(w)] = true;
		printf("acquiring duplicate lock of same type: \"%s\"\n", w->w_name);
		printf(" 1st %s @ %s:%d\n", plock->li_lock->lo_name, plock->li_file, plock->li_line);
		printf(" 2nd %s @ %s:%d\n", lo->lo_name, file, line);
		if (witness_trace)
			kdb_backtrace();
		return;
	}

	b = index_of(w);
	for (i = lle->ll_count - 1; i >= 0; i--) {
		li = &lle->ll_children[i];
		w1 = li->li_lock->lo_witness;
		if (w1 == NULL || w1 == w)
			continue;
		a = index_of(w1);
		if (is_before(a, b))
			continue;
		/* The other way round before; or never right: a sleep must not come under this. */
		if (is_before(b, a) || ((lo->lo_flags & LO_SLEEPABLE) != 0 &&
		    (li->li_lock->lo_flags & LO_SLEEPABLE) == 0)) {
			if (!w->w_reversed[a]) {
				w->w_reversed[a] = w1->w_reversed[b] = true;
				report_reversal(li, lo, file, line);
			}
			continue;
		}
		if ((flags & LOP_NEWORDER) == 0)
			continue;
		host_lock();
		if (!is_before(a, b) && !is_before(b, a)) {
			if (nedges < EDGES) {
				struct edge *e = &edges[nedges++];

				e->from = (u_short)a;
				e->to = (u_short)b;
				e->file = file;
				e->line = line;
				stack_save(&e->stack);
			}
			order_add(a, b);
		}
		host_unlock();
	}
}

void
witness_lock(struct lock_object *lo, int flags, const char *file, int line)
{
	struct thread *td = curthread;
	struct lock_list_entry *lle;
	struct lock_instance *li;

	if (lo->lo_witness == NULL || KERNEL_PANICKED())
		return;
	lle = held_by(td);
	li = find_instance(td, lo);
	if (li != NULL) {
		li->li_flags++;
		li->li_file = file;
		li->li_line = line;
		return;
	}
	if (lle->ll_count == LOCK_NCHILDREN)
		panic("witness: thread %p holds too many locks", td);
	li = &lle->ll_children[lle->ll_count++];
	li->li_lock = lo;
	li->li_file = file;
	li->li_line = line;
	li->li_flags = (flags & LOP_EXCLUSIVE) != 0 ? LI_EXCLUSIVE : 0;
}

void
witness_unlock(struct lock_object *lo, int flags, const char *file, int line)
{
	struct thread *td = curthread;
	struct lock_list_entry *lle;
	struct lock_instance *li;
	struct lock_class *class = LOCK_CLASS(lo);
	int i;

	if (lo->lo_witness == NULL || KERNEL_PANICKED())
		return;
	li = find_instance(td, lo);
	if (li == NULL) {
		if (witness_watch <= 0)
			return;
		panic("lock (%s) %s not locked @ %s:%d", class->lc_name, lo->lo_name, file, line);
	}
	if ((li->li_flags & LI_EXCLUSIVE) != 0 && (flags & LOP_EXCLUSIVE) == 0) {
		printf("shared unlock of (%s) %s @ %s:%d\n", class->lc_name, lo->lo_name, file, line);
		printf("while exclusively locked from %s:%d\n", li->li_file, li->li_line);
		panic("excl->ushare");
	}
	if ((li->li_flags & LI_EXCLUSIVE) == 0 && (flags & LOP_EXCLUSIVE) != 0) {
		printf("exclusive unlock of (%s) %s @ %s:%d\n", class->lc_name, lo->lo_name, file, line);
		printf("while share locked from %s:%d\n", li->li_file, li->li_line);
		panic("share->uexcl");
	}
	if ((li->li_flags & LI_RECURSEMASK) != 0) {
		li->li_flags--;
		return;
	}
	lle = held_by(td);
	i = (int)(li - lle->ll_children);
	lle->ll_count--;
	for (; i < lle->ll_count; i++)
		lle->ll_children[i] = lle->ll_children[i + 1];
}

void
witness_upgrade(struct lock_object *lo, const char *file, int line)
{
	struct lock_instance *li = find_instance(curthread, lo);

	if (li != NULL) {
		li->li_flags |= LI_EXCLUSIVE;
		li->li_file = file;
		li->li_line = line;
	}
}

void
witness_downgrade(struct lock_object *lo, const char *file, int line)
{
	struct lock_instance *li = find_instance(curthread, lo);

	if (li != NULL) {
		li->li_flags &= ~(u_int)LI_EXCLUSIVE;
		li->li_file = file;
		li->li_line = line;
	}
}

void
witness_save(struct lock_object *lo, const char **filep, int *linep)
{
	struct lock_instance *li = find_instance(curthread, lo);

	*filep = li == NULL ? NULL : li->li_file;
	*linep = li == NULL ? 0 : li->li_line;
}

static void
list_lock(const struct lock_instance *li, int (*pr)(const char *, ...))
{
	struct lock_object *lo = li->li_lock;

	pr("%s %s %s", (li->li_flags & LI_EXCLUSIVE) != 0 ? "exclusive" : "shared",
	    LOCK_CLASS(lo)->lc_name, lo->lo_name);
	if (lo->lo_witness != NULL && strcmp(lo->lo_witness->w_name, lo->lo_name) != 0)
		pr(" (%s)", lo->lo_witness->w_name);
	pr(" r = %d (%p) locked @ %s:%d\n", (int)(li->li_flags & LI_RECURSEMASK), lo, li->li_file,
	    li->li_line);
}

int
witness_list_locks(struct lock_list_entry **lock_list, int (*pr)(const char *, ...))
{
	struct lock_list_entry *lle = *lock_list;
	int i;

	if (lle == NULL)
		return (0);
	for (i = lle->ll_count - 1; i >= 0; i--)
		list_lock(&lle->ll_children[i], pr);
	return (lle->ll_count);
}

/*
 * For where a thread must hold no lock (or none but this one; or only such as
 * it may sleep with): says which it holds, and may panic.
 */
int
witness_warn(int flags, struct lock_object *lo, const char *fmt, ...)
{
	struct lock_list_entry *lle = held_by(curthread);
	struct lock_instance *li;
	va_list ap;
	int i, n = 0;

	if (KERNEL_PANICKED() || witness_watch <= 0)
		return (0);
	for (i = 0; i < lle->ll_count; i++) {
		li = &lle->ll_children[i];
		if (li->li_lock == lo ||
		    ((flags & WARN_GIANTOK) != 0 && li->li_lock == &Giant.lock_object) ||
		    ((flags & WARN_SLEEPOK) != 0 && (li->li_lock->lo_flags & LO_SLEEPABLE) != 0))
			continue;
		if (n++ == 0) {
			va_start(ap, fmt);
			vprintf(fmt, ap);
			va_end(ap);
			printf(" with the following %slocks held:\n",
			    (flags & WARN_SLEEPOK) != 0 ? "non-sleepable " : "");
		}
		list_lock(li, printf);
	}
	if (n == 0)
		return (0);
	if ((flags & WARN_PANIC) != 0)
		kassert_panic("%s", __func__);
	else if (witness_trace)
		kdb_backtrace();
	return (n);
}

void
witness_show_thread(struct thread *td, int (*pr)(const char *, ...))
{
	(void)witness_list_locks(&td->td_sleeplocks, pr);
}

static int
sysctl_witness_fullgraph(SYSCTL_HANDLER_ARGS)
{
	u_int i;

	for (i = 0; i < nedges; i++)
		printf("\"%s\",\"%s\"\n", witnesses[edges[i].from].w_name,
		    witnesses[edges[i].to].w_name);
	return (0);
}
SYSCTL_PROC(_debug_witness, OID_AUTO, fullgraph, CTLTYPE_STRING | CTLFLAG_RD | CTLFLAG_SKIP,
    NULL, 0, sysctl_witness_fullgraph, "A", "Show locks relation graphs");

#ifdef DDB
DB_SHOW_COMMAND(locks, db_witness_list)
{
	struct thread *td = curthread;

	if (have_addr && (td = tdfind_ddb((lwpid_t)addr)) == NULL) {
		db_printf("no such thread\n");
		return;
	}
	witness_show_thread(td, db_printf);
}

static void
db_alllocks(void)
{
	struct thread *td;

	TAILQ_FOREACH(td, &allthreads, td_list) {
		if (td->td_sleeplocks == NULL || td->td_sleeplocks->ll_count == 0)
			continue;
		db_printf("Process %d (%s) thread %p (%d)\n", td->td_proc->p_pid,
		    td->td_proc->p_comm, td, td->td_tid);
		witness_show_thread(td, db_printf);
	}
}

DB_SHOW_COMMAND(alllocks, db_witness_list_alllocks)
{
	db_alllocks();
}

DB_SHOW_ALL_COMMAND(locks, db_witness_list_all)
{
	db_alllocks();
}
#endif

#else /* !WITNESS */

void
witness_thread_init(struct thread *td)
{
}

void
witness_thread_exit(struct thread *td)
{
}

void
witness_show_thread(struct thread *td, int (*pr)(const char *, ...))
{
}

#endif /* WITNESS */
