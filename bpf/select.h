/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Select the worker in a slot, and count what came of it. */
#ifndef BPF_SELECT_H
#define BPF_SELECT_H

#include "maps.h"
#include "tell.h"

#define ENOENT 2

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
static __always_inline long count_choice(struct sk_reuseport_md *ctx, __u32 slot, long err,
					 bool migrating)
{
	struct slot_counters *count = bpf_map_lookup_elem(&counters, &slot);

	if (!count)
		return -ENOENT;
	if (likely(!err && !migrating)) {
		count->selected++;
		barrier(); /* else clang computes an address that the verifier refuses */
		if (tells && !plain_reads && !(count->selected % TELL_SAMPLE))
			tell_sampled(ctx);
	} else if (!err) {
		count->migrated++;
	} else if (err == -ENOENT) {
		count->empty++;
		tell_of_empty_slot();
	} else {
		count->refused++;
	}
	return err;
}

static __always_inline long select_slot(struct sk_reuseport_md *ctx, __u32 slot, bool migrating)
{
	return count_choice(ctx, slot, bpf_sk_select_reuseport(ctx, &sockets, &slot, 0), migrating);
}

#endif
