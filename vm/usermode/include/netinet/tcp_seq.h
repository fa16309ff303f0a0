/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_TCP_SEQ_H_
#define	_NETINET_TCP_SEQ_H_

#define	SEQ_LT(a, b)	((int)((a) - (b)) < 0)
#define	SEQ_LEQ(a, b)	((int)((a) - (b)) <= 0)
#define	SEQ_GT(a, b)	((int)((a) - (b)) > 0)
#define	SEQ_GEQ(a, b)	((int)((a) - (b)) >= 0)
#define	SEQ_MIN(a, b)	(SEQ_LT(a, b) ? (a) : (b))
#define	SEQ_MAX(a, b)	(SEQ_GT(a, b) ? (a) : (b))

#endif
