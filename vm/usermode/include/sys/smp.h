/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SMP_H_
#define	_SYS_SMP_H_

#include <sys/types.h>

extern u_int mp_maxid;
extern int mp_ncpus;
#define	CPU_ABSENT(i)	((u_int)(i) > mp_maxid)
#define	CPU_FOREACH(i)	for ((i) = 0; (i) <= mp_maxid; (i)++)
#define	CPU_FIRST()	0
#define	CPU_NEXT(i)	((u_int)(i) >= mp_maxid ? 0 : (i) + 1)
void	quiesce_all_cpus(const char *, int);

#endif /* !_SYS_SMP_H_ */
