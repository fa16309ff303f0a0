/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IF_LLC_H_
#define	_NET_IF_LLC_H_
/* 802.2 frames are not spoken here. */
#endif
