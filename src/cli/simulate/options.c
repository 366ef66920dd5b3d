// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The options that the command simulate has alone, and how they go together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "simulate/simulate.h"

#define PACKETS_MAX 10000000
#define CPUS_MAX 8192

static bool out_of_range(const char *name, const char *text, const char *range)
{
	fprintf(stderr, "reuseportctl: --%s '%s' is out of range: %s\n", name, text, range);
	return false;
}

static bool set_policy(struct options *options, const char *text)
{
	options->simulate.all = !strcmp(text, "all");
	options->rules.policy = options->simulate.all ? NULL : text;
	return true;
}

static bool set_workers(struct options *options, const char *text)
{
	options->simulate.workers = text;
	return true;
}

static bool set_generate(struct options *options, const char *text)
{
	return option_number(text, 1, PACKETS_MAX, &options->simulate.generate) ||
	       out_of_range("generate", text, "1 to 10000000");
}

static bool set_clients(struct options *options, const char *text)
{
	return option_number(text, 1, PACKETS_MAX, &options->simulate.clients) ||
	       out_of_range("clients", text, "1 to 10000000");
}

static bool set_seed(struct options *options, const char *text)
{
	return option_number(text, 1, INT64_MAX, &options->simulate.seed) ||
	       out_of_range("seed", text, "1 or more, below 2^63");
}

static bool set_file(struct options *options, const char *text)
{
	options->simulate.file = text;
	return true;
}

static bool set_pcap(struct options *options, const char *text)
{
	options->simulate.pcap = text;
	return true;
}

static bool set_dport(struct options *options, const char *text)
{
	unsigned long port;

	if (!option_number(text, 1, 65535, &port))
		return out_of_range("dport", text, "1 to 65535");
	options->simulate.dport = port;
	return true;
}

static bool set_cpus(struct options *options, const char *text)
{
	unsigned long cpus;

	if (!option_number(text, 1, CPUS_MAX, &cpus))
		return out_of_range("cpus", text, "1 to 8192");
	options->simulate.cpus = cpus;
	return true;
}

static bool set_nodes(struct options *options, const char *text)
{
	unsigned long nodes;

	if (!option_number(text, 1, CPUS_MAX, &nodes))
		return out_of_range("nodes", text, "1 to 8192");
	options->simulate.nodes = nodes;
	return true;
}

/* ------------------------------------------------------------------ changes */

static bool add_change(struct options *options, struct reuseport_change change)
{
	struct simulate_options *simulate = &options->simulate;

	if (simulate->n_changes == CHANGES_MAX) {
		fprintf(stderr,
			"reuseportctl: --join, --leave and --weight may be given %d times "
			"in all\n",
			CHANGES_MAX);
		return false;
	}
	simulate->changes[simulate->n_changes++] = change;
	return true;
}

static bool set_join(struct options *options, const char *text)
{
	(void)text;
	return add_change(options, (struct reuseport_change){ .kind = REUSEPORT_JOIN });
}

static bool set_leave(struct options *options, const char *text)
{
	unsigned long slot;

	if (!option_number(text, 0, SLOT_MAX, &slot))
		return out_of_range("leave", text, "a slot, 0 to 32767");
	return add_change(options,
			  (struct reuseport_change){ .kind = REUSEPORT_LEAVE, .slot = slot });
}

static bool set_weight(struct options *options, const char *text)
{
	const char *colon = strchr(text, ':');
	unsigned long slot, weight;
	char number[8] = "";

	if (colon && (size_t)(colon - text) < sizeof(number))
		memcpy(number, text, colon - text);
	if (!option_number(number, 0, SLOT_MAX, &slot) ||
	    !option_number(colon + 1, 0, 1000, &weight)) {
		fprintf(stderr,
			"reuseportctl: --weight '%s' is no SLOT:WEIGHT: a slot from 0 to "
			"32767, a weight from 0 to 1000\n",
			text);
		return false;
	}
	return add_change(options, (struct reuseport_change){ .kind = REUSEPORT_WEIGHT,
							      .slot = slot,
							      .weight = weight });
}

const struct option_entry simulate_own[SIMULATE_OWN] = {
	{ 0, "policy", "P|all", "one policy, or all side by side (default without --port)",
	  set_policy },
	{ 0, "workers", "N|LIST", "how many, or their weights, as in 1,1,2,5 (default 4)",
	  set_workers },
	{ 0, "generate", "N", "make up so many packets (default 100000)", set_generate },
	{ 0, "clients", "N", "from so many addresses (default: each from another one)",
	  set_clients },
	{ 0, "seed", "N", "make up others: what is made up is the same for equal N (default 1)",
	  set_seed },
	{ 0, "file", "FILE", "packets from lines 'SRC DST [tcp|udp]', each ADDR:PORT; - is stdin",
	  set_file },
	{ 0, "pcap", "FILE", "packets from a capture: TCP SYNs and UDP datagrams; - is stdin",
	  set_pcap },
	{ 0, "dport", "N", "of a file or capture, those to this port (default: --port)",
	  set_dport },
	{ 0, "cpus", "N", "CPUs that receive (default: this host's)", set_cpus },
	{ 0, "nodes", "N", "NUMA nodes that they are on", set_nodes },
	{ 0, "join", NULL, "what a worker that joins would move", set_join },
	{ 0, "leave", "SLOT", "what the leave of this worker would move; may be repeated",
	  set_leave },
	{ 0, "weight", "SLOT:W", "what another weight of it would move; may be repeated",
	  set_weight },
};

_Static_assert(SIMULATE_OWN <= OWN_MAX, "room in options_parse");

/* ------------------------------------------------------------------ together */

static bool wrong(const char *text)
{
	fprintf(stderr, "reuseportctl simulate: %s\nTry 'reuseportctl simulate --help'.\n", text);
	return false;
}

static bool check_words(struct reuseport_policy_opts words)
{
	struct reuseport_error error;

	words.sz = sizeof(words);
	if (!reuseport_policy_check(&words, &error))
		return true;
	fprintf(stderr, "reuseportctl: %s\n", error.text);
	return false;
}

/* But for the map of CPUs, as they may be others than this host's. */
static bool check_rules(const struct options *options)
{
	struct reuseport_policy_opts words = options->rules;

	words.cpu_map = NULL;
	if (words.policy)
		return check_words(words);
	return check_words((struct reuseport_policy_opts){
		       .policy = "hash", .key = words.key, .hash_key = words.hash_key }) &&
	       check_words(
		       (struct reuseport_policy_opts){ .policy = "weighted", .over = words.over });
}

bool simulate_check(const struct options *options)
{
	const struct simulate_options *simulate = &options->simulate;

	if (options->n_ports && simulate->workers)
		return wrong("--port takes the workers from an attachment: without --workers");
	if (!options->n_ports && (options->addr || options->netns))
		return wrong("--addr and --netns tell which attachment: with --port");
	if (!!simulate->generate + !!simulate->file + !!simulate->pcap > 1)
		return wrong("--generate, --file or --pcap: one of them");
	if (simulate->clients && (simulate->file || simulate->pcap))
		return wrong("--clients is for packets that are made up");
	if (options->proto && !options->n_ports && !simulate->file && !simulate->pcap)
		return wrong("--proto is for --port, --file and --pcap");
	return check_rules(options);
}
