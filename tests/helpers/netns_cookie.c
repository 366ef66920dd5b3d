/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* netns_cookie: prints the cookie of the network namespace that it runs in. */
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

int main(void)
{
	uint64_t cookie;
	socklen_t size = sizeof(cookie);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0) {
		perror("netns_cookie");
		return 1;
	}
	printf("%llu\n", (unsigned long long)cookie);
	return 0;
}
