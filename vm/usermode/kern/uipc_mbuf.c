/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mbuf(9).
 *
 * A cluster's reference count lives in the mbuf that it was first attached to;
 * that mbuf's memory therefore stays until the last reference is gone, whoever
 * of the sharers goes first.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/sysctl.h>
#include <sys/uio.h>
#include <vm/uma.h>

#include "kern_internal.h"

uma_zone_t zone_mbuf, zone_clust, zone_pack, zone_jumbop, zone_jumbo9, zone_jumbo16;

int max_linkhdr = 32, max_protohdr = 60, max_hdr = 92, max_datalen;
int nmbclusters = 262144;
static int nmbufs = 1048576;
SYSCTL_INT(_kern_ipc, OID_AUTO, nmbclusters, CTLFLAG_RDTUN, &nmbclusters, 0,
    "Maximum number of mbuf clusters allowed");
SYSCTL_INT(_kern_ipc, OID_AUTO, nmbufs, CTLFLAG_RDTUN, &nmbufs, 0,
    "Maximum number of mbufs allowed");
SYSCTL_INT(_kern_ipc, OID_AUTO, max_linkhdr, CTLFLAG_RD, &max_linkhdr, 0,
    "Size of largest link layer header");
SYSCTL_INT(_kern_ipc, OID_AUTO, max_protohdr, CTLFLAG_RD, &max_protohdr, 0,
    "Size of largest protocol layer header");

CTASSERT(sizeof(struct mbuf) <= MSIZE);
CTASSERT(offsetof(struct mbuf, m_dat) == 32);
CTASSERT(sizeof(struct pkthdr) == 64);

static void
mbuf_init(void *arg)
{
	zone_mbuf = uma_zcreate(MBUF_MEM_NAME, MSIZE, NULL, NULL, NULL, NULL, UMA_ALIGN_CACHE, 0);
	zone_clust = uma_zcreate(MBUF_CLUSTER_MEM_NAME, MCLBYTES, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_CACHE, 0);
	zone_jumbop = uma_zcreate("mbuf_jumbo_page", MJUMPAGESIZE, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_CACHE, 0);
	zone_jumbo9 = uma_zcreate("mbuf_jumbo_9k", MJUM9BYTES, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_CACHE, 0);
	zone_jumbo16 = uma_zcreate("mbuf_jumbo_16k", MJUM16BYTES, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_CACHE, 0);
	zone_pack = zone_mbuf;
	uma_zone_set_max(zone_mbuf, nmbufs);
	uma_zone_set_max(zone_clust, nmbclusters);
}
SYSINIT(mbuf, SI_SUB_MBUF, SI_ORDER_FIRST, mbuf_init, NULL);

/*
 * Allocation.
 */
int
m_pkthdr_init(struct mbuf *m, int how)
{
	memset(&m->m_pkthdr, 0, sizeof(m->m_pkthdr));
	m->m_pkthdr.numa_domain = 255;
	return (0);
}

void
m_init(struct mbuf *m, int how, short type, int flags)
{
	m->m_next = NULL;
	m->m_nextpkt = NULL;
	m->m_data = m->m_dat;
	m->m_len = 0;
	m->m_flags = (uint32_t)flags & 0xffffff;
	m->m_type = (uint32_t)type & 0xff;
	if ((flags & M_PKTHDR) != 0) {
		(void)m_pkthdr_init(m, how);
		m->m_data = m->m_pktdat;
	}
}

static inline struct mbuf *
mb_get(int how, short type, int flags)
{
	struct mbuf *m;

	m = uma_zalloc_arg(zone_mbuf, NULL, how);
	if (m != NULL)
		m_init(m, how, type, flags);
	return (m);
}

struct mbuf *
m_get(int how, short type)
{
	return (mb_get(how, type, 0));
}

struct mbuf *
m_get_raw(int how, short type)
{
	return (mb_get(how, type, 0));
}

struct mbuf *
m_gethdr(int how, short type)
{
	return (mb_get(how, type, M_PKTHDR));
}

struct mbuf *
m_gethdr_raw(int how, short type)
{
	return (mb_get(how, type, M_PKTHDR));
}

static uma_zone_t
zone_of(int type)
{
	switch (type) {
	case EXT_CLUSTER:
	case EXT_PACKET:
		return (zone_clust);
	case EXT_JUMBOP:
		return (zone_jumbop);
	case EXT_JUMBO9:
		return (zone_jumbo9);
	case EXT_JUMBO16:
		return (zone_jumbo16);
	default:
		panic("%s: invalid cluster type %d", __func__, type);
	}
}

static u_int
size_of(int type)
{
	return (type == EXT_CLUSTER || type == EXT_PACKET ? MCLBYTES :
	    type == EXT_JUMBOP ? MJUMPAGESIZE : type == EXT_JUMBO9 ? MJUM9BYTES : MJUM16BYTES);
}

void
m_cljset(struct mbuf *m, void *cl, int type)
{
	m->m_data = m->m_ext.ext_buf = cl;
	m->m_ext.ext_free = NULL;
	m->m_ext.ext_arg1 = m->m_ext.ext_arg2 = NULL;
	m->m_ext.ext_size = size_of(type);
	m->m_ext.ext_type = (uint32_t)type & 0xff;
	m->m_ext.ext_flags = EXT_FLAG_EMBREF;
	m->m_ext.ext_count = 1;
	m->m_flags |= M_EXT;
}

int
m_clget(struct mbuf *m, int how)
{
	void *cl;

	KASSERT((m->m_flags & M_EXT) == 0, ("%s: mbuf %p has M_EXT", __func__, m));
	cl = uma_zalloc_arg(zone_clust, NULL, how);
	if (cl == NULL)
		return (0);
	m_cljset(m, cl, EXT_CLUSTER);
	return (1);
}

