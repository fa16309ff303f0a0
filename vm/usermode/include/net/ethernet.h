/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_ETHERNET_H_
#define	_NET_ETHERNET_H_

#include <sys/types.h>
#include <sys/cdefs.h>

#define	ETHER_ADDR_LEN		6
#define	ETHER_TYPE_LEN		2
#define	ETHER_CRC_LEN		4
#define	ETHER_HDR_LEN		(ETHER_ADDR_LEN * 2 + ETHER_TYPE_LEN)
#define	ETHER_MIN_LEN		64
#define	ETHER_MAX_LEN		1518
#define	ETHER_MAX_LEN_JUMBO	9018
#define	ETHER_VLAN_ENCAP_LEN	4
#define	ETHER_ALIGN		2
#define	ETHERMTU		(ETHER_MAX_LEN - ETHER_HDR_LEN - ETHER_CRC_LEN)
#define	ETHERMIN		(ETHER_MIN_LEN - ETHER_HDR_LEN - ETHER_CRC_LEN)
#define	ETHERMTU_JUMBO		(ETHER_MAX_LEN_JUMBO - ETHER_HDR_LEN - ETHER_CRC_LEN)
#define	ETHER_MAX_FRAME(ifp, etype, hasfcs)				\
	((ifp)->if_mtu + ETHER_HDR_LEN + ((hasfcs) ? ETHER_CRC_LEN : 0))
#define	ETHER_CRC_POLY_LE	0xedb88320
#define	ETHER_CRC_POLY_BE	0x04c11db6

struct ether_header {
	u_char	ether_dhost[ETHER_ADDR_LEN];
	u_char	ether_shost[ETHER_ADDR_LEN];
	u_short	ether_type;
} __packed;

struct ether_addr {
	u_char	octet[ETHER_ADDR_LEN];
} __packed;

struct ether_vlan_header {
	uint8_t		evl_dhost[ETHER_ADDR_LEN];
	uint8_t		evl_shost[ETHER_ADDR_LEN];
	uint16_t	evl_encap_proto;
	uint16_t	evl_tag;
	uint16_t	evl_proto;
} __packed;

#define	ETHER_IS_MULTICAST(a)	(*(a) & 0x01)
#define	ETHER_IS_BROADCAST(a)						\
	(((a)[0] & (a)[1] & (a)[2] & (a)[3] & (a)[4] & (a)[5]) == 0xff)
#define	ETHER_IS_ZERO(a)						\
	(((a)[0] | (a)[1] | (a)[2] | (a)[3] | (a)[4] | (a)[5]) == 0)

#define	ETHERTYPE_IP		0x0800
#define	ETHERTYPE_ARP		0x0806
#define	ETHERTYPE_VLAN		0x8100
#define	ETHERTYPE_IPV6		0x86dd
#define	ETHERTYPE_PAUSE		0x8808
#define	ETHERTYPE_LOOPBACK	0x9000

#ifdef _KERNEL
struct ifnet;
struct mbuf;
struct route;
struct sockaddr;
struct arphdr;

extern const uint8_t etherbroadcastaddr[ETHER_ADDR_LEN];

void	ether_demux(struct ifnet *, struct mbuf *);
void	ether_ifattach(struct ifnet *, const uint8_t *);
void	ether_ifdetach(struct ifnet *);
int	ether_ioctl(struct ifnet *, u_long, caddr_t);
int	ether_output(struct ifnet *, struct mbuf *, const struct sockaddr *, struct route *);
int	ether_output_frame(struct ifnet *, struct mbuf *);
void	ether_gen_addr(struct ifnet *, struct ether_addr *);
char	*ether_sprintf(const u_char *);

#include <sys/eventhandler.h>
typedef void (*ether_ifattach_event_handler_t)(void *, struct ifnet *);
EVENTHANDLER_DECLARE(ether_ifattach_event, ether_ifattach_event_handler_t);

#include <net/vnet.h>
#include <net/pfil.h>
VNET_DECLARE(struct pfil_head *, link_pfil_head);
#define	V_link_pfil_head	VNET(link_pfil_head)
#define	PFIL_ETHER_NAME		"ethernet"
#endif

#endif /* !_NET_ETHERNET_H_ */
