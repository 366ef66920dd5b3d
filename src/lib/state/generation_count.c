// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Generation count: how many workers are of a generation. */
#include "state/generation_count.h"

unsigned int generation_count(const struct attachment *at, uint32_t generation, bool able)
{
	unsigned int count = 0;

	for (unsigned int slot = 0; slot < at->entry.slots; slot++) {
		const struct worker_entry *entry = &at->view.workers[slot];

		if (entry->state == WORKER_FREE || entry->generation != generation ||
		    (able && (entry->state != WORKER_ACTIVE || !entry->weight)))
			continue;
		count += attachment_has_worker(at, slot);
	}
	return count;
}
