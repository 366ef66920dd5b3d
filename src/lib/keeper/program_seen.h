/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Program seen: what a look has told of a group's program, and what is to be done about it. */
#ifndef KEEPER_PROGRAM_SEEN_H
#define KEEPER_PROGRAM_SEEN_H

#include "keeper/program_ask.h"

struct reuseport_group;

/* Return the cookie of a member to ask about, 0 if the group has none. */
uint64_t program_seen_member(const struct reuseport_group *group);

/*
 * Take the answer about a member of the group; it was asked at that time, of CLOCK_MONOTONIC.
 * Another program is logged once. One that is missing is to be put back: return whether it is.
 */
bool program_seen_take(struct reuseport_group *group, const struct program_ask *ask,
		       const struct program_answer *answer, uint64_t asked_at);

#endif
