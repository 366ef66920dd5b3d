/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Hooks: the one set of programs that all attachments of this bpffs share, pinned beside
 * them. It outlives every process, and goes with the last attachment.
 */
#ifndef STATE_HOOKS_H
#define STATE_HOOKS_H

#include "abi.h"
#include "host/features.h"
#include "reuseport_bpf.h"

#define HOOKS "hooks" /* the directory */

/* Iterators, whose name changes with what they write. */
#define HOOK_ITER_TCP "iter_tcp_1"
#define HOOK_ITER_UDP "iter_udp_1"
_Static_assert(sizeof(struct group_member) == 72, "give the iterators another name");

enum hooks_map { HOOKS_INTEREST, HOOKS_RINGS, HOOKS_PLACES, HOOKS_MAPS };

/* The set, open and locked. */
struct hooks {
	int dir; /* holds the lock */
	int maps[HOOKS_MAPS];
};

/*
 * Open the set in the directory "root" and lock it. Where it is missing or was left half
 * made, it is loaded and pinned first, unless features is NULL: then -ENOENT, without an
 * error. -EOPNOTSUPP, -EPERM: the kernel lacks a part of it, or this process may not use it.
 * -EUSERS: as many other programs are in the cgroup as it takes.
 */
int hooks_open(int root, struct features *features, struct hooks *hooks,
	       struct reuseport_error *err);
void hooks_close(struct hooks *hooks);

/* Return whether the set is there as a whole, with the programs of the socket options if they can
 * be had. What cannot be looked at is there. */
bool hooks_are_there(int root, struct features *features);

/* Return whether REUSEPORT_DISABLE turns off a feature that the set needs. */
bool hooks_disabled(const struct features *features);

/* Explain why it cannot be used: by errno "code", or 0 if a feature is turned off. */
int hooks_explain(struct features *features, int code, struct reuseport_error *err);

/* Remove the set, unless there is an attachment in "root". */
void hooks_remove_unused(int root);

#endif
