// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Status as text: a heading for each group, and a table of its workers. */
#include <netinet/in.h>
#include <stdio.h>

#include "format.h"
#include "show/policy_info.h"
#include "show/status.h"
#include "table.h"

/* Print which fallback modes are in use: nothing if there are none. */
static void print_degraded(const struct reuseport_status *status)
{
	const struct reuseport_modes *modes = status->modes;
	const struct {
		bool degraded;
		const char *text;
	} lines[] = {
		{ !modes->migrates && status->key->proto == IPPROTO_TCP,
		  "a listener that closes resets its waiting connections: drain it first" },
		{ !modes->events && status->keeper_running,
		  "the keeper polls for joins and leaves, ten times a second" },
		{ !modes->iterators, "another tool's program on the group cannot be detected" },
		{ !modes->plain_reads,
		  "the program reads the kernel's sockets by probe reads, which is slower" },
		{ !modes->mmapped, "tables are written by system calls" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].degraded)
			printf("  %s\n", lines[i].text);
}

/* Print the options that say which port is meant. */
static void print_place(const struct reuseport_status *status)
{
	printf(" --port %u%s", status->key->port,
	       status->key->proto == IPPROTO_UDP ? " --proto udp" : "");
	show_netns(status->key, status->netns_name, " --netns ");
}

/* Name the groups on the same port that are not steered, with the command that changes that. */
static void print_unsteered(const struct reuseport_status *status)
{
	char endpoint[FORMAT_ENDPOINT_MAX];

	if (!status->n_unsteered)
		return;
	printf("  on this port, but not steered: ");
	for (size_t i = 0; i < status->n_unsteered; i++) {
		const struct reuseport_unsteered *group = status->unsteered[i];

		format_endpoint(group->key, endpoint);
		printf("%s%s (%u socket%s)", i ? ", " : "", endpoint, group->sockets,
		       group->sockets == 1 ? "" : "s");
	}
	printf("%s; to steer it too: 'reuseportctl attach",
	       status->n_unsteered == REUSEPORT_UNSTEERED_MAX ? ", and maybe others" : "");
	print_place(status);
	puts("'");
}

static void print_heading(const struct reuseport_status *status, bool uid)
{
	show_policy_group(status->key, status->netns_name, uid);
	printf("  policy");
	show_policy_info(status->policy);
	printf("  program %u ", status->program_id);
	format_print(status->program_name);
	if (status->keeper_running)
		printf("  keeper %u\n", status->keeper_pid);
	else
		printf("\n  no keeper: new workers are not detected; attach again\n");
	if (!status->attached && (status->n_workers || status->unregistered)) {
		printf("  NOT STEERED: this program is not on the group any more; to put it back: "
		       "'reuseportctl attach");
		print_place(status);
		printf("%s'\n", status->foreign ? " --force" : "");
	}
	if (status->generations->phase == REUSEPORT_ROLLOUT_BEGUN)
		printf("  rollout begun: generation %u waits, generation %u serves\n",
		       status->generations->other, status->generations->serving);
	if (status->generations->phase == REUSEPORT_ROLLOUT_SWITCHED)
		printf("  rollout switched: generation %u serves; finish or abort\n",
		       status->generations->serving);
	if (status->admit_manual) {
		printf("  new workers wait for 'reuseportctl admit");
		print_place(status);
		puts("'");
	}
	print_degraded(status);
	if (status->unregistered)
		printf("  %u group member%s without a slot: the policy does not select %s\n",
		       status->unregistered, status->unregistered == 1 ? "" : "s",
		       status->unregistered == 1 ? "it" : "them");
	if (status->connected_sockets)
		printf("  %u connected socket%s, each with the datagrams of its peer\n",
		       status->connected_sockets, status->connected_sockets == 1 ? "" : "s");
	if (status->transparent)
		printf("  IP_TRANSPARENT: UDP that a TPROXY rule redirects here is not steered: no "
		       "program sees it\n");
	print_unsteered(status);
}

static double percent_of(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 0;
}

/* Return whether generations matter: before the first rollout all are 0. */
static bool has_generations(const struct reuseport_status *status)
{
	bool shown = status->generations->phase || status->generations->serving;

	for (size_t i = 0; i < status->n_workers; i++)
		shown |= status->workers[i]->generation;
	return shown;
}

