/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Owner scan: any budgets give the result of a single step, and none is exceeded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/proc_dir.h"
#include "owner_of.h"
#include "random.h"
#include "sockets/newest_fd.h"
#include "sockets/owner_scan.h"
#include "sockets/socket_owners.h"

/* More than of which an epoll set's fdinfo is read, and more than the newest. */
#define MANY 3000
#define NEWEST_MAX 776
#define OWN_FDS 512 /* those of the test itself are below */

/* ------------------------------------------------------- what a scan looks at */

static unsigned int looked; /* at descriptors and processes */
static char opened[64];     /* the last directory */

ssize_t __real_readlinkat(int dir, const char *path, char *target, size_t size);
ssize_t __wrap_readlinkat(int dir, const char *path, char *target, size_t size);
int __real_proc_dir_open(struct proc_dir *dir, const char *path);
int __wrap_proc_dir_open(struct proc_dir *dir, const char *path);

ssize_t __wrap_readlinkat(int dir, const char *path, char *target, size_t size)
{
	looked++;
	return __real_readlinkat(dir, path, target, size);
}

int __wrap_proc_dir_open(struct proc_dir *dir, const char *path)
{
	looked++;
	snprintf(opened, sizeof(opened), "%s", path);
	return __real_proc_dir_open(dir, path);
}

/* ------------------------------------------------------ sockets and processes */

enum { SHARED, SERVED, TWICE, SOCKETS };

static int sockets[SOCKETS];
static uint32_t inodes[SOCKETS];
static pid_t children[3];

static uint32_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

/* What to look for: the sockets, which are the test's own user's. */
static const struct wanted_socket *wanted(void)
{
	static struct wanted_socket list[SOCKETS];

	for (int i = 0; i < SOCKETS; i++)
		list[i] = (struct wanted_socket){ inodes[i], geteuid() };
	return list;
}

static int new_socket(uint32_t *inode)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	*inode = inode_of(fd);
	return fd;
}

/* In a child: n more descriptors. */
static void open_fds(unsigned int n)
{
	while (n--)
		if (dup(STDIN_FILENO) < 0)
			_exit(1);
}

static void watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		_exit(1);
}

/* Start a process that has the open sockets, and does as told. It is ended by kill(). */
static pid_t start(void (*prepare)(void))
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (prepare)
			prepare();
		if (write(ready[1], &byte, 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void small_server(void)
{
	close(sockets[TWICE]);
	watch(sockets[SHARED]);
}

static void large_server(void)
{
	close(sockets[TWICE]);
	open_fds(MANY);
	watch(sockets[SERVED]);
}

static void bystander(void)
{
	for (int i = 0; i < SOCKETS; i++)
		close(sockets[i]);
	open_fds(MANY);
	watch(socket(AF_INET, SOCK_DGRAM, 0));
}

static int set_up(void **state)
{
	struct rlimit limit;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_max < MANY + OWN_FDS)
		return -1;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < SOCKETS; i++)
		sockets[i] = new_socket(&inodes[i]);
	children[0] = start(small_server);
	children[1] = start(large_server);
	children[2] = start(bystander);
	/* The children do not have this one. */
	return dup(sockets[TWICE]) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		end(children[i]);
	return 0;
}

/* --------------------------------------------------------------------- checks */

static bool serves(const struct socket_owners *owners, int which, pid_t pid)
{
	const struct socket_owner *found = owner(owners, inodes[which], pid);

	assert_non_null(found);
	return found->serves;
}

/* Check that they are what set_up() made. */
static void check_owners(const struct socket_owners *owners)
{
	const struct socket_owner *first;

	assert_int_equal(socket_owners_of(owners, inodes[SHARED], &first), 3);
	assert_int_equal(socket_owners_of(owners, inodes[SERVED], &first), 3);
	assert_int_equal(socket_owners_of(owners, inodes[TWICE], &first), 1);
	assert_false(serves(owners, SHARED, getpid()));
	assert_true(serves(owners, SHARED, children[0]));
	assert_false(serves(owners, SHARED, children[1]));
	assert_false(serves(owners, SERVED, getpid()));
	assert_false(serves(owners, SERVED, children[0]));
	assert_true(serves(owners, SERVED, children[1]));
	assert_false(serves(owners, TWICE, getpid()));
	for (size_t i = 0; i < owners->n; i++)
		assert_true(owners->list[i].start > 0);
}

static void check_same(const struct socket_owners *a, const struct socket_owners *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->list[i].inode, b->list[i].inode);
		assert_int_equal(a->list[i].pid, b->list[i].pid);
		assert_int_equal(a->list[i].serves, b->list[i].serves);
		assert_true(a->list[i].start == b->list[i].start);
	}
}

