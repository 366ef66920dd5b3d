// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_detach(): give selection back to the kernel, whatever state the pins are in. */
#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "host/proc.h"
#include "host/caps.h"
#include "keeper/handle_owner.h"
#include "keeper/program_detach.h"
#include "sockets/group_iter.h"
#include "state/attachment.h"
#include "state/pins.h"
#include "state/sockarray.h"

/* ----------------------------------------------------------------- keeper */

/* Return whether the process has the directory open. */
static bool process_has_open(uint32_t pid, const char *path)
{
	char dir_path[32], link_path[300];
	struct stat wanted, found;
	struct dirent *entry;
	bool has = false;
	DIR *dir;

	snprintf(dir_path, sizeof(dir_path), "/proc/%u/fd", pid);
	dir = opendir(dir_path);
	if (!dir || stat(path, &wanted)) {
		if (dir)
			closedir(dir);
		return false;
	}
	while (!has && (entry = readdir(dir))) {
		snprintf(link_path, sizeof(link_path), "%s/%s", dir_path, entry->d_name);
		has = !stat(link_path, &found) && found.st_ino == wanted.st_ino &&
		      found.st_dev == wanted.st_dev;
	}
	closedir(dir);
	return has;
}

/* Return the pid of another process that has the directory open, or 0. It is looked for
 * in /proc, because the pins that name the keeper may be damaged. */
static uint32_t detach_find_keeper(const char *path)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	uint32_t found = 0, pid;

	if (!dir)
		return 0;
	while (!found && (entry = readdir(dir))) {
		pid = strtoul(entry->d_name, NULL, 10);
		if (pid && pid != (uint32_t)getpid() && process_has_open(pid, path))
			found = pid;
	}
	closedir(dir);
	return found;
}

/* Kill a keeper of the command that does not react. A server that keeps its own group is
 * left alone. */
static int detach_end_stuck_keeper(const char *path, struct reuseport_error *err)
{
	uint32_t pid = detach_find_keeper(path);
	int pidfd = pid ? syscall(SYS_pidfd_open, pid, 0) : -1;
	char comm[16];
	int ret = 0;

	proc_comm(pid, comm);
	if (pidfd >= 0 && strcmp(comm, REUSEPORT_KEEPER_NAME))
		ret = fail(
			err, EBUSY,
			"process %u (%s) keeps %s and does not release it: end the process first",
			pid, comm, path);
	else if (pidfd >= 0)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	fd_close(pidfd);
	return ret;
}

static int detach_lock(const char *path, struct reuseport_error *err)
{
	char request[REUSEPORT_PATH_MAX + 32];
	int lock = pins_take_over(path, err);

	if (lock == -EBUSY)
		lock = detach_end_stuck_keeper(path, err);
	if (!lock)
		lock = pins_lock(path, err);
	/* The keeper goes on: it must not end later, by a request that came to nothing. */
	if (lock < 0)
		rmdir(pins_join(path, PIN_DETACHING, request, sizeof(request)));
	return lock;
}

/* ------------------------------------------------------------ one attachment */

/* Give back what is pinned, with the lock on the pins held. */
static int detach_pinned(const char *path, const struct reuseport_key *key,
			 const struct steering *steering, struct reuseport_error *err)
{
	int ret = program_detach(key, steering, err);

	if (ret)
		return ret;
	if (steering->maps[MAP_SOCKETS] >= 0)
		sockarray_empty(steering->maps[MAP_SOCKETS]);
	ret = pins_remove(path);
	return ret ? fail(err, -ret, "cannot remove %s: %s", path, strerror(-ret)) : 0;
}

int reuseport_group__detach(struct reuseport_group *group, struct reuseport_error *err)
{
	int ret = handle_owner_check(group, err);

	return ret ? ret : detach_pinned(group->at.pin, &group->at.key, &group->at.steering, err);
}

static int detach_one(const char *path, const struct reuseport_key *key,
		      struct reuseport_error *err)
{
	struct steering steering;
	int lock, ret;

	lock = detach_lock(path, err);
	if (lock < 0)
		return lock;
	steering_open(&steering, path);
	ret = detach_pinned(path, key, &steering, err);
	steering_close(&steering);
	close(lock);
	return ret;
}

