// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Network namespaces: find them by name, pid or inode, enter and leave them. */
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
#include "host/proc_dir.h"

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

/* Read the inode of a process's namespace. -ENOENT: the process has ended. */
static int inode_of_process(const char *pid, uint64_t *inode)
{
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
	ret = netns_inode_of(path, inode);
	/* The kernel refuses the access to a process that ends at this moment, too. */
	snprintf(path, sizeof(path), "/proc/%s", pid);
	if (ret == -EACCES && access(path, F_OK) && errno == ENOENT)
		ret = -ENOENT;
	return ret == -ESRCH ? -ENOENT : ret;
}

/* Explain why no namespace has that name. */
static int explain_name(const char *name, bool is_pid, int code, struct reuseport_error *err)
{
	if (code != ENOENT)
		return fail(err, code, "cannot read the network namespace of '%s': %s%s", name,
			    strerror(code), code == EACCES ? "; run as root" : "");
	if (is_pid)
		return fail(err, ENOENT,
			    "no process has pid %s, and no network namespace has that "
			    "name: 'ip netns list' shows the names",
			    name);
	return fail(err, ENOENT,
		    "no network namespace is named '%s': 'ip netns list' shows the "
		    "names; for a container give the pid of a process in it",
		    name);
}

int reuseport_netns(const char *name, uint64_t *inode, struct reuseport_error *err)
{
	bool is_pid;
	char path[128];
	int ret;

	if (!inode)
		return fail(err, EINVAL, "no place for the inode is given");
	if (!name) {
		ret = netns_inode_of(OWN_PATH, inode);
		if (ret == -ENOENT)
			return fail(err, ENOENT,
				    "cannot read this process's network namespace: "
				    "is /proc mounted?");
		return ret ? explain_name("self", false, -ret, err) : 0;
	}
	if (!*name || strchr(name, '/') || strlen(name) > 64)
		return fail(err, EINVAL, "'%s' is neither a name nor a pid of a network namespace",
			    name);
	is_pid = strspn(name, "0123456789") == strlen(name);
	snprintf(path, sizeof(path), NAMED_DIR "/%s", name);
	ret = netns_inode_of(path, inode);
	if (ret == -ENOENT && is_pid)
		ret = inode_of_process(name, inode);
	return ret ? explain_name(name, is_pid, -ret, err) : 0;
}

/* ------------------------------------------------------------ enumeration */

/* Namespaces that an enumeration has visited. */
struct seen {
	uint64_t *inodes;
	size_t n, room;
};

/* Return 1 if the inode was seen before, 0 if not, or -ENOMEM. */
static int was_seen(struct seen *seen, uint64_t inode)
{
	uint64_t *grown;

	for (size_t i = 0; i < seen->n; i++)
		if (seen->inodes[i] == inode)
			return 1;
	if (seen->n == seen->room) {
		grown = realloc(seen->inodes, (seen->room * 2 + 8) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		seen->inodes = grown;
		seen->room = seen->room * 2 + 8;
	}
	seen->inodes[seen->n++] = inode;
	return 0;
}

/* An enumeration: it calls fn for each namespace or, if seen is NULL, for each name and
 * each process. */
struct enumeration {
	struct seen *seen;
	netns_fn fn;
	void *ctx;
};

/* Pass on one that was found, or the error of looking at it. */
static int enumerate_one(struct enumeration *all, int code, uint64_t inode, const char *name,
			 uint32_t pid)
{
	int seen;

	/* Ended, or not to be looked at, which will not change. */
	if (code)
		return code == -ENOENT || code == -EACCES || code == -EPERM ? 0 : code;
	seen = all->seen ? was_seen(all->seen, inode) : 0;
	if (seen)
		return seen < 0 ? seen : 0;
	return all->fn(all->ctx, inode, name, pid);
}

static int each_named_netns(struct enumeration *all)
{
	DIR *dir = opendir(NAMED_DIR);
	char path[512];
	struct dirent *entry;
	uint64_t inode = 0;
	int ret = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!ret && (errno = 0, entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), NAMED_DIR "/%s", entry->d_name);
		ret = netns_inode_of(path, &inode);
		ret = enumerate_one(all, ret, inode, entry->d_name, 0);
	}
	if (!ret && errno)
		ret = -errno;
	closedir(dir);
	return ret;
}

