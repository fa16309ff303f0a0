/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_JAIL_H_
#define	_SYS_JAIL_H_

#include <sys/types.h>
#include <sys/queue.h>

struct vnet;

struct prison {
	TAILQ_ENTRY(prison) pr_list;
	int		pr_id;
	u_int		pr_ref;
	struct vnet	*pr_vnet;
	char		pr_name[64];
	char		pr_hostname[64];
	bool		pr_dying;
};
extern struct prison prison0;
#define	jailed(cred)	((cred)->cr_prison != &prison0)

#endif /* !_SYS_JAIL_H_ */
