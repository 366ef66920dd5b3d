// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_detach(): give selection back to the kernel, whatever state the pins are in. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "api/stuck_keeper.h"
#include "error.h"
#include "fd.h"
#include "host/caps.h"
#include "keeper/handle_owner.h"
#include "keeper/program_detach.h"
#include "keeper/worker_events.h"
#include "sockets/group_iter.h"
#include "state/attachment.h"
#include "state/pin_dir.h"
#include "state/pinned_elsewhere.h"
#include "state/pins.h"
#include "state/sockarray.h"
#include "state/sockopt_members.h"

#define RESERVE 8 /* descriptors */

/* ------------------------------------------------------------ one attachment */

/* Give back what is pinned, with the lock on the pins held. */
static int detach_pinned(const struct attachment *at, struct reuseport_error *err)
{
	int ret = program_detach(&at->key, &at->steering, err);

	if (ret)
		return ret;
	if (at->steering.maps[MAP_SOCKETS] >= 0)
		sockarray_empty(at->steering.maps[MAP_SOCKETS]);
	sockopt_members_remove_pinned(at);
	ret = pins_remove(at->dir, at->pin);
	return ret ? fail(err, -ret, "cannot remove %s: %s", at->pin, strerror(-ret)) : 0;
}

int reuseport_group__detach(struct reuseport_group *group, struct reuseport_error *err)
{
	int ret = handle_owner_check(group, err);

	if (!ret)
		ret = pin_dir_check_entries(group->at.dir, group->at.pin, err);
	if (!ret)
		ret = detach_pinned(&group->at, err);
	if (!ret)
		worker_events_end(group);
	return ret;
}

/* Open what is pinned, as far as it is there. */
static int detach_open_pins(struct attachment *at, struct reuseport_error *err)
{
	int ret = pin_dir_check_entries(at->dir, at->pin, err);

	if (ret)
		return ret;
	steering_close(&at->steering);
	ret = steering_open(&at->steering, at->dir);
	if (ret && ret != -ENOENT)
		return fail(err, -ret, "cannot open the pins in %s: %s", at->pin, strerror(-ret));
	return 0;
}

/* Open an attachment; its directory is not open if another detach has removed it. */
static int detach_open(const struct found_attachment *found, struct attachment *at,
		       struct reuseport_error *err)
{
	attachment_init(at, &found->key);
	at->dir = pins_open(pins_name_in(found->pin), at->pin, sizeof(at->pin), err);
	if (at->dir < 0)
		return at->dir == -ENOENT ? 0 : at->dir;
	return detach_open_pins(at, err);
}

/* Have the keeper release the lock, and take it. -ENOENT, without an error: another detach
 * has removed the pins. */
static int detach_lock(const struct attachment *at, struct reuseport_error *err)
{
	int ret = pins_take_over(at->dir, at->pin, err);

	if (ret == -EBUSY) {
		ret = stuck_keeper_end(at->dir, at->pin, err);
		if (!ret)
			ret = pins_lock_again(at->dir, at->pin, err);
	}
	/* The keeper goes on: it must not end later, by a request that came to nothing. */
	if (ret && ret != -ENOENT)
		pin_dir_unmake(at->dir, PIN_DETACHING);
	return ret;
}

/* Detach after the keeper has released the lock. Only what the check could not foresee can
 * fail. */
static int detach_locked(struct attachment *at, struct reuseport_error *err)
{
	struct reuseport_error error = { 0 };
	int ret = detach_open_pins(at, &error);

	if (!ret)
		ret = detach_pinned(at, &error);
	if (ret)
		fail(err, error.code, "%.300s; its keeper has ended: detach again", error.text);
	return ret;
}

static int detach_one(const struct found_attachment *found, struct reuseport_error *err)
{
	struct attachment at;
	int ret = detach_open(found, &at, err);

	if (!ret && at.dir >= 0) {
		ret = detach_lock(&at, err);
		if (ret == -ENOENT)
			ret = 0;
		else if (!ret)
			ret = detach_locked(&at, err);
	}
	attachment_close(&at);
	return ret;
}

/* ------------------------------------------------------------------- all */

/*
 * Refuse where a group has a program of this name that is not pinned here: to say "detached"
 * would be wrong, and to take it off may be, as it may be another's. With a key, look at the
 * group of that key only.
 */
static int detach_refuse_unpinned(const struct reuseport_filter *filter,
				  const struct reuseport_key *key, struct reuseport_error *err)
{
	const struct reuseport_group_info *group;
	struct reuseport_group_list *groups = NULL;
	char text[GROUP_KEY_TEXT_LEN];
	int ret = reuseport_list(filter, &groups, err);

	for (size_t i = 0; !ret && (group = reuseport_group_list__get(groups, i)); i++) {
		if (group->own || strcmp(group->program_name, GROUP_PROGRAM_NAME) ||
		    (key && !group_key_equal(group->key, key)))
			continue;
		group_key_text(group->key, text, sizeof(text));
		ret = fail(err, EEXIST,
			   "%s has a program %s (id %u) that is not pinned here: it belongs to "
			   "another bpffs (a container's, say), or its pins were removed: detach "
			   "it there, or force the detach to take it off; nothing was changed",
			   text, group->program_name, group->program_id);
	}
	reuseport_group_list__free(groups);
	return ret;
}

