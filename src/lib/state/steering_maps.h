/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Steering: the program and its maps; load, pin, open. */
#ifndef STATE_STEERING_MAPS_H
#define STATE_STEERING_MAPS_H

#include "abi.h"
#include "host/features.h"
#include "reuseport_bpf.h"
#include "state/pins.h"

enum steering_map {
	MAP_SOCKETS,
	MAP_CONTROL,
	MAP_TABLE,
	MAP_CPU_MAP,
	MAP_WORKERS,
	MAP_COUNTERS,
	MAP_TOTALS,
	MAP_ATTACHMENT,
	MAP_FLOWS, /* only where flows are sticky, else -1 */
	MAPS
};

struct steering {
	int program;
	uint32_t program_id;
	/* How it was loaded; only steering_load() sets them. */
	bool migrates;
	bool plain_reads;
	int maps[MAPS];
};

#define STEERING_NONE                                                         \
	(struct steering)                                                     \
	{                                                                     \
		.program = -1, .maps = { -1, -1, -1, -1, -1, -1, -1, -1, -1 } \
	}

/* The sizes for which the maps are made. */
struct steering_size {
	unsigned int slots;
	unsigned int table_entries; /* of each half, a power of two, 32 or more */
	unsigned int cpus;
	unsigned int flows;      /* 0: flows are not sticky */
	unsigned int idle_ticks; /* after which a flow is new again, 0: never */
	__u64 flow_key[2];       /* of SipHash, for the flows' tags */
};

/* Return the number of 16-bit words in one half of the table: the entries, and after them
 * the generations and the weight of each slot that they were compiled from. */
static inline size_t half_words(const struct steering_size *size)
{
	size_t words = size->table_entries + GENERATIONS_ENTRIES + size->slots;

	return (words + TABLE_LINE_ENTRIES - 1) / TABLE_LINE_ENTRIES * TABLE_LINE_ENTRIES;
}

struct steering_size steering_size_of(const struct attachment_entry *entry);

/*
 * Load the program and make its maps in the best way that the kernel has: with plain loads
 * or probe reads, select-or-migrate or select, maps that can be mapped or not.
 */
int steering_load(struct steering *steering, const struct steering_size *size, int proto,
		  struct features *features, struct reuseport_error *err);

/* Pin everything in the directory, the program last: it marks the pins as complete. */
int steering_pin(const struct steering *steering, int dir, const char *path,
		 struct reuseport_error *err);

/* Remove the pins that exist and leave the directory. */
void steering_unpin(int dir);

/* Open what is pinned. -ENOENT: a pin is missing, or is not the map or program that it should
 * be; the rest is open. Another -errno: a pin could not be opened, which says nothing of
 * it; nothing is open. */
int steering_open(struct steering *steering, int dir);

/*
 * Return whether the program is the one that is pinned, or, where its pin is missing, one that
 * was loaded with a map that is: 1, 0 or -errno.
 */
int steering_owns(const struct steering *steering, uint32_t program_id);

/* Return whether the maps are those of an attachment with that description. */
bool steering_fits(const struct steering *steering, const struct attachment_entry *entry);

/* Close what is open. */
void steering_close(struct steering *steering);

#endif
