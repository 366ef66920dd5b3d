// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Map shadow: copies of maps that cannot be mapped into memory. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state/map_shadow.h"

#define MAPS_MAX 6

struct shadow_map {
	int fd;
	size_t value_size, n;
	char *copy;  /* the caller reads and writes it */
	char *known; /* the map, as this process has last read or written it */
};

struct map_shadow {
	struct shadow_map maps[MAPS_MAX];
	size_t n;
};

struct map_shadow *map_shadow_new(void)
{
	return calloc(1, sizeof(struct map_shadow));
}

void map_shadow_free(struct map_shadow *shadow)
{
	if (!shadow)
		return;
	for (size_t i = 0; i < shadow->n; i++) {
		free(shadow->maps[i].copy);
		free(shadow->maps[i].known);
	}
	free(shadow);
}

static int shadow_map_fetch(struct shadow_map *map)
{
	for (__u32 i = 0; i < map->n; i++)
		if (bpf_map_lookup_elem(map->fd, &i, map->known + i * map->value_size))
			return -errno;
	memcpy(map->copy, map->known, map->n * map->value_size);
	return 0;
}

void *map_shadow_add(struct map_shadow *shadow, int fd, size_t value_size, size_t n)
{
	struct shadow_map *map = &shadow->maps[shadow->n];
	int ret = -ENOMEM;

	if (shadow->n == MAPS_MAX) {
		errno = ENOSPC;
		return NULL;
	}
	*map = (struct shadow_map){ fd, value_size, n, calloc(n, value_size),
				    calloc(n, value_size) };
	shadow->n++;
	if (map->copy && map->known)
		ret = shadow_map_fetch(map);
	errno = -ret;
	return ret ? NULL : map->copy;
}

void map_shadow_fetch(struct map_shadow *shadow, size_t skip)
{
	for (size_t i = 0; i + skip < shadow->n; i++)
		shadow_map_fetch(&shadow->maps[i]);
}

static void shadow_map_store(struct shadow_map *map)
{
	for (__u32 i = 0; i < map->n; i++) {
		char *copy = map->copy + i * map->value_size;
		char *known = map->known + i * map->value_size;

		if (memcmp(copy, known, map->value_size) &&
		    !bpf_map_update_elem(map->fd, &i, copy, BPF_ANY))
			memcpy(known, copy, map->value_size);
	}
}

void map_shadow_store(struct map_shadow *shadow)
{
	for (size_t i = 1; i < shadow->n; i++)
		shadow_map_store(&shadow->maps[i]);
	shadow_map_store(&shadow->maps[0]);
}
