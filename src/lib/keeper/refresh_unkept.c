// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Refresh attachments that have no keeper. */
#include <stdlib.h>
#include <unistd.h>

#include "keeper/attach.h"
#include "keeper/refresh_unkept.h"
#include "state/attachment.h"
#include "state/pins.h"

static void refresh_unkept_one(const struct found_attachment *found)
{
	struct reuseport_key key = found->key;
	char path[REUSEPORT_PATH_MAX];
	int dir = pins_open(pins_name_in(found->pin), path, sizeof(path), NULL);
	bool unkept;

	if (dir < 0)
		return;
	unkept = pins_locked(dir) == 0;
	close(dir);
	/* A later namespace may have its inode: then its pins are removed. */
	key.netns_cookie = 0;
	if (unkept)
		attach_refresh(&key);
}

void refresh_unkept(const struct reuseport_filter *filter)
{
	struct found_attachment *found;
	size_t n;

	if (attachment_find(filter, &found, &n, NULL, NULL))
		return;
	for (size_t i = 0; i < n; i++)
		refresh_unkept_one(&found[i]);
	free(found);
}
