/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Attachment entry: the pinned description of an attachment. */
#ifndef STATE_ATTACHMENT_ENTRY_H
#define STATE_ATTACHMENT_ENTRY_H

#include "state/steering_maps.h"

/* Read the description, which may be of an older ABI version that is known; *version receives
 * it. -EPROTO: it has another version, or it is damaged. Another -errno says nothing of it. */
int attachment_entry_read(const struct steering *steering, struct attachment_entry *entry,
			  uint32_t *version);

#endif
