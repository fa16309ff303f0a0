/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_UCRED_H_
#define	_SYS_UCRED_H_

#include <sys/types.h>

struct prison;
struct ucred {
	u_int		 cr_ref;
	uid_t		 cr_uid;
	uid_t		 cr_ruid;
	uid_t		 cr_svuid;
	int		 cr_ngroups;
	gid_t		 cr_gid;
	struct prison	*cr_prison;
};
#define	NOCRED	((struct ucred *)0)
#define	FSCRED	((struct ucred *)-1)

struct ucred *crget(void);
struct ucred *crhold(struct ucred *cr);
struct ucred *crdup(struct ucred *cr);
struct ucred *crcopysafe(struct proc *p, struct ucred *cr);
void	crcopy(struct ucred *dest, struct ucred *src);
void	crfree(struct ucred *cr);
int	cr_cansee(struct ucred *u1, struct ucred *u2);
int	groupmember(gid_t gid, struct ucred *cred);

#endif /* !_SYS_UCRED_H_ */
