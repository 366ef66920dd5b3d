// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Options: the table of those that several commands have, and how values are stored. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "message.h"
#include "options.h"
#include "parse.h"

#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

/* ------------------------------------------------------------------- errors */

bool options_wrong(const struct options *options, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message_of(options->command, fmt, args);
	va_end(args);
	return false;
}

bool options_wrong_usage(const struct options *options, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message_of(options->command, fmt, args);
	va_end(args);
	fprintf(stderr, "Try 'reuseportctl %s --help'.\n", options->command);
	return false;
}

/* -------------------------------------------------------- values of any option */

bool option_number(const struct option_entry *entry, const char *text, unsigned long *value)
{
	if (parse_number(text, entry->min, entry->max, value))
		return true;
	message("--%s '%s' is %s (%lu to %lu%s)", entry->name, text,
		parse_is_digits(text) ? "out of range" : "not a number", entry->min, entry->max,
		strcmp(entry->value, "SECONDS") ? "" : " seconds");
	return false;
}

bool option_set_text(struct options *options, const struct option_entry *entry, const char *text)
{
	memcpy((char *)options + entry->member, &text, sizeof(text));
	return true;
}

bool option_set_flag(struct options *options, const struct option_entry *entry, const char *text)
{
	(void)text;
	*(bool *)((char *)options + entry->member) = true;
	return true;
}

bool option_set_number(struct options *options, const struct option_entry *entry, const char *text)
{
	unsigned long value;

	if (!option_number(entry, text, &value))
		return false;
	memcpy((char *)options + entry->member, &value, sizeof(value));
	return true;
}

/* ------------------------------------------------------------- values of one */

static bool option_set_port(struct options *options, const struct option_entry *entry,
			    const char *text)
{
	unsigned long port;

	if (!option_number(entry, text, &port))
		return false;
	for (unsigned int i = 0; i < options->n_ports; i++)
		if (options->ports[i] == port)
			return true;
	if (options->n_ports == PORTS_MAX) {
		message("--port can be given at most %d times", PORTS_MAX);
		return false;
	}
	options->ports[options->n_ports++] = port;
	return true;
}

static bool option_set_proto(struct options *options, const struct option_entry *entry,
			     const char *text)
{
	bool any = entry->bit == OPT_PROTO;

	options->any_proto = any && !strcmp(text, "any");
	options->proto = !strcmp(text, "tcp") ? IPPROTO_TCP :
			 !strcmp(text, "udp") ? IPPROTO_UDP :
						0;
	if (!options->proto && !options->any_proto)
		message(any ? "--proto '%s' is neither tcp nor udp nor any" :
			      "--proto '%s' is neither tcp nor udp",
			text);
	return options->proto || options->any_proto;
}

static bool option_set_addr(struct options *options, const struct option_entry *entry,
			    const char *text)
{
	unsigned char addr[16];

	(void)entry;
	options->addr = text;
	if (!parse_scoped(text, options->address, options->addr_dev)) {
		message("--addr '%s': what follows the %% is no device", text);
		return false;
	}
	if (inet_pton(AF_INET, options->address, addr) == 1 ||
	    inet_pton(AF_INET6, options->address, addr) == 1)
		return true;
	message("--addr '%s' is not an IPv4 or IPv6 address", text);
	return false;
}

/* Store a user's number, or that of its name. */
static bool option_set_uid(struct options *options, const struct option_entry *entry,
			   const char *text)
{
	const struct passwd *user;
	unsigned long uid;

	options->has_uid = true;
	if (parse_number(text, entry->min, entry->max, &uid)) {
		options->uid = uid;
		return true;
	}
	user = getpwnam(text);
	if (!user) {
		message("--uid '%s' is neither a number (%lu to %lu) nor the name of a user", text,
			entry->min, entry->max);
		return false;
	}
	options->uid = user->pw_uid;
	return true;
}

static bool option_set_table(struct options *options, const struct option_entry *entry,
			     const char *text)
{
	if (parse_number(text, entry->min, entry->max, &options->table) &&
	    !(options->table & (options->table - 1)))
		return true;
	message("--table '%s' is not a power of two from %lu to %lu", text, entry->min, entry->max);
	return false;
}

static bool option_set_cpu(struct options *options, const struct option_entry *entry,
			   const char *text)
{
	unsigned long cpu;

	options->cpu = text;
	return option_number(entry, text, &cpu);
}

static bool option_set_admit(struct options *options, const struct option_entry *entry,
			     const char *text)
{
	(void)entry;
	options->admit = text;
	if (!strcmp(text, "auto") || !strcmp(text, "manual"))
		return true;
	message("--admit '%s' is neither auto nor manual", text);
	return false;
}

/* ---------------------------------------------------------------- the table */

