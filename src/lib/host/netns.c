// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Network namespaces: find them by name, pid or inode, enter and leave them. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "host/features.h"
#include "host/netns.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define NAMED_DIR "/run/netns"
#define OWN_PATH "/proc/thread-self/ns/net"

int netns_inode_of(const char *path, uint64_t *inode)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	*inode = st.st_ino;
	return 0;
}

int reuseport_netns(const char *name, uint64_t *inode, struct reuseport_error *err)
{
	char path[128];

	if (!name) {
		if (netns_inode_of(OWN_PATH, inode))
			return fail(err, ENOENT,
				    "cannot read this process's network namespace: "
				    "is /proc mounted?");
		return 0;
	}
	if (!*name || strchr(name, '/') || strlen(name) > 64)
		return fail(err, EINVAL, "'%s' is neither a name nor a pid of a network namespace",
			    name);
	snprintf(path, sizeof(path), NAMED_DIR "/%s", name);
	if (!netns_inode_of(path, inode))
		return 0;
	if (strspn(name, "0123456789") == strlen(name)) {
		snprintf(path, sizeof(path), "/proc/%s/ns/net", name);
		if (!netns_inode_of(path, inode))
			return 0;
		return fail(err, ENOENT,
			    "no process has pid %s, and no network namespace has that "
			    "name: 'ip netns list' shows the names",
			    name);
	}
	return fail(err, ENOENT,
		    "no network namespace is named '%s': 'ip netns list' shows the "
		    "names; for a container give the pid of a process in it",
		    name);
}

/* ------------------------------------------------------------ enumeration */

/* Namespaces that an enumeration has visited. */
struct seen {
	uint64_t *inodes;
	size_t n, room;
};

static int was_seen(struct seen *seen, uint64_t inode)
{
	uint64_t *grown;

	for (size_t i = 0; i < seen->n; i++)
		if (seen->inodes[i] == inode)
			return 1;
	if (seen->n == seen->room) {
		grown = realloc(seen->inodes, (seen->room * 2 + 8) * sizeof(*grown));
		if (!grown)
			return 1;
		seen->inodes = grown;
		seen->room = seen->room * 2 + 8;
	}
	seen->inodes[seen->n++] = inode;
	return 0;
}

static int each_named_netns(struct seen *seen, netns_fn fn, void *ctx)
{
	DIR *dir = opendir(NAMED_DIR);
	char path[512];
	struct dirent *entry;
	uint64_t inode = 0;
	int ret = 0;

	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), NAMED_DIR "/%s", entry->d_name);
		if (!netns_inode_of(path, &inode) && !was_seen(seen, inode))
			ret = fn(ctx, inode, entry->d_name, 0);
	}
	closedir(dir);
	return ret;
}

static int each_process_netns(struct seen *seen, netns_fn fn, void *ctx)
{
	DIR *dir = opendir("/proc");
	char path[300];
	struct dirent *entry;
	uint64_t inode = 0;
	int ret = 0;

	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/ns/net", entry->d_name);
		if (!netns_inode_of(path, &inode) && !was_seen(seen, inode))
			ret = fn(ctx, inode, "", strtoul(entry->d_name, NULL, 10));
	}
	closedir(dir);
	return ret;
}

int netns_for_each(netns_fn fn, void *ctx)
{
	struct seen seen = { 0 };
	int ret;

	ret = each_named_netns(&seen, fn, ctx);
	if (!ret)
		ret = each_process_netns(&seen, fn, ctx);
	free(seen.inodes);
	return ret;
}

/* Where to copy the name of a namespace. */
struct netns_naming {
	uint64_t inode;
	char *name;
	size_t size;
};

static int copy_netns_name(void *ctx, uint64_t inode, const char *name, uint32_t pid)
{
	struct netns_naming *naming = ctx;

	(void)pid;
	if (inode == naming->inode)
		snprintf(naming->name, naming->size, "%s", name);
	return inode == naming->inode;
}

void netns_name_of(uint64_t inode, char *name, size_t size)
{
	struct netns_naming naming = { .inode = inode, .name = name, .size = size };
	struct seen seen = { 0 };

	*name = '\0';
	each_named_netns(&seen, copy_netns_name, &naming);
	free(seen.inodes);
}

/* ---------------------------------------------------- entering and leaving */

/* The namespace to open. */
struct wanted {
	uint64_t inode;
	int fd;
};

static int open_if_wanted(void *ctx, uint64_t inode, const char *name, uint32_t pid)
{
	struct wanted *wanted = ctx;
	char path[512];
	struct stat st;

	if (inode != wanted->inode)
		return 0;
	if (*name)
		snprintf(path, sizeof(path), NAMED_DIR "/%s", name);
	else
		snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	wanted->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (wanted->fd >= 0 && (fstat(wanted->fd, &st) || st.st_ino != inode)) {
		close(wanted->fd);
		wanted->fd = -1;
	}
	return wanted->fd >= 0;
}

static int open_netns(uint64_t inode, uint32_t hint_pid)
{
	struct wanted wanted = { .inode = inode, .fd = -1 };
	char path[64];
	uint64_t found = 0;

	if (hint_pid) {
		snprintf(path, sizeof(path), "/proc/%u/ns/net", hint_pid);
		if (!netns_inode_of(path, &found))
			open_if_wanted(&wanted, found, "", hint_pid);
	}
	if (wanted.fd < 0)
		netns_for_each(open_if_wanted, &wanted);
	return wanted.fd;
}

static int netns_is_gone(const struct netns_ref *ref, struct reuseport_error *err)
{
	return fail(err, ENETDOWN, "no network namespace has the inode %llu any more",
		    (unsigned long long)ref->inode);
}

static int move_into_netns(const struct netns_ref *ref, struct netns_visit *visit,
			   struct reuseport_error *err)
{
	int fd = open_netns(ref->inode, ref->hint_pid), code;

	if (fd < 0)
		return netns_is_gone(ref, err);
	visit->home = open(OWN_PATH, O_RDONLY | O_CLOEXEC);
	code = visit->home < 0 || setns(fd, CLONE_NEWNET) ? errno : 0;
	close(fd);
	if (!code)
		return 0;
	if (visit->home >= 0)
		close(visit->home);
	visit->home = -1;
	return fail(err, code, "cannot enter network namespace %llu: %s%s",
		    (unsigned long long)ref->inode, strerror(code),
		    code == EPERM ? "; this needs CAP_SYS_ADMIN; run as root" : "");
}

int netns_enter(const struct netns_ref *ref, struct netns_visit *visit, struct reuseport_error *err)
{
	uint64_t own;
	int ret;

	visit->home = -1;
	if (netns_inode_of(OWN_PATH, &own) || own != ref->inode) {
		ret = move_into_netns(ref, visit, err);
		if (ret)
			return ret;
	}
	if (!ref->cookie || netns_cookie() == ref->cookie)
		return 0;
	netns_leave(visit);
	return netns_is_gone(ref, err);
}

void netns_leave(struct netns_visit *visit)
{
	if (visit->home < 0)
		return;
	/* It cannot fail: the fd is open, and the way in needed the same capability. */
	if (setns(visit->home, CLONE_NEWNET))
		errno = 0;
	close(visit->home);
	visit->home = -1;
}

uint64_t netns_cookie(void)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	int fd;

	if (features_allow(FEATURE_NETNS_COOKIE, "tell network namespaces apart", NULL))
		return 0;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	close(fd);
	return cookie;
}
