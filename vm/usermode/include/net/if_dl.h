/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NET_IF_DL_H_
#define	_NET_IF_DL_H_

#include <sys/types.h>

struct sockaddr_dl {
	u_char	sdl_len;
	u_char	sdl_family;	/* AF_LINK */
	u_short	sdl_index;
	u_char	sdl_type;
	u_char	sdl_nlen;	/* the name comes first in sdl_data, not terminated */
	u_char	sdl_alen;
	u_char	sdl_slen;
	char	sdl_data[46];
};

#define	LLADDR(s)	((caddr_t)((s)->sdl_data + (s)->sdl_nlen))
#define	CLLADDR(s)	((c_caddr_t)((s)->sdl_data + (s)->sdl_nlen))
#define	LLINDEX(s)	((s)->sdl_index)

#endif
