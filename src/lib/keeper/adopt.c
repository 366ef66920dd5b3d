// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Adopt: takes over an attachment whose keeper is gone. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "host/reuseport_sockopt.h"
#include "keeper/adopt.h"
#include "keeper/event_loop.h"
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
#include "state/publish.h"
#include "state/sockarray.h"

#define MEND_WAIT_MS 100

/* What an attach left that was killed half-way, or that has no owner any more. */
static int clear_away(struct reuseport_group *group)
{
	if (group->steering.maps[MAP_SOCKETS] >= 0)
		sockarray_empty(group->steering.maps[MAP_SOCKETS]);
	steering_close(&group->steering);
	/* The directory stays: it carries our lock. */
	steering_unpin(group->pin);
	return -ENOENT;
}

static int damaged(const struct reuseport_group *group, struct reuseport_error *err)
{
	return fail(err, EPROTO, "the pins in %s are damaged: detach, then attach again",
		    group->pin);
}

static int open_pins(struct reuseport_group *group, struct reuseport_error *err)
{
	char path[REUSEPORT_PATH_MAX + 32];
	int ret, version_ret;
	uint32_t version;

	rmdir(pins_join(group->pin, PIN_DETACHING, path, sizeof(path)));
	rmdir(pins_join(group->pin, PIN_ATTACHING, path, sizeof(path)));
	ret = steering_open(&group->steering, group->pin);
	/* The program is pinned last: without it an attach was killed half-way. */
	if (group->steering.program < 0 &&
	    access(pins_join(group->pin, PIN_PROGRAM, path, sizeof(path)), F_OK))
		return clear_away(group);
	version_ret = attachment_read_entry(&group->steering, &group->entry, &version);
	if (version_ret == -EPROTO && version)
		return fail(err, EPROTO,
			    "the pins in %s are of ABI version %u, this is version %u: "
			    "detach, then attach again",
			    group->pin, version, REUSEPORT_ABI_VERSION);
	if (ret || version_ret)
		return damaged(group, err);
	if (!steering_fits(&group->steering, &group->entry))
		return damaged(group, err);
	/* Left by an earlier namespace that had the same inode. */
	if (group->ns.cookie && group->entry.netns_cookie &&
	    group->ns.cookie != group->entry.netns_cookie)
		return clear_away(group);
	return group_map(group, err);
}

/* The words of an attach count where they say anything at all. */
static int adopt_policy(struct reuseport_group *group, const struct reuseport_attach_opts *opts,
			struct reuseport_error *err)
{
	const struct reuseport_policy_opts words = policy_words_of_attach(opts);
	int lock, ret;

	if (!words.policy && !words.over && !words.key && !words.hash_key && !words.cpu_map &&
	    !opts->admit)
		return 0;
	lock = change_lock(group->pin, &group->mapped, CHANGE_WAIT_MS, err);
	if (lock < 0)
		return lock;
	ret = apply_policy(&group->mapped, group->steering.maps[MAP_SOCKETS], &words, opts->admit,
			   group->text, err);
	close(lock);
	return ret < 0 ? ret : 0;
}

/* The table follows those who joined and left while nobody kept it. If somebody
 * is changing it at this moment, the keeper tries again. */
static void mend_table(struct reuseport_group *group)
{
	int lock = change_lock(group->pin, &group->mapped, MEND_WAIT_MS, NULL);

	group->plan_due = true;
	if (lock < 0)
		return;
	change_follow(&group->mapped, group->steering.maps[MAP_SOCKETS], NULL);
	close(lock);
}

static int install_again(struct reuseport_group *group, const struct sock_diag_list *members,
			 struct reuseport_error *err)
{
	int member = pidfd_socket_get_any(members, err), ret;

	if (member < 0)
		return member;
	ret = sockopt_set_program(member, group->steering.program);
	close(member);
	if (ret)
		return fail(err, -ret, "cannot attach the program to %s: %s", group->text,
			    strerror(-ret));
	return 0;
}

int adopt(struct reuseport_group *group, const struct sock_diag_list *members,
	  const struct reuseport_attach_opts *opts, struct reuseport_error *err)
{
	struct group_program present = { 0 };
	bool install = false;
	int ret;

	ret = open_pins(group, err);
	if (ret)
		return ret;
	if (opts->slots && opts->slots != group->entry.slots)
		return fail(err, EINVAL, "%s is steered with %u slots: to have %u, detach first",
			    group->text, group->entry.slots, opts->slots);
	if (opts->table_entries && opts->table_entries != group->entry.table_entries)
		return fail(err, EINVAL, "%s has %u table entries: to have %u, detach first",
			    group->text, group->entry.table_entries, opts->table_entries);
	if ((opts->flows && limits_flows_rounded(opts->flows) != group->entry.flows) ||
	    (opts->idle_s && opts->idle_s * flows_hz() != group->entry.idle_ticks))
		return fail(err, EINVAL,
			    "%s has room for %u sticky flows, idle after %u s: to have "
			    "%u and %u, detach first",
			    group->text, group->entry.flows, group->entry.idle_ticks / flows_hz(),
			    opts->flows, opts->idle_s);
	if (members->n) {
		ret = install_check_any(group, members, &present, err);
		if (ret < 0 && !(ret == -EEXIST && group->force))
			return ret;
		/* Where the kernel cannot tell, once too often does no harm. */
		install = ret != 1 || !present.present;
	}
	group->slots = calloc(group->entry.slots, sizeof(*group->slots));
	if (!group->slots)
		return fail(err, ENOMEM, "out of memory");
	ret = change_lock_make(group->pin, err);
	if (!ret)
		ret = keep_open(group, err);
	if (!ret) {
		/* Who waits is let in where admission is automatic from now on. */
		ret = adopt_policy(group, opts, err);
		slots_adopt(group);
	}
	if (!ret && install)
		ret = install_again(group, members, err);
	if (!ret)
		ret = sync_full(group, true, err);
	if (!ret)
		mend_table(group);
	group->adopted = !ret;
	/* -ENOENT would mean that there is nothing to adopt. */
	return ret == -ENOENT ? -ESTALE : ret;
}
