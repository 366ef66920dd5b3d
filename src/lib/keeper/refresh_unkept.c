// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Refresh attachments that have no keeper. */
#include <stdlib.h>

#include "keeper/attach.h"
#include "keeper/refresh_unkept.h"
#include "state/attachment.h"
#include "state/pins.h"

static void refresh_unkept_one(const struct reuseport_key *key)
{
	char pin[REUSEPORT_PATH_MAX];

	if (pins_path(key, false, pin, sizeof(pin), NULL) || pins_locked(pin))
		return;
	attach_refresh(key);
}

void refresh_unkept(const struct reuseport_filter *filter)
{
	struct reuseport_key *keys;
	size_t n;

	if (attachment_find(filter, &keys, &n, NULL))
		return;
	for (size_t i = 0; i < n; i++)
		refresh_unkept_one(&keys[i]);
	free(keys);
}
