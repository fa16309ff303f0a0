/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route(8): add, delete, get, flush.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/epoch.h>
#include <sys/errno.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <net/if.h>
#include <net/if_private.h>
#include <net/route.h>
#include <net/route/nhop.h>
#include <net/route/route_ctl.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include "userland/userland.h"

static int
usage(void)
{
	u_eprintf("usage: route [-nqv] add [-net | -host] destination[/prefixlen] "
	    "(gateway | -interface if)\n"
	    "       route [-nqv] delete [-net | -host] destination[/prefixlen] [gateway]\n"
	    "       route [-n] get destination\n"
	    "       route [-n] flush\n");
	return (64);
}

/* "default", "10.0.3.0/24", "10.0.3.1"; -1 for no prefix length given. */
static int
parse_dest(const char *word, struct in_addr *addr, int *plen)
{
	char host[INET_ADDRSTRLEN];
	const char *slash;
	int64_t n;

	*plen = -1;
	if (strcmp(word, "default") == 0) {
		addr->s_addr = 0;
		*plen = 0;
		return (0);
	}
	for (slash = word; *slash != '\0' && *slash != '/'; slash++)
		;
	if ((size_t)(slash - word) >= sizeof(host))
		return (EINVAL);
	memcpy(host, word, slash - word);
	host[slash - word] = '\0';
	if (inet_aton(host, addr) != 1)
		return (EINVAL);
	if (*slash == '/') {
		if (u_parse_int(slash + 1, &n) != 0 || n < 0 || n > 32)
			return (EINVAL);
		*plen = n;
	}
	return (0);
}

static int
newroute(int argc, char **argv, bool add, bool quiet)
{
	char dst[INET_ADDRSTRLEN], gwname[INET_ADDRSTRLEN];
	const char *destword, *gwword, *ifname, *verb;
	struct in_addr dest, gw, mask;
	struct epoch_tracker et;
	struct in_ifaddr *ia;
	struct ifnet *ifp;
	int error, flags, i, plen;
	bool net, host, masked;

	destword = gwword = ifname = NULL;
	net = host = masked = false;
	flags = RTF_STATIC;
	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "-net") == 0)
			net = true;
		else if (strcmp(argv[i], "-host") == 0)
			host = true;
		else if (strcmp(argv[i], "-inet") == 0)
			continue;
		else if (strcmp(argv[i], "-blackhole") == 0)
			flags |= RTF_BLACKHOLE;
		else if (strcmp(argv[i], "-reject") == 0)
			flags |= RTF_REJECT;
		else if (strcmp(argv[i], "-interface") == 0 || strcmp(argv[i], "-iface") == 0) {
			if (++i == argc)
				return (usage());
			ifname = argv[i];
		} else if (strcmp(argv[i], "-netmask") == 0) {
			if (++i == argc || inet_pton(AF_INET, argv[i], &mask) != 1 ||
			    in_mask2len(&mask) < 0)
				return (usage());
			masked = true;
		} else if (argv[i][0] == '-')
			return (usage());
		else if (destword == NULL)
			destword = argv[i];
		else if (gwword == NULL)
			gwword = argv[i];
		else
			return (usage());
	}
	if (destword == NULL || (add && gwword == NULL && ifname == NULL))
		return (usage());
	if (parse_dest(destword, &dest, &plen) != 0) {
		u_warnx("route", "bad address: %s", destword);
		return (68);
	}
	if (masked)
		plen = in_mask2len(&mask);
	if (plen < 0)
		plen = net ? (IN_CLASSA(ntohl(dest.s_addr)) ? 8 :
		    IN_CLASSB(ntohl(dest.s_addr)) ? 16 : 24) : 32;
	if (host)
		plen = 32;
	if (plen == 32)
		flags |= RTF_HOST;
	gw.s_addr = 0;
	ifp = NULL;
	ia = NULL;
	error = 0;
	if (gwword != NULL && inet_pton(AF_INET, gwword, &gw) != 1) {
		u_warnx("route", "bad address: %s", gwword);
		return (68);
	}
	if (ifname != NULL) {
		ifp = ifunit_ref(ifname);
		if (ifp == NULL) {
			u_warnx("route", "bad interface name: %s", ifname);
			return (68);
		}
		NET_EPOCH_ENTER(et);
		ia = in_ifprimary(ifp);
		if (ia != NULL)
			ifa_ref(&ia->ia_ifa);
		NET_EPOCH_EXIT(et);
		if (ia == NULL)
			error = EADDRNOTAVAIL;
	} else
		flags |= RTF_GATEWAY;

	if (error == 0) {
		if (add)
			error = rib_add4(dest, plen, flags, gw, ifp, ia != NULL ? &ia->ia_ifa : NULL);
		else
			error = rib_del4(dest, plen, gwword != NULL ? &gw : NULL, ifp);
	}
	if (ia != NULL)
		ifa_free(&ia->ia_ifa);
	if (ifp != NULL)
		if_rele(ifp);

	verb = add ? "add" : "delete";
	if (!quiet || error != 0) {
		u_printf("%s %s %s", verb, flags & RTF_HOST ? "host" : "net",
		    plen == 0 ? "default" : inet_ntoa_r(dest, dst));
		if (gwword != NULL)
			u_printf(": gateway %s", inet_ntoa_r(gw, gwname));
		else if (ifname != NULL)
			u_printf(": gateway %s", ifname);
		if (error != 0)
			u_printf(" fib 0: %s", error == ESRCH ? "not in table" :
			    error == EEXIST ? "route already in table" : u_strerror(error));
		u_printf("\n");
	}
	return (error == 0 ? 0 : 1);
}

