/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Own watch, its state: the look that runs, and when the next one begins; see own_watch.h. */
#ifndef KEEPER_OWN_WATCH_STATE_H
#define KEEPER_OWN_WATCH_STATE_H

#include "keeper/program_ask.h"

struct own_watch {
	struct program_question question;
	struct look *look; /* NULL: none runs */
	uint64_t asked_at;
	uint64_t cost; /* as of struct program_answer */
	uint64_t at;   /* when the next look begins */
};

/* Return the descriptor that is readable when the next step has something to do, -1 if none is
 * needed; *until receives the time by which there must be one, of CLOCK_MONOTONIC. NULL is allowed,
 * here and below. */
int own_watch_fd(const struct own_watch *watch, uint64_t *until);

/* End the look, and free it. */
void own_watch_free(struct own_watch *watch);

#endif
