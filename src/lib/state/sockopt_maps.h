/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Socket option maps: the pinned maps, beside the hooks, through which workers ask by socket
 * options; abi.h has what is in them.
 */
#ifndef STATE_SOCKOPT_MAPS_H
#define STATE_SOCKOPT_MAPS_H

#include "abi.h"
#include "reuseport_bpf.h"

enum sockopt_map {
	SOCKOPT_STORAGE,
	SOCKOPT_REQUESTS,
	SOCKOPT_MEMBERS,
	SOCKOPT_STEERED,
	SOCKOPT_WORKER_IDS,
	/* By attachment. The kernel may lack maps of arrays of any size. An update or delete
	 * waits for an RCU grace period. */
	SOCKOPT_ASKED_MAPS,
	SOCKOPT_CONTROL_MAPS,
	SOCKOPT_MAPS
};

struct sockopt_maps {
	int fds[SOCKOPT_MAPS]; /* -1: there is none */
};

#define SOCKOPT_MAPS_NONE                             \
	(struct sockopt_maps)                         \
	{                                             \
		.fds = { -1, -1, -1, -1, -1, -1, -1 } \
	}

/* Return the name of its pin, which is the map's too. */
const char *sockopt_maps_name(enum sockopt_map map);

/* Return whether the options work without it. */
bool sockopt_maps_is_optional(enum sockopt_map map);

/*
 * Open those in the directory of the hooks. Return 0 or -errno, with none open. -ENOENT, without an
 * error: they are not there. -EPROTO: they are of another version.
 */
int sockopt_maps_open(int dir, struct sockopt_maps *maps, struct reuseport_error *err);

/* Return whether those are the maps that are pinned in the directory now. */
bool sockopt_maps_are_pinned(const struct sockopt_maps *maps, int dir);

/* Close those that are open, of a structure that sockopt_maps_open() has filled. */
void sockopt_maps_close(struct sockopt_maps *maps);

#endif
