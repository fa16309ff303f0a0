/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_LINKER_SET_H_
#define	_SYS_LINKER_SET_H_

#include <sys/cdefs.h>

/* A set is a section of pointers; the linker gives its bounds. */
#define	__MAKE_SET(set, sym)						\
	static void const * const __set_##set##_sym_##sym		\
	    __section("set_" #set) __used = (const void *)&(sym)
#define	TEXT_SET(set, sym)	__MAKE_SET(set, sym)
#define	DATA_SET(set, sym)	__MAKE_SET(set, sym)
#define	DATA_WSET(set, sym)	__MAKE_SET(set, sym)
#define	SET_ENTRY(set, sym)	__MAKE_SET(set, sym)

#define	SET_DECLARE(set, ptype)						\
	extern ptype __weak_symbol *__CONCAT(__start_set_, set)[];	\
	extern ptype __weak_symbol *__CONCAT(__stop_set_, set)[]
#define	SET_BEGIN(set)	(__CONCAT(__start_set_, set))
#define	SET_LIMIT(set)	(__CONCAT(__stop_set_, set))
#define	SET_FOREACH(pvar, set)						\
	for (pvar = SET_BEGIN(set); pvar < SET_LIMIT(set); pvar++)
#define	SET_ITEM(set, i)	((SET_BEGIN(set))[i])
#define	SET_COUNT(set)	(SET_LIMIT(set) - SET_BEGIN(set))

#endif /* !_SYS_LINKER_SET_H_ */
