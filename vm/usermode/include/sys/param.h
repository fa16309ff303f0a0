/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_PARAM_H_
#define	_SYS_PARAM_H_

#define	__FreeBSD_version	1501000
#ifndef __FreeBSD_kernel__
#define	__FreeBSD_kernel__	1
#endif
#define	BSD	199506

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/limits.h>
#include <sys/errno.h>
#include <sys/time.h>
#include <sys/_prio.h>
#include <machine/param.h>

#ifndef NULL
#define	NULL	((void *)0)
#endif
#define	TRUE	1
#define	FALSE	0

#define	MAXCOMLEN	19
#define	MAXHOSTNAMELEN	256
#define	MAXPATHLEN	1024
#define	MAXLOGNAME	33
#define	SPECNAMELEN	255
#define	NBBY		8
#define	NODEV		((dev_t)-1)
#define	NGROUPS		16
#define	DEVSTAT_NAME	16

#define	PCATCH		0x100
#define	PDROP		0x200
#define	PRIMASK		0x0ff
#define	PNOLOCK		0x400

#define	MSIZE		256
#define	MCLSHIFT	11
#define	MCLBYTES	(1 << MCLSHIFT)
#define	MJUMPAGESIZE	PAGE_SIZE
#define	MJUM9BYTES	(9 * 1024)
#define	MJUM16BYTES	(16 * 1024)
#define	MAXPHYS		(1024 * 1024)

#define	nitems(x)	(sizeof((x)) / sizeof((x)[0]))
#define	howmany(x, y)	(((x) + ((y) - 1)) / (y))
#define	rounddown(x, y)	(((x) / (y)) * (y))
#define	rounddown2(x, y) ((x) & ~((__typeof(x))(y) - 1))
#define	roundup(x, y)	((((x) + ((y) - 1)) / (y)) * (y))
#define	roundup2(x, y)	(((x) + ((y) - 1)) & ~((__typeof((x) + (y)))(y) - 1))
#define	powerof2(x)	((((x) - 1) & (x)) == 0)
#define	MIN(a, b)	(((a) < (b)) ? (a) : (b))
#define	MAX(a, b)	(((a) > (b)) ? (a) : (b))
#define	setbit(a, i)	(((unsigned char *)(a))[(i) / NBBY] |= 1 << ((i) % NBBY))
#define	clrbit(a, i)	(((unsigned char *)(a))[(i) / NBBY] &= ~(1 << ((i) % NBBY)))
#define	isset(a, i)	(((const unsigned char *)(a))[(i) / NBBY] & (1 << ((i) % NBBY)))
#define	isclr(a, i)	((((const unsigned char *)(a))[(i) / NBBY] & (1 << ((i) % NBBY))) == 0)

#define	__PAST_END(array, offset) (((__typeof__(*(array)) *)(array))[offset])
#define	member2struct(s, m, x)						\
	((struct s *)(void *)((char *)(x) - offsetof(struct s, m)))

#include <sys/endian.h>

#endif /* !_SYS_PARAM_H_ */
