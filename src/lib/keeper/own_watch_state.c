// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Own watch, its state: the look that runs, and when the next one begins. */
#include <stdlib.h>

#include "keeper/own_watch_state.h"

int own_watch_fd(const struct own_watch *watch, uint64_t *until)
{
	*until = !watch ? UINT64_MAX : watch->look ? look_until(watch->look) : watch->at;
	return watch && watch->look ? look_fd(watch->look) : -1;
}

void own_watch_free(struct own_watch *watch)
{
	if (watch)
		look_free(watch->look);
	free(watch);
}
