/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Places: which sockets belong together, and which of two groups gets a packet of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "sockets/places.h"
#include "sockets/shadow.h"

#define MOST 16

static struct sock_diag_socket listed[MOST];
static struct group_member iterated[MOST], hidden[MOST];
static struct sock_diag_list sockets = { .sockets = listed };
static struct member_list kernel = { .members = iterated }, unreached = { .members = hidden };
static struct place_members members = { .kernel = &kernel, .unreached = &unreached };
static struct place_list list;

static int begin(void **state)
{
	(void)state;
	sockets.n = kernel.n = unreached.n = 0;
	members.unordered = false;
	return 0;
}

static int end(void **state)
{
	(void)state;
	places_free(&list);
	return 0;
}

/* Add a socket, of the group with that number; 0: of none. Its cookie is its number. */
static struct sock_diag_socket *add(int proto, const char *addr, uint64_t group)
{
	struct sock_diag_socket *socket = &listed[sockets.n++];
	bool v6 = strchr(addr, ':');

	*socket = (struct sock_diag_socket){ .key = { .proto = proto, .port = 53, .has_uid = true },
					     .cookie = sockets.n };
	socket->key.family = v6 ? AF_INET6 : AF_INET;
	inet_pton(socket->key.family, addr, socket->key.addr);
	if (group)
		iterated[kernel.n++] = (struct group_member){ .cookie = sockets.n, .group = group };
	return socket;
}

/* Return the place at that address. */
static size_t at(const char *addr, uint32_t ifindex)
{
	uint8_t bytes[16] = { 0 };

	inet_pton(strchr(addr, ':') ? AF_INET6 : AF_INET, addr, bytes);
	for (size_t i = 0; i < list.n; i++)
		if (!memcmp(list.places[i].key.addr, bytes, sizeof(bytes)) &&
		    list.places[i].key.ifindex == ifindex &&
		    (list.places[i].key.family == AF_INET6) == !!strchr(addr, ':'))
			return i;
	fail_msg("no place at %s", addr);
	return 0;
}

static void make(void)
{
	places_free(&list);
	assert_int_equal(places_make(&sockets, &members, &list), 0);
}

/* --------------------------------------------------------------- together */

static void sockets_of_one_group(void **state)
{
	(void)state;
	add(IPPROTO_UDP, "0.0.0.0", 7);
	add(IPPROTO_UDP, "127.0.0.1", 8);
	add(IPPROTO_UDP, "0.0.0.0", 7);
	make();
	assert_int_equal(list.n, 2);
	assert_int_equal(list.places[at("0.0.0.0", 0)].n, 2);
	assert_int_equal(list.places[at("127.0.0.1", 0)].n, 1);
	assert_int_equal(list.places[at("127.0.0.1", 0)].member->group, 8);
	assert_int_equal(list.places[at("127.0.0.1", 0)].sockets[0].cookie, 2);
	assert_false(place_is_reuseaddr_only(&list.places[at("0.0.0.0", 0)]));
}

/* Two groups can have one key, and sockets of no group share it. */
static void several_groups_of_one_key(void **state)
{
	(void)state;
	add(IPPROTO_UDP, "0.0.0.0", 7);
	add(IPPROTO_UDP, "0.0.0.0", 8);
	add(IPPROTO_UDP, "0.0.0.0", 0);
	add(IPPROTO_UDP, "0.0.0.0", 0)->key.uid = 1;
	make();
	assert_int_equal(list.n, 3);
	assert_int_equal(list.places[2].n, 2);
	assert_null(list.places[2].member);
	assert_false(list.places[2].key.has_uid);
	assert_true(list.places[1].key.has_uid);
	assert_true(place_is_reuseaddr_only(&list.places[2]));
}

static void shared_without_a_group(void **state)
{
	(void)state;
	add(IPPROTO_UDP, "0.0.0.0", 0);
	make();
	assert_false(place_is_reuseaddr_only(&list.places[0]));
	add(IPPROTO_UDP, "0.0.0.0", 0);
	make();
	assert_true(place_is_reuseaddr_only(&list.places[0]));
	/* It may be a group. */
	unreached.n = 2;
	hidden[0].cookie = 1;
	hidden[1].cookie = 2;
	make();
	assert_int_equal(list.n, 1);
	assert_false(list.places[0].known);
	assert_false(place_is_reuseaddr_only(&list.places[0]));
	begin(state);
	add(IPPROTO_UDP, "224.0.0.251", 0);
	add(IPPROTO_UDP, "224.0.0.251", 0);
	make();
	assert_false(place_is_reuseaddr_only(&list.places[0]));
}

static void connected_sockets(void **state)
{
	struct reuseport_key key, other;

	(void)state;
	key = add(IPPROTO_UDP, "0.0.0.0", 7)->key;
	other = add(IPPROTO_UDP, "127.0.0.1", 0)->key;
	assert_true(place_has_connected(&key, &other));
	assert_false(place_has_connected(&other, &key));
	other.uid = 1;
	assert_false(place_has_connected(&key, &other));
	other.uid = 0;
	other.port = 54;
	assert_false(place_has_connected(&key, &other));
}

/* ----------------------------------------------------------------- shadows */

/* Check which of two places takes packets of the other. */
static void check_shadow(size_t loser, size_t winner)
{
	assert_int_equal(shadow_find(&list, loser, 0), winner);
	assert_int_equal(shadow_find(&list, winner, 0), list.n);
}

