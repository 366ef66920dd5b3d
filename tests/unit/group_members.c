/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Which sockets on a port are the group that a key means: by what the kernel says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>

#include "sockets/group_members.h"

#define MAX 8
#define SERVER 33
#define STRANGER 65534

static struct sock_diag_socket sockets[MAX];
static struct group_member members[MAX];
static struct group_members found;

/* No program is looked up here. */
int __wrap_group_program_name(uint32_t id, char *name, size_t size);
int __wrap_group_program_name(uint32_t id, char *name, size_t size)
{
	(void)id;
	memset(name, 0, size);
	return 0;
}

static struct reuseport_key key_of(uint32_t uid, bool has_uid)
{
	return (struct reuseport_key){ .sz = sizeof(struct reuseport_key),
				       .proto = IPPROTO_UDP,
				       .family = AF_INET,
				       .port = 53,
				       .uid = uid,
				       .has_uid = has_uid };
}

static int begin(void **state)
{
	(void)state;
	found = (struct group_members){ .known = true };
	found.on_port.sockets = sockets;
	found.kernel.members = members;
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(found.sockets.sockets);
	return 0;
}

/* A socket on the port. The next one has a higher cookie. */
static struct sock_diag_socket *add_socket(uint32_t uid)
{
	struct sock_diag_socket *socket = &sockets[found.on_port.n++];

	*socket = (struct sock_diag_socket){ .key = key_of(uid, true),
					     .cookie = 100 + found.on_port.n };
	return socket;
}

/* A socket that the kernel has in a group. */
static void add_member(uint32_t uid, uint64_t group, uint32_t program, uint32_t num_socks)
{
	const struct sock_diag_socket *socket = add_socket(uid);

	members[found.kernel.n++] = (struct group_member){ .cookie = socket->cookie,
							   .group = group,
							   .num_socks = num_socks,
							   .uid = uid,
							   .has_prog = program,
							   .prog_id = program };
}

static void choose(uint32_t uid, bool has_uid, uint32_t program)
{
	struct reuseport_key key = key_of(uid, has_uid);

	assert_int_equal(group_members_choose(&key, program, &found), 0);
}

static bool has(uint64_t cookie)
{
	return sock_diag_find(&found.sockets, cookie);
}

static void a_plain_socket_with_the_key_is_no_member(void **state)
{
	(void)state;
	add_socket(SERVER); /* SO_REUSEADDR alone, and the lowest cookie */
	add_member(SERVER, 1, 7, 2);
	add_member(SERVER, 1, 7, 2);
	choose(SERVER, true, 0);
	assert_int_equal(found.sockets.n, 2);
	assert_false(has(101));
	assert_int_equal(found.on_key, 3);
	assert_true(found.program.present);
	assert_int_equal(found.program.id, 7);
}

static void a_strangers_group_is_another(void **state)
{
	(void)state;
	add_member(STRANGER, 1, 9, 3);
	add_member(STRANGER, 1, 9, 3);
	add_member(STRANGER, 1, 9, 3);
	add_member(SERVER, 2, 0, 1);
	choose(SERVER, true, 0);
	assert_int_equal(found.sockets.n, 1);
	assert_true(has(104));
	assert_false(found.program.present);
	assert_false(found.several_uids);
	choose(STRANGER, true, 0);
	assert_int_equal(found.sockets.n, 3);
	assert_int_equal(found.program.id, 9);
}

/* The kernel compares the uids when a socket joins; its owner may be another one later. */
static void a_member_that_was_given_away_is_one_still(void **state)
{
	(void)state;
	add_member(SERVER, 1, 7, 2);
	add_member(SERVER, 1, 7, 2);
	sockets[1].key.uid = STRANGER;
	choose(SERVER, true, 0);
	assert_int_equal(found.sockets.n, 2);
	assert_int_equal(found.on_key, 1);
}

static void of_two_groups_the_one_with_our_program(void **state)
{
	(void)state;
	add_member(SERVER, 1, 0, 3);
	add_member(SERVER, 1, 0, 3);
	add_member(SERVER, 1, 0, 3);
	add_member(SERVER, 2, 7, 1);
	choose(SERVER, true, 7);
	assert_int_equal(found.sockets.n, 1);
	assert_true(has(104));
	/* Else the larger one, whatever the order. */
	choose(SERVER, true, 0);
	assert_int_equal(found.sockets.n, 3);
	choose(SERVER, true, 8);
	assert_int_equal(found.sockets.n, 3);
	assert_false(found.program.present);
}

static void classic_bpf_is_nobodys_program(void **state)
{
	(void)state;
	add_member(SERVER, 1, 0, 1);
	members[0].has_prog = 1;
	add_member(SERVER, 2, 0, 2);
	add_member(SERVER, 2, 0, 2);
	choose(SERVER, true, 0);
	assert_int_equal(found.sockets.n, 2);
	assert_false(found.program.present);
}

static void without_a_uid_several_users_are_noticed(void **state)
{
	(void)state;
	add_socket(0); /* in no group, so it does not count */
	add_member(SERVER, 1, 0, 1);
	choose(0, false, 0);
	assert_false(found.several_uids);
	assert_true(has(102));
	add_member(STRANGER, 2, 0, 1);
	choose(0, false, 0);
	assert_true(found.several_uids);
}

static void no_group_has_the_key(void **state)
{
	(void)state;
	add_socket(SERVER);
	add_member(STRANGER, 1, 0, 1);
	choose(SERVER, true, 0);
	assert_int_equal(found.sockets.n, 0);
	assert_int_equal(found.on_key, 1);
	choose(1, true, 0);
	assert_int_equal(found.sockets.n, 0);
	assert_int_equal(found.on_key, 0);
}

/* Without iterators the key is all there is. */
static void by_the_key_alone(void **state)
{
	(void)state;
	found.known = false;
	add_socket(SERVER);
	add_socket(STRANGER);
	add_socket(SERVER)->key.port = 54;
	choose(SERVER, true, 7);
	assert_int_equal(found.sockets.n, 1);
	assert_true(has(101));
	assert_false(found.program.present);
	choose(0, false, 0);
	assert_int_equal(found.sockets.n, 2);
	assert_true(found.several_uids);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_plain_socket_with_the_key_is_no_member),
		TEST(a_strangers_group_is_another),
		TEST(a_member_that_was_given_away_is_one_still),
		TEST(of_two_groups_the_one_with_our_program),
		TEST(classic_bpf_is_nobodys_program),
		TEST(without_a_uid_several_users_are_noticed),
		TEST(no_group_has_the_key),
		TEST(by_the_key_alone),
	};

	return cmocka_run_group_tests_name("group_members", tests, NULL, NULL);
}
