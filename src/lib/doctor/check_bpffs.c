// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: can the pins be seen, and by whom can they be changed? */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "doctor/checks.h"
#include "state/pin_dir.h"

#define BPFFS_MAGIC 0xcafe4a11

static void find_missing(struct scene *scene, bool hidden)
{
	struct finding *finding = finding_add(scene->findings, "bpffs-missing",
					      hidden ? REUSEPORT_WARNING : REUSEPORT_NOTE, NULL,
					      "");

	if (hidden)
		finding_text(finding, "No bpffs is mounted at " BPFFS " in this private mount "
				      "namespace: what is pinned on the host is not seen.");
	else
		finding_text(finding, "No bpffs is mounted at " BPFFS ": nothing is pinned. The "
				      "first attach mounts one.");
	finding_words(finding, "path", BPFFS);
	finding_mend(finding, "mount -t bpf -o mode=0700 bpf " BPFFS);
}

static void find_unsafe(struct scene *scene)
{
	struct finding *finding = finding_add(scene->findings, "pins-unsafe", REUSEPORT_ERROR, NULL,
					      "");
	struct stat st;

	finding_text(finding, "%s.", scene->pins_error.text);
	finding_words(finding, "path", scene->pins);
	if (stat(scene->pins, &st))
		return;
	finding_number(finding, "uid", st.st_uid);
	/* What another user has made there must be looked at, and removed. */
	if (st.st_uid == 0 || st.st_uid == geteuid())
		finding_mend(finding, "chmod 0700 %s", scene->pins);
}

void check_bpffs(struct scene *scene)
{
	struct statfs fs;

	if (scene->pins_ret == -EPERM)
		find_unsafe(scene);
	else if (scene->pins_ret == -ENODEV || statfs(BPFFS, &fs) ||
		 (unsigned long)fs.f_type != BPFFS_MAGIC)
		find_missing(scene, scene->pins_ret == -ENODEV);
}
