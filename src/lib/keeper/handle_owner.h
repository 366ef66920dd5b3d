/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Which process keeps a handle's group: the one that attached, and no child made by
 * fork(), where every handle is closed; but one that was handed over goes to the child.
 */
#ifndef KEEPER_HANDLE_OWNER_H
#define KEEPER_HANDLE_OWNER_H

#include "reuseport_bpf.h"

enum handle_owner_state {
	HANDLE_KEPT,    /* by the process "pid" */
	HANDLE_LEAVING, /* for the child of the next fork() */
	HANDLE_GIVEN,   /* to a child; closed in any other */
};

/* A member of struct reuseport_group. */
struct handle_owner {
	enum handle_owner_state state;
	int pid;
	struct reuseport_group *next, *before; /* in the list of this process's handles */
};

/* Note that the calling process keeps the group, from now until handle_disown(). */
void handle_own(struct reuseport_group *group);
void handle_disown(struct reuseport_group *group);

/* Return 0 if the calling process keeps the group, else -EPERM; -EINVAL for NULL. */
int handle_owner_check(const struct reuseport_group *group, struct reuseport_error *err);

/* Return whether the calling process keeps a group of that key. */
bool handle_owner_has(const struct reuseport_key *key);

#endif
