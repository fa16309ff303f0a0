/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _MACHINE_ATOMIC_H_
#define	_MACHINE_ATOMIC_H_

#include <sys/types.h>

/*
 * atomic(9) by the compiler's builtins, which the sanitizers understand.
 */
#define	ATOMIC_OPS(NAME, T)						\
static inline void atomic_add_##NAME(volatile T *p, T v)		\
{ (void)__atomic_fetch_add(p, v, __ATOMIC_RELAXED); }			\
static inline void atomic_subtract_##NAME(volatile T *p, T v)		\
{ (void)__atomic_fetch_sub(p, v, __ATOMIC_RELAXED); }			\
static inline void atomic_set_##NAME(volatile T *p, T v)		\
{ (void)__atomic_fetch_or(p, v, __ATOMIC_RELAXED); }			\
static inline void atomic_clear_##NAME(volatile T *p, T v)		\
{ (void)__atomic_fetch_and(p, (T)~v, __ATOMIC_RELAXED); }		\
static inline void atomic_add_acq_##NAME(volatile T *p, T v)		\
{ (void)__atomic_fetch_add(p, v, __ATOMIC_ACQUIRE); }			\
static inline void atomic_add_rel_##NAME(volatile T *p, T v)		\
{ (void)__atomic_fetch_add(p, v, __ATOMIC_RELEASE); }			\
static inline T atomic_fetchadd_##NAME(volatile T *p, T v)		\
{ return (__atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)); }		\
static inline T atomic_swap_##NAME(volatile T *p, T v)			\
{ return (__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)); }		\
static inline T atomic_readandclear_##NAME(volatile T *p)		\
{ return (__atomic_exchange_n(p, (T)0, __ATOMIC_SEQ_CST)); }		\
static inline T atomic_load_##NAME(const volatile T *p)			\
{ return (__atomic_load_n(p, __ATOMIC_RELAXED)); }			\
static inline T atomic_load_acq_##NAME(const volatile T *p)		\
{ return (__atomic_load_n(p, __ATOMIC_ACQUIRE)); }			\
static inline void atomic_store_##NAME(volatile T *p, T v)		\
{ __atomic_store_n(p, v, __ATOMIC_RELAXED); }				\
static inline void atomic_store_rel_##NAME(volatile T *p, T v)		\
{ __atomic_store_n(p, v, __ATOMIC_RELEASE); }				\
static inline int atomic_cmpset_##NAME(volatile T *p, T old, T v)	\
{ return (__atomic_compare_exchange_n(p, &old, v, 0,			\
    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)); }				\