void *
m_cljget(struct mbuf *m, int how, int size)
{
	int type = m_gettype(size);
	void *cl;

	cl = uma_zalloc_arg(zone_of(type), NULL, how);
	if (cl != NULL && m != NULL)
		m_cljset(m, cl, type);
	return (cl);
}

struct mbuf *
m_getjcl(int how, short type, int flags, int size)
{
	struct mbuf *m;

	m = mb_get(how, type, flags);
	if (m != NULL && m_cljget(m, how, size) == NULL) {
		m_free(m);
		return (NULL);
	}
	return (m);
}

struct mbuf *
m_getcl(int how, short type, int flags)
{
	return (m_getjcl(how, type, flags, MCLBYTES));
}

struct mbuf *
m_getclr(int how, short type)
{
	struct mbuf *m = m_get(how, type);

	if (m != NULL)
		memset(m->m_dat, 0, (size_t)MLEN);
	return (m);
}

struct mbuf *
m_get3(int size, int how, short type, int flags)
{
	if (size <= MHLEN || (size <= MLEN && (flags & M_PKTHDR) == 0))
		return (mb_get(how, type, flags));
	if (size <= MCLBYTES)
		return (m_getcl(how, type, flags));
	if (size > MJUM16BYTES)
		return (NULL);
	return (m_getjcl(how, type, flags,
	    size <= MJUMPAGESIZE ? MJUMPAGESIZE : size <= MJUM9BYTES ? MJUM9BYTES : MJUM16BYTES));
}

struct mbuf *
m_get2(int size, int how, short type, int flags)
{
	if (size > MJUMPAGESIZE)
		return (NULL);
	return (m_get3(size, how, type, flags));
}

/* A chain with room for len bytes, behind m when there is one. */
struct mbuf *
m_getm2(struct mbuf *m, int len, int how, short type, int flags)
{
	struct mbuf *mb, *head = NULL, *tail = NULL;

	KASSERT(len >= 0, ("%s: len is < 0", __func__));
	flags &= M_PKTHDR | M_EOR;
	if (m != NULL)
		flags &= ~M_PKTHDR;
	while (len > 0) {
		if (len > MCLBYTES)
			mb = m_getjcl(how, type, flags & M_PKTHDR, MJUMPAGESIZE);
		else if (len >= MINCLSIZE)
			mb = m_getcl(how, type, flags & M_PKTHDR);
		else
			mb = mb_get(how, type, flags & M_PKTHDR);
		if (mb == NULL) {
			m_freem(head);
			return (NULL);
		}
		len -= M_SIZE(mb);
		if (tail != NULL)
			tail->m_next = mb;
		else
			head = mb;
		tail = mb;
		flags &= ~M_PKTHDR;
	}
	if ((flags & M_EOR) != 0 && tail != NULL)
		tail->m_flags |= M_EOR;
	if (m == NULL)
		return (head);
	m_last(m)->m_next = head;
	return (m);
}

void
m_extadd(struct mbuf *m, char *buf, u_int size, m_ext_free_t *freef, void *arg1, void *arg2,
    int flags, int type)
{
	KASSERT(type != EXT_CLUSTER, ("%s: EXT_CLUSTER not allowed", __func__));
	m->m_flags |= M_EXT | ((uint32_t)flags & 0xffffff);
	m->m_ext.ext_buf = buf;
	m->m_data = buf;
	m->m_ext.ext_size = size;
	m->m_ext.ext_free = freef;
	m->m_ext.ext_arg1 = arg1;
	m->m_ext.ext_arg2 = arg2;
	m->m_ext.ext_type = (uint32_t)type & 0xff;
	if (type != EXT_EXTREF) {
		m->m_ext.ext_count = 1;
		m->m_ext.ext_flags = EXT_FLAG_EMBREF;
	} else
		m->m_ext.ext_flags = 0;
}

/* n becomes a sharer of m's buffer. */
static void
mb_dupcl(struct mbuf *n, struct mbuf *m)
{
	volatile u_int *refcnt;

	KASSERT((m->m_flags & M_EXT) != 0, ("%s: M_EXT not set on %p", __func__, m));
	KASSERT((n->m_flags & M_EXT) == 0, ("%s: M_EXT set on %p", __func__, n));
	/* All but the count, which others may be changing. */
	memcpy((char *)&n->m_ext + offsetof(struct m_ext, ext_size),
	    (const char *)&m->m_ext + offsetof(struct m_ext, ext_size),
	    sizeof(n->m_ext) - offsetof(struct m_ext, ext_size));
	n->m_flags |= M_EXT | (m->m_flags & M_RDONLY);
	if ((m->m_ext.ext_flags & EXT_FLAG_EMBREF) != 0) {
		refcnt = n->m_ext.ext_cnt = &m->m_ext.ext_count;
		n->m_ext.ext_flags &= ~(uint32_t)EXT_FLAG_EMBREF & 0xffffff;
	} else
		refcnt = n->m_ext.ext_cnt = m->m_ext.ext_cnt;
	__atomic_fetch_add(refcnt, 1, __ATOMIC_RELAXED);
}

