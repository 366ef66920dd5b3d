/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Outcome list: the workers that may get a packet, as they are added one by one. */
#ifndef EXPLAIN_OUTCOME_LIST_H
#define EXPLAIN_OUTCOME_LIST_H

#include "explain/explained_owners.h"
#include "explain/explanation.h"
#include "explain/lookup.h"
#include "sockets/group_members.h"
#include "state/attachment.h"

/* The input of the search, and its output so far. */
struct finding {
	struct explanation *explanation;
	struct reuseport_explanation *out; /* of it */
	const struct attachment *attachment;
	const struct lookup_candidate *winner;
	const struct reuseport_packet *packet;
	const struct group_members *members; /* of the winning group, or empty */
	struct explained_owners *owners;
	const struct plan *plan;
	const uint16_t *entries;
	bool no_memory;
};

/* Return the outcome with that number, or NULL past the last one. */
struct reuseport_outcome *outcome_nth(const struct finding *f, size_t i);

/* Add to the probability of one socket. */
void outcome_add(struct finding *f, uint64_t cookie, double probability);

/* Add every member, each with the same probability. */
void outcome_add_all_members(struct finding *f);

/* Add the members among which the kernel itself picks, by its hash or by SO_INCOMING_CPU. Return
 * what is known of that pick, as a sentence. */
const char *outcome_add_kernel_pick(struct finding *f);

#endif
