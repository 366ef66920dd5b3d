/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Steering: the program and its maps; pin, open. */
#ifndef STATE_STEERING_MAPS_H
#define STATE_STEERING_MAPS_H

#include "abi.h"
#include "reuseport_bpf.h"
#include "state/pins.h"

enum steering_map {
	MAP_SOCKETS,
	MAP_CONTROL,
	MAP_TABLE,
	MAP_CPU_MAP,
	MAP_WORKERS,
	MAP_AGES, /* this and the next since ABI version 5 */
	MAP_ASKED,
	MAP_COUNTERS,
	MAP_TOTALS,
	MAP_ATTACHMENT,
	MAP_FLOWS,  /* only where flows are sticky, else -1 */
	MAP_EVENTS, /* only where the program tells of changes, else -1 */
	MAPS
};

struct steering {
	int program;
	uint32_t program_id;
	/* How it was loaded; only the load sets them. */
	bool migrates;
	bool plain_reads;
	bool tells;
	int maps[MAPS];
};

#define STEERING_NONE                                                                     \
	(struct steering)                                                                 \
	{                                                                                 \
		.program = -1, .maps = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 } \
	}

/* The sizes for which the maps are made. */
struct steering_size {
	unsigned int slots;
	unsigned int table_entries; /* of each half, a power of two, 32 or more */
	unsigned int cpus;
	unsigned int flows;      /* 0: flows are not sticky */
	unsigned int idle_ticks; /* after which a flow is new again, 0: never */
	__u64 flow_key[2];       /* of SipHash, for the flows' tags */
	__u64 attached_ns;       /* by which the program says whose changes it tells */
	bool tells;              /* it does; set by the load */
};

/* Return the number of 16-bit words in one half of the table: the entries, and after them
 * the generations and the weight of each slot that they were compiled from. */
static inline size_t half_words(const struct steering_size *size)
{
	size_t words = size->table_entries + GENERATIONS_ENTRIES + size->slots;

	return (words + TABLE_LINE_ENTRIES - 1) / TABLE_LINE_ENTRIES * TABLE_LINE_ENTRIES;
}

struct steering_size steering_size_of(const struct attachment_entry *entry);

/* Return a map's name in the program; how many elements it has, and whether there is one. */
const char *steering_map_name(enum steering_map map);
unsigned int steering_map_entries(enum steering_map map, const struct steering_size *size);
bool steering_has_map(enum steering_map map, const struct steering_size *size);

/* Pin everything in the directory, the program last: it marks the pins as complete. */
int steering_pin(const struct steering *steering, int dir, const char *path,
		 struct reuseport_error *err);

/* Remove the pins that exist and leave the directory. */
void steering_unpin(int dir);

/* Open what is pinned. -ENOENT: a pin is missing, or is not the map or program that it should
 * be; the rest is open. Another -errno: a pin could not be opened, which says nothing of
 * it; nothing is open. */
int steering_open(struct steering *steering, int dir);

/* Open the program again, if it is closed: the one that was open before. Return its fd or -errno.
 * -ESTALE: another one is pinned now. */
int steering_open_program(struct steering *steering, int dir);

/*
 * Return whether the program is the one that is pinned, or one that was loaded with a map that
 * is: its pin may be missing, or an upgrade was killed half-way. 1, 0 or -errno.
 */
int steering_owns(const struct steering *steering, uint32_t program_id);

/* Return whether the maps can be mapped into memory. */
bool steering_in_memory(const struct steering *steering);

/* Return whether the maps are those of an attachment with that description. */
bool steering_fits(const struct steering *steering, const struct attachment_entry *entry);

/* Close what is open. */
void steering_close(struct steering *steering);

#endif
