/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IF_CLONE_H_
#define	_NET_IF_CLONE_H_

#include <sys/types.h>
#include <sys/eventhandler.h>
#include <net/if.h>

#define	IFC_NOGROUP	0x2
#define	IFC_F_SPARE	0x01
#define	IFC_F_AUTOUNIT	0x02
#define	IFC_F_SYSSPACE	0x04
#define	IFC_F_FORCE	0x08
#define	IFC_F_CREATE	0x10
#define	IFC_F_LIMITUNIT	0x20

struct if_clone;

struct ifc_data {
	uint32_t	 flags;
	uint32_t	 unit;
	void		*params;
	struct vnet	*vnet;
};

typedef int ifc_match_f(struct if_clone *ifc, const char *name);
typedef int ifc_create_f(struct if_clone *ifc, char *name, size_t maxlen,
	    struct ifc_data *ifd, struct ifnet **ifpp);
typedef int ifc_destroy_f(struct if_clone *ifc, struct ifnet *ifp, uint32_t flags);

struct if_clone_addreq {
	uint16_t	 version;
	uint16_t	 spare;
	uint32_t	 flags;
	uint32_t	 maxunit;
	ifc_match_f	*match_f;
	ifc_create_f	*create_f;
	ifc_destroy_f	*destroy_f;
};

struct if_clone	*ifc_attach_cloner(const char *name, struct if_clone_addreq *req);
void	ifc_detach_cloner(struct if_clone *ifc);
int	ifc_create_ifp(const char *name, struct ifc_data *ifd, struct ifnet **ifpp);
int	ifc_name2unit(const char *name, int *unit);
int	ifc_alloc_unit(struct if_clone *, int *);
void	ifc_free_unit(struct if_clone *, int);
const char *ifc_name(struct if_clone *);
void	ifc_flags_set(struct if_clone *, int flags);
int	if_clone_create(char *name, size_t len, caddr_t params);
int	if_clone_destroy(const char *name);
int	if_clone_destroyif(struct if_clone *, struct ifnet *);
int	if_clone_destroyif_flags(struct if_clone *, struct ifnet *, uint32_t flags);
void	if_clone_addif(struct if_clone *, struct ifnet *);

#endif /* !_NET_IF_CLONE_H_ */
