// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What attach does with an attachment that is kept: reuseport_attach_mend() puts the program back,
 * reuseport_attach_partial() notes that members may be left out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/caps.h"
#include "keeper/handle.h"
#include "keeper/program_attach.h"
#include "sockets/group_members.h"
#include "sockets/socket_owners.h"
#include "state/hook_iter.h"
#include "state/pin_owner.h"

/* What it takes: what is pinned, and what the kernel has. */
struct mending {
	struct reuseport_group group; /* no process keeps it by this */
	struct group_iter *reader;
	struct group_members members;
};

/* -ENOENT: nothing is pinned, or not as a whole. */
static int mend_open(struct mending *mending, const struct reuseport_key *key,
		     struct reuseport_error *err)
{
	struct reuseport_group *group = &mending->group;
	struct attachment *at = &group->at;
	int ret;

	attachment_init(at, key);
	at->dir = pin_owner_open(key, at->pin, sizeof(at->pin), err);
	if (at->dir < 0)
		return at->dir;
	ret = attachment_open_pins(at, err);
	if (ret)
		return ret;
	group->ns = (struct netns_ref){ .inode = at->key.netns, .cookie = at->entry.netns_cookie };
	ret = hook_iter_open(&mending->reader, err);
	if (ret)
		return ret;
	return group_members_read(&at->key, &group->ns, mending->reader, at->steering.program_id,
				  &mending->members, err);
}

static int mend_put_back(struct mending *mending, struct reuseport_error *err)
{
	const struct sock_diag_list *members = &mending->members.sockets;
	struct socket_owners owners = { 0 };
	int ret = socket_owners_scan_members(members, OWNERS_ANY, &owners);

	if (ret)
		ret = fail(err, -ret, "cannot look through /proc: %s", strerror(-ret));
	else
		ret = program_attach_any(&mending->group, members, &owners, err);
	free(owners.list);
	return ret ? ret : 1;
}

int reuseport_attach_mend(const struct reuseport_key *from, bool force, struct reuseport_error *err)
{
	struct mending mending = { 0 };
	struct reuseport_key key;
	int ret = group_key_copy(&key, from, err);

	if (!ret)
		ret = caps_require("attach", err);
	if (ret)
		return ret;
	ret = mend_open(&mending, &key, err);
	/* Without iterators, what is pinned is taken to be attached. */
	if (ret == -EOPNOTSUPP || ret == -ENOENT || (!ret && !mending.members.sockets.n))
		ret = 0;
	else if (!ret)
		ret = program_attach_check(&mending.group, &mending.members, err) == 1 ? 0 :
											 -EEXIST;
	if (ret == -EEXIST && (!mending.members.program.present || force))
		ret = mend_put_back(&mending, err);
	group_members_free(&mending.members);
	group_iter_close(mending.reader);
	attachment_close(&mending.group.at);
	return ret;
}

int reuseport_attach_partial(const struct reuseport_key *from, struct reuseport_error *err)
{
	struct reuseport_key key;
	struct attachment at;
	int ret = group_key_copy(&key, from, err);

	if (!ret)
		ret = caps_require("attach", err);
	if (ret)
		return ret;
	attachment_init(&at, &key);
	at.dir = pin_owner_open(&key, at.pin, sizeof(at.pin), err);
	ret = at.dir < 0 ? at.dir : attachment_open_pins(&at, err);
	if (!ret && !at.entry.partial) {
		/* Its keeper writes the entry only when it begins. */
		at.entry.partial = true;
		ret = attachment_write_entry(&at, err);
	}
	attachment_close(&at);
	return ret;
}
