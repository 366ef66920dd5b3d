/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * churn: starts and ends many workers, one process and socket each, by
 * commands on standard input:
 *   start       -> "started PID COOKIE", once it listens
 *   term PID    -> SIGTERM, then "gone PID", once it has been reaped
 *   kill PID    -> the same with SIGKILL
 * At the end of input it ends those that are left.
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct option options[] = {
	{ "proto", 1, NULL, 'p' },
	{ "addr", 1, NULL, 'a' },
	{ "port", 1, NULL, 'P' },
	{ 0 },
};

static void start(const struct server *server)
{
	pid_t pid, parent = getpid();
	uint64_t cookie;
	int pipes[2];

	if (pipe(pipes))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		int fd, epfd;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		close(pipes[0]);
		close(STDIN_FILENO);
		hold_signals();
		fd = server_socket(server);
		epfd = epoll_set(&fd, 1);
		cookie = cookie_of(fd);
		if (write(pipes[1], &cookie, sizeof(cookie)) != sizeof(cookie))
			_exit(1);
		close(pipes[1]);
		serve(server, epfd);
		_exit(0);
	}
	close(pipes[1]);
	if (read(pipes[0], &cookie, sizeof(cookie)) != sizeof(cookie))
		die("a worker failed");
	close(pipes[0]);
	printf("started %d %llu\n", pid, (unsigned long long)cookie);
}

static void end(pid_t pid, int signal)
{
	if (waitpid(pid, NULL, WNOHANG) < 0)
		die("%d is no worker of mine", pid);
	kill(pid, signal);
	waitpid(pid, NULL, 0);
	printf("gone %d\n", pid);
}

int main(int argc, char **argv)
{
	struct server server = { .proto = IPPROTO_TCP, .addr = "0.0.0.0", .reuseport = true };
	char line[64], word[16];
	int option, pid;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			server.proto = protocol(optarg);
			break;
		case 'a':
			server.addr = optarg;
			break;
		case 'P':
			server.port = number(optarg, 1, 65535);
			break;
		default:
			return 2;
		}
	}
	if (!server.port)
		die("--port is missing");
	setpgid(0, 0); /* the workers are this process group */
	while (fgets(line, sizeof(line), stdin)) {
		int words = sscanf(line, "%15s %d", word, &pid);

		errno = 0;
		if (words == 1 && !strcmp(word, "start"))
			start(&server);
		else if (words == 2 && !strcmp(word, "term"))
			end(pid, SIGTERM);
		else if (words == 2 && !strcmp(word, "kill"))
			end(pid, SIGKILL);
		else
			die("unknown command: %s", line);
		fflush(stdout);
	}
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	return 0;
}
