/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Program mend: the members of a group that has lost its program, to put it back through; see
 * program_put_back.h. */
#ifndef KEEPER_PROGRAM_MEND_H
#define KEEPER_PROGRAM_MEND_H

#include "reuseport_bpf.h"

struct look;
struct socket_owner;
struct socket_visit;

struct program_mend {
	struct reuseport_group *group;
	struct socket_visit *visit;  /* to the members that have a slot */
	struct socket_owner *owners; /* one for each */
	struct look *look;           /* NULL: it has not begun */
	int ret;                     /* of the member that says most */
	bool put_back;               /* it was missing, and is there */
	struct reuseport_error error;
};

/* Make one for up to "max" members. Return NULL if out of memory. */
struct program_mend *program_mend_new(struct reuseport_group *group, size_t max);

/* Free it, and give up the look; NULL is allowed. */
void program_mend_free(struct program_mend *mend);

/* Return the descriptor that is readable when the next step has something to do, -1 if none is
 * needed; *until receives the time by which there must be one. */
int program_mend_fd(const struct program_mend *mend, uint64_t *until);

#endif
