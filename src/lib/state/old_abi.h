/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Old ABI: what older versions have pinned and this one carries over, from version 4 on. A
 * version that changes pinned data notes here how it was before.
 *
 * 4: an attachment has a keeper of its own and no maps "events", "ages" and "asked". Of struct
 * control, a word is used otherwise; struct attachment_entry ends earlier. All else is as today.
 */
#ifndef STATE_OLD_ABI_H
#define STATE_OLD_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"

#define OLDEST_ABI_VERSION 4

/* Return whether pins of that version can be carried over. */
static inline bool old_abi_is_known(uint32_t version)
{
	return version >= OLDEST_ABI_VERSION && version < REUSEPORT_ABI_VERSION;
}

/* Return the size of the description in that version. */
uint32_t old_abi_entry_size(uint32_t version);

/* Read a description of that version, as it is in the map. What it did not have is 0; it keeps
 * its version. */
void old_abi_entry(uint32_t version, const void *value, struct attachment_entry *entry);

/* Read a control: the epoch and the plans. */
void old_abi_control(const void *value, struct control *control);

#endif
