// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Slots: a worker keeps its slot as long as it lives. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "host/proc.h"
#include "keeper/slots.h"
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

static struct worker_entry *entry_of(const struct reuseport_group *group, unsigned int slot)
{
	return &group->at.view.workers[slot];
}

/* The state comes first when the entry ends and last when it begins. */
static void free_entry(const struct reuseport_group *group, unsigned int slot)
{
	struct worker_entry *entry = entry_of(group, slot);

	__atomic_store_n(&entry->state, WORKER_FREE, __ATOMIC_RELEASE);
	*entry = (struct worker_entry){ .state = WORKER_FREE };
	map_view_store(&group->at.view);
}

static void set_state(struct worker_entry *entry, enum worker_state state)
{
	__atomic_store_n(&entry->state, state, __ATOMIC_RELEASE);
}

static bool admits_by_hand(const struct reuseport_group *group)
{
	const struct control *control = group->at.view.control;

	return control->plan[control->epoch & 1].flags & PLAN_ADMIT_MANUAL;
}

/*
 * Those of a rollout that has begun wait by their generation, for the switch. A
 * drain that has met the entry meanwhile counts.
 */
static void let_in(const struct reuseport_group *group, struct worker_entry *entry)
{
	enum worker_state expected = WORKER_JOINING;

	map_view_fetch(&group->at.view);
	if (!admits_by_hand(group) || generations_in_use(&group->at.view)->phase == ROLLOUT_BEGUN)
		__atomic_compare_exchange_n(&entry->state, &expected, WORKER_ACTIVE, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	map_view_store(&group->at.view);
}

/*
 * First the description, then the socket: a keeper killed in between leaves an
 * entry for an empty slot, which the next one frees.
 */
static int fill(const struct reuseport_group *group, unsigned int slot, int fd,
		struct worker_entry *entry)
{
	uint64_t value = fd;
	int ret;

	ret = counters_of_slot(group->at.steering.maps[MAP_COUNTERS], slot, &entry->base);
	if (ret)
		return ret;
	*entry_of(group, slot) = *entry;
	set_state(entry_of(group, slot), WORKER_JOINING);
	map_view_store(&group->at.view);
	if (bpf_map_update_elem(group->at.steering.maps[MAP_SOCKETS], &slot, &value, BPF_NOEXIST)) {
		ret = -errno;
		free_entry(group, slot);
		return ret;
	}
	let_in(group, entry_of(group, slot));
	return 0;
}

static unsigned int next_free(const struct reuseport_group *group, unsigned int slot)
{
	while (slot < group->at.entry.slots && group->slots[slot].cookie)
		slot++;
	return slot;
}

int slots_claim(struct reuseport_group *group, int fd, uint64_t cookie, uint32_t inode,
		uint32_t pid)
{
	struct worker_entry entry = { .cookie = cookie,
				      .pid = pid,
				      .weight = 1,
				      .generation = generation_of_newcomer(
					      generations_in_use(&group->at.view)),
				      .joined_ns = clock_ns(CLOCK_BOOTTIME) };
	unsigned int slot;
	int ret = -ENOSPC;

	proc_comm(pid, entry.comm);
	group->lowest_free = next_free(group, group->lowest_free);
	for (slot = group->lowest_free; slot < group->at.entry.slots;
	     slot = next_free(group, slot + 1)) {
		ret = fill(group, slot, fd, &entry);
		/* Still held by a socket that is being closed: the next one. */
		if (ret != -EEXIST)
			break;
		ret = -ENOSPC;
	}
	if (ret == -EINVAL)
		return -EAGAIN;
	if (ret)
		return ret;
	group->slots[slot] = (struct slot){ .cookie = cookie, .inode = inode, .pid = pid };
	group->ns.hint_pid = pid;
	group->workers++;
	group->changes++;
	return 0;
}

void slots_release(struct reuseport_group *group, unsigned int slot)
{
	free_entry(group, slot);
	group->slots[slot] = (struct slot){ 0 };
	group->workers--;
	group->changes++;
	group->full_logged = false;
	if (slot < group->lowest_free)
		group->lowest_free = slot;
}

void slots_set_server(struct reuseport_group *group, unsigned int slot, uint32_t pid)
{
	struct worker_entry *entry = entry_of(group, slot);

	if (!pid || entry->cookie != group->slots[slot].cookie || entry->pid == pid)
		return;
	/* What a command has changed meanwhile is not to be undone. */
	map_view_fetch(&group->at.view);
	proc_comm(pid, entry->comm);
	entry->pid = pid;
	map_view_store(&group->at.view);
	group->slots[slot].pid = pid;
}

void slots_adopt(struct reuseport_group *group)
{
	for (unsigned int slot = 0; slot < group->at.entry.slots; slot++) {
		struct worker_entry *entry = entry_of(group, slot);

		if (entry->state == WORKER_FREE)
			continue;
		if (!attachment_holds(&group->at, slot, entry->cookie)) {
			free_entry(group, slot);
			continue;
		}
		/* Whoever put it there was killed in between. */
		if (entry->state == WORKER_JOINING && !admits_by_hand(group))
			set_state(entry, WORKER_ACTIVE);
		group->slots[slot] = (struct slot){ .cookie = entry->cookie, .pid = entry->pid };
		group->ns.hint_pid = entry->pid;
		group->workers++;
	}
	map_view_store(&group->at.view);
}
