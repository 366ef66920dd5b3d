// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* List as one JSON document. */
#include <arpa/inet.h>
#include <jansson.h>

#include "format.h"
#include "show/json.h"
#include "show/list.h"

static json_t *program_json(const struct reuseport_group_info *group)
{
	const char *name = group->program_id ? group->program_name : LIST_CLASSIC;

	if (!group->has_program)
		return json_null();
	return json_pack("{s:I, s:o, s:b}", "id", (json_int_t)group->program_id, "name",
			 show_json_text(name), "own", group->own);
}

static json_t *uid_json(const struct reuseport_key *key)
{
	return key->has_uid ? json_integer(key->uid) : json_null();
}

static json_t *shadows_json(const struct reuseport_listed *listed)
{
	json_t *shadows = json_array();
	char addr[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < listed->n_shadowed_by; i++) {
		const struct reuseport_key *key = listed->shadowed_by[i];

		format_addr(key, addr, sizeof(addr));
		json_array_append_new(shadows,
				      json_pack("{s:s, s:s, s:I, s:b, s:o}", "family",
						format_family(key->family), "addr", addr, "ifindex",
						(json_int_t)key->ifindex, "v6only", key->v6only,
						"uid", uid_json(key)));
	}
	return shadows;
}

/* null: it was not looked. */
static json_t *processes_json(const struct reuseport_listed *listed)
{
	json_t *processes = listed->looked ? json_array() : json_null();

	for (size_t i = 0; i < listed->n_processes; i++) {
		const struct reuseport_process *process = listed->processes[i];

		json_array_append_new(processes, json_pack("{s:I, s:o, s:I, s:I}", "pid",
							   (json_int_t)process->pid, "comm",
							   show_json_text(process->comm), "serves",
							   (json_int_t)process->serves, "has",
							   (json_int_t)process->has));
	}
	return processes;
}

static json_t *unowned_json(const struct reuseport_listed *listed)
{
	return listed->looked ? json_integer(listed->unowned) : json_null();
}

static json_t *listed_json(const struct reuseport_listed *listed)
{
	const struct reuseport_group_info *group = listed->group;
	const struct reuseport_key *key = group->key;
	char addr[INET6_ADDRSTRLEN];

	format_addr(key, addr, sizeof(addr));
	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:b, s:I, s:o, s:o, s:I, s:s, s:b, s:b, s:b, "
			 "s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:s?}",
			 "proto", format_proto(key->proto), "family", format_family(key->family),
			 "addr", addr, "port", key->port, "ifindex", (json_int_t)key->ifindex,
			 "v6only", key->v6only, "netns", (json_int_t)key->netns, "netns_name",
			 show_json_text(group->netns_name), "uid", uid_json(key), "sockets",
			 (json_int_t)group->sockets, "state",
			 reuseport_group_state_name(listed->state), "is_group", listed->is_group,
			 "steered", group->own, "program_known", group->program_known, "program",
			 program_json(group), "queue", (json_int_t)listed->queue, "queue_limit",
			 (json_int_t)listed->queue_limit, "connected_sockets",
			 (json_int_t)listed->connected_sockets, "shadowed_by", shadows_json(listed),
			 "processes", processes_json(listed), "unowned", unowned_json(listed),
			 "unowned_reason", reuseport_left_out_name(listed->unowned_reason));
}

static json_t *connected_json(const struct reuseport_listing *listing)
{
	const struct reuseport_connected *connected;
	json_t *list = json_array();

	for (size_t i = 0; (connected = reuseport_listing__get_connected(listing, i)); i++)
		json_array_append_new(list, json_pack("{s:I, s:o, s:I}", "netns",
						      (json_int_t)connected->netns, "netns_name",
						      show_json_text(connected->netns_name),
						      "sockets", (json_int_t)connected->sockets));
	return list;
}

static json_t *unseen_json(const struct reuseport_listing *listing)
{
	const struct reuseport_unseen *unseen;
	json_t *list = json_array(), *netns;

	for (size_t i = 0; (unseen = reuseport_listing__get_unseen(listing, i)); i++) {
		netns = unseen->netns ? json_integer(unseen->netns) : json_null();
		json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o}", "what", unseen->what,
						      "netns", netns, "netns_name",
						      show_json_text(unseen->netns_name), "text",
						      show_json_text(unseen->text)));
	}
	return list;
}

int show_list_json(const struct reuseport_listing *listing)
{
	const struct reuseport_listed *listed;
	json_t *groups = json_array(), *root;

	for (size_t i = 0; (listed = reuseport_listing__get(listing, i)); i++)
		json_array_append_new(groups, listed_json(listed));
	root = json_pack("{s:o, s:o, s:o}", "groups", groups, "connected_udp",
			 connected_json(listing), "unseen", unseen_json(listing));
	return show_json(root);
}