static inline int atomic_cmpset_acq_##NAME(volatile T *p, T old, T v)	\
{ return (atomic_cmpset_##NAME(p, old, v)); }				\
static inline int atomic_cmpset_rel_##NAME(volatile T *p, T old, T v)	\
{ return (atomic_cmpset_##NAME(p, old, v)); }				\
static inline int atomic_fcmpset_##NAME(volatile T *p, T *old, T v)	\
{ return (__atomic_compare_exchange_n(p, old, v, 0,			\
    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)); }				\
static inline int atomic_fcmpset_acq_##NAME(volatile T *p, T *old, T v)	\
{ return (atomic_fcmpset_##NAME(p, old, v)); }				\
static inline int atomic_fcmpset_rel_##NAME(volatile T *p, T *old, T v)	\
{ return (atomic_fcmpset_##NAME(p, old, v)); }

ATOMIC_OPS(char, u_char)
ATOMIC_OPS(short, u_short)
ATOMIC_OPS(int, u_int)
ATOMIC_OPS(long, u_long)
ATOMIC_OPS(8, uint8_t)
ATOMIC_OPS(16, uint16_t)
ATOMIC_OPS(32, uint32_t)
ATOMIC_OPS(64, uint64_t)

static inline void
atomic_store_bool(volatile bool *p, bool v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}
static inline bool
atomic_load_bool(const volatile bool *p)
{
	return (__atomic_load_n(p, __ATOMIC_RELAXED));
}

/* The pointer forms take any object of a pointer's size, as those of FreeBSD do. */
#define	atomic_load_ptr(p)		__atomic_load_n((p), __ATOMIC_RELAXED)
#define	atomic_load_consume_ptr(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define	atomic_load_acq_ptr(p)		__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define	atomic_store_ptr(p, v)		__atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define	atomic_store_rel_ptr(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define	atomic_swap_ptr(p, v)		__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define	atomic_readandclear_ptr(p)	__atomic_exchange_n((p), 0, __ATOMIC_SEQ_CST)
#define	atomic_add_ptr(p, v)		((void)__atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#define	atomic_subtract_ptr(p, v)	((void)__atomic_fetch_sub((p), (v), __ATOMIC_RELAXED))
#define	atomic_set_ptr(p, v)		((void)__atomic_fetch_or((p), (v), __ATOMIC_RELAXED))
#define	atomic_clear_ptr(p, v)		((void)__atomic_fetch_and((p), ~(v), __ATOMIC_RELAXED))
#define	atomic_cmpset_ptr(p, e, v) __extension__ ({			\
	uintptr_t _e = (uintptr_t)(e);					\
	(int)__atomic_compare_exchange_n((volatile uintptr_t *)(p), &_e, \
	    (uintptr_t)(v), 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED); })
#define	atomic_cmpset_acq_ptr(p, e, v)	atomic_cmpset_ptr((p), (e), (v))
#define	atomic_cmpset_rel_ptr(p, e, v)	atomic_cmpset_ptr((p), (e), (v))
#define	atomic_fcmpset_ptr(p, e, v)					\
	__atomic_compare_exchange_n((p), (e), (v), 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)
#define	atomic_fcmpset_acq_ptr(p, e, v)	atomic_fcmpset_ptr((p), (e), (v))
#define	atomic_fcmpset_rel_ptr(p, e, v)	atomic_fcmpset_ptr((p), (e), (v))
#define	atomic_testandset_int(p, b)	atomic_testandset_32((p), (b))
#define	atomic_testandclear_int(p, b)	atomic_testandclear_32((p), (b))
static inline int
atomic_testandset_32(volatile uint32_t *p, u_int b)
{
	return ((__atomic_fetch_or(p, 1u << (b & 31), __ATOMIC_SEQ_CST) >> (b & 31)) & 1);
}
static inline int
atomic_testandclear_32(volatile uint32_t *p, u_int b)
{
	return ((__atomic_fetch_and(p, ~(1u << (b & 31)), __ATOMIC_SEQ_CST) >> (b & 31)) & 1);
}
static inline int
atomic_testandset_long(volatile u_long *p, u_int b)
{
	return ((__atomic_fetch_or(p, 1ul << (b & 63), __ATOMIC_SEQ_CST) >> (b & 63)) & 1);
}

#ifdef __SANITIZE_THREAD__
/* ThreadSanitizer knows no fences; an addition to one word orders as much. */
extern u_int atomic_fence_word;
#define	__ATOMIC_FENCE(o)	((void)__atomic_fetch_add(&atomic_fence_word, 0, __ATOMIC_SEQ_CST))
#else
#define	__ATOMIC_FENCE(o)	__atomic_thread_fence(o)
#endif
#define	atomic_thread_fence_acq()	__ATOMIC_FENCE(__ATOMIC_ACQUIRE)
#define	atomic_thread_fence_rel()	__ATOMIC_FENCE(__ATOMIC_RELEASE)
#define	atomic_thread_fence_acq_rel()	__ATOMIC_FENCE(__ATOMIC_ACQ_REL)
#define	atomic_thread_fence_seq_cst()	__ATOMIC_FENCE(__ATOMIC_SEQ_CST)
#define	atomic_interrupt_fence()	__atomic_signal_fence(__ATOMIC_SEQ_CST)
#define	mb()	__ATOMIC_FENCE(__ATOMIC_SEQ_CST)
#define	wmb()	__ATOMIC_FENCE(__ATOMIC_SEQ_CST)
#define	rmb()	__ATOMIC_FENCE(__ATOMIC_SEQ_CST)

#endif /* !_MACHINE_ATOMIC_H_ */
