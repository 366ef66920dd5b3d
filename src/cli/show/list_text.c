// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* List as text: a table, and lines of what is not in it. */
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "show/list.h"
#include "table.h"

enum list_column {
	LIST_PROTO,
	LIST_LOCAL,
	LIST_NETNS,
	LIST_UID,
	LIST_SOCKETS,
	LIST_PROCESS,
	LIST_QUEUE,
	LIST_LIMIT,
	LIST_STATE,
	LIST_PROGRAM,
	LIST_COLUMNS
};

/* So many namespaces are named in the line of connected sockets. */
#define LIST_NAMED 8

static void list_netns_cell(struct libscols_line *line, uint64_t netns, const char *name)
{
	if (*name)
		table_cell(line, LIST_NETNS, "%s", name);
	else
		table_cell(line, LIST_NETNS, "%llu", (unsigned long long)netns);
}

static void list_process_cell(struct libscols_line *line, const struct reuseport_listed *listed)
{
	const char *reason = reuseport_left_out_name(listed->unowned_reason);
	char first[64] = "", more[32] = "", unowned[64] = "";

	if (!listed->looked) {
		table_cell(line, LIST_PROCESS, "?");
		return;
	}
	if (listed->n_processes)
		snprintf(first, sizeof(first), "%s %u", listed->processes[0]->comm,
			 listed->processes[0]->pid);
	if (listed->n_processes > 1)
		snprintf(more, sizeof(more), " +%zu", listed->n_processes - 1);
	if (listed->unowned)
		snprintf(unowned, sizeof(unowned), "%s? (%s)", *first ? ", " : "",
			 reason ? reason : "no process found");
	table_cell(line, LIST_PROCESS, "%s%s%s", first, more, *first || *unowned ? unowned : "-");
}

static void list_program_cell(struct libscols_line *line, const struct reuseport_listed *listed)
{
	const struct reuseport_group_info *group = listed->group;
	bool ours = !strcmp(group->program_name, "reuseport_steer");

	if (!group->has_program)
		table_cell(line, LIST_PROGRAM, group->program_known || listed->state ? "-" : "?");
	else if (!group->program_id)
		table_cell(line, LIST_PROGRAM, LIST_CLASSIC);
	else
		/* Another bpffs has it pinned, or its pins were removed. */
		table_cell(line, LIST_PROGRAM, "%u %s%s", group->program_id,
			   *group->program_name ? group->program_name : "?",
			   ours && !group->own ? " (not pinned here)" : "");
}

static void list_row(struct libscols_table *table, const struct reuseport_listed *listed)
{
	const struct reuseport_group_info *group = listed->group;
	struct libscols_line *line = table_row(table);
	char endpoint[FORMAT_ENDPOINT_MAX];

	format_endpoint(group->key, endpoint);
	table_cell(line, LIST_PROTO, "%s", format_proto(group->key->proto));
	table_cell(line, LIST_LOCAL, "%s", endpoint);
	list_netns_cell(line, group->key->netns, group->netns_name);
	if (group->key->has_uid)
		table_cell(line, LIST_UID, "%u", group->key->uid);
	else
		table_cell(line, LIST_UID, "several");
	table_cell(line, LIST_SOCKETS, "%u", group->sockets);
	list_process_cell(line, listed);
	table_cell(line, LIST_QUEUE, "%llu", (unsigned long long)listed->queue);
	table_cell(line, LIST_LIMIT, "%llu", (unsigned long long)listed->queue_limit);
	table_cell(line, LIST_STATE, "%s", reuseport_group_state_name(listed->state));
	list_program_cell(line, listed);
}

/* Whatever is in a namespace that may not be entered. */
static void list_unseen_row(struct libscols_table *table, const struct reuseport_unseen *unseen)
{
	struct libscols_line *line = table_row(table);

	for (int column = 0; column < LIST_COLUMNS; column++)
		table_cell(line, column, "?");
	list_netns_cell(line, unseen->netns, unseen->netns_name);
	table_cell(line, LIST_STATE, "no-permission");
}

static bool is_of_namespace(const struct reuseport_unseen *unseen)
{
	return !strcmp(unseen->what, "namespace");
}

static void list_table(const struct reuseport_listing *listing, bool who)
{
	static const struct column columns[] = {
		[LIST_PROTO] = { "PROTO", false },    [LIST_LOCAL] = { "LOCAL", false },
		[LIST_NETNS] = { "NETNS", false },    [LIST_UID] = { "UID", true },
		[LIST_SOCKETS] = { "SOCKETS", true }, [LIST_PROCESS] = { "PROCESS", false },
		[LIST_QUEUE] = { "QUEUE", true },     [LIST_LIMIT] = { "LIMIT", true },
		[LIST_STATE] = { "STATE", false },    [LIST_PROGRAM] = { "PROGRAM", false },
	};
	struct libscols_table *table = table_new(columns, LIST_COLUMNS);
	const struct reuseport_unseen *unseen;
	const struct reuseport_listed *listed;

	if (!table)
		return;
	if (!who)
		table_hide(table, LIST_PROCESS);
	for (size_t i = 0; (listed = reuseport_listing__get(listing, i)); i++)
		list_row(table, listed);
	for (size_t i = 0; (unseen = reuseport_listing__get_unseen(listing, i)); i++)
		if (is_of_namespace(unseen))
			list_unseen_row(table, unseen);
	table_print(table);
}

static void list_connected(const struct reuseport_listing *listing)
{
	const struct reuseport_connected *connected;
	size_t n = reuseport_listing__count_connected(listing);

	if (!n)
		return;
	printf("connected UDP sockets, which are in no group:");
	for (size_t i = 0; i < n && i < LIST_NAMED; i++) {
		connected = reuseport_listing__get_connected(listing, i);
		printf("%s %u in ", i ? "," : "", connected->sockets);
		if (*connected->netns_name)
			format_print(connected->netns_name);
		else
			printf("%llu", (unsigned long long)connected->netns);
	}
	puts(n > LIST_NAMED ? ", and others elsewhere" : "");
}

static void list_unseen(const struct reuseport_listing *listing)
{
	const struct reuseport_unseen *unseen;

	for (size_t i = 0; (unseen = reuseport_listing__get_unseen(listing, i)); i++) {
		if (is_of_namespace(unseen))
			continue;
		printf("not seen: %s", unseen->what);
		if (*unseen->netns_name) {
			printf(" in ");
			format_print(unseen->netns_name);
		}
		printf(": ");
		format_print(unseen->text);
		putchar('\n');
	}
}

void show_list_text(const struct reuseport_listing *listing, bool who)
{
	size_t rows = reuseport_listing__count(listing);
	const struct reuseport_unseen *unseen;

	for (size_t i = 0; (unseen = reuseport_listing__get_unseen(listing, i)); i++)
		rows += is_of_namespace(unseen);
	if (rows)
		list_table(listing, who);
	list_connected(listing);
	list_unseen(listing);
}
