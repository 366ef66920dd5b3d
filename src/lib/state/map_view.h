/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The pinned maps that are read and written through memory. Where the kernel
 * cannot map them (before 5.5), it is copies that are read and written: they are
 * brought up to date with mapped_fetch(), and what was changed in them takes
 * effect with mapped_store(). In memory both have nothing to do.
 */
#ifndef STATE_MAP_VIEW_H
#define STATE_MAP_VIEW_H

#include "state/steering_maps.h"

struct copies;

struct mapped {
	struct control *control;
	uint16_t *table; /* both halves */
	struct worker_entry *workers;
	struct given_cpu *cpu_map;
	struct flow_bucket *flows; /* NULL: flows are not sticky */
	struct steering_size size;
	struct copies *copies; /* NULL: they are the maps themselves */
};

#define MAPPED_NONE ((struct mapped){ .control = NULL })

/* The entries of a half, by its epoch; the generations; the weights. */
static inline uint16_t *half_entries(const struct mapped *mapped, uint32_t epoch)
{
	return mapped->table + (epoch & 1) * half_words(&mapped->size);
}

static inline struct generations *half_generations(const struct mapped *mapped, uint32_t epoch)
{
	return (struct generations *)(half_entries(mapped, epoch) + mapped->size.table_entries);
}

static inline uint16_t *half_weights(const struct mapped *mapped, uint32_t epoch)
{
	return half_entries(mapped, epoch) + mapped->size.table_entries + GENERATIONS_ENTRIES;
}

/* 0 or -errno; close in any case. */
int mapped_open(struct mapped *mapped, const struct steering *steering,
		const struct steering_size *size);
void mapped_close(struct mapped *mapped);

/* To be called with the change lock held, before anything is changed; and without it
 * by a keeper, whose workers join and leave, and by who notes the processes that serve. */
void mapped_fetch(const struct mapped *mapped);

/* The workers and the table first, then what the program goes by. */
void mapped_store(const struct mapped *mapped);

static inline bool mapped_in_memory(const struct mapped *mapped)
{
	return !mapped->copies;
}

#endif
