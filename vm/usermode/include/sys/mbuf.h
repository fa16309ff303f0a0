/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_MBUF_H_
#define	_SYS_MBUF_H_

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/queue.h>
#include <sys/malloc.h>

struct ifnet;
struct mbuf;

MALLOC_DECLARE(M_PACKET_TAGS);

struct m_tag {
	SLIST_ENTRY(m_tag) m_tag_link;
	uint16_t	m_tag_id;
	uint16_t	m_tag_len;	/* of what follows */
	uint32_t	m_tag_cookie;
	void		(*m_tag_free)(struct m_tag *);
};

struct m_snd_tag;

struct pkthdr {
	union {
		struct m_snd_tag *snd_tag;
		struct ifnet	*rcvif;
		struct {
			uint16_t rcvidx;
			uint16_t rcvgen;
		};
	};
	SLIST_HEAD(packet_tags, m_tag) tags;
	int32_t		len;
	uint32_t	flowid;
	uint32_t	csum_flags;
	uint16_t	fibnum;
	uint8_t		numa_domain;
	uint8_t		rsstype;
	uint64_t	rcv_tstmp;
	uint8_t		l2hlen, l3hlen, l4hlen, l5hlen;
	union {
		uint8_t	 eight[8];
		uint16_t sixteen[4];
		uint32_t thirtytwo[2];
		uint64_t sixtyfour[1];
		void	*ptr;
	} PH_per;
	union {
		uint8_t	 eight[8];
		uint16_t sixteen[4];
		uint32_t thirtytwo[2];
		uint64_t sixtyfour[1];
		void	*ptr;
	} PH_loc;
};
#define	ether_vtag	PH_per.sixteen[0]
#define	tso_segsz	PH_per.sixteen[1]
#define	csum_data	PH_per.thirtytwo[1]

struct m_ext {
	caddr_t		ext_buf;
	volatile u_int	*ext_cnt;
	uint32_t	ext_size;
	uint32_t	ext_type;
	void		(*ext_free)(struct mbuf *);
	void		*ext_arg1;
	void		*ext_arg2;
};

#define	MHSIZE		40
#define	MLEN		((int)(MSIZE - MHSIZE))
#define	MHLEN		((int)(MLEN - sizeof(struct pkthdr)))
#define	MINCLSIZE	(MHLEN + 1)

struct mbuf {
	union {
		struct mbuf	*m_next;
		SLIST_ENTRY(mbuf) m_slist;
		STAILQ_ENTRY(mbuf) m_stailq;
	};
	union {
		struct mbuf	*m_nextpkt;
		SLIST_ENTRY(mbuf) m_slistpkt;
		STAILQ_ENTRY(mbuf) m_stailqpkt;
	};
	caddr_t		m_data;
	int32_t		m_len;
	uint32_t	m_type:8,
			m_flags:24;
	uint64_t	m_state;	/* whose it is: see kern/uipc_mbuf.c */
	union {
		struct {
			struct pkthdr	m_pkthdr;
			union {
				struct m_ext	m_ext;
				char		m_pktdat[0];
			};
		};
		char	m_dat[0];
	};
};

#define	M_EXT		0x00000001
#define	M_PKTHDR	0x00000002
#define	M_EOR		0x00000004
#define	M_RDONLY	0x00000008
#define	M_BCAST		0x00000010
#define	M_MCAST		0x00000020
#define	M_PROMISC	0x00000040
#define	M_VLANTAG	0x00000080
#define	M_EXTPG		0x00000100
#define	M_NOFREE	0x00000200
#define	M_TSTMP		0x00000400
#define	M_TSTMP_HPREC	0x00000800
#define	M_PROTO1	0x00002000
#define	M_PROTO2	0x00004000
#define	M_PROTO3	0x00008000
#define	M_PROTO4	0x00010000
#define	M_PROTO5	0x00020000
#define	M_PROTO6	0x00040000
#define	M_PROTO7	0x00080000
#define	M_PROTO8	0x00100000
#define	M_PROTO9	0x00200000
#define	M_PROTO10	0x00400000
#define	M_PROTO11	0x00800000
#define	M_PROTO12	0x00001000
#define	M_PROTOFLAGS							\
    (M_PROTO1 | M_PROTO2 | M_PROTO3 | M_PROTO4 | M_PROTO5 | M_PROTO6 |	\
    M_PROTO7 | M_PROTO8 | M_PROTO9 | M_PROTO10 | M_PROTO11 | M_PROTO12)
