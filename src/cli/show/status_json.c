// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Status for programs: one JSON document. */
#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>

#include "show/status.h"
#include "words.h"

static json_t *worker_json(struct reuseport_worker *worker)
{
	json_t *pids = json_array();

	for (size_t i = 0; i < worker->n_pids; i++)
		json_array_append_new(pids, json_integer(worker->pids[i]));
	return json_pack("{s:i, s:i, s:o, s:s, s:I, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:I}",
			 "slot", (int)worker->slot, "pid", (int)worker->pid, "pids", pids, "comm",
			 word_utf8(worker->comm), "cookie", (json_int_t)worker->cookie, "state",
			 reuseport_state_name(worker->state), "weight", (int)worker->weight,
			 "generation", (int)worker->generation, "queue", (json_int_t)worker->queue,
			 "selected", (json_int_t)worker->selected, "migrated",
			 (json_int_t)worker->migrated, "fallback", (json_int_t)worker->fallback,
			 "flows", (json_int_t)worker->flows);
}

static json_t *counters_json(const struct reuseport_counters *c)
{
	json_t *fallbacks = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "exhausted",
				      (json_int_t)c->exhausted, "nobody", (json_int_t)c->nobody,
				      "unregistered", (json_int_t)c->unregistered, "connected",
				      (json_int_t)c->connected, "incoming_cpu",
				      (json_int_t)c->incoming_cpu, "unreadable",
				      (json_int_t)c->unreadable);

	json_t *chain = json_pack("{s:I, s:I, s:I}", "empty", (json_int_t)c->empty, "refused",
				  (json_int_t)c->refused, "next_best", (json_int_t)c->next_best);

	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:I, s:o}", "packets", (json_int_t)c->packets,
			 "migrations", (json_int_t)c->migrations, "selected",
			 (json_int_t)c->selected, "migrated", (json_int_t)c->migrated, "chain",
			 chain, "fallback", (json_int_t)reuseport_counters__fallback(c),
			 "fallbacks", fallbacks);
}

/* What goes with the policy. */
json_t *rules_json(const struct reuseport_rules *rules)
{
	return json_pack("{s:s, s:s*, s:s, s:s*, s:b, s:i, s:i, s:I}", "policy", rules->policy,
			 "over", rules->over_consistent ? "consistent" : NULL, "key", rules->key,
			 "hash_key", *rules->hash_key ? rules->hash_key : NULL, "given_cpus",
			 rules->given_cpus, "table_entries", (int)rules->table_entries,
			 "table_width", (int)rules->table_width, "plans", (json_int_t)rules->plans);
}

static json_t *rollout_json(const struct reuseport_generations *g)
{
	static const char *const phases[] = { "none", "begun", "switched" };

	return json_pack("{s:s, s:i, s:i}", "phase", phases[g->phase], "serving", (int)g->serving,
			 "other", (int)g->other);
}

/* NULL, which leaves it out, where flows are not sticky. */
static json_t *sticky_json(const struct reuseport_status *status)
{
	const struct reuseport_counters *c = &status->counters;

	if (!status->flows)
		return NULL;
	return json_pack("{s:I, s:I, s:i, s:I, s:I, s:I}", "flows", (json_int_t)status->flows,
			 "occupied", (json_int_t)status->flows_occupied, "idle",
			 (int)status->idle_s, "entered", (json_int_t)c->flows, "evicted",
			 (json_int_t)c->flows_evicted, "moved", (json_int_t)c->flows_moved);
}

static json_t *ways_json(const struct reuseport_ways *ways)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b}", "migration",
			 ways->migrates ? "select-or-migrate" : "none", "reads",
			 ways->plain_reads ? "plain" : "probe", "tables",
			 ways->mmapped ? "memory" : "system calls", "joins",
			 ways->events ? "events" : "polling", "iterators", ways->iterators);
}

static json_t *group_json(struct reuseport_status *status)
{
	json_t *workers = json_array();
	char addr[INET6_ADDRSTRLEN];

	word_addr(&status->key, addr, sizeof(addr));
	for (size_t i = 0; i < status->n_workers; i++)
		json_array_append_new(workers, worker_json(&status->workers[i]));
	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:s, s:s, s:o, s:{s:i, s:b}, "
			 "s:{s:i, s:s, s:s, s:b}, "
			 "s:s, s:i, s:i, s:b, s:o, s:o, s:s, s:o, s:o, s:o*}",
			 "proto", word_proto(status->key.proto), "family",
			 word_family(status->key.family), "addr", addr, "port", status->key.port,
			 "netns", (json_int_t)status->key.netns, "netns_name",
			 word_utf8(status->netns_name), "policy", status->rules.policy, "rules",
			 rules_json(&status->rules), "keeper", "pid", (int)status->keeper_pid,
			 "running", status->keeper_running, "program", "id",
			 (int)status->program_id, "name", status->program_name, "tag",
			 status->program_tag, "attached", status->attached, "pin", status->pin,
			 "slots", (int)status->slots, "unregistered", (int)status->unregistered,
			 "damaged", status->damaged, "workers", workers, "counters",
			 counters_json(&status->counters), "admit",
			 status->admit_manual ? "manual" : "auto", "rollout",
			 rollout_json(&status->generations), "ways", ways_json(&status->ways),
			 "sticky", sticky_json(status));
}

void show_status_json(struct reuseport_status *list, size_t n)
{
	json_t *groups = json_array(), *root;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(groups, group_json(&list[i]));
	root = json_pack("{s:o}", "groups", groups);
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(root);
}
