// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attach, stopped: the server stops while an attach looks at it. */
#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "error.h"
#include "keeper/attach_stopped.h"
#include "sockets/group_key.h"

#define PAUSE_MS 20 /* for a process that is about to close its sockets */

/* Return how many of the sockets with the key there were, or how many of these there are. */
static size_t attach_stopped_count(const struct reuseport_group *group,
				   const struct group_members *members,
				   const struct sock_diag_list *now)
{
	size_t n = 0;

	for (size_t i = 0; i < members->on_port.n; i++) {
		const struct sock_diag_socket *socket = &members->on_port.sockets[i];

		n += group_key_equal(&socket->key, &group->at.key) &&
		     (!now || sock_diag_find(now, socket->cookie));
	}
	return n;
}

/* Return how many of the sockets are there still; as many as before if that cannot be seen. */
static size_t attach_stopped_left(const struct reuseport_group *group,
				  const struct group_members *members, size_t before)
{
	struct sock_diag_list now;
	size_t n;

	if (sock_diag_members(&group->at.key, &group->ns, &now, NULL))
		return before;
	n = attach_stopped_count(group, members, &now);
	free(now.sockets);
	return n;
}

int attach_stopped(const struct reuseport_group *group, const struct group_members *members,
		   int ret, struct reuseport_error *err)
{
	size_t before = attach_stopped_count(group, members, NULL), left;

	if (!before || error_is_limit(ret))
		return ret;
	/* It closes one after the other. */
	for (left = attach_stopped_left(group, members, before); left && left < before;
	     left = attach_stopped_left(group, members, before)) {
		before = left;
		clock_sleep_ms(PAUSE_MS);
	}
	return left ? ret :
		      fail(err, ENOENT,
			   "%s: the server has closed its sockets meanwhile, so there is "
			   "nothing to steer",
			   group->at.text);
}
