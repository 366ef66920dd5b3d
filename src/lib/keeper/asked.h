/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Asked: take what the workers of a group have asked for by socket options, and apply it. */
#ifndef KEEPER_ASKED_H
#define KEEPER_ASKED_H

#include "keeper/handle.h"

/* A program has told that the worker in a slot, any number, asks. */
void asked_note(struct reuseport_group *group, uint32_t slot);

/* Take what is due, and apply it; the plan is due then. */
void asked_turn(struct reuseport_group *group);

/* Apply what the members have asked for so far, so that the first plan has it: with the plan lock,
 * or while no other process knows the maps. wait_ready: they all wait until they say that they are
 * ready. */
void asked_before_publish(struct reuseport_group *group, bool wait_ready);

/* Have the programs know the group; its members are known already, since others are told that their
 * group is not steered. Where that is new it takes two RCU grace periods. */
void asked_steer(struct reuseport_group *group);

/* Return when there is something to do, 0: at once, ~0: at no time. */
uint64_t asked_due(const struct reuseport_group *group);

#endif
