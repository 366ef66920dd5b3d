// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Network namespaces: find them by name, pid or inode. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "host/look.h"
#include "host/netns.h"
#include "host/netns_name.h"
#include "host/netns_names.h"
#include "host/proc_dir.h"

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

/* A process and its namespace, as a look reports it. */
struct netns_of_process {
	int32_t code; /* of reading it: 0 or -errno */
	uint32_t pid;
	uint64_t inode;
};

static int look_at_netns(struct look_report *report, struct netns_of_process *of)
{
	char name[24];

	if (!look_at(report, of->pid))
		return 0;
	snprintf(name, sizeof(name), "%u", of->pid);
	of->code = inode_of_process(name, &of->inode);
	return look_tell(report, of);
}

static int look_at_one(struct look_report *report, void *arg)
{
	return look_at_netns(report, arg);
}

static void take_one(void *ctx, const void *record)
{
	memcpy(ctx, record, sizeof(struct netns_of_process));
}

/* Read the inode of a process's namespace. -ETIMEDOUT: the process does not allow it. */
static int look_up_process(uint32_t pid, uint64_t *inode)
{
	struct netns_of_process asked = { .pid = pid }, of = { .code = -ETIMEDOUT };
	const struct look_job job = { .run = look_at_one,
				      .arg = &asked,
				      .record = sizeof(of),
				      .take = take_one,
				      .ctx = &of };
	int ret = look_run(&job);

	if (!ret)
		ret = of.code;
	if (!ret)
		*inode = of.inode;
	return ret;
}

/* Read the inode of a namespace by its name. -ENOENT, -ENOTTY: see netns_name_open(). */
static int look_up_name(const char *name, uint64_t *inode)
{
	uint32_t pid;
	int fd = netns_name_open(name, &pid), ret;
	struct stat st;

	if (fd == -EXDEV)
		return look_up_process(pid, inode);
	if (fd < 0)
		return fd;
	ret = fstat(fd, &st) ? -errno : 0;
	close(fd);
	*inode = st.st_ino;
	return ret;
}

/* Look a name up that may not be there: to open it would wait for whoever holds the directory. */
static int look_up_word(const char *name, bool is_pid, uint64_t *inode)
{
	int ret = netns_names_have(name);

	if (ret > 0)
		return look_up_name(name, inode);
	if (is_pid && (!ret || ret == -ETIMEDOUT))
		return look_up_process(strtoul(name, NULL, 10), inode);
	return ret ? ret : -ENOENT;
}

/* Explain why no namespace has that name. */
static int explain_name(const char *name, bool is_pid, int code, struct reuseport_error *err)
{
	if (code == ETIMEDOUT && !is_pid)
		return fail(
			err, code,
			"cannot look for network namespace '%s': a process holds " NETNS_NAMED_DIR
			"; give the pid of a process in it",
			name);
	if (code == ETIMEDOUT)
		return fail(err, code,
			    "process %s does not let itself be inspected: give the name of its "
			    "network namespace, or the pid of another process in it",
			    name);
	if (code == ENOTTY)
		return fail(err, EINVAL,
			    NETNS_NAMED_DIR "/%s is no network namespace: 'ip netns list' shows "
					    "the names",
			    name);
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
	int ret;

	if (!inode)
		return fail(err, EINVAL, "no place for the inode is given");
	if (!name) {
		ret = netns_inode_of(NETNS_OWN_PATH, inode);
		if (ret == -ENOENT)
			return fail(err, ENOENT,
				    "cannot read this process's network namespace: "
				    "is /proc mounted?");
		return ret ? explain_name("self", false, -ret, err) : 0;
	}
	if (!*name || strchr(name, '/') || strlen(name) > 64 || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return fail(err, EINVAL, "'%s' is neither a name nor a pid of a network namespace",
			    name);
	is_pid = strspn(name, "0123456789") == strlen(name);
	ret = look_up_word(name, is_pid, inode);
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
	bool partial; /* something was not looked at, since a process holds it */
};

/* Pass on one that was found, or the error of looking at it. */
static int enumerate_one(struct enumeration *all, int code, uint64_t inode, const char *name,
			 uint32_t pid)
{
	int seen;

	if (code == -ENOTTY && all->seen)
		netns_name_warn(name);
	/* Ended, or not to be looked at, which will not change. */
	if (code == -ENOTTY || code == -ETIMEDOUT)
		return 0;
	if (code)
		return code == -ENOENT || code == -EACCES || code == -EPERM ? 0 : code;
	seen = all->seen ? was_seen(all->seen, inode) : 0;
	if (seen)
		return seen < 0 ? seen : 0;
	return all->fn(all->ctx, inode, name, pid);
}

static int each_named_netns(struct enumeration *all)
{
	struct netns_names names;
	const char *name = NULL;
	uint64_t inode = 0;
	int ret = netns_names_read(&names);

	if (ret == -ETIMEDOUT) {
		all->partial = true;
		ret = 0;
	}
	while (!ret && (name = netns_names_next(&names, name))) {
		ret = look_up_name(name, &inode);
		ret = enumerate_one(all, ret, inode, name, 0);
	}
	netns_names_free(&names);
	return ret;
}

/* Each process. The enumeration is over when "result" is not 0. */
struct process_enumeration {
	struct enumeration *all;
	int result;
};

/* Look at each process: it can make that wait. */
static int look_at_processes(struct look_report *report, void *arg)
{
	const struct process_enumeration *each = arg;
	struct netns_of_process of = { 0 };
	struct proc_dir dir;
	long pid = 0;
	int ret = proc_dir_open(&dir, "/proc");

	while (!ret && !each->result && (pid = proc_dir_next(&dir)) >= 0) {
		of.pid = pid;
		ret = look_at_netns(report, &of);
	}
	if (!ret && pid != -ENOENT)
		ret = pid;
	proc_dir_close(&dir);
	return ret;
}

static void take_process(void *ctx, const void *record)
{
	const struct netns_of_process *of = record;
	struct process_enumeration *each = ctx;

	if (!each->result)
		each->result = enumerate_one(each->all, of->code, of->inode, "", of->pid);
}

static int each_process_netns(struct enumeration *all)
{
	struct process_enumeration each = { .all = all };
	const struct look_job job = { .run = look_at_processes,
				      .arg = &each,
				      .record = sizeof(struct netns_of_process),
				      .take = take_process,
				      .ctx = &each };
	int ret = look_run(&job);

	if (ret == -ETIMEDOUT) {
		all->partial = true;
		ret = 0;
	}
	return each.result ? each.result : ret;
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

int netns_for_each_place(netns_fn fn, void *ctx)
{
	struct enumeration all = { .fn = fn, .ctx = ctx };
	int ret = enumerate_netns(&all);

	return !ret && all.partial ? -ETIMEDOUT : ret;
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
