/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The handle of an attachment: what attach, sync and keep share. */
#ifndef KEEPER_HANDLE_H
#define KEEPER_HANDLE_H

#include "abi.h"
#include "host/netns.h"
#include "sockets/group_key.h"
#include "sockets/socket_events.h"
#include "state/map_view.h"
#include "state/steering_maps.h"

/* What the keeper remembers of a slot, beside the pinned struct worker_entry. */
struct slot {
	uint64_t cookie; /* 0: free */
	uint32_t inode;
	uint32_t pid;
};

/* An event that could not be finished yet: the socket was not in its group, or
 * not out of its slot. */
struct pending {
	uint64_t cookie;
	uint32_t inode;
	uint32_t pid;
	uint16_t tries;
	bool leaving;
};

#define PENDING_MAX 64

struct reuseport_group {
	struct reuseport_key key;
	char text[GROUP_KEY_TEXT_LEN]; /* of key, for messages */
	char pin[REUSEPORT_PATH_MAX];
	struct netns_ref ns;
	struct attachment_entry entry; /* as pinned */
	struct steering steering;
	struct mapped mapped;
	int lock;

	struct slot *slots; /* entry.slots of them */
	unsigned int workers;
	unsigned int lowest_free; /* no slot below is free */

	struct socket_events *events;  /* NULL: polling */
	struct group_iter_bpf *reader; /* NULL: not needed yet */
	int timer, notice, epoll;
	struct pending pending[PENDING_MAX];
	unsigned int n_pending;
	bool resync_due;
	uint64_t resync_at;  /* CLOCK_MONOTONIC, ns */
	uint64_t refresh_at; /* of pids and names */
	bool plan_due;
	uint64_t plan_at;   /* when to look whether the plan is to follow */
	uint64_t settle_at; /* after a change of the plan */
	int changes;        /* since the last __process */

	uint64_t refused;       /* members that could not join, as a checksum, */
	uint64_t refused_until; /* and until when not to try them again */

	bool adopted;
	bool force;
	struct features *features; /* of the kernel, as far as they were asked for */
	bool full_told;            /* that there are more members than slots */
	reuseport_log_fn log;
	void *log_ctx;
};

/* Free with reuseport_group__free. */
int group_new(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
	      struct reuseport_group **made, struct reuseport_error *err);

/* Maps what entry describes into memory. */
int group_map(struct reuseport_group *group, struct reuseport_error *err);

/* Writes entry where it is pinned. */
int group_write_entry(const struct reuseport_group *group, struct reuseport_error *err);

void group_log(const struct reuseport_group *group, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