/* ------------------------------------------------------------------- all */

/*
 * Refuse where a group has a program of this name that is not pinned here: to say "detached"
 * would be wrong, and to take it off may be, as it may be another's. With a key, look at the
 * group of that key only.
 */
static int detach_refuse_unpinned(const struct reuseport_filter *filter,
				  const struct reuseport_key *key, struct reuseport_error *err)
{
	const struct reuseport_group_info *group;
	struct reuseport_group_list *groups = NULL;
	char text[GROUP_KEY_TEXT_LEN];
	int ret = reuseport_list(filter, &groups, err);

	for (size_t i = 0; !ret && (group = reuseport_group_list__get(groups, i)); i++) {
		if (group->own || strcmp(group->program_name, GROUP_PROGRAM_NAME) ||
		    (key && !group_key_equal(group->key, key)))
			continue;
		group_key_text(group->key, text, sizeof(text));
		ret = fail(err, EEXIST,
			   "%s has a program %s (id %u) that is not pinned here: it belongs to "
			   "another bpffs (a container's, say), or its pins were removed: detach "
			   "it there, or force the detach to take it off; nothing was changed",
			   text, group->program_name, group->program_id);
	}
	reuseport_group_list__free(groups);
	return ret;
}

/* To ask ourselves to release the lock would be to wait in vain. */
static int detach_is_own(const struct reuseport_key *key, struct reuseport_error *err)
{
	char text[GROUP_KEY_TEXT_LEN];

	group_key_text(key, text, sizeof(text));
	return fail(err, EDEADLK,
		    "this process keeps %s itself: nothing was detached; use "
		    "reuseport_group__detach()",
		    text);
}

/* Check that the attachment can be detached as a whole, before anything is changed. */
static int detach_check(const struct reuseport_filter *filter, const struct found_attachment *found,
			struct reuseport_error *err)
{
	struct steering steering;
	int ret = handle_owner_has(&found->key) ? detach_is_own(&found->key, err) : 0;

	if (ret)
		return ret;
	steering_open(&steering, found->pin);
	ret = program_detach_check(&found->key, &steering, err);
	/* Without its pin the program may be one that cannot be told from another's. */
	if (!ret && steering.program < 0)
		ret = detach_refuse_unpinned(filter, &found->key, err);
	steering_close(&steering);
	return ret;
}

int reuseport_detach(const struct reuseport_filter *from, struct reuseport_error *err)
{
	struct group_key_filter filter;
	struct found_attachment *found = NULL;
	int ret = group_key_filter_place(&filter, from, "detach", err);
	size_t n = 0;

	if (!ret)
		ret = caps_require("detach", err);
	if (!ret)
		ret = attachment_find(&filter.want, &found, &n, err);
	for (size_t i = 0; !ret && i < n; i++)
		ret = detach_check(&filter.want, &found[i], err);
	for (size_t i = 0; !ret && i < n; i++)
		ret = detach_one(found[i].pin, &found[i].key, err);
	free(found);
	if (!ret && !n)
		ret = detach_refuse_unpinned(&filter.want, NULL, err);
	if (!ret && !n)
		ret = attachment_not_found(&filter.want, err);
	return ret ? ret : (int)n;
}

int reuseport_detach_unpinned(const struct reuseport_filter *from, struct reuseport_error *err)
{
	const struct reuseport_group_info *group;
	struct reuseport_group_list *groups = NULL;
	struct group_key_filter filter;
	int ret = group_key_filter_place(&filter, from, "detach", err), count = 0;

	if (!ret)
		ret = reuseport_list(&filter.want, &groups, err);
	for (size_t i = 0; !ret && (group = reuseport_group_list__get(groups, i)); i++) {
		if (group->own || strcmp(group->program_name, GROUP_PROGRAM_NAME))
			continue;
		ret = program_detach_id(group->key, group->program_id, err);
		count += !ret;
	}
	reuseport_group_list__free(groups);
	if (!ret && !count)
		ret = attachment_not_found(&filter.want, err);
	return ret ? ret : count;
}
