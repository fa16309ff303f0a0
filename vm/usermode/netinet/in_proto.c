/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inet family's nodes of the sysctl tree, its transport protocols by
 * number, and small functions on addresses.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip_var.h>
#include "inet_internal.h"

SYSCTL_NODE(_net, PF_INET, inet, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "Internet Family");
SYSCTL_NODE(_net_inet, IPPROTO_IP, ip, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "IP");
SYSCTL_NODE(_net_inet, IPPROTO_ICMP, icmp, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "ICMP");
SYSCTL_NODE(_net_inet, IPPROTO_UDP, udp, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "UDP");
SYSCTL_NODE(_net_inet, IPPROTO_TCP, tcp, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "TCP");
SYSCTL_NODE(_net_inet, IPPROTO_RAW, raw, CTLFLAG_RW | CTLFLAG_MPSAFE, 0, "RAW");

int	(*ip_dn_ctl_ptr)(struct sockopt *);
int	(*ip_dn_io_ptr)(struct mbuf **, struct ip_fw_args *);
void	(*ip_divert_ptr)(struct mbuf *, bool);
int	(*ng_ipfw_input_p)(struct mbuf **, struct ip_fw_args *, bool);
VNET_DEFINE(ip_fw_ctl_ptr_t, ip_fw_ctl_ptr);

ipproto_input_t *ip_protox[IPPROTO_MAX];
ipproto_ctlinput_t *ip_ctlprotox[IPPROTO_MAX];

int
ipproto_register(uint8_t proto, ipproto_input_t input, ipproto_ctlinput_t ctl)
{
	if (ip_protox[proto] != NULL && ip_protox[proto] != rip_input)
		return (EEXIST);
	ip_protox[proto] = input;
	ip_ctlprotox[proto] = ctl;
	return (0);
}

int
ipproto_unregister(uint8_t proto)
{
	if (ip_protox[proto] == NULL || ip_protox[proto] == rip_input)
		return (ENOENT);
	ip_protox[proto] = rip_input;
	ip_ctlprotox[proto] = rip_ctlinput;
	return (0);
}

static void
ip_proto_init(void *arg)
{
	u_int i;

	for (i = 0; i < IPPROTO_MAX; i++)
		if (ip_protox[i] == NULL) {
			ip_protox[i] = rip_input;
			ip_ctlprotox[i] = rip_ctlinput;
		}
}
SYSINIT(ip_proto_init, SI_SUB_PROTO_DOMAIN, SI_ORDER_FIRST, ip_proto_init, NULL);

/* Milliseconds since midnight as ICMP timestamps count them. */
uint32_t
iptime(void)
{
	struct timeval now;

	getmicrotime(&now);
	return (htonl((now.tv_sec % (24 * 60 * 60)) * 1000 + now.tv_usec / 1000));
}

char *
inet_ntoa_r(struct in_addr ina, char *buf)
{
	const u_char *b = (const u_char *)&ina;

	snprintf(buf, INET_ADDRSTRLEN, "%d.%d.%d.%d", b[0], b[1], b[2], b[3]);
	return (buf);
}

char *
inet_ntop(int af, const void *src, char *dst, socklen_t size)
{
	char buf[INET_ADDRSTRLEN];

	if (af != AF_INET || strlen(inet_ntoa_r(*(const struct in_addr *)src, buf)) >= size)
		return (NULL);
	strlcpy(dst, buf, size);
	return (dst);
}

/* Dotted decimal of one to four parts: 10.1 is 10.0.0.1. 1 when it is one. */
int
inet_aton(const char *cp, struct in_addr *addr)
{
	uint32_t part[4], v, value;
	int n, i;
	bool digits;

	n = 0;
	for (;;) {
		v = 0;
		digits = false;
		for (; *cp >= '0' && *cp <= '9'; cp++) {
			if (v > 0xffffffffU / 10)
				return (0);
			v = v * 10 + (*cp - '0');
			digits = true;
		}
		if (!digits)
			return (0);
		part[n++] = v;
		if (*cp != '.')
			break;
		if (n == 4)
			return (0);
		cp++;
	}
	if (*cp != '\0')
		return (0);
	value = part[n - 1];
	if (n > 1 && value > 0xffffffffU >> (8 * (n - 1)))
		return (0);
	for (i = 0; i < n - 1; i++) {
		if (part[i] > 255)
			return (0);
		value |= part[i] << (24 - 8 * i);
	}
	addr->s_addr = htonl(value);
	return (1);
}

/* All four parts must be there. */
int
inet_pton(int af, const char *src, void *dst)
{
	const char *cp;
	int dots;

	if (af != AF_INET)
		return (-1);
	for (dots = 0, cp = src; *cp != '\0'; cp++)
		dots += *cp == '.';
	return (dots == 3 && inet_aton(src, dst));
}

bool
in_canforward(struct in_addr in)
{
	in_addr_t i = ntohl(in.s_addr);

	if (IN_EXPERIMENTAL(i) || IN_MULTICAST(i) || IN_LINKLOCAL(i) || IN_LOOPBACK(i) ||
	    IN_ZERONET(i))
		return (false);
	return (true);
}
