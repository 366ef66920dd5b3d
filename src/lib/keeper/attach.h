/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attach: for what reuseport_attach() is not. */
#ifndef KEEPER_ATTACH_H
#define KEEPER_ATTACH_H

#include "reuseport_bpf.h"

struct handle_shared;

/* Attach to a group that may have no member yet, or adopt what is pinned for it. */
int attach_open(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
		struct reuseport_group **group, struct reuseport_error *err);

/* Adopt the attachment for the host's keeper. Never attaches what has no pins, for it may just
 * have been detached. */
int attach_adopt(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
		 struct handle_shared *shared, struct reuseport_group **group,
		 struct reuseport_error *err);

/*
 * Adopt the attachment, bring it up to date and release it.
 */
int attach_refresh(const struct reuseport_key *key, struct reuseport_error *err);

#endif
