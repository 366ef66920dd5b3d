// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: does the group have this toolkit's program? */
#include <netinet/in.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/mend.h"
#include "doctor/process.h"

static void find_damaged(struct scene *scene, const struct reuseport_status *status)
{
	struct finding *finding = scene_find(scene, status, "pins-damaged", REUSEPORT_ERROR);

	finding_text(finding, "The pins in %s are damaged, or of another version.", status->pin);
	finding_words(finding, "pin", status->pin);
	mend_command(scene, finding, "detach", "%s", "");
}

static void find_foreign(struct scene *scene, const struct reuseport_status *status)
{
	const struct reuseport_listed *listed = scene_group_of(scene, status->key);
	const struct reuseport_group_info *group = listed ? listed->group : NULL;
	struct finding *finding = scene_find(scene, status, "program-foreign", REUSEPORT_ERROR);
	const char *name = group && group->program_id ? group->program_name : "";

	finding_text(finding,
		     "The group has another program (%s): policy, weights and drains have no "
		     "effect.",
		     *name ? name : "of classic BPF, or without a name");
	finding_number(finding, "program_id", group ? group->program_id : 0);
	finding_words(finding, "program_name", name);
	finding_number(finding, "own_program_id", status->program_id);
	mend_command(scene, finding, "attach", "--force");
}

static void find_lost(struct scene *scene, const struct reuseport_status *status)
{
	struct finding *finding = scene_find(scene, status, "program-lost", REUSEPORT_ERROR);

	finding_text(finding, "The group has no program any more, though its pins are there: the "
			      "kernel picks.");
	finding_number(finding, "own_program_id", status->program_id);
	finding_words(finding, "pin", status->pin);
	mend_command(scene, finding, "attach", "%s", "");
}

static void find_empty(struct scene *scene, const struct reuseport_status *status)
{
	struct finding *finding = scene_find(scene, status, "no-workers", REUSEPORT_WARNING);

	finding_text(finding, "No socket is on the port: start the server, or detach.");
	finding_words(finding, "pin", status->pin);
	mend_command(scene, finding, "detach", "%s", "");
}

void check_program(struct scene *scene, const struct reuseport_status *status)
{
	if (status->damaged)
		find_damaged(scene, status);
	else if (!status->n_workers && !status->unregistered)
		find_empty(scene, status);
	else if (status->foreign)
		find_foreign(scene, status);
	else if (!status->attached)
		find_lost(scene, status);
}

/* A keeper that is stopped has its lock, and does nothing. */
static void check_keeper_runs(struct scene *scene, const struct reuseport_status *status)
{
	struct finding *finding;

	if (!process_is_stopped(status->keeper_pid))
		return;
	finding = scene_find(scene, status, "keeper-stopped", REUSEPORT_WARNING);
	finding_text(finding, "The keeper, process %u, is stopped: workers that start get no slot.",
		     status->keeper_pid);
	finding_number(finding, "keeper_pid", status->keeper_pid);
	finding_mend(finding, "kill -CONT %u", status->keeper_pid);
}

void check_keeper(struct scene *scene, const struct reuseport_status *status)
{
	struct finding *finding;

	if (status->keeper_running) {
		check_keeper_runs(scene, status);
		return;
	}
	finding = scene_find(scene, status, "keeper-dead", REUSEPORT_WARNING);
	finding_text(finding, "No process keeps the attachment: workers that start get no slot.");
	finding_number(finding, "keeper_pid", status->keeper_pid);
	mend_command(scene, finding, "attach", "%s", "");
}

/* ----------------------------------------------------------- without pins */

static struct finding *find_plain(struct scene *scene, const struct reuseport_group_info *group,
				  const char *name)
{
	return finding_add(scene->findings, name, REUSEPORT_NOTE, group->key, group->netns_name);
}

static void check_unpinned(struct scene *scene, const struct reuseport_group_info *group)
{
	struct finding *finding;

	if (!group->has_program || group->own || strcmp(group->program_name, "reuseport_steer"))
		return;
	finding = find_plain(scene, group, "program-unpinned");
	finding_text(finding, "The group has a program of this toolkit that is not pinned here: "
			      "its pins were removed, or are in another bpffs.");
	finding_number(finding, "program_id", group->program_id);
	mend_command(scene, finding, "detach", "--force");
}

static void check_migration(struct scene *scene, const struct reuseport_group_info *group)
{
	struct finding *finding;
	uint64_t value;

	if (group->key->proto != IPPROTO_TCP || group->has_program || group->sockets < 2 ||
	    !scene_sysctl(group->key, "net/ipv4/tcp_migrate_req", &value) || value)
		return;
	finding = find_plain(scene, group, "tcp-migrate-req");
	finding_text(finding, "The group is not steered, and net.ipv4.tcp_migrate_req is 0: a "
			      "listener that closes resets the connections in its queue.");
	finding_number(finding, "tcp_migrate_req", value);
	finding_number(finding, "sockets", group->sockets);
	mend_sysctl(finding, 0, "net.ipv4.tcp_migrate_req", 1);
}

void check_plain_group(struct scene *scene, const struct reuseport_group_info *group)
{
	struct finding *finding;

	check_unpinned(scene, group);
	check_migration(scene, group);
	if (group->sockets != 1)
		return;
	finding = find_plain(scene, group, "group-of-one");
	finding_text(finding, "The group has one socket: there is nothing to choose.");
	finding_number(finding, "sockets", 1);
}