#define	M_FLOWID_STUB	0
#define	M_COPYFLAGS	(M_PKTHDR | M_EOR | M_RDONLY | M_BCAST | M_MCAST | \
    M_PROMISC | M_VLANTAG | M_TSTMP | M_PROTOFLAGS)

#define	CSUM_IP			0x00000001
#define	CSUM_IP_UDP		0x00000002
#define	CSUM_IP_TCP		0x00000004
#define	CSUM_IP_SCTP		0x00000008
#define	CSUM_IP_TSO		0x00000010
#define	CSUM_SND_TAG		0x00000800
#define	CSUM_L3_CALC		0x01000000
#define	CSUM_L3_VALID		0x02000000
#define	CSUM_L4_CALC		0x04000000
#define	CSUM_L4_VALID		0x08000000
#define	CSUM_UDP		CSUM_IP_UDP
#define	CSUM_TCP		CSUM_IP_TCP
#define	CSUM_SCTP		CSUM_IP_SCTP
#define	CSUM_TSO		CSUM_IP_TSO
#define	CSUM_DELAY_IP		CSUM_IP
#define	CSUM_DELAY_DATA		(CSUM_TCP | CSUM_UDP)
#define	CSUM_IP_CHECKED		CSUM_L3_CALC
#define	CSUM_IP_VALID		CSUM_L3_VALID
#define	CSUM_DATA_VALID		CSUM_L4_VALID
#define	CSUM_PSEUDO_HDR		CSUM_L4_CALC

#define	M_HASHTYPE_NONE		0
#define	M_HASHTYPE_OPAQUE	63
#define	M_HASHTYPE_OPAQUE_HASH	191
#define	M_HASHTYPE_GET(m)	((m)->m_pkthdr.rsstype)
#define	M_HASHTYPE_SET(m, v)	((m)->m_pkthdr.rsstype = (v))
#define	M_HASHTYPE_CLEAR(m)	((m)->m_pkthdr.rsstype = 0)

#define	MT_NOTMBUF	0
#define	MT_DATA		1
#define	MT_HEADER	MT_DATA
#define	MT_SONAME	8
#define	MT_CONTROL	14
#define	EXT_CLUSTER	1
#define	EXT_EXTREF	255

#define	M_COPYALL	1000000000

#define	mtod(m, t)	((t)((m)->m_data))
#define	m_rtchain(m)	(m)
#define	M_START(m)	(((m)->m_flags & M_EXT) ? (m)->m_ext.ext_buf :	\
	((m)->m_flags & M_PKTHDR) ? &(m)->m_pktdat[0] : &(m)->m_dat[0])
#define	M_SIZE(m)	(((m)->m_flags & M_EXT) ? (int)(m)->m_ext.ext_size : \
	((m)->m_flags & M_PKTHDR) ? MHLEN : MLEN)
#define	M_LEADINGSPACE(m) (M_WRITABLE(m) ? (int)((m)->m_data - M_START(m)) : 0)
#define	M_TRAILINGSPACE(m)						\
	(M_WRITABLE(m) ? (int)((M_START(m) + M_SIZE(m)) - ((m)->m_data + (m)->m_len)) : 0)
#define	M_WRITABLE(m)	(((m)->m_flags & M_RDONLY) == 0 &&		\
	(!((m)->m_flags & M_EXT) || __atomic_load_n((m)->m_ext.ext_cnt, __ATOMIC_ACQUIRE) == 1))
#define	M_ALIGN(m, len)	m_align((m), (len))
#define	MH_ALIGN(m, len) m_align((m), (len))
#define	M_PREPEND(m, plen, how) do {					\
	struct mbuf **_mmp = &(m);					\
	struct mbuf *_mm = *_mmp;					\
									\
	if (M_LEADINGSPACE(_mm) >= (plen)) {				\
		_mm->m_data -= (plen);					\
		_mm->m_len += (plen);					\
		if (_mm->m_flags & M_PKTHDR)				\
			_mm->m_pkthdr.len += (plen);			\
	} else								\
		*_mmp = m_prepend(_mm, (plen), (how));			\
} while (0)
#define	M_MOVE_PKTHDR(to, from)	m_move_pkthdr((to), (from))
#define	M_GETFIB(m)	((m)->m_pkthdr.fibnum)
#define	M_SETFIB(m, f)	((m)->m_pkthdr.fibnum = (f))
#define	MCHTYPE(m, t)	((m)->m_type = (t))
void	m_assert_live(const struct mbuf *, const char *, int);
#ifdef INVARIANTS
#define	M_ASSERTVALID(m)	m_assert_live((m), __func__, __LINE__)
#define	M_ASSERTPKTHDR(m)	do {					\
	m_assert_live((m), __func__, __LINE__);				\
	KASSERT((m)->m_flags & M_PKTHDR, ("%s: no mbuf packet header!", __func__)); \
} while (0)
#else
#define	M_ASSERTVALID(m)	do { } while (0)
#define	M_ASSERTPKTHDR(m)	do { } while (0)
#endif
#define	M_ASSERT_NO_SND_TAG(m)	do { } while (0)

