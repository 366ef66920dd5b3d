/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Socket owners: which of real processes have a real socket open, and which serves it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "owner_of.h"
#include "random.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	return fd;
}

static uint32_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

/* A child that has what this process has open, and an epoll set with fd if it is not -1.
 * Returns when that is there. */
static pid_t start_owner(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ready[2], epfd;
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		epfd = fd < 0 ? -1 : epoll_create1(0);
		if (fd >= 0 && epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event))
			_exit(1);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void stop_owner(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ----------------------------------------------------------------------- scans */

static void every_process_that_has_it(void **state)
{
	int fd = open_socket(), other = open_socket(), gone = open_socket();
	uint32_t with = inode_of(fd), without = inode_of(other), closed = inode_of(gone);
	/* In no order. */
	const struct wanted_socket wanted[3] = {
		{ closed, geteuid() },
		{ with, geteuid() },
		{ without, geteuid() },
	};
	struct socket_owners owners;
	const struct socket_owner *first;
	pid_t child, second;

	(void)state;
	close(gone);
	child = start_owner(fd);
	second = start_owner(-1);
	assert_int_equal(socket_owners_scan(wanted, 3, OWNERS_SERVING, &owners), 0);

	assert_int_equal(socket_owners_of(&owners, with, &first), 3);
	assert_int_equal(socket_owners_of(&owners, without, &first), 3);
	assert_int_equal(socket_owners_of(&owners, closed, &first), 0);
	assert_int_equal(owner(&owners, with, getpid())->fd, fd);
	assert_int_equal(owner(&owners, with, child)->fd, fd);
	assert_int_equal(owner(&owners, without, second)->fd, other);

	/* The one with the epoll set serves that socket, and no other one. */
	assert_true(owner(&owners, with, child)->serves);
	assert_false(owner(&owners, without, child)->serves);
	assert_false(owner(&owners, with, getpid())->serves);
	assert_false(owner(&owners, with, second)->serves);
	free(owners.list);

	/* Those that end own nothing. */
	stop_owner(child);
	stop_owner(second);
	assert_int_equal(socket_owners_scan(wanted, 3, OWNERS_SERVING, &owners), 0);
	assert_int_equal(socket_owners_of(&owners, with, &first), 1);
	assert_int_equal(first->pid, getpid());
	free(owners.list);
	close(fd);
	close(other);
}

static void several_fds_count_once(void **state)
{
	struct epoll_event event = { .events = EPOLLIN };
	/* The set is looked at even where all sockets have been found before it. */
	int epfd = epoll_create1(EPOLL_CLOEXEC), fd = open_socket(), again = dup(fd);
	uint32_t inode = inode_of(fd);
	const struct wanted_socket wanted = { inode, geteuid() };
	const struct socket_owner *first;
	struct socket_owners owners;
	pid_t other;

	(void)state;
	assert_int_equal(epoll_ctl(epfd, EPOLL_CTL_ADD, again, &event), 0);
	assert_int_equal(socket_owners_scan(&wanted, 1, OWNERS_SERVING, &owners), 0);
	assert_int_equal(socket_owners_of(&owners, inode, &first), 1);
	/* With one owner there is nothing to find out by epoll sets. */
	assert_false(first->serves);
	assert_ptr_equal(socket_owners_server(first, 1), first);
	assert_true(first->fd == fd || first->fd == again);
	free(owners.list);

	other = start_owner(-1);
	assert_int_equal(socket_owners_scan(&wanted, 1, OWNERS_SERVING, &owners), 0);
	assert_int_equal(socket_owners_of(&owners, inode, &first), 2);
	assert_true(owner(&owners, inode, getpid())->serves);
	free(owners.list);
	/* And nothing that is not asked for. */
	assert_int_equal(socket_owners_scan(&wanted, 1, OWNERS_ANY, &owners), 0);
	assert_int_equal(socket_owners_of(&owners, inode, &first), 2);
	assert_false(owner(&owners, inode, getpid())->serves);
	assert_false(owners.serving);
	free(owners.list);
	stop_owner(other);
	close(fd);
	close(again);
	close(epfd);
}

static void every_socket_of_a_list(void **state)
{
	struct sock_diag_socket sockets[2] = { 0 };
	struct sock_diag_list members = { .sockets = sockets, .n = 2 }, none = { 0 };
	int a = open_socket(), b = open_socket();
	struct socket_owners owners;

	(void)state;
	/* Not in the order of their inodes. */
	sockets[0].inode = inode_of(b);
	sockets[1].inode = inode_of(a);
	sockets[0].key.uid = sockets[1].key.uid = geteuid();
	assert_int_equal(socket_owners_scan_members(&members, OWNERS_ANY, &owners), 0);
	assert_int_equal(owner(&owners, inode_of(a), getpid())->fd, a);
	assert_int_equal(owner(&owners, inode_of(b), getpid())->fd, b);
	assert_int_equal(sockets[0].inode, inode_of(b));
	free(owners.list);
	assert_int_equal(socket_owners_scan_members(&none, OWNERS_ANY, &owners), 0);
	assert_int_equal(owners.n, 0);
	assert_null(owners.list);
	close(a);
	close(b);
}

/* More fds, and more of them that are wanted, than fit before a list grows. */
static void many_fds(void **state)
{
	enum { MANY = 300 };
	struct wanted_socket wanted[MANY];
	struct socket_owners owners;
	int fds[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		fds[i] = open_socket();
		wanted[i] = (struct wanted_socket){ inode_of(fds[i]), geteuid() };
	}
	assert_int_equal(socket_owners_scan(wanted, MANY, OWNERS_ANY, &owners), 0);
	assert_int_equal(owners.n, MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(owner(&owners, wanted[i].inode, getpid())->fd, fds[i]);
		close(fds[i]);
	}
	free(owners.list);
}

/* --------------------------------------------------------------------- choices */

static void of_an_inode_by_counting(void **state)
{
	enum { N = 200, INODES = 60 };
	struct socket_owner list[N];
	struct socket_owners owners = { .list = list, .n = N }, none = { 0 };
	const struct socket_owner *first;
	uint32_t inode = 0;
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		inode += next_hash(&seed) % 4 == 0;
		list[i] = (struct socket_owner){ .inode = 2 * inode, .pid = i };
	}
	for (uint32_t wanted = 0; wanted < 2 * INODES; wanted++) {
		size_t expected = 0, before = 0;

		for (size_t i = 0; i < N; i++) {
			expected += list[i].inode == wanted;
			before += list[i].inode < wanted;
		}
		assert_int_equal(socket_owners_of(&owners, wanted, &first), expected);
		assert_true(!expected || first == list + before);
	}
	assert_int_equal(socket_owners_of(&none, 1, &first), 0);
}

