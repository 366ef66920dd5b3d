// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Take a program off every group that has it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/features.h"
#include "host/reuseport_sockopt.h"
#include "keeper/program_detach.h"
#include "sockets/group_iter.h"
#include "state/hook_iter.h"
#include "sockets/pidfd_socket.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"
#include "sockets/socket_visit.h"

#define TRIES 4 /* sockets may close between a look and the change */

static const char what[] = "detach the program";

/* Which program is to be taken off, and where the sockets are. */
struct detaching {
	const struct reuseport_key *key;
	const struct steering *steering; /* NULL: by its id */
	uint32_t program_id;
	bool apply; /* false: check only */
	char text[GROUP_KEY_TEXT_LEN];

	struct group_iter *reader;
	bool hang;                     /* it cannot be used */
	struct sock_diag_list on_port; /* also connected ones */
	struct member_list kernel;     /* sorted by cookie */
	uint32_t last_id;              /* of the program that was looked at last, */
	bool last_owned;               /* and whether it is to be taken off */
};

static void detaching_forget(struct detaching *detaching)
{
	free(detaching->on_port.sockets);
	free(detaching->kernel.members);
	detaching->on_port = (struct sock_diag_list){ 0 };
	detaching->kernel = (struct member_list){ 0 };
}

/* Read the sockets on the port and, where the kernel tells, their groups. */
static int detaching_read(struct detaching *detaching, struct reuseport_error *err)
{
	const struct reuseport_key *key = detaching->key;
	struct netns_ref ns = { .inode = key->netns, .cookie = key->netns_cookie };
	struct netns_visit visit;
	int ret;

	detaching_forget(detaching);
	ret = netns_enter(&ns, &visit, err);
	if (ret)
		return ret;
	ret = sock_diag_dump_all(key->proto, key->port, &detaching->on_port, err);
	if (!ret && detaching->reader)
		detaching->hang = (ret = group_iter_read(detaching->reader, key->proto,
							 &detaching->kernel, err)) == -EOPNOTSUPP;
	netns_leave(&visit);
	group_iter_sort(&detaching->kernel);
	for (size_t i = 0; i < detaching->on_port.n; i++)
		detaching->on_port.sockets[i].key.netns = key->netns;
	return ret;
}

/* Return whether the group of a member has the program: 1, 0 or -errno. */
static int has_program(struct detaching *detaching, const struct group_member *member)
{
	int owned;

	if (!member || !member->has_prog || !member->prog_id)
		return 0;
	if (member->prog_id != detaching->last_id) {
		owned = detaching->steering ? steering_owns(detaching->steering, member->prog_id) :
					      member->prog_id == detaching->program_id;
		if (owned < 0)
			return owned;
		detaching->last_id = member->prog_id;
		detaching->last_owned = owned;
	}
	return detaching->last_owned;
}

static int explain_no_socket_of(const struct detaching *detaching, struct reuseport_error *err)
{
	return fail(err, ESRCH,
		    "cannot detach the program from %s: no process that is visible here has a "
		    "socket of it open: detach in the PID namespace of the server; nothing was "
		    "changed",
		    detaching->text);
}

/* What came of visits to sockets. */
struct detach_visits {
	const struct detaching *detaching;
	int ret;
	struct reuseport_error error;
};

/* Take the program off through a socket, or see only that it can be reached. */
static int detach_by_socket(struct socket_visit *visit, int fd, struct socket_visited *visited)
{
	const struct detach_visits *visits = visit->ctx;
	int ret;

	if (!visits->detaching->apply)
		return 0;
	socket_await_lock(fd);
	if (!visits->detaching->reader && socket_has_reuseport(fd) != 1)
		return -ENODATA;
	ret = sockopt_set_program(fd, -1);
	if (ret == -ENOENT)
		return visits->detaching->reader ? 0 : -ENODATA;
	return ret ? features_blame(FEATURE_DETACH, -ret, what, &visited->error) : 0;
}

/* One for which it worked decides. That one has no program (-ENODATA, where the kernel does not
 * tell) says more than that others cannot be reached, and what those refuse more than that they
 * have closed. */
static void take_detached(void *ctx, const struct socket_visited *visited)
{
	struct detach_visits *visits = ctx;

	if (!visits->ret || (visited->ret && visits->ret == -ENODATA))
		return;
	if ((visited->ret == -ENOENT || visited->ret == -ESTALE) && visits->ret != -ENOENT)
		return;
	visits->ret = visited->ret;
	visits->error = visited->error;
}

/* Visit these sockets until one has done. Return 0, -ENODATA, or -errno as of a visit. */
static int detach_visit(const struct detaching *detaching, const struct sock_diag_list *sockets,
			struct reuseport_error *err)
{
	struct detach_visits visits = { .detaching = detaching, .ret = -ENOENT };
	struct socket_visit visit = { .n = sockets->n,
				      .fn = detach_by_socket,
				      .take = take_detached,
				      .ctx = &visits,
				      .first_only = true };
	struct socket_owners owners;
	int ret = socket_owners_scan_members(sockets, OWNERS_ANY, &owners);

	if (!ret) {
		visit.sockets = socket_visit_list(sockets, &owners);
		ret = visit.sockets ? socket_visit_run(&visit) : -ENOMEM;
	}
	free(visit.sockets);
	free(owners.list);
	if (ret && ret != -ETIMEDOUT)
		return fail(err, -ret, "cannot look for the sockets' owners: %s", strerror(-ret));
	if (visits.ret == -ENOENT && !ret)
		return explain_no_socket_of(detaching, err);
	if (visits.ret == -ENOENT)
		return fail(err, ETIMEDOUT,
			    "cannot detach the program from %s: its processes do not let "
			    "themselves be inspected: end them",
			    detaching->text);
	if (visits.ret && err)
		*err = visits.error;
	return visits.ret;
}