struct mbuf *m_get(int how, short type);
struct mbuf *m_gethdr(int how, short type);
struct mbuf *m_getcl(int how, short type, int flags);
struct mbuf *m_getm2(struct mbuf *, int len, int how, short type, int flags);
struct mbuf *m_get2(int size, int how, short type, int flags);
struct mbuf *m_get3(int size, int how, short type, int flags);
struct mbuf *m_getjcl(int how, short type, int flags, int size);
#define	m_getm(m, len, how, type)	m_getm2((m), (len), (how), (type), M_PKTHDR)
#define	m_getclr_stub	0
#define	MGET(m, how, type)	((m) = m_get((how), (type)))
#define	MGETHDR(m, how, type)	((m) = m_gethdr((how), (type)))
int	m_clget(struct mbuf *, int how);
#define	MCLGET(m, how)		m_clget((m), (how))
struct mbuf *m_free(struct mbuf *);
void	m_freem(struct mbuf *);
void	m_freemp(struct mbuf *);
void	m_adj(struct mbuf *, int);
void	m_adj_decap(struct mbuf *, int);
void	m_align(struct mbuf *, int);
int	m_append(struct mbuf *, int, c_caddr_t);
int	m_apply(struct mbuf *, int, int, int (*)(void *, void *, u_int), void *);
void	m_cat(struct mbuf *, struct mbuf *);
void	m_catpkt(struct mbuf *, struct mbuf *);
struct mbuf *m_collapse(struct mbuf *, int, int);
void	m_copyback(struct mbuf *, int, int, c_caddr_t);
void	m_copydata(const struct mbuf *, int, int, caddr_t);
struct mbuf *m_copym(struct mbuf *, int, int, int);
struct mbuf *m_copypacket(struct mbuf *, int);
struct mbuf *m_copyup(struct mbuf *, int, int);
struct mbuf *m_defrag(struct mbuf *, int);
void	m_demote(struct mbuf *, int, int);
void	m_demote_pkthdr(struct mbuf *);
struct mbuf *m_devget(char *, int, int, struct ifnet *, void (*)(char *, caddr_t, u_int));
struct mbuf *m_dup(const struct mbuf *, int);
int	m_dup_pkthdr(struct mbuf *, const struct mbuf *, int);
u_int	m_fixhdr(struct mbuf *);
struct mbuf *m_getptr(struct mbuf *, int, int *);
u_int	m_length(struct mbuf *, struct mbuf **);
void	m_move_pkthdr(struct mbuf *, struct mbuf *);
int	m_pkthdr_init(struct mbuf *, int);
struct mbuf *m_prepend(struct mbuf *, int, int);
struct mbuf *m_pulldown(struct mbuf *, int, int, int *);
struct mbuf *m_pullup(struct mbuf *, int);
struct mbuf *m_split(struct mbuf *, int, int);
struct mbuf *m_unshare(struct mbuf *, int);
void	m_rcvif_serialize(struct mbuf *);
struct ifnet *m_rcvif_restore(struct mbuf *);
static inline void
m_clrprotoflags(struct mbuf *m)
{
	for (; m != NULL; m = m->m_next)
		m->m_flags &= ~M_PROTOFLAGS;
}
static inline struct mbuf *
m_last(struct mbuf *m)
{
	while (m->m_next != NULL)
		m = m->m_next;
	return (m);
}

