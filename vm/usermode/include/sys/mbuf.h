/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_MBUF_H_
#define	_SYS_MBUF_H_

#include <sys/types.h>
#include <sys/param.h>
#include <sys/queue.h>
#include <sys/systm.h>
#include <sys/refcount.h>
#include <sys/malloc.h>
#include <vm/uma.h>

struct ifnet;
struct m_snd_tag;
struct uio;

struct m_tag {
	SLIST_ENTRY(m_tag) m_tag_link;
	u_int16_t	 m_tag_id;
	u_int16_t	 m_tag_len;	/* of what follows */
	u_int32_t	 m_tag_cookie;
	void		(*m_tag_free)(struct m_tag *);
};

union if_snd_tag_alloc_params;
union if_snd_tag_modify_params;
union if_snd_tag_query_params;
struct if_snd_tag_sw {
	int	(*snd_tag_modify)(struct m_snd_tag *, union if_snd_tag_modify_params *);
	int	(*snd_tag_query)(struct m_snd_tag *, union if_snd_tag_query_params *);
	void	(*snd_tag_free)(struct m_snd_tag *);
	struct m_snd_tag *(*next_snd_tag)(struct m_snd_tag *);
	u_int	type;
};
struct m_snd_tag {
	struct ifnet	*ifp;
	const struct if_snd_tag_sw *sw;
	volatile u_int	 refcount;
};

struct pkthdr {
	union {
		struct m_snd_tag *snd_tag;
		struct ifnet	*rcvif;
		struct {
			uint16_t rcvidx;
			uint16_t rcvgen;
		};
	};
	union {
		struct ifnet	*leaf_rcvif;
		struct {
			uint16_t leaf_rcvidx;
			uint16_t leaf_rcvgen;
		};
	};
	SLIST_HEAD(packet_tags, m_tag) tags;
	int32_t		 len;		/* of the whole packet */

	uint32_t	 flowid;
	uint32_t	 csum_flags;
	uint16_t	 fibnum;
	uint8_t		 numa_domain;
	uint8_t		 rsstype;
	union {
		uint64_t	rcv_tstmp;
		struct {
			uint8_t	l2hlen;
			uint8_t	l3hlen;
			uint8_t	l4hlen;
			uint8_t	l5hlen;
			uint8_t	inner_l2hlen;
			uint8_t	inner_l3hlen;
			uint8_t	inner_l4hlen;
			uint8_t	inner_l5hlen;
		};
	};
	union {
		uint8_t		eight[8];
		uint16_t	sixteen[4];
		uint32_t	thirtytwo[2];
		uint64_t	sixtyfour[1];
		uintptr_t	unintptr[1];
		void		*ptr;
	} PH_per;
	union {
		union {
			uint8_t		eight[8];
			uint16_t	sixteen[4];
			uint32_t	thirtytwo[2];
			uint64_t	sixtyfour[1];
			uintptr_t	unintptr[1];
			void		*ptr;
		} PH_loc;
		u_int	memlen;
	};
};
#define	ether_vtag	PH_per.sixteen[0]
#define	tcp_tun_port	PH_per.sixteen[0]
#define	tso_segsz	PH_per.sixteen[1]
#define	lro_nsegs	tso_segsz
#define	csum_data	PH_per.thirtytwo[1]

typedef void m_ext_free_t(struct mbuf *);
struct m_ext {
	union {
		volatile u_int	 ext_count;	/* EXT_FLAG_EMBREF */
		volatile u_int	*ext_cnt;
	};
	uint32_t	 ext_size;
	uint32_t	 ext_type:8,
			 ext_flags:24;
	char		*ext_buf;
	void		*ext_arg2;
	m_ext_free_t	*ext_free;
	void		*ext_arg1;
};

