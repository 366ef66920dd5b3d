// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
// The shortest worker, of TCP port 8080: cc -o worker worker.c; ./worker & ./worker &
// It says that it is ready. Where its group is not steered it serves all the same.
#include <netinet/in.h>
#include <reuseport_sockopt.h>
#include <unistd.h>
int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(8080) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, client;
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 1024))
		return 1;
	setsockopt(fd, SOL_REUSEPORT_BPF, REUSEPORT_READY, &one, sizeof(one));
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		send(client, "hello\n", 6, MSG_NOSIGNAL);
		close(client);
	}
}
