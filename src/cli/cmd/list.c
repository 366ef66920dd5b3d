// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl list: every reuseport group of the host, steered or not. */
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "table.h"
#include "words.h"

static json_t *group_json(const struct reuseport_group_info *group)
{
	char program_name[sizeof(group->program_name)], netns_name[sizeof(group->netns_name)];
	char addr[INET6_ADDRSTRLEN];
	json_t *program;

	program = group->has_program ?
			  json_pack("{s:i, s:s, s:b}", "id", group->program_id, "name",
				    word_utf8(strcpy(program_name, group->program_name)), "own",
				    group->own) :
			  json_null();
	word_addr(group->key, addr, sizeof(addr));
	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:s, s:i, s:i, s:b, s:b, s:o}", "proto",
			 word_proto(group->key->proto), "family", word_family(group->key->family),
			 "addr", addr, "port", group->key->port, "netns",
			 (json_int_t)group->key->netns, "netns_name",
			 word_utf8(strcpy(netns_name, group->netns_name)), "uid", (int)group->uid,
			 "sockets", (int)group->sockets, "steered", group->own, "program_known",
			 group->program_known, "program", program);
}

static void print_json(const struct reuseport_group_list *groups)
{
	const struct reuseport_group_info *group;
	json_t *list = json_array(), *root;

	for (size_t i = 0; (group = reuseport_group_list__get(groups, i)); i++)
		json_array_append_new(list, group_json(group));
	root = json_pack("{s:o}", "groups", list);
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(root);
}

static void print_table(const struct reuseport_group_list *groups)
{
	static const struct column columns[] = {
		{ "PROTO", false }, { "LOCAL", false },  { "NETNS", false },
		{ "UID", true },    { "SOCKETS", true }, { "PROGRAM", false },
	};
	struct libscols_table *table = table_new(columns, 6);
	const struct reuseport_group_info *group;
	char endpoint[80];

	if (!reuseport_group_list__count(groups))
		puts("no reuseport group on this host");
	for (size_t i = 0; table && (group = reuseport_group_list__get(groups, i)); i++) {
		struct libscols_line *line = table_row(table);

		word_endpoint(group->key, endpoint, sizeof(endpoint));
		table_cell(line, 0, "%s", word_proto(group->key->proto));
		table_cell(line, 1, "%s", endpoint);
		if (*group->netns_name)
			table_cell(line, 2, "%s", group->netns_name);
		else
			table_cell(line, 2, "%llu", (unsigned long long)group->key->netns);
		table_cell(line, 3, "%u", group->uid);
		table_cell(line, 4, "%u", group->sockets);
		if (!group->has_program)
			table_cell(line, 5, group->program_known ? "-" : "?");
		else
			table_cell(line, 5, "%u %s%s", group->program_id,
				   group->program_id ? group->program_name : "classic BPF",
				   group->own ? "" : " (foreign)");
	}
	if (reuseport_group_list__count(groups) && table)
		table_print(table);
}

static int list(const struct options *options)
{
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = options->proto, .addr = options->addr,
		       .port = options->n_ports ? options->ports[0] : 0);
	struct reuseport_group_list *groups;
	struct reuseport_error error;

	if (word_netns(options, &filter.netns))
		return EXIT_FAILED;
	if (reuseport_list(&filter, &groups, &error))
		return word_failure(&error);
	if (options->json)
		print_json(groups);
	else
		print_table(groups);
	reuseport_group_list__free(groups);
	return word_written();
}

const struct command cmd_list = {
	.name = "list",
	.summary = "Show every reuseport group of the host and its program, ours or another's",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_JSON,
	.exec = list,
};
