/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Owner scan: sockets that only a thread has, in descriptors of its own or after the main
 * thread has ended; and such a socket is duplicated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sockets/pidfd_socket.h"
#include "sockets/sock_diag.h"
#include "sockets/socket_owners.h"

/* What a server tells of its socket. */
struct told {
	uint32_t inode;
	uint32_t tid;
	uint64_t cookie;
};

static int tell_to;
static bool own_descriptors; /* of the thread */

static void *serve_in_thread(void *arg)
{
	struct told told = { .tid = gettid() };
	socklen_t len = sizeof(told.cookie);
	struct stat st;
	int fd;

	(void)arg;
	if (own_descriptors && unshare(CLONE_FILES))
		_exit(2);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || fstat(fd, &st) || getsockopt(fd, SOL_SOCKET, SO_COOKIE, &told.cookie, &len))
		_exit(3);
	told.inode = st.st_ino;
	if (write(tell_to, &told, sizeof(told)) != sizeof(told))
		_exit(4);
	for (;;)
		pause();
}

/* Start a server whose thread has a socket. The main thread ends, or waits. */
static pid_t start_server(bool main_ends, struct told *told)
{
	int ready[2];
	pthread_t thread;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		tell_to = ready[1];
		if (pthread_create(&thread, NULL, serve_in_thread, NULL))
			_exit(1);
		if (main_ends)
			syscall(SYS_exit, 0);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], told, sizeof(*told)), sizeof(*told));
	close(ready[0]);
	return pid;
}

static void end_server(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Wait until the main thread has given up its descriptors. */
static void wait_for_end_of_main(pid_t pid)
{
	char path[64], state[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, pid);
	for (int tries = 0; tries < 500 && !strstr(state, ") Z"); tries++) {
		file = fopen(path, "r");
		assert_non_null(file);
		if (!fgets(state, sizeof(state), file))
			state[0] = '\0';
		fclose(file);
		usleep(10000);
	}
	assert_non_null(strstr(state, ") Z"));
}

static void find_owner(pid_t pid, const struct told *told, bool in_thread)
{
	const struct wanted_socket wanted = { .inode = told->inode, .uid = getuid() };
	const struct socket_owner *first;
	struct socket_owners owners;
	int fd;

	assert_int_equal(socket_owners_scan(&wanted, 1, OWNERS_ANY, &owners), 0);
	assert_int_equal(socket_owners_of(&owners, told->inode, &first), 1);
	assert_int_equal(first->pid, pid);
	assert_int_equal(first->tid, in_thread ? told->tid : 0);
	fd = pidfd_socket_get(first, told->cookie, NULL);
	/* Linux before 6.9 has no pidfd of a thread; some hosts permit none at all. */
	if (fd < 0)
		print_message("the socket is not given: %s\n", strerror(-fd));
	else
		close(fd);
	free(owners.list);
}

static void a_socket_that_the_process_shares(void **state)
{
	struct told told;
	pid_t pid;

	(void)state;
	own_descriptors = false;
	pid = start_server(false, &told);
	find_owner(pid, &told, false);
	end_server(pid);
}

static void a_socket_in_a_thread_with_descriptors_of_its_own(void **state)
{
	struct told told;
	pid_t pid;

	(void)state;
	own_descriptors = true;
	pid = start_server(false, &told);
	find_owner(pid, &told, true);
	end_server(pid);
}

static void a_socket_of_a_process_whose_main_thread_has_ended(void **state)
{
	struct told told;
	pid_t pid;

	(void)state;
	own_descriptors = false;
	pid = start_server(true, &told);
	wait_for_end_of_main(pid);
	find_owner(pid, &told, true);
	end_server(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_that_the_process_shares),
		cmocka_unit_test(a_socket_in_a_thread_with_descriptors_of_its_own),
		cmocka_unit_test(a_socket_of_a_process_whose_main_thread_has_ended),
	};

	return cmocka_run_group_tests_name("owner_threads", tests, NULL, NULL);
}
