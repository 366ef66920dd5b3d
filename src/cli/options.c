// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Options: one table for parsing and for --help. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* ---------------------------------------------------------- value parsers */

bool option_number(const char *text, unsigned long min, unsigned long max, unsigned long *value)
{
	char *end;

	if (!*text || strspn(text, "0123456789") != strlen(text))
		return false;
	errno = 0;
	*value = strtoul(text, &end, 10);
	return !errno && *value >= min && *value <= max;
}

static bool set_port(struct options *options, const char *text)
{
	unsigned long port;

	if (!option_number(text, 1, 65535, &port)) {
		fprintf(stderr, "reuseportctl: --port '%s' is out of range: 1 to 65535\n", text);
		return false;
	}
	for (unsigned int i = 0; i < options->n_ports; i++)
		if (options->ports[i] == port)
			return true;
	if (options->n_ports == PORTS_MAX) {
		fprintf(stderr, "reuseportctl: --port may be given %d times\n", PORTS_MAX);
		return false;
	}
	options->ports[options->n_ports++] = port;
	return true;
}

static bool set_proto(struct options *options, const char *text)
{
	if (!strcmp(text, "tcp"))
		options->proto = IPPROTO_TCP;
	else if (!strcmp(text, "udp"))
		options->proto = IPPROTO_UDP;
	else
		fprintf(stderr, "reuseportctl: --proto '%s' is neither tcp nor udp\n", text);
	return options->proto;
}

static bool set_addr(struct options *options, const char *text)
{
	unsigned char addr[16];

	options->addr = text;
	if (inet_pton(AF_INET, text, addr) == 1 || inet_pton(AF_INET6, text, addr) == 1)
		return true;
	fprintf(stderr, "reuseportctl: --addr '%s' is no IPv4 or IPv6 address\n", text);
	return false;
}

static bool set_netns(struct options *options, const char *text)
{
	options->netns = text;
	return true;
}

static bool set_policy(struct options *options, const char *text)
{
	options->rules.policy = text;
	return true;
}

static bool set_over(struct options *options, const char *text)
{
	options->rules.over = text;
	return true;
}

static bool set_key(struct options *options, const char *text)
{
	options->rules.key = text;
	return true;
}

static bool set_hash_key(struct options *options, const char *text)
{
	options->rules.hash_key = text;
	return true;
}

static bool set_cpu_map(struct options *options, const char *text)
{
	options->rules.cpu_map = text;
	return true;
}

static bool set_table(struct options *options, const char *text)
{
	unsigned long entries;

	if (!option_number(text, 1024, 1048576, &entries) || entries & (entries - 1)) {
		fprintf(stderr,
			"reuseportctl: --table '%s' is no power of two from 1024 to "
			"1048576\n",
			text);
		return false;
	}
	options->table = entries;
	return true;
}

static bool set_src(struct options *options, const char *text)
{
	options->src = text;
	return true;
}

static bool set_dst(struct options *options, const char *text)
{
	options->dst = text;
	return true;
}

static bool set_dev(struct options *options, const char *text)
{
	options->dev = text;
	return true;
}

static bool set_cpu(struct options *options, const char *text)
{
	unsigned long cpu;

	options->cpu = text;
	if (option_number(text, 0, 8191, &cpu))
		return true;
	fprintf(stderr, "reuseportctl: --cpu '%s' is out of range: 0 to 8191\n", text);
	return false;
}

static bool set_list(struct options *options, const char *text)
{
	(void)text;
	return options->list = true;
}

static bool set_slots(struct options *options, const char *text)
{
	unsigned long slots;

	if (!option_number(text, 1, 32768, &slots)) {
		fprintf(stderr, "reuseportctl: --slots '%s' is out of range: 1 to 32768\n", text);
		return false;
	}
	options->slots = slots;
	return true;
}

static bool set_admit(struct options *options, const char *text)
{
	options->admit = text;
	if (!strcmp(text, "auto") || !strcmp(text, "manual"))
		return true;
	fprintf(stderr, "reuseportctl: --admit '%s' is neither auto nor manual\n", text);
	return false;
}

static bool set_sticky(struct options *options, const char *text)
{
	(void)text;
	return options->sticky = true;
}

static bool set_flows(struct options *options, const char *text)
{
	if (option_number(text, 1024, 4194304, &options->flows))
		return true;
	fprintf(stderr, "reuseportctl: --flows '%s' is out of range: 1024 to 4194304\n", text);
	return false;
}

