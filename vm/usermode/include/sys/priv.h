/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_PRIV_H_
#define	_SYS_PRIV_H_

#include <sys/types.h>

struct thread;
struct ucred;
/* Everybody is root in the guest. */
#define	PRIV_ROOT	0
#define	PRIV_NETINET_IPFW	491
#define	PRIV_NETINET_DUMMYNET	494
#define	PRIV_NET_IFCREATE	405
#define	PRIV_NET_IFDESTROY	406
#define	PRIV_NET_SETIFFLAGS	393
#define	PRIV_NET_RAW		390
#define	PRIV_NETINET_RAW	501
#define	PRIV_NETINET_RESERVEDPORT 490
#define	PRIV_KLD_LOAD	570
#define	PRIV_KLD_UNLOAD	571
#define	PRIV_JAIL_REMOVE 111
int	priv_check(struct thread *td, int priv);
int	priv_check_cred(struct ucred *cred, int priv);
#define	securelevel_ge(cr, level)	(0)
#define	securelevel_gt(cr, level)	(0)

#endif /* !_SYS_PRIV_H_ */
