/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SOCKET_H_
#define	_SYS_SOCKET_H_

#include <sys/types.h>

#define	SOCK_STREAM	1
#define	SOCK_DGRAM	2
#define	SOCK_RAW	3
#define	SOCK_RDM	4
#define	SOCK_SEQPACKET	5
#define	SO_DEBUG	0x0001
#define	SO_ACCEPTCONN	0x0002
#define	SO_REUSEADDR	0x0004
#define	SO_KEEPALIVE	0x0008
#define	SO_DONTROUTE	0x0010
#define	SO_BROADCAST	0x0020
#define	SO_LINGER	0x0080
#define	SO_REUSEPORT	0x0200
#define	SO_TIMESTAMP	0x0400
#define	SO_SNDBUF	0x1001
#define	SO_RCVBUF	0x1002
#define	SO_SETFIB	0x1014
#define	SO_USER_COOKIE	0x1015
#define	SOL_SOCKET	0xffff

#define	AF_UNSPEC	0
#define	AF_UNIX		1
#define	AF_LOCAL	AF_UNIX
#define	AF_INET		2
#define	AF_ROUTE	17
#define	AF_LINK		18
#define	AF_INET6	28
#define	AF_ARP		35
#define	AF_IEEE80211	37
#define	AF_NETLINK	38
#define	AF_MAX		46
#define	pseudo_AF_HDRCMPLT 31
#define	PF_UNSPEC	AF_UNSPEC
#define	PF_LOCAL	AF_LOCAL
#define	PF_INET		AF_INET
#define	PF_ROUTE	AF_ROUTE
#define	PF_LINK		AF_LINK
#define	PF_INET6	AF_INET6
#define	SOMAXCONN	128
#define	MSG_PEEK	0x02
#define	MSG_DONTWAIT	0x80
#define	MSG_EOF		0x100
#define	SHUT_RD		0
#define	SHUT_WR		1
#define	SHUT_RDWR	2

struct sockaddr {
	unsigned char	sa_len;
	sa_family_t	sa_family;
	char		sa_data[14];
};
#define	SOCK_MAXADDRLEN	255
struct sockproto { u_short sp_family, sp_protocol; };
#define	_SS_MAXSIZE	128U
struct sockaddr_storage {
	unsigned char	ss_len;
	sa_family_t	ss_family;
	char		__ss_pad1[6];
	int64_t		__ss_align;
	char		__ss_pad2[112];
};

enum sopt_dir { SOPT_GET, SOPT_SET };
struct sockopt {
	enum sopt_dir	sopt_dir;
	int		sopt_level;
	int		sopt_name;
	void		*sopt_val;
	size_t		sopt_valsize;
	struct thread	*sopt_td;
};
int	sooptcopyin(struct sockopt *sopt, void *buf, size_t len, size_t minlen);
int	sooptcopyout(struct sockopt *sopt, const void *buf, size_t len);

#endif /* !_SYS_SOCKET_H_ */