void
mb_free_ext(struct mbuf *m)
{
	volatile u_int *refcnt;
	struct mbuf *mref;
	bool extref, nofree;

	KASSERT((m->m_flags & M_EXT) != 0, ("%s: M_EXT not set on %p", __func__, m));
	if ((m->m_ext.ext_flags & EXT_FLAG_EMBREF) != 0) {
		refcnt = &m->m_ext.ext_count;
		mref = m;
	} else {
		refcnt = m->m_ext.ext_cnt;
		mref = m->m_ext.ext_type == EXT_EXTREF ? m :
		    __containerof(refcnt, struct mbuf, m_ext.ext_count);
	}
	/* m may be gone below. */
	extref = m->m_ext.ext_type == EXT_EXTREF;
	nofree = (m->m_flags & M_NOFREE) != 0;
	if (__atomic_load_n(refcnt, __ATOMIC_ACQUIRE) == 1 ||
	    __atomic_fetch_sub(refcnt, 1, __ATOMIC_ACQ_REL) == 1) {
		switch (m->m_ext.ext_type) {
		case EXT_CLUSTER:
		case EXT_PACKET:
		case EXT_JUMBOP:
		case EXT_JUMBO9:
		case EXT_JUMBO16:
			uma_zfree(zone_of(m->m_ext.ext_type), m->m_ext.ext_buf);
			uma_zfree(zone_mbuf, mref);
			break;
		case EXT_EXTREF:
			m->m_ext.ext_free(m);
			break;
		default:
			KASSERT(mref->m_ext.ext_free != NULL, ("%s: ext_free not set", __func__));
			mref->m_ext.ext_free(mref);
			uma_zfree(zone_mbuf, mref);
			break;
		}
	}
	/* The first of them waits for the last. */
	if (!nofree && (extref || m != mref))
		uma_zfree(zone_mbuf, m);
}

struct mbuf *
m_free(struct mbuf *m)
{
	struct mbuf *n;

	uma_check_used(zone_mbuf, m);
	n = m->m_next;
	if ((m->m_flags & M_PKTHDR) != 0) {
		if (!SLIST_EMPTY(&m->m_pkthdr.tags))
			m_tag_delete_chain(m, NULL);
		if ((m->m_pkthdr.csum_flags & CSUM_SND_TAG) != 0)
			m_snd_tag_rele(m->m_pkthdr.snd_tag);
	}
	if ((m->m_flags & M_EXT) != 0)
		mb_free_ext(m);
	else if ((m->m_flags & M_NOFREE) == 0)
		uma_zfree(zone_mbuf, m);
	return (n);
}

void
m_freem(struct mbuf *m)
{
	while (m != NULL)
		m = m_free(m);
}

void
m_freemp(struct mbuf *m)
{
	struct mbuf *n;

	for (; m != NULL; m = n) {
		uma_check_used(zone_mbuf, m);
		n = m->m_nextpkt;
		m->m_nextpkt = NULL;
		m_freem(m);
	}
}

/*
 * Headers.
 */
void
m_demote_pkthdr(struct mbuf *m)
{
	M_ASSERTPKTHDR(m);
	m_tag_delete_chain(m, NULL);
	m->m_flags &= ~M_PKTHDR;
	memset(&m->m_pkthdr, 0, sizeof(m->m_pkthdr));
}

void
m_demote(struct mbuf *m0, int all, int flags)
{
	struct mbuf *m;

	for (m = all ? m0 : m0->m_next; m != NULL; m = m->m_next) {
		KASSERT(m->m_nextpkt == NULL, ("%s: m_nextpkt in m %p, m0 %p", __func__, m, m0));
		if ((m->m_flags & M_PKTHDR) != 0)
			m_demote_pkthdr(m);
		m->m_flags &= M_EXT | M_RDONLY | M_NOFREE | M_EXTPG | (uint32_t)flags;
	}
}

void
m_move_pkthdr(struct mbuf *to, struct mbuf *from)
{
	KASSERT((to->m_flags & M_EXTPG) == 0, ("m_move_pkthdr: to has M_EXTPG"));
	if ((to->m_flags & M_PKTHDR) != 0)
		m_tag_delete_chain(to, NULL);
	to->m_flags = (from->m_flags & M_COPYFLAGS) | (to->m_flags & (M_EXT | M_RDONLY));
	if ((to->m_flags & M_EXT) == 0)
		to->m_data = to->m_pktdat;
	to->m_pkthdr = from->m_pkthdr;
	SLIST_INIT(&from->m_pkthdr.tags);
	from->m_flags &= ~M_PKTHDR;
	if ((from->m_pkthdr.csum_flags & CSUM_SND_TAG) != 0) {
		from->m_pkthdr.csum_flags &= ~CSUM_SND_TAG;
		from->m_pkthdr.snd_tag = NULL;
	}
}

int
m_dup_pkthdr(struct mbuf *to, const struct mbuf *from, int how)
{
	M_ASSERTPKTHDR(to);
	to->m_flags = (from->m_flags & M_COPYFLAGS & ~M_RDONLY) | (to->m_flags & (M_EXT | M_RDONLY));
	if ((to->m_flags & M_EXT) == 0)
		to->m_data = to->m_pktdat;
	to->m_pkthdr = from->m_pkthdr;
	if ((from->m_pkthdr.csum_flags & CSUM_SND_TAG) != 0)
		(void)m_snd_tag_ref(from->m_pkthdr.snd_tag);
	SLIST_INIT(&to->m_pkthdr.tags);
	return (m_tag_copy_chain(to, from, how));
}

u_int
m_length(struct mbuf *m0, struct mbuf **last)
{
	struct mbuf *m;
	u_int len = 0;

	for (m = m0; m != NULL; m = m->m_next) {
		len += (u_int)m->m_len;
		if (m->m_next == NULL)
			break;
	}
	if (last != NULL)
		*last = m;
	return (len);
}

u_int
m_fixhdr(struct mbuf *m0)
{
	u_int len = m_length(m0, NULL);

	m0->m_pkthdr.len = (int32_t)len;
	return (len);
}

