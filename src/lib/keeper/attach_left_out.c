// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attach, left out: members that have no slot after the array was filled. */
#include <errno.h>
#include <syslog.h>

#include "error.h"
#include "keeper/attach_left_out.h"
#include "keeper/slots.h"
#include "sockets/left_out.h"

/* Those without a slot. */
struct attach_left {
	size_t n, hopeless;  /* of these, so many are of a kind that cannot be taken, */
	struct left_out why; /* of the first of them */
};

static void attach_left_see(struct attach_left *left, const struct sock_diag_socket *member,
			    const struct membership_fill *fill)
{
	struct left_out why;

	left->n++;
	left_out_explain(member, &fill->owners, &why);
	if (why.reason && !left->hopeless++)
		left->why = why;
}

/* Look at those that were members before and are. Return 0 or -errno. */
static int attach_left_read(const struct reuseport_group *group,
			    const struct group_members *members, const struct membership_fill *fill,
			    struct attach_left *left)
{
	struct group_members now;
	int ret = 0;

	*left = (struct attach_left){ 0 };
	if (group->workers >= members->sockets.n)
		return 0;
	ret = group_members_read(&group->at.key, &group->ns, group->reader,
				 group->at.steering.program_id, &now, NULL);
	if (ret)
		return ret;
	for (size_t i = 0; i < now.sockets.n; i++) {
		const struct sock_diag_socket *member = &now.sockets.sockets[i];

		if (sock_diag_find(&members->sockets, member->cookie) &&
		    slots_find(group, member->cookie) == SLOT_NONE)
			attach_left_see(left, member, fill);
	}
	group_members_free(&now);
	return 0;
}

int attach_refuse_partial(const struct reuseport_group *group, const struct group_members *members,
			  const struct membership_fill *fill, struct reuseport_error *err)
{
	struct attach_left left;
	char why[LEFT_OUT_TEXT];

	if (attach_left_read(group, members, fill, &left) || !left.hopeless)
		return 0;
	left_out_text(&left.why, why);
	return fail(
		err, EOPNOTSUPP,
		"%zu of %zu members of %s cannot be steered and would get little or nothing: %s; "
		"to steer the others alone, attach to a part of the group",
		left.hopeless, members->sockets.n, group->at.text, why);
}

void attach_log_left_out(struct reuseport_group *group, const struct group_members *members,
			 const struct membership_fill *fill)
{
	struct attach_left left;
	char why[LEFT_OUT_TEXT];

	if (attach_left_read(group, members, fill, &left) || !left.n)
		return;
	left_out_text(&left.why, why);
	handle_log(group, LOG_WARNING, "%s: %zu of %zu members could not be given a slot: %s",
		   group->at.text, left.n, members->sockets.n,
		   left.hopeless ? why : fill->reason.text);
}
