/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Commands: each file of cmd/ defines entries of the table in main.c. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "exit.h"
#include "options.h"

struct command {
	const char *name;
	const char *words;              /* arguments that are not options, e.g. "WORKER WEIGHT" */
	int least, most;                /* how many of them */
	const char *summary;            /* one line, at most 69 columns, without a full stop */
	const char *details;            /* sentences for --help alone, or NULL */
	unsigned int takes;             /* of enum option_bit */
	unsigned int requires;          /* the required ones of these */
	const struct option_entry *own; /* options that only this command has */
	size_t n_own;
	/* Return whether the options can be combined, else print why not. NULL: only
	 * the policy's options are checked. */
	bool (*check)(const struct options *options);
	int (*exec)(const struct options *options);
};

/* The details of commands whose arguments include WORKER. */
#define WORKER_DETAILS                                                                            \
	"WORKER is slot:N, pid:N, cookie:N, sk:HEX, comm:NAME, unit:NAME, cgroup:/PATH, several " \
	"with commas, or a number if only one of the first three matches."

extern const struct command cmd_attach, cmd_detach, cmd_status, cmd_list, cmd_policy, cmd_weight,
	cmd_drain, cmd_undrain, cmd_admit, cmd_rollout, cmd_explain, cmd_simulate, cmd_features,
	cmd_keeper, cmd_doctor;

#endif
