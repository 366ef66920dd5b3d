// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl: finds the command in a table and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"

static const struct command *const commands[] = {
	&cmd_attach,  &cmd_detach,   &cmd_status,   &cmd_list,  &cmd_policy,
	&cmd_weight,  &cmd_drain,    &cmd_undrain,  &cmd_admit, &cmd_rollout,
	&cmd_explain, &cmd_simulate, &cmd_features,
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *out)
{
	fprintf(out, "Usage: reuseportctl COMMAND [OPTION]...\n\n"
		     "Steers SO_REUSEPORT traffic with eBPF.\n\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\nRun 'reuseportctl COMMAND --help' for the options of a command; "
		     "see also\nreuseportctl(8).\n");
}

int main(int argc, char **argv)
{
	struct options options;
	bool help;

	/* A keeper must not hold files that its caller left open, and a closed pipe
	 * must not end an attach half-way. */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("reuseportctl %s\n", reuseport_version());
		return EXIT_DONE;
	}
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i]->name))
			continue;
		if (!command_line_parse(&options, commands[i], argc - 1, argv + 1, &help))
			return EXIT_USAGE;
		if (help) {
			command_line_help(commands[i]);
			return EXIT_DONE;
		}
		return commands[i]->exec(&options);
	}
	fprintf(stderr, "reuseportctl: unknown command '%s'\n", argv[1]);
	print_usage(stderr);
	return EXIT_USAGE;
}