void
m_align(struct mbuf *m, int len)
{
	int adjust;

	KASSERT(m->m_data == M_START(m), ("%s: not a virgin mbuf", __func__));
	adjust = M_SIZE(m) - len;
	m->m_data += adjust & ~((int)sizeof(long) - 1);
}

/*
 * Copies.
 */
struct mbuf *
m_copym(struct mbuf *m, int off, int len, int how)
{
	struct mbuf *n, **np, *top = NULL;
	bool copyhdr = false;

	KASSERT(off >= 0, ("m_copym, negative off %d", off));
	KASSERT(len >= 0, ("m_copym, negative len %d", len));
	if (off == 0 && (m->m_flags & M_PKTHDR) != 0)
		copyhdr = true;
	while (off > 0) {
		KASSERT(m != NULL, ("m_copym, offset > size of mbuf chain"));
		if (off < m->m_len)
			break;
		off -= m->m_len;
		m = m->m_next;
	}
	np = &top;
	while (len > 0) {
		if (m == NULL) {
			KASSERT(len == M_COPYALL, ("m_copym, length > size of mbuf chain"));
			break;
		}
		n = copyhdr ? m_gethdr(how, (short)m->m_type) : m_get(how, (short)m->m_type);
		*np = n;
		if (n == NULL)
			goto nospace;
		if (copyhdr) {
			if (!m_dup_pkthdr(n, m, how))
				goto nospace;
			if (len == M_COPYALL)
				n->m_pkthdr.len -= off;
			else
				n->m_pkthdr.len = len;
			copyhdr = false;
		}
		n->m_len = MIN(len, m->m_len - off);
		if ((m->m_flags & M_EXT) != 0) {
			n->m_data = m->m_data + off;
			mb_dupcl(n, m);
		} else
			memcpy(mtod(n, caddr_t), mtod(m, caddr_t) + off, (size_t)n->m_len);
		if (len != M_COPYALL)
			len -= n->m_len;
		off = 0;
		m = m->m_next;
		np = &n->m_next;
	}
	return (top);
nospace:
	m_freem(top);
	return (NULL);
}

struct mbuf *
m_copypacket(struct mbuf *m, int how)
{
	return (m_copym(m, 0, M_COPYALL, how));
}

void
m_copydata(const struct mbuf *m, int off, int len, caddr_t cp)
{
	int count;

	KASSERT(off >= 0, ("m_copydata, negative off %d", off));
	KASSERT(len >= 0, ("m_copydata, negative len %d", len));
	while (off > 0) {
		KASSERT(m != NULL, ("m_copydata, offset > size of mbuf chain"));
		if (off < m->m_len)
			break;
		off -= m->m_len;
		m = m->m_next;
	}
	while (len > 0) {
		KASSERT(m != NULL, ("m_copydata, length > size of mbuf chain"));
		count = imin(m->m_len - off, len);
		memcpy(cp, mtod(m, caddr_t) + off, (size_t)count);
		len -= count;
		cp += count;
		off = 0;
		m = m->m_next;
	}
}

struct mbuf *
m_dup(const struct mbuf *m, int how)
{
	struct mbuf *n, **p, *top = NULL;
	int remain, moff, nsize, chunk;

	if (m == NULL)
		return (NULL);
	M_ASSERTPKTHDR(m);
	p = &top;
	remain = m->m_pkthdr.len;
	moff = 0;
	while (remain > 0 || top == NULL) {
		if (remain >= MINCLSIZE)
			n = m_getcl(how, (short)m->m_type, top == NULL ? M_PKTHDR : 0);
		else
			n = top == NULL ? m_gethdr(how, (short)m->m_type) : m_get(how, (short)m->m_type);
		if (n == NULL)
			goto nospace;
		if (top == NULL && !m_dup_pkthdr(n, m, how)) {
			m_free(n);
			goto nospace;
		}
		nsize = M_SIZE(n);
		n->m_len = 0;
		*p = n;
		p = &n->m_next;
		while (n->m_len < nsize && m != NULL) {
			chunk = imin(nsize - n->m_len, m->m_len - moff);
			memcpy(n->m_data + n->m_len, m->m_data + moff, (size_t)chunk);
			moff += chunk;
			n->m_len += chunk;
			remain -= chunk;
			if (moff == m->m_len) {
				m = m->m_next;
				moff = 0;
			}
		}
		KASSERT(remain >= 0, ("%s: bogus m_pkthdr.len", __func__));
		if (m == NULL)
			break;
	}
	return (top);
nospace:
	m_freem(top);
	return (NULL);
}

void
m_cat(struct mbuf *m, struct mbuf *n)
{
	m = m_last(m);
	while (n != NULL) {
		if (!M_WRITABLE(m) || M_TRAILINGSPACE(m) < n->m_len) {
			m->m_next = n;
			return;
		}
		memcpy(mtod(m, caddr_t) + m->m_len, mtod(n, caddr_t), (size_t)n->m_len);
		m->m_len += n->m_len;
		n = m_free(n);
	}
}

void
m_catpkt(struct mbuf *m, struct mbuf *n)
{
	M_ASSERTPKTHDR(m);
	M_ASSERTPKTHDR(n);
	m->m_pkthdr.len += n->m_pkthdr.len;
	m_demote(n, 1, 0);
	m_cat(m, n);
}

void
m_adj(struct mbuf *mp, int req_len)
{
	struct mbuf *m = mp;
	int len = req_len, count;

	if (m == NULL)
		return;
	if (len >= 0) {
		while (m != NULL && len > 0) {
			count = imin(len, m->m_len);
			m->m_data += count;
			m->m_len -= count;
			len -= count;
			m = m->m_next;
		}
		if ((mp->m_flags & M_PKTHDR) != 0)
			mp->m_pkthdr.len -= req_len - len;
		return;
	}
	len = -len;
	count = (int)m_length(m, NULL) - len;
	count = imax(count, 0);
	if ((mp->m_flags & M_PKTHDR) != 0)
		mp->m_pkthdr.len = count;
	for (; m != NULL; m = m->m_next) {
		m->m_len = imin(m->m_len, count);
		count -= m->m_len;
	}
}

