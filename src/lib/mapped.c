// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The pinned maps that are read and written through memory. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mapped.h"

/* The kernel wants whole pages. */
static size_t whole_pages(size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

static void *map(int fd, size_t bytes)
{
	void *at = mmap(NULL, whole_pages(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void unmap(void *at, size_t bytes)
{
	if (at)
		munmap(at, whole_pages(bytes));
}

static size_t table_bytes(const struct steering_size *size)
{
	return 2 * half_words(size) * sizeof(uint16_t);
}

int mapped_open(struct mapped *mapped, const struct steering *steering,
		const struct steering_size *size)
{
	const int *maps = steering->maps;

	*mapped = (struct mapped){ .size = *size };
	mapped->control = map(maps[MAP_CONTROL], sizeof(struct control));
	if (mapped->control)
		mapped->table = map(maps[MAP_TABLE], table_bytes(size));
	if (mapped->table)
		mapped->workers = map(maps[MAP_WORKERS], size->slots * sizeof(struct worker_entry));
	if (mapped->workers)
		mapped->cpu_map = map(maps[MAP_CPU_MAP], size->cpus * sizeof(struct given_cpu));
	if (!mapped->cpu_map)
		return -errno;
	if (size->flows)
		mapped->flows = map(maps[MAP_FLOWS], size->flows * sizeof(struct flow));
	return size->flows && !mapped->flows ? -errno : 0;
}

void mapped_close(struct mapped *mapped)
{
	unmap(mapped->control, sizeof(struct control));
	unmap(mapped->table, table_bytes(&mapped->size));
	unmap(mapped->workers, mapped->size.slots * sizeof(struct worker_entry));
	unmap(mapped->flows, mapped->size.flows * sizeof(struct flow));
	unmap(mapped->cpu_map, mapped->size.cpus * sizeof(struct given_cpu));
	*mapped = MAPPED_NONE;
}
