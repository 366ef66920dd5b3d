// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * packets: reads noise as a capture or as a file of packets (libFuzzer). The first byte says
 * which, and what is left out.
 */
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exit.h"
#include "simulate/packets_file.h"
#include "simulate/packets_pcap.h"

#define TEXT 1 /* bits of the first byte */
#define ONLY_UDP 2
#define ONLY_DNS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Return a file with these bytes: the readers want a path. */
static int file_of(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("packets", 0);
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		err(2, "memfd");
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet_list list = { 0 };
	char path[32];
	int status;

	if (!size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_of(data + 1, size - 1));
	list.path = path;
	list.proto = data[0] & ONLY_UDP ? IPPROTO_UDP : 0;
	list.port = data[0] & ONLY_DNS ? 53 : 0;
	if (reuseport_tuple_list__new(&list.tuples, NULL))
		errx(2, "memory");
	status = data[0] & TEXT ? packets_file_read(&list) : packets_pcap_read(&list);
	packet_list_free(&list);
	if (status != EXIT_DONE && status != EXIT_FAILED)
		abort();
	return 0;
}
