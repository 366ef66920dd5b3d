// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Old ABI: what older versions have pinned and this one carries over. */
#include <string.h>

#include "state/old_abi.h"

/* -------------------------------------------------------------------- version 4 */

struct control_4 {
	__u32 epoch;
	__u32 settled;
	__u64 first_entry;
	struct plan plan[2];
};

struct attachment_entry_4 {
	__u32 abi_version;
	__u32 slots;
	__u32 keeper_pid;
	enum attachment_proto proto;
	enum attachment_family family;
	__u32 port;
	__u8 addr[16];
	__u32 ifindex;
	__u32 v6only;
	__u64 netns_ino;
	__u64 netns_cookie;
	__u64 attached_ns;
	__u32 table_entries;
	__u32 cpus;
	__u32 flows;
	__u32 idle_ticks;
	__u64 flow_key[2];
	__u8 migrates;
	__u8 plain_reads;
	__u8 events;
	__u8 iterators;
	__u32 uid_plus_1;
};

_Static_assert(sizeof(struct control_4) == 64, "ABI 4");
_Static_assert(sizeof(struct attachment_entry_4) == 112, "ABI 4");

/* What is the same is where it was. */
#define SAME_IN(old, now, member)                                                      \
	_Static_assert(offsetof(struct old, member) == offsetof(struct now, member) && \
			       sizeof(((struct old *)0)->member) ==                    \
				       sizeof(((struct now *)0)->member),              \
		       "a member has moved since ABI 4")

SAME_IN(control_4, control, epoch);
SAME_IN(control_4, control, first_entry);
SAME_IN(control_4, control, plan);
SAME_IN(attachment_entry_4, attachment_entry, addr);
SAME_IN(attachment_entry_4, attachment_entry, attached_ns);
SAME_IN(attachment_entry_4, attachment_entry, table_entries);
SAME_IN(attachment_entry_4, attachment_entry, flow_key);
SAME_IN(attachment_entry_4, attachment_entry, migrates);
SAME_IN(attachment_entry_4, attachment_entry, iterators);
SAME_IN(attachment_entry_4, attachment_entry, uid_plus_1);

/* --------------------------------------------------------------------- any of them */

uint32_t old_abi_entry_size(uint32_t version)
{
	return version == 4 ? sizeof(struct attachment_entry_4) : sizeof(struct attachment_entry);
}

void old_abi_entry(uint32_t version, const void *value, struct attachment_entry *entry)
{
	*entry = (struct attachment_entry){ 0 };
	memcpy(entry, value, old_abi_entry_size(version));
}

void old_abi_control(const void *value, struct control *control)
{
	const struct control_4 *old = value;

	control->first_entry = old->first_entry;
	memcpy(control->plan, old->plan, sizeof(control->plan));
	control->epoch = old->epoch;
}
