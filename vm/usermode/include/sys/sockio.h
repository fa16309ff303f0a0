/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SOCKIO_H_
#define	_SYS_SOCKIO_H_

#include <sys/ioccom.h>

#define	SIOCADDRT	_IOW('r', 10, void *)
#define	SIOCDELRT	_IOW('r', 11, void *)
#define	SIOCSIFADDR	_IOW('i', 12, struct ifreq)
#define	SIOCGIFADDR	_IOWR('i', 33, struct ifreq)
#define	SIOCSIFDSTADDR	_IOW('i', 14, struct ifreq)
#define	SIOCSIFFLAGS	_IOW('i', 16, struct ifreq)
#define	SIOCGIFFLAGS	_IOWR('i', 17, struct ifreq)
#define	SIOCGIFBRDADDR	_IOWR('i', 35, struct ifreq)
#define	SIOCGIFNETMASK	_IOWR('i', 37, struct ifreq)
#define	SIOCDIFADDR	_IOW('i', 25, struct ifreq)
#define	SIOCAIFADDR	_IOW('i', 43, struct ifaliasreq)
#define	SIOCSIFNAME	_IOW('i', 40, struct ifreq)
#define	SIOCSIFVNET	_IOWR('i', 90, struct ifreq)
#define	SIOCSIFRVNET	_IOWR('i', 91, struct ifreq)
#define	SIOCGIFINDEX	_IOWR('i', 32, struct ifreq)
#define	SIOCADDMULTI	_IOW('i', 49, struct ifreq)
#define	SIOCDELMULTI	_IOW('i', 50, struct ifreq)
#define	SIOCGIFMTU	_IOWR('i', 51, struct ifreq)
#define	SIOCSIFMTU	_IOW('i', 52, struct ifreq)
#define	SIOCSIFLLADDR	_IOW('i', 60, struct ifreq)
#define	SIOCSIFMEDIA	_IOWR('i', 55, struct ifreq)
#define	SIOCGIFMEDIA	_IOWR('i', 56, struct ifmediareq)
#define	SIOCSIFCAP	_IOW('i', 30, struct ifreq)
#define	SIOCGIFCAP	_IOWR('i', 31, struct ifreq)
#define	SIOCIFCREATE	_IOWR('i', 122, struct ifreq)
#define	SIOCIFCREATE2	_IOWR('i', 124, struct ifreq)
#define	SIOCIFDESTROY	_IOW('i', 121, struct ifreq)
#define	SIOCSDRVSPEC	_IOW('i', 123, struct ifdrv)
#define	SIOCGDRVSPEC	_IOWR('i', 123, struct ifdrv)
#define	SIOCGIFSTATUS	_IOWR('i', 59, struct ifstat)
#define	SIOCGIFFIB	_IOWR('i', 92, struct ifreq)
#define	SIOCSIFFIB	_IOW('i', 93, struct ifreq)

#endif /* !_SYS_SOCKIO_H_ */