void
m_adj_decap(struct mbuf *mp, int len)
{
	m_adj(mp, len);
}

struct mbuf *
m_prepend(struct mbuf *m, int len, int how)
{
	struct mbuf *mn;

	mn = (m->m_flags & M_PKTHDR) != 0 ? m_gethdr(how, (short)m->m_type) :
	    m_get(how, (short)m->m_type);
	if (mn == NULL) {
		m_freem(m);
		return (NULL);
	}
	if ((m->m_flags & M_PKTHDR) != 0)
		m_move_pkthdr(mn, m);
	mn->m_next = m;
	if (len < M_SIZE(mn))
		m_align(mn, len);
	mn->m_len = len;
	return (mn);
}

/* An mbuf to go before n, with n's packet header when it has one. */
static struct mbuf *
header_taken(struct mbuf *n)
{
	struct mbuf *m;

	m = (n->m_flags & M_PKTHDR) != 0 ? m_gethdr(M_NOWAIT, (short)n->m_type) :
	    m_get(M_NOWAIT, (short)n->m_type);
	if (m != NULL && (n->m_flags & M_PKTHDR) != 0)
		m_move_pkthdr(m, n);
	return (m);
}

/* The first len bytes of n's chain go behind what m holds, and the rest follows; NULL and all freed when n is short. */
static struct mbuf *
gather(struct mbuf *m, struct mbuf *n, int len)
{
	int count, space;

	space = (int)(&m->m_dat[MLEN] - (m->m_data + m->m_len));
	do {
		count = imin(imin(imax(len, max_protohdr), space), n->m_len);
		memcpy(mtod(m, caddr_t) + m->m_len, mtod(n, caddr_t), (size_t)count);
		len -= count;
		m->m_len += count;
		n->m_len -= count;
		space -= count;
		if (n->m_len != 0)
			n->m_data += count;
		else
			n = m_free(n);
	} while (len > 0 && n != NULL);
	if (len > 0) {
		(void)m_free(m);
		m_freem(n);
		return (NULL);
	}
	m->m_next = n;
	return (m);
}

struct mbuf *
m_pullup(struct mbuf *n, int len)
{
	struct mbuf *m;

	KASSERT((n->m_flags & M_EXTPG) == 0, ("%s: unmapped mbuf %p", __func__, n));
	/* Room behind what there is already: no other mbuf is needed. */
	if ((n->m_flags & M_EXT) == 0 && n->m_data + len < &n->m_dat[MLEN] && n->m_next != NULL) {
		if (n->m_len >= len)
			return (n);
		m = n;
		n = n->m_next;
		len -= m->m_len;
	} else {
		if (len > MHLEN)
			goto bad;
		m = header_taken(n);
		if (m == NULL)
			goto bad;
	}
	return (gather(m, n, len));
bad:
	m_freem(n);
	return (NULL);
}

struct mbuf *
m_copyup(struct mbuf *n, int len, int dstoff)
{
	struct mbuf *m;

	if (len > MHLEN - dstoff)
		goto bad;
	m = header_taken(n);
	if (m == NULL)
		goto bad;
	m->m_data += dstoff;
	return (gather(m, n, len));
bad:
	m_freem(n);
	return (NULL);
}

struct mbuf *
m_split(struct mbuf *m0, int len0, int how)
{
	struct mbuf *m, *n;
	int len = len0, remain;

	for (m = m0; m != NULL && len > m->m_len; m = m->m_next)
		len -= m->m_len;
	if (m == NULL)
		return (NULL);
	remain = m->m_len - len;
	if ((m0->m_flags & M_PKTHDR) != 0 && remain == 0) {
		n = m_gethdr(how, (short)m0->m_type);
		if (n == NULL)
			return (NULL);
		n->m_next = m->m_next;
		m->m_next = NULL;
		n->m_pkthdr.rcvif = m0->m_pkthdr.rcvif;
		n->m_pkthdr.len = m0->m_pkthdr.len - len0;
		m0->m_pkthdr.len = len0;
		return (n);
	}
	if ((m0->m_flags & M_PKTHDR) != 0) {
		n = m_gethdr(how, (short)m0->m_type);
		if (n == NULL)
			return (NULL);
		n->m_pkthdr.rcvif = m0->m_pkthdr.rcvif;
		n->m_pkthdr.len = m0->m_pkthdr.len - len0;
		m0->m_pkthdr.len = len0;
		if ((m->m_flags & M_EXT) == 0 && remain > MHLEN) {
			n->m_next = m_split(m, len, how);
			if (n->m_next == NULL) {
				(void)m_free(n);
				return (NULL);
			}
			n->m_len = 0;
			return (n);
		}
		if ((m->m_flags & M_EXT) == 0)
			m_align(n, remain);
	} else if (remain == 0) {
		n = m->m_next;
		m->m_next = NULL;
		return (n);
	} else {
		n = m_get(how, (short)m->m_type);
		if (n == NULL)
			return (NULL);
		if ((m->m_flags & M_EXT) == 0)
			m_align(n, remain);
	}
	if ((m->m_flags & M_EXT) != 0) {
		n->m_data = m->m_data + len;
		mb_dupcl(n, m);
	} else
		memcpy(mtod(n, caddr_t), mtod(m, caddr_t) + len, (size_t)remain);
	n->m_len = remain;
	m->m_len = len;
	n->m_next = m->m_next;
	m->m_next = NULL;
	return (n);
}

