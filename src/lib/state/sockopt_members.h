/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Sockopt members: what the programs of the socket options know of groups and their workers. The
 * keeper writes it; what the workers ask for is read here.
 */
#ifndef STATE_SOCKOPT_MEMBERS_H
#define STATE_SOCKOPT_MEMBERS_H

#include <stdbool.h>

#include "state/attachment.h"
#include "state/sockopt_maps.h"

/* Write a worker's member. Return 0 or -errno. */
int sockopt_members_put(const struct sockopt_maps *maps, uint64_t cookie,
			const struct member *member);

/* Read it; return whether there is one of this attachment. */
bool sockopt_members_get(const struct sockopt_maps *maps, uint64_t cookie, uint64_t attachment,
			 struct member *member);

/* Remove it, with its requests and its id. */
void sockopt_members_drop(const struct sockopt_maps *maps, uint64_t cookie,
			  const struct member *member);

/* Read what a worker has asked for; return whether it has. */
bool sockopt_members_request(const struct sockopt_maps *maps, uint64_t cookie,
			     struct request *request);

/* Claim an id for the worker in its generation: 0, -EEXIST: another worker has it, or -errno. */
int sockopt_members_claim_id(const struct sockopt_maps *maps, uint64_t cookie,
			     const struct member *member, uint32_t id);

/* Give up the id that it has. */
void sockopt_members_give_up_id(const struct sockopt_maps *maps, uint64_t cookie,
				const struct member *member);

/* Fill in what the pins say of the worker in a slot. */
void sockopt_members_describe(const struct attachment *at, unsigned int slot,
			      struct member *member);

/* Have the programs know the group: its address, and its words for the next packet. */
int sockopt_members_steer(const struct sockopt_maps *maps, const struct attachment *at);

/* Open the maps beside an attachment, whose directory is open. Return 0 or -errno. */
int sockopt_members_open(const struct attachment *at, struct sockopt_maps *maps);

/* Remove all that is known of an attachment. */
void sockopt_members_remove(const struct sockopt_maps *maps, uint64_t attachment);

/* Do so where the maps are not open; the attachment's directory is. */
void sockopt_members_remove_pinned(const struct attachment *at);

/* After a command has changed workers: have the keeper write their members, or write them where no
 * keeper runs. */
void sockopt_members_follow(const struct attachment *at);

#endif
