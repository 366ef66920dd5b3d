// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_group__add(): give a socket its slot by a descriptor of it. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "host/proc.h"
#include "keeper/check_pins.h"
#include "keeper/event_sources.h"
#include "keeper/handle_owner.h"
#include "keeper/join.h"
#include "keeper/join_place.h"
#include "keeper/loop_time.h"
#include "keeper/membership.h"
#include "keeper/pending.h"
#include "keeper/program_attach.h"
#include "keeper/slots.h"
#include "reuseport_group.h"
#include "sockets/pidfd_socket.h"
#include "sockets/socket_key.h"

#define RELEASE_PART 4 /* of the time that a look at all slots takes, until the next one */

/* A socket that is added. */
struct adding {
	int fd;
	uint64_t cookie;
	struct socket_owner owner;
};

/* ----------------------------------------------------------------- checks */

static int add_check_socket(const struct reuseport_group *group, int fd,
			    struct reuseport_error *err)
{
	REUSEPORT_OPTS(reuseport_key, kind);
	int ret = socket_key_kind(fd, &kind, err);

	if (ret)
		return ret;
	if (kind.proto == IPPROTO_UDP && socket_is_connected(fd))
		return fail(err, EISCONN,
			    "the UDP socket is connected: it gets nothing but from its peer");
	ret = socket_matches_key(fd, &group->at.key, &group->ns);
	if (ret < 0)
		return socket_key_explain_netns(-ret, err);
	if (!ret || kind.proto != group->at.key.proto)
		return fail(err, EXDEV,
			    "the socket is not of the group %s: it has another address, port, "
			    "device, user or network namespace, or is not bound",
			    group->at.text);
	if (kind.proto == IPPROTO_TCP && !socket_key_listens(fd))
		return fail(err, EAGAIN, "the socket does not listen yet: add it after listen()");
	return 0;
}

static int add_describe(struct adding *adding, uint32_t pid, struct reuseport_error *err)
{
	struct stat st;

	if (fstat(adding->fd, &st))
		return fail(err, errno, "cannot look at the socket: %s", strerror(errno));
	adding->owner = (struct socket_owner){ .inode = st.st_ino, .pid = pid, .fd = adding->fd };
	proc_comm(pid, adding->owner.comm);
	return 0;
}

/* -------------------------------------------------------------------- slot */

/* Return the slot that the socket has, or SLOT_NONE. It may be about to get one in a helper: wait
 * for that. */
static unsigned int add_find(struct reuseport_group *group, uint64_t cookie)
{
	unsigned int slot = slots_find(group, cookie);

	if (slot != SLOT_NONE && group->slots[slot].reserved) {
		pending_finish(group);
		membership_finish(group);
		slot = slots_find(group, cookie);
	}
	if (slot == SLOT_NONE || attachment_holds(&group->at, slot, cookie))
		return slot;
	/* It has left the array, as by shutdown() and another listen(). */
	slots_release(group, slot);
	return SLOT_NONE;
}

/* Release the slots of those that have left, so that who comes instead has the same one. With
 * thousands of slots that is not done for each socket, unless they must be looked at. Return
 * whether one was released. */
static bool add_release_empty(struct reuseport_group *group, bool must)
{
	const unsigned int workers = group->workers;
	const uint64_t begun = loop_now();

	if (!must && begun < group->loop.release_at)
		return false;
	slots_release_empty(group);
	group->loop.release_at = loop_now() + (loop_now() - begun) * RELEASE_PART;
	return group->workers < workers;
}

/* Put it into a free slot. */
static int add_into_slot(struct reuseport_group *group, const struct adding *adding,
			 unsigned int *slot, struct reuseport_error *err)
{
	const struct join_place place = {
		.key = &group->at.key,
		.ns = &group->ns,
		.text = group->at.text,
		.sockets = group->at.steering.maps[MAP_SOCKETS],
		.storage = join_place_map(group->sockopt, SOCKOPT_STORAGE),
		.requests = join_place_map(group->sockopt, SOCKOPT_REQUESTS)
	};
	struct reuseport_error error = { 0 };
	int ret = slots_reserve(group, adding->cookie, &adding->owner, slot);

	if (ret == -ENOSPC)
		return join_explain_full(group, err);
	if (ret)
		return fail(err, -ret, "cannot reserve a slot of %s: %s", group->at.text,
			    strerror(-ret));
	ret = join_place(&place, *slot, adding->fd, adding->owner.pid, &error);
	if (!ret) {
		slots_confirm(group, *slot, &adding->owner);
		return 0;
	}
	slots_cancel(group, *slot);
	if (!error.code)
		return fail(err, -ret,
			    "the socket is in no group: SO_REUSEPORT is to be set before bind()");
	if (err)
		*err = error;
	return ret;
}

/* Put the program on the group if this may be its first member. */
static int add_program(struct reuseport_group *group, const struct adding *adding,
		       struct reuseport_error *err)
{
	int ret;

	if (!program_attach_is_due(group, adding->cookie))
		return 0;
	ret = program_attach_is_missing(group, adding->cookie, err);
	group->program_due = false;
	if (ret > 0 && steering_open_program(&group->at.steering, group->at.dir) < 0)
		ret = fail(err, errno, "cannot open the program of %s: %s", group->at.text,
			   strerror(errno));
	return ret > 0 ? program_attach_again(group, adding->fd, err) : ret;
}

/* Return the slot or -errno. */
static int add_socket(struct reuseport_group *group, const struct adding *adding,
		      struct reuseport_error *err)
{
	unsigned int slot;
	int ret;

	add_release_empty(group, false);
	ret = add_into_slot(group, adding, &slot, err);
	if (ret == -ENOSPC && add_release_empty(group, true))
		ret = add_into_slot(group, adding, &slot, err);
	/* A helper that was given up may have put it elsewhere. */
	if (ret == -EBUSY && slots_drop_stray(group, adding->cookie))
		ret = add_into_slot(group, adding, &slot, err);
	if (ret)
		return ret;
	ret = add_program(group, adding, err);
	if (ret) {
		slots_evict(group, slot);
		return ret;
	}
	group->loop.plan_due = true;
	event_sources_wake(group);
	return slot;
}

int reuseport_group__add_of(struct reuseport_group *group, int fd, uint32_t pid,
			    struct reuseport_error *err)
{
	struct adding adding = { .fd = fd };
	int ret = handle_owner_check(group, err);
	unsigned int slot;

	if (!ret)
		ret = check_pins(group, err);
	if (!ret)
		ret = socket_key_cookie(fd, &adding.cookie, err);
	if (!ret)
		ret = add_check_socket(group, fd, err);
	if (ret)
		return ret;
	map_view_fetch(&group->at.view);
	slot = add_find(group, adding.cookie);
	if (slot != SLOT_NONE)
		return slot;
	ret = add_describe(&adding, pid, err);
	return ret ? ret : add_socket(group, &adding, err);
}

int reuseport_group__add(struct reuseport_group *group, int fd, struct reuseport_error *err)
{
	return reuseport_group__add_of(group, fd, getpid(), err);
}