/* Tags. */
#define	MTAG_ABI_COMPAT		0
#define	MTAG_PERSISTENT		0x800
#define	PACKET_TAG_NONE		0
#define	PACKET_TAG_VLAN_PCP	1
#define	PACKET_TAG_DIVERT	17
#define	PACKET_TAG_DUMMYNET	15
#define	PACKET_TAG_IPFW		16
#define	PACKET_TAG_IPFORWARD	18
#define	PACKET_TAG_PF		21
#define	PACKET_TAG_CARP		28
struct m_tag *m_tag_alloc(uint32_t cookie, uint16_t id, int len, int wait);
void	m_tag_delete(struct mbuf *, struct m_tag *);
void	m_tag_delete_chain(struct mbuf *, struct m_tag *);
void	m_tag_free_default(struct m_tag *);
struct m_tag *m_tag_locate(struct mbuf *, uint32_t cookie, uint16_t id, struct m_tag *);
struct m_tag *m_tag_copy(struct m_tag *, int);
int	m_tag_copy_chain(struct mbuf *, const struct mbuf *, int);
void	m_tag_delete_nonpersistent(struct mbuf *);
#define	m_tag_init(m)		SLIST_INIT(&(m)->m_pkthdr.tags)
static inline void
m_tag_setup(struct m_tag *t, uint32_t cookie, uint16_t id, int len)
{
	t->m_tag_id = id;
	t->m_tag_len = len;
	t->m_tag_cookie = cookie;
}
static inline void
m_tag_free(struct m_tag *t)
{
	(*t->m_tag_free)(t);
}
static inline struct m_tag *
m_tag_first(struct mbuf *m)
{
	return (SLIST_FIRST(&m->m_pkthdr.tags));
}
static inline struct m_tag *
m_tag_next(struct mbuf *m __unused, struct m_tag *t)
{
	return (SLIST_NEXT(t, m_tag_link));
}
static inline void
m_tag_prepend(struct mbuf *m, struct m_tag *t)
{
	SLIST_INSERT_HEAD(&m->m_pkthdr.tags, t, m_tag_link);
}
static inline void
m_tag_unlink(struct mbuf *m, struct m_tag *t)
{
	SLIST_REMOVE(&m->m_pkthdr.tags, t, m_tag, m_tag_link);
}
#define	m_tag_get(id, len, wait) m_tag_alloc(MTAG_ABI_COMPAT, (id), (len), (wait))
#define	m_tag_find(m, id, start) ((m)->m_pkthdr.tags.slh_first == NULL ? NULL : \
	m_tag_locate((m), MTAG_ABI_COMPAT, (id), (start)))

struct mbufq {
	STAILQ_HEAD(, mbuf) mq_head;
	int	mq_len;
	int	mq_maxlen;
};
static inline void
mbufq_init(struct mbufq *mq, int maxlen)
{
	STAILQ_INIT(&mq->mq_head);
	mq->mq_maxlen = maxlen;
	mq->mq_len = 0;
}
static inline struct mbuf *
mbufq_flush(struct mbufq *mq)
{
	struct mbuf *m = STAILQ_FIRST(&mq->mq_head);

	STAILQ_INIT(&mq->mq_head);
	mq->mq_len = 0;
	return (m);
}
static inline void
mbufq_drain(struct mbufq *mq)
{
	struct mbuf *m, *n;

	n = mbufq_flush(mq);
	while ((m = n) != NULL) {
		n = STAILQ_NEXT(m, m_stailqpkt);
		m_freem(m);
	}
}
#define	mbufq_first(mq)		STAILQ_FIRST(&(mq)->mq_head)
#define	mbufq_empty(mq)		((mq)->mq_len == 0)
#define	mbufq_full(mq)		((mq)->mq_maxlen > 0 && (mq)->mq_len >= (mq)->mq_maxlen)
#define	mbufq_len(mq)		((mq)->mq_len)
static inline int
mbufq_enqueue(struct mbufq *mq, struct mbuf *m)
{
	if (mbufq_full(mq))
		return (ENOBUFS);
	STAILQ_INSERT_TAIL(&mq->mq_head, m, m_stailqpkt);
	mq->mq_len++;
	return (0);
}
static inline struct mbuf *
mbufq_dequeue(struct mbufq *mq)
{
	struct mbuf *m = STAILQ_FIRST(&mq->mq_head);

	if (m != NULL) {
		STAILQ_REMOVE_HEAD(&mq->mq_head, m_stailqpkt);
		m->m_nextpkt = NULL;
		mq->mq_len--;
	}
	return (m);
}
static inline void
mbufq_prepend(struct mbufq *mq, struct mbuf *m)
{
	STAILQ_INSERT_HEAD(&mq->mq_head, m, m_stailqpkt);
	mq->mq_len++;
}

/* What netstat -m shows. */
struct mbuf_stats {
	uint64_t	mbufs;		/* in use */
	uint64_t	clusters;
	uint64_t	tags;
	uint64_t	mbufs_total;	/* ever */
	uint64_t	denied;
};
void	mbuf_stats_get(struct mbuf_stats *);

extern int max_linkhdr, max_protohdr, max_hdr, max_datalen;
extern int nmbufs, nmbclusters;

#endif /* !_SYS_MBUF_H_ */
