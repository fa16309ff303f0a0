/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_CONF_H_
#define	_SYS_CONF_H_

#include <sys/types.h>
#include <sys/eventhandler.h>

#endif /* !_SYS_CONF_H_ */
