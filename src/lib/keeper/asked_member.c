// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Asked member: what the programs of the socket options know of the worker in a slot. */
#include <errno.h>
#include <syslog.h>

#include "keeper/asked_member.h"
#include "state/sockopt_members.h"

void asked_member_write(struct reuseport_group *group, unsigned int slot)
{
	const struct slot *at = &group->slots[slot];

	/* The map is full at worst: the worker is then one that cannot ask. */
	if (at->member.attachment && sockopt_members_put(group->sockopt, at->cookie, &at->member))
		errno = 0;
}

static void asked_member_clear_word(const struct reuseport_group *group, unsigned int slot)
{
	struct asked_slot *asked = group->at.view.asked;

	if (asked)
		__atomic_store_n((uint64_t *)&asked[slot], 0, __ATOMIC_RELEASE);
}

void asked_member_begin(struct reuseport_group *group, unsigned int slot)
{
	struct slot *at = &group->slots[slot];

	if (!group->sockopt)
		return;
	/* Of the worker before. */
	asked_member_clear_word(group, slot);
	sockopt_members_describe(&group->at, slot, &at->member);
	asked_member_write(group, slot);
}

void asked_member_joined(struct reuseport_group *group, unsigned int slot)
{
	group->slots[slot].asks = true;
	group->loop.asking.due = true;
}

void asked_member_adopt(struct reuseport_group *group, unsigned int slot)
{
	struct slot *at = &group->slots[slot];

	if (!group->sockopt)
		return;
	if (sockopt_members_get(group->sockopt, at->cookie, group->at.entry.attached_ns,
				&at->member))
		at->applied = at->member.seq;
	else
		at->member = (struct member){ 0 };
	sockopt_members_describe(&group->at, slot, &at->member);
	asked_member_write(group, slot);
	asked_member_joined(group, slot);
}

void asked_member_end(struct reuseport_group *group, unsigned int slot)
{
	const struct slot *at = &group->slots[slot];

	if (!group->sockopt || !at->member.attachment)
		return;
	sockopt_members_drop(group->sockopt, at->cookie, &at->member);
	asked_member_clear_word(group, slot);
}

void asked_member_forget(struct reuseport_group *group, uint64_t cookie)
{
	struct member member;

	if (group->sockopt &&
	    sockopt_members_get(group->sockopt, cookie, group->at.entry.attached_ns, &member))
		sockopt_members_drop(group->sockopt, cookie, &member);
}

bool asked_member_is_not_ready(const struct reuseport_group *group, unsigned int slot)
{
	struct request request;

	return group->sockopt &&
	       sockopt_members_request(group->sockopt, group->slots[slot].cookie, &request) &&
	       request.ready_at && !request.ready;
}

/* ------------------------------------------------------------------------ ids */

int asked_member_set_id(struct reuseport_group *group, unsigned int slot, uint32_t id)
{
	struct slot *at = &group->slots[slot];
	int ret = sockopt_members_claim_id(group->sockopt, at->cookie, &at->member, id);

	if (ret)
		return ret;
	if (at->member.has_id && at->member.id != id)
		sockopt_members_give_up_id(group->sockopt, at->cookie, &at->member);
	at->member.id = id;
	at->member.has_id = 1;
	return 0;
}

/* It is of another generation now, where another worker may have its id. */
static void asked_member_move_id(struct reuseport_group *group, unsigned int slot,
				 const struct member *before)
{
	struct slot *at = &group->slots[slot];

	sockopt_members_give_up_id(group->sockopt, at->cookie, before);
	at->member.has_id = !sockopt_members_claim_id(group->sockopt, at->cookie, &at->member,
						      before->id);
	if (!at->member.has_id)
		handle_log(group, LOG_WARNING,
			   "%s: slot %u: another worker of generation %u has its id %u",
			   group->at.text, slot, at->member.generation, before->id);
}

/* -------------------------------------------------------------------- changes */

static void asked_member_refresh_one(struct reuseport_group *group, unsigned int slot)
{
	struct slot *at = &group->slots[slot];
	struct member before = at->member;

	sockopt_members_describe(&group->at, slot, &at->member);
	if (at->member.state == before.state && at->member.weight == before.weight &&
	    at->member.generation == before.generation)
		return;
	if (before.has_id && at->member.generation != before.generation)
		asked_member_move_id(group, slot, &before);
	asked_member_write(group, slot);
}

void asked_member_refresh(struct reuseport_group *group)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++)
		if (group->slots[slot].member.attachment)
			asked_member_refresh_one(group, slot);
}
