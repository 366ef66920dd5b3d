// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The sockets of a namespace and a protocol are read once for all groups there, and each group
 * is given its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "sockets/group_snapshot.h"

#define GONE 99 /* a namespace that is not there */

static struct group_snapshot snapshot;
static unsigned int readings;
static uint16_t port_read; /* by the last reading */

/* No program is looked up here. */
int __wrap_group_program_name(uint32_t id, char *name, size_t size);
int __wrap_group_program_name(uint32_t id, char *name, size_t size)
{
	(void)id;
	memset(name, 0, size);
	return 0;
}

/* A namespace has a group of two on each of the ports 1 to 3. Cookies are NETNS, PORT, 0 or 1;
 * the group's program has the number of the port. */
static uint64_t cookie_of(uint64_t netns, int port, int i)
{
	return netns * 100 + (uint64_t)port * 10 + (uint64_t)i;
}

static void add(struct group_members *members, const struct reuseport_key *key, int port, int i)
{
	uint64_t cookie = cookie_of(key->netns, port, i);

	members->on_port.sockets[members->on_port.n] =
		(struct sock_diag_socket){ .key = *key, .cookie = cookie };
	members->on_port.sockets[members->on_port.n++].key.port = (uint16_t)port;
	members->kernel.members[members->kernel.n++] =
		(struct group_member){ .cookie = cookie,
				       .group = (uint64_t)port,
				       .num_socks = 2,
				       .has_prog = 1,
				       .prog_id = (uint32_t)port };
}

/* As the kernel has it: sorted by cookie. */
int __wrap_group_members_read_port(const struct reuseport_key *key, const struct netns_ref *ns,
				   struct group_iter *reader, struct group_members *members,
				   struct reuseport_error *err);
int __wrap_group_members_read_port(const struct reuseport_key *key, const struct netns_ref *ns,
				   struct group_iter *reader, struct group_members *members,
				   struct reuseport_error *err)
{
	(void)reader;
	(void)err;
	assert_int_equal(ns->inode, key->netns);
	readings++;
	port_read = key->port;
	if (key->netns == GONE)
		return -ENETDOWN;
	*members = (struct group_members){ .known = true };
	members->on_port.sockets = calloc(8, sizeof(*members->on_port.sockets));
	members->kernel.members = calloc(8, sizeof(*members->kernel.members));
	assert_true(members->on_port.sockets && members->kernel.members);
	for (int port = 1; port <= 3; port++)
		for (int i = 0; i < 2; i++)
			if (!key->port || key->port == port)
				add(members, key, port, i);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	snapshot = (struct group_snapshot){ 0 };
	readings = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	group_snapshot_free(&snapshot);
	return 0;
}

static int look_at_group(uint64_t netns, int proto, int port, bool expect_fresh)
{
	struct reuseport_key key = { .netns = netns, .proto = proto, .port = (uint16_t)port };
	struct netns_ref ns = { .inode = netns };
	struct group_members members = { 0 };
	bool fresh;
	int ret = group_snapshot_members(&snapshot, &key, &ns, 0, &members, &fresh, NULL);

	assert_int_equal(fresh, expect_fresh);
	if (!ret && port <= 3) {
		assert_int_equal(members.sockets.n, 2);
		for (int i = 0; i < 2; i++)
			assert_int_equal(members.sockets.sockets[i].cookie,
					 cookie_of(netns, port, i));
		assert_int_equal(members.program.id, port);
	} else if (!ret) {
		assert_int_equal(members.sockets.n, 0);
	}
	group_members_free(&members);
	return ret;
}

static void test_read_once(void **state)
{
	(void)state;
	for (int port = 1; port <= 3; port++) {
		assert_int_equal(look_at_group(7, IPPROTO_TCP, port, port == 1), 0);
		assert_int_equal(look_at_group(8, IPPROTO_TCP, port, port == 1), 0);
		assert_int_equal(look_at_group(8, IPPROTO_UDP, port, port == 1), 0);
	}
	assert_int_equal(readings, 3);
	assert_int_equal(port_read, 0);
}

static void test_no_socket_on_the_port(void **state)
{
	(void)state;
	assert_int_equal(look_at_group(7, IPPROTO_TCP, 4, true), 0);
	assert_int_equal(look_at_group(7, IPPROTO_TCP, 65535, false), 0);
}

static void test_one_port(void **state)
{
	(void)state;
	snapshot.port = 2;
	assert_int_equal(look_at_group(7, IPPROTO_TCP, 2, true), 0);
	assert_int_equal(port_read, 2);
}

static void test_forget(void **state)
{
	struct reuseport_key key = { .netns = 7, .proto = IPPROTO_TCP };

	(void)state;
	assert_int_equal(look_at_group(7, IPPROTO_TCP, 1, true), 0);
	assert_int_equal(look_at_group(8, IPPROTO_TCP, 1, true), 0);
	group_snapshot_forget(&snapshot, &key);
	assert_int_equal(look_at_group(7, IPPROTO_TCP, 1, true), 0);
	assert_int_equal(look_at_group(8, IPPROTO_TCP, 1, false), 0);
	assert_int_equal(readings, 3);
}

/* To look for a namespace that is gone takes long: all processes are asked. */
static void test_gone_is_remembered(void **state)
{
	(void)state;
	assert_int_equal(look_at_group(GONE, IPPROTO_TCP, 1, true), -ENETDOWN);
	assert_int_equal(look_at_group(GONE, IPPROTO_TCP, 2, false), -ENETDOWN);
	assert_int_equal(readings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read_once, begin, end),
		cmocka_unit_test_setup_teardown(test_no_socket_on_the_port, begin, end),
		cmocka_unit_test_setup_teardown(test_one_port, begin, end),
		cmocka_unit_test_setup_teardown(test_forget, begin, end),
		cmocka_unit_test_setup_teardown(test_gone_is_remembered, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
