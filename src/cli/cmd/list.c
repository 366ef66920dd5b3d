// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl list: shows every reuseport group on the host, steered or not. */
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "filter.h"
#include "format.h"
#include "show/json.h"
#include "table.h"

static json_t *listed_json(const struct reuseport_group_info *group)
{
	char addr[INET6_ADDRSTRLEN];
	json_t *program;

	program = group->has_program ?
			  json_pack("{s:i, s:o, s:b}", "id", group->program_id, "name",
				    show_json_text(group->program_name), "own", group->own) :
			  json_null();
	format_addr(group->key, addr, sizeof(addr));
	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:o, s:I, s:i, s:b, s:b, s:o}", "proto",
			 format_proto(group->key->proto), "family",
			 format_family(group->key->family), "addr", addr, "port", group->key->port,
			 "netns", (json_int_t)group->key->netns, "netns_name",
			 show_json_text(group->netns_name), "uid", (json_int_t)group->uid,
			 "sockets", (int)group->sockets, "steered", group->own, "program_known",
			 group->program_known, "program", program);
}

static int print_list_json(const struct reuseport_group_list *groups)
{
	const struct reuseport_group_info *group;
	json_t *list = json_array(), *root;

	for (size_t i = 0; (group = reuseport_group_list__get(groups, i)); i++)
		json_array_append_new(list, listed_json(group));
	root = json_pack("{s:o}", "groups", list);
	return show_json(root);
}

/* Return what tells a program from this toolkit's pinned ones. */
static const char *list_origin(const struct reuseport_group_info *group)
{
	if (group->own)
		return "";
	/* Another bpffs has it pinned, or its pins were removed. */
	return strcmp(group->program_name, "reuseport_steer") ? " (foreign)" :
								" (foreign, not pinned here)";
}

static void print_list_table(const struct reuseport_group_list *groups)
{
	static const struct column columns[] = {
		{ "PROTO", false }, { "LOCAL", false },  { "NETNS", false },
		{ "UID", true },    { "SOCKETS", true }, { "PROGRAM", false },
	};
	struct libscols_table *table = table_new(columns, 6);
	const struct reuseport_group_info *group;
	char endpoint[FORMAT_ENDPOINT_MAX];

	for (size_t i = 0; table && (group = reuseport_group_list__get(groups, i)); i++) {
		struct libscols_line *line = table_row(table);

		format_endpoint(group->key, endpoint);
		table_cell(line, 0, "%s", format_proto(group->key->proto));
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
				   list_origin(group));
	}
	if (table)
		table_print(table);
}

static int print_list_text(const struct reuseport_group_list *groups)
{
	if (reuseport_group_list__count(groups))
		print_list_table(groups);
	else
		puts("no reuseport group on this host");
	return exit_written();
}

static int list_exec(const struct options *options)
{
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = options->proto,
		       .port = options->n_ports ? options->ports[0] : 0, .uid = options->uid,
		       .has_uid = options->has_uid);
	struct reuseport_group_list *groups;
	struct reuseport_error error;
	int ret;

	if (filter_netns(options, &filter.netns) || filter_place(options, &filter))
		return EXIT_FAILED;
	if (reuseport_list(&filter, &groups, &error))
		return exit_failed(&error);
	ret = options->json ? print_list_json(groups) : print_list_text(groups);
	reuseport_group_list__free(groups);
	return ret;
}

const struct command cmd_list = {
	.name = "list",
	.summary = "Show every reuseport group on this host, and the program on each",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID | OPT_JSON,
	.exec = list_exec,
};
