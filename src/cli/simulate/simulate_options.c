// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Simulate options: the options that only the command simulate has. */
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "exit.h"
#include "message.h"
#include "parse.h"
#include "simulate/simulate_options.h"

/* ------------------------------------------------------------------ changes */

static bool add_change(struct options *options, unsigned int kind, unsigned int slot,
		       unsigned int weight)
{
	struct simulate_options *simulate = &options->simulate;

	if (simulate->n_changes == CHANGES_MAX) {
		message("--join, --leave and --weight can be given at most %d "
			"times in total",
			CHANGES_MAX);
		return false;
	}
	simulate->changes[simulate->n_changes++] = (struct reuseport_change)REUSEPORT_INIT(
		reuseport_change, .kind = kind, .slot = slot, .weight = weight);
	return true;
}

static bool simulate_set_join(struct options *options, const struct option_entry *entry,
			      const char *text)
{
	(void)entry;
	(void)text;
	return add_change(options, REUSEPORT_JOIN, 0, 0);
}

static bool simulate_set_leave(struct options *options, const struct option_entry *entry,
			       const char *text)
{
	unsigned long slot;

	return option_number(entry, text, &slot) && add_change(options, REUSEPORT_LEAVE, slot, 0);
}

static bool simulate_set_weight(struct options *options, const struct option_entry *entry,
				const char *text)
{
	const char *colon = strchr(text, ':');
	unsigned long slot, weight;
	char number[8] = "";

	(void)entry;
	if (colon && (size_t)(colon - text) < sizeof(number))
		memcpy(number, text, colon - text);
	if (!parse_number(number, 0, SLOT_MAX, &slot) ||
	    !parse_number(colon + 1, 0, REUSEPORT_WEIGHT_MAX, &weight)) {
		message("--weight '%s' is not SLOT:WEIGHT, with a slot from 0 to %d "
			"and a weight from 0 to %d",
			text, SLOT_MAX, REUSEPORT_WEIGHT_MAX);
		return false;
	}
	return add_change(options, REUSEPORT_WEIGHT, slot, weight);
}

/* ---------------------------------------------------------------- the table */

const struct option_entry simulate_option_table[SIMULATE_OPTIONS] = {
	{ 0, "policy", "P|all",
	  "one policy, or all side by side (default: all; with --port, the attachment's)",
	  OPTION_TEXT(simulate.policy) },
	{ 0, "workers", "N|LIST",
	  "number of workers, or their weights, e.g. 1,1,2,5 (default: " BOUND_TEXT(
		  WORKERS_DEFAULT) ")",
	  OPTION_TEXT(simulate.workers) },
	{ 0, "generate", "N",
	  "number of packets to generate (default: " BOUND_TEXT(PACKETS_DEFAULT) ")",
	  OPTION_NUMBER(simulate.generate, 1, PACKETS_MAX) },
	{ 0, "clients", "N",
	  "number of client addresses of these packets (default: a new one for each packet)",
	  OPTION_NUMBER(simulate.clients, 1, PACKETS_MAX) },
	{ 0, "seed", "N",
	  "random seed; equal seeds give equal packets (default: " BOUND_TEXT(SEED_DEFAULT) ")",
	  OPTION_NUMBER(simulate.seed, 1, SEED_MAX) },
	{ 0, "file", "FILE",
	  "read packets from lines 'SRC DST [tcp|udp]', each ADDR:PORT; - is standard input",
	  OPTION_TEXT(simulate.file) },
	{ 0, "pcap", "FILE",
	  "read packets from a capture: TCP SYNs and UDP datagrams; - is standard input",
	  OPTION_TEXT(simulate.pcap) },
	{ 0, "dport", "N", "use only packets to this port of a file or capture (default: --port)",
	  OPTION_NUMBER(simulate.dport, 1, PORT_MAX) },
	{ 0, "cpus", "N", "number of CPUs that receive packets (default: as on this host)",
	  OPTION_NUMBER(simulate.cpus, 1, CPUS_MAX) },
	{ 0, "nodes", "N", "number of NUMA nodes that these CPUs are on",
	  OPTION_NUMBER(simulate.nodes, 1, CPUS_MAX) },
	{ 0, "join", NULL, "show what a new worker would move", .set = simulate_set_join },
	{ 0, "leave", "SLOT", "show what removing this worker would move; can be repeated",
	  .set = simulate_set_leave, .max = SLOT_MAX },
	{ 0, "weight", "SLOT:W",
	  "show what another weight of this worker would move; can be repeated",
	  .set = simulate_set_weight },
};

/* ------------------------------------------------------------------ together */

bool simulate_options_all(const struct options *options)
{
	return options->simulate.policy && !strcmp(options->simulate.policy, "all");
}

static bool check_policy(struct reuseport_policy_opts opts)
{
	struct reuseport_error error;

	opts.sz = sizeof(opts);
	if (!reuseport_policy_check(&opts, &error))
		return true;
	exit_failed(&error);
	return false;
}

/* Check the policy and its options, but not --cpu-map: the simulated CPUs can be others
 * than this host's. */
static bool check_policies(const struct options *options)
{
	struct reuseport_policy_opts opts = options->policy;

	opts.cpu_map = NULL;
	if (options->simulate.policy && !simulate_options_all(options)) {
		opts.policy = options->simulate.policy;
		return check_policy(opts);
	}
	return check_policy((struct reuseport_policy_opts){
		       .policy = "hash", .key = opts.key, .hash_key = opts.hash_key }) &&
	       check_policy(
		       (struct reuseport_policy_opts){ .policy = "weighted", .over = opts.over });
}

bool simulate_options_check(const struct options *options)
{
	const struct simulate_options *simulate = &options->simulate;

	if (options->n_ports && simulate->workers)
		return options_wrong_usage(options,
					   "--workers cannot be combined with --port, which "
					   "takes the workers of an attachment");
	if (!options->n_ports && (options->addr || options->dev || options->netns))
		return options_wrong_usage(options, "--addr and --netns require --port");
	if (!!simulate->generate + !!simulate->file + !!simulate->pcap > 1)
		return options_wrong_usage(
			options, "only one of --generate, --file and --pcap can be given");
	if (simulate->clients && (simulate->file || simulate->pcap))
		return options_wrong_usage(options, "--clients is only for generated packets");
	if (options->proto && !options->n_ports && !simulate->file && !simulate->pcap)
		return options_wrong_usage(options, "--proto requires --port, --file or --pcap");
	return check_policies(options);
}