/* To ask ourselves to release the lock would be to wait in vain. */
static int detach_is_own(const struct reuseport_key *key, struct reuseport_error *err)
{
	char text[GROUP_KEY_TEXT_LEN];

	group_key_text(key, text, sizeof(text));
	return fail(err, EDEADLK,
		    "this process keeps %s itself: nothing was detached; use "
		    "reuseport_group__detach()",
		    text);
}

/* Take descriptors that are closed before the change, which may need some more than the check:
 * to end a stuck keeper, for helpers that have not ended yet. */
static int detach_reserve(int dir, int reserve[RESERVE], struct reuseport_error *err)
{
	memset(reserve, -1, RESERVE * sizeof(*reserve));
	for (int i = 0; i < RESERVE; i++) {
		reserve[i] = fcntl(dir, F_DUPFD_CLOEXEC, 3);
		if (reserve[i] < 0)
			return fail(err, errno, "cannot duplicate a descriptor: %s",
				    strerror(errno));
	}
	return 0;
}

static void detach_close_reserve(const int reserve[RESERVE])
{
	for (int i = 0; i < RESERVE; i++)
		fd_close(reserve[i]);
}

static int detach_check_opened(const struct reuseport_filter *filter, const struct attachment *at,
			       struct reuseport_error *err)
{
	int reserve[RESERVE], ret = detach_reserve(at->dir, reserve, err);

	if (!ret)
		ret = program_detach_check(&at->key, &at->steering, err);
	/* Without its pin the program may be one that cannot be told from another's. */
	if (!ret && at->steering.program < 0)
		ret = detach_refuse_unpinned(filter, &at->key, err);
	detach_close_reserve(reserve);
	return ret;
}

/* Check that the attachment can be detached as a whole, before anything is changed. That needs
 * all that the change needs, such as descriptors. */
static int detach_check(const struct reuseport_filter *filter, const struct found_attachment *found,
			struct reuseport_error *err)
{
	struct attachment at;
	int ret = handle_owner_has(&found->key) ? detach_is_own(&found->key, err) : 0;

	if (ret)
		return ret;
	ret = detach_open(found, &at, err);
	if (!ret && at.dir >= 0)
		ret = detach_check_opened(filter, &at, err);
	attachment_close(&at);
	return ret;
}

/* Report how many were detached, or that a directory of pins is not safe to use. */
static int detach_report(const struct reuseport_filter *filter, size_t n,
			 const struct reuseport_error *refused, struct reuseport_error *err)
{
	int ret;

	if (refused->code && n)
		return fail(err, refused->code, "%s; the other groups (%zu) were detached",
			    refused->text, n);
	if (refused->code)
		return fail(err, refused->code, "%s", refused->text);
	ret = n ? (int)n : detach_refuse_unpinned(filter, NULL, err);
	return ret ? ret : attachment_not_found(filter, err);
}

int reuseport_detach(const struct reuseport_filter *from, struct reuseport_error *err)
{
	struct group_key_filter filter;
	struct found_attachment *found = NULL;
	struct reuseport_error refused = { 0 };
	int ret = group_key_filter_place(&filter, from, "detach", err);
	size_t n = 0;

	if (!ret)
		ret = caps_require("detach", err);
	if (!ret)
		ret = attachment_find(&filter.want, &found, &n, &refused, err);
	for (size_t i = 0; !ret && i < n; i++)
		ret = detach_check(&filter.want, &found[i], err);
	for (size_t i = 0; !ret && i < n; i++)
		ret = detach_one(&found[i], err);
	free(found);
	return ret ? ret : detach_report(&filter.want, n, &refused, err);
}

/* Take a program off that is pinned in no bpffs of this mount namespace. */
static int detach_unpinned_one(const struct reuseport_group_info *group,
			       struct reuseport_error *err)
{
	char path[REUSEPORT_PATH_MAX], text[GROUP_KEY_TEXT_LEN];
	int ret = pinned_elsewhere(group->program_id, path, err);

	if (ret < 0)
		return ret;
	if (!ret)
		return program_detach_id(group->key, group->program_id, err);
	group_key_text(group->key, text, sizeof(text));
	return fail(err, EBUSY,
		    "%s is steered by what is pinned in %s: detach it where that is mounted on "
		    "/sys/fs/bpf",
		    text, path);
}

int reuseport_detach_unpinned(const struct reuseport_filter *from, struct reuseport_error *err)
{
	const struct reuseport_group_info *group;
	struct reuseport_group_list *groups = NULL;
	struct group_key_filter filter;
	int ret = group_key_filter_place(&filter, from, "detach", err), count = 0;

	if (!ret)
		ret = reuseport_list(&filter.want, &groups, err);
	for (size_t i = 0; !ret && (group = reuseport_group_list__get(groups, i)); i++) {
		if (group->own || strcmp(group->program_name, GROUP_PROGRAM_NAME))
			continue;
		ret = detach_unpinned_one(group, err);
		count += !ret;
	}
	reuseport_group_list__free(groups);
	if (!ret)
		pins_tidy();
	if (!ret && !count)
		ret = attachment_not_found(&filter.want, err);
	return ret ? ret : count;
}