struct mbuf {
	union {
		struct mbuf		*m_next;
		SLIST_ENTRY(mbuf)	m_slist;
		STAILQ_ENTRY(mbuf)	m_stailq;
	};
	union {
		struct mbuf		*m_nextpkt;
		SLIST_ENTRY(mbuf)	m_slistpkt;
		STAILQ_ENTRY(mbuf)	m_stailqpkt;
	};
	caddr_t		 m_data;
	int32_t		 m_len;
	uint32_t	 m_type:8,
			 m_flags:24;
	union {
		struct {
			union {
				struct pkthdr	m_pkthdr;
				struct {
					char	 m_epg_unused[sizeof(struct pkthdr)];
				};
			};
			union {
				struct m_ext	m_ext;
				char		m_pktdat[0];
			};
		};
		char	m_dat[0];
	};
};
#define	MHSIZE		offsetof(struct mbuf, m_dat)
#define	MPKTHSIZE	offsetof(struct mbuf, m_pktdat)
#define	MLEN		((int)(MSIZE - MHSIZE))
#define	MHLEN		((int)(MSIZE - MPKTHSIZE))
#define	MINCLSIZE	(MHLEN + 1)

#define	mtod(m, t)	((t)((m)->m_data))
#define	mtodo(m, o)	((void *)(((m)->m_data) + (o)))
#define	dtom(x)		((struct mbuf *)((intptr_t)(x) & ~(MSIZE - 1)))

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
#define	M_TSTMP_LRO	0x00001000
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
#define	M_PROTOFLAGS	(M_PROTO1|M_PROTO2|M_PROTO3|M_PROTO4|M_PROTO5|M_PROTO6|	\
	M_PROTO7|M_PROTO8|M_PROTO9|M_PROTO10|M_PROTO11)
#define	M_COPYFLAGS	(M_PKTHDR|M_EOR|M_RDONLY|M_BCAST|M_MCAST|M_PROMISC|	\
	M_VLANTAG|M_TSTMP|M_TSTMP_HPREC|M_TSTMP_LRO|M_PROTOFLAGS)

#define	M_HASHTYPE_HASHPROP	0x80
#define	M_HASHTYPE_HASH(t)	(M_HASHTYPE_HASHPROP | (t))
#define	M_HASHTYPE_NONE		0
#define	M_HASHTYPE_RSS_IPV4	M_HASHTYPE_HASH(1)
#define	M_HASHTYPE_RSS_TCP_IPV4	M_HASHTYPE_HASH(2)
#define	M_HASHTYPE_RSS_UDP_IPV4	M_HASHTYPE_HASH(7)
#define	M_HASHTYPE_OPAQUE	0x3f
#define	M_HASHTYPE_OPAQUE_HASH	M_HASHTYPE_HASH(M_HASHTYPE_OPAQUE)
#define	M_HASHTYPE_CLEAR(m)	((m)->m_pkthdr.rsstype = 0)
#define	M_HASHTYPE_GET(m)	((m)->m_pkthdr.rsstype & ~M_HASHTYPE_HASHPROP)
#define	M_HASHTYPE_SET(m, v)	((m)->m_pkthdr.rsstype = (v))
#define	M_HASHTYPE_ISHASH(m)	(((m)->m_pkthdr.rsstype & M_HASHTYPE_HASHPROP) != 0)

#define	EXT_CLUSTER	1
#define	EXT_SFBUF	2
#define	EXT_JUMBOP	3
#define	EXT_JUMBO9	4
#define	EXT_JUMBO16	5
#define	EXT_PACKET	6
#define	EXT_MBUF	7
#define	EXT_NET_DRV	252
#define	EXT_MOD_TYPE	253
#define	EXT_DISPOSABLE	254
#define	EXT_EXTREF	255
#define	EXT_FLAG_EMBREF	0x000001
#define	EXT_FLAG_EXTREF	0x000002
#define	EXT_FLAG_NOFREE	0x000010

