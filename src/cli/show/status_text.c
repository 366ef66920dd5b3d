// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Status for people: a heading for each group, a table of its workers. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "show/status.h"
#include "table.h"
#include "words.h"

/* "tcp 0.0.0.0:8080", and the namespace if it is not the reader's own. */
static void print_group(const struct reuseport_key *key, const char *netns_name)
{
	char endpoint[80];
	uint64_t own = 0;

	word_endpoint(key, endpoint, sizeof(endpoint));
	printf("%s %s", word_proto(key->proto), endpoint);
	if (!reuseport_netns(NULL, &own, NULL) && own == key->netns)
		return;
	if (*netns_name)
		printf("  netns %s", netns_name);
	else
		printf("  netns %llu", (unsigned long long)key->netns);
}

void show_rules(const struct reuseport_rules *rules)
{
	printf(" %s", rules->policy);
	if (rules->over_consistent)
		printf(" over consistent");
	if (strcmp(rules->key, "tuple"))
		printf(", key %s", rules->key);
	if (*rules->hash_key)
		printf(", hash key %s", rules->hash_key);
	if (rules->given_cpus)
		printf(", CPUs given");
}

/* Nothing where all is done in the best way. */
static void ways(const struct reuseport_status *status)
{
	const struct reuseport_ways *w = &status->ways;
	const struct {
		bool said;
		const char *text;
	} lines[] = {
		{ !w->migrates && status->key.proto == IPPROTO_TCP,
		  "a listener that closes resets what waits for it: drain it first" },
		{ !w->events && status->keeper_running,
		  "joins and leaves are found by polling, ten times a second" },
		{ !w->iterators, "another tool's program on the group would not be seen" },
		{ !w->plain_reads, "the program reads the kernel's sockets by probe reads" },
		{ !w->mmapped, "tables are written by system calls" },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].said)
			printf("  %s\n", lines[i].text);
}

static void heading(const struct reuseport_status *status)
{
	print_group(&status->key, status->netns_name);
	printf("  policy");
	show_rules(&status->rules);
	printf("  program %u %s", status->program_id, status->program_name);
	if (status->keeper_running)
		printf("  keeper %u\n", status->keeper_pid);
	else
		printf("\n  no keeper: workers that join are not seen; attach again\n");
	if (status->generations.phase == REUSEPORT_ROLLOUT_BEGUN)
		printf("  rollout begun: generation %u waits, generation %u serves\n",
		       status->generations.other, status->generations.serving);
	if (status->generations.phase == REUSEPORT_ROLLOUT_SWITCHED)
		printf("  rollout switched: generation %u serves; finish it, or abort\n",
		       status->generations.serving);
	if (status->admit_manual)
		printf("  who joins waits for 'reuseportctl admit'\n");
	ways(status);
	if (!status->attached && status->n_workers)
		printf("  the group does not have this program: attach again, or detach\n");
	if (status->unregistered)
		printf("  %u member%s of the group without a slot\n", status->unregistered,
		       status->unregistered == 1 ? "" : "s");
}

void show_policy(const struct reuseport_ruled *ruled)
{
	print_group(&ruled->key, ruled->netns_name);
	printf("  policy");
	show_rules(&ruled->rules);
	putchar('\n');
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 0;
}

/* They say nothing before the first rollout. */
static bool shows_generations(const struct reuseport_status *status)
{
	bool shown = status->generations.phase || status->generations.serving;

	for (size_t i = 0; i < status->n_workers; i++)
		shown |= status->workers[i].generation;
	return shown;
}

static void workers_table(const struct reuseport_status *status)
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
	if (!shows_generations(status))
		table_hide(table, 4);
	if (!status->flows)
		table_hide(table, 7);
	for (size_t i = 0; i < status->n_workers; i++)
		whole += status->workers[i].selected;
	for (size_t i = 0; i < status->n_workers; i++) {
		const struct reuseport_worker *worker = &status->workers[i];
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
		table_cell(line, 9, "%.1f%%", share(worker->selected, whole));
		table_cell(line, 10, "%llu", (unsigned long long)worker->migrated);
		table_cell(line, 11, "%llu", (unsigned long long)worker->fallback);
		table_cell(line, 12, "%llu", (unsigned long long)worker->cookie);
	}
	table_print(table);
}

static void reason(const char *name, uint64_t count)
{
	if (count)
		printf(", %s %llu", name, (unsigned long long)count);
}

static void totals(const struct reuseport_counters *c)
{
	printf("packets %llu = selected %llu + fallback %llu",
	       (unsigned long long)(c->packets + c->migrations),
	       (unsigned long long)(c->selected + c->migrated),
	       (unsigned long long)reuseport_counters__fallback(c));
	reason("migrated", c->migrated);
	reason("next best asked", c->next_best);
	reason("slot empty", c->empty);
	reason("slot refused", c->refused);
	reason("no choice left", c->exhausted);
	reason("nobody may get work", c->nobody);
	reason("unregistered member", c->unregistered);
	reason("connected socket", c->connected);
	reason("SO_INCOMING_CPU", c->incoming_cpu);
	reason("group unreadable", c->unreadable);
	putchar('\n');
}

static void flows(const struct reuseport_status *status)
{
	const struct reuseport_counters *c = &status->counters;

	if (!status->flows)
		return;
	printf("sticky flows %llu of %u", (unsigned long long)status->flows_occupied,
	       status->flows);
	if (status->idle_s)
		printf(", idle after %u s", status->idle_s);
	reason("entered", c->flows);
	reason("evicted", c->flows_evicted);
	reason("moved", c->flows_moved);
	putchar('\n');
}

static void one(const struct reuseport_status *status)
{
	if (status->damaged) {
		print_group(&status->key, status->netns_name);
		puts("  pins damaged or of another version: detach, then attach again");
		return;
	}
	heading(status);
	if (status->n_workers)
		workers_table(status);
	else
		puts("  no worker");
	totals(&status->counters);
	flows(status);
}

void show_status_text(const struct reuseport_status *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			putchar('\n');
		one(&list[i]);
	}
}
