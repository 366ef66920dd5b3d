/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Socket option hooks: load, pin and attach the two programs, and make the maps, through which
 * workers ask by socket options. They belong to the set of hooks, which does without them where
 * they cannot be had. dir is the directory of the set, whose lock the caller holds where something
 * is changed.
 */
#ifndef STATE_SOCKOPT_HOOKS_H
#define STATE_SOCKOPT_HOOKS_H

#include "host/features.h"
#include "reuseport_bpf.h"

/* Return whether both programs are attached, and their maps pinned. What cannot be looked at is. */
bool sockopt_hooks_are_there(int dir);

/*
 * Make what is missing. Where another program keeps ours out, the maps are made all the same.
 * Return 0 or -errno. -EBUSY, -EUSERS: as cgroup_sockopt_obstacle(); -EOPNOTSUPP, -EPERM: as
 * features_explain().
 */
int sockopt_hooks_make(int dir, struct features *features, struct reuseport_error *err);

/* Explain why the programs are not attached, as sockopt_hooks_make() would fail; 0: it would not.
 */
int sockopt_hooks_explain(struct features *features, struct reuseport_error *err);

/* Return whether to make what is missing: there is something, and nothing is in the way. */
bool sockopt_hooks_are_due(int dir, struct features *features);

/* Take the programs off at once. Their pins stay. */
void sockopt_hooks_detach(int dir);

#endif
