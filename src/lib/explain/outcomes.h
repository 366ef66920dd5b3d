/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Outcomes: find the workers of the winning group that may get a packet, each with its
 * probability. */
#ifndef EXPLAIN_OUTCOMES_H
#define EXPLAIN_OUTCOMES_H

#include "explain/explained_owners.h"
#include "explain/explanation.h"
#include "explain/lookup.h"
#include "sockets/group_members.h"
#include "state/attachment.h"

/*
 * Fill what follows decider, which is set. attachment is NULL if there are no pins.
 * members are those of the winning group; they are empty if the winner is no group.
 */
int outcomes_find(struct explanation *explanation, const struct reuseport_packet *packet,
		  const struct lookup_candidate *winner, const struct attachment *attachment,
		  const struct group_members *members, struct explained_owners *owners,
		  struct reuseport_error *err);

#endif