static int
getroute(int argc, char **argv)
{
	static const struct { int flag; const char *name; } names[] = {
		{ RTF_UP, "UP" }, { RTF_GATEWAY, "GATEWAY" }, { RTF_HOST, "HOST" },
		{ RTF_REJECT, "REJECT" }, { RTF_STATIC, "STATIC" },
		{ RTF_BLACKHOLE, "BLACKHOLE" }, { RTF_PINNED, "PINNED" },
		{ RTF_LOCAL, "LOCAL" }
	};
	char buf[INET_ADDRSTRLEN];
	struct in_addr dest, mask;
	struct rt_info ri;
	int i, plen;
	char sep = '<';

	if (argc < 1 || parse_dest(argv[argc - 1], &dest, &plen) != 0)
		return (usage());
	if (rib_get4(dest, &ri) != 0) {
		u_warnx("route", "route has not been found");
		return (1);
	}
	u_printf("   route to: %s\n", inet_ntoa_r(dest, buf));
	u_printf("destination: %s\n", ri.ri_plen == 0 ? "default" : inet_ntoa_r(ri.ri_dst, buf));
	if (ri.ri_plen < 32) {
		mask.s_addr = htonl(ri.ri_plen == 0 ? 0 : 0xffffffffU << (32 - ri.ri_plen));
		u_printf("       mask: %s\n", ri.ri_plen == 0 ? "default" : inet_ntoa_r(mask, buf));
	}
	if (!ri.ri_linkgw)
		u_printf("    gateway: %s\n", inet_ntoa_r(ri.ri_gw, buf));
	u_printf("        fib: 0\n  interface: %s\n      flags: ", ri.ri_ifname);
	for (i = 0; i < (int)nitems(names); i++)
		if (ri.ri_flags & names[i].flag) {
			u_printf("%c%s", sep, names[i].name);
			sep = ',';
			if (names[i].flag == RTF_HOST || (names[i].flag == RTF_GATEWAY &&
			    (ri.ri_flags & RTF_HOST) == 0))
				u_printf(",DONE");
		}
	u_printf(">\n recvpipe  sendpipe  ssthresh  rtt,msec    mtu        weight    expire\n"
	    "%8d  %8d  %8d  %8d  %8d  %8d  %8d \n", 0, 0, 0, 0, ri.ri_mtu, 1, 0);
	return (0);
}

struct flush {
	struct rt_info	*list;
	int		 n, max;
};

static int
flush_collect(const struct rt_info *ri, void *arg)
{
	struct flush *f = arg;

	if ((ri->ri_flags & RTF_GATEWAY) == 0)
		return (0);
	if (f->n == f->max) {
		f->max = f->max * 2 + 16;
		f->list = u_realloc(f->list, f->max * sizeof(*f->list));
	}
	f->list[f->n++] = *ri;
	return (0);
}

/* Gateway routes go; those of the interfaces stay. */
static int
flushroutes(bool quiet)
{
	char dst[INET_ADDRSTRLEN], gw[INET_ADDRSTRLEN];
	struct flush f = { NULL, 0, 0 };
	int i;

	(void)rib_walk4(flush_collect, &f);
	for (i = 0; i < f.n; i++) {
		(void)rib_del4(f.list[i].ri_dst, f.list[i].ri_plen, NULL, NULL);
		if (!quiet)
			u_printf("%-20.20s %-20.20s -fib 0   done\n", f.list[i].ri_plen == 0 ?
			    "default" : inet_ntoa_r(f.list[i].ri_dst, dst),
			    inet_ntoa_r(f.list[i].ri_gw, gw));
	}
	u_free(f.list);
	return (0);
}

static int
cmd_route(int argc, char **argv)
{
	const char *p;
	int i, rv;
	bool quiet;

	quiet = false;
	for (i = 1; i < argc && argv[i][0] == '-'; i++)
		for (p = argv[i] + 1; *p != '\0'; p++)
			if (*p == 'q')
				quiet = true;
			else if (*p != 'n' && *p != 'v' && *p != '4')
				return (usage());
	argc -= i;
	argv += i;
	if (argc == 0)
		return (usage());
	CURVNET_SET(TD_TO_VNET(curthread));
	if (strcmp(argv[0], "add") == 0)
		rv = newroute(argc - 1, argv + 1, true, quiet);
	else if (strcmp(argv[0], "delete") == 0 || strcmp(argv[0], "del") == 0)
		rv = newroute(argc - 1, argv + 1, false, quiet);
	else if (strcmp(argv[0], "get") == 0 || strcmp(argv[0], "show") == 0)
		rv = getroute(argc - 1, argv + 1);
	else if (strcmp(argv[0], "flush") == 0)
		rv = flushroutes(quiet);
	else
		rv = usage();
	CURVNET_RESTORE();
	return (rv);
}
USERCMD(route, cmd_route);
