/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ifconfig(8)
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/ck.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/jail.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/sx.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_bridgevar.h>
#include <net/if_clone.h>
#include <net/if_dl.h>
#include <net/if_private.h>
#include <net/if_types.h>
#include <net/route.h>
#include <net/route/route_ctl.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include "net/if_internal.h"
#include "userland/jailutil.h"
#include "userland/userland.h"

static const struct bitname {
	uint32_t	 bit;
	const char	*name;
} flag_names[] = {
	{ IFF_UP, "UP" }, { IFF_BROADCAST, "BROADCAST" }, { IFF_DEBUG, "DEBUG" },
	{ IFF_LOOPBACK, "LOOPBACK" }, { IFF_POINTOPOINT, "POINTOPOINT" },
	{ IFF_DRV_RUNNING, "RUNNING" }, { IFF_NOARP, "NOARP" }, { IFF_PROMISC, "PROMISC" },
	{ IFF_ALLMULTI, "ALLMULTI" }, { IFF_DRV_OACTIVE, "OACTIVE" },
	{ IFF_SIMPLEX, "SIMPLEX" }, { IFF_LINK0, "LINK0" }, { IFF_LINK1, "LINK1" },
	{ IFF_LINK2, "LINK2" }, { IFF_MULTICAST, "MULTICAST" }, { IFF_PPROMISC, "PPROMISC" },
	{ IFF_MONITOR, "MONITOR" }, { IFF_STATICARP, "STATICARP" },
	{ IFF_NETLINK_1, "LOWER_UP" }, { 0, NULL }
}, cap_names[] = {
	{ IFCAP_RXCSUM, "RXCSUM" }, { IFCAP_TXCSUM, "TXCSUM" }, { IFCAP_VLAN_MTU, "VLAN_MTU" },
	{ IFCAP_VLAN_HWTAGGING, "VLAN_HWTAGGING" }, { IFCAP_LINKSTATE, "LINKSTATE" }, { 0, NULL }
};

static void
print_bits(uint32_t v, const struct bitname *names)
{
	char sep = '<';

	for (; names->name != NULL; names++)
		if (v & names->bit) {
			u_printf("%c%s", sep, names->name);
			sep = ',';
		}
	if (sep == ',')
		u_printf(">");
}

static int
print_member(struct ifnet *ifp, void *arg)
{
	char *text = arg;

	strlcat(text, "\tmember: ", 2048);
	strlcat(text, ifp->if_xname, 2048);
	strlcat(text, " flags=143<LEARNING,DISCOVER,AUTOEDGE,AUTOPTP>\n", 2048);
	return (0);
}

/* The interface lists may not change while this prints: the caller sees to that. */
static void
print_status(struct ifnet *ifp)
{
	char a[INET_ADDRSTRLEN], b[INET_ADDRSTRLEN], *members;
	struct ifg_list *ifgl;
	struct in_ifaddr *ia;
	struct ifaddr *ifa;
	const u_char *ll;
	uint32_t flags;

	flags = ifp->if_flags | ifp->if_drv_flags;
	if (ifp->if_link_state == LINK_STATE_UP || (ifp->if_flags & IFF_LOOPBACK))
		flags |= IFF_NETLINK_1;
	u_printf("%s: flags=%x", ifp->if_xname, flags);
	print_bits(flags, flag_names);
	u_printf(" metric %u mtu %u\n", ifp->if_metric, ifp->if_mtu);
	if (ifp->if_description != NULL)
		u_printf("\tdescription: %s\n", ifp->if_description);
	if (ifp->if_capenable != 0) {
		u_printf("\toptions=%x", ifp->if_capenable);
		print_bits(ifp->if_capenable, cap_names);
		u_printf("\n");
	}
	if (ifp->if_addrlen == ETHER_ADDR_LEN) {
		ll = (const u_char *)IF_LLADDR(ifp);
		u_printf("\tether %02x:%02x:%02x:%02x:%02x:%02x\n", ll[0], ll[1], ll[2], ll[3],
		    ll[4], ll[5]);
		if (ifp->if_hw_addr != NULL && memcmp(ll, ifp->if_hw_addr, ETHER_ADDR_LEN) != 0) {
			ll = ifp->if_hw_addr;
			u_printf("\thwaddr %02x:%02x:%02x:%02x:%02x:%02x\n", ll[0], ll[1],
			    ll[2], ll[3], ll[4], ll[5]);
		}
	}
	CK_STAILQ_FOREACH(ifa, &ifp->if_addrhead, ifa_link) {
		if (ifa->ifa_addr->sa_family != AF_INET)
			continue;
		ia = (struct in_ifaddr *)ifa;
		u_printf("\tinet %s netmask 0x%08lx", inet_ntoa_r(IA_SIN(ia)->sin_addr, a),
		    ia->ia_subnetmask);
		if (ifp->if_flags & IFF_BROADCAST)
			u_printf(" broadcast %s", inet_ntoa_r(ia->ia_broadaddr.sin_addr, b));
		u_printf("\n");
	}
	if (ifp->if_type == IFT_BRIDGE) {
		members = u_calloc(2048);
		(void)bridge_members(ifp, print_member, members);
		u_printf("%s", members);
		u_free(members);
	}
	if (!CK_STAILQ_EMPTY(&ifp->if_groups)) {
		u_printf("\tgroups:");
		CK_STAILQ_FOREACH(ifgl, &ifp->if_groups, ifgl_next)
			u_printf(" %s", ifgl->ifgl_group->ifg_group);
		u_printf("\n");
	}
	if (ifp->if_type == IFT_ETHER) {
		u_printf("\tmedia: Ethernet 10Gbase-T (10Gbase-T <full-duplex>)\n");
		u_printf("\tstatus: %s\n", ifp->if_link_state == LINK_STATE_UP ? "active" :
		    "no carrier");
	}
}

