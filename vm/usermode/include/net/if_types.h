/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IF_TYPES_H_
#define	_NET_IF_TYPES_H_

/* IANA interface types, those that this kernel has. */
typedef enum {
	IFT_OTHER	= 0x1,
	IFT_ETHER	= 0x6,
	IFT_PPP		= 0x17,
	IFT_LOOP	= 0x18,
	IFT_L2VLAN	= 0x87,
	IFT_BRIDGE	= 0xd1,
} ifType;

#endif
