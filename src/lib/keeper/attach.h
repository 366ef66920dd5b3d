/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attach, but only to what is steered already. */
#ifndef KEEPER_ATTACH_H
#define KEEPER_ATTACH_H

#include "reuseport_bpf.h"

/*
 * As its keeper for a moment: sees who joined and left. Steers nothing anew, for it
 * may have been given back just now.
 */
int attach_refresh(const struct reuseport_key *key);

#endif