/* Return the number of descriptors that are open here, each of which exec() closes but
 * for the others. */
static unsigned int count_fds(unsigned int *others)
{
	unsigned int n = 0;

	*others = 0;
	for (int fd = 0; fd < OWN_FDS; fd++) {
		int flags = fcntl(fd, F_GETFD);

		n += flags >= 0;
		*others += flags >= 0 && !(flags & FD_CLOEXEC);
	}
	return n;
}

static struct owner_scan *begin(void)
{
	struct owner_scan *scan;

	assert_int_equal(owner_scan_begin(wanted(), SOCKETS, OWNERS_SERVING, &scan), 0);
	return scan;
}

/* Run the scan with random budgets up to a limit, each of which is kept. */
static void run(struct owner_scan *scan, unsigned int limit, uint64_t *random,
		struct socket_owners *owners)
{
	unsigned int others, other, fds = count_fds(&others), budget;
	int ret = 0;

	while (!ret) {
		budget = 1 + next_hash(random) % limit;
		looked = 0;
		ret = owner_scan_step(scan, budget);
		assert_true(looked <= budget);
		/* Those of /proc and of one process. */
		assert_true(count_fds(&other) <= fds + 2);
		assert_int_equal(other, others);
	}
	assert_int_equal(ret, 1);
	owner_scan_end(scan, owners);
	assert_int_equal(count_fds(&other), fds);
}

/* ---------------------------------------------------------------------- tests */

static void one_step_finds_every_owner(void **state)
{
	struct socket_owners owners;

	(void)state;
	assert_int_equal(socket_owners_scan(wanted(), SOCKETS, OWNERS_SERVING, &owners), 0);
	check_owners(&owners);
	free(owners.list);
}

static void random_budgets_find_the_same(void **state)
{
	static const unsigned int limits[] = { 1, 3, 64, 256, 256, 300, 1000, 5000 };
	struct socket_owners all, owners;
	uint64_t random = 0x5eed;

	(void)state;
	assert_int_equal(socket_owners_scan(wanted(), SOCKETS, OWNERS_SERVING, &all), 0);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		run(begin(), limits[i], &random, &owners);
		check_owners(&owners);
		check_same(&owners, &all);
		free(owners.list);
	}
	free(all.list);
}

static void nothing_to_look_for_is_done_at_once(void **state)
{
	struct socket_owners owners;
	struct owner_scan *scan;

	(void)state;
	looked = 0;
	assert_int_equal(owner_scan_begin(NULL, 0, OWNERS_SERVING, &scan), 0);
	assert_int_equal(owner_scan_step(scan, 1), 1);
	owner_scan_end(scan, &owners);
	assert_int_equal(owners.n, 0);
	assert_null(owners.list);
	assert_int_equal(looked, 0);
}

static void a_scan_is_freed_at_any_time(void **state)
{
	unsigned int others, fds = count_fds(&others);

	(void)state;
	for (unsigned int budget = 0; budget < 6000; budget += 97) {
		struct owner_scan *scan = begin();

		if (budget)
			owner_scan_step(scan, budget);
		owner_scan_free(scan);
		assert_int_equal(count_fds(&others), fds);
	}
	owner_scan_free(NULL);
}

static void processes_may_end_in_between(void **state)
{
	enum { N = 12 };
	struct socket_owners owners;
	struct owner_scan *scan;
	unsigned int steps = 0;
	bool ended[N] = { 0 };
	pid_t more[N];
	int ret, n = 0;

	(void)state;
	for (int i = 0; i < N; i++)
		more[i] = start(small_server);
	scan = begin();
	/* Each third one ends: some before the scan reaches them, some after, and one
	 * while it is looked at. */
	while (!(ret = owner_scan_step(scan, 20)))
		for (int i = 0; i < N; i += 3) {
			char path[64];

			snprintf(path, sizeof(path), "/proc/%d/fd", more[i]);
			if (!ended[i] && (!strcmp(path, opened) || steps++ == 50)) {
				end(more[i]);
				ended[i] = true;
			}
		}
	assert_int_equal(ret, 1);
	owner_scan_end(scan, &owners);
	for (int i = 0; i < N; i++) {
		n += ended[i];
		if (!ended[i]) {
			assert_true(serves(&owners, SHARED, more[i]));
			end(more[i]);
		}
	}
	assert_true(n >= 1);
	assert_true(serves(&owners, SERVED, children[1]));
	free(owners.list);
}

