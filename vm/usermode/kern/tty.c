/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: a terminal in its simplest form.  Output goes out a line at a
 * time; input is cut into lines here, with erase, kill and echo when asked for.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kdb.h>
#include <sys/proc.h>
#include <sys/signal.h>

#include "kern_internal.h"

bool cn_echo;
struct proc *_Atomic cn_foreground;
static bool terminate;		/* the power button */
static bool interrupted;	/* Ctrl-C at the prompt */

static char out[8192];
static size_t outlen;
static volatile u_int out_lock;

static void
lock_out(void)
{
	if (DNH_PLAIN || SCHEDULER_STOPPED())
		return;
	while (__atomic_exchange_n(&out_lock, 1, __ATOMIC_ACQUIRE) != 0)
		host_thread_relax();
}

static void
unlock_out(void)
{
	if (!DNH_PLAIN)
		__atomic_store_n(&out_lock, 0, __ATOMIC_RELEASE);
}

static void
flush(void)
{
	if (outlen > 0)
		host_write(out, outlen);
	outlen = 0;
}

void
cn_flush(void)
{
	lock_out();
	flush();
	unlock_out();
}

void
cn_write(const char *s, size_t len)
{
	bool eol = memchr(s, '\n', len) != NULL;
	size_t n;

	lock_out();
	while (len > 0) {
		n = MIN(len, sizeof(out) - outlen);
		memcpy(out + outlen, s, n);
		outlen += n;
		s += n;
		len -= n;
		if (outlen == sizeof(out))
			flush();
	}
	if (eol)
		flush();
	unlock_out();
}

/* Whoever held it may never let go. */
void
cn_panic_mode(void)
{
	out_lock = 0;
}

/*
 * Input: what has come but no line has been made of, and the lines.
 */
static char raw[65536];
static size_t rawlen, rawpos;
static char line[65536];
static size_t linelen;
static bool line_ready, eof;
static int cn_chan;
static struct thread *waiter;

bool
cn_waiting(void)
{
	return (waiter != NULL);
}

static void
echo(const char *s)
{
	if (cn_echo) {
		cn_write(s, strlen(s));
		cn_flush();
	}
}

/* From raw to line, until there is one. */
static void
make_line(void)
{
	char c, text[2] = { 0, 0 };

	while (!line_ready && rawpos < rawlen) {
		c = raw[rawpos++];
		switch (c) {
		case '\r':
		case '\n':
			echo("\n");
			line_ready = true;
			break;
		case '\b':
		case 0x7f:
			if (linelen > 0) {
				linelen--;
				echo("\b \b");
			}
			break;
		case 0x15:	/* ^U */
			for (; linelen > 0; linelen--)
				echo("\b \b");
			break;
		case 0x03:	/* ^C, of a terminal that makes no signal of it */
			interrupted = true;
			linelen = 0;
			line_ready = true;
			echo("^C\n");
			break;
		case 0x04:	/* ^D */
			if (linelen == 0)
				eof = true;
			line_ready = true;
			break;
		default:
			if (linelen < sizeof(line) - 1)
				line[linelen++] = c;
			text[0] = c;
			echo(text);
			break;
		}
	}
	if (rawpos == rawlen)
		rawpos = rawlen = 0;
}

/* Reads once from the host; waits for it. */
static void
read_host(void)
{
	long n;

	if (rawlen == sizeof(raw))
		return;
	cn_flush();
	n = host_read(raw + rawlen, sizeof(raw) - rawlen);
	if (n > 0)
		rawlen += (size_t)n;
	else if (n == 0)
		eof = line_ready = true;
	else
		cn_signals();
}

void
cn_signals(void)
{
	struct proc *p;
	int s = host_signals();

	if ((s & HOST_SIG_TERM) != 0) {
		terminate = true;
		line_ready = eof = true;
	}
	if (s != 0) {
		p = cn_foreground;
		if (p != NULL)
			kern_psignal(p, SIGINT);
		else if ((s & HOST_SIG_INT) != 0) {
			interrupted = true;
			linelen = 0;
			line_ready = true;
		}
	}
}

/*
 * Virtual clock, nothing else to do: the user's turn.  Without anybody who
 * waits for a line, only the end of the input or a signal can change anything.
 */
void
cn_poll_input(void)
{
	if (waiter == NULL) {
		read_host();
		if (eof)
			host_exit(terminate ? 0 : 1);
		return;
	}
	make_line();
	if (!line_ready)
		read_host();
	make_line();
	if (line_ready) {
		waiter = NULL;
		host_lock();
		(void)waitq_wake(&cn_chan, true);
		host_unlock();
	}
}

/* The debugger's way to the console, behind everybody's back: -1 at the end. */
int
cn_getc(void)
{
	for (;;) {
		if (rawpos < rawlen)
			return ((u_char)raw[rawpos++]);
		rawpos = rawlen = 0;
		if (eof || terminate)
			return (-1);
		cn_flush();
		long n = host_read(raw, sizeof(raw));
		if (n == 0)
			eof = true;
		else if (n < 0)
			terminate = (host_signals() & HOST_SIG_TERM) != 0;
		else
			rawlen = (size_t)n;
	}
}

static int
take_line(char *buf, size_t size)
{
	size_t n = MIN(linelen, size - 1);
	bool end = eof && linelen == 0;

	if (interrupted && linelen == 0)
		cn_write("\n", 1);
	interrupted = false;
	memcpy(buf, line, n);
	buf[n] = '\0';
	linelen = 0;
	line_ready = false;
	if (end) {
		line_ready = eof;
		return (-1);
	}
	return ((int)n);
}

int
cn_getline(char *buf, size_t size)
{
	cn_flush();
	if (CLOCK_VIRTUAL) {
		/* Not before all others have had their turn, even when it is there. */
		host_lock();
		waiter = curthread;
		curthread->td_flags |= TDF_SINTR;
		waitq_enter(&cn_chan, "ttyin", FOREVER);
		(void)sleepq_wait();
		curthread->td_flags &= ~TDF_SINTR;
		waiter = NULL;
		return (take_line(buf, size));
	}
	make_line();
	while (!line_ready) {
		sched_leave_cpu();
		read_host();
		sched_enter_cpu();
		make_line();
	}
	return (take_line(buf, size));
}

void
cn_boot(void)
{
	cn_echo = host_config.interactive;
}
