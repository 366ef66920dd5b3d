// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Status as one JSON document. */
#include <arpa/inet.h>
#include <jansson.h>

#include "format.h"
#include "show/json.h"
#include "show/policy_info.h"
#include "show/status.h"

#define PIDS_SHOWN 64

static json_t *pids_json(const struct reuseport_worker *worker)
{
	json_t *pids = json_array();

	for (size_t i = 0; i < worker->n_pids && i < PIDS_SHOWN; i++)
		json_array_append_new(pids, json_integer(worker->pids[i]));
	return pids;
}

static json_t *fd_json(const struct reuseport_worker *worker)
{
	return worker->fd < 0 ? json_null() : json_integer(worker->fd);
}

/* Return for how many seconds something has been so, or null. */
static json_t *age_json(const struct reuseport_status *status, uint64_t since_ns)
{
	if (!since_ns || since_ns > status->taken_ns)
		return json_null();
	return json_real((status->taken_ns - since_ns) / 1000000 / 1e3);
}

/* Add what a worker was given within the interval. */
static void add_worker_interval(json_t *object, const struct status_interval *interval, size_t i)
{
	const struct worker_interval *worker = &interval->workers[i];
	bool known = interval->known && worker->known;

	json_object_set_new(object, "rate",
			    known ? json_real(worker->selected / interval->seconds) : json_null());
	json_object_set_new(object, "share",
			    known && interval->selected ?
				    json_real((double)worker->selected / interval->selected) :
				    json_null());
}

static json_t *worker_json(const struct shown_status *shown, size_t i)
{
	const struct reuseport_worker *worker = shown->status->workers[i];
	json_t *object = json_pack(
		"{s:i, s:i, s:o, s:I, s:o, s:o, s:I, s:s, s:o, s:i, s:i, s:I, s:I, s:I, s:I, s:I}",
		"slot", (int)worker->slot, "pid", (int)worker->pid, "fd", fd_json(worker),
		"holders", (json_int_t)worker->n_pids, "pids", pids_json(worker), "comm",
		show_json_text(worker->comm), "cookie", (json_int_t)worker->cookie, "state",
		reuseport_state_name(worker->state), "age",
		age_json(shown->status, worker->state_ns), "weight", (int)worker->weight,
		"generation", (int)worker->generation, "queue", (json_int_t)worker->queue,
		"selected", (json_int_t)worker->selected, "migrated", (json_int_t)worker->migrated,
		"fallback", (json_int_t)worker->fallback, "flows", (json_int_t)worker->flows);

	json_object_set_new(object, "id", worker->has_id ? json_integer(worker->id) : json_null());
	if (shown->interval)
		add_worker_interval(object, shown->interval, i);
	return object;
}

/* A member that cannot be taken: a row without a slot. */
static json_t *left_out_json(const struct reuseport_worker *worker)
{
	return json_pack("{s:n, s:s, s:i, s:o, s:I, s:o, s:o, s:I, s:I}", "slot", "reason",
			 reuseport_left_out_name(worker->left_out), "pid", (int)worker->pid, "fd",
			 fd_json(worker), "holders", (json_int_t)worker->n_pids, "pids",
			 pids_json(worker), "comm", show_json_text(worker->comm), "cookie",
			 (json_int_t)worker->cookie, "queue", (json_int_t)worker->queue);
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

static json_t *rollout_json(const struct reuseport_status *status)
{
	const struct reuseport_generations *g = status->generations;
	static const char *const phases[] = { "none", "begun", "switched" };

	return json_pack("{s:s, s:i, s:i, s:o}", "phase", phases[g->phase], "serving",
			 (int)g->serving, "other", (int)g->other, "age",
			 age_json(status, status->rollout_ns));
}

/* Return NULL, which leaves the member out, if flows are not sticky. */
static json_t *sticky_json(const struct reuseport_status *status)
{
	const struct reuseport_counters *c = status->counters;

	if (!status->flows)
		return NULL;
	return json_pack("{s:I, s:I, s:i, s:I, s:I, s:I}", "flows", (json_int_t)status->flows,
			 "occupied", (json_int_t)status->flows_occupied, "idle",
			 (int)status->idle_s, "entered", (json_int_t)c->flows, "evicted",
			 (json_int_t)c->flows_evicted, "moved", (json_int_t)c->flows_moved);
}

static json_t *modes_json(const struct reuseport_modes *modes)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b}", "migration",
			 modes->migrates ? "select-or-migrate" : "none", "reads",
			 modes->plain_reads ? "plain" : "probe", "tables",
			 modes->mmapped ? "memory" : "system calls", "joins",
			 modes->events ? "events" : "polling", "iterators", modes->iterators);
}

