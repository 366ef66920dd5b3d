// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Adopt: take over an attachment whose keeper has ended. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "keeper/adopt.h"
#include "keeper/asked.h"
#include "keeper/event_sources.h"
#include "keeper/membership.h"
#include "keeper/program_attach.h"
#include "keeper/slots.h"
#include "policy/limits.h"
#include "policy/policy.h"
#include "sockets/group_iter.h"
#include "sockets/pidfd_socket.h"
#include "state/apply_policy.h"
#include "state/attachment.h"
#include "state/flow_table.h"
#include "state/pin_dir.h"
#include "state/plan_lock.h"
#include "state/publish.h"
#include "state/sockarray.h"
#include "state/upgrade.h"

#define PUBLISH_WAIT_MS 100

/* Clear what an attach left that was killed half-way, or that has no owner any more. */
static int adopt_clear(struct reuseport_group *group, const struct group_members *members,
		       struct reuseport_error *err)
{
	int owns = steering_owns(&group->at.steering, members->program.id);

	if (owns < 0)
		return fail(err, -owns, "cannot look at the program of %s: %s", group->at.text,
			    strerror(-owns));
	if (owns)
		group->replaces = members->program.id;
	if (group->at.steering.maps[MAP_SOCKETS] >= 0)
		sockarray_empty(group->at.steering.maps[MAP_SOCKETS]);
	steering_close(&group->at.steering);
	/* The directory stays: it carries our lock. */
	steering_unpin(group->at.dir);
	upgrade_clear(group->at.dir);
	return -ENOENT;
}

/* Return whether an earlier namespace, with the same inode, left the pins. */
static bool adopt_is_of_earlier_netns(const struct reuseport_group *group)
{
	return group->ns.cookie && group->at.entry.netns_cookie &&
	       group->ns.cookie != group->at.entry.netns_cookie;
}

/* Note whose the pins are. Where an older version has pinned no uid, it is pinned now. */
static void adopt_identity(struct reuseport_group *group)
{
	struct reuseport_key *key = &group->at.key;
	struct attachment_entry *entry = &group->at.entry;

	if (!entry->uid_plus_1 && key->has_uid)
		entry->uid_plus_1 = key->uid + 1;
	if (entry->uid_plus_1 && !key->has_uid) {
		key->uid = entry->uid_plus_1 - 1;
		key->has_uid = true;
	}
}

static int adopt_pins(struct reuseport_group *group, struct group_members *members,
		      struct reuseport_error *err)
{
	int ret;

	pin_dir_unmake(group->at.dir, PIN_DETACHING);
	pin_dir_unmake(group->at.dir, PIN_WANTED);
	pin_dir_unmake(group->at.dir, PIN_ATTACHING);
	ret = attachment_open_pins(&group->at, err);
	if (ret == -ENOENT || (!ret && adopt_is_of_earlier_netns(group)))
		return adopt_clear(group, members, err);
	if (ret)
		return ret;
	adopt_identity(group);
	ret = group_members_choose(&group->at.key, group->at.steering.program_id, members);
	if (ret)
		return fail(err, -ret, "cannot choose among the groups of %s: %s", group->at.text,
			    strerror(-ret));
	return attachment_map(&group->at, err);
}

/* Apply the policy and the admission that attach was given, if any. */
static int adopt_policy(struct reuseport_group *group, const struct reuseport_attach_opts *opts,
			struct reuseport_error *err)
{
	const struct reuseport_policy_opts words = policy_words_of_attach(opts);
	int lock, ret;

	if (!words.policy && !words.over && !words.key && !words.hash_key && !words.cpu_map &&
	    !opts->admit)
		return 0;
	lock = plan_lock(&group->at, PLAN_LOCK_WAIT_MS, err);
	if (lock < 0)
		return lock;
	ret = apply_policy(&group->at, &words, opts->admit, err);
	close(lock);
	return ret < 0 ? ret : 0;
}