/* Take the program off through one of these sockets, or check that it can be. */
static int detach_through(const struct detaching *detaching, const struct sock_diag_list *sockets,
			  struct reuseport_error *err)
{
	int ret = features_allow(FEATURE_DETACH, what, err);

	return ret ? ret : detach_visit(detaching, sockets, err);
}

/* ---------------------------------------------------- with socket iterators */

/* Handle the group of a member: all its sockets move from on_port to a list of their own. */
static int detach_group_of(struct detaching *detaching, uint64_t group, struct reuseport_error *err)
{
	struct sock_diag_list *on_port = &detaching->on_port, sockets = { 0 };
	size_t kept = 0;
	int ret;

	sockets.sockets = calloc(on_port->n, sizeof(*sockets.sockets));
	if (!sockets.sockets)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < on_port->n; i++) {
		const struct sock_diag_socket *socket = &on_port->sockets[i];
		const struct group_member *member = group_iter_find(&detaching->kernel,
								    socket->cookie);

		if (member && member->group == group)
			sockets.sockets[sockets.n++] = *socket;
		else
			on_port->sockets[kept++] = *socket;
	}
	on_port->n = kept;
	ret = detach_through(detaching, &sockets, err);
	free(sockets.sockets);
	return ret;
}

/* Find a socket whose group has the program. Return 1, 0 if there is none, or -errno. */
static int next_with_program(struct detaching *detaching, const struct group_member **found,
			     struct reuseport_error *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < detaching->on_port.n; i++) {
		*found = group_iter_find(&detaching->kernel, detaching->on_port.sockets[i].cookie);
		ret = has_program(detaching, *found);
	}
	return ret < 0 ? fail(err, -ret, "cannot look at the program of %s: %s", detaching->text,
			      strerror(-ret)) :
			 ret;
}

/* Look once. Return the number of groups that had the program, or fail with the last error. */
static int detach_once(struct detaching *detaching, struct reuseport_error *err)
{
	const struct group_member *member;
	int ret = detaching_read(detaching, err), failed = 0, groups = 0;

	if (ret)
		return ret;
	for (; (ret = next_with_program(detaching, &member, err)) > 0; groups++) {
		ret = detach_group_of(detaching, member->group, err);
		if (ret)
			failed = ret;
	}
	if (ret < 0)
		failed = ret;
	return failed ? failed : groups;
}

static int detach_known(struct detaching *detaching, struct reuseport_error *err)
{
	int ret = 1;

	for (int tries = 0; ret > 0 && tries < TRIES; tries++) {
		ret = detach_once(detaching, err);
		if (!detaching->apply)
			return ret < 0 ? ret : 0;
		/* The socket has closed that it was to go through. */
		if (ret == -ESTALE)
			ret = 1;
	}
	return ret > 0 ? fail(err, EBUSY, "%s still has the program: try again", detaching->text) :
			 ret;
}

/* ------------------------------------------------- where the kernel does not tell */

/* Try one socket with the key after the other: not each is in the group. */
static int detach_guessed(struct detaching *detaching, struct reuseport_error *err)
{
	struct sock_diag_list *on_port = &detaching->on_port;
	size_t kept = 0;
	int ret = detaching_read(detaching, err);

	for (size_t i = 0; i < on_port->n; i++)
		if (!on_port->sockets[i].connected &&
		    group_key_equal(&on_port->sockets[i].key, detaching->key))
			on_port->sockets[kept++] = on_port->sockets[i];
	on_port->n = kept;
	if (!ret && kept)
		ret = features_allow(FEATURE_DETACH, what, err);
	if (!ret && kept)
		ret = detach_visit(detaching, on_port, err);
	return ret == -ENODATA ? 0 : ret;
}

/* ------------------------------------------------------------------------ all */

static int detach_all(struct detaching *detaching, struct reuseport_error *err)
{
	int ret;

	group_key_text(detaching->key, detaching->text, sizeof(detaching->text));
	ret = hook_iter_open(&detaching->reader, err);
	if (!ret)
		ret = detach_known(detaching, err);
	if (!detaching->reader || detaching->hang) {
		group_iter_close(detaching->reader);
		detaching->reader = NULL;
		if (ret == -EOPNOTSUPP)
			ret = detach_guessed(detaching, err);
	}
	group_iter_close(detaching->reader);
	detaching_forget(detaching);
	/* The sockets went with their namespace, and the program with the sockets. */
	return ret == -ENETDOWN ? 0 : ret;
}

int program_detach_check(const struct reuseport_key *key, const struct steering *steering,
			 struct reuseport_error *err)
{
	return detach_all(&(struct detaching){ .key = key, .steering = steering }, err);
}

int program_detach(const struct reuseport_key *key, const struct steering *steering,
		   struct reuseport_error *err)
{
	return detach_all(&(struct detaching){ .key = key, .steering = steering, .apply = true },
			  err);
}

int program_detach_id(const struct reuseport_key *key, uint32_t program_id,
		      struct reuseport_error *err)
{
	return detach_all(
		&(struct detaching){ .key = key, .program_id = program_id, .apply = true }, err);
}
