/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SOCKBUF_H_
#define	_SYS_SOCKBUF_H_

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/lock.h>
#include <sys/mutex.h>
#include <sys/mbuf.h>

#endif /* !_SYS_SOCKBUF_H_ */
