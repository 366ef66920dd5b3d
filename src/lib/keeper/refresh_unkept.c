// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Refresh attachments that have no keeper. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "keeper/attach.h"
#include "keeper/refresh_unkept.h"
#include "state/attachment.h"
#include "state/kept.h"
#include "state/pins.h"

static int refresh_now(const struct found_attachment *found, int dir, const char *path,
		       struct reuseport_error *err)
{
	struct reuseport_key key = found->key;
	char text[GROUP_KEY_TEXT_LEN];
	struct reuseport_error error;
	int ret;

	/* A later namespace may have its inode: then its pins are removed. */
	key.netns_cookie = 0;
	ret = attach_refresh(&key, &error);
	/* Meanwhile a keeper may have started, or a detach removed the pins. */
	if (!ret || kept_by_process(dir) == 1 || pins_are_gone(dir, path))
		return 0;
	group_key_text(&key, text, sizeof(text));
	return fail(err, error.code,
		    "cannot look which workers of %s joined and left while it had no keeper: "
		    "%.300s; nothing was changed",
		    text, error.text);
}

static int refresh_unkept_one(const struct found_attachment *found, struct reuseport_error *err)
{
	char path[REUSEPORT_PATH_MAX];
	int dir = pins_open(pins_name_in(found->pin), path, sizeof(path), err), ret;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	ret = kept_by_process(dir);
	if (ret < 0)
		fail(err, -ret, "cannot examine %s: %s", path, strerror(-ret));
	else
		ret = ret ? 0 : refresh_now(found, dir, path, err);
	close(dir);
	return ret;
}

int refresh_unkept(const struct reuseport_filter *filter, struct reuseport_error *err)
{
	struct found_attachment *found = NULL;
	size_t n = 0;
	int ret = 0;

	/* The caller refuses it. */
	if (!filter || !filter->port)
		return 0;
	ret = attachment_find(filter, &found, &n, NULL, err);
	for (size_t i = 0; !ret && i < n; i++)
		ret = refresh_unkept_one(&found[i], err);
	free(found);
	return ret;
}