void
m_copyback(struct mbuf *m0, int off, int len, c_caddr_t cp)
{
	struct mbuf *m = m0, *n;
	int mlen, total = 0;

	if (m0 == NULL)
		return;
	while (off > (mlen = m->m_len)) {
		off -= mlen;
		total += mlen;
		if (m->m_next == NULL) {
			n = m_getclr(M_NOWAIT, (short)m->m_type);
			if (n == NULL)
				goto out;
			n->m_len = imin(MLEN, len + off);
			m->m_next = n;
		}
		m = m->m_next;
	}
	while (len > 0) {
		if (m->m_next == NULL && len > m->m_len - off)
			m->m_len += imin(len - (m->m_len - off), M_TRAILINGSPACE(m));
		mlen = imin(m->m_len - off, len);
		memcpy(mtod(m, caddr_t) + off, cp, (size_t)mlen);
		cp += mlen;
		len -= mlen;
		mlen += off;
		off = 0;
		total += mlen;
		if (len == 0)
			break;
		if (m->m_next == NULL) {
			n = m_get(M_NOWAIT, (short)m->m_type);
			if (n == NULL)
				break;
			n->m_len = imin(MLEN, len);
			m->m_next = n;
		}
		m = m->m_next;
	}
out:
	m = m0;
	if ((m->m_flags & M_PKTHDR) != 0 && m->m_pkthdr.len < total)
		m->m_pkthdr.len = total;
}

int
m_append(struct mbuf *m0, int len, c_caddr_t cp)
{
	struct mbuf *m = m_last(m0), *n;
	int remainder = len, space;

	space = M_TRAILINGSPACE(m);
	if (space > 0) {
		space = imin(space, remainder);
		memcpy(mtod(m, caddr_t) + m->m_len, cp, (size_t)space);
		m->m_len += space;
		cp += space;
		remainder -= space;
	}
	while (remainder > 0) {
		n = m_get(M_NOWAIT, (short)m->m_type);
		if (n == NULL)
			break;
		n->m_len = imin(MLEN, remainder);
		memcpy(mtod(n, caddr_t), cp, (size_t)n->m_len);
		cp += n->m_len;
		remainder -= n->m_len;
		m->m_next = n;
		m = n;
	}
	if ((m0->m_flags & M_PKTHDR) != 0)
		m0->m_pkthdr.len += len - remainder;
	return (remainder == 0);
}

int
m_apply(struct mbuf *m, int off, int len, int (*f)(void *, void *, u_int), void *arg)
{
	int count, rval;

	KASSERT(off >= 0, ("m_apply, negative off %d", off));
	KASSERT(len >= 0, ("m_apply, negative len %d", len));
	while (off > 0 && off >= m->m_len) {
		off -= m->m_len;
		m = m->m_next;
	}
	while (len > 0) {
		KASSERT(m != NULL, ("m_apply, length > size of mbuf chain"));
		count = imin(m->m_len - off, len);
		rval = f(arg, mtod(m, caddr_t) + off, (u_int)count);
		if (rval != 0)
			return (rval);
		len -= count;
		off = 0;
		m = m->m_next;
	}
	return (0);
}

struct mbuf *
m_getptr(struct mbuf *m, int loc, int *off)
{
	for (; m != NULL && loc >= 0; m = m->m_next) {
		if (m->m_len > loc) {
			*off = loc;
			return (m);
		}
		loc -= m->m_len;
		if (m->m_next == NULL) {
			if (loc != 0)
				return (NULL);
			*off = m->m_len;
			return (m);
		}
	}
	return (NULL);
}

/* As few mbufs as can be; the packet is as it was when there is no memory. */
struct mbuf *
m_defrag(struct mbuf *m0, int how)
{
	struct mbuf *mnew, *m;
	int progress, len;

	if ((m0->m_flags & M_PKTHDR) == 0)
		return (m0);
	m_fixhdr(m0);
	mnew = m_getm2(NULL, imax(m0->m_pkthdr.len, 1), how, (short)m0->m_type, M_PKTHDR);
	if (mnew == NULL)
		return (NULL);
	if (!m_dup_pkthdr(mnew, m0, how)) {
		m_freem(mnew);
		return (NULL);
	}
	progress = 0;
	for (m = mnew; m != NULL && progress < m0->m_pkthdr.len; m = m->m_next) {
		len = imin(m0->m_pkthdr.len - progress, M_SIZE(m));
		m_copydata(m0, progress, len, mtod(m, caddr_t));
		m->m_len = len;
		progress += len;
	}
	m_freem(m0);
	return (mnew);
}

struct mbuf *
m_collapse(struct mbuf *m0, int how, int maxfrags)
{
	struct mbuf *m;
	int n = 0;

	for (m = m0; m != NULL; m = m->m_next)
		n++;
	if (n <= maxfrags)
		return (m0);
	m = m_defrag(m0, how);
	if (m == NULL)
		return (NULL);
	for (n = 0, m0 = m; m != NULL; m = m->m_next)
		n++;
	return (n <= maxfrags ? m0 : NULL);
}

struct mbuf *
m_fragment(struct mbuf *m0, int how, int length)
{
	struct mbuf *first, *m, *n;
	int off = 0, len;

	if ((m0->m_flags & M_PKTHDR) == 0)
		return (m0);
	first = m = m_gethdr(how, (short)m0->m_type);
	if (first == NULL)
		return (NULL);
	if (!m_dup_pkthdr(first, m0, how))
		goto nospace;
	for (;;) {
		len = imin(imin(length, m0->m_pkthdr.len - off), m == first ? MHLEN : MLEN);
		m_copydata(m0, off, len, mtod(m, caddr_t));
		m->m_len = len;
		off += len;
		if (off == m0->m_pkthdr.len)
			break;
		n = m_get(how, (short)m0->m_type);
		if (n == NULL)
			goto nospace;
		m->m_next = n;
		m = n;
	}
	m_freem(m0);
	return (first);
nospace:
	m_freem(first);
	return (m0);
}