static void print_workers_table(const struct reuseport_status *status)
{
	static const struct column columns[] = {
		{ "SLOT", true },   { "PID", true },      { "COMMAND", false },
		{ "STATE", false }, { "GEN", true },      { "WEIGHT", true },
		{ "QUEUE", true },  { "FLOWS", true },    { "SELECTED", true },
		{ "SHARE", true },  { "MIGRATED", true }, { "FALLBACK", true },
		{ "COOKIE", true },
	};
	struct libscols_table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
	uint64_t whole = 0;

	if (!table)
		return;
	if (!has_generations(status))
		table_hide(table, 4);
	if (!status->flows)
		table_hide(table, 7);
	for (size_t i = 0; i < status->n_workers; i++)
		whole += status->workers[i]->selected;
	for (size_t i = 0; i < status->n_workers; i++) {
		const struct reuseport_worker *worker = status->workers[i];
		struct libscols_line *line = table_row(table);

		table_cell(line, 0, "%u", worker->slot);
		table_cell(line, 1, "%u", worker->pid);
		table_cell(line, 2, "%s", worker->comm);
		table_cell(line, 3, "%s", reuseport_state_name(worker->state));
		table_cell(line, 4, "%u", worker->generation);
		table_cell(line, 5, "%u", worker->weight);
		table_cell(line, 6, "%u", worker->queue);
		table_cell(line, 7, "%llu", (unsigned long long)worker->flows);
		table_cell(line, 8, "%llu", (unsigned long long)worker->selected);
		table_cell(line, 9, "%.1f%%", percent_of(worker->selected, whole));
		table_cell(line, 10, "%llu", (unsigned long long)worker->migrated);
		table_cell(line, 11, "%llu", (unsigned long long)worker->fallback);
		table_cell(line, 12, "%llu", (unsigned long long)worker->cookie);
	}
	for (size_t i = 0; i < status->n_left_out; i++) {
		const struct reuseport_worker *worker = status->left_out[i];
		struct libscols_line *line = table_row(table);

		table_cell(line, 0, "-");
		table_cell(line, 1, "%u", worker->pid);
		table_cell(line, 2, "%s", worker->comm);
		table_cell(line, 3, "%s", reuseport_left_out_name(worker->left_out));
		table_cell(line, 6, "%u", worker->queue);
		table_cell(line, 12, "%llu", (unsigned long long)worker->cookie);
	}
	table_print(table);
}

static void print_count(const char *name, uint64_t count)
{
	if (count)
		printf(", %s %llu", name, (unsigned long long)count);
}

static void print_totals(const struct reuseport_counters *c)
{
	printf("packets %llu = selected %llu + fallback %llu",
	       (unsigned long long)(c->packets + c->migrations),
	       (unsigned long long)(c->selected + c->migrated),
	       (unsigned long long)reuseport_counters__fallback(c));
	print_count("migrated", c->migrated);
	print_count("next best used", c->next_best);
	print_count("slot empty", c->empty);
	print_count("slot refused", c->refused);
	print_count("choices exhausted", c->exhausted);
	print_count("no eligible worker", c->nobody);
	print_count("unregistered member", c->unregistered);
	print_count("connected socket", c->connected);
	print_count("SO_INCOMING_CPU", c->incoming_cpu);
	print_count("group unreadable", c->unreadable);
	putchar('\n');
}

static void print_flows(const struct reuseport_status *status)
{
	const struct reuseport_counters *c = status->counters;

	if (!status->flows)
		return;
	printf("sticky flows %llu of %u", (unsigned long long)status->flows_occupied,
	       status->flows);
	if (status->idle_s)
		printf(", idle after %u s", status->idle_s);
	print_count("entered", c->flows);
	print_count("evicted", c->flows_evicted);
	print_count("moved", c->flows_moved);
	putchar('\n');
}

static void print_attachment(const struct reuseport_status *status, bool uid)
{
	if (status->damaged) {
		show_policy_group(status->key, status->netns_name, uid);
		puts("  pins damaged or of another version: attach again; if that fails, detach first");
		return;
	}
	print_heading(status, uid);
	if (status->n_workers)
		print_workers_table(status);
	else
		puts("  no workers");
	print_totals(status->counters);
	print_flows(status);
}

void show_status_text(const struct reuseport_status *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool twin = false;

		if (i)
			putchar('\n');
		for (size_t k = 0; k < n; k++)
			twin |= format_needs_uid(list[i]->key, list[k]->key);
		print_attachment(list[i], twin);
	}
}
