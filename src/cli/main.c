// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl: finds the command in a table and runs it. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "hint.h"
#include "isolate.h"
#include "message.h"
#include "privileges.h"
#include "process_title.h"
#include "standard_fds.h"

static const struct command *const commands[] = {
	&cmd_attach,  &cmd_detach,   &cmd_status,   &cmd_list,   &cmd_policy,
	&cmd_weight,  &cmd_drain,    &cmd_undrain,  &cmd_admit,  &cmd_rollout,
	&cmd_explain, &cmd_simulate, &cmd_features, &cmd_keeper, &cmd_doctor,
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
	hint_begin(&options);
	ret = command->exec(&options);
	hint_begin(NULL);
	return ret;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	return NULL;
}

/* Return whether a word is the beginning of a name, or one letter is too much, is missing, is
 * another one, or has changed places with the next. */
static bool is_nearly(const char *word, const char *name)
{
	size_t a = strlen(word), b = strlen(name), same = 0;

	while (word[same] && word[same] == name[same])
		same++;
	if (same == a)
		return a >= 3;
	while (a > same && b > same && word[a - 1] == name[b - 1]) {
		a--;
		b--;
	}
	a -= same;
	b -= same;
	return (a <= 1 && b <= 1) ||
	       (a == 2 && b == 2 && word[same] == name[same + 1] && word[same + 1] == name[same]);
}

static int unknown_command(const char *word)
{
	const char *nearest = NULL;

	for (size_t i = 0; !nearest && i < N_COMMANDS; i++)
		if (is_nearly(word, commands[i]->name))
			nearest = commands[i]->name;
	if (*word == '-')
		message("unknown option '%s': the command comes first", word);
	else if (nearest)
		message("unknown command '%s': did you mean '%s'?", word, nearest);
	else
		message("unknown command '%s'", word);
	print_usage(stderr);
	return EXIT_USAGE;
}

/* help, or help COMMAND. */
static int run_help(int argc, char **argv)
{
	bool itself = argc == 3 && !strcmp(argv[2], "help");
	const struct command *command = argc > 2 ? find_command(argv[2]) : NULL;

	if (argc > 3) {
		message("help is about one command");
		return EXIT_USAGE;
	}
	if (argc > 2 && !command && !itself)
		return unknown_command(argv[2]);
	if (command)
		command_line_help(command);
	else
		print_usage(stdout);
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return run_help(argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("reuseportctl %s\n", reuseport_version());
		return EXIT_DONE;
	}
	command = find_command(argv[1]);
	return command ? run_command(command, argc - 1, argv + 1) : unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
	if (!standard_fds_open())
		return EXIT_FAILED;
	/* A keeper must not hold files that its caller left open, and a closed pipe
	 * must not end an attach half-way. */
	closefrom(STDERR_FILENO + 1);
	process_title_begin(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	/* Nor a file that has reached its limit: that is an error like others. */
	signal(SIGXFSZ, SIG_IGN);
	/* Which characters are printed as they are: see format_text(). */
	setlocale(LC_CTYPE, "");
	return exit_closed(run(argc, argv));
}