static int
list_interfaces(bool names, bool up, bool down)
{
	struct ifnet *ifp;
	bool first = true;

	sx_slock(&ifnet_detach_sxlock);
	CK_STAILQ_FOREACH(ifp, &V_ifnet, if_link) {
		if ((up && (ifp->if_flags & IFF_UP) == 0) || (down && (ifp->if_flags & IFF_UP)))
			continue;
		if (names) {
			u_printf("%s%s", first ? "" : " ", ifp->if_xname);
			first = false;
		} else
			print_status(ifp);
	}
	sx_sunlock(&ifnet_detach_sxlock);
	if (names)
		u_printf("\n");
	return (0);
}

static int
usage(void)
{
	u_eprintf("usage: ifconfig interface [create] [inet address[/prefixlength] "
	    "[netmask mask] [broadcast addr]\n"
	    "                [alias | -alias | delete]] [up | down] [mtu n] [ether addr]\n"
	    "                [name newname] [vnet jail | -vnet jail] [addm if | deletem if]\n"
	    "       ifconfig interface destroy\n"
	    "       ifconfig -a [-d] [-u]\n"
	    "       ifconfig -l [-d] [-u]\n");
	return (1);
}

static int
parse_ether(const char *s, uint8_t *addr)
{
	u_int i, v, n;

	for (i = 0; i < ETHER_ADDR_LEN; i++) {
		for (v = n = 0; n < 3; n++, s++) {
			if (*s >= '0' && *s <= '9')
				v = v * 16 + *s - '0';
			else if (*s >= 'a' && *s <= 'f')
				v = v * 16 + *s - 'a' + 10;
			else if (*s >= 'A' && *s <= 'F')
				v = v * 16 + *s - 'A' + 10;
			else
				break;
		}
		if (n == 0 || v > 255)
			return (EINVAL);
		addr[i] = v;
		if (i < ETHER_ADDR_LEN - 1 && *s != ':' && *s != '-')
			return (EINVAL);
		if (i < ETHER_ADDR_LEN - 1)
			s++;
	}
	return (*s == '\0' ? 0 : EINVAL);
}

/* 0xffffff00 or 255.255.255.0 */
static int
parse_mask(const char *s, struct in_addr *mask)
{
	int64_t v;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		if (u_parse_int(s, &v) != 0 || v < 0 || v > 0xffffffffLL)
			return (EINVAL);
		mask->s_addr = htonl((uint32_t)v);
	} else if (inet_pton(AF_INET, s, mask) != 1)
		return (EINVAL);
	return (in_mask2len(mask) < 0 ? EINVAL : 0);
}

/* Without a mask the class of the address says what it is, as ever. */
static struct in_addr
class_mask(struct in_addr addr)
{
	in_addr_t a = ntohl(addr.s_addr);
	struct in_addr mask;

	mask.s_addr = htonl(IN_CLASSA(a) ? 0xff000000 : IN_CLASSB(a) ? 0xffff0000 : 0xffffff00);
	return (mask);
}

