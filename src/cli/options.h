/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Options: one table for parsing and for --help. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <reuseport_bpf.h>
#include <reuseport_explain.h>
#include <reuseport_simulate.h>

enum option_bit {
	OPT_PORT = 1 << 0,
	OPT_PROTO = 1 << 1,
	OPT_ADDR = 1 << 2,
	OPT_NETNS = 1 << 3,
	OPT_POLICY = 1 << 4,
	OPT_SLOTS = 1 << 5,
	OPT_FOREGROUND = 1 << 6,
	OPT_WAIT = 1 << 7,
	OPT_FORCE = 1 << 8,
	OPT_LOG = 1 << 9,
	OPT_JSON = 1 << 10,
	OPT_PORTS = 1 << 11, /* --port may be repeated */
	OPT_RULES = 1 << 12, /* what goes with a policy */
	OPT_TABLE = 1 << 13,
	OPT_LIST = 1 << 14,
	OPT_PACKET = 1 << 15,
	OPT_RESTART = 1 << 16, /* how attach prepares for one */
};

#define PORTS_MAX 64
#define WORDS_MAX 4

/* Of the command simulate. */
#define CHANGES_MAX 8
struct simulate_options {
	bool all;            /* policies side by side */
	const char *workers; /* "4" or "1,1,2,5" */
	const char *file, *pcap;
	unsigned long generate, clients, seed; /* 0: not given */
	unsigned int cpus, nodes, dport;       /* likewise */
	struct reuseport_change changes[CHANGES_MAX];
	unsigned int n_changes;
};

struct options {
	uint16_t ports[PORTS_MAX];
	unsigned int n_ports;
	int proto; /* 0: not given */
	const char *addr;
	const char *netns;
	struct reuseport_policy_opts rules;
	const char *log;
	const char *src, *dst, *dev, *cpu; /* of a packet */
	const char *words[WORDS_MAX];      /* what is not an option */
	int n_words;
	unsigned int slots;
	unsigned int table;
	bool foreground;
	bool wait;
	bool force;
	bool json;
	bool list;
	bool sticky;
	bool release;
	const char *admit;
	unsigned long flows, idle_s, timeout_s;
	struct simulate_options simulate;
};

/* An option: what --help says of it, and who takes its value. */
struct option_entry {
	unsigned int bit; /* of enum option_bit; 0: of one command alone */
	const char *name;
	const char *value; /* NULL: a flag */
	const char *help;
	bool (*set)(struct options *options, const char *text);
};

#define OWN_MAX 16 /* options of one command alone */

struct command;

/* Returns false with a message on standard error for wrong usage; *help is set
 * when only help was asked for. */
bool options_parse(struct options *options, const struct command *command, int argc, char **argv,
		   bool *help);

/* Whether all of the text is a number in that range. */
bool option_number(const char *text, unsigned long min, unsigned long max, unsigned long *value);

void options_help(const struct command *command);

#endif
