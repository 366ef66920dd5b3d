// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Writes what a worker has asked for by a socket option, as the programs of the options do:
 *   ask PIN_DIR SLOT WHAT    WHAT: 0 nothing, 1 nothing new, 2 nothing at all
 * It stands in for them where the steering program alone is tested. Then no keeper takes it.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "abi.h"
#include "common.h"

static void *map_of(const char *dir, const char *name, size_t bytes)
{
	char path[256];
	void *at;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		die("%s", path);
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die("mmap %s", path);
	return at;
}

int main(int argc, char **argv)
{
	struct control *control;
	struct asked_slot *asked;
	unsigned int slot;

	if (argc != 4) {
		fprintf(stderr, "usage: ask PIN_DIR SLOT WHAT\n");
		return 2;
	}
	slot = atoi(argv[2]);
	control = map_of(argv[1], "control", sizeof(*control));
	asked = map_of(argv[1], "asked", (slot + 1) * sizeof(*asked));
	asked[slot] = (struct asked_slot){ .what = atoi(argv[3]), .count = 1 };
	__atomic_store_n(&control->asked, 1, __ATOMIC_RELEASE);
	return 0;
}
