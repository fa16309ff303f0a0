/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_UCRED_H_
#define	_SYS_UCRED_H_

#include <sys/jail.h>

struct ucred {
	u_int		cr_ref;
	uid_t		cr_uid;
	struct prison	*cr_prison;
};
struct ucred *crhold(struct ucred *);
void	crfree(struct ucred *);
struct ucred *crget_prison(struct prison *);

#endif /* !_SYS_UCRED_H_ */