static const struct option_entry table[] = {
	{ OPT_PORT | OPT_PORTS, "port", "N", "local port of the group", .set = option_set_port,
	  .min = 1, .max = PORT_MAX },
	{ OPT_PROTO, "proto", "tcp|udp|any", "protocol; any is both", .set = option_set_proto },
	{ OPT_ONE_PROTO, "proto", "tcp|udp", "protocol", .set = option_set_proto },
	{ OPT_ADDR, "addr", "ADDR[%DEV]",
	  "only the group bound to this local address, and to this device",
	  .set = option_set_addr },
	{ OPT_ADDR, "dev", "DEV", "only the group bound to this device, by name or index",
	  OPTION_TEXT(dev) },
	{ OPT_NETNS, "netns", "NAME|PID",
	  "network namespace: its name or the PID of a process in it", OPTION_TEXT(netns) },
	{ OPT_UID, "uid", "UID|USER", "only groups whose sockets are of this user",
	  .set = option_set_uid, .max = UID_LARGEST },
	{ OPT_POLICY, "policy", "P",
	  "selection policy (default: hash); 'reuseportctl policy --list' describes them",
	  OPTION_TEXT(policy.policy) },
	{ OPT_POLICY_OPTS, "key", "KEY",
	  "what is hashed: tuple (default), src, src-prefix/LEN, dst", OPTION_TEXT(policy.key) },
	{ OPT_POLICY_OPTS, "hash-key", "HEX",
	  "hash with SipHash and this key of 32 hexadecimal digits, not with the kernel's hash",
	  OPTION_TEXT(policy.hash_key) },
	{ OPT_POLICY_OPTS, "over", "P",
	  "for policy weighted: how it fills the table, hash (default) or consistent",
	  OPTION_TEXT(policy.over) },
	{ OPT_POLICY_OPTS, "cpu-map", "MAP",
	  "for policies cpu and numa: CPUS:SLOT,... instead of the workers' own CPUs",
	  OPTION_TEXT(policy.cpu_map) },
	{ OPT_TABLE, "table", "N",
	  "number of table entries (default: 4096 for each worker, from 16384 to 524288)",
	  .set = option_set_table, .min = REUSEPORT_TABLE_MIN, .max = REUSEPORT_TABLE_MAX },
	{ OPT_PACKET, "src", "ADDR:PORT", "source of the packet (required)", OPTION_TEXT(src) },
	{ OPT_PACKET, "dst", "ADDR:PORT", "destination of the packet (required)",
	  OPTION_TEXT(dst) },
	{ OPT_PACKET, "dev", "NAME", "arrival device of the packet (default: by the routes)",
	  OPTION_TEXT(dev) },
	{ OPT_PACKET, "cpu", "N",
	  "CPU that handles the packet, for policies cpu and numa and for SO_INCOMING_CPU",
	  .set = option_set_cpu, .max = CPUS_MAX - 1 },
	{ OPT_LIST, "list", NULL, "describe each policy in one line", OPTION_FLAG(list) },
	{ OPT_SLOTS, "slots", "N",
	  "maximum number of workers (default: 256, or twice the current number)",
	  OPTION_NUMBER(slots, 1, REUSEPORT_SLOTS_MAX) },
	{ OPT_ADMIT, "admit", "auto|manual",
	  "whether a new worker receives work at once (auto, the default) or waits for "
	  "'reuseportctl admit' (manual)",
	  .set = option_set_admit },
	{ OPT_PARTIAL, "wait-ready", NULL,
	  "with --admit manual: present workers wait, too, until they say REUSEPORT_READY",
	  OPTION_FLAG(wait_ready) },
	{ OPT_PARTIAL, "no-sockopt", NULL, "workers may not control themselves by socket options",
	  OPTION_FLAG(no_sockopt) },
	{ OPT_STICKY, "sticky", NULL,
	  "UDP: keep each flow on its worker for as long as that worker lives",
	  OPTION_FLAG(sticky) },
	{ OPT_STICKY, "flows", "N",
	  "maximum number of sticky flows; the oldest are evicted (default: " BOUND_TEXT(
		  FLOWS_DEFAULT) ")",
	  OPTION_NUMBER(flows, REUSEPORT_FLOWS_MIN, REUSEPORT_FLOWS_MAX) },
	{ OPT_STICKY, "idle", "SECONDS",
	  "forget a sticky flow after SECONDS without a packet (default: never)",
	  OPTION_NUMBER(idle_s, 1, REUSEPORT_IDLE_MAX) },
	{ OPT_WAIT, "wait", NULL, "wait for the first worker", OPTION_FLAG(wait) },
	{ OPT_FORCE, "force", NULL, "override a refusal: another program, no worker left",
	  OPTION_FLAG(force) },
	{ OPT_PARTIAL, "partial", NULL,
	  "steer a group although members of it cannot be taken (MPTCP, io_uring, ...)",
	  OPTION_FLAG(partial) },
	{ OPT_PARTIAL, "keep-weights", NULL,
	  "a worker that takes a slot has the weight of the one before",
	  OPTION_FLAG(keep_weights) },
	{ OPT_FOREGROUND, "foreground", NULL, "run the keeper in the foreground (for supervisors)",
	  OPTION_FLAG(foreground) },
	{ OPT_LOG, "log", "FILE", "append the keeper's messages to FILE (default: syslog)",
	  OPTION_TEXT(log) },
	{ OPT_JSON, "json", NULL, "print one JSON document on standard output", OPTION_FLAG(json) },
};

const struct option_entry *options_table(size_t *n)
{
	*n = TABLE_SIZE;
	return table;
}
