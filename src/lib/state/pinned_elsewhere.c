// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Pinned elsewhere: whether any bpffs of this mount namespace has a program pinned. */
#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "state/pinned_elsewhere.h"
#include "state/pins.h"
#include "state/steering_maps.h"

struct pinned_search {
	uint32_t program_id;
	char *path;
	struct reuseport_error *err;
};

/* Return 1, which ends the search, if the program is pinned in the directory. */
static int pinned_check(void *ctx, const struct pins_entry *entry)
{
	struct pinned_search *search = ctx;
	struct steering steering;
	bool owns;
	int ret;

	if (entry->dir < 0)
		return 0;
	ret = steering_open(&steering, entry->dir);
	if (ret && ret != -ENOENT)
		return fail(search->err, -ret, "cannot open the pins in %s: %s", entry->path,
			    strerror(-ret));
	owns = steering_owns(&steering, search->program_id);
	steering_close(&steering);
	if (owns)
		snprintf(search->path, REUSEPORT_PATH_MAX, "%s", entry->path);
	return owns;
}

int pinned_elsewhere(uint32_t program_id, char path[REUSEPORT_PATH_MAX],
		     struct reuseport_error *err)
{
	struct pinned_search search = { program_id, path, err };
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent entry;
	char buffer[4096];
	int ret = 0;

	if (!mounts)
		return fail(err, errno, "cannot read /proc/self/mounts: %s", strerror(errno));
	while (!ret && getmntent_r(mounts, &entry, buffer, sizeof(buffer))) {
		if (strcmp(entry.mnt_type, "bpf"))
			continue;
		ret = pins_for_each_at(entry.mnt_dir, pinned_check, &search, err);
		/* Another user's. */
		if (ret == -EPERM || ret == -EACCES)
			ret = 0;
	}
	endmntent(mounts);
	return ret;
}