static void descriptors_may_be_closed_in_between(void **state)
{
	struct socket_owners owners;
	struct owner_scan *scan = begin();
	int fds[300], ret;
	char path[64];

	(void)state;
	for (int i = 0; i < 300; i++) {
		fds[i] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100);
		assert_true(fds[i] >= 0);
	}
	snprintf(path, sizeof(path), "/proc/%d/fd", getpid());
	do
		ret = owner_scan_step(scan, 1);
	while (!ret && strcmp(opened, path));
	assert_int_equal(owner_scan_step(scan, 120), 0);
	for (int i = 0; i < 300; i++)
		close(fds[i]);
	assert_int_equal(owner_scan_step(scan, UINT_MAX), 1);
	owner_scan_end(scan, &owners);
	check_owners(&owners);
	free(owners.list);
}

/* A socket that a process makes, which has many descriptors already. */
static int handed[2];

static void send_inode(int fd)
{
	struct stat st;
	uint32_t inode;

	if (fd < 0 || fstat(fd, &st))
		_exit(1);
	inode = st.st_ino;
	if (write(handed[1], &inode, sizeof(inode)) != sizeof(inode))
		_exit(1);
}

static void newest_is_highest(void)
{
	open_fds(MANY);
	send_inode(socket(AF_INET, SOCK_DGRAM, 0));
}

static void newest_is_below_others(void)
{
	open_fds(MANY);
	send_inode(socket(AF_INET, SOCK_DGRAM, 0));
	open_fds(300);
}

static void newest_fills_a_gap(void)
{
	open_fds(MANY);
	close(40);
	send_inode(socket(AF_INET, SOCK_DGRAM, 0));
}

static void newest_is_alone(void)
{
	if (dup2(STDIN_FILENO, MANY) < 0)
		_exit(1);
	send_inode(socket(AF_INET, SOCK_DGRAM, 0));
}

static void newest_is_in_the_middle(void)
{
	open_fds(MANY);
	close(MANY / 2);
	send_inode(socket(AF_INET, SOCK_DGRAM, 0));
}

static void check_newest(void (*prepare)(void), bool found)
{
	uint32_t inode;
	pid_t pid;
	int fd;

	assert_int_equal(pipe(handed), 0);
	pid = start(prepare);
	assert_int_equal(read(handed[0], &inode, sizeof(inode)), sizeof(inode));
	looked = 0;
	fd = newest_fd_find(inode, pid, -1);
	assert_int_equal(fd >= 0, found);
	assert_true(looked <= NEWEST_MAX + 1);
	/* Wherever it is, if the place is about known. */
	looked = 0;
	fd = newest_fd_find(inode, pid, found ? fd - 1 : MANY / 2 - 3);
	assert_true(fd >= 0);
	assert_true(looked <= 1 + 8);
	end(pid);
	assert_true(newest_fd_find(inode, pid, -1) < 0);
	close(handed[0]);
	close(handed[1]);
}

static void the_newest_descriptors_are_found(void **state)
{
	int fd = newest_fd_find(inodes[TWICE], getpid(), -1);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(inode_of(fd), inodes[TWICE]);
	assert_int_equal(newest_fd_find(inodes[TWICE], children[0], -1), -ENOENT);
	check_newest(newest_is_highest, true);
	check_newest(newest_is_below_others, true);
	check_newest(newest_fills_a_gap, true);
	check_newest(newest_is_alone, true);
	check_newest(newest_is_in_the_middle, false);
}

static void the_server_has_an_epoll_set_or_is_the_youngest(void **state)
{
	struct socket_owner list[] = {
		{ .pid = 5, .start = 70 },
		{ .pid = 6, .start = 90 },
		{ .pid = 7, .start = 90 },
		{ .pid = 8, .start = 20 },
	};

	(void)state;
	assert_int_equal(socket_owners_server(list, 1)->pid, 5);
	assert_int_equal(socket_owners_server(list, 4)->pid, 7);
	list[3].serves = true;
	assert_int_equal(socket_owners_server(list, 4)->pid, 8);
	list[0].serves = true;
	assert_int_equal(socket_owners_server(list, 4)->pid, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_step_finds_every_owner),
		cmocka_unit_test(random_budgets_find_the_same),
		cmocka_unit_test(nothing_to_look_for_is_done_at_once),
		cmocka_unit_test(a_scan_is_freed_at_any_time),
		cmocka_unit_test(processes_may_end_in_between),
		cmocka_unit_test(descriptors_may_be_closed_in_between),
		cmocka_unit_test(the_newest_descriptors_are_found),
		cmocka_unit_test(the_server_has_an_epoll_set_or_is_the_youngest),
	};

	return cmocka_run_group_tests_name("owner_scan", tests, set_up, tear_down);
}
