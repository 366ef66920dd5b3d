// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: do UDP sockets share the port with SO_REUSEADDR alone? Then one of them gets all. */
#include <netinet/in.h>
#include <stdio.h>

#include "doctor/checks.h"
#include "sockets/server_hints.h"

/* Return one of the processes that have sockets there, or NULL. */
static const struct reuseport_process *sharer(const struct reuseport_listing *listing,
					      const struct reuseport_key *key)
{
	const struct reuseport_listed *listed;

	for (size_t i = 0; (listed = reuseport_listing__get(listing, i)); i++)
		if (listed->n_processes && group_key_same_place(listed->group->key, key))
			return listed->processes[0];
	return NULL;
}

static void find_reuseaddr(struct scene *scene, const struct reuseport_group_info *group,
			   const struct reuseport_listing *who)
{
	const struct reuseport_process *process = sharer(who, group->key);
	struct finding *finding = finding_add(scene->findings, "reuseaddr-only", REUSEPORT_WARNING,
					      group->key, group->netns_name);

	finding_text(finding,
		     "%u sockets share the port with SO_REUSEADDR alone, so only the "
		     "newest gets packets; they need SO_REUSEPORT: %s.",
		     group->sockets, server_hint_reuseport(process ? process->comm : ""));
	finding_number(finding, "sockets", group->sockets);
	if (!process)
		return;
	finding_number(finding, "pid", process->pid);
	finding_words(finding, "comm", process->comm);
}

void check_reuseaddr(struct scene *scene)
{
	const struct reuseport_list_opts opts = { .sz = sizeof(opts), .who = true };
	struct reuseport_listing *who = NULL;
	const struct reuseport_listed *listed;
	uint64_t netns = scene->narrow.netns;

	if (!scene->narrow.port || (!netns && netns_inode_of(NETNS_OWN_PATH, &netns)))
		return;
	for (size_t i = 0; (listed = reuseport_listing__get(scene->listing, i)); i++) {
		if (listed->state != REUSEPORT_GROUP_REUSEADDR ||
		    listed->group->key->netns != netns ||
		    !group_key_matches(&scene->filter, listed->group->key))
			continue;
		/* The processes are searched only if there is something to say. */
		if (!who && reuseport_list_more(&scene->wide, &opts, &who, NULL))
			who = NULL;
		find_reuseaddr(scene, listed->group, who);
	}
	reuseport_listing__free(who);
}
