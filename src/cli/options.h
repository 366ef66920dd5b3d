/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Options: the table of those that several commands have, and how values are stored. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <reuseport_bpf.h>
#include <reuseport_simulate.h>

#include "bounds.h"

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
	OPT_PORTS = 1 << 11,       /* --port can be repeated */
	OPT_POLICY_OPTS = 1 << 12, /* --key, --hash-key, --over, --cpu-map */
	OPT_TABLE = 1 << 13,
	OPT_LIST = 1 << 14,
	OPT_PACKET = 1 << 15, /* --src, --dst, --dev, --cpu */
	OPT_ADMIT = 1 << 16,
	OPT_STICKY = 1 << 17, /* --sticky, --flows, --idle */
	OPT_UID = 1 << 18,
	OPT_PARTIAL = 1 << 20,
	OPT_ONE_PROTO = 1 << 19, /* --proto, without "any" */
};

#define PORTS_MAX 64
#define WORDS_MAX 4

/* Options of the command simulate. */
struct simulate_options {
	const char *policy;  /* a name or "all" */
	const char *workers; /* "4" or "1,1,2,5" */
	const char *file, *pcap;
	unsigned long generate, clients, seed, cpus, nodes, dport; /* 0: not given */
	struct reuseport_change changes[CHANGES_MAX];
	unsigned int n_changes;
};

struct options {
	const char *command;
	uint16_t ports[PORTS_MAX];
	unsigned int n_ports;
	int proto;                      /* 0: not given, or any */
	bool any_proto;                 /* --proto any: both */
	const char *addr;               /* as it was typed */
	char address[OPTION_ADDR_MAX];  /* without its device; "": not given */
	char addr_dev[OPTION_NAME_MAX]; /* that device; "": not given */
	const char *netns;
	uint32_t uid; /* if has_uid */
	bool has_uid;
	struct reuseport_policy_opts policy;
	const char *log;
	const char *src, *dst, *dev, *cpu; /* of a packet */
	const char *words[WORDS_MAX];      /* arguments that are not options */
	int n_words;
	const char *admit;
	unsigned long slots, table, flows, idle_s, timeout_s; /* 0: not given */
	unsigned long interval_ms;                            /* likewise */
	bool foreground, wait, force, json, list, sticky, release, partial, keep_weights, watch,
		who, no_sockopt, wait_ready;
	struct simulate_options simulate;
};

struct option_entry;
typedef bool (*option_set_fn)(struct options *options, const struct option_entry *entry,
			      const char *text);

/* An option: its line of --help, and how its value is stored. */
struct option_entry {
	unsigned int bit; /* of enum option_bit; 0: only one command has it */
	const char *name;
	const char *value; /* NULL: a flag */
	const char *help;
	option_set_fn set;
	size_t member; /* offset of the value in struct options */
	unsigned long min, max;
};

/* The last members of an entry: store a text, a flag, or an unsigned long in a range. */
#define OPTION_TEXT(name) .set = option_set_text, .member = offsetof(struct options, name)
#define OPTION_FLAG(name) .set = option_set_flag, .member = offsetof(struct options, name)
#define OPTION_NUMBER(name, least, most)                                                  \
	.set = option_set_number, .member = offsetof(struct options, name), .min = least, \
	.max = most

bool option_set_text(struct options *options, const struct option_entry *entry, const char *text);
bool option_set_flag(struct options *options, const struct option_entry *entry, const char *text);
bool option_set_number(struct options *options, const struct option_entry *entry, const char *text);

/* Parse the number, or print an error with the range. */
bool option_number(const struct option_entry *entry, const char *text, unsigned long *value);

/* The options that several commands have, in an array of *n. */
const struct option_entry *options_table(size_t *n);

/* Print "reuseportctl COMMAND: ...". Return false. */
bool options_wrong(const struct options *options, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Do the same, and print how to get help. */
bool options_wrong_usage(const struct options *options, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
