/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _DDB_DDB_H_
#define	_DDB_DDB_H_

#include <sys/types.h>
#include <sys/linker_set.h>

typedef long db_expr_t;
typedef void db_cmdfcn_t(db_expr_t addr, bool have_addr, db_expr_t count, char *modif);
struct db_cmd { const char *name; const char *group; db_cmdfcn_t *func; };
int	db_printf(const char *fmt, ...) __printflike(1, 2);
extern volatile bool db_pager_quit;
struct thread;
struct thread *tdfind_ddb(int tid);	/* no lock taken */
#define	_DB_CMD(list, nm, fn)						\
	static db_cmdfcn_t fn;						\
	static struct db_cmd __CONCAT(fn, _cmd) = { nm, list, fn };	\
	DATA_SET(db_cmd_set, __CONCAT(fn, _cmd));			\
	static void fn(db_expr_t addr, bool have_addr, db_expr_t count, char *modif)
#define	DB_COMMAND(nm, fn)	_DB_CMD("", #nm, fn)
#define	DB_SHOW_COMMAND(nm, fn)	_DB_CMD("show", #nm, fn)
#define	DB_SHOW_ALL_COMMAND(nm, fn) _DB_CMD("show all", #nm, fn)

#endif /* !_DDB_DDB_H_ */
