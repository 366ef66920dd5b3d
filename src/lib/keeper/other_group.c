// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Other group: one that comes to the port of a steered group is named in the log. */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "fd.h"
#include "keeper/loop_time.h"
#include "keeper/other_group.h"
#include "sockets/group_key.h"
#include "sockets/sock_diag.h"
#include "state/pin_dir.h"
#include "state/pins_name.h"

#define SETTLE (2000 * MS) /* for a server to listen, and to be attached to */
#define APART (60000 * MS) /* a stranger can make any number of them */

bool other_group_note(struct reuseport_group *group, const struct socket_event *event)
{
	const struct reuseport_key *own = &group->at.key;
	struct other_group *other = &group->loop.other;
	struct reuseport_key key = *own;

	if (event->kind != SOCKET_EVENT_BOUND || event->proto != own->proto ||
	    event->port != own->port || event->netns_cookie != group->ns.cookie)
		return false;
	key.family = event->family;
	memcpy(key.addr, event->addr, sizeof(key.addr));
	key.ifindex = event->ifindex;
	key.v6only = event->v6only;
	key.uid = event->uid;
	key.has_uid = true;
	if (other->look_at || loop_now() < other->quiet_until || group_key_equal(&key, &other->key))
		return true;
	other->key = key;
	other->look_at = loop_now() + SETTLE;
	return true;
}

/* Return whether the name is of an attachment at the key's place. */
static int other_group_is_at(void *ctx, int root, const char *name)
{
	struct reuseport_key named;

	(void)root;
	return !pins_parse(name, &named) && group_key_same_place(&named, ctx);
}

static bool other_group_is_steered(const struct reuseport_group *group, struct reuseport_key *key)
{
	int root = handle_open_root(group), found;

	if (root < 0)
		return false;
	found = pin_dir_for_each(root, other_group_is_at, key);
	fd_close(root);
	return found;
}

void other_group_name(struct reuseport_group *group)
{
	struct other_group *other = &group->loop.other;
	struct sock_diag_list members = { 0 };
	char text[GROUP_KEY_TEXT_LEN];

	if (!other->look_at || loop_now() < other->look_at)
		return;
	other->look_at = 0;
	if (other_group_is_steered(group, &other->key))
		return;
	if (!sock_diag_members(&other->key, &group->ns, &members, NULL) && members.n) {
		group_key_text(&other->key, text, sizeof(text));
		handle_log(group, LOG_WARNING,
			   "%s: another group is on this port now and is not steered, %s with "
			   "%zu socket%s: attach to the port again, and it is too",
			   group->at.text, text, members.n, members.n == 1 ? "" : "s");
		other->quiet_until = loop_now() + APART;
	}
	free(members.sockets);
}
