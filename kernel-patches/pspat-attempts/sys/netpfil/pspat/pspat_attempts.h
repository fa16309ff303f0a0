/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSPAT with rules broken on purpose, and the attempts of 2018 put together
 * from them: options PSPAT_ATTEMPTS, and in no other build.
 *
 * One bit for each of the rules C1..C12 (docs/pspat-rules.md); an attempt is a
 * set of these, a point, and a way that its packets go.
 */
#ifndef _NETPFIL_PSPAT_ATTEMPTS_H_
#define	_NETPFIL_PSPAT_ATTEMPTS_H_

struct ifnet;
struct ip_fw_args;
struct mbuf;
struct pspat_tag;
struct route;
struct sockaddr;

/* Ways that are not the patch's own. */
#define	PSPAT_WAY_CLIENT	0x01	/* out again by the hook itself: no queue */
#define	PSPAT_WAY_TAGGED	0x02	/* the sender makes dummynet's tag */
#define	PSPAT_WAY_DIRECT	0x04	/* from the mailbox out: no scheduler */

extern volatile u_int pspat_broken;	/* rules, by number */
extern volatile u_int pspat_ways;

#define	PSPAT_BROKEN(n)	__predict_false((pspat_broken & (1u << (n))) != 0)
#define	PSPAT_WAY(way)	__predict_false((pspat_ways & PSPAT_WAY_##way) != 0)

/* Where the sender had what a packet needs: mostly its stack (C6). */
struct pspat_lent {
	const struct ip_fw_args	*args;
	const struct sockaddr	*gw;
	struct route		*ro;
};
#define	PSPAT_LENT		struct pspat_lent pt_lent;
#define	PSPAT_LEND(pt, what, from)	((pt)->pt_lent.what = (from))

int	pspat_attempt_client(struct mbuf **, struct ip_fw_args *, u_int);
void	pspat_attempt_tag(struct mbuf *, struct pspat_tag *);
int	pspat_attempt_insert(struct mbuf *);
void	pspat_attempt_reread(struct pspat_tag *);
int	pspat_attempt_if_output(struct ifnet *, struct mbuf *,
	    struct pspat_tag *);

#endif /* !_NETPFIL_PSPAT_ATTEMPTS_H_ */