static bool set_idle(struct options *options, const char *text)
{
	if (option_number(text, 1, 86400, &options->idle_s))
		return true;
	fprintf(stderr, "reuseportctl: --idle '%s' is out of range: 1 to 86400 seconds\n", text);
	return false;
}

static bool set_foreground(struct options *options, const char *text)
{
	(void)text;
	return options->foreground = true;
}

static bool set_wait(struct options *options, const char *text)
{
	(void)text;
	return options->wait = true;
}

static bool set_force(struct options *options, const char *text)
{
	(void)text;
	return options->force = true;
}

static bool set_log(struct options *options, const char *text)
{
	options->log = text;
	return true;
}

static bool set_json(struct options *options, const char *text)
{
	(void)text;
	return options->json = true;
}

/* ---------------------------------------------------------------- the table */

static const struct option_entry table[] = {
	{ OPT_PORT | OPT_PORTS, "port", "N", "local port of the group", set_port },
	{ OPT_PROTO, "proto", "tcp|udp", "protocol", set_proto },
	{ OPT_ADDR, "addr", "ADDR", "only the group bound to this local address", set_addr },
	{ OPT_NETNS, "netns", "NAME|PID", "network namespace, by name or by a process in it",
	  set_netns },
	{ OPT_POLICY, "policy", "P",
	  "who gets the next one: hash (default); 'reuseportctl policy "
	  "--list'",
	  set_policy },
	{ OPT_RULES, "key", "KEY", "what is hashed: tuple (default), src, src-prefix/LEN, dst",
	  set_key },
	{ OPT_RULES, "hash-key", "HEX",
	  "hash with this key of 32 digits (SipHash), not the kernel's", set_hash_key },
	{ OPT_RULES, "over", "P", "of policy weighted: hash (default) or consistent", set_over },
	{ OPT_RULES, "cpu-map", "MAP", "of cpu and numa: CPUS:SLOT,... instead of the affinity",
	  set_cpu_map },
	{ OPT_TABLE, "table", "N", "entries of the table (default 4096 a worker, 16384 to 524288)",
	  set_table },
	{ OPT_PACKET, "src", "ADDR:PORT", "source of the packet (required)", set_src },
	{ OPT_PACKET, "dst", "ADDR:PORT", "destination (required)", set_dst },
	{ OPT_PACKET, "dev", "NAME", "device that it arrives on (default: by the routes)",
	  set_dev },
	{ OPT_PACKET, "cpu", "N", "CPU that handles it, for the policies cpu and numa", set_cpu },
	{ OPT_LIST, "list", NULL, "explain each policy in a line", set_list },
	{ OPT_SLOTS, "slots", "N", "room for workers (default 256, or twice those there are)",
	  set_slots },
	{ OPT_RESTART, "admit", "auto|manual",
	  "whether who joins gets work at once (default), or "
	  "waits for 'admit'",
	  set_admit },
	{ OPT_RESTART, "sticky", NULL, "UDP: a flow stays with its worker while that lives",
	  set_sticky },
	{ OPT_RESTART, "flows", "N",
	  "of --sticky: room for so many, the oldest make room (default "
	  "65536)",
	  set_flows },
	{ OPT_RESTART, "idle", "SECONDS",
	  "of --sticky: after which a flow is new again (default: "
	  "never)",
	  set_idle },
	{ OPT_WAIT, "wait", NULL, "wait for the first worker", set_wait },
	{ OPT_FORCE, "force", NULL, "replace another program that the group has", set_force },
	{ OPT_FOREGROUND, "foreground", NULL, "stay, as the keeper (for supervisors)",
	  set_foreground },
	{ OPT_LOG, "log", "FILE", "the keeper's messages go there (default: syslog)", set_log },
	{ OPT_JSON, "json", NULL, "one JSON document on standard output", set_json },
};

#define N_OPTIONS (sizeof(table) / sizeof(table[0]))

/* The i-th option there is: of the table, then those of the command alone. NULL: not
 * this command's. */
static const struct option_entry *entry(const struct command *command, size_t i)
{
	if (i >= N_OPTIONS)
		return &command->own[i - N_OPTIONS];
	return command->takes & table[i].bit ? &table[i] : NULL;
}

