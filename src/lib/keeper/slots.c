// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Slots: a worker keeps its slot as long as it lives. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "host/proc.h"
#include "keeper/asked_member.h"
#include "keeper/slots.h"
#include "state/ages.h"
#include "state/counters.h"
#include "state/generation.h"
#include "state/sockarray.h"

unsigned int slots_find(const struct reuseport_group *group, uint64_t cookie)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++)
		if (group->slots[slot].cookie == cookie)
			return slot;
	return SLOT_NONE;
}

static struct worker_entry *slots_entry(const struct reuseport_group *group, unsigned int slot)
{
	return &group->at.view.workers[slot];
}

/* Free the entry. The state is written first when an entry ends and last when it begins. */
static void slots_free_entry(const struct reuseport_group *group, unsigned int slot)
{
	struct worker_entry *entry = slots_entry(group, slot);

	struct worker_entry empty = { .state = WORKER_FREE };

	if (group->at.entry.keep_weights) {
		empty.weight = entry->weight;
		empty.joined_ns = entry->joined_ns;
	}
	__atomic_store_n(&entry->state, WORKER_FREE, __ATOMIC_RELEASE);
	*entry = empty;
	ages_forget_state(&group->at.view, slot);
	map_view_store(&group->at.view);
}

static void slots_set_state(struct worker_entry *entry, enum worker_state state)
{
	__atomic_store_n(&entry->state, state, __ATOMIC_RELEASE);
}

static bool slots_may_be_active(const struct reuseport_group *group,
				const struct worker_entry *entry)
{
	const struct map_view *view = &group->at.view;

	return generation_admits(plan_in_use(view), generations_in_use(view), entry);
}

/* Return whether the kernel's slot is empty: it may still hold a socket that is being closed. */
static bool slots_is_empty(const struct reuseport_group *group, unsigned int slot)
{
	uint64_t cookie;

	return bpf_map_lookup_elem(group->at.steering.maps[MAP_SOCKETS], &slot, &cookie) &&
	       errno == ENOENT;
}

static unsigned int slots_next_free(const struct reuseport_group *group, unsigned int slot)
{
	while (slot < group->at.entry.slots && group->slots[slot].cookie)
		slot++;
	return slot;
}

/* Return the weight of who takes a slot. A slot that nobody has had yet has no time of a join. */
static uint32_t slots_weight_of_newcomer(const struct reuseport_group *group, unsigned int slot)
{
	const struct worker_entry *before = &group->at.view.workers[slot];

	return group->at.entry.keep_weights && before->joined_ns ? before->weight : 1;
}

/*
 * Write the entry, before the socket is put into the slot. A keeper that is killed in between
 * leaves an entry for an empty slot, which the next keeper frees.
 */
static int slots_write_entry(struct reuseport_group *group, unsigned int slot, uint64_t cookie,
			     const struct socket_owner *owner)
{
	struct worker_entry entry = { .cookie = cookie,
				      .pid = owner->pid,
				      .weight = slots_weight_of_newcomer(group, slot),
				      .generation = generation_of_newcomer(
					      generations_in_use(&group->at.view)),
				      .joined_ns = clock_ns(CLOCK_BOOTTIME) };
	int ret = counters_of_slot(group->at.steering.maps[MAP_COUNTERS], slot, &entry.base);

	if (ret)
		return ret;
	memcpy(entry.comm, owner->comm, sizeof(entry.comm));
	ages_begin_state(&group->at.view, slot);
	*slots_entry(group, slot) = entry;
	slots_set_state(slots_entry(group, slot), WORKER_JOINING);
	map_view_store(&group->at.view);
	return 0;
}

/* Make the slot free for the next one. */
static void slots_clear(struct reuseport_group *group, unsigned int slot)
{
	asked_member_end(group, slot);
	slots_free_entry(group, slot);
	group->slots[slot] = (struct slot){ 0 };
	if (slot < group->lowest_free)
		group->lowest_free = slot;
}

void slots_release(struct reuseport_group *group, unsigned int slot)
{
	slots_clear(group, slot);
	group->workers--;
	group->changes++;
	group->full_logged = false;
}

void slots_release_empty(struct reuseport_group *group)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		const struct slot *at = &group->slots[slot];

		if (at->cookie && !at->reserved && !attachment_holds(&group->at, slot, at->cookie))
			slots_release(group, slot);
	}
}

/* Return the lowest free slot, or SLOT_NONE. */
static unsigned int slots_lowest_free(struct reuseport_group *group)
{
	unsigned int slot = group->lowest_free = slots_next_free(group, group->lowest_free);

	while (slot < group->at.entry.slots && !slots_is_empty(group, slot))
		slot = slots_next_free(group, slot + 1);
	return slot < group->at.entry.slots ? slot : SLOT_NONE;
}

