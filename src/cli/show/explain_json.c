// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Explanations for programs: one JSON document. */
#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>

#include "show/explain.h"
#include "show/status.h"
#include "words.h"

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

	word_addr(&c->key, addr, sizeof(addr));
	parts = json_pack("{s:i, s:i, s:i, s:i, s:i}", "base", c->score_base, "family",
			  c->score_family, "peer_addr", c->score_peer_addr, "peer_port",
			  c->score_peer_port, "device", c->score_device);
	return json_pack("{s:s, s:s, s:i, s:i, s:b, s:i, s:b, s:o*, s:b, s:s, s:i, s:o, s:s}",
			 "family", word_family(c->key.family), "addr", addr, "port", c->key.port,
			 "ifindex", (int)c->key.ifindex, "v6only", c->key.v6only, "sockets",
			 (int)c->sockets, "group", c->group, "peer",
			 c->connected ? endpoint_json(c->key.family, c->peer, c->peer_port) : NULL,
			 "steered", c->steered, "table", c->table, "score", c->score, "score_parts",
			 parts, "verdict", c->verdict);
}

static json_t *chance_json(const struct reuseport_chance *c)
{
	char comm[REUSEPORT_NAME_MAX];

	snprintf(comm, sizeof(comm), "%s", c->comm);
	return json_pack("{s:o, s:I, s:i, s:s, s:s*, s:i, s:I, s:f}", "slot",
			 c->slot < 0 ? json_null() : json_integer(c->slot), "cookie",
			 (json_int_t)c->cookie, "pid", (int)c->pid, "comm", word_utf8(comm),
			 "state", c->slot < 0 ? NULL : reuseport_state_name(c->state), "weight",
			 (int)c->weight, "queue", (json_int_t)c->queue, "share", c->share);
}

static json_t *try_json(const struct reuseport_try *try)
{
	return json_pack("{s:i, s:o, s:I, s:b}", "entry", (int)try->entry, "slot",
			 try->slot < 0 ? json_null() : json_integer(try->slot), "cookie",
			 (json_int_t)try->cookie, "empty", try->empty);
}

static json_t *policy_json(const struct reuseport_explanation *e)
{
	json_t *tries = json_array();

	for (size_t i = 0; i < e->n_tries; i++)
		json_array_append_new(tries, try_json(&e->tries[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "rules", rules_json(&e->rules),
			 "hash", e->hash_known ? json_integer(e->hash) : json_null(), "row",
			 e->row < 0 ? json_null() : json_integer(e->row), "tries", tries,
			 "taken_by",
			 e->n_tries && e->taken_by >= 0 ? json_integer(e->taken_by) : json_null(),
			 "known_flow", e->known_flow, "guarded", e->guarded);
}

void show_explanation_json(const struct reuseport_packet *packet,
			   const struct reuseport_explanation *e)
{
	json_t *candidates = json_array(), *chances = json_array(), *root;

	for (size_t i = 0; i < e->n_candidates; i++)
		json_array_append_new(candidates, candidate_json(&e->candidates[i]));
	for (size_t i = 0; i < e->n_chances; i++)
		json_array_append_new(chances, chance_json(&e->chances[i]));
	root = json_pack(
		"{s:s, s:o, s:o, s:b, s:i, s:o, s:b, s:b, s:s, s:o*, s:o*, s:b, s:o, s:s*}",
		"proto", word_proto(packet->proto), "src",
		endpoint_json(packet->family, packet->src, packet->src_port), "dst",
		endpoint_json(packet->family, packet->dst, packet->dst_port), "local", e->local,
		"ifindex", (int)e->ifindex, "candidates", candidates, "winner", e->winner,
		"order_known", e->order_known, "decider", show_decider(e->decider), "policy",
		e->decider == REUSEPORT_POLICY ? policy_json(e) : NULL, "program",
		e->decider == REUSEPORT_FOREIGN ? json_integer(e->program_id) : NULL, "certain",
		e->n_chances == 1, "workers", chances, "why", e->why);
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(root);
}
