// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Command line: parsing, which options must be given together, and --help. */
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "exit.h"
#include "parse.h"

#define COLUMNS 80
#define HELP_INDENT 23
#define FIRST_OPTION 256 /* what getopt_long returns for the first option: not a character */

/* Return the i-th option: first those of the table, then the command's own. Return
 * NULL for an option of the table that the command does not have. */
static const struct option_entry *option_entry_at(const struct command *command, size_t i)
{
	size_t n;
	const struct option_entry *table = options_table(&n);

	if (i >= n)
		return &command->own[i - n];
	return command->takes & table[i].bit ? &table[i] : NULL;
}

static size_t count_options(const struct command *command)
{
	size_t n;

	options_table(&n);
	return n + command->n_own;
}

/* -------------------------------------------------------------------- help */

/* Print the text on lines of at most 80 columns. The first starts at column "indent";
 * indent the others by as much. */
static void print_wrapped(const char *text, size_t indent)
{
	size_t column = indent;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > indent && column + 1 + len > COLUMNS) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)len, text);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_option(const struct command *command, const struct option_entry *entry)
{
	const char *required = command->takes & OPT_LIST ? " (required without --list)" :
							   " (required)";
	char left[HELP_INDENT], help[256];

	snprintf(left, sizeof(left), "--%s%s%s", entry->name, entry->value ? " " : "",
		 entry->value ? entry->value : "");
	snprintf(help, sizeof(help), "%s%s%s", entry->help,
		 command->requires & entry->bit ? required : "",
		 command->takes & entry->bit & OPT_PORTS ? "; can be repeated" : "");
	printf("  %-20s ", left);
	print_wrapped(help, HELP_INDENT);
}

void command_line_help(const struct command *command)
{
	printf("Usage: reuseportctl %s [OPTION]...%s%s\n\n", command->name,
	       command->words ? " " : "", command->words ? command->words : "");
	printf("%s.\n", command->summary);
	if (command->details)
		print_wrapped(command->details, 0);
	putchar('\n');
	for (size_t i = 0; i < count_options(command); i++) {
		const struct option_entry *entry = option_entry_at(command, i);

		if (entry)
			print_option(command, entry);
	}
	printf("  %-20s %s\n", "--help", "print this help");
}

/* ------------------------------------------------------------- requirements */

/* Check REUSEPORT_DISABLE, the features that the user wants to leave unused. */
static bool check_environment(void)
{
	struct reuseport_error error;

	if (!reuseport_disable_check(&error))
		return true;
	exit_failed(&error);
	return false;
}

static bool check_policy_opts(const struct options *options, const struct command *command)
{
	struct reuseport_error error;

	if (!(command->takes & OPT_POLICY_OPTS) || command->check ||
	    !reuseport_policy_check(&options->policy, &error))
		return true;
	exit_failed(&error);
	return false;
}

static bool check_sticky(const struct options *options)
{
	if ((options->flows || options->idle_s) && !options->sticky)
		return options_wrong_usage(options, "--flows and --idle require --sticky");
	if (options->sticky && options->proto != IPPROTO_UDP)
		return options_wrong_usage(options,
					   "--sticky requires --proto udp: a TCP connection "
					   "always stays with its worker");
	return true;
}

static bool check_wait_ready(const struct options *options)
{
	if (!options->wait_ready)
		return true;
	if (!options->admit || strcmp(options->admit, "manual"))
		return options_wrong_usage(options, "--wait-ready requires --admit manual");
	return !options->no_sockopt ||
	       options_wrong_usage(options, "--wait-ready and --no-sockopt exclude each other: "
					    "workers say that they are ready by a socket option");
}

static bool check_device(const struct options *options)
{
	return !options->dev || !*options->addr_dev || !strcmp(options->dev, options->addr_dev) ||
	       options_wrong(options, "--addr %s and --dev %s are two devices", options->addr,
			     options->dev);
}

static bool check_complete(const struct options *options, const struct command *command)
{
	if (options->list)
		return true;
	if (options->n_words < command->least)
		return options_wrong_usage(options, "%s is required", command->words);
	if (!check_policy_opts(options, command))
		return false;
	if ((command->requires & OPT_PORT) && !options->n_ports)
		return options_wrong_usage(options, "--port is required");
	if ((command->takes & OPT_PACKET) && (!options->src || !options->dst))
		return options_wrong_usage(options, "--src and --dst are required");
	if (!(command->takes & OPT_PORTS) && options->n_ports > 1)
		return options_wrong_usage(options, "--port can be given only once");
	return check_device(options) && check_sticky(options) && check_wait_ready(options) &&
	       (!command->check || command->check(options));
}

/* ----------------------------------------------------------------- parsing */

/* Return getopt_long's table of the command's options, or NULL when out of memory. */
static struct option *new_long_options(const struct command *command)
{
	struct option *longs = calloc(count_options(command) + 2, sizeof(*longs)), *next = longs;

	for (size_t i = 0; longs && i < count_options(command); i++) {
		const struct option_entry *entry = option_entry_at(command, i);

		if (entry)
			*next++ = (struct option){ entry->name,
						   entry->value ? required_argument : no_argument,
						   NULL, FIRST_OPTION + i };
	}
	if (longs)
		*next = (struct option){ "help", no_argument, NULL, 'h' };
	return longs;
}

/* Store the values of all options. Stop at --help, and set *help. */
static bool parse_options(struct options *options, const struct command *command,
			  const struct option *longs, int argc, char **argv, bool *help)
{
	const struct option_entry *entry;
	int chosen;

	opterr = 0;
	while ((chosen = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (chosen == 'h')
			return *help = true;
		if (chosen == '?')
			return options_wrong_usage(options, "unknown option '%s'",
						   argv[optind - 1]);
		if (chosen == ':')
			return options_wrong_usage(options, "missing value for '%s'",
						   argv[optind - 1]);
		entry = option_entry_at(command, chosen - FIRST_OPTION);
		if (!entry->set(options, entry, optarg))
			return false;
	}
	return true;
}

static bool parse_words(struct options *options, const struct command *command, int argc,
			char **argv)
{
	while (optind < argc && options->n_words < command->most)
		options->words[options->n_words++] = argv[optind++];
	if (optind < argc && !options->n_ports && parse_is_digits(argv[optind]) &&
	    (command->takes & (OPT_PORT | OPT_PORTS)))
		return options_wrong_usage(options,
					   "unexpected argument '%s': for the port, --port %s",
					   argv[optind], argv[optind]);
	if (optind < argc)
		return options_wrong_usage(options, "unexpected argument '%s'", argv[optind]);
	if (options->n_words && (command->takes & OPT_POLICY_OPTS))
		options->policy.policy = options->words[0];
	return true;
}

bool command_line_parse(struct options *options, const struct command *command, int argc,
			char **argv, bool *help)
{
	struct option *longs = new_long_options(command);
	bool parsed;

	*options = (struct options){ .command = command->name,
				     .policy = { .sz = sizeof(options->policy) } };
	*help = false;
	if (!longs)
		return exit_no_memory() == EXIT_DONE;
	parsed = parse_options(options, command, longs, argc, argv, help);
	free(longs);
	if (!parsed || *help)
		return parsed;
	return parse_words(options, command, argc, argv) && check_complete(options, command) &&
	       check_environment();
}
