/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Status item: what is known of one attachment, and of its workers. */
#ifndef API_STATUS_ITEM_H
#define API_STATUS_ITEM_H

#include "item_list.h"
#include "sockets/group_snapshot.h"
#include "state/attachment.h"

struct status_item {
	struct reuseport_status status; /* first */
	struct reuseport_key key;
	struct reuseport_policy_info policy;
	struct reuseport_modes modes;
	struct reuseport_generations generations;
	struct reuseport_counters counters;
	struct item_list workers;   /* of struct status_worker */
	struct item_list unsteered; /* of struct status_unsteered */
	struct item_list left_out;  /* of struct status_left_out */
};

struct status_unsteered {
	struct reuseport_unsteered unsteered; /* first */
	struct reuseport_key key;
};

struct status_worker {
	struct reuseport_worker worker; /* first */
	struct slot_counters base;      /* of its slot, when it joined */
	uint32_t *pids;
	uint32_t inode, uid; /* of the socket */
};

struct status_left_out {
	struct status_worker worker; /* first */
	struct sock_diag_socket socket;
};

/* Read the sockets of the group and what goes with each, but for their processes. */
int status_read_members(struct status_item *item, const struct attachment *at,
			struct group_snapshot *snapshot, struct reuseport_error *err);

/* Read the counters, once for the group and its workers, so that they add up. */
int status_read_counters(struct status_item *item, const struct attachment *at);

/* Look for the processes that have the workers' sockets open: one search for all items. */
int status_read_owners(const struct item_list *items, struct reuseport_error *err);

#endif
