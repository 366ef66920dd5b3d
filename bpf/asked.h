/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Asked: what workers have asked for by a socket option, and the plan may not have yet. It holds
 * for the next packet, although no keeper runs.
 *
 * One byte says whether there is anything of that kind, in the cache line of the plan.
 */
#ifndef BPF_ASKED_H
#define BPF_ASKED_H

#include "maps.h"
#include "tell.h"

__noinline __u32 asked_of(__u32 slot)
{
	struct asked_slot *asks = bpf_map_lookup_elem(&asked, &slot);

	return asks ? asks->what : ASKED_NOTHING_MORE;
}

/* Return whether the slot's worker has asked for nothing new. */
static __always_inline bool asks_for_nothing_new(__u32 slot)
{
	return !likely(!control.asked) && asked_of(slot) != ASKED_NOTHING_MORE;
}

/* Return whether its flows go to others. */
static __always_inline bool asks_for_release(__u32 slot)
{
	return !likely(!control.asked) && asked_of(slot) == ASKED_RELEASE;
}

#endif
