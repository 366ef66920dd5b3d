// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A simulation as text: policies side by side, or the workers of one policy. */
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "format.h"
#include "show/policy_info.h"
#include "show/simulation.h"
#include "table.h"

#define NOTES 16
#define FIXED_COLUMNS 4 /* before those of the changes */

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 0;
}

/* ------------------------------------------------------------------ the head */

/* Print how many packets were skipped, and why. */
static void print_skipped(const struct packet_list *packets)
{
	const struct {
		uint64_t count;
		const char *reason;
	} skipped[] = {
		{ packets->other_target, "of another protocol or to another port" },
		{ packets->not_new, "of TCP that do not open a connection" },
		{ packets->not_tcp_udp, "that are neither TCP nor UDP" },
		{ packets->truncated, "that are truncated" },
	};
	const char *lead = "; skipped";

	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
		if (!skipped[i].count)
			continue;
		printf("%s %llu %s", lead, (unsigned long long)skipped[i].count, skipped[i].reason);
		lead = ",";
	}
}

static void print_packets(const struct simulation_results *results)
{
	const struct packet_list *packets = results->packets;

	printf("%zu packets ", reuseport_tuple_list__count(packets->tuples));
	if (packets->path) {
		printf("from ");
		format_print(packets->path);
	} else if (packets->clients) {
		printf("generated, from %lu clients, seed %lu", packets->clients, results->seed);
	} else {
		printf("generated, each from a new client, seed %lu", results->seed);
	}
	print_skipped(packets);
	printf("; %zu worker%s\n", results->n_workers, results->n_workers == 1 ? "" : "s");
}

static const char *policy_text(const struct reuseport_simulation *simulation, char text[64])
{
	snprintf(text, 64, "%s%s", simulation->policy->policy,
		 simulation->policy->over_consistent ? "/consistent" : "");
	return text;
}

/* ------------------------------------------------------------------ the notes */

/* Number the notes in the order of their first use. Return how many there are. */
static unsigned int number_notes(const struct simulation_results *results,
				 unsigned int order[NOTES])
{
	unsigned int n = 0, seen = 0;

	for (size_t i = 0; i < results->n; i++)
		for (unsigned int note = 0; note < NOTES; note++) {
			unsigned int bit = results->list[i]->notes & 1U << note;

			if (!bit || (seen & bit))
				continue;
			seen |= bit;
			order[n++] = bit;
		}
	return n;
}

/* Write the numbers of the notes: "1,4". */
static void write_note_numbers(unsigned int notes, const unsigned int *order, unsigned int n,
			       char *text, size_t size)
{
	size_t len = 0;

	*text = '\0';
	for (unsigned int i = 0; i < n; i++)
		if ((notes & order[i]) && len < size)
			len += snprintf(text + len, size - len, "%s%u", len ? "," : "", i + 1);
}

static void print_notes(const unsigned int *order, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		printf("%u: %s\n", i + 1, reuseport_simulation_note_text(order[i]));
}

/* ------------------------------------------------------------------ the changes */

/* Write "JOIN", "LEAVE 2" or "WEIGHT 0:2". */
static void write_change(const struct reuseport_change *change, char *text, size_t size)
{
	if (change->kind == REUSEPORT_JOIN)
		snprintf(text, size, "JOIN");
	else if (change->kind == REUSEPORT_LEAVE)
		snprintf(text, size, "LEAVE %u", change->slot);
	else
		snprintf(text, size, "WEIGHT %u:%u", change->slot, change->weight);
}

static void set_change_cells(struct libscols_line *line,
			     const struct reuseport_simulation *simulation)
{
	for (size_t i = 0; i < simulation->n_changes; i++) {
		const struct reuseport_simulated_change *change = simulation->changes[i];

		if (!simulation->keeps_keys) {
			table_cell(line, FIXED_COLUMNS + 2 * i, "-");
			table_cell(line, FIXED_COLUMNS + 2 * i + 1, "-");
			continue;
		}
		table_cell(line, FIXED_COLUMNS + 2 * i, "%.1f%%",
			   percent(change->moved, simulation->packets));
		table_cell(line, FIXED_COLUMNS + 2 * i + 1, "%.1f%%",
			   percent(change->least, simulation->packets));
	}
}

/* ---------------------------------------------------------------- side by side */

static struct libscols_table *policies_table(const struct reuseport_simulation *simulation)
{
	struct column columns[FIXED_COLUMNS + 2 * CHANGES_MAX + 1] = {
		{ "POLICY", false },
		{ "MIN/DUE", true },
		{ "MAX/DUE", true },
		{ "MAX/MEAN", true },
	};
	char headings[CHANGES_MAX][32];
	size_t n = FIXED_COLUMNS;

