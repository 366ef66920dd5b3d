/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Helpers made by fork(): a program's part of reuseport_isolate.h, for tests. */
#ifndef UNIT_FORKED_HELPERS_H
#define UNIT_FORKED_HELPERS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/isolation.h"
#include "host/look.h"

enum { HELPERS_MAX = 16 };

static struct {
	pid_t pid;
	int pipe;
} helpers[HELPERS_MAX];

static int n_helpers, given_up, refuse_after; /* as many helpers; 0: never */
static char logged[256];
static int n_logged;

static inline int start(void *ctx, reuseport_look_fn look, void *arg, const int *keep, size_t n,
			bool minor)
{
	int ends[2];

	(void)ctx;
	(void)keep;
	(void)n;
	(void)minor;
	if (refuse_after && n_helpers >= refuse_after)
		return -EBUSY;
	assert_true(n_helpers < HELPERS_MAX);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	helpers[n_helpers].pid = fork();
	assert_true(helpers[n_helpers].pid >= 0);
	if (!helpers[n_helpers].pid) {
		close(ends[0]);
		look(arg, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	helpers[n_helpers++].pipe = ends[0];
	return ends[0];
}

static inline void stop(void *ctx, int pipe, bool give_up)
{
	(void)ctx;
	for (int i = 0; i < n_helpers; i++) {
		if (helpers[i].pipe != pipe)
			continue;
		helpers[i].pipe = -1;
		close(pipe);
		if (give_up)
			kill(helpers[i].pid, SIGKILL);
		given_up += give_up;
		assert_int_equal(waitpid(helpers[i].pid, NULL, 0), helpers[i].pid);
		return;
	}
	fail();
}

static inline void keep_line(void *ctx, int level, const char *line)
{
	(void)ctx;
	(void)level;
	n_logged++;
	snprintf(logged, sizeof(logged), "%s", line);
}

static inline void isolate(bool on)
{
	REUSEPORT_OPTS(reuseport_isolation, by, .start = start, .stop = stop, .log = keep_line);

	n_helpers = given_up = n_logged = refuse_after = 0;
	assert_int_equal(reuseport_set_isolation(on ? &by : NULL, NULL), 0);
	assert_int_equal(look_isolated(), on);
}

/* Start a process that can be skipped. */
static inline pid_t start_process(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		for (;;)
			pause();
	return pid;
}

static inline void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#endif