#define	CSUM_IP			0x00000001
#define	CSUM_IP_UDP		0x00000002
#define	CSUM_IP_TCP		0x00000004
#define	CSUM_IP_SCTP		0x00000008
#define	CSUM_IP_TSO		0x00000010
#define	CSUM_IP6_UDP		0x00000200
#define	CSUM_IP6_TCP		0x00000400
#define	CSUM_IP6_SCTP		0x00000800
#define	CSUM_IP6_TSO		0x00001000
#define	CSUM_INNER_L3_CALC	0x00100000
#define	CSUM_INNER_L3_VALID	0x00200000
#define	CSUM_INNER_L4_CALC	0x00400000
#define	CSUM_INNER_L4_VALID	0x00800000
#define	CSUM_L3_CALC		0x01000000
#define	CSUM_L3_VALID		0x02000000
#define	CSUM_L4_CALC		0x04000000
#define	CSUM_L4_VALID		0x08000000
#define	CSUM_L5_CALC		0x10000000
#define	CSUM_L5_VALID		0x20000000
#define	CSUM_COALESCED		0x40000000
#define	CSUM_SND_TAG		0x80000000
#define	CSUM_IP_CHECKED		CSUM_L3_CALC
#define	CSUM_IP_VALID		CSUM_L3_VALID
#define	CSUM_DATA_VALID		CSUM_L4_VALID
#define	CSUM_PSEUDO_HDR		CSUM_L4_CALC
#define	CSUM_SCTP_VALID		CSUM_L4_VALID
#define	CSUM_TCP		CSUM_IP_TCP
#define	CSUM_UDP		CSUM_IP_UDP
#define	CSUM_SCTP		CSUM_IP_SCTP
#define	CSUM_TSO		(CSUM_IP_TSO | CSUM_IP6_TSO)
#define	CSUM_UDP_IPV6		CSUM_IP6_UDP
#define	CSUM_TCP_IPV6		CSUM_IP6_TCP
#define	CSUM_SCTP_IPV6		CSUM_IP6_SCTP
#define	CSUM_DELAY_DATA		(CSUM_TCP | CSUM_UDP)
#define	CSUM_DELAY_IP		CSUM_IP
#define	CSUM_DELAY_DATA_IPV6	(CSUM_TCP_IPV6 | CSUM_UDP_IPV6)
#define	CSUM_DATA_VALID_IPV6	CSUM_DATA_VALID

#define	MT_NOTMBUF	0
#define	MT_DATA		1
#define	MT_HEADER	MT_DATA
#define	MT_SONAME	8
#define	MT_CONTROL	14
#define	MT_OOBDATA	16
#define	MT_NOINIT	255
#define	MBUF_MEM_NAME		"mbuf"
#define	MBUF_CLUSTER_MEM_NAME	"mbuf_cluster"
#define	MBUF_PACKET_MEM_NAME	"mbuf_packet"
#define	MBUF_TAG_MEM_NAME	"mbuf_tag"
MALLOC_DECLARE(M_PACKET_TAGS);	/* type of m_tags */

struct mbuf *m_get(int how, short type);
struct mbuf *m_get_raw(int how, short type);
struct mbuf *m_gethdr(int how, short type);
struct mbuf *m_gethdr_raw(int how, short type);
struct mbuf *m_getcl(int how, short type, int flags);
struct mbuf *m_getjcl(int how, short type, int flags, int size);
struct mbuf *m_get2(int size, int how, short type, int flags);
struct mbuf *m_get3(int size, int how, short type, int flags);
struct mbuf *m_getm2(struct mbuf *m, int len, int how, short type, int flags);
#define	m_getm(m, len, how, type)	m_getm2((m), (len), (how), (type), M_PKTHDR)
struct mbuf *m_getclr(int how, short type);
int	m_clget(struct mbuf *m, int how);
void	*m_cljget(struct mbuf *m, int how, int size);
void	m_cljset(struct mbuf *m, void *cl, int type);
void	m_extadd(struct mbuf *m, char *buf, u_int size, m_ext_free_t *freef, void *arg1,
	    void *arg2, int flags, int type);
