// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
// A restart without loss: start a new instance, which says READY; then end the old one, which says
// DRAIN, waits until no packet goes by the plan before, and serves what it has been given by then.
//   cc -o restart restart.c; ./restart & sudo reuseportctl attach --port 8080 --admit manual
//   ./restart & sleep 1; kill %1
#include <netinet/in.h>
#include <poll.h>
#include <reuseport_sockopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>
static void serve(int listener)
{
	for (int client; (client = accept(listener, NULL, NULL)) >= 0; close(client))
		dprintf(client, "%d\n", getpid());
}
int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(8080) };
	struct reuseport_worker_sockopt before = { 0 }, now = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, tries = 0;
	socklen_t size = sizeof(now);
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	struct pollfd on[] = { { fd, POLLIN, 0 }, { signalfd(-1, &ends, 0), POLLIN, 0 } };
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 1024))
		return 1;
	setsockopt(fd, SOL_REUSEPORT_BPF, REUSEPORT_READY, &one, sizeof(one));
	while (poll(on, 2, -1) >= 0 && !on[1].revents)
		serve(fd);
	getsockopt(fd, SOL_REUSEPORT_BPF, REUSEPORT_STATE, &before, &size);
	if (!setsockopt(fd, SOL_REUSEPORT_BPF, REUSEPORT_DRAIN, &one, sizeof(one)))
		while (tries++ < 300 && (now.seq <= before.seq || now.queue || now.half_open)) {
			serve(fd);
			usleep(10000);
			getsockopt(fd, SOL_REUSEPORT_BPF, REUSEPORT_STATE, &now, &size);
		}
	serve(fd);
}
