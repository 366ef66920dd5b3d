/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Select the worker in a slot, and count what came of it. */
#ifndef BPF_SELECT_H
#define BPF_SELECT_H

#include "maps.h"

#define ENOENT 2

#ifndef likely /* libbpf 1.6 has it */
#define likely(condition) __builtin_expect(!!(condition), 1)
#endif

static __always_inline struct group_counters *get_total(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&totals, &zero);
}

#define COUNT(member)                                        \
	do {                                                 \
		struct group_counters *total_ = get_total(); \
                                                             \
		if (total_)                                  \
			total_->member++;                    \
	} while (0)

/* Count the outcome of a selection and return it. 0: the worker has the packet, or
 * the kernel's own pick will give it to that worker. */
static __always_inline long count_choice(__u32 slot, long err, bool migrating)
{
	struct slot_counters *count = bpf_map_lookup_elem(&counters, &slot);

	if (!count)
		return -ENOENT;
	if (likely(!err && !migrating)) {
		count->selected++;
		barrier(); /* else clang computes an address that the verifier refuses */
	} else if (!err) {
		count->migrated++;
	} else if (err == -ENOENT) {
		count->empty++;
	} else {
		count->refused++;
	}
	return err;
}

static __always_inline long select_slot(struct sk_reuseport_md *ctx, __u32 slot, bool migrating)
{
	return count_choice(slot, bpf_sk_select_reuseport(ctx, &sockets, &slot, 0), migrating);
}

#endif