static int each_process_netns(struct enumeration *all)
{
	struct proc_dir dir;
	uint64_t inode = 0;
	char name[24];
	long pid = 0;
	int ret = proc_dir_open(&dir, "/proc");

	while (!ret && (pid = proc_dir_next(&dir)) >= 0) {
		snprintf(name, sizeof(name), "%ld", pid);
		ret = inode_of_process(name, &inode);
		ret = enumerate_one(all, ret, inode, "", pid);
	}
	if (!ret && pid != -ENOENT)
		ret = pid;
	proc_dir_close(&dir);
	return ret;
}

static int enumerate_netns(struct enumeration *all)
{
	int ret = each_named_netns(all);

	if (!ret)
		ret = each_process_netns(all);
	return ret;
}

int netns_for_each(netns_fn fn, void *ctx)
{
	struct seen seen = { 0 };
	struct enumeration all = { .seen = &seen, .fn = fn, .ctx = ctx };
	int ret = enumerate_netns(&all);

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
	struct enumeration all = { .fn = copy_netns_name, .ctx = &naming };

	*name = '\0';
	each_named_netns(&all);
}

/* ---------------------------------------------------- entering and leaving */

/* The namespace to open. */
struct wanted {
	uint64_t inode;
	int fd; /* or -errno: -ENOENT until it is found */
};

/* Open it by this name or process. Return 1 to end the search. */
static int open_if_wanted(void *ctx, uint64_t inode, const char *name, uint32_t pid)
{
	struct wanted *wanted = ctx;
	char path[512];
	struct stat st;
	int fd;

	if (inode != wanted->inode)
		return 0;
	if (*name)
		snprintf(path, sizeof(path), NAMED_DIR "/%s", name);
	else
		snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ESRCH))
		return 0;
	if (fd < 0) {
		/* Another process may be in it that this one may look at. */
		wanted->fd = -errno;
		return errno != EACCES && errno != EPERM;
	}
	if (fstat(fd, &st) || st.st_ino != inode) {
		close(fd);
		return 0;
	}
	wanted->fd = fd;
	return 1;
}

/* Search all names and processes. Return the fd or -errno; -ENOENT: all were looked at. */
static int search_netns(uint64_t inode)
{
	struct wanted wanted = { .inode = inode, .fd = -ENOENT };
	struct enumeration all = { .fn = open_if_wanted, .ctx = &wanted };
	int ret = enumerate_netns(&all);

	return wanted.fd == -ENOENT && ret < 0 ? ret : wanted.fd;
}

static int open_netns(uint64_t inode, uint32_t hint_pid)
{
	struct wanted wanted = { .inode = inode, .fd = -ENOENT };
	char pid[16];
	uint64_t found = 0;

	if (hint_pid) {
		snprintf(pid, sizeof(pid), "%u", hint_pid);
		if (!inode_of_process(pid, &found))
			open_if_wanted(&wanted, found, "", hint_pid);
	}
	if (wanted.fd >= 0)
		return wanted.fd;
	wanted.fd = -ENOENT;
	/* A process that forked and ended meanwhile can escape one search. */
	for (int tries = 0; wanted.fd == -ENOENT && tries < 2; tries++)
		wanted.fd = search_netns(inode);
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

	if (fd == -ENOENT)
		return netns_is_gone(ref, err);
	if (fd < 0)
		return fail(err, -fd,
			    "cannot look for network namespace %llu among all processes: %s%s",
			    (unsigned long long)ref->inode, strerror(-fd),
			    fd == -EACCES ? "; this needs CAP_SYS_PTRACE; run as root" : "");
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

/* Check that the thread's namespace has the cookie that the reference has, if any. */
static int check_cookie(const struct netns_ref *ref, struct reuseport_error *err)
{
	uint64_t cookie;
	int ret;

	if (!ref->cookie)
		return 0;
	ret = netns_cookie(&cookie, err);
	if (ret)
		return ret;
	return cookie == ref->cookie ? 0 : netns_is_gone(ref, err);
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
	ret = check_cookie(ref, err);
	if (ret)
		netns_leave(visit);
	return ret;
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

int netns_cookie(uint64_t *cookie, struct reuseport_error *err)
{
	socklen_t len = sizeof(*cookie);
	int fd, ret = features_allow(FEATURE_NETNS_COOKIE, "tell network namespaces apart", err);

	*cookie = 0;
	if (ret)
		return ret == -EOPNOTSUPP ? 0 : ret;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &len)) {
		*cookie = 0;
		/* The answer of a kernel without cookies is no failure. */
		if (fd < 0 || errno != ENOPROTOOPT)
			ret = fail(err, errno, "cannot read a network namespace's cookie: %s",
				   strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return ret;
}
