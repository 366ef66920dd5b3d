// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Isolate: the helper processes in which the library looks at other processes.
 *
 * A helper may hang in the kernel, where even SIGKILL does not reach it. So the parent never
 * waits for one: it reads from a pipe with a deadline, which the library keeps, and the kernel
 * reaps the helper whenever it ends. A pidfd tells whether it is still there.
 *
 * Whatever is done with a descriptor of another process is done in the helper, and no other
 * process has it. To hand it over to the parent once it is known to be the right socket would
 * not do: a system call on a socket waits for the socket's lock, which its owner can hold, and
 * the last close of a socket waits as long as SO_LINGER says.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <reuseport_isolate.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "isolate.h"
#include "message.h"
#include "process_title.h"

#define END_MS 20 /* how long a helper that is over, or was killed, takes to be gone */

static struct helper {
	int pidfd; /* -1: none */
	int pipe;  /* -1: over, or given up */
	bool given_up;
} helpers[ISOLATE_MAX] = {
	[0 ... ISOLATE_MAX - 1] = { .pidfd = -1, .pipe = -1 },
};

/* ---------------------------------------------------------------- the helper */

static void close_between(unsigned int first, unsigned int last)
{
	struct rlimit limit;

	if (first > last || !syscall(SYS_close_range, first, last, 0))
		return;
	/* A kernel before 5.9. */
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	for (unsigned int fd = first; fd <= last && fd < limit.rlim_max; fd++)
		close(fd);
}

static int compare_fds(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

/* Close all descriptors but those, which are sorted thereby. */
static void close_all_but(int *kept, size_t n)
{
	unsigned int next = 0;

	qsort(kept, n, sizeof(*kept), compare_fds);
	for (size_t i = 0; i < n; i++) {
		if (kept[i] > (int)next)
			close_between(next, kept[i] - 1);
		next = kept[i] + 1;
	}
	close_between(next, ~0U);
}

static _Noreturn void run_helper(pid_t parent, reuseport_look_fn look, void *arg, int out,
				 const int *keep, size_t n)
{
	int kept[n + 1];

	prctl(PR_SET_NAME, REUSEPORT_LOOK_NAME);
	process_title_set(REUSEPORT_LOOK_NAME);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < n; i++)
		kept[i] = keep[i];
	kept[n] = out;
	close_all_but(kept, n + 1);
	/* It may have ended before it would have been noticed. */
	if (getppid() == parent)
		look(arg, out);
	_exit(0);
}

/* fork() with a pidfd, but without the handlers that close the library's handles. */
static pid_t fork_with_pidfd(int *pidfd)
{
#ifdef __s390__
	return syscall(SYS_clone, NULL, CLONE_PIDFD | SIGCHLD, pidfd, NULL, 0);
#else
	return syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, 0);
#endif
}

/* ---------------------------------------------------------------- the parent */

static bool ends_within(const struct helper *helper, int ms)
{
	struct pollfd end = { .fd = helper->pidfd, .events = POLLIN };

	return poll(&end, 1, ms) == 1;
}

/* Forget the helper if it is gone. Return whether it is, or there was none. */
static bool forget_gone(struct helper *helper, int ms)
{
	if (helper->pidfd < 0)
		return true;
	if (!ends_within(helper, ms))
		return false;
	close(helper->pidfd);
	*helper = (struct helper){ .pidfd = -1, .pipe = helper->pipe };
	return helper->pipe < 0;
}

/* Return a place for another helper, or NULL. */
static struct helper *free_place(bool minor)
{
	struct helper *place = NULL;
	int given_up = 0;

	for (int i = 0; i < ISOLATE_MAX; i++) {
		if (forget_gone(&helpers[i], 0))
			place = &helpers[i];
		else
			given_up += helpers[i].given_up;
	}
	if (minor && given_up >= ISOLATE_MINOR_MAX)
		return NULL;
	/* One that is over is about to be gone. */
	for (int i = 0; !place && i < ISOLATE_MAX; i++)
		if (helpers[i].pipe < 0 && !helpers[i].given_up && forget_gone(&helpers[i], END_MS))
			place = &helpers[i];
	return place;
}

static int start_helper(void *ctx, reuseport_look_fn look, void *arg, const int *keep, size_t n,
			bool minor)
{
	struct helper *helper = free_place(minor);
	pid_t parent = getpid(), pid;
	int ends[2], code;

	(void)ctx;
	if (!helper)
		return -EBUSY;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork_with_pidfd(&helper->pidfd);
	if (!pid)
		run_helper(parent, look, arg, ends[1], keep, n);
	code = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		helper->pidfd = -1;
		return -code;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	helper->pipe = ends[0];
	return ends[0];
}

static void stop_helper(void *ctx, int pipe, bool give_up)
{
	(void)ctx;
	close(pipe);
	for (int i = 0; i < ISOLATE_MAX; i++) {
		struct helper *helper = &helpers[i];

		if (helper->pipe != pipe)
			continue;
		helper->pipe = -1;
		if (!give_up || helper->pidfd < 0)
			continue;
		syscall(SYS_pidfd_send_signal, helper->pidfd, SIGKILL, NULL, 0);
		helper->given_up = true;
		forget_gone(helper, END_MS);
	}
}

static void log_skipped(void *ctx, int level, const char *line)
{
	(void)ctx;
	(void)level;
	message("%s", line);
}

static void use(reuseport_log_fn log, void *ctx)
{
	REUSEPORT_OPTS(reuseport_isolation, helping, .start = start_helper, .stop = stop_helper,
		       .log = log, .ctx = ctx);

	reuseport_set_isolation(&helping, NULL);
}

void isolate_begin(void)
{
	signal(SIGCHLD, SIG_IGN);
	use(log_skipped, NULL);
}

void isolate_use_log(struct log *log)
{
	use(log_line, log);
}