struct inet_args {
	struct in_addr	addr, mask, bcast;
	bool		have, masked, hasbcast, alias, remove;
};

static int
set_address(struct ifnet *ifp, struct inet_args *in)
{
	int error;

	if (!in->have)
		return (0);
	if (in->remove) {
		error = in_difaddr(ifp, in->addr);
		if (error != 0)
			u_warn("ifconfig", error, "ioctl (SIOCDIFADDR)");
		return (error);
	}
	if (!in->masked)
		in->mask = class_mask(in->addr);
	error = in_aifaddr(ifp, in->addr, in->mask, in->hasbcast ? &in->bcast : NULL, in->alias);
	if (error != 0)
		u_warn("ifconfig", error, "ioctl (SIOCAIFADDR)");
	return (error);
}

static int
set_mtu(struct ifnet *ifp, const char *word)
{
	struct ifreq ifr;
	int64_t v;
	int error;

	if (u_parse_int(word, &v) != 0 || v < 72 || v > 65535)
		error = EINVAL;
	else {
		bzero(&ifr, sizeof(ifr));
		ifr.ifr_mtu = v;
		error = ifp->if_ioctl(ifp, SIOCSIFMTU, (caddr_t)&ifr);
		if (error == 0)
			rt_updatemtu(ifp);
	}
	if (error != 0)
		u_warn("ifconfig", error, "ioctl SIOCSIFMTU (set mtu)");
	return (error);
}

static int
set_flags(struct ifnet *ifp, int set, int clear)
{
	IFNET_WLOCK();
	if_setflagbits(ifp, set, clear);
	IFNET_WUNLOCK();
	return (0);
}

static int
move_to_jail(struct ifnet *ifp, const char *jail)
{
	struct prison *pr;
	int error;

	pr = u_find_jail(jail);
	if (pr == NULL) {
		u_warnx("ifconfig", "jail \"%s\" not found", jail);
		return (ENOENT);
	}
	error = if_vmove(ifp, pr->pr_vnet);
	u_release_jail(pr);
	if (error != 0)
		u_warn("ifconfig", error, "SIOCSIFVNET");
	return (error);
}

/* The other way: the interface is in the jail, and comes here. */
static int
fetch_from_jail(const char *name, const char *jail)
{
	struct prison *pr;
	struct vnet *here = curvnet;
	struct ifnet *ifp;
	int error;

	pr = u_find_jail(jail);
	if (pr == NULL) {
		u_warnx("ifconfig", "jail \"%s\" not found", jail);
		return (1);
	}
	CURVNET_SET(pr->pr_vnet);
	ifp = ifunit_ref(name);
	error = ifp == NULL ? ENXIO : if_vmove(ifp, here);
	if (ifp != NULL)
		if_rele(ifp);
	CURVNET_RESTORE();
	u_release_jail(pr);
	if (error != 0)
		u_warn("ifconfig", error, "SIOCSIFRVNET (%s)", name);
	return (error != 0);
}

static int
set_lladdr(struct ifnet *ifp, const char *word)
{
	uint8_t addr[ETHER_ADDR_LEN];
	int error;

	error = parse_ether(word, addr);
	if (error != 0) {
		u_warnx("ifconfig", "malformed link-level address");
		return (error);
	}
	error = if_setlladdr(ifp, addr, sizeof(addr));
	if (error != 0)
		u_warn("ifconfig", error, "ioctl (set lladdr)");
	return (error);
}

/* Words that have one after them. */
static bool
takes_word(const char *w)
{
	static const char *const words[] = { "mtu", "ether", "lladdr", "link", "name", "vnet",
	    "addm", "deletem", "netmask", "broadcast", "description", "descr", "metric", NULL };
	int i;

	for (i = 0; words[i] != NULL; i++)
		if (strcmp(w, words[i]) == 0)
			return (true);
	return (false);
}