/* Publish for the workers that joined and left while no keeper ran. If another process holds
 * the plan lock at this moment, the keeper tries again. */
static void adopt_publish(struct reuseport_group *group)
{
	int lock = plan_lock(&group->at, PUBLISH_WAIT_MS, NULL);

	group->loop.plan_due = true;
	if (lock < 0)
		return;
	asked_before_publish(group, false);
	publish_workers(&group->at, NULL);
	close(lock);
}

static int adopt_attach_program(struct reuseport_group *group, const struct sock_diag_list *members,
				struct reuseport_error *err)
{
	struct socket_owners owners;
	int ret;

	/* The next one that is added gets it. */
	group->program_due = group->added_only;
	if (group->added_only)
		return 0;
	ret = socket_owners_scan_members(members, OWNERS_ANY, &owners);
	if (ret)
		return fail(err, -ret, "cannot look through /proc: %s", strerror(-ret));
	ret = program_attach_any(group, members, &owners, err);
	free(owners.list);
	return ret;
}

int adopt_check_sizes(const struct reuseport_group *group, const struct reuseport_attach_opts *opts,
		      struct reuseport_error *err)
{
	if (opts->slots && opts->slots != group->at.entry.slots)
		return fail(err, EINVAL, "%s has %u slots: to have %u, detach first",
			    group->at.text, group->at.entry.slots, opts->slots);
	if (opts->table_entries && opts->table_entries != group->at.entry.table_entries)
		return fail(err, EINVAL, "%s has %u table entries: to have %u, detach first",
			    group->at.text, group->at.entry.table_entries, opts->table_entries);
	if ((opts->flows && limits_flows_rounded(opts->flows) != group->at.entry.flows) ||
	    (opts->idle_s && opts->idle_s * flow_table_hz() != group->at.entry.idle_ticks))
		return fail(err, EINVAL,
			    "%s has room for %u sticky flows, idle after %u s: to have "
			    "%u and %u, detach first",
			    group->at.text, group->at.entry.flows,
			    group->at.entry.idle_ticks / flow_table_hz(), opts->flows,
			    opts->idle_s);
	if (opts->no_sockopt && !group->at.entry.no_sockopt)
		return fail(
			err, EINVAL,
			"the workers of %s may use socket options: to change that, detach first",
			group->at.text);
	return 0;
}

int adopt(struct reuseport_group *group, struct group_members *members,
	  const struct reuseport_attach_opts *opts, struct reuseport_error *err)
{
	bool detached;
	int ret;

	ret = adopt_pins(group, members, err);
	if (!ret)
		ret = adopt_check_sizes(group, opts, err);
	if (ret)
		return ret;
	/* It is written with the rest, see event_sources_open(). */
	group->at.entry.partial |= opts->partial;
	group->at.entry.keep_weights |= opts->keep_weights;
	ret = program_attach_check(group, members, err);
	if (ret < 0 && !(ret == -EEXIST && group->force))
		return ret;
	/* Where the kernel cannot tell, attaching it again does no harm. */
	detached = members->sockets.n && ret != 1;
	group->slots = calloc(group->at.entry.slots, sizeof(*group->slots));
	if (!group->slots)
		return fail(err, ENOMEM, "out of memory");
	handle_note(group, opts);
	ret = plan_lock_make(&group->at, err);
	if (!ret)
		ret = event_sources_open(group, err);
	if (!ret) {
		/* Waiting workers are admitted where admission is automatic from now on. */
		ret = adopt_policy(group, opts, err);
		slots_adopt(group);
	}
	if (!ret && detached)
		ret = adopt_attach_program(group, &members->sockets, err);
	if (!ret)
		ret = membership_sync_all(group, err);
	if (!ret)
		adopt_publish(group);
	group->adopted = !ret;
	/* -ENOENT would mean that there is nothing to adopt. */
	return ret == -ENOENT ? -ESTALE : ret;
}
