/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * descriptors: has N descriptors open until it is ended, in as few processes as the
 * limit allows. Prints "ready" then.
 *   descriptors N
 */
#include "common.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 200000
#define OTHERS 20 /* descriptors that a process has anyway */

/* Return how many of them a process may have. */
static long room(void)
{
	struct rlimit limit;

	raise_limits();
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur <= OTHERS)
		die("getrlimit");
	return limit.rlim_cur > DESCRIPTORS_MAX ? DESCRIPTORS_MAX : (long)limit.rlim_cur - OTHERS;
}

static void open_them(long n)
{
	while (n--)
		if (dup(STDIN_FILENO) < 0)
			die("dup");
}

/* Start a process with n of them, which ends with this one. */
static void start(long n)
{
	pid_t parent = getpid();
	int ready[2];
	char byte;

	if (pipe(ready))
		die("pipe");
	switch (fork()) {
	case -1:
		die("fork");
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		open_them(n);
		if (write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("a child failed");
	close(ready[0]);
}

int main(int argc, char **argv)
{
	long n, most = room();

	if (argc != 2)
		die("usage: descriptors N");
	for (n = number(argv[1], 1, DESCRIPTORS_MAX); n > most; n -= most)
		start(most);
	open_them(n);
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}