static int
apply(struct ifnet *ifp, int argc, char **argv)
{
	struct inet_args in;
	struct us_slash { char addr[INET_ADDRSTRLEN]; } host;
	const char *w, *slash;
	int64_t plen;
	int error, i;
	bool up, down;

	bzero(&in, sizeof(in));
	up = down = false;
	error = 0;
	for (i = 0; i < argc && error == 0; i++) {
		w = argv[i];
		if (takes_word(w) && i + 1 == argc) {
			u_warnx("ifconfig", "'%s' requires argument", w);
			return (EINVAL);
		}
		if (strcmp(w, "up") == 0)
			up = true;
		else if (strcmp(w, "down") == 0)
			down = true;
		else if (strcmp(w, "alias") == 0 || strcmp(w, "add") == 0)
			in.alias = true;
		else if (strcmp(w, "-alias") == 0 || strcmp(w, "delete") == 0 ||
		    strcmp(w, "remove") == 0) {
			in.remove = true;
			in.have = true;
		} else if (strcmp(w, "inet") == 0)
			continue;
		else if (strcmp(w, "create") == 0 || strcmp(w, "plumb") == 0)
			continue;
		else if (strcmp(w, "arp") == 0)
			error = set_flags(ifp, 0, IFF_NOARP);
		else if (strcmp(w, "-arp") == 0)
			error = set_flags(ifp, IFF_NOARP, 0);
		else if (strcmp(w, "staticarp") == 0)
			error = set_flags(ifp, IFF_STATICARP, 0);
		else if (strcmp(w, "-staticarp") == 0)
			error = set_flags(ifp, 0, IFF_STATICARP);
		else if (strcmp(w, "promisc") == 0)
			error = ifpromisc(ifp, 1);
		else if (strcmp(w, "-promisc") == 0)
			error = ifpromisc(ifp, 0);
		else if (strcmp(w, "mtu") == 0)
			error = set_mtu(ifp, argv[++i]);
		else if (strcmp(w, "metric") == 0)
			i++;
		else if (strcmp(w, "ether") == 0 || strcmp(w, "lladdr") == 0 ||
		    strcmp(w, "link") == 0)
			error = set_lladdr(ifp, argv[++i]);
		else if (strcmp(w, "name") == 0) {
			error = if_rename(ifp, argv[++i]);
			if (error != 0)
				u_warn("ifconfig", error, "ioctl SIOCSIFNAME (set name)");
			else
				u_printf("%s\n", argv[i]);
		} else if (strcmp(w, "netmask") == 0) {
			in.masked = true;
			error = parse_mask(argv[++i], &in.mask);
			if (error != 0)
				u_warnx("ifconfig", "%s: bad value", argv[i]);
		} else if (strcmp(w, "broadcast") == 0) {
			in.hasbcast = true;
			error = inet_pton(AF_INET, argv[++i], &in.bcast) == 1 ? 0 : EINVAL;
			if (error != 0)
				u_warnx("ifconfig", "%s: bad value", argv[i]);
		} else {
			for (slash = w; *slash != '\0' && *slash != '/'; slash++)
				;
			if ((size_t)(slash - w) >= sizeof(host.addr)) {
				u_warnx("ifconfig", "%s: bad value", w);
				return (EINVAL);
			}
			memcpy(host.addr, w, slash - w);
			host.addr[slash - w] = '\0';
			if (inet_pton(AF_INET, host.addr, &in.addr) != 1) {
				u_warnx("ifconfig", "%s: bad value", w);
				return (EINVAL);
			}
			in.have = true;
			if (*slash == '/') {
				if (u_parse_int(slash + 1, &plen) != 0 || plen < 0 || plen > 32) {
					u_warnx("ifconfig", "%s: bad value (width too large)", w);
					return (EINVAL);
				}
				in.masked = true;
				in.mask.s_addr = htonl(plen == 0 ? 0 : 0xffffffffU << (32 - plen));
			}
		}
	}
	if (error == 0)
		error = set_address(ifp, &in);
	if (error == 0 && down)
		if_down(ifp);
	if (error == 0 && up)
		if_up(ifp);
	return (error);
}

/* Words that move interfaces take the lock themselves, and come alone. */
static int
apply_one(struct ifnet *ifp, const char *w, const char *arg)
{
	int error;

	if (strcmp(w, "vnet") == 0)
		return (move_to_jail(ifp, arg));
	error = strcmp(w, "addm") == 0 ? bridge_addm(ifp, arg) : bridge_deletem(ifp, arg);
	if (error != 0)
		u_warn("ifconfig", error, "BRDG%s %s", w[0] == 'a' ? "ADD" : "DEL", arg);
	return (error);
}

