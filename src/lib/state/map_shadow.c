// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Copies of maps that cannot be mapped into memory, element by element. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state/map_shadow.h"

#define MAPS_MAX 5

struct copy {
	int fd;
	size_t value_size, n;
	char *seen;  /* what the caller reads and writes */
	char *known; /* what the map has, as far as this process knows */
};

struct copies {
	struct copy maps[MAPS_MAX];
	size_t n;
};

struct copies *copies_new(void)
{
	return calloc(1, sizeof(struct copies));
}

void copies_free(struct copies *copies)
{
	if (!copies)
		return;
	for (size_t i = 0; i < copies->n; i++) {
		free(copies->maps[i].seen);
		free(copies->maps[i].known);
	}
	free(copies);
}

static int fetch(struct copy *map)
{
	for (__u32 i = 0; i < map->n; i++)
		if (bpf_map_lookup_elem(map->fd, &i, map->known + i * map->value_size))
			return -errno;
	memcpy(map->seen, map->known, map->n * map->value_size);
	return 0;
}

void *copies_add(struct copies *copies, int fd, size_t value_size, size_t n)
{
	struct copy *map = &copies->maps[copies->n];
	int ret = -ENOMEM;

	if (copies->n == MAPS_MAX) {
		errno = ENOSPC;
		return NULL;
	}
	*map = (struct copy){ fd, value_size, n, calloc(n, value_size), calloc(n, value_size) };
	copies->n++;
	if (map->seen && map->known)
		ret = fetch(map);
	errno = -ret;
	return ret ? NULL : map->seen;
}

void copies_fetch(struct copies *copies, size_t skip)
{
	for (size_t i = 0; i + skip < copies->n; i++)
		fetch(&copies->maps[i]);
}

static void store(struct copy *map)
{
	for (__u32 i = 0; i < map->n; i++) {
		char *seen = map->seen + i * map->value_size;
		char *known = map->known + i * map->value_size;

		if (memcmp(seen, known, map->value_size) &&
		    !bpf_map_update_elem(map->fd, &i, seen, BPF_ANY))
			memcpy(known, seen, map->value_size);
	}
}

void copies_store(struct copies *copies)
{
	for (size_t i = 1; i < copies->n; i++)
		store(&copies->maps[i]);
	store(&copies->maps[0]);
}
