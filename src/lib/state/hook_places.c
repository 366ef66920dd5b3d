// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Hook places: which processes are told of binds. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "error.h"
#include "state/hook_interest.h"
#include "state/hook_places.h"
#include "state/pin_dir.h"

static const char *hook_places_name(unsigned int place, char name[16])
{
	snprintf(name, 16, "place%u", place);
	return name;
}

/* Open the place's directory; make it first if that is wanted. */
static int hook_places_open(const struct hooks *hooks, unsigned int place, bool make,
			    struct reuseport_error *err)
{
	int made;
	char name[16];

	hook_places_name(place, name);
	made = make ? pin_dir_make(hooks->dir, name) : 0;
	if (made < 0)
		return fail(err, -made, "cannot make a directory for %s: %s", name,
			    strerror(-made));
	return pin_dir_open(hooks->dir, name, name, err);
}

void hook_places_give_up(const struct hooks *hooks, unsigned int place)
{
	char name[16];

	/* What fails here is done by the next one that takes the place. The ring buffer stays
	 * until then, too: to take it out would be to wait for an RCU grace period. */
	if (hook_interest_remove_all(hooks, place))
		errno = 0;
	pin_dir_unmake(hooks->dir, hook_places_name(place, name));
}

/* Give up the places whose process has ended. */
static int hook_places_free_dead(const struct hooks *hooks, struct reuseport_error *err)
{
	for (unsigned int place = 0; place < HOOK_PLACES; place++) {
		int dir = hook_places_open(hooks, place, false, err);

		if (dir == -ENOENT)
			continue;
		if (dir < 0)
			return dir;
		if (!flock(dir, LOCK_EX | LOCK_NB))
			hook_places_give_up(hooks, place);
		close(dir);
	}
	return 0;
}

static int hook_places_find_free(const struct hooks *hooks, struct reuseport_error *err)
{
	char name[16];
	int has;

	for (unsigned int place = 0; place < HOOK_PLACES; place++) {
		has = pin_dir_has(hooks->dir, hook_places_name(place, name));
		if (has < 0)
			return fail(err, -has, "cannot look for a place among the hooks: %s",
				    strerror(-has));
		if (!has)
			return place;
	}
	return fail(
		err, EUSERS,
		"cannot be told of binds: %d other processes are, and there is no room for more",
		HOOK_PLACES);
}

/* Put the ring buffer into the place. */
static int hook_places_fill(const struct hooks *hooks, int ring, unsigned int place,
			    struct reuseport_error *err)
{
	struct hook_place value = { .pid = getpid() };
	__u32 index = place;

	if (bpf_map_update_elem(hooks->maps[HOOKS_PLACES], &index, &value, BPF_ANY) ||
	    bpf_map_update_elem(hooks->maps[HOOKS_RINGS], &index, &ring, BPF_ANY))
		return fail(err, errno, "cannot put a ring buffer among the hooks: %s",
			    strerror(errno));
	return 0;
}

int hook_places_take(const struct hooks *hooks, int ring, unsigned int *place,
		     struct reuseport_error *err)
{
	int ret = hook_places_free_dead(hooks, err), dir;

	if (!ret)
		ret = hook_places_find_free(hooks, err);
	if (ret < 0)
		return ret;
	*place = ret;
	dir = hook_places_open(hooks, *place, true, err);
	if (dir < 0)
		return dir == -ENOENT ? fail(err, EIO, "a place among the hooks has gone") : dir;
	ret = flock(dir, LOCK_EX | LOCK_NB) ?
		      fail(err, errno, "cannot lock a place among the hooks: %s", strerror(errno)) :
		      hook_places_fill(hooks, ring, *place, err);
	if (!ret)
		return dir;
	hook_places_give_up(hooks, *place);
	close(dir);
	return ret;
}
