/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Commands: each file cmd_*.c exports one entry of the table in main.c. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "options.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_MATCH = 3,
};

struct command {
	const char *name;
	const char *words; /* what comes beside the options, e.g. "WORKER W" */
	int least, most;   /* of these */
	const char *summary;
	unsigned int takes;             /* of enum option_bit */
	unsigned int requires;          /* of these, what must be given */
	const struct option_entry *own; /* options that no other command has */
	size_t n_own;
	/* What the options must be together, beyond that; says what they are not.
	 * NULL: a policy's words are checked. */
	bool (*check)(const struct options *options);
	int (*exec)(const struct options *options);
};

extern const struct command cmd_attach, cmd_detach, cmd_status, cmd_list, cmd_policy, cmd_weight,
	cmd_drain, cmd_undrain, cmd_admit, cmd_rollout, cmd_explain, cmd_simulate, cmd_features;

#endif
