// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Socket owners: which processes have a socket open, and which of them serves it. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/proc.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

/* The inodes to look for, sorted. */
struct inode_list {
	const uint32_t *inodes;
	size_t n;
};

struct fd_list {
	int *list;
	size_t n, room;
};

static int compare_inodes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool is_wanted(const struct inode_list *wanted, uint32_t inode)
{
	return bsearch(&inode, wanted->inodes, wanted->n, sizeof(inode), compare_inodes);
}

static int add_fd(struct fd_list *fds, int fd)
{
	int *grown;

	if (fds->n == fds->room) {
		grown = realloc(fds->list, (fds->room * 2 + 64) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		fds->list = grown;
		fds->room = fds->room * 2 + 64;
	}
	fds->list[fds->n++] = fd;
	return 0;
}

static int add_owner(struct socket_owners *owners, uint32_t inode, uint32_t pid, int fd)
{
	struct socket_owner *grown;

	if (owners->n == owners->room) {
		grown = realloc(owners->list, (owners->room * 2 + 16) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		owners->list = grown;
		owners->room = owners->room * 2 + 16;
	}
	owners->list[owners->n++] = (struct socket_owner){ .inode = inode, .pid = pid, .fd = fd };
	return 0;
}

/* List the fds of a process, in the order of the directory: ascending. */
static int list_fds(int dirfd, struct fd_list *fds)
{
	DIR *dir = fdopendir(dup(dirfd));
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return -errno;
	rewinddir(dir);
	while (!ret && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			ret = add_fd(fds, strtol(entry->d_name, NULL, 10));
	closedir(dir);
	return ret;
}

/* Mark the owners that a line of an epoll set's fdinfo names. The line reads
 * "tfd: 5 events: .. pos:0 ino:1f2a sdev:8". */
static void mark_served(struct socket_owners *owners, size_t from, const char *line)
{
	const char *ino = strstr(line, " ino:");
	uint32_t inode;

	if (strncmp(line, "tfd:", 4) || !ino)
		return;
	inode = strtoul(ino + 5, NULL, 16);
	for (size_t i = from; i < owners->n; i++)
		if (owners->list[i].inode == inode)
			owners->list[i].serves = true;
}

static void read_epoll_set(struct socket_owners *owners, size_t from, uint32_t pid, int epfd)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", pid, epfd);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		mark_served(owners, from, line);
	fclose(file);
}

/*
 * Search the fds from the newest to the oldest, so that a new socket is found at once.
 * Stop after the given number of finds.
 */
static int match_fds(struct socket_owners *owners, const struct inode_list *wanted, uint32_t pid,
		     int dirfd, const struct fd_list *fds, struct fd_list *epolls,
		     size_t stop_after)
{
	size_t found = 0;
	int ret = 0;

	for (size_t i = fds->n; !ret && i-- > 0 && found < stop_after;) {
		char name[16], link[64];
		uint32_t inode;
		ssize_t len;

		snprintf(name, sizeof(name), "%d", fds->list[i]);
		len = readlinkat(dirfd, name, link, sizeof(link) - 1);
		if (len < 0) {
			owners->denied |= errno == EACCES;
			continue;
		}
		link[len] = '\0';
		if (!strcmp(link, "anon_inode:[eventpoll]")) {
			ret = add_fd(epolls, fds->list[i]);
		} else if (!strncmp(link, "socket:[", 8)) {
			inode = strtoul(link + 8, NULL, 10);
			if (is_wanted(wanted, inode)) {
				ret = add_owner(owners, inode, pid, fds->list[i]);
				found++;
			}
		}
	}
	return ret;
}

static int scan_process(struct socket_owners *owners, const struct inode_list *wanted, uint32_t pid,
			bool quick)
{
	struct fd_list fds = { 0 }, epolls = { 0 };
	size_t from = owners->n;
	char path[32];
	int dirfd, ret;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		owners->denied |= errno == EACCES || errno == EPERM;
		return 0;
	}
	ret = list_fds(dirfd, &fds);
	owners->denied |= ret == -EACCES;
	if (!ret)
		ret = match_fds(owners, wanted, pid, dirfd, &fds, &epolls,
				quick ? wanted->n : (size_t)-1);
	for (size_t i = 0; !quick && owners->n > from && i < epolls.n; i++)
		read_epoll_set(owners, from, pid, epolls.list[i]);
	free(fds.list);
	free(epolls.list);
	close(dirfd);
	return ret == -ENOMEM ? ret : 0;
}

static int compare_owners(const void *a, const void *b)
{
	const struct socket_owner *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* Keep one entry for a process that has a socket under several fds. */
static void drop_duplicates(struct socket_owners *owners)
{
	size_t kept = 0;

	for (size_t i = 0; i < owners->n; i++) {
		if (kept && !compare_owners(&owners->list[kept - 1], &owners->list[i]))
			owners->list[kept - 1].serves |= owners->list[i].serves;
		else
			owners->list[kept++] = owners->list[i];
	}
	owners->n = kept;
}

static int scan_all(struct socket_owners *owners, const struct inode_list *wanted)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			ret = scan_process(owners, wanted, strtoul(entry->d_name, NULL, 10), false);
	closedir(dir);
	return ret;
}

int socket_owners_scan(uint32_t *inodes, size_t n, uint32_t only_pid, struct socket_owners *owners)
{
	struct inode_list wanted = { inodes, n };
	int ret = 0;

	*owners = (struct socket_owners){ 0 };
	if (n)
		qsort(inodes, n, sizeof(*inodes), compare_inodes);
	if (n)
		ret = only_pid ? scan_process(owners, &wanted, only_pid, true) :
				 scan_all(owners, &wanted);
	if (ret) {
		free(owners->list);
		*owners = (struct socket_owners){ 0 };
		return ret;
	}
	if (owners->n) {
		qsort(owners->list, owners->n, sizeof(*owners->list), compare_owners);
		drop_duplicates(owners);
	}
	return 0;
}

int socket_owners_scan_members(const struct sock_diag_list *members, struct socket_owners *owners)
{
	uint32_t *inodes = calloc(members->n + 1, sizeof(*inodes));
	int ret;

	if (!inodes)
		return -ENOMEM;
	for (size_t i = 0; i < members->n; i++)
		inodes[i] = members->sockets[i].inode;
	ret = socket_owners_scan(inodes, members->n, 0, owners);
	free(inodes);
	return ret;
}

size_t socket_owners_of(const struct socket_owners *owners, uint32_t inode,
			const struct socket_owner **first)
{
	size_t low = 0, high = owners->n, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (owners->list[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	*first = owners->list + low;
	while (low + n < owners->n && owners->list[low + n].inode == inode)
		n++;
	return n;
}

const struct socket_owner *socket_owners_server(const struct socket_owner *first, size_t n)
{
	const struct socket_owner *youngest = NULL;
	unsigned long long latest = 0;

	for (size_t i = 0; i < n; i++)
		if (first[i].serves)
			return &first[i];
	if (n == 1)
		return first;
	for (size_t i = 0; i < n; i++) {
		unsigned long long start = proc_stat(first[i].pid, PROC_STAT_START);

		/* Of processes forked within one tick, the last by pid. */
		if (!youngest || start >= latest) {
			youngest = &first[i];
			latest = start;
		}
	}
	return youngest;
}
