/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Look report: how a function that looks at other processes says what it sees, see look.h. */
#ifndef HOST_LOOK_REPORT_H
#define HOST_LOOK_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOK_PATIENCE_MS 1000
#define LOOK_HASTE_MS 200 /* instead, for a while after one was given up */
#define LOOK_BUFFER 4096

/* What a helper and its parent share. The helper writes it, and may do so at any time. */
struct look_state {
	uint32_t pid;   /* of the process at hand, 0: none */
	uint32_t steps; /* changes with each progress */
	uint32_t over;  /* how many jobs are */
	int32_t result; /* of the last one */
};

struct look_report {
	size_t record;            /* bytes of each */
	struct look_state *state; /* of a helper; NULL: this runs directly, and then */
	void (*take)(void *ctx, const void *record); /* each record is for this, */
	void *ctx;
	int out;
	bool stands_by; /* what is to be skipped was checked before */
	size_t have;    /* in the buffer */
	char buffer[LOOK_BUFFER];
};

/* ------------------------------------------------------------ in the function */

/* Say that a process is looked at next; 0: none in particular, from which nothing follows for
 * any. Return whether to do so: it may have to be skipped. */
bool look_at(struct look_report *report, uint32_t pid);

/* Return whether this runs in a helper. */
bool look_is_isolated(const struct look_report *report);

/* Say that there is progress; for what may take longer than LOOK_HASTE_MS. */
void look_progress(struct look_report *report);

/* Report a record. Return 0, or -errno if it cannot be reported. */
int look_tell(struct look_report *report, const void *record);

/* Send what was reported, as look_at() does: what follows may hang. Return 0 or -errno. */
int look_flush(struct look_report *report);

/* ------------------------------------------------------------------ both sides */

/* Return whether looks run in helpers. Those of a helper do not. */
bool look_isolated(void);

/* This process is a helper. */
void look_become_helper(void);

/* A helper was given up. Return whether one was, a moment ago. */
void look_note_given_up(void);
bool look_in_haste(void);

/* Allocate a state, or return NULL. */
struct look_state *look_state_new(void);
void look_state_free(struct look_state *state);

#endif
