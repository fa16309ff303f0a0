/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_PRIV_H_
#define	_SYS_PRIV_H_

/* There is nobody but root here. */
#define	PRIV_NETINET_IPFW	490
#define	PRIV_NETINET_DUMMYNET	491
#define	priv_check(td, priv)	0
#define	priv_check_cred(cr, priv)	0

#endif /* !_SYS_PRIV_H_ */
