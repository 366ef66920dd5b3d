/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Program mend: put the program back on a group that has lost it, beside this process. */
#ifndef KEEPER_PROGRAM_MEND_H
#define KEEPER_PROGRAM_MEND_H

#include "keeper/handle.h"

struct program_mend;

/* Begin to do so if it is due, and go on with it. A program that is there by then stays. To be
 * called in a turn, with the directory of the pins open. */
void program_mend_step(struct reuseport_group *group);

/* Return the descriptor that is readable when the next step has something to do, -1 if none is
 * needed; *until receives the time by which there must be one. */
int program_mend_fd(const struct program_mend *mend, uint64_t *until);

/* Give it up; NULL is allowed. */
void program_mend_free(struct program_mend *mend);

#endif
