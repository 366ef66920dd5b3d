/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Take a program off every group that has it. */
#ifndef KEEPER_PROGRAM_DETACH_H
#define KEEPER_PROGRAM_DETACH_H

#include "reuseport_bpf.h"
#include "state/steering_maps.h"

/*
 * Check whether the program of an attachment can be taken off: each group that has it must
 * have a socket that a process which is visible here permits to duplicate. Change nothing.
 * -ESRCH: no such process is visible. -EOPNOTSUPP: the kernel cannot take a program off.
 */
int program_detach_check(const struct reuseport_key *key, const struct steering *steering,
			 struct reuseport_error *err);

/*
 * Take the program off every group of the key's namespace and port that has it, and see that
 * it is off. Other programs stay. Where the kernel cannot tell, the program of the group with
 * this key is assumed to be ours, since the pins say that it was attached.
 */
int program_detach(const struct reuseport_key *key, const struct steering *steering,
		   struct reuseport_error *err);

/* Do the same for the program with that id. */
int program_detach_id(const struct reuseport_key *key, uint32_t program_id,
		      struct reuseport_error *err);

#endif
