// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Owner scan: search /proc for the processes that have sockets open, in steps of bounded
 * work.
 */
#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/proc.h"
#include "host/proc_dir.h"
#include "sockets/owner_scan.h"

/*
 * fdinfo of an epoll set lists all its sockets at once: 2 us each, and so long the server
 * waits for the set. In a process with more descriptors than this one, kcmp() tests each
 * owned socket instead: 35 ns for each in the set.
 */
#define FDINFO_MAX 1024
/* The cost of both, in descriptors looked at. */
#define FDINFO_COST(fds) (1 + (fds) / 8)
#define KCMP_COST(fds) (1 + (fds) / 256)

#define WINDOW 256 /* of descriptor numbers */
#define NEAR_FDS 8 /* a server makes its sockets one after the other */
#define FD_LIMIT (1 << 30)

struct fd_list {
	int *list;
	size_t n, room;
};

struct owner_scan {
	uint32_t *inodes; /* to look for, sorted */
	size_t n_inodes;
	struct socket_owners owners;
	struct proc_dir processes;
	struct proc_dir fds;   /* of one process */
	uint32_t pid;          /* of that process */
	unsigned int seen;     /* the number of its descriptors so far */
	size_t first;          /* its first owner; the last of all is its last */
	struct fd_list epolls; /* its epoll sets, not looked into yet */
	size_t next;           /* the owner to look for in the last of them */
};

static int compare_inodes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool is_wanted(const struct owner_scan *scan, uint32_t inode)
{
	return bsearch(&inode, scan->inodes, scan->n_inodes, sizeof(inode), compare_inodes);
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

/* ------------------------------------------------------------ descriptors */

enum fd_kind { FD_OTHER, FD_SOCKET, FD_EPOLL };

/* Return what a descriptor is, or -errno; *inode receives that of a socket. */
static int read_fd(const struct proc_dir *fds, int fd, uint32_t *inode)
{
	char name[16], link[64];
	ssize_t len;

	snprintf(name, sizeof(name), "%d", fd);
	len = readlinkat(fds->fd, name, link, sizeof(link) - 1);
	if (len < 0)
		return -errno;
	link[len] = '\0';
	if (!strcmp(link, "anon_inode:[eventpoll]"))
		return FD_EPOLL;
	if (strncmp(link, "socket:[", 8))
		return FD_OTHER;
	*inode = strtoul(link + 8, NULL, 10);
	return FD_SOCKET;
}

static int open_fds(uint32_t pid, struct proc_dir *fds)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	return proc_dir_open(fds, path);
}

static int scan_fd(struct owner_scan *scan, int fd)
{
	uint32_t inode;
	int kind = read_fd(&scan->fds, fd, &inode);

	scan->seen++;
	scan->owners.denied |= kind == -EACCES;
	if (kind == FD_EPOLL)
		return add_fd(&scan->epolls, fd);
	if (kind == FD_SOCKET && is_wanted(scan, inode))
		return add_owner(&scan->owners, inode, scan->pid, fd);
	return 0;
}

/* ------------------------------------------------------------- epoll sets */

/* Mark the owners that a line of an epoll set's fdinfo names. The line reads
 * "tfd: 5 events: .. pos:0 ino:1f2a sdev:8". */
static void mark_served(struct owner_scan *scan, const char *line)
{
	const char *ino = strstr(line, " ino:");
	uint32_t inode;

	if (strncmp(line, "tfd:", 4) || !ino)
		return;
	inode = strtoul(ino + 5, NULL, 16);
	for (size_t i = scan->first; i < scan->owners.n; i++)
		if (scan->owners.list[i].inode == inode)
			scan->owners.list[i].serves = true;
}

static void read_epoll_set(struct owner_scan *scan, int epfd)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", scan->pid, epfd);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		mark_served(scan, line);
	fclose(file);
}

/* Return whether the socket is in the epoll set, under the owner's descriptor; 1 or 0, or
 * -errno if the kernel cannot tell. */
static int is_in_epoll_set(const struct socket_owner *owner, int epfd)
{
	struct kcmp_epoll_slot slot = { .efd = epfd, .tfd = owner->fd };

	if (!syscall(SYS_kcmp, owner->pid, owner->pid, KCMP_EPOLL_TFD, owner->fd, &slot))
		return 1;
	return errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP ? -errno : 0;
}

/* Look into the last epoll set for the owned sockets: all of them, or the next one. */
static void scan_epoll_set(struct owner_scan *scan, unsigned int *cost)
{
	int epfd = scan->epolls.list[scan->epolls.n - 1], in_set = -ENOSYS;

	if (scan->seen > FDINFO_MAX)
		in_set = is_in_epoll_set(&scan->owners.list[scan->next], epfd);
	if (in_set >= 0) {
		*cost = KCMP_COST(scan->seen);
		scan->owners.list[scan->next++].serves |= in_set;
	} else {
		*cost = FDINFO_COST(scan->seen);
		read_epoll_set(scan, epfd);
		scan->next = scan->owners.n;
	}
	if (scan->next == scan->owners.n) {
		scan->epolls.n--;
		scan->next = scan->first;
	}
}

/* -------------------------------------------------------------- processes */

static void begin_process(struct owner_scan *scan, uint32_t pid)
{
	int ret = open_fds(pid, &scan->fds);

	scan->owners.denied |= ret == -EACCES || ret == -EPERM;
	scan->pid = pid;
	scan->seen = 0;
	scan->first = scan->next = scan->owners.n;
}

