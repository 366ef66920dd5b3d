// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Status table: a row for each worker, and for each member without a slot. */
#include "format.h"
#include "show/status.h"
#include "table.h"

enum {
	COLUMN_SLOT,
	COLUMN_PID,
	COLUMN_FD,
	COLUMN_COMMAND,
	COLUMN_STATE,
	COLUMN_AGE,
	COLUMN_GEN,
	COLUMN_WEIGHT,
	COLUMN_QUEUE,
	COLUMN_FLOWS,
	COLUMN_SELECTED,
	COLUMN_RATE,
	COLUMN_SHARE,
	COLUMN_MIGRATED,
	COLUMN_FALLBACK,
	COLUMN_COOKIE,
	COLUMNS
};

/* reuseportctl-status(8) describes each. */
static const struct column columns[COLUMNS] = {
	[COLUMN_SLOT] = { "SLOT", true },
	[COLUMN_PID] = { "PID", true },
	[COLUMN_FD] = { "FD", true },
	[COLUMN_COMMAND] = { "COMMAND", false },
	[COLUMN_STATE] = { "STATE", false },
	[COLUMN_AGE] = { "AGE", true },
	[COLUMN_GEN] = { "GEN", true },
	[COLUMN_WEIGHT] = { "WEIGHT", true },
	[COLUMN_QUEUE] = { "QUEUE", true },
	[COLUMN_FLOWS] = { "FLOWS", true },
	[COLUMN_SELECTED] = { "SELECTED", true },
	[COLUMN_RATE] = { "RATE", true },
	[COLUMN_SHARE] = { "SHARE", true },
	[COLUMN_MIGRATED] = { "MIGRATED", true },
	[COLUMN_FALLBACK] = { "FALLBACK", true },
	[COLUMN_COOKIE] = { "COOKIE", true },
};

/* Return whether generations matter: before the first rollout all are 0. */
static bool has_generations(const struct reuseport_status *status)
{
	bool shown = status->generations->phase || status->generations->serving;

	for (size_t i = 0; i < status->n_workers; i++)
		shown |= status->workers[i]->generation;
	return shown;
}

/* Fill what a worker and a member without a slot both have. */
static void fill_socket(struct libscols_line *line, const struct reuseport_worker *worker)
{
	if (worker->n_pids > 1)
		table_cell(line, COLUMN_PID, "%u +%zu", worker->pid, worker->n_pids - 1);
	else if (worker->pid)
		table_cell(line, COLUMN_PID, "%u", worker->pid);
	else
		table_cell(line, COLUMN_PID, "?");
	if (worker->fd < 0)
		table_cell(line, COLUMN_FD, "?");
	else
		table_cell(line, COLUMN_FD, "%d", worker->fd);
	table_cell(line, COLUMN_COMMAND, "%s", worker->comm);
	table_cell(line, COLUMN_QUEUE, "%u", worker->queue);
	table_cell(line, COLUMN_COOKIE, "%llu", (unsigned long long)worker->cookie);
}

static void fill_interval(struct libscols_line *line, const struct status_interval *interval,
			  size_t i)
{
	const struct worker_interval *worker = &interval->workers[i];

	if (!interval->known || !worker->known)
		table_cell(line, COLUMN_RATE, "?");
	else
		table_cell(line, COLUMN_RATE, "%.1f", worker->selected / interval->seconds);
	if (!interval->known || !worker->known)
		table_cell(line, COLUMN_SHARE, "?");
	else if (!interval->selected)
		table_cell(line, COLUMN_SHARE, "-");
	else
		table_cell(line, COLUMN_SHARE, "%.1f%%",
			   100.0 * worker->selected / interval->selected);
}

static void add_worker_row(struct libscols_table *table, const struct shown_status *shown, size_t i)
{
	const struct reuseport_worker *worker = shown->status->workers[i];
	struct libscols_line *line = table_row(table);
	char age[FORMAT_AGE_MAX];

	table_cell(line, COLUMN_SLOT, "%u", worker->slot);
	fill_socket(line, worker);
	table_cell(line, COLUMN_STATE, "%s", reuseport_state_name(worker->state));
	format_age(worker->state_ns, shown->status->taken_ns, age);
	table_cell(line, COLUMN_AGE, "%s", age);
	table_cell(line, COLUMN_GEN, "%u", worker->generation);
	table_cell(line, COLUMN_WEIGHT, "%u", worker->weight);
	table_cell(line, COLUMN_FLOWS, "%llu", (unsigned long long)worker->flows);
	table_cell(line, COLUMN_SELECTED, "%llu", (unsigned long long)worker->selected);
	if (shown->interval)
		fill_interval(line, shown->interval, i);
	table_cell(line, COLUMN_MIGRATED, "%llu", (unsigned long long)worker->migrated);
	table_cell(line, COLUMN_FALLBACK, "%llu", (unsigned long long)worker->fallback);
}

static void add_left_out_row(struct libscols_table *table, const struct reuseport_worker *worker)
{
	struct libscols_line *line = table_row(table);

	table_cell(line, COLUMN_SLOT, "-");
	fill_socket(line, worker);
	table_cell(line, COLUMN_STATE, "%s", reuseport_left_out_name(worker->left_out));
}

void show_status_table(const struct shown_status *shown)
{
	struct libscols_table *table = table_new(columns, COLUMNS);
	const struct reuseport_status *status = shown->status;

	if (!table)
		return;
	if (!has_generations(status))
		table_hide(table, COLUMN_GEN);
	if (!status->flows)
		table_hide(table, COLUMN_FLOWS);
	if (!shown->interval) {
		table_hide(table, COLUMN_RATE);
		table_hide(table, COLUMN_SHARE);
	}
	for (size_t i = 0; i < status->n_workers; i++)
		add_worker_row(table, shown, i);
	for (size_t i = 0; i < status->n_left_out; i++)
		add_left_out_row(table, status->left_out[i]);
	table_print(table);
}
