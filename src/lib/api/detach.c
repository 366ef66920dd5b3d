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
#include "host/features.h"
#include "host/reuseport_sockopt.h"
#include "keeper/handle_owner.h"
#include "sockets/group_iter.h"
#include "sockets/pidfd_socket.h"
#include "sockets/sock_diag.h"
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
	int lock = pins_take_over(path, err);

	if (lock != -EBUSY)
		return lock;
	lock = detach_end_stuck_keeper(path, err);
	return lock ? lock : pins_lock(path, err);
}

/* ---------------------------------------------------------------- program */

/*
 * Detach our program from the group of these members. A foreign program stays. Where the
 * kernel cannot tell, it is assumed to be ours, since the pins say that it was attached.
 */
static int detach_program(const struct reuseport_key *key, const struct netns_ref *ns,
			  const struct sock_diag_list *members, uint32_t program_id,
			  struct reuseport_error *err)
{
	static const char what[] = "detach the program";
	struct group_program present;
	int ret = features_allow(FEATURE_DETACH, what, err), member;

	if (ret)
		return ret;
	ret = group_iter_program_of(NULL, ns, key->proto, members->sockets[0].cookie, &present,
				    err);
	if (!ret && !present.present)
		return 0;
	if (!ret && present.id != program_id && !group_program_is_ours(present.name))
		return 0;
	if (ret && ret != -EOPNOTSUPP)
		return ret == -ENOENT ? 0 : ret;
	member = pidfd_socket_get_any(members, err);
	if (member < 0)
		return member;
	ret = sockopt_set_program(member, -1);
	close(member);
	if (ret && ret != -ENOENT)
		return features_blame(FEATURE_DETACH, -ret, what, err);
	return 0;
}

/* Give the selection of one group back to the kernel. */
static int detach_group(const struct reuseport_key *key, uint32_t program_id,
			struct reuseport_error *err)
{
	struct netns_ref ns = { .inode = key->netns };
	struct sock_diag_list members;
	int ret;

	ret = sock_diag_members(key, &ns, &members, err);
	/* The sockets went with their namespace, and the program with the sockets. */
	if (ret)
		return ret == -ENETDOWN ? 0 : ret;
	if (members.n)
		ret = detach_program(key, &ns, &members, program_id, err);
	free(members.sockets);
	return ret;
}

/* Give back what is pinned, with the lock on the pins held. */
static int detach_pinned(const char *path, const struct reuseport_key *key,
			 const struct steering *steering, struct reuseport_error *err)
{
	int ret = detach_group(key, steering->program_id, err);

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

/* Detach groups that have a program of ours although their pins were lost. */
static int detach_orphans(const struct reuseport_filter *filter, struct reuseport_error *err)
{
	const struct reuseport_group_info *group;
	struct reuseport_group_list *groups = NULL;
	int ret, count = 0;

	ret = reuseport_list(filter, &groups, err);
	for (size_t i = 0; ret >= 0 && (group = reuseport_group_list__get(groups, i)); i++) {
		if (!group->own)
			continue;
		ret = detach_group(group->key, group->program_id, err);
		count++;
	}
	reuseport_group_list__free(groups);
	if (ret == -EOPNOTSUPP)
		ret = 0;
	return ret ? ret : count;
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

int reuseport_detach(const struct reuseport_filter *from, struct reuseport_error *err)
{
	struct group_key_filter filter;
	struct found_attachment *found = NULL;
	int ret = group_key_filter_place(&filter, from, "detach", err), orphans;
	size_t n = 0;

	if (!ret)
		ret = caps_require("detach", err);
	if (!ret)
		ret = attachment_find(&filter.want, &found, &n, err);
	for (size_t i = 0; !ret && i < n; i++)
		if (handle_owner_has(&found[i].key))
			ret = detach_is_own(&found[i].key, err);
	for (size_t i = 0; !ret && i < n; i++)
		ret = detach_one(found[i].pin, &found[i].key, err);
	free(found);
	if (ret)
		return ret;
	orphans = detach_orphans(&filter.want, err);
	if (orphans < 0)
		return orphans;
	return n || orphans ? (int)n + orphans : attachment_not_found(&filter.want, err);
}