	for (size_t i = 0; i < simulation->n_changes; i++) {
		write_change(simulation->changes[i]->change, headings[i], sizeof(headings[i]));
		columns[n++] = (struct column){ headings[i], true };
		columns[n++] = (struct column){ "LEAST", true };
	}
	columns[n++] = (struct column){ "NOTE", false };
	return table_new(columns, n);
}

static void print_policies(const struct simulation_results *results, const unsigned int *order,
			   unsigned int n)
{
	struct libscols_table *table = policies_table(results->list[0]);
	char text[64];

	if (!table)
		return;
	for (size_t i = 0; i < results->n; i++) {
		const struct reuseport_simulation *simulation = results->list[i];
		struct libscols_line *line = table_row(table);

		table_cell(line, 0, "%s", policy_text(simulation, text));
		table_cell(line, 1, "%.3f", simulation->min_over_due);
		table_cell(line, 2, "%.3f", simulation->max_over_due);
		table_cell(line, 3, "%.3f", simulation->max_over_mean);
		set_change_cells(line, simulation);
		write_note_numbers(simulation->notes, order, n, text, sizeof(text));
		table_cell(line, FIXED_COLUMNS + 2 * simulation->n_changes, "%s", text);
	}
	table_print(table);
	puts("JOIN, LEAVE, WEIGHT: packets that move to another worker; LEAST: those that must "
	     "move");
}

/* ------------------------------------------------------------------ one policy */

static void print_policy_heading(const struct reuseport_simulation *simulation)
{
	const struct reuseport_policy_info *info = simulation->policy;

	printf("policy");
	show_policy_info(info);
	if (info->table_width)
		printf(", table of %u", info->table_width);
	putchar('\n');
}

static void print_workers(const struct reuseport_simulation *simulation)
{
	static const struct column columns[] = {
		{ "SLOT", true },  { "WEIGHT", true }, { "PACKETS", true },
		{ "SHARE", true }, { "DUE", true },
	};
	struct libscols_table *table = table_new(columns, 5);

	for (size_t i = 0; table && i < simulation->n_shares; i++) {
		const struct reuseport_simulated_share *share = simulation->shares[i];
		struct libscols_line *line = table_row(table);

		table_cell(line, 0, "%u", share->slot);
		table_cell(line, 1, "%u", share->weight);
		table_cell(line, 2, "%llu", (unsigned long long)share->packets);
		table_cell(line, 3, "%.2f%%", percent(share->packets, simulation->packets));
		table_cell(line, 4, "%.2f%%", 100 * share->due);
	}
	if (table)
		table_print(table);
	if (simulation->nobody)
		printf("%llu packets without a worker: none is eligible, so the kernel picks\n",
		       (unsigned long long)simulation->nobody);
	printf("packets / due: least %.3f, most %.3f; packets / mean: most %.3f\n",
	       simulation->min_over_due, simulation->max_over_due, simulation->max_over_mean);
}

static void print_changes(const struct reuseport_simulation *simulation)
{
	static const struct column columns[] = {
		{ "CHANGE", false },
		{ "MOVED", true },
		{ "LEAST", true },
		{ "NEEDLESS", true },
	};
	struct libscols_table *table = table_new(columns, 4);
	char text[32];

	for (size_t i = 0; table && i < simulation->n_changes; i++) {
		const struct reuseport_simulated_change *change = simulation->changes[i];
		uint64_t counts[] = { change->moved, change->least, change->needless };
		struct libscols_line *line = table_row(table);

		write_change(change->change, text, sizeof(text));
		table_cell(line, 0, "%s", text);
		for (size_t j = 0; j < 3; j++)
			if (simulation->keeps_keys)
				table_cell(line, j + 1, "%.2f%%",
					   percent(counts[j], simulation->packets));
			else
				table_cell(line, j + 1, "-");
	}
	if (table)
		table_print(table);
	puts("MOVED: packets that move to another worker; LEAST: those that must move; NEEDLESS: "
	     "those that move between unchanged workers");
}

void show_simulation_text(const struct simulation_results *results)
{
	unsigned int order[NOTES], n = number_notes(results, order);

	print_packets(results);
	if (results->all) {
		print_policies(results, order, n);
	} else {
		print_policy_heading(results->list[0]);
		print_workers(results->list[0]);
		if (results->list[0]->n_changes)
			print_changes(results->list[0]);
	}
	print_notes(order, n);
}
