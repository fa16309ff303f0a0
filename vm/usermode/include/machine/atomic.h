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
ATOMIC_OPS(ptr, uintptr_t)
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

#define	atomic_thread_fence_acq()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define	atomic_thread_fence_rel()	__atomic_thread_fence(__ATOMIC_RELEASE)
#define	atomic_thread_fence_acq_rel()	__atomic_thread_fence(__ATOMIC_ACQ_REL)
#define	atomic_thread_fence_seq_cst()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define	atomic_interrupt_fence()	__atomic_signal_fence(__ATOMIC_SEQ_CST)
#define	mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define	wmb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define	rmb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)

#endif /* !_MACHINE_ATOMIC_H_ */