struct mbuf *m_free(struct mbuf *m);
void	m_freem(struct mbuf *m);
void	m_freemp(struct mbuf *m);
void	m_init(struct mbuf *m, int how, short type, int flags);
int	m_pkthdr_init(struct mbuf *m, int how);
void	mb_free_ext(struct mbuf *m);

void	m_adj(struct mbuf *m, int req_len);
void	m_adj_decap(struct mbuf *m, int len);
int	m_append(struct mbuf *m0, int len, c_caddr_t cp);
int	m_apply(struct mbuf *m, int off, int len, int (*f)(void *, void *, u_int), void *arg);
void	m_cat(struct mbuf *m, struct mbuf *n);
void	m_catpkt(struct mbuf *m, struct mbuf *n);
struct mbuf *m_collapse(struct mbuf *m0, int how, int maxfrags);
void	m_copyback(struct mbuf *m0, int off, int len, c_caddr_t cp);
void	m_copydata(const struct mbuf *m, int off, int len, caddr_t cp);
struct mbuf *m_copym(struct mbuf *m, int off0, int len, int wait);
struct mbuf *m_copypacket(struct mbuf *m, int how);
struct mbuf *m_copyup(struct mbuf *n, int len, int dstoff);
struct mbuf *m_defrag(struct mbuf *m0, int how);
struct mbuf *m_devget(char *buf, int totlen, int off, struct ifnet *ifp,
	    void (*copy)(char *, caddr_t, u_int));
void	m_demote_pkthdr(struct mbuf *m);
void	m_demote(struct mbuf *m0, int all, int flags);
struct mbuf *m_dup(const struct mbuf *m, int how);
int	m_dup_pkthdr(struct mbuf *to, const struct mbuf *from, int how);
u_int	m_fixhdr(struct mbuf *m0);
struct mbuf *m_fragment(struct mbuf *m0, int how, int length);
struct mbuf *m_getptr(struct mbuf *m, int loc, int *off);
u_int	m_length(struct mbuf *m0, struct mbuf **last);
void	m_move_pkthdr(struct mbuf *to, struct mbuf *from);
struct mbuf *m_prepend(struct mbuf *m, int len, int how);
void	m_print(const struct mbuf *m, int maxlen);
struct mbuf *m_pulldown(struct mbuf *m, int off, int len, int *offp);
struct mbuf *m_pullup(struct mbuf *n, int len);
int	m_sanity(struct mbuf *m0, int sanitize);
struct mbuf *m_split(struct mbuf *m0, int len0, int wait);
struct mbuf *m_unshare(struct mbuf *m0, int how);
struct mbuf *m_uiotombuf(struct uio *uio, int how, int len, int align, int flags);
void	m_align(struct mbuf *m, int len);
#define	M_ALIGN(m, len)		m_align((m), (len))
#define	MH_ALIGN(m, len)	m_align((m), (len))
void	m_rcvif_serialize(struct mbuf *m);
struct ifnet *m_rcvif_restore(struct mbuf *m);
void	m_snd_tag_init(struct m_snd_tag *mst, struct ifnet *ifp, const struct if_snd_tag_sw *sw);
void	m_snd_tag_destroy(struct m_snd_tag *mst);
static inline struct m_snd_tag *
m_snd_tag_ref(struct m_snd_tag *mst)
{
	refcount_acquire(&mst->refcount);
	return (mst);
}
static inline void
m_snd_tag_rele(struct m_snd_tag *mst)
{
	if (refcount_release(&mst->refcount))
		m_snd_tag_destroy(mst);
}

static inline u_int
m_extrefcnt(struct mbuf *m)
{
	return ((m->m_ext.ext_flags & EXT_FLAG_EMBREF) != 0 ?
	    atomic_load_int(&m->m_ext.ext_count) : atomic_load_int(m->m_ext.ext_cnt));
}
#define	M_WRITABLE(m)							\
	(((m)->m_flags & (M_RDONLY | M_EXTPG)) == 0 &&			\
	    (((m)->m_flags & M_EXT) == 0 || m_extrefcnt(m) == 1))
