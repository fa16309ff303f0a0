/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arp(8)
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/sx.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_llatbl.h>
#include <net/if_private.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include "net/if_internal.h"
#include "userland/userland.h"

struct show {
	const struct in_addr	*only;
	int			 shown;
};

static int
print_entry(const struct lle_info *li, void *arg)
{
	struct show *s = arg;
	char addr[INET_ADDRSTRLEN];
	const uint8_t *e = li->li_lladdr;

	if (s->only != NULL && s->only->s_addr != li->li_addr.s_addr)
		return (0);
	s->shown++;
	u_printf("? (%s) at ", inet_ntoa_r(li->li_addr, addr));
	if (li->li_flags & LLE_VALID)
		u_printf("%02x:%02x:%02x:%02x:%02x:%02x", e[0], e[1], e[2], e[3], e[4], e[5]);
	else
		u_printf("(incomplete)");
	u_printf(" on %s", li->li_ifname);
	if (li->li_expire < 0)
		u_printf(" permanent");
	else if (li->li_expire > 0)
		u_printf(" expires in %d seconds", li->li_expire);
	else
		u_printf(" expired");
	if (li->li_flags & LLE_PUB)
		u_printf(" published");
	u_printf(" [ethernet]\n");
	return (0);
}

static int
show(const char *ifname, const struct in_addr *only)
{
	struct show s = { only, 0 };
	struct ifnet *ifp;

	sx_slock(&ifnet_detach_sxlock);
	CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link)
		if ((ifname == NULL || strcmp(ifname, ifp->if_xname) == 0) &&
		    (ifp->if_flags & IFF_LOOPBACK) == 0)
			(void)lltable_walk(ifp, print_entry, &s);
	sx_sunlock(&ifnet_detach_sxlock);
	return (s.shown);
}

struct forget {
	struct ifnet		*ifp;
	const struct in_addr	*only;
	int			 n;
};

static int
forget_entry(const struct lle_info *li, void *arg)
{
	struct forget *f = arg;
	char addr[INET_ADDRSTRLEN];

	if ((f->only != NULL && f->only->s_addr != li->li_addr.s_addr) ||
	    (f->only == NULL && (li->li_flags & LLE_STATIC)))
		return (0);
	if (lltable_delete_addr(in_lltable_get(f->ifp), li->li_addr) == 0) {
		f->n++;
		(void)inet_ntoa_r(li->li_addr, addr);
		u_printf("%s (%s) deleted\n", addr, addr);
	}
	return (0);
}

static int
forget(const struct in_addr *only)
{
	struct forget f = { NULL, only, 0 };
	struct ifnet *ifp;

	sx_slock(&ifnet_detach_sxlock);
	CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link) {
		f.ifp = ifp;
		(void)lltable_walk(ifp, forget_entry, &f);
	}
	sx_sunlock(&ifnet_detach_sxlock);
	return (f.n);
}

static int
parse_lladdr(const char *s, uint8_t *e)
{
	u_int i, v, n;

	for (i = 0; i < ETHER_ADDR_LEN; i++) {
		for (v = n = 0; n < 2 && ((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'f') ||
		    (*s >= 'A' && *s <= 'F')); n++, s++)
			v = v * 16 + (*s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10);
		if (n == 0 || (i < ETHER_ADDR_LEN - 1 && *s++ != ':'))
			return (EINVAL);
		e[i] = v;
	}
	return (*s == '\0' ? 0 : EINVAL);
}

static int
set(int argc, char **argv)
{
	struct in_addr addr;
	struct ifnet *ifp;
	struct in_ifaddr *ia;
	uint8_t e[ETHER_ADDR_LEN];
	int error;

	if (argc < 2 || inet_pton(AF_INET, argv[0], &addr) != 1 || parse_lladdr(argv[1], e) != 0) {
		u_eprintf("usage: arp -s hostname ether_addr [temp]\n");
		return (1);
	}
	error = ENETUNREACH;
	sx_slock(&ifnet_detach_sxlock);
	CK_STAILQ_FOREACH(ia, &V_in_ifaddrhead, ia_link) {
		ifp = ia->ia_ifp;
		if ((ntohl(addr.s_addr) & ia->ia_subnetmask) == ia->ia_subnet &&
		    (ifp->if_flags & IFF_LOOPBACK) == 0) {
			error = lltable_add_static(in_lltable_get(ifp), addr, e,
			    argc > 2 && strcmp(argv[2], "temp") == 0);
			break;
		}
	}
	sx_sunlock(&ifnet_detach_sxlock);
	if (error != 0)
		u_warn("arp", error, "%s", argv[0]);
	return (error != 0);
}

static int
arp(int argc, char **argv)
{
	const char *ifname;
	struct in_addr addr;
	char buf[INET_ADDRSTRLEN];
	int i;
	bool all, del;

	ifname = NULL;
	all = del = false;
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		const char *p;

		if (strcmp(argv[i], "-s") == 0)
			return (set(argc - i - 1, argv + i + 1));
		if (strcmp(argv[i], "-i") == 0 && i + 1 < argc) {
			ifname = argv[++i];
			continue;
		}
		for (p = argv[i] + 1; *p != '\0'; p++)
			switch (*p) {
			case 'a': all = true; break;
			case 'd': del = true; break;
			case 'n': break;
			default: goto usage;
			}
	}
	if (all) {
		if (del)
			forget(NULL);
		else
			show(ifname, NULL);
		return (0);
	}
	if (i == argc)
		goto usage;
	if (inet_pton(AF_INET, argv[i], &addr) != 1) {
		u_warnx("arp", "%s: hostname lookup is not supported", argv[i]);
		return (1);
	}
	if (del) {
		if (forget(&addr) > 0)
			return (0);
		u_warnx("arp", "%s: can't locate", argv[i]);
		return (1);
	}
	if (show(ifname, &addr) > 0)
		return (0);
	u_printf("%s (%s) -- no entry\n", argv[i], inet_ntoa_r(addr, buf));
	return (1);
usage:
	u_eprintf("usage: arp [-n] [-i interface] hostname\n"
	    "       arp [-n] [-i interface] -a\n"
	    "       arp -d hostname\n"
	    "       arp -d -a\n"
	    "       arp -s hostname ether_addr [temp]\n");
	return (1);
}

static int
cmd_arp(int argc, char **argv)
{
	int rv;

	CURVNET_SET(TD_TO_VNET(curthread));
	rv = arp(argc, argv);
	CURVNET_RESTORE();
	return (rv);
}
USERCMD(arp, cmd_arp);
