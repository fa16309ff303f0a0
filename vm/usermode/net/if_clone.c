/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interfaces that are made by name: "epair", "epair7", "bridge", "lo1".
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/sx.h>
#include <net/if.h>
#include <net/if_clone.h>
#include <net/if_private.h>
#include <net/vnet.h>
#include "if_internal.h"

static MALLOC_DEFINE(M_CLONE, "clone", "interface cloning framework");

#define	IFC_MAXUNIT	4095

struct if_clone {
	char		 ifc_name[IFNAMSIZ];
	struct if_clone_addreq ifc_req;
	uint8_t		 ifc_units[(IFC_MAXUNIT + 1) / 8];
	struct vnet	*ifc_vnet;
	LIST_HEAD(, ifnet) ifc_iflist;		/* ifnet_detach_sxlock */
	LIST_ENTRY(if_clone) ifc_list;
};

LIST_HEAD(if_clonehead, if_clone);
VNET_DEFINE_STATIC(struct if_clonehead, if_cloners);
#define	V_if_cloners	VNET(if_cloners)

struct if_clone *
ifc_attach_cloner(const char *name, struct if_clone_addreq *req)
{
	struct if_clone *ifc;

	KASSERT(req->create_f != NULL && req->destroy_f != NULL,
	    ("%s: %s without methods", __func__, name));
	ifc = malloc(sizeof(*ifc), M_CLONE, M_WAITOK | M_ZERO);
	strlcpy(ifc->ifc_name, name, sizeof(ifc->ifc_name));
	ifc->ifc_req = *req;
	ifc->ifc_vnet = curvnet;
	LIST_INIT(&ifc->ifc_iflist);
	sx_xlock(&ifnet_detach_sxlock);
	LIST_INSERT_HEAD(&V_if_cloners, ifc, ifc_list);
	sx_xunlock(&ifnet_detach_sxlock);
	return (ifc);
}

static int
if_clone_destroyif_locked(struct if_clone *ifc, struct ifnet *ifp, uint32_t flags)
{
	int error;

	sx_assert(&ifnet_detach_sxlock, SA_XLOCKED);
	/* It may have moved since it was made. */
	CURVNET_SET_QUIET(ifp->if_vnet);
	LIST_REMOVE(ifp, if_clones);
	error = ifc->ifc_req.destroy_f(ifc, ifp, flags);
	if (error != 0)
		LIST_INSERT_HEAD(&ifc->ifc_iflist, ifp, if_clones);
	CURVNET_RESTORE();
	return (error);
}

void
ifc_detach_cloner(struct if_clone *ifc)
{
	struct ifnet *ifp;

	sx_xlock(&ifnet_detach_sxlock);
	while ((ifp = LIST_FIRST(&ifc->ifc_iflist)) != NULL)
		if_clone_destroyif_locked(ifc, ifp, IFC_F_FORCE);
	LIST_REMOVE(ifc, ifc_list);
	sx_xunlock(&ifnet_detach_sxlock);
	free(ifc, M_CLONE);
}

const char *
ifc_name(struct if_clone *ifc)
{
	return (ifc->ifc_name);
}

void
ifc_flags_set(struct if_clone *ifc, int flags)
{
	ifc->ifc_req.flags = flags;
}

/* "epair12" is unit 12, "epair" asks for any: -1. */
int
ifc_name2unit(const char *name, int *unit)
{
	const char *cp;
	int n;

	for (cp = name; *cp != '\0' && (*cp < '0' || *cp > '9'); cp++)
		;
	if (*cp == '\0') {
		*unit = -1;
		return (0);
	}
	if (cp[0] == '0' && cp[1] != '\0')
		return (EINVAL);
	for (n = 0; *cp >= '0' && *cp <= '9'; cp++) {
		n = n * 10 + *cp - '0';
		if (n > IFC_MAXUNIT)
			return (EINVAL);
	}
	*unit = n;
	return (*cp == '\0' ? 0 : EINVAL);
}

int
ifc_alloc_unit(struct if_clone *ifc, int *unit)
{
	int u, last;

	last = *unit >= 0 ? *unit : IFC_MAXUNIT;
	for (u = MAX(*unit, 0); u <= last; u++)
		if ((ifc->ifc_units[u / 8] & (1 << (u % 8))) == 0) {
			ifc->ifc_units[u / 8] |= 1 << (u % 8);
			*unit = u;
			return (0);
		}
	return (*unit >= 0 ? EEXIST : ENOSPC);
}

