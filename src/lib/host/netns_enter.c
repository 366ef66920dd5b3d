// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Network namespaces: enter and leave them. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "host/caps.h"
#include "host/features.h"
#include "host/netns.h"
#include "host/netns_name.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* The namespace to enter. */
struct wanted {
	uint64_t inode;
	int home; /* the way back */
	int code; /* 0: entered; -ENOENT until it is found */
};

/* Enter what the descriptor means, a namespace or a process. -ENOENT: it is not in the namespace
 * that is wanted any more. */
static int enter_by_fd(const struct wanted *wanted, int fd)
{
	uint64_t own;

	if (setns(fd, CLONE_NEWNET))
		return errno == ESRCH ? -ENOENT : -errno;
	if (!netns_inode_of(NETNS_OWN_PATH, &own) && own == wanted->inode)
		return 0;
	return setns(wanted->home, CLONE_NEWNET) ? -errno : -ENOENT;
}

/* Enter the namespace of a process, by a pidfd: the process cannot make that wait. */
static int enter_by_process(const struct wanted *wanted, uint32_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0), ret;
	char path[64];

	ret = fd < 0 ? -errno : enter_by_fd(wanted, fd);
	fd_close(fd);
	if (ret != -EINVAL)
		return ret == -ESRCH ? -ENOENT : ret;
	/* Linux before 5.8. */
	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = fd < 0 ? -errno : enter_by_fd(wanted, fd);
	fd_close(fd);
	return ret;
}

static int enter_by_name(const struct wanted *wanted, const char *name)
{
	uint32_t pid;
	int fd = netns_name_open(name, &pid), ret;

	/* The process itself will be found. */
	if (fd == -EXDEV || fd == -ENOTTY)
		return -ENOENT;
	ret = fd < 0 ? fd : enter_by_fd(wanted, fd);
	fd_close(fd);
	return ret;
}

/* Enter it by this name or process. Return 1 to end the search. */
static int enter_if_wanted(void *ctx, uint64_t inode, const char *name, uint32_t pid)
{
	struct wanted *wanted = ctx;
	int ret;

	if (inode != wanted->inode)
		return 0;
	ret = *name ? enter_by_name(wanted, name) : enter_by_process(wanted, pid);
	if (ret != -ENOENT)
		wanted->code = ret;
	/* Another process may be in it that this one may look at. */
	return ret != -ENOENT && ret != -EACCES;
}

/* Search all names and processes. Return 0 or -errno; -ENOENT: all were looked at. */
static int search_netns(struct wanted *wanted)
{
	int ret = netns_for_each_place(enter_if_wanted, wanted);

	return wanted->code == -ENOENT && ret < 0 ? ret : wanted->code;
}

static int enter_wanted(struct wanted *wanted, uint32_t hint_pid)
{
	int ret;

	if (hint_pid && !enter_by_process(wanted, hint_pid))
		return wanted->code = 0;
	ret = -ENOENT;
	/* A process that forked and ended meanwhile can escape one search. */
	for (int tries = 0; ret == -ENOENT && tries < 2; tries++)
		ret = search_netns(wanted);
	return ret;
}

static int netns_is_gone(const struct netns_ref *ref, struct reuseport_error *err)
{
	return fail(err, ENETDOWN, "no network namespace has the inode %llu any more",
		    (unsigned long long)ref->inode);
}

/* Explain what prevented to find or to enter it. */
static int explain_enter(const struct netns_ref *ref, int code, bool found,
			 struct reuseport_error *err)
{
	unsigned long long inode = ref->inode;

	if (found)
		return fail(err, code, "cannot enter network namespace %llu: %s%s%s", inode,
			    strerror(code), code == EPERM ? "; this needs CAP_SYS_ADMIN; " : "",
			    code == EPERM ? caps_advice() : "");
	return fail(err, code, "cannot look for network namespace %llu among all processes: %s%s%s",
		    inode, strerror(code), code == EACCES ? "; this needs CAP_SYS_PTRACE; " : "",
		    code == EACCES ? caps_advice() : "");
}

static int move_into_netns(const struct netns_ref *ref, struct netns_visit *visit,
			   struct reuseport_error *err)
{
	struct wanted wanted = { .inode = ref->inode, .code = -ENOENT };
	int ret;

	wanted.home = open(NETNS_OWN_PATH, O_RDONLY | O_CLOEXEC);
	if (wanted.home < 0)
		return explain_enter(ref, errno, true, err);
	ret = enter_wanted(&wanted, ref->hint_pid);
	if (!ret) {
		visit->home = wanted.home;
		return 0;
	}
	close(wanted.home);
	if (ret == -ENOENT)
		return netns_is_gone(ref, err);
	return explain_enter(ref, -ret, wanted.code == ret && ret != -EACCES, err);
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
	if (netns_inode_of(NETNS_OWN_PATH, &own) || own != ref->inode) {
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