int slots_reserve(struct reuseport_group *group, uint64_t cookie, const struct socket_owner *owner,
		  unsigned int *reserved)
{
	unsigned int slot = slots_lowest_free(group);
	int ret;

	if (slot == SLOT_NONE)
		return -ENOSPC;
	ret = slots_write_entry(group, slot, cookie, owner);
	if (ret)
		return ret;
	group->slots[slot] = (struct slot){
		.cookie = cookie, .inode = owner->inode, .pid = owner->pid, .reserved = true
	};
	asked_member_begin(group, slot);
	*reserved = slot;
	return 0;
}

/* Make a worker that joins active, unless a drain has changed its entry meanwhile. */
static void slots_activate(const struct reuseport_group *group, unsigned int slot)
{
	const struct map_view *view = &group->at.view;
	struct worker_entry *entry = slots_entry(group, slot);
	enum worker_state expected = WORKER_JOINING;

	if (slots_may_be_active(group, entry) &&
	    __atomic_compare_exchange_n(&entry->state, &expected, WORKER_ACTIVE, false,
					__ATOMIC_RELEASE, __ATOMIC_RELAXED) &&
	    generation_state(generations_in_use(view), entry) != WORKER_JOINING)
		ages_begin_state(view, slot);
}

/* Admit a worker that has joined. */
static void slots_admit(const struct reuseport_group *group, unsigned int slot,
			const struct socket_owner *owner)
{
	struct worker_entry *entry = slots_entry(group, slot);

	map_view_fetch(&group->at.view);
	memcpy(entry->comm, owner->comm, sizeof(entry->comm));
	entry->pid = owner->pid;
	slots_activate(group, slot);
	map_view_store(&group->at.view);
}

void slots_confirm(struct reuseport_group *group, unsigned int slot,
		   const struct socket_owner *owner)
{
	struct slot *at = &group->slots[slot];

	slots_admit(group, slot, owner);
	at->reserved = false;
	at->pid = group->ns.hint_pid = owner->pid;
	asked_member_joined(group, slot);
	group->workers++;
	group->changes++;
}

void slots_cancel(struct reuseport_group *group, unsigned int slot)
{
	bpf_map_delete_elem(group->at.steering.maps[MAP_SOCKETS], &slot);
	slots_clear(group, slot);
}

void slots_evict(struct reuseport_group *group, unsigned int slot)
{
	bpf_map_delete_elem(group->at.steering.maps[MAP_SOCKETS], &slot);
	slots_release(group, slot);
}

bool slots_drop_stray(struct reuseport_group *group, uint64_t cookie)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++)
		if (!group->slots[slot].cookie && attachment_holds(&group->at, slot, cookie))
			return !bpf_map_delete_elem(group->at.steering.maps[MAP_SOCKETS], &slot);
	return false;
}

bool slots_set_server(struct reuseport_group *group, unsigned int slot,
		      const struct socket_owner *server)
{
	struct worker_entry *entry = slots_entry(group, slot);

	if (entry->cookie != group->slots[slot].cookie || entry->pid == server->pid)
		return false;
	/* Do not undo what a command has changed meanwhile. */
	map_view_fetch(&group->at.view);
	memcpy(entry->comm, server->comm, sizeof(entry->comm));
	entry->pid = server->pid;
	map_view_store(&group->at.view);
	group->slots[slot].pid = server->pid;
	return true;
}

void slots_choose_hint(struct reuseport_group *group)
{
	if (proc_lives(group->ns.hint_pid))
		return;
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++)
		if (group->slots[slot].cookie && proc_lives(group->slots[slot].pid)) {
			group->ns.hint_pid = group->slots[slot].pid;
			return;
		}
}

void slots_adopt(struct reuseport_group *group)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		struct worker_entry *entry = slots_entry(group, slot);

		if (entry->state == WORKER_FREE)
			continue;
		if (!attachment_holds(&group->at, slot, entry->cookie)) {
			asked_member_forget(group, entry->cookie);
			slots_free_entry(group, slot);
			continue;
		}
		group->slots[slot] = (struct slot){ .cookie = entry->cookie, .pid = entry->pid };
		group->ns.hint_pid = entry->pid;
		group->workers++;
		asked_member_adopt(group, slot);
		/* A keeper was killed before it could admit it. */
		if (!asked_member_is_not_ready(group, slot))
			slots_activate(group, slot);
	}
	map_view_store(&group->at.view);
}
