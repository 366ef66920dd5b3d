// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Map view: the pinned maps as memory, mapped or as a shadow. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "state/map_shadow.h"
#include "state/map_view.h"

/* Round up to whole pages, which mmap() needs. */
static size_t whole_pages(size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

static void *map_view_mmap(int fd, size_t bytes)
{
	void *at = mmap(NULL, whole_pages(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void map_view_munmap(void *at, size_t bytes)
{
	if (at)
		munmap(at, whole_pages(bytes));
}

static void map_view_hide(void *at, size_t bytes)
{
	/* Where that fails, a fork is dearer. */
	if (at && madvise(at, whole_pages(bytes), MADV_DONTFORK))
		errno = 0;
}

static size_t table_bytes(const struct steering_size *size)
{
	return 2 * half_words(size) * sizeof(uint16_t);
}

/* Open one map in one of the two ways. */
typedef void *(*open_fn)(struct map_view *view, int fd, size_t value_size, size_t n);

static void *open_mapped(struct map_view *view, int fd, size_t value_size, size_t n)
{
	(void)view;
	return map_view_mmap(fd, value_size * n);
}

static void *open_shadow(struct map_view *view, int fd, size_t value_size, size_t n)
{
	return map_shadow_add(view->shadow, fd, value_size, n);
}

/* Open all maps: the control first, so that it is stored last; the flows last, so that they
 * are not fetched again, since only the program writes them. */
static int map_view_open_all(struct map_view *view, const int *maps, open_fn open)
{
	const struct steering_size *size = &view->size;

	view->control = open(view, maps[MAP_CONTROL], sizeof(struct control), 1);
	if (view->control)
		view->table = open(view, maps[MAP_TABLE], sizeof(struct table_line),
				   table_bytes(size) / sizeof(struct table_line));
	if (view->table)
		view->workers = open(view, maps[MAP_WORKERS], sizeof(struct worker_entry),
				     size->slots);
	if (view->workers)
		view->cpu_map = open(view, maps[MAP_CPU_MAP], sizeof(struct given_cpu), size->cpus);
	if (view->cpu_map)
		view->ages = open(view, maps[MAP_AGES], sizeof(struct age),
				  size->slots + GROUP_AGES);
	if (view->ages && size->flows)
		view->flows = open(view, maps[MAP_FLOWS], sizeof(struct flow_bucket),
				   size->flows / FLOW_BUCKET_FLOWS);
	return view->ages && (view->flows || !size->flows) ? 0 : -errno;
}

int map_view_open(struct map_view *view, const struct steering *steering,
		  const struct steering_size *size)
{
	*view = (struct map_view){ .size = *size };
	if (steering_in_memory(steering)) {
		view->asked = map_view_mmap(steering->maps[MAP_ASKED],
					    size->slots * sizeof(struct asked_slot));
		return view->asked ? map_view_open_all(view, steering->maps, open_mapped) : -errno;
	}
	view->shadow = map_shadow_new();
	return view->shadow ? map_view_open_all(view, steering->maps, open_shadow) : -ENOMEM;
}

/* Call fn for the memory of each map. */
static void map_view_for_each(const struct map_view *view, void (*fn)(void *at, size_t bytes))
{
	const struct steering_size *size = &view->size;

	if (!map_view_in_memory(view))
		return;
	fn(view->control, sizeof(struct control));
	fn(view->table, table_bytes(size));
	fn(view->workers, size->slots * sizeof(struct worker_entry));
	fn(view->ages, (size->slots + GROUP_AGES) * sizeof(struct age));
	fn(view->flows, size->flows * sizeof(struct flow));
	fn(view->cpu_map, size->cpus * sizeof(struct given_cpu));
	fn(view->asked, size->slots * sizeof(struct asked_slot));
}

void map_view_hide_from_children(const struct map_view *view)
{
	map_view_for_each(view, map_view_hide);
}

void map_view_close(struct map_view *view)
{
	map_view_for_each(view, map_view_munmap);
	map_shadow_free(view->shadow);
	*view = MAP_VIEW_NONE;
}

void map_view_fetch(const struct map_view *view)
{
	if (view->shadow)
		map_shadow_fetch(view->shadow, view->flows != NULL);
}

void map_view_store(const struct map_view *view)
{
	if (view->shadow)
		map_shadow_store(view->shadow);
}
