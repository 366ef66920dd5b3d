// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Carry over: an attachment that an older version has pinned, while traffic flows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "keeper/adopt.h"
#include "keeper/carry_over.h"
#include "keeper/program_attach.h"
#include "sockets/socket_owners.h"
#include "state/attachment_entry.h"
#include "state/pin_dir.h"
#include "state/pin_owner.h"
#include "state/plan_lock.h"
#include "state/steering_load.h"
#include "state/upgrade.h"

#define SWAP_TRIES 4 /* members may close between a look and the change */

struct carrying {
	struct reuseport_group *group;
	struct steering old;
	struct attachment_entry entry; /* of the old ABI version */
};

/* Read what is pinned. Return 1, or 0 if it is not of an older version. Whatever else it is, an
 * adoption finds. */
static int carry_over_read(struct carrying *carrying, struct reuseport_error *err)
{
	struct attachment *at = &carrying->group->at;
	uint32_t version = 0;
	int ret = steering_open(&carrying->old, at->dir);

	if (!ret)
		ret = attachment_entry_read(&carrying->old, &carrying->entry, &version);
	if (ret == -ENOENT || ret == -EPROTO)
		return 0;
	if (ret)
		return fail(err, -ret, "cannot open the pins in %s: %s", at->pin, strerror(-ret));
	if (version == REUSEPORT_ABI_VERSION)
		return 0;
	if (!steering_fits(&carrying->old, &carrying->entry))
		return fail(err, EPROTO, "the pins in %s are damaged: detach, then attach again",
			    at->pin);
	return 1;
}

/* Return whether they are of a namespace that is gone, whose inode this one has. */
static bool carry_over_is_orphan(const struct carrying *carrying)
{
	uint64_t cookie = carrying->group->ns.cookie;

	return cookie && carrying->entry.netns_cookie && cookie != carrying->entry.netns_cookie;
}

/* Check that the group has the old program, or the new one after an upgrade that was killed. */
static int carry_over_check(struct carrying *carrying, const struct group_members *members,
			    struct reuseport_error *err)
{
	struct reuseport_group *group = carrying->group;
	int ret = steering_owns(&carrying->old, members->program.id);

	if (ret < 0)
		return fail(err, -ret, "cannot look at the program of %s: %s", group->at.text,
			    strerror(-ret));
	if (ret || group->force || carry_over_is_orphan(carrying))
		return 0;
	ret = program_attach_check(group, members, err);
	return ret < 0 ? ret : 0;
}

/* Load the new program over the old maps; describe it. */
static int carry_over_load(struct carrying *carrying, struct reuseport_error *err)
{
	struct attachment *at = &carrying->group->at;
	struct steering_size size = steering_size_of(&carrying->entry);
	int ret = steering_reload(&at->steering, &carrying->old, &size, at->key.proto,
				  carrying->group->features, err);

	at->entry = carrying->entry;
	at->entry.abi_version = REUSEPORT_ABI_VERSION;
	at->entry.migrates = at->steering.migrates;
	at->entry.plain_reads = at->steering.plain_reads;
	at->entry.tells = at->steering.tells;
	return ret;
}

/* Have the keeper end. Return 1, or 0 if another process was faster. */
static int carry_over_lock(struct carrying *carrying, struct reuseport_error *err)
{
	struct attachment *at = &carrying->group->at;
	struct attachment_entry entry;
	struct steering now;
	uint32_t version = 0;
	int ret = pins_take_over(at->dir, at->pin, err);

	pin_dir_unmake(at->dir, PIN_DETACHING);
	if (ret == -EBUSY)
		return fail(err, EBUSY,
			    "%s is steered by ABI version %u, and its keeper, process %u, does not "
			    "end when it is asked to: end it, then attach again; nothing was "
			    "changed",
			    at->text, carrying->entry.abi_version, carrying->entry.keeper_pid);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = steering_open(&now, at->dir);
	if (!ret)
		ret = attachment_entry_read(&now, &entry, &version);
	steering_close(&now);
	return !ret && version == carrying->entry.abi_version;
}

