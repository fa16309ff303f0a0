/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_CDEFS_H_
#define	_SYS_CDEFS_H_

#define	__CONCAT1(x, y)		x ## y
#define	__CONCAT(x, y)		__CONCAT1(x, y)
#define	__STRING(x)		#x
#define	__XSTRING(x)		__STRING(x)

#define	__BEGIN_DECLS
#define	__END_DECLS
#define	__FBSDID(s)		struct __hack

#define	__unused		__attribute__((__unused__))
#define	__used			__attribute__((__used__))
#define	__packed		__attribute__((__packed__))
#define	__aligned(x)		__attribute__((__aligned__(x)))
#define	__section(x)		__attribute__((__section__(x)))
#define	__dead2			__attribute__((__noreturn__))
#define	__pure2			__attribute__((__const__))
#define	__pure			__attribute__((__pure__))
#define	__weak_symbol		__attribute__((__weak__))
#define	__noinline		__attribute__((__noinline__))
#ifndef __always_inline
#define	__always_inline		inline __attribute__((__always_inline__))
#endif
#define	__malloc_like		__attribute__((__malloc__))
#define	__result_use_check	__attribute__((__warn_unused_result__))
#define	__returns_twice		__attribute__((__returns_twice__))
#define	__nonnull(x)		__attribute__((__nonnull__ x))
#define	__min_size(x)		static (x)
#define	__null_sentinel		__attribute__((__sentinel__))
#define	__exported
#define	__hidden		__attribute__((__visibility__("hidden")))
#define	__fallthrough		__attribute__((__fallthrough__))
#define	__nodiscard		__attribute__((__warn_unused_result__))
#define	__nosanitizeaddress	__attribute__((__no_sanitize_address__))
#define	__nosanitizethread	__attribute__((__no_sanitize_thread__))
#define	__nosanitizeundefined	__attribute__((__no_sanitize_undefined__))
#define	__printflike(f, a)	__attribute__((__format__(__printf__, f, a)))
#define	__format_arg(a)		__attribute__((__format_arg__(a)))
#define	__predict_true(e)	__builtin_expect((e), 1)
#define	__predict_false(e)	__builtin_expect((e), 0)
#define	__restrict_arr		restrict
#define	__DECONST(t, v)		((t)(uintptr_t)(const void *)(v))
#define	__DEVOLATILE(t, v)	((t)(uintptr_t)(volatile void *)(v))
#define	__DEQUALIFY(t, v)	((t)(uintptr_t)(const volatile void *)(v))
#define	__offsetof(t, f)	__builtin_offsetof(t, f)
#define	__rangeof(t, s, e)	(__offsetof(t, e) - __offsetof(t, s))
#define	__containerof(x, s, m)						\
	((s *)(uintptr_t)((const volatile char *)(x) - __offsetof(s, m)))
#define	__compiler_membar()	__asm __volatile("" : : : "memory")
#define	__strong_reference(s, a)					\
	extern __typeof(s) a __attribute__((__alias__(#s)))

#ifdef __clang__
#define	__nullable		_Nullable
#else
#define	_Nonnull
#define	_Nullable
#define	_Null_unspecified
#endif

/* Annotations of clang's thread safety analysis, which the guest is not built with. */
#define	__lockable
#define	__locks_exclusive(...)
#define	__locks_shared(...)
#define	__trylocks_exclusive(...)
#define	__trylocks_shared(...)
#define	__unlocks(...)
#define	__asserts_exclusive(...)
#define	__asserts_shared(...)
#define	__requires_exclusive(...)
#define	__requires_shared(...)
#define	__requires_unlocked(...)
#define	__no_lock_analysis
#define	__guarded_by(x)
#define	__pt_guarded_by(x)

#endif /* !_SYS_CDEFS_H_ */