static json_t *unsteered_json(const struct reuseport_status *status)
{
	json_t *groups = json_array();

	for (size_t i = 0; i < status->n_unsteered; i++) {
		const struct reuseport_unsteered *group = status->unsteered[i];
		char addr[INET6_ADDRSTRLEN];

		format_addr(group->key, addr, sizeof(addr));
		json_array_append_new(
			groups, json_pack("{s:s, s:s, s:I, s:b, s:I, s:I}", "family",
					  format_family(group->key->family), "addr", addr,
					  "ifindex", (json_int_t)group->key->ifindex, "v6only",
					  group->key->v6only, "uid", (json_int_t)group->key->uid,
					  "sockets", (json_int_t)group->sockets));
	}
	return groups;
}

/* Return NULL, which leaves the member out, if none was asked for. */
static json_t *interval_json(const struct status_interval *interval)
{
	if (!interval)
		return NULL;
	if (!interval->known)
		return json_null();
	return json_pack(
		"{s:f, s:I, s:f, s:I, s:o}", "seconds", interval->seconds, "selected",
		(json_int_t)interval->selected, "rate", interval->selected / interval->seconds,
		"fallback", (json_int_t)interval->fallback, "gone_selected",
		interval->gone_known ? json_integer((json_int_t)interval->gone) : json_null());
}

static json_t *attachment_json(const struct shown_status *shown)
{
	const struct reuseport_status *status = shown->status;
	json_t *workers = json_array(), *uid;
	char addr[INET6_ADDRSTRLEN];

	uid = status->key->has_uid ? json_integer(status->key->uid) : json_null();
	format_addr(status->key, addr, sizeof(addr));
	for (size_t i = 0; i < status->n_workers; i++)
		json_array_append_new(workers, worker_json(shown, i));
	for (size_t i = 0; i < status->n_left_out; i++)
		json_array_append_new(workers, left_out_json(status->left_out[i]));
	return json_pack(
		"{s:s, s:s, s:s, s:i, s:I, s:o, s:o, s:s, s:o, s:{s:i, s:b, s:o}, "
		"s:{s:i, s:o, s:s, s:b, s:b}, "
		"s:o, s:i, s:i, s:b, s:o, s:o, s:s, s:o, s:o, s:o*, s:o, s:b, s:b, s:b, s:i, s:I, s:I, s:o*, s:o}",
		"proto", format_proto(status->key->proto), "family",
		format_family(status->key->family), "addr", addr, "port", status->key->port,
		"netns", (json_int_t)status->key->netns, "netns_name",
		show_json_text(status->netns_name), "uid", uid, "policy", status->policy->policy,
		"rules", show_policy_json(status->policy), "keeper", "pid", (int)status->keeper_pid,
		"running", status->keeper_running, "look_age", age_json(status, status->looked_ns),
		"program", "id", (int)status->program_id, "name",
		show_json_text(status->program_name), "tag", status->program_tag, "attached",
		status->attached, "foreign", status->foreign, "pin", show_json_text(status->pin),
		"slots", (int)status->slots, "unregistered", (int)status->unregistered, "damaged",
		status->damaged, "workers", workers, "counters", counters_json(status->counters),
		"admit", status->admit_manual ? "manual" : "auto", "rollout", rollout_json(status),
		"ways", modes_json(status->modes), "sticky", sticky_json(status), "unsteered",
		unsteered_json(status), "partial", status->partial, "sockopt", !status->no_sockopt,
		"transparent", status->transparent, "connected_sockets",
		(int)status->connected_sockets, "gone_selected", (json_int_t)status->gone_selected,
		"gone_migrated", (json_int_t)status->gone_migrated, "interval",
		interval_json(shown->interval), "unregistered_age",
		status->unregistered ? age_json(status, status->left_out_ns) : json_null());
}

int show_status_json(const struct shown_status *list, size_t n)
{
	json_t *groups = json_array(), *root;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(groups, attachment_json(&list[i]));
	root = json_pack("{s:o}", "groups", groups);
	return show_json(root);
}
