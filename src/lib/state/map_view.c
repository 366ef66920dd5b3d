// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The pinned maps that are read and written through memory. */
#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "state/map_shadow.h"
#include "state/map_view.h"

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

/* What each of them is, for both ways to open it. */
typedef void *(*open_fn)(struct mapped *mapped, int fd, size_t value_size, size_t n);

static void *open_mapped(struct mapped *mapped, int fd, size_t value_size, size_t n)
{
	(void)mapped;
	return map(fd, value_size * n);
}

static void *open_copied(struct mapped *mapped, int fd, size_t value_size, size_t n)
{
	return copies_add(mapped->copies, fd, value_size, n);
}

/* The control comes first, so that it is stored last; the flows, which nobody but
 * the program writes, last, so that they are not fetched again. */
static int open_all(struct mapped *mapped, const int *maps, open_fn open)
{
	const struct steering_size *size = &mapped->size;

	mapped->control = open(mapped, maps[MAP_CONTROL], sizeof(struct control), 1);
	if (mapped->control)
		mapped->table = open(mapped, maps[MAP_TABLE], sizeof(struct table_line),
				     table_bytes(size) / sizeof(struct table_line));
	if (mapped->table)
		mapped->workers = open(mapped, maps[MAP_WORKERS], sizeof(struct worker_entry),
				       size->slots);
	if (mapped->workers)
		mapped->cpu_map = open(mapped, maps[MAP_CPU_MAP], sizeof(struct given_cpu),
				       size->cpus);
	if (mapped->cpu_map && size->flows)
		mapped->flows = open(mapped, maps[MAP_FLOWS], sizeof(struct flow_bucket),
				     size->flows / FLOW_BUCKET_FLOWS);
	return mapped->cpu_map && (mapped->flows || !size->flows) ? 0 : -errno;
}

static bool can_be_mapped(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && (info.map_flags & BPF_F_MMAPABLE);
}

int mapped_open(struct mapped *mapped, const struct steering *steering,
		const struct steering_size *size)
{
	*mapped = (struct mapped){ .size = *size };
	if (can_be_mapped(steering->maps[MAP_TABLE]))
		return open_all(mapped, steering->maps, open_mapped);
	mapped->copies = copies_new();
	return mapped->copies ? open_all(mapped, steering->maps, open_copied) : -ENOMEM;
}

void mapped_close(struct mapped *mapped)
{
	const struct steering_size *size = &mapped->size;

	if (mapped_in_memory(mapped)) {
		unmap(mapped->control, sizeof(struct control));
		unmap(mapped->table, table_bytes(size));
		unmap(mapped->workers, size->slots * sizeof(struct worker_entry));
		unmap(mapped->flows, size->flows * sizeof(struct flow));
		unmap(mapped->cpu_map, size->cpus * sizeof(struct given_cpu));
	}
	copies_free(mapped->copies);
	*mapped = MAPPED_NONE;
}

void mapped_fetch(const struct mapped *mapped)
{
	if (mapped->copies)
		copies_fetch(mapped->copies, mapped->flows != NULL);
}

void mapped_store(const struct mapped *mapped)
{
	if (mapped->copies)
		copies_store(mapped->copies);
}
