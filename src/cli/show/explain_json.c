// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* An explanation as one JSON document. */
#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>

#include "format.h"
#include "show/explain.h"
#include "show/json.h"
#include "show/policy_info.h"

static json_t *endpoint_json(int family, const uint8_t addr[16], uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family, addr, text, sizeof(text));
	return json_pack("{s:s, s:i}", "addr", text, "port", port);
}

static json_t *candidate_json(const struct reuseport_candidate *c)
{
	char addr[INET6_ADDRSTRLEN];
	json_t *parts;

	format_addr(c->key, addr, sizeof(addr));
	parts = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "base", c->score_base, "family",
			  c->score_family, "peer_addr", c->score_peer_addr, "peer_port",
			  c->score_peer_port, "device", c->score_device, "cpu", c->score_cpu);
	return json_pack("{s:s, s:s, s:i, s:i, s:b, s:I, s:i, s:b, s:o*, s:b, s:s, s:i, s:o, s:o}",
			 "family", format_family(c->key->family), "addr", addr, "port",
			 c->key->port, "ifindex", (int)c->key->ifindex, "v6only", c->key->v6only,
			 "uid", (json_int_t)c->key->uid, "sockets", (int)c->sockets, "group",
			 c->group, "peer",
			 c->connected ? endpoint_json(c->key->family, c->peer, c->peer_port) : NULL,
			 "steered", c->steered, "table", c->table, "score", c->score, "score_parts",
			 parts, "verdict", show_json_text(c->verdict));
}

static json_t *outcome_json(const struct reuseport_outcome *c, bool known)
{
	return json_pack("{s:o, s:I, s:i, s:o, s:s*, s:i, s:I, s:o, s:o}", "slot",
			 c->slot < 0 ? json_null() : json_integer(c->slot), "cookie",
			 (json_int_t)c->cookie, "pid", (int)c->pid, "comm", show_json_text(c->comm),
			 "state", c->slot < 0 ? NULL : reuseport_state_name(c->state), "weight",
			 (int)c->weight, "queue", (json_int_t)c->queue, "share",
			 known ? json_real(c->probability) : json_null(), "incoming_cpu",
			 c->incoming_cpu < 0 ? json_null() : json_integer(c->incoming_cpu));
}

static json_t *step_json(const struct reuseport_fallback_step *step)
{
	return json_pack("{s:i, s:o, s:I, s:b}", "entry", (int)step->entry, "slot",
			 step->slot < 0 ? json_null() : json_integer(step->slot), "cookie",
			 (json_int_t)step->cookie, "empty", step->empty);
}

/* Return the name of what selects among the winner's sockets. */
static const char *decider_name(enum reuseport_decider decider)
{
	static const char *const names[] = {
		[REUSEPORT_NOBODY] = "nobody", [REUSEPORT_SOCKET] = "socket",
		[REUSEPORT_KERNEL] = "kernel", [REUSEPORT_FOREIGN] = "foreign",
		[REUSEPORT_POLICY] = "policy",
	};

	return names[decider];
}

static json_t *explain_policy_json(const struct reuseport_explanation *e)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < e->n_steps; i++)
		json_array_append_new(steps, step_json(e->steps[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "rules",
			 show_policy_json(e->policy), "hash",
			 e->hash_known ? json_integer(e->hash) : json_null(), "row",
			 e->row < 0 ? json_null() : json_integer(e->row), "tries", steps,
			 "taken_by",
			 e->n_steps && e->taken_by >= 0 ? json_integer(e->taken_by) : json_null(),
			 "known_flow", e->known_flow, "guarded", e->guarded);
}

int show_explain_json(const struct reuseport_packet *packet, const struct reuseport_explanation *e)
{
	json_t *candidates = json_array(), *outcomes = json_array(), *root;

	for (size_t i = 0; i < e->n_candidates; i++)
		json_array_append_new(candidates, candidate_json(e->candidates[i]));
	for (size_t i = 0; i < e->n_outcomes; i++)
		json_array_append_new(outcomes, outcome_json(e->outcomes[i],
							     e->decider != REUSEPORT_FOREIGN));
	root = json_pack(
		"{s:s, s:o, s:o, s:b, s:i, s:o, s:b, s:b, s:s, s:o*, s:o*, s:b, s:o, s:o, s:o, s:b, s:b}",
		"proto", format_proto(packet->proto), "src",
		endpoint_json(packet->family, packet->src, packet->src_port), "dst",
		endpoint_json(packet->family, packet->dst, packet->dst_port), "local", e->local,
		"ifindex", (int)e->ifindex, "candidates", candidates, "winner", e->winner,
		"order_known", e->order_known, "decider", decider_name(e->decider), "policy",
		e->decider == REUSEPORT_POLICY ? explain_policy_json(e) : NULL, "program",
		e->decider == REUSEPORT_FOREIGN ? json_integer(e->program_id) : NULL, "certain",
		e->n_outcomes == 1 && !e->redirect, "workers", outcomes, "why",
		show_json_text(e->why), "redirect",
		e->redirect ? show_json_text(e->redirect) : json_null(), "by_incoming_cpu",
		e->by_incoming_cpu, "lookup_by_cpu", e->lookup_by_cpu);
	return show_json(root);
}