void options_help(const struct command *command)
{
	const struct option_entry *at;
	char left[40];

	printf("Usage: reuseportctl %s [OPTION]...%s%s\n\n%s.\n\n", command->name,
	       command->words ? " " : "", command->words ? command->words : "", command->summary);
	for (size_t i = 0; i < N_OPTIONS + command->n_own; i++) {
		at = entry(command, i);
		if (!at)
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", at->name, at->value ? " " : "",
			 at->value ? at->value : "");
		printf("  %-20s %s%s%s\n", left, at->help,
		       command->requires & at->bit ? " (required)" : "",
		       command->takes & at->bit & OPT_PORTS ? "; may be repeated" : "");
	}
	printf("  %-20s %s\n", "--help", "this text");
}

static void fill_long_options(struct option *longs, const struct command *command)
{
	for (size_t i = 0; i < N_OPTIONS + command->n_own; i++) {
		const struct option_entry *at = entry(command, i);

		if (at)
			*longs++ = (struct option){ at->name,
						    at->value ? required_argument : no_argument,
						    NULL, 256 + i };
	}
	*longs++ = (struct option){ "help", no_argument, NULL, 'h' };
	*longs = (struct option){ 0 };
}

static bool wrong_usage(const struct command *command)
{
	fprintf(stderr, "Try 'reuseportctl %s --help'.\n", command->name);
	return false;
}

/* Features of the kernel may be left unused: see reuseport_disable_check(). */
static bool check_environment(void)
{
	struct reuseport_error error;

	if (!reuseport_disable_check(&error))
		return true;
	fprintf(stderr, "reuseportctl: %s\n", error.text);
	return false;
}

static bool complete(const struct options *options, const struct command *command)
{
	struct reuseport_error error;

	if (options->list)
		return true;
	if (options->n_words < command->least) {
		fprintf(stderr, "reuseportctl %s: %s is required\n", command->name, command->words);
		return wrong_usage(command);
	}
	if ((command->takes & OPT_RULES) && !command->check &&
	    reuseport_policy_check(&options->rules, &error)) {
		fprintf(stderr, "reuseportctl: %s\n", error.text);
		return false;
	}
	if ((command->requires & OPT_PORT) && !options->n_ports) {
		fprintf(stderr, "reuseportctl %s: --port is required\n", command->name);
		return wrong_usage(command);
	}
	if ((command->takes & OPT_PACKET) && (!options->src || !options->dst)) {
		fprintf(stderr, "reuseportctl %s: --src and --dst are required\n", command->name);
		return wrong_usage(command);
	}
	if (!(command->takes & OPT_PORTS) && options->n_ports > 1) {
		fprintf(stderr, "reuseportctl %s: --port may be given once\n", command->name);
		return wrong_usage(command);
	}
	if ((options->flows || options->idle_s) && !options->sticky) {
		fprintf(stderr, "reuseportctl %s: --flows and --idle go with --sticky\n",
			command->name);
		return wrong_usage(command);
	}
	if (options->sticky && options->proto != IPPROTO_UDP) {
		fprintf(stderr,
			"reuseportctl %s: --sticky is for --proto udp: a TCP connection "
			"stays with its worker anyway\n",
			command->name);
		return wrong_usage(command);
	}
	return !command->check || command->check(options);
}

bool options_parse(struct options *options, const struct command *command, int argc, char **argv,
		   bool *help)
{
	struct option longs[N_OPTIONS + OWN_MAX + 2];
	int chosen;

	*options = (struct options){ .rules = { .sz = sizeof(options->rules) } };
	*help = false;
	fill_long_options(longs, command);
	opterr = 0;
	while ((chosen = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (chosen == 'h') {
			*help = true;
			return true;
		}
		if (chosen == '?' || chosen == ':') {
			fprintf(stderr, "reuseportctl %s: %s '%s'\n", command->name,
				chosen == '?' ? "no such option" : "a value is missing after",
				argv[optind - 1]);
			return wrong_usage(command);
		}
		if (!entry(command, chosen - 256)->set(options, optarg))
			return false;
	}
	while (optind < argc && options->n_words < command->most)
		options->words[options->n_words++] = argv[optind++];
	if (optind < argc) {
		fprintf(stderr, "reuseportctl %s: '%s' is one word too many\n", command->name,
			argv[optind]);
		return wrong_usage(command);
	}
	if (options->n_words && (command->takes & OPT_RULES))
		options->rules.policy = options->words[0];
	return complete(options, command) && check_environment();
}
