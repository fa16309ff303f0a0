/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel and the host's libc live in one program.  Kernel functions whose
 * names libc has too get a prefix, which the backtrace printer takes off again.
 */
#ifndef _KERN_PREFIX_H_
#define	_KERN_PREFIX_H_

#define	printf		fbsd_printf
#define	vprintf		fbsd_vprintf
#define	sprintf		fbsd_sprintf
#define	vsprintf	fbsd_vsprintf
#define	snprintf	fbsd_snprintf
#define	vsnprintf	fbsd_vsnprintf
#define	asprintf	fbsd_asprintf
#define	vasprintf	fbsd_vasprintf
#define	malloc		fbsd_malloc
#define	free		fbsd_free
#define	realloc		fbsd_realloc
#define	reallocf	fbsd_reallocf
#define	calloc		fbsd_calloc
#define	strdup		fbsd_strdup
#define	strndup		fbsd_strndup
#define	strlcpy		fbsd_strlcpy
#define	strlcat		fbsd_strlcat
#define	random		fbsd_random
#define	srandom		fbsd_srandom
#define	arc4random	fbsd_arc4random
#define	arc4rand	fbsd_arc4rand
#define	arc4random_buf	fbsd_arc4random_buf
#define	arc4random_uniform fbsd_arc4random_uniform
#define	log		fbsd_log
#define	vlog		fbsd_vlog
#define	getenv		fbsd_getenv
#define	setenv		fbsd_setenv
#define	unsetenv	fbsd_unsetenv
#define	signal		fbsd_signal
#define	kill		fbsd_kill
#define	read		fbsd_read
#define	write		fbsd_write
#define	open		fbsd_open
#define	close		fbsd_close
#define	select		fbsd_select
#define	poll		fbsd_poll
#define	ioctl		fbsd_ioctl
#define	socket		fbsd_socket
#define	bind		fbsd_bind
#define	connect		fbsd_connect
#define	listen		fbsd_listen
#define	accept		fbsd_accept
#define	send		fbsd_send
#define	recv		fbsd_recv
#define	sendto		fbsd_sendto
#define	recvfrom	fbsd_recvfrom
#define	shutdown	fbsd_shutdown
#define	setsockopt	fbsd_setsockopt
#define	getsockopt	fbsd_getsockopt
#define	getsockname	fbsd_getsockname
#define	getpeername	fbsd_getpeername
#define	inet_ntoa	fbsd_inet_ntoa
#define	inet_ntoa_r	fbsd_inet_ntoa_r
#define	inet_ntop	fbsd_inet_ntop
#define	inet_pton	fbsd_inet_pton
#define	inet_aton	fbsd_inet_aton
#define	inet_addr	fbsd_inet_addr
#define	sleep		fbsd_sleep
#define	usleep		fbsd_usleep
#define	wait		fbsd_wait
#define	exit		fbsd_exit
#define	_exit		fbsd__exit
#define	exit1		fbsd_exit1
#define	abort		fbsd_abort
#define	time		fbsd_time
#define	getopt		fbsd_getopt
#define	optarg		fbsd_optarg
#define	optind		fbsd_optind
#define	opterr		fbsd_opterr
#define	optopt		fbsd_optopt
#define	optreset	fbsd_optreset
#define	isatty		fbsd_isatty
#define	putchar		fbsd_putchar
#define	puts		fbsd_puts
#define	if_nametoindex	fbsd_if_nametoindex
#define	if_indextoname	fbsd_if_indextoname
#define	ether_ntoa	fbsd_ether_ntoa
#define	ether_aton	fbsd_ether_aton
#define	sem_init	fbsd_sem_init
#define	sem_post	fbsd_sem_post
#define	sem_wait	fbsd_sem_wait
#define	sched_yield	fbsd_sched_yield
#define	environ		fbsd_environ
#define	daemon		fbsd_daemon
#define	reboot		fbsd_reboot
#define	qsort_r		fbsd_qsort_r
#define	jail		fbsd_jail
#define	nanosleep	fbsd_nanosleep
#define	uname		fbsd_uname
#define	strtonum	fbsd_strtonum
#define	getprogname	fbsd_getprogname
#define	warn		fbsd_warn
#define	warnx		fbsd_warnx
#define	err		fbsd_err
#define	errx		fbsd_errx

#endif /* !_KERN_PREFIX_H_ */
