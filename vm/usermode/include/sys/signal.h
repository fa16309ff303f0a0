/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SIGNAL_H_
#define	_SYS_SIGNAL_H_

#define	SIGHUP	1
#define	SIGINT	2
#define	SIGQUIT	3
#define	SIGKILL	9
#define	SIGTERM	15

#endif /* !_SYS_SIGNAL_H_ */
