/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_CONDVAR_H_
#define	_SYS_CONDVAR_H_

#include <sys/types.h>
#include <sys/mutex.h>

struct cv { const char *cv_description; int cv_waiters; };
void	cv_init(struct cv *cvp, const char *desc);
void	cv_destroy(struct cv *cvp);
void	_cv_wait(struct cv *cvp, struct lock_object *lock);
int	_cv_wait_sig(struct cv *cvp, struct lock_object *lock);
int	_cv_timedwait_sbt(struct cv *cvp, struct lock_object *lock, sbintime_t sbt,
	    sbintime_t pr, int flags);
void	cv_signal(struct cv *cvp);
void	cv_broadcastpri(struct cv *cvp, int pri);
#define	cv_wait(cvp, l)		_cv_wait((cvp), &(l)->lock_object)
#define	cv_wait_sig(cvp, l)	_cv_wait_sig((cvp), &(l)->lock_object)
#define	cv_timedwait(cvp, l, t)						\
	_cv_timedwait_sbt((cvp), &(l)->lock_object, tick_sbt * (t), 0, C_HARDCLOCK)
#define	cv_timedwait_sbt(cvp, l, s, p, f)				\
	_cv_timedwait_sbt((cvp), &(l)->lock_object, (s), (p), (f))
#define	cv_broadcast(cvp)	cv_broadcastpri((cvp), 0)

#endif /* !_SYS_CONDVAR_H_ */