#define	M_SIZE(m)							\
	(((m)->m_flags & M_EXT) != 0 ? (int)(m)->m_ext.ext_size :	\
	    ((m)->m_flags & M_PKTHDR) != 0 ? MHLEN : MLEN)
#define	M_START(m)							\
	(((m)->m_flags & M_EXT) != 0 ? (m)->m_ext.ext_buf :		\
	    ((m)->m_flags & M_PKTHDR) != 0 ? &(m)->m_pktdat[0] : &(m)->m_dat[0])
#define	M_LEADINGSPACE(m)	(M_WRITABLE(m) ? (int)((m)->m_data - M_START(m)) : 0)
#define	M_TRAILINGROOM(m)	((int)(M_START(m) + M_SIZE(m) - ((m)->m_data + (m)->m_len)))
#define	M_TRAILINGSPACE(m)	(M_WRITABLE(m) ? M_TRAILINGROOM(m) : 0)
#define	M_PREPEND(m, plen, how)	do {					\
	struct mbuf **_mmp = &(m);					\
	struct mbuf *_mm = *_mmp;					\
	int _mplen = (plen);						\
									\
	if (M_LEADINGSPACE(_mm) >= _mplen) {				\
		_mm->m_data -= _mplen;					\
		_mm->m_len += _mplen;					\
	} else								\
		_mm = m_prepend(_mm, _mplen, (how));			\
	if (_mm != NULL && (_mm->m_flags & M_PKTHDR) != 0)		\
		_mm->m_pkthdr.len += _mplen;				\
	*_mmp = _mm;							\
} while (0)
#define	MCHTYPE(m, t)		((m)->m_type = (t))
#define	m_clrprotoflags(m0)	do {					\
	for (struct mbuf *_m = (m0); _m != NULL; _m = _m->m_next)	\
		_m->m_flags &= ~M_PROTOFLAGS;				\
} while (0)
static inline struct mbuf *
m_last(struct mbuf *m)
{
	while (m->m_next != NULL)
		m = m->m_next;
	return (m);
}
#define	m_tolen(m)	((m)->m_pkthdr.len)
#define	m_gettype(size)							\
	((size) == MCLBYTES ? EXT_CLUSTER : (size) == MJUMPAGESIZE ? EXT_JUMBOP : \
	    (size) == MJUM9BYTES ? EXT_JUMBO9 : EXT_JUMBO16)
#define	m_copy(m, o, l)	m_copym((m), (o), (l), M_NOWAIT)
#define	M_COPYALL	1000000000
#define	M_ASSERTPKTHDR(m)						\
	KASSERT((m) != NULL && (m)->m_flags & M_PKTHDR, ("%s: no mbuf packet header!", __func__))
#define	M_ASSERT_NO_SND_TAG(m)						\
	KASSERT((m) != NULL && (m)->m_flags & M_PKTHDR &&		\
	    ((m)->m_pkthdr.csum_flags & CSUM_SND_TAG) == 0, ("%s: receive mbuf has send tag!", __func__))
#define	M_ASSERTVALID(m)						\
	KASSERT((m)->m_type != MT_NOTMBUF && (m)->m_type != 0xde,	\
	    ("%s: attempted use of a free mbuf!", __func__))
#define	M_SETFIB(m, fib)	((m)->m_pkthdr.fibnum = (fib))
#define	M_GETFIB(m)		((m)->m_pkthdr.fibnum)

extern int	max_linkhdr, max_protohdr, max_hdr, max_datalen;
extern int	nmbclusters;
extern uma_zone_t zone_mbuf, zone_clust, zone_pack, zone_jumbop, zone_jumbo9, zone_jumbo16;

