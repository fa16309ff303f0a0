/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_LINKER_H_
#define	_SYS_LINKER_H_

#include <sys/module.h>

/* kldload(8) and its kin: 0 or an errno. */
int	kern_kldload(struct thread *td, const char *file, int *fileid);
int	kern_kldunload(struct thread *td, int fileid, int flags);
#define	LINKER_UNLOAD_NORMAL	0
#define	LINKER_UNLOAD_FORCE	1

#endif /* !_SYS_LINKER_H_ */