static void the_owner_with_the_epoll_set_serves(void **state)
{
	struct socket_owner list[] = {
		{ .pid = 3, .start = 9 },
		{ .pid = 2, .start = 1 },
		{ .pid = 1, .start = 5, .serves = true },
	};

	(void)state;
	assert_ptr_equal(socket_owners_server(list, 3), &list[2]);
	list[1].serves = true;
	assert_ptr_equal(socket_owners_server(list, 3), &list[1]);
	assert_ptr_equal(socket_owners_server(list, 1), &list[0]);
}

/* By every order of three times, equal ones too. */
static void else_the_youngest_process(void **state)
{
	(void)state;
	for (int i = 0; i < 27; i++) {
		struct socket_owner list[] = {
			{ .pid = 4, .start = i % 3 },
			{ .pid = 5, .start = i / 3 % 3 },
			{ .pid = 6, .start = i / 9 },
		};
		const struct socket_owner *server = socket_owners_server(list, 3);

		for (int k = 0; k < 3; k++) {
			assert_true(list[k].start <= server->start);
			/* Of equals the last by pid. */
			if (list[k].start == server->start)
				assert_true(list[k].pid <= server->pid);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_process_that_has_it),
		cmocka_unit_test(several_fds_count_once),
		cmocka_unit_test(every_socket_of_a_list),
		cmocka_unit_test(many_fds),
		cmocka_unit_test(of_an_inode_by_counting),
		cmocka_unit_test(the_owner_with_the_epoll_set_serves),
		cmocka_unit_test(else_the_youngest_process),
	};

	return cmocka_run_group_tests_name("socket_owners", tests, NULL, NULL);
}
