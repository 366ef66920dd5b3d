/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attach groups: one handle for each group that is to be steered. */
#ifndef CLI_ATTACH_GROUPS_H
#define CLI_ATTACH_GROUPS_H

#include "options.h"

struct attach_groups {
	struct reuseport_group **list;
	size_t n;
	bool steered; /* others are steered already */
};

/*
 * Attach to all groups with these keys that are not steered and kept already; report those that
 * are. If one is, but differs in an option that was given, fail before anything is changed. If one
 * fails, none is attached. But where several users have groups, those of one user that is not root
 * do not decide for the others: they are left out, with a message. Return an exit status, with a
 * message on failure.
 */
int attach_groups_make(struct attach_groups *groups, const struct reuseport_key_list *keys,
		       const struct options *options, const struct reuseport_attach_opts *opts);
void attach_groups_free(struct attach_groups *groups);

#endif
