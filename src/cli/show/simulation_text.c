// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A simulation for people: policies side by side, or the workers of one. */
#include <stdio.h>
#include <string.h>

#include "show/status.h"
#include "simulate/packets.h"
#include "simulate/simulate.h"
#include "table.h"

#define NOTES 16
#define FIXED 4 /* columns before those of the changes */

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 0;
}

/* ------------------------------------------------------------------ the head */

static void print_not_taken(const char *what, uint64_t count)
{
	if (count)
		printf(", %llu %s", (unsigned long long)count, what);
}

static void print_input(const struct results *results)
{
	const struct input *input = results->input;

	printf("%zu packets ", input->n);
	if (input->path)
		printf("of %s", input->path);
	else if (input->clients)
		printf("made up, of %lu clients, seed %lu", input->clients, results->seed);
	else
		printf("made up, each of another client, seed %lu", results->seed);
	print_not_taken("to other ports or of the other protocol left out", input->others);
	print_not_taken("of TCP that begin no connection left out", input->later);
	print_not_taken("neither TCP nor UDP left out", input->alien);
	print_not_taken("cut short left out", input->cut);
	printf("; %zu worker%s\n", results->scene->n, results->scene->n == 1 ? "" : "s");
}

static const char *policy_text(const struct reuseport_simulation *simulation, char text[64])
{
	snprintf(text, 64, "%s%s", simulation->rules.policy,
		 simulation->rules.over_consistent ? "/consistent" : "");
	return text;
}

/* ------------------------------------------------------------------ the notes */

/* Their numbers: in the order in which they first come up. */
static unsigned int number_notes(const struct results *results, unsigned int order[NOTES])
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

/* "1,4" */
static void note_numbers(unsigned int notes, const unsigned int *order, unsigned int n, char *text,
			 size_t size)
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
		printf("%u: %s\n", i + 1, reuseport_simulation_note(order[i]));
}

/* ------------------------------------------------------------------ the changes */

/* "JOIN", "LEAVE 2", "WEIGHT 0:2" */
static void change_heading(const struct reuseport_change *change, char *text, size_t size)
{
	if (change->kind == REUSEPORT_JOIN)
		snprintf(text, size, "JOIN");
	else if (change->kind == REUSEPORT_LEAVE)
		snprintf(text, size, "LEAVE %u", change->slot);
	else
		snprintf(text, size, "WEIGHT %u:%u", change->slot, change->weight);
}

static void change_cells(struct libscols_line *line, const struct reuseport_simulation *simulation)
{
	for (size_t i = 0; i < simulation->n_changes; i++) {
		const struct reuseport_simulated_change *change = &simulation->changes[i];

		if (!simulation->keeps_keys) {
			table_cell(line, FIXED + 2 * i, "-");
			table_cell(line, FIXED + 2 * i + 1, "-");
			continue;
		}
		table_cell(line, FIXED + 2 * i, "%.1f%%",
			   percent(change->moved, simulation->packets));
		table_cell(line, FIXED + 2 * i + 1, "%.1f%%",
			   percent(change->least, simulation->packets));
	}
}

/* ---------------------------------------------------------------- side by side */

static struct libscols_table *policies_table(const struct reuseport_simulation *simulation)
{
	struct column columns[FIXED + 2 * CHANGES_MAX + 1] = {
		{ "POLICY", false },
		{ "MIN/DUE", true },
		{ "MAX/DUE", true },
		{ "MAX/MEAN", true },
	};
	char headings[CHANGES_MAX][32];
	size_t n = FIXED;

	for (size_t i = 0; i < simulation->n_changes; i++) {
		change_heading(&simulation->changes[i].change, headings[i], sizeof(headings[i]));
		columns[n++] = (struct column){ headings[i], true };
		columns[n++] = (struct column){ "LEAST", true };
	}
	columns[n++] = (struct column){ "NOTE", false };
	return table_new(columns, n);
}

static void print_policies(const struct results *results, const unsigned int *order, unsigned int n)
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
		change_cells(line, simulation);
		note_numbers(simulation->notes, order, n, text, sizeof(text));
		table_cell(line, FIXED + 2 * simulation->n_changes, "%s", text);
	}
	table_print(table);
	puts("JOIN, LEAVE, WEIGHT: packets that go to another worker than before; LEAST: those "
	     "that have to");
}

/* ------------------------------------------------------------------ one policy */

static void print_rules(const struct reuseport_simulation *simulation)
{
	const struct reuseport_rules *rules = &simulation->rules;

	printf("policy");
	show_rules(rules);
	if (rules->table_width)
		printf(", table of %u", rules->table_width);
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
		const struct reuseport_simulated_share *share = &simulation->shares[i];
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
		printf("%llu packets of no worker: none may get work, the kernel picks\n",
		       (unsigned long long)simulation->nobody);
	printf("least %.3f and most %.3f of what is due, most %.3f of the mean\n",
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
		const struct reuseport_simulated_change *change = &simulation->changes[i];
		uint64_t counts[] = { change->moved, change->least, change->needless };
		struct libscols_line *line = table_row(table);

		change_heading(&change->change, text, sizeof(text));
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
	puts("MOVED: to another worker than before; LEAST: those that have to; NEEDLESS: neither "
	     "from nor to the worker that changed");
}

void show_simulation_text(const struct results *results)
{
	unsigned int order[NOTES], n = number_notes(results, order);

	print_input(results);
	if (results->all) {
		print_policies(results, order, n);
	} else {
		print_rules(results->list[0]);
		print_workers(results->list[0]);
		if (results->list[0]->n_changes)
			print_changes(results->list[0]);
	}
	print_notes(order, n);
}
