/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Asked member: what the programs of the socket options know of the worker in a slot. */
#ifndef KEEPER_ASKED_MEMBER_H
#define KEEPER_ASKED_MEMBER_H

#include "keeper/handle.h"

/* A worker is about to join: before its socket is looked at. */
void asked_member_begin(struct reuseport_group *group, unsigned int slot);

/* It has joined: what it has asked for before is applied with the next turn. */
void asked_member_joined(struct reuseport_group *group, unsigned int slot);

/* The worker is one that another keeper had. */
void asked_member_adopt(struct reuseport_group *group, unsigned int slot);

/* It has left, or does not join after all. */
void asked_member_end(struct reuseport_group *group, unsigned int slot);

/* A worker that another keeper had has left. */
void asked_member_forget(struct reuseport_group *group, uint64_t cookie);

/* Return whether it has said last that it is not ready. */
bool asked_member_is_not_ready(const struct reuseport_group *group, unsigned int slot);

/* Write it, as it is in group->slots. */
void asked_member_write(struct reuseport_group *group, unsigned int slot);

/* Write what has changed of all of them. */
void asked_member_refresh(struct reuseport_group *group);

/* Give the worker an id. -EEXIST: another worker of its generation has it. */
int asked_member_set_id(struct reuseport_group *group, unsigned int slot, uint32_t id);

#endif