/* The same packet with buffers of its own; on failure it is freed. */
struct mbuf *
m_unshare(struct mbuf *m0, int how)
{
	struct mbuf *m, *n;

	for (m = m0; m != NULL; m = m->m_next)
		if (!M_WRITABLE(m))
			break;
	if (m == NULL)
		return (m0);
	n = m_dup(m0, how);
	m_freem(m0);
	return (n);
}

struct mbuf *
m_devget(char *buf, int totlen, int off, struct ifnet *ifp, void (*copy)(char *, caddr_t, u_int))
{
	struct mbuf *m, *top = NULL, **mp = &top;
	int len;

	if (off < 0 || off > MHLEN)
		return (NULL);
	while (totlen > 0) {
		if (top == NULL)
			m = totlen + off >= MINCLSIZE ? m_getcl(M_NOWAIT, MT_DATA, M_PKTHDR) :
			    m_gethdr(M_NOWAIT, MT_DATA);
		else
			m = totlen + off >= MINCLSIZE ? m_getcl(M_NOWAIT, MT_DATA, 0) :
			    m_get(M_NOWAIT, MT_DATA);
		if (m == NULL) {
			m_freem(top);
			return (NULL);
		}
		if (top == NULL) {
			m->m_pkthdr.rcvif = ifp;
			m->m_pkthdr.len = totlen;
		}
		len = M_SIZE(m);
		if (off != 0) {
			m->m_data += off;
			len -= off;
			off = 0;
		}
		m->m_len = len = imin(totlen, len);
		if (copy != NULL)
			copy(buf, mtod(m, caddr_t), (u_int)len);
		else
			memcpy(mtod(m, caddr_t), buf, (size_t)len);
		buf += len;
		*mp = m;
		mp = &m->m_next;
		totlen -= len;
	}
	return (top);
}

struct mbuf *
m_uiotombuf(struct uio *uio, int how, int len, int align, int flags)
{
	struct mbuf *m, *mb;
	int total, length, progress = 0;

	if (align >= MHLEN)
		return (NULL);
	total = (int)(len > 0 ? (uio->uio_resid < len ? uio->uio_resid : len) : uio->uio_resid);
	m = m_getm2(NULL, imax(total + align, 1), how, MT_DATA, flags);
	if (m == NULL)
		return (NULL);
	m->m_data += align;
	for (mb = m; mb != NULL; mb = mb->m_next) {
		length = imin(M_TRAILINGSPACE(mb), total - progress);
		if (uiomove(mtod(mb, void *), length, uio) != 0) {
			m_freem(m);
			return (NULL);
		}
		mb->m_len = length;
		progress += length;
		if ((flags & M_PKTHDR) != 0)
			m->m_pkthdr.len += length;
	}
	return (m);
}

/* A copy of shared data that is all of one mbuf. */
static struct mbuf *
m_unshare_piece(struct mbuf *o)
{
	struct mbuf *n;

	if (M_WRITABLE(o))
		return (o);
	n = o->m_len > MLEN ? m_getcl(M_NOWAIT, (short)o->m_type, 0) :
	    m_get(M_NOWAIT, (short)o->m_type);
	if (n != NULL) {
		memcpy(mtod(n, caddr_t), mtod(o, caddr_t), (size_t)o->m_len);
		n->m_len = o->m_len;
	}
	m_freem(o);
	return (n);
}

/*
 * Makes [off, off + len) one piece; returns the mbuf that holds it and where,
 * when the caller wants to know.
 */
struct mbuf *
m_pulldown(struct mbuf *m, int off, int len, int *offp)
{
	struct mbuf *n = m, *o;
	int hlen, tlen, olen;

	if (len > MCLBYTES) {
		m_freem(m);
		return (NULL);
	}
	while (n != NULL && off >= n->m_len && n->m_next != NULL) {
		off -= n->m_len;
		n = n->m_next;
	}
	while (n != NULL && n->m_len <= 0 && off > 0)
		n = n->m_next;
	if (n == NULL) {
		m_freem(m);
		return (NULL);
	}
	if ((off == 0 || offp != NULL) && len <= n->m_len - off && M_WRITABLE(n))
		goto ok;
	if (len <= n->m_len - off) {
		/* In one piece, but shared or to begin its mbuf: split there. */
		o = m_copym(n, off, n->m_len - off, M_NOWAIT);
		if (o == NULL || (o = m_unshare_piece(o)) == NULL) {
			m_freem(m);
			return (NULL);
		}
		n->m_len = off;
		o->m_next = n->m_next;
		n->m_next = o;
		n = o;
		off = 0;
		goto ok;
	}
	hlen = n->m_len - off;
	tlen = len - hlen;
	olen = (int)m_length(n->m_next, NULL);
	if (hlen + olen < len) {
		m_freem(m);
		return (NULL);
	}
	if ((off == 0 || offp != NULL) && M_TRAILINGSPACE(n) >= tlen) {
		m_copydata(n->m_next, 0, tlen, mtod(n, caddr_t) + n->m_len);
		n->m_len += tlen;
		m_adj(n->m_next, tlen);
		goto ok;
	}
	o = len > MLEN ? m_getcl(M_NOWAIT, (short)m->m_type, 0) : m_get(M_NOWAIT, (short)m->m_type);
	if (o == NULL) {
		m_freem(m);
		return (NULL);
	}
	o->m_len = hlen;
	memcpy(mtod(o, caddr_t), mtod(n, caddr_t) + off, (size_t)hlen);
	n->m_len -= hlen;
	m_copydata(n->m_next, 0, tlen, mtod(o, caddr_t) + o->m_len);
	o->m_len += tlen;
	m_adj(n->m_next, tlen);
	o->m_next = n->m_next;
	n->m_next = o;
	n = o;
	off = 0;
ok:
	if (offp != NULL)
		*offp = off;
	return (n);
}

