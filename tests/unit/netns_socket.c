/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The network namespace of a socket, on the descriptor itself. A namespace that the test makes
 * needs root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/netns_socket.h"

static struct netns_ref own_netns(void)
{
	struct netns_ref ref = { 0 };
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	ref.inode = st.st_ino;
	assert_int_equal(netns_cookie(&ref.cookie, NULL), 0);
	return ref;
}

/* What is known without a cookie. */
static struct netns_ref by_inode(struct netns_ref ref)
{
	ref.cookie = 0;
	return ref;
}

static void check_socket(int type)
{
	struct netns_ref here = own_netns(), other;
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int inside = socket(AF_INET, type | SOCK_CLOEXEC, 0), outside, ret;

	assert_true(inside >= 0 && home >= 0);
	ret = netns_has_socket(&(struct netns_ref){ .inode = here.inode }, inside);
	if (ret < 0) {
		print_message("not permitted to see a socket's namespace\n");
		close(inside);
		close(home);
		skip();
	}
	assert_int_equal(ret, 1);
	assert_int_equal(netns_has_socket(&here, inside), 1);

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	other = own_netns();
	assert_true(other.inode != here.inode);
	outside = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	assert_true(outside >= 0);
	for (int at_home = 0; at_home < 2; at_home++) {
		struct netns_ref refs[] = { here, by_inode(here) };
		struct netns_ref others[] = { other, by_inode(other) };

		for (int i = 0; i < 2; i++) {
			assert_int_equal(netns_has_socket(&refs[i], inside), 1);
			assert_int_equal(netns_has_socket(&refs[i], outside), 0);
			assert_int_equal(netns_has_socket(&others[i], inside), 0);
			assert_int_equal(netns_has_socket(&others[i], outside), 1);
		}
		/* Whatever the caller's own namespace. */
		assert_int_equal(setns(home, CLONE_NEWNET), 0);
	}
	close(inside);
	close(outside);
	close(home);
}

static void of_a_tcp_socket(void **state)
{
	(void)state;
	check_socket(SOCK_STREAM);
}

static void of_a_udp_socket(void **state)
{
	(void)state;
	check_socket(SOCK_DGRAM);
}

static void another_file_has_none(void **state)
{
	struct netns_ref here = own_netns();
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(netns_has_socket(&here, null) < 0);
	here.cookie = 0;
	assert_true(netns_has_socket(&here, null) < 0);
	assert_true(netns_has_socket(&here, -1) < 0);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_tcp_socket),
		cmocka_unit_test(of_a_udp_socket),
		cmocka_unit_test(another_file_has_none),
	};

	return cmocka_run_group_tests_name("netns_socket", tests, NULL, NULL);
}