void
ifc_free_unit(struct if_clone *ifc, int unit)
{
	ifc->ifc_units[unit / 8] &= ~(1 << (unit % 8));
}

void
if_clone_addif(struct if_clone *ifc, struct ifnet *ifp)
{
	ifp->if_cloner = ifc;
	LIST_INSERT_HEAD(&ifc->ifc_iflist, ifp, if_clones);
}

static struct if_clone *
if_clone_find(const char *name, int unit)
{
	struct if_clone *ifc;
	size_t n;

	LIST_FOREACH(ifc, &V_if_cloners, ifc_list) {
		n = strlen(ifc->ifc_name);
		if (strncmp(name, ifc->ifc_name, n) == 0 &&
		    (name[n] == '\0' || (name[n] >= '0' && name[n] <= '9')))
			return (ifc);
	}
	return (NULL);
}

/* On success name is what became of it: epair0a for epair. */
int
if_clone_create(char *name, size_t len, caddr_t params)
{
	struct ifc_data ifd = { .params = params, .vnet = curvnet };
	struct if_clone *ifc;
	struct ifnet *ifp;
	char any[IFNAMSIZ];
	int error, unit;
	bool wildcard;

	if (ifunit(name) != NULL)
		return (EEXIST);
	error = ifc_name2unit(name, &unit);
	if (error != 0)
		return (error);
	sx_xlock(&ifnet_detach_sxlock);
	ifc = if_clone_find(name, unit);
	if (ifc == NULL) {
		sx_xunlock(&ifnet_detach_sxlock);
		return (EINVAL);
	}
	wildcard = unit < 0;
	do {
		error = ifc_alloc_unit(ifc, &unit);
		if (error != 0)
			break;
		/* A guest from another vnet may go by that name here. */
		snprintf(any, sizeof(any), "%s%d", ifc->ifc_name, unit);
		strlcpy(name, any, len);
		ifd.unit = unit;
		ifp = NULL;
		error = ifc->ifc_req.create_f(ifc, name, len, &ifd, &ifp);
		if (error == 0)
			if_clone_addif(ifc, ifp);
		else
			ifc_free_unit(ifc, unit);
		unit++;
	} while (wildcard && error == EEXIST && unit <= IFC_MAXUNIT);
	sx_xunlock(&ifnet_detach_sxlock);
	return (error);
}

int
ifc_create_ifp(const char *name, struct ifc_data *ifd, struct ifnet **ifpp)
{
	char buf[IFNAMSIZ];
	int error;

	strlcpy(buf, name, sizeof(buf));
	error = if_clone_create(buf, sizeof(buf), ifd->params);
	if (error == 0 && ifpp != NULL)
		*ifpp = ifunit(buf);
	return (error);
}

int
if_clone_destroyif_flags(struct if_clone *ifc, struct ifnet *ifp, uint32_t flags)
{
	int error;

	sx_xlock(&ifnet_detach_sxlock);
	error = if_clone_destroyif_locked(ifc, ifp, flags);
	sx_xunlock(&ifnet_detach_sxlock);
	return (error);
}

int
if_clone_destroyif(struct if_clone *ifc, struct ifnet *ifp)
{
	return (if_clone_destroyif_flags(ifc, ifp, 0));
}

int
if_clone_destroy(const char *name)
{
	struct ifnet *ifp;
	int error;

	sx_xlock(&ifnet_detach_sxlock);
	ifp = ifunit(name);
	if (ifp == NULL)
		error = ENXIO;
	else if (ifp->if_cloner == NULL)
		error = EOPNOTSUPP;
	else
		error = if_clone_destroyif_locked(ifp->if_cloner, ifp, 0);
	sx_xunlock(&ifnet_detach_sxlock);
	return (error);
}

static void
vnet_if_clone_init(const void *unused __unused)
{
	LIST_INIT(&V_if_cloners);
}
VNET_SYSINIT(vnet_if_clone_init, SI_SUB_INIT_IF, SI_ORDER_FIRST, vnet_if_clone_init, NULL);
