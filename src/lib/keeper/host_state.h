/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Host state: the handle of the host's keeper, and what it knows of each attachment. */
#ifndef KEEPER_HOST_STATE_H
#define KEEPER_HOST_STATE_H

#include "abi.h"
#include "item_list.h"
#include "keeper/handle.h"
#include "keeper/program_ask.h"
#include "reuseport_keeper.h"
#include "state/pins_name.h"

/* See program_watch.h. */
struct program_watch {
	struct look *look; /* NULL: none runs */
	struct program_question question;
	uint64_t ids[ASK_MAX]; /* of the entries, for each cookie */
	uint32_t round;        /* the groups that were asked about have its number */
	uint64_t asked_at;
	uint64_t look_cost; /* as of struct program_answer */
	uint64_t cost;      /* of the round so far, in ns of a CPU, */
	uint64_t looks;     /* and how many it has had */
	uint64_t at;        /* when the next look begins */
};

/* An attachment. Its directory's inode is its identity: another one may get the name. Times are
 * of CLOCK_MONOTONIC, in ns. */
struct host_entry {
	uint64_t inode;
	char name[PINS_NAME_MAX]; /* of the directory */
	char log[REUSEPORT_LOG_LEN];
	struct reuseport_keeper *keeper;
	struct reuseport_group *group; /* NULL: not kept by this process */
	uint64_t id;                   /* of its sources in the epoll set; none has it again */
	int watch;                     /* of its directory, by inotify */
	bool held;                     /* by a lock in the root directory */
	uint64_t due_at;               /* when the group has work to do; 0: now */
	uint64_t free_since;           /* when it was first seen without a keeper; 0: it has one */
	uint64_t try_at;               /* when to look again */
	uint32_t asked;                /* the round that asked about its program */
	int logged;                    /* errno of the failure that was logged last, or 0 */
	bool seen;                     /* by the scan that runs */
};

struct reuseport_keeper {
	struct reuseport_keeper_opts opts;
	int root; /* holds the lock */
	char path[64];
	int record; /* the map in which this process says who it is */
	struct keeper_entry entry;
	int notice, timer, epoll;
	int root_watch;
	uint64_t last_id;
	size_t next; /* the entry that comes first in the next turn */
	struct handle_shared shared;
	bool ring_watched;
	uint64_t repair_at;    /* of the ring */
	uint64_t events_until; /* when a call has no more time for events */
	struct program_watch watch;
	struct item_list entries; /* struct host_entry */
	bool scan_due;
	uint64_t scan_at;
	bool hidden;        /* no command reaches the pins; see host_scan_is_hidden() */
	uint64_t hidden_at; /* when to look again */
};

/* Log through the caller's function, about an attachment unless entry is NULL. */
void host_log(struct reuseport_keeper *keeper, const struct host_entry *entry, int level,
	      const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
