/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lo0, one to a vnet.  Its packets come back through the netisr queue, so
 * that a sender's locks are not held when they are received.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/epoch.h>
#include <sys/kernel.h>
#include <sys/mbuf.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <net/bpf.h>
#include <net/if.h>
#include <net/if_clone.h>
#include <net/if_private.h>
#include <net/if_types.h>
#include <net/netisr.h>
#include <net/route.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include "if_internal.h"

#define	LOMTU	16384
#define	LO_CSUM_FEATURES	(CSUM_IP | CSUM_TCP | CSUM_UDP)
#define	LO_CSUM_SET							\
	(CSUM_DATA_VALID | CSUM_PSEUDO_HDR | CSUM_IP_CHECKED | CSUM_IP_VALID)

VNET_DEFINE_STATIC(struct if_clone *, lo_cloner);
#define	V_lo_cloner	VNET(lo_cloner)

int
if_simloop(struct ifnet *ifp, struct mbuf *m, int af, int hlen)
{
	M_ASSERTPKTHDR(m);
	m_tag_delete_nonpersistent(m);
	m->m_pkthdr.rcvif = ifp;
	if (hlen > 0)
		m_adj(m, hlen);
	if (af != AF_INET) {
		m_freem(m);
		return (EAFNOSUPPORT);
	}
	m_clrprotoflags(m);
	if_inc_counter(ifp, IFCOUNTER_IPACKETS, 1);
	if_inc_counter(ifp, IFCOUNTER_IBYTES, m->m_pkthdr.len);
	return (netisr_queue(NETISR_IP, m));
}

static int
looutput(struct ifnet *ifp, struct mbuf *m, const struct sockaddr *dst,
    struct route *ro)
{
	NET_EPOCH_ASSERT();
	M_ASSERTPKTHDR(m);
	/* Nothing on the way can break it. */
	m->m_pkthdr.csum_data = 0xffff;
	m->m_pkthdr.csum_flags = LO_CSUM_SET;
	if_inc_counter(ifp, IFCOUNTER_OPACKETS, 1);
	if_inc_counter(ifp, IFCOUNTER_OBYTES, m->m_pkthdr.len);
	return (if_simloop(ifp, m, dst->sa_family, 0));
}

static __racy_by_design int
loioctl(struct ifnet *ifp, u_long cmd, caddr_t data)
{
	struct ifreq *ifr = (struct ifreq *)data;

	switch (cmd) {
	case SIOCSIFADDR:
		if_up(ifp);
		break;
	case SIOCSIFMTU:
		ifp->if_mtu = ifr->ifr_mtu;
		break;
	case SIOCSIFFLAGS:
		break;
	default:
		return (EINVAL);
	}
	return (0);
}

static int
lo_clone_create(struct if_clone *ifc, char *name, size_t len, struct ifc_data *ifd,
    struct ifnet **ifpp)
{
	struct ifnet *ifp;

	ifp = if_alloc(IFT_LOOP);
	if_initname(ifp, "lo", ifd->unit);
	ifp->if_mtu = LOMTU;
	ifp->if_flags = IFF_LOOPBACK | IFF_MULTICAST;
	ifp->if_drv_flags = IFF_DRV_RUNNING;
	ifp->if_ioctl = loioctl;
	ifp->if_output = looutput;
	ifp->if_capabilities = ifp->if_capenable = IFCAP_HWCSUM;
	ifp->if_hwassist = LO_CSUM_FEATURES;
	if_attach(ifp);
	if (V_loif == NULL)
		V_loif = ifp;
	*ifpp = ifp;
	return (0);
}

static int
lo_clone_destroy(struct if_clone *ifc, struct ifnet *ifp, uint32_t flags)
{
	if (ifp == V_loif && (flags & IFC_F_FORCE) == 0)
		return (EINVAL);
	if_detach(ifp);
	if (ifp == V_loif)
		V_loif = NULL;
	if_free(ifp);
	return (0);
}

static void
vnet_loif_init(const void *unused __unused)
{
	struct if_clone_addreq req = {
		.create_f = lo_clone_create,
		.destroy_f = lo_clone_destroy,
		.flags = IFC_F_AUTOUNIT,
	};
	struct ifc_data ifd = { .unit = 0 };

	V_lo_cloner = ifc_attach_cloner("lo", &req);
	ifc_create_ifp("lo0", &ifd, NULL);
}
VNET_SYSINIT(vnet_loif_init, SI_SUB_PSEUDO, SI_ORDER_ANY, vnet_loif_init, NULL);

static void
vnet_loif_uninit(const void *unused __unused)
{
	ifc_detach_cloner(V_lo_cloner);
}
VNET_SYSUNINIT(vnet_loif_uninit, SI_SUB_VNET_DONE, SI_ORDER_FIRST, vnet_loif_uninit, NULL);

/* 127.0.0.1/8 is rc's work on FreeBSD; here there is no rc. */
static void
vnet_loif_address(const void *unused __unused)
{
	struct in_addr addr = { htonl(INADDR_LOOPBACK) };
	struct in_addr mask = { htonl(0xff000000) };

	if (IS_DEFAULT_VNET(curvnet)) {
		in_aifaddr(V_loif, addr, mask, NULL, false);
		if_up(V_loif);
	}
}
VNET_SYSINIT(vnet_loif_address, SI_SUB_PROTO_END, SI_ORDER_ANY, vnet_loif_address, NULL);