static void check_none(void)
{
	for (size_t i = 0; i < list.n; i++)
		assert_int_equal(shadow_find(&list, i, 0), list.n);
}

static void an_address_comes_first(void **state)
{
	(void)state;
	add(IPPROTO_TCP, "0.0.0.0", 7);
	add(IPPROTO_TCP, "127.0.0.1", 8);
	make();
	check_shadow(at("0.0.0.0", 0), at("127.0.0.1", 0));
	/* Each packet of two that are steered is steered. */
	list.places[0].steered = list.places[1].steered = true;
	check_none();
	begin(state);
	add(IPPROTO_TCP, "127.0.0.2", 7);
	add(IPPROTO_TCP, "127.0.0.1", 8);
	make();
	check_none();
}

static void ipv4_comes_before_dual_stack(void **state)
{
	(void)state;
	add(IPPROTO_TCP, "0.0.0.0", 7);
	add(IPPROTO_TCP, "::", 8);
	make();
	check_shadow(at("::", 0), at("0.0.0.0", 0));
	listed[1].key.v6only = true;
	make();
	check_none();
	begin(state);
	add(IPPROTO_TCP, "::", 8);
	add(IPPROTO_TCP, "::ffff:127.0.0.1", 9);
	make();
	check_shadow(at("::", 0), at("::ffff:127.0.0.1", 0));
}

/* In one chain the first group gets all that it matches, whatever the other's score. */
static void the_first_in_the_chain(void **state)
{
	(void)state;
	add(IPPROTO_TCP, "0.0.0.0", 7);
	add(IPPROTO_TCP, "0.0.0.0", 8)->key.ifindex = 2;
	make();
	check_shadow(at("0.0.0.0", 2), at("0.0.0.0", 0));
	begin(state);
	add(IPPROTO_TCP, "0.0.0.0", 7)->key.ifindex = 2;
	add(IPPROTO_TCP, "0.0.0.0", 8);
	make();
	check_shadow(at("0.0.0.0", 0), at("0.0.0.0", 2));
}

/* Without iterators what the address or the family decides is known all the same. */
static void without_an_order(void **state)
{
	(void)state;
	members.unordered = true;
	add(IPPROTO_TCP, "0.0.0.0", 7);
	add(IPPROTO_TCP, "0.0.0.0", 8)->key.ifindex = 2;
	make();
	check_none();
	begin(state);
	members.unordered = true;
	add(IPPROTO_TCP, "::", 7);
	add(IPPROTO_TCP, "0.0.0.0", 8);
	make();
	check_shadow(at("::", 0), at("0.0.0.0", 0));
	begin(state);
	members.unordered = true;
	add(IPPROTO_TCP, "0.0.0.0", 8);
	add(IPPROTO_TCP, "127.0.0.1", 7);
	make();
	check_shadow(at("0.0.0.0", 0), at("127.0.0.1", 0));
}

/* A connected member of a UDP group lets the walk go on to a better one. */
static void a_group_with_a_connection(void **state)
{
	(void)state;
	add(IPPROTO_UDP, "0.0.0.0", 7);
	add(IPPROTO_UDP, "0.0.0.0", 8)->key.ifindex = 2;
	iterated[0].has_conns = true;
	make();
	check_shadow(at("0.0.0.0", 0), at("0.0.0.0", 2));
}

/* Where the order of a socket without a group decides, nothing is said. */
static void sockets_without_a_group(void **state)
{
	(void)state;
	add(IPPROTO_UDP, "0.0.0.0", 7);
	add(IPPROTO_UDP, "0.0.0.0", 0);
	make();
	check_none();
	begin(state);
	add(IPPROTO_UDP, "0.0.0.0", 7);
	add(IPPROTO_UDP, "127.0.0.1", 0);
	make();
	check_shadow(at("0.0.0.0", 0), at("127.0.0.1", 0));
	/* Of multicast each socket gets a copy. */
	begin(state);
	add(IPPROTO_UDP, "0.0.0.0", 7);
	add(IPPROTO_UDP, "224.0.0.251", 0);
	make();
	check_none();
}

static void other_ports_and_all_shadows(void **state)
{
	size_t any, first;

	(void)state;
	add(IPPROTO_TCP, "0.0.0.0", 7);
	add(IPPROTO_TCP, "127.0.0.1", 8);
	add(IPPROTO_TCP, "127.0.0.2", 9);
	add(IPPROTO_TCP, "127.0.0.3", 10)->key.port = 54;
	make();
	any = at("0.0.0.0", 0);
	first = shadow_find(&list, any, 0);
	assert_int_equal(first, at("127.0.0.1", 0));
	assert_int_equal(shadow_find(&list, any, first + 1), at("127.0.0.2", 0));
	assert_int_equal(shadow_find(&list, any, at("127.0.0.2", 0) + 1), list.n);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sockets_of_one_group),        TEST(several_groups_of_one_key),
		TEST(shared_without_a_group),      TEST(connected_sockets),
		TEST(an_address_comes_first),      TEST(ipv4_comes_before_dual_stack),
		TEST(the_first_in_the_chain),      TEST(without_an_order),
		TEST(a_group_with_a_connection),   TEST(sockets_without_a_group),
		TEST(other_ports_and_all_shadows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
