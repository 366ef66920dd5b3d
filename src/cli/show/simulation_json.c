// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A simulation as one JSON document. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "show/json.h"
#include "show/simulation.h"

static json_t *shares_json(const struct reuseport_simulated_share *const *shares, size_t n,
			   uint64_t packets)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, json_pack("{s:i, s:i, s:I, s:f, s:f}", "slot",
						     (int)shares[i]->slot, "weight",
						     (int)shares[i]->weight, "packets",
						     (json_int_t)shares[i]->packets, "share",
						     (double)shares[i]->packets / packets, "due",
						     shares[i]->due));
	return all;
}

/* Return null where no key stays with a worker. */
static json_t *count_json(const struct reuseport_simulation *simulation, uint64_t count)
{
	return simulation->keeps_keys ? json_integer(count) : json_null();
}

/* "join", "leave", "weight". */
static const char *change_name(const struct reuseport_change *change)
{
	static const char *const names[] = { "", "join", "leave", "weight" };

	return names[change->kind];
}

static json_t *change_json(const struct reuseport_simulation *simulation,
			   const struct reuseport_simulated_change *change)
{
	return json_pack("{s:s, s:i, s:i, s:o, s:o, s:o, s:I, s:o}", "change",
			 change_name(change->change), "slot", (int)change->change->slot, "weight",
			 (int)change->change->weight, "moved",
			 count_json(simulation, change->moved), "least",
			 count_json(simulation, change->least), "needless",
			 count_json(simulation, change->needless), "nobody",
			 (json_int_t)change->nobody, "workers",
			 shares_json(change->shares, change->n_shares, simulation->packets));
}

static json_t *notes_json(unsigned int notes)
{
	json_t *all = json_array();

	for (unsigned int note = 1; note; note <<= 1)
		if (notes & note)
			json_array_append_new(all,
					      json_string(reuseport_simulation_note_text(note)));
	return all;
}

static json_t *simulated_policy_json(const struct reuseport_simulation *simulation)
{
	const struct reuseport_policy_info *info = simulation->policy;
	json_t *changes = json_array();

	for (size_t i = 0; i < simulation->n_changes; i++)
		json_array_append_new(changes, change_json(simulation, simulation->changes[i]));
	return json_pack("{s:s, s:s*, s:s, s:s*, s:i, s:i, s:b, s:b, s:o, s:I, s:f, s:f, s:f, "
			 "s:o, s:o}",
			 "policy", info->policy, "over",
			 info->over_consistent ? "consistent" : NULL, "key", info->key, "hash_key",
			 *info->hash_key ? info->hash_key : NULL, "table_entries",
			 (int)info->table_entries, "table_width", (int)info->table_width, "exact",
			 simulation->exact, "keeps_keys", simulation->keeps_keys, "notes",
			 notes_json(simulation->notes), "nobody", (json_int_t)simulation->nobody,
			 "min_over_due", simulation->min_over_due, "max_over_due",
			 simulation->max_over_due, "max_over_mean", simulation->max_over_mean,
			 "workers",
			 shares_json(simulation->shares, simulation->n_shares, simulation->packets),
			 "changes", changes);
}

static json_t *packets_json(const struct packet_list *packets)
{
	json_t *json = json_pack("{s:s, s:o*, s:I, s:{s:I, s:I, s:I, s:I}}", "from",
				 packets->source, "file",
				 packets->path ? show_json_text(packets->path) : NULL, "packets",
				 (json_int_t)reuseport_tuple_list__count(packets->tuples),
				 "left_out", "others", (json_int_t)packets->other_target,
				 "no_new_connection", (json_int_t)packets->not_new,
				 "neither_tcp_nor_udp", (json_int_t)packets->not_tcp_udp,
				 "cut_short", (json_int_t)packets->truncated);

	if (packets->clients)
		json_object_set_new(json, "clients", json_integer(packets->clients));
	return json;
}

int show_simulation_json(const struct simulation_results *results)
{
	json_t *policies = json_array(), *root;

	for (size_t i = 0; i < results->n; i++)
		json_array_append_new(policies, simulated_policy_json(results->list[i]));
	root = json_pack("{s:o, s:I, s:o}", "input", packets_json(results->packets), "seed",
			 (json_int_t)results->seed, "policies", policies);
	return show_json(root);
}
