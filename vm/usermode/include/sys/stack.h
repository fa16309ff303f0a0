/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_STACK_H_
#define	_SYS_STACK_H_

#include <sys/types.h>

#define	STACK_MAX	24
struct stack { int depth; uintptr_t pcs[STACK_MAX]; };
struct sbuf;
struct stack *stack_create(int);
void	stack_destroy(struct stack *);
void	stack_zero(struct stack *);
void	stack_copy(const struct stack *, struct stack *);
void	stack_save(struct stack *);
void	stack_print(const struct stack *);
void	stack_print_ddb(const struct stack *);

#endif /* !_SYS_STACK_H_ */
