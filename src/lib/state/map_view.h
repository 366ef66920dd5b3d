/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Map view: the pinned maps as memory, to read and to write. Where the kernel
 * cannot map them (before 5.5), the view is a shadow of them: map_view_fetch()
 * brings it up to date, and map_view_store() writes what was changed. With mapped
 * memory both do nothing.
 */
#ifndef STATE_MAP_VIEW_H
#define STATE_MAP_VIEW_H

#include "state/steering_maps.h"

struct map_shadow;

struct map_view {
	struct control *control;
	uint16_t *table; /* both halves */
	struct worker_entry *workers;
	struct age *ages; /* by slot, then those of the group: see ages.h */
	struct given_cpu *cpu_map;
	struct asked_slot *asked;  /* by slot; NULL: the maps are not mapped */
	struct flow_bucket *flows; /* NULL: flows are not sticky */
	struct steering_size size;
	struct map_shadow *shadow; /* NULL: the maps themselves are mapped */
};

#define MAP_VIEW_NONE ((struct map_view){ .control = NULL })

/* Return the entries of a half, by its epoch; the generations; the weights. */
static inline uint16_t *half_entries(const struct map_view *view, uint32_t epoch)
{
	return view->table + (epoch & 1) * half_words(&view->size);
}

static inline struct generations *half_generations(const struct map_view *view, uint32_t epoch)
{
	return (struct generations *)(half_entries(view, epoch) + view->size.table_entries);
}

static inline uint16_t *half_weights(const struct map_view *view, uint32_t epoch)
{
	return half_entries(view, epoch) + view->size.table_entries + GENERATIONS_ENTRIES;
}

/* Return the plan in use. */
static inline const struct plan *plan_in_use(const struct map_view *view)
{
	return &view->control->plan[view->control->epoch & 1];
}

/* Return 0 or -errno; close in any case. */
int map_view_open(struct map_view *view, const struct steering *steering,
		  const struct steering_size *size);
void map_view_close(struct map_view *view);

/* Have no child of this process get the memory: a helper must not hold it, and a fork that copies
 * that of many maps takes milliseconds. */
void map_view_hide_from_children(const struct map_view *view);

/* Bring the view up to date. With the plan lock held before anything is changed;
 * without it by a keeper whose workers join and leave, and by a command that
 * notes which processes serve them. */
void map_view_fetch(const struct map_view *view);

/* Write what was changed: the workers and the table first, then the plan. */
void map_view_store(const struct map_view *view);

static inline bool map_view_in_memory(const struct map_view *view)
{
	return !view->shadow;
}

#endif
