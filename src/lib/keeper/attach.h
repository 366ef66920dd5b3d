/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attach for a moment, to see which workers joined and left. */
#ifndef KEEPER_ATTACH_H
#define KEEPER_ATTACH_H

#include "reuseport_bpf.h"

/*
 * Adopt the attachment, bring it up to date and release it. Never attaches what has no pins,
 * for it may just have been detached.
 */
int attach_refresh(const struct reuseport_key *key);

#endif
