/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_KDB_H_
#define	_SYS_KDB_H_

#include <sys/types.h>

#define	KDB_WHY_UNSET	NULL
#define	KDB_WHY_PANIC	"panic"
#define	KDB_WHY_KASSERT	"kassert"
#define	KDB_WHY_TRAP	"trap"
#define	KDB_WHY_SYSCTL	"sysctl"
#define	KDB_WHY_BREAK	"break"
#define	KDB_WHY_BOOTFLAGS "bootflags"
extern _Atomic bool kdb_active;
extern bool	debugger_on_panic;
extern bool	debugger_on_trap;
void	kdb_enter(const char *why, const char *msg);
void	kdb_backtrace(void);
void	kdb_backtrace_thread(struct thread *td);
void	kdb_reboot(void) __dead2;

#endif /* !_SYS_KDB_H_ */