int
m_sanity(struct mbuf *m0, int sanitize)
{
	struct mbuf *m;
	int len = 0;

	for (m = m0; m != NULL; m = m->m_next) {
		if (m->m_data < M_START(m) || m->m_data + m->m_len > M_START(m) + M_SIZE(m))
			panic("%s: m_data outside mbuf data range %p", __func__, m);
		if (m != m0 && ((m->m_flags & M_PKTHDR) != 0 || m->m_nextpkt != NULL))
			panic("%s: a packet within a packet %p", __func__, m);
		len += m->m_len;
	}
	if ((m0->m_flags & M_PKTHDR) != 0 && m0->m_pkthdr.len != len)
		panic("%s: m_pkthdr.len %d is not the sum %d of %p", __func__, m0->m_pkthdr.len, len, m0);
	return (1);
}

void
m_print(const struct mbuf *m, int maxlen)
{
	int i;

	for (; m != NULL; m = m->m_next) {
		printf("mbuf: %p len: %d, next: %p, flags %#x\n", m, m->m_len, m->m_next, m->m_flags);
		for (i = 0; i < m->m_len && (maxlen < 0 || i < maxlen); i++)
			printf("%02x%s", (u_char)m->m_data[i], i % 16 == 15 || i == m->m_len - 1 ? "\n" : " ");
	}
}

void
m_snd_tag_init(struct m_snd_tag *mst, struct ifnet *ifp, const struct if_snd_tag_sw *sw)
{
	mst->ifp = ifp;
	mst->sw = sw;
	refcount_init(&mst->refcount, 1);
}

void
m_snd_tag_destroy(struct m_snd_tag *mst)
{
	mst->sw->snd_tag_free(mst);
}

int
uiomove(void *cp, int n, struct uio *uio)
{
	struct iovec *iov;
	int cnt;

	while (n > 0 && uio->uio_resid > 0 && uio->uio_iovcnt > 0) {
		iov = uio->uio_iov;
		cnt = (int)MIN(iov->iov_len, (size_t)n);
		if (cnt == 0) {
			uio->uio_iov++;
			uio->uio_iovcnt--;
			continue;
		}
		if (uio->uio_rw == UIO_READ)
			memcpy(iov->iov_base, cp, (size_t)cnt);
		else
			memcpy(cp, iov->iov_base, (size_t)cnt);
		iov->iov_base = (char *)iov->iov_base + cnt;
		iov->iov_len -= (size_t)cnt;
		uio->uio_resid -= cnt;
		uio->uio_offset += cnt;
		cp = (char *)cp + cnt;
		n -= cnt;
	}
	return (0);
}

/*
 * Statistics.
 */
void
mb_stats_get(struct mb_stats *ms)
{
	uint64_t cached, fails;

	memset(ms, 0, sizeof(*ms));
	uma_zone_counts(zone_mbuf, &ms->ms_mbufs, &ms->ms_mbufs_cache, &ms->ms_mbuf_fails);
	uma_zone_counts(zone_clust, &ms->ms_clusters, &ms->ms_clusters_cache, &ms->ms_cluster_fails);
	uma_zone_counts(zone_jumbop, &ms->ms_jumbop, &cached, &fails);
	uma_zone_counts(zone_jumbo9, &ms->ms_jumbo9, &cached, &fails);
	uma_zone_counts(zone_jumbo16, &ms->ms_jumbo16, &cached, &fails);
	ms->ms_clusters_max = (uint64_t)nmbclusters;
	ms->ms_tags = malloc_type_sum(M_PACKET_TAGS).mts_inuse;
	ms->ms_bytes = ms->ms_mbufs * MSIZE + ms->ms_clusters * MCLBYTES +
	    ms->ms_jumbop * MJUMPAGESIZE + ms->ms_jumbo9 * MJUM9BYTES + ms->ms_jumbo16 * MJUM16BYTES;
	ms->ms_bytes_cache = ms->ms_mbufs_cache * MSIZE + ms->ms_clusters_cache * MCLBYTES;
}

static struct mb_stats mb_boot;

void
mbuf_mark_boot(void)
{
	mb_stats_get(&mb_boot);
}

u_int
mbuf_report_leaks(void)
{
	struct mb_stats ms;
	u_int n = 0;

	mb_stats_get(&ms);
	if (ms.ms_mbufs > mb_boot.ms_mbufs) {
		printf("Warning: memory type mbuf leaked memory on destroy "
		    "(%ld allocations, %ld bytes leaked).\n", (long)(ms.ms_mbufs - mb_boot.ms_mbufs),
		    (long)(ms.ms_mbufs - mb_boot.ms_mbufs) * MSIZE);
		n++;
	}
	if (ms.ms_clusters > mb_boot.ms_clusters) {
		printf("Warning: memory type mbuf_cluster leaked memory on destroy "
		    "(%ld allocations, %ld bytes leaked).\n",
		    (long)(ms.ms_clusters - mb_boot.ms_clusters),
		    (long)(ms.ms_clusters - mb_boot.ms_clusters) * MCLBYTES);
		n++;
	}
	return (n);
}
