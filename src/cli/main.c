// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl: finds the command in a table and runs it. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "isolate.h"
#include "message.h"
#include "privileges.h"
#include "standard_fds.h"

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

static int run_command(const struct command *command, int argc, char **argv)
{
	struct options options;
	bool help;
	int ret;

	if (!command_line_parse(&options, command, argc, argv, &help))
		return EXIT_USAGE;
	if (help) {
		command_line_help(command);
		return EXIT_DONE;
	}
	ret = privileges_start(options.log ? PRIVILEGES_LOG : PRIVILEGES_COMMAND);
	if (ret != EXIT_DONE)
		return ret;
	isolate_begin();
	return command->exec(&options);
}

static int run(int argc, char **argv)
{
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
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i]->name))
			return run_command(commands[i], argc - 1, argv + 1);
	message("unknown command '%s'", argv[1]);
	print_usage(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	if (!standard_fds_open())
		return EXIT_FAILED;
	/* A keeper must not hold files that its caller left open, and a closed pipe
	 * must not end an attach half-way. */
	closefrom(STDERR_FILENO + 1);
	signal(SIGPIPE, SIG_IGN);
	/* Which characters are printed as they are: see format_text(). */
	setlocale(LC_CTYPE, "");
	return exit_closed(run(argc, argv));
}
