/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * notify: stands in for a service manager. "notify PATH SECONDS" binds a
 * datagram socket at PATH, prints "ready", then each message's lines until one
 * of them is READY=1 (exit 0) or the time is over (exit 1).
 */
#include "common.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct pollfd wait = { .events = POLLIN };
	char message[4096];
	int64_t end;
	bool ready = false;

	if (argc != 3 || strlen(argv[1]) >= sizeof(local.sun_path)) {
		fprintf(stderr, "notify PATH SECONDS\n");
		return 2;
	}
	end = now_ms() + number(argv[2], 1, 600) * 1000;
	strcpy(local.sun_path, argv[1]);
	wait.fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (wait.fd < 0 || bind(wait.fd, (struct sockaddr *)&local, sizeof(local)))
		die("bind %s", argv[1]);
	printf("ready\n");
	fflush(stdout);

	while (!ready && now_ms() < end && poll(&wait, 1, end - now_ms()) == 1) {
		ssize_t got = recv(wait.fd, message, sizeof(message) - 1, 0);

		if (got < 0)
			die("recv");
		message[got] = '\0';
		for (char *line = strtok(message, "\n"); line; line = strtok(NULL, "\n")) {
			printf("%s\n", line);
			if (!strcmp(line, "READY=1"))
				ready = true;
		}
		fflush(stdout);
	}
	unlink(local.sun_path);
	return ready ? 0 : 1;
}
