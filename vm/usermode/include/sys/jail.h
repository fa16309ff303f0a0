/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_JAIL_H_
#define	_SYS_JAIL_H_

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/_mutex.h>
#include <sys/_sx.h>
#include <sys/ucred.h>

struct vnet;
struct prison {
	TAILQ_ENTRY(prison) pr_list;
	int		 pr_id;
	volatile u_int	 pr_ref;
	volatile u_int	 pr_uref;
	unsigned	 pr_flags;
	LIST_HEAD(, prison) pr_children;
	LIST_ENTRY(prison) pr_sibling;
	struct prison	*pr_parent;
	struct mtx	 pr_mtx;
	struct vnet	*pr_vnet;
	unsigned	 pr_allow;
	int		 pr_securelevel;
	char		 pr_name[256];
	char		 pr_path[1024];
	char		 pr_hostname[256];
};
#define	PR_PERSIST	0x00000001
#define	PR_VNET		0x00000010
#define	PR_REMOVE	0x01000000

TAILQ_HEAD(prisonlist, prison);
extern struct prison	prison0;
extern struct prisonlist allprison;	/* prison0 is not among them */
extern struct sx	allprison_lock;

#define	jailed(c)		((c)->cr_prison != &prison0)
#define	jailed_without_vnet(c)	(false)
#define	prison_check_ip4(c, ia)	(0)
#define	prison_check_ip6(c, ia)	(0)
#define	prison_local_ip4(c, ia)	(0)
#define	prison_remote_ip4(c, ia) (0)
#define	prison_get_ip4(c, ia)	(0)
#define	prison_if(c, sa)	(0)
#define	prison_check_af(c, af)	(0)
#define	prison_saddrsel_ip4(c, ia) (1)
#define	prison_flag(c, f)	((c)->cr_prison->pr_flags & (f))
int	prison_check(struct ucred *cred1, struct ucred *cred2);
void	prison_hold(struct prison *pr);
void	prison_free(struct prison *pr);
void	prison_proc_hold(struct prison *pr);	/* a user of the jail: it is not removed before prison_proc_free() */
void	prison_proc_free(struct prison *pr);
void	prison_lock(struct prison *pr);
void	prison_unlock(struct prison *pr);
struct prison *prison_find(int prid);
struct prison *prison_find_name(struct prison *mypr, const char *name);
/*
 * A new jail with a network stack of its own: 0 or an errno.  Its vnet's
 * sysinits have run when this returns.
 */
int	prison_create_vnet(const char *name, int persist, struct prison **prp);
/* Remove: its processes are killed, then its vnet is destroyed. */
int	prison_remove_vnet(struct prison *pr);

#endif /* !_SYS_JAIL_H_ */