/* All descriptors have been looked at: epoll sets matter where there is an owner. */
static void end_fds(struct owner_scan *scan)
{
	uint64_t start;

	proc_dir_close(&scan->fds);
	if (scan->first == scan->owners.n) {
		scan->epolls.n = 0;
		return;
	}
	start = proc_stat(scan->pid, PROC_STAT_START);
	for (size_t i = scan->first; i < scan->owners.n; i++)
		scan->owners.list[i].start = start;
}

/* Look at a descriptor, an epoll set or the next process. Return 1 if there is none. */
static int scan_one(struct owner_scan *scan, unsigned int *cost)
{
	long next;

	*cost = 1;
	if (scan->fds.fd >= 0) {
		next = proc_dir_next(&scan->fds);
		if (next >= 0)
			return scan_fd(scan, next);
		scan->owners.denied |= next == -EACCES;
		end_fds(scan);
	}
	if (scan->epolls.n) {
		scan_epoll_set(scan, cost);
		return 0;
	}
	next = proc_dir_next(&scan->processes);
	if (next < 0)
		return 1;
	begin_process(scan, next);
	return 0;
}

/* ------------------------------------------------------------------- scan */

int owner_scan_begin(const uint32_t *inodes, size_t n, struct owner_scan **out)
{
	struct owner_scan *scan = calloc(1, sizeof(*scan));
	int ret = -ENOMEM;

	if (!scan)
		return ret;
	scan->processes.fd = scan->fds.fd = -1;
	scan->inodes = malloc((n + 1) * sizeof(*inodes));
	if (scan->inodes)
		/* Nothing to look for: it is done at once. */
		ret = n ? proc_dir_open(&scan->processes, "/proc") : 0;
	if (ret) {
		owner_scan_free(scan);
		return ret;
	}
	if (n) {
		memcpy(scan->inodes, inodes, n * sizeof(*inodes));
		qsort(scan->inodes, n, sizeof(*inodes), compare_inodes);
	}
	scan->n_inodes = n;
	*out = scan;
	return 0;
}

int owner_scan_step(struct owner_scan *scan, unsigned int budget)
{
	unsigned int cost;
	int ret = 0;

	while (budget && !ret) {
		ret = scan_one(scan, &cost);
		budget -= cost < budget ? cost : budget;
	}
	if (ret)
		proc_dir_close(&scan->processes);
	return ret;
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

void owner_scan_end(struct owner_scan *scan, struct socket_owners *owners)
{
	*owners = scan->owners;
	scan->owners = (struct socket_owners){ 0 };
	owner_scan_free(scan);
	if (owners->n) {
		qsort(owners->list, owners->n, sizeof(*owners->list), compare_owners);
		drop_duplicates(owners);
	}
}

void owner_scan_free(struct owner_scan *scan)
{
	if (!scan)
		return;
	proc_dir_close(&scan->processes);
	proc_dir_close(&scan->fds);
	free(scan->inodes);
	free(scan->epolls.list);
	free(scan->owners.list);
	free(scan);
}

/* ------------------------------------------------------------- one process */

/* Return a multiple of WINDOW that is above every descriptor, by bisection. */
static int fds_end(const struct proc_dir *fds)
{
	int low = 0, high = WINDOW;

	while (high < FD_LIMIT && proc_dir_first_fd(fds, high) >= 0) {
		low = high;
		high *= 2;
	}
	while (high - low > WINDOW) {
		int middle = low + (high - low) / 2;

		if (proc_dir_first_fd(fds, middle) >= 0)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static bool fd_is_socket(const struct proc_dir *fds, int fd, uint32_t inode)
{
	uint32_t found;

	return read_fd(fds, fd, &found) == FD_SOCKET && found == inode;
}

/* Search a window of descriptors from the highest to the lowest. Return the one that is
 * the socket, or -1. */
static int find_in_window(struct proc_dir *fds, int window, uint32_t inode)
{
	int list[WINDOW], n = 0;
	long fd;

	proc_dir_seek_fd(fds, window);
	while (n < WINDOW && (fd = proc_dir_next(fds)) >= 0 && fd < window + WINDOW)
		list[n++] = fd;
	while (n-- > 0)
		if (fd_is_socket(fds, list[n], inode))
			return list[n];
	return -1;
}

static int find_newest(struct proc_dir *fds, int near, uint32_t inode)
{
	int end, fd;

	for (fd = near; near >= 0 && fd < near + NEAR_FDS; fd++)
		if (fd_is_socket(fds, fd, inode))
			return fd;
	end = fds_end(fds);
	fd = find_in_window(fds, end - WINDOW, inode);
	if (fd < 0 && end > 2 * WINDOW)
		fd = find_in_window(fds, end - 2 * WINDOW, inode);
	/* A new descriptor has the lowest number that is free. */
	if (fd < 0 && end > WINDOW)
		fd = find_in_window(fds, 0, inode);
	return fd;
}

bool owner_scan_newest(uint32_t inode, uint32_t pid, int near, struct socket_owner *owner)
{
	struct proc_dir fds;
	int fd;

	if (open_fds(pid, &fds))
		return false;
	fd = find_newest(&fds, near, inode);
	proc_dir_close(&fds);
	*owner = (struct socket_owner){ .inode = inode, .pid = pid, .fd = fd };
	return fd >= 0;
}