static int
configure(const char *name, int argc, char **argv)
{
	struct ifnet *ifp;
	int error, i, n;

	ifp = ifunit_ref(name);
	if (ifp == NULL) {
		u_warnx("ifconfig", "interface %s does not exist", name);
		return (1);
	}
	error = 0;
	for (i = 0; i < argc && error == 0; i += n) {
		if (strcmp(argv[i], "vnet") == 0 || strcmp(argv[i], "addm") == 0 ||
		    strcmp(argv[i], "deletem") == 0) {
			if (i + 1 == argc) {
				u_warnx("ifconfig", "'%s' requires argument", argv[i]);
				error = EINVAL;
				break;
			}
			error = apply_one(ifp, argv[i], argv[i + 1]);
			n = 2;
			continue;
		}
		for (n = 1; i + n < argc && strcmp(argv[i + n], "vnet") != 0 &&
		    strcmp(argv[i + n], "addm") != 0 && strcmp(argv[i + n], "deletem") != 0; n++)
			;
		sx_xlock(&ifnet_detach_sxlock);
		if (ifp->if_vnet != curvnet || (ifp->if_flags & IFF_DYING)) {
			u_warnx("ifconfig", "interface %s does not exist", name);
			error = ENXIO;
		} else
			error = apply(ifp, n, argv + i);
		sx_xunlock(&ifnet_detach_sxlock);
	}
	if_rele(ifp);
	return (error != 0);
}

static int
ifconfig(int argc, char **argv)
{
	struct ifnet *ifp;
	char name[IFNAMSIZ];
	int error, i;
	bool names, all, up, down;

	names = all = up = down = false;
	for (i = 1; i < argc && argv[i][0] == '-' && strcmp(argv[i], "-vnet") != 0; i++) {
		const char *p;

		for (p = argv[i] + 1; *p != '\0'; p++)
			switch (*p) {
			case 'a': all = true; break;
			case 'l': names = true; break;
			case 'u': up = true; break;
			case 'd': down = true; break;
			case 'n': case 'v': case 'm': break;
			default: return (usage());
			}
	}
	argc -= i;
	argv += i;
	if (argc == 0 || all || names)
		return (list_interfaces(names, up, down));

	if (strlen(argv[0]) >= sizeof(name)) {
		u_warnx("ifconfig", "interface name '%s' too long", argv[0]);
		return (1);
	}
	strlcpy(name, argv[0], sizeof(name));
	if (argc == 1) {
		sx_slock(&ifnet_detach_sxlock);
		ifp = ifunit(name);
		if (ifp != NULL)
			print_status(ifp);
		sx_sunlock(&ifnet_detach_sxlock);
		if (ifp == NULL) {
			u_warnx("ifconfig", "interface %s does not exist", name);
			return (1);
		}
		return (0);
	}
	if (strcmp(argv[1], "destroy") == 0 || strcmp(argv[1], "unplumb") == 0) {
		error = if_clone_destroy(name);
		if (error == ENXIO)
			u_warnx("ifconfig", "interface %s does not exist", name);
		else if (error != 0)
			u_warn("ifconfig", error, "SIOCIFDESTROY");
		return (error != 0);
	}
	if (strcmp(argv[1], "-vnet") == 0) {
		if (argc != 3)
			return (usage());
		return (fetch_from_jail(name, argv[2]));
	}
	for (i = 1; i < argc && strcmp(argv[i], "create") != 0 && strcmp(argv[i], "plumb") != 0; i++)
		if (takes_word(argv[i]))
			i++;
	if (i < argc) {
		error = if_clone_create(name, sizeof(name), NULL);
		if (error != 0) {
			u_warn("ifconfig", error, "SIOCIFCREATE2 (%s)", argv[0]);
			return (1);
		}
		if (argc > 2 && (error = configure(name, argc - 1, argv + 1)) != 0)
			return (error);
		/* The name is news when the number was ours to choose. */
		if (strcmp(name, argv[0]) != 0)
			u_printf("%s\n", name);
		return (0);
	}
	return (configure(name, argc - 1, argv + 1));
}

static int
cmd_ifconfig(int argc, char **argv)
{
	int rv;

	CURVNET_SET(TD_TO_VNET(curthread));
	rv = ifconfig(argc, argv);
	CURVNET_RESTORE();
	return (rv);
}
USERCMD(ifconfig, cmd_ifconfig);
