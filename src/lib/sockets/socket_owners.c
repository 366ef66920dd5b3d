// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Holders: which processes have a socket open, and which of them serves it. */
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

struct wanted {
	const uint32_t *inodes;
	size_t n;
};

struct fds {
	int *list;
	size_t n, room;
};

static int by_inode(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool is_wanted(const struct wanted *wanted, uint32_t inode)
{
	return bsearch(&inode, wanted->inodes, wanted->n, sizeof(inode), by_inode);
}

static int add_fd(struct fds *fds, int fd)
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

static int add_holder(struct socket_owners *h, uint32_t inode, uint32_t pid, int fd)
{
	struct socket_owner *grown;

	if (h->n == h->room) {
		grown = realloc(h->list, (h->room * 2 + 16) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		h->list = grown;
		h->room = h->room * 2 + 16;
	}
	h->list[h->n++] = (struct socket_owner){ .inode = inode, .pid = pid, .fd = fd };
	return 0;
}

/* The fds of a process, in the order of the directory: ascending. */
static int list_fds(int dirfd, struct fds *fds)
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

/* One line of an epoll set's fdinfo: "tfd: 5 events: .. pos:0 ino:1f2a sdev:8". */
static void mark_served(struct socket_owners *h, size_t from, const char *line)
{
	const char *ino = strstr(line, " ino:");
	uint32_t inode;

	if (strncmp(line, "tfd:", 4) || !ino)
		return;
	inode = strtoul(ino + 5, NULL, 16);
	for (size_t i = from; i < h->n; i++)
		if (h->list[i].inode == inode)
			h->list[i].serves = true;
}

static void read_epoll_set(struct socket_owners *h, size_t from, uint32_t pid, int epfd)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", pid, epfd);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		mark_served(h, from, line);
	fclose(file);
}

/*
 * Looks through the fds from the newest to the oldest: a socket that has just
 * been made is found at once. stop_after bounds how many are to be found.
 */
static int match_fds(struct socket_owners *h, const struct wanted *wanted, uint32_t pid, int dirfd,
		     const struct fds *fds, struct fds *epolls, size_t stop_after)
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
			h->denied |= errno == EACCES;
			continue;
		}
		link[len] = '\0';
		if (!strcmp(link, "anon_inode:[eventpoll]")) {
			ret = add_fd(epolls, fds->list[i]);
		} else if (!strncmp(link, "socket:[", 8)) {
			inode = strtoul(link + 8, NULL, 10);
			if (is_wanted(wanted, inode)) {
				ret = add_holder(h, inode, pid, fds->list[i]);
				found++;
			}
		}
	}
	return ret;
}

static int scan_process(struct socket_owners *h, const struct wanted *wanted, uint32_t pid,
			bool quick)
{
	struct fds fds = { 0 }, epolls = { 0 };
	size_t from = h->n;
	char path[32];
	int dirfd, ret;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		h->denied |= errno == EACCES || errno == EPERM;
		return 0;
	}
	ret = list_fds(dirfd, &fds);
	h->denied |= ret == -EACCES;
	if (!ret)
		ret = match_fds(h, wanted, pid, dirfd, &fds, &epolls,
				quick ? wanted->n : (size_t)-1);
	for (size_t i = 0; !quick && h->n > from && i < epolls.n; i++)
		read_epoll_set(h, from, pid, epolls.list[i]);
	free(fds.list);
	free(epolls.list);
	close(dirfd);
	return ret == -ENOMEM ? ret : 0;
}

static int by_inode_and_pid(const void *a, const void *b)
{
	const struct socket_owner *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* A process that has a socket under several fds counts once. */
static void drop_duplicates(struct socket_owners *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++) {
		if (kept && !by_inode_and_pid(&h->list[kept - 1], &h->list[i]))
			h->list[kept - 1].serves |= h->list[i].serves;
		else
			h->list[kept++] = h->list[i];
	}
	h->n = kept;
}

static int scan_all(struct socket_owners *h, const struct wanted *wanted)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			ret = scan_process(h, wanted, strtoul(entry->d_name, NULL, 10), false);
	closedir(dir);
	return ret;
}

int socket_owners_scan(uint32_t *inodes, size_t n, uint32_t only_pid, struct socket_owners *h)
{
	struct wanted wanted = { inodes, n };
	int ret = 0;

	*h = (struct socket_owners){ 0 };
	if (n)
		qsort(inodes, n, sizeof(*inodes), by_inode);
	if (n)
		ret = only_pid ? scan_process(h, &wanted, only_pid, true) : scan_all(h, &wanted);
	if (ret) {
		free(h->list);
		*h = (struct socket_owners){ 0 };
		return ret;
	}
	if (h->n) {
		qsort(h->list, h->n, sizeof(*h->list), by_inode_and_pid);
		drop_duplicates(h);
	}
	return 0;
}

int socket_owners_scan_members(const struct sock_diag_list *members, struct socket_owners *h)
{
	uint32_t *inodes = calloc(members->n + 1, sizeof(*inodes));
	int ret;

	if (!inodes)
		return -ENOMEM;
	for (size_t i = 0; i < members->n; i++)
		inodes[i] = members->sockets[i].inode;
	ret = socket_owners_scan(inodes, members->n, 0, h);
	free(inodes);
	return ret;
}

size_t socket_owners_of(const struct socket_owners *h, uint32_t inode,
			const struct socket_owner **first)
{
	size_t low = 0, high = h->n, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (h->list[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	*first = h->list + low;
	while (low + n < h->n && h->list[low + n].inode == inode)
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

		/* Forked within one tick: the pid decides. */
		if (!youngest || start >= latest) {
			youngest = &first[i];
			latest = start;
		}
	}
	return youngest;
}