/* Attach the new program through any member. */
static int carry_over_attach(struct carrying *carrying, const struct sock_diag_list *members,
			     struct reuseport_error *err)
{
	struct socket_owners owners;
	int ret = socket_owners_scan_members(members, OWNERS_ANY, &owners);

	if (ret)
		return fail(err, -ret, "cannot look through /proc: %s", strerror(-ret));
	ret = program_attach_any(carrying->group, members, &owners, err);
	free(owners.list);
	return ret;
}

/* Put the new program in place of the old one, if the group has members. */
static int carry_over_swap(struct carrying *carrying, struct reuseport_error *err)
{
	struct reuseport_group *group = carrying->group;
	struct group_members members;
	int ret = -ENOENT;

	if (carry_over_is_orphan(carrying))
		return 0;
	for (int tries = 0; (ret == -ENOENT || ret == -ESTALE) && tries < SWAP_TRIES; tries++) {
		ret = group_members_read(&group->at.key, &group->ns, group->reader,
					 carrying->old.program_id, &members, err);
		if (ret)
			return ret;
		if (members.sockets.n)
			ret = carry_over_attach(carrying, &members.sockets, err);
		group_members_free(&members);
	}
	return ret;
}

/* Pin beside, swap, replace: with both locks held. */
static int carry_over_locked(struct carrying *carrying, unsigned int members,
			     struct reuseport_error *err)
{
	struct attachment *at = &carrying->group->at;
	int ret = attachment_map(at, err);

	if (!ret)
		ret = upgrade_control(at, &carrying->old, members, err);
	if (!ret)
		ret = attachment_write_entry(at, err);
	if (!ret)
		ret = upgrade_pin(at, err);
	if (!ret)
		ret = carry_over_swap(carrying, err);
	if (ret)
		upgrade_clear(at->dir);
	return ret ? ret : upgrade_replace(at, err);
}

static int carry_over_apply(struct carrying *carrying, unsigned int members,
			    struct reuseport_error *err)
{
	struct attachment *at = &carrying->group->at;
	struct reuseport_error error = { 0 };
	int ret = plan_lock_make(at, &error), lock = -1;

	if (!ret)
		ret = lock = plan_lock(at, PLAN_LOCK_WAIT_MS, &error);
	if (lock >= 0)
		ret = carry_over_locked(carrying, members, &error);
	fd_close(lock);
	if (ret)
		return fail(err, error.code,
			    "%.300s; ABI version %u steers on, but its keeper has ended: attach "
			    "again",
			    error.text, carrying->entry.abi_version);
	return 1;
}

/* All that can fail is done before the keeper is asked to end, as far as that is possible. */
static int carry_over_opened(struct carrying *carrying, const struct group_members *members,
			     const struct reuseport_attach_opts *opts, struct reuseport_error *err)
{
	struct reuseport_group *group = carrying->group;
	int ret = carry_over_read(carrying, err);

	if (ret <= 0)
		return ret;
	group->at.entry = carrying->entry;
	ret = adopt_check_sizes(group, opts, err);
	if (!ret)
		ret = carry_over_check(carrying, members, err);
	if (!ret)
		ret = carry_over_load(carrying, err);
	if (!ret)
		ret = carry_over_lock(carrying, err);
	return ret <= 0 ? ret : carry_over_apply(carrying, members->sockets.n, err);
}

int carry_over(struct reuseport_group *group, const struct group_members *members,
	       const struct reuseport_attach_opts *opts, struct reuseport_error *err)
{
	struct carrying carrying = { .group = group, .old = STEERING_NONE };
	struct attachment *at = &group->at;
	int dir = pin_owner_open(&at->key, at->pin, sizeof(at->pin), err), ret;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	at->dir = dir;
	ret = carry_over_opened(&carrying, members, opts, err);
	steering_close(&carrying.old);
	map_view_close(&at->view);
	steering_close(&at->steering);
	at->entry = (struct attachment_entry){ 0 };
	if (ret <= 0) {
		at->dir = -1;
		fd_close(dir);
		return ret;
	}
	handle_log(group, LOG_NOTICE, "%s: carried over from ABI version %u to %u", at->text,
		   carrying.entry.abi_version, REUSEPORT_ABI_VERSION);
	return ret;
}