/* What netstat -m shows. */
struct mb_stats {
	uint64_t	ms_mbufs, ms_mbufs_cache;
	uint64_t	ms_clusters, ms_clusters_cache, ms_clusters_max;
	uint64_t	ms_packets;		/* mbufs with a cluster from the packet zone */
	uint64_t	ms_jumbop, ms_jumbo9, ms_jumbo16;
	uint64_t	ms_mbuf_fails, ms_cluster_fails;
	uint64_t	ms_tags;		/* m_tags in use */
	uint64_t	ms_bytes, ms_bytes_cache;
};
void	mb_stats_get(struct mb_stats *);

/* m_tag(9). */
#define	PACKET_TAG_NONE		0
#define	PACKET_TAG_BRIDGE	7
#define	PACKET_TAG_GIF		8
#define	PACKET_TAG_GRE		9
#define	PACKET_TAG_ENCAP	11
#define	PACKET_TAG_DUMMYNET	15
#define	PACKET_TAG_DIVERT	17
#define	PACKET_TAG_IPFORWARD	18
#define	PACKET_TAG_MACLABEL	(19 | MTAG_PERSISTENT)
#define	PACKET_TAG_PF		21
#define	PACKET_TAG_RTSOCKFAM	25
#define	PACKET_TAG_IPOPTIONS	27
#define	PACKET_TAG_CARP		28
#define	PACKET_TAG_ND_OUTGOING	30
#define	MTAG_PERSISTENT		0x800
#define	MTAG_ABI_COMPAT		0

void	m_tag_delete(struct mbuf *m, struct m_tag *t);
void	m_tag_delete_chain(struct mbuf *m, struct m_tag *t);
void	m_tag_free_default(struct m_tag *t);
struct m_tag *m_tag_alloc(uint32_t cookie, uint16_t type, int len, int wait);
struct m_tag *m_tag_locate(struct mbuf *m, uint32_t cookie, uint16_t type, struct m_tag *t);
struct m_tag *m_tag_copy(struct m_tag *t, int how);
int	m_tag_copy_chain(struct mbuf *to, const struct mbuf *from, int how);
void	m_tag_delete_nonpersistent(struct mbuf *m);

static inline void
m_tag_init(struct mbuf *m)
{
	SLIST_INIT(&m->m_pkthdr.tags);
}
static inline void
m_tag_setup(struct m_tag *t, uint32_t cookie, uint16_t type, int len)
{
	t->m_tag_id = type;
	t->m_tag_len = (uint16_t)len;
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
static inline struct m_tag *
m_tag_get(uint16_t type, int length, int wait)
{
	return (m_tag_alloc(MTAG_ABI_COMPAT, type, length, wait));
}
static inline struct m_tag *
m_tag_find(struct mbuf *m, uint16_t type, struct m_tag *start)
{
	return (SLIST_EMPTY(&m->m_pkthdr.tags) ? NULL :
	    m_tag_locate(m, MTAG_ABI_COMPAT, type, start));
}

/* A queue of packets, linked by m_nextpkt, with a limit. */
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
static inline int mbufq_full(const struct mbufq *mq) { return (mq->mq_maxlen > 0 && mq->mq_len >= mq->mq_maxlen); }
static inline int mbufq_len(const struct mbufq *mq) { return (mq->mq_len); }
static inline bool mbufq_empty(const struct mbufq *mq) { return (mq->mq_len == 0); }
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
static inline struct mbuf *mbufq_first(const struct mbufq *mq) { return (STAILQ_FIRST(&mq->mq_head)); }
static inline void
mbufq_drain(struct mbufq *mq)
{
	struct mbuf *m, *n;

	for (m = mbufq_flush(mq); m != NULL; m = n) {
		n = STAILQ_NEXT(m, m_stailqpkt);
		m->m_nextpkt = NULL;
		m_freem(m);
	}
}
static inline void
mbufq_concat(struct mbufq *to, struct mbufq *from)
{
	to->mq_len += from->mq_len;
	STAILQ_CONCAT(&to->mq_head, &from->mq_head);
	from->mq_len = 0;
}

#endif /* !_SYS_MBUF_H_ */
