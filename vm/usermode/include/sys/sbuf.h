/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_SBUF_H_
#define	_SYS_SBUF_H_

#include <sys/types.h>
#include <stdarg.h>

struct sbuf;
typedef int (sbuf_drain_func)(void *, const char *, int);
struct sbuf {
	char		*s_buf;
	sbuf_drain_func	*s_drain_func;
	void		*s_drain_arg;
	int		 s_error;
	ssize_t		 s_size;
	ssize_t		 s_len;
#define	SBUF_FIXEDLEN	0x00000000
#define	SBUF_AUTOEXTEND	0x00000001
#define	SBUF_INCLUDENUL	0x00000002
#define	SBUF_DYNAMIC	0x00010000
#define	SBUF_FINISHED	0x00020000
#define	SBUF_DYNSTRUCT	0x00080000
	int		 s_flags;
};

struct sbuf *sbuf_new(struct sbuf *, char *, int, int);
#define	sbuf_new_auto()	sbuf_new(NULL, NULL, 0, SBUF_AUTOEXTEND)
struct sysctl_req;
struct sbuf *sbuf_new_for_sysctl(struct sbuf *, char *, int, struct sysctl_req *);
void	sbuf_clear(struct sbuf *);
int	sbuf_setpos(struct sbuf *, ssize_t);
int	sbuf_bcat(struct sbuf *, const void *, size_t);
int	sbuf_cat(struct sbuf *, const char *);
int	sbuf_cpy(struct sbuf *, const char *);
int	sbuf_printf(struct sbuf *, const char *, ...) __printflike(2, 3);
int	sbuf_vprintf(struct sbuf *, const char *, va_list) __printflike(2, 0);
int	sbuf_putc(struct sbuf *, int);
void	sbuf_set_drain(struct sbuf *, sbuf_drain_func *, void *);
int	sbuf_trim(struct sbuf *);
int	sbuf_error(const struct sbuf *);
int	sbuf_finish(struct sbuf *);
char	*sbuf_data(struct sbuf *);
ssize_t	sbuf_len(struct sbuf *);
int	sbuf_done(const struct sbuf *);
void	sbuf_delete(struct sbuf *);

#endif /* !_SYS_SBUF_H_ */
