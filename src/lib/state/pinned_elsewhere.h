/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Pinned elsewhere: whether any bpffs of this mount namespace has a program pinned. */
#ifndef STATE_PINNED_ELSEWHERE_H
#define STATE_PINNED_ELSEWHERE_H

#include "reuseport_bpf.h"

/*
 * Look in each bpffs of the mount namespace for an attachment with that program. Return 1, and
 * write the path of its pins, 0 if there is none, or -errno. One that other users may change
 * does not count.
 */
int pinned_elsewhere(uint32_t program_id, char path[REUSEPORT_PATH_MAX],
		     struct reuseport_error *err);

#endif
