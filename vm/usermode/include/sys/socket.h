/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SOCKET_H_
#define	_SYS_SOCKET_H_

#include <sys/types.h>

#define	SOCK_STREAM	1
#define	SOCK_DGRAM	2
#define	SOCK_RAW	3
#define	SOL_SOCKET	0xffff
#define	SO_DEBUG	0x00000001
#define	SO_ACCEPTCONN	0x00000002
#define	SO_REUSEADDR	0x00000004
#define	SO_KEEPALIVE	0x00000008
#define	SO_DONTROUTE	0x00000010
#define	SO_BROADCAST	0x00000020
#define	SO_SNDBUF	0x1001
#define	SO_RCVBUF	0x1002
#define	SOMAXCONN	128

#define	AF_UNSPEC	0
#define	AF_LOCAL	1
#define	AF_UNIX		1
#define	AF_INET		2
#define	AF_LINK		18
#define	AF_ROUTE	17
#define	AF_INET6	28
#define	AF_ARP		35
#define	AF_IEEE80211	37
#define	AF_MAX		44
#define	PF_UNSPEC	AF_UNSPEC
#define	PF_INET		AF_INET
#define	PF_INET6	AF_INET6
#define	PF_LINK		AF_LINK
#define	PF_ROUTE	AF_ROUTE
#define	pseudo_AF_HDRCMPLT 31

#define	MSG_OOB		0x00000001
#define	MSG_PEEK	0x00000002
#define	MSG_DONTWAIT	0x00000080
#define	MSG_NBIO	0x00004000

struct sockaddr {
	uint8_t		sa_len;
	sa_family_t	sa_family;
	char		sa_data[14];
};
#define	SOCK_MAXADDRLEN	255

struct sockaddr_storage {
	uint8_t		ss_len;
	sa_family_t	ss_family;
	char		__ss_pad1[6];
	int64_t		__ss_align;
	char		__ss_pad2[112];
};

#endif /* !_SYS_SOCKET_H_ */
