/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Port sockets: the order and the groups of the sockets on a port, with iterators and
 * without. What sock_diag and the iterators read is this file's. */
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

#include "explain/port_sockets.h"

#define MOST 16

static struct sock_diag_socket listed[MOST];
static struct group_member iterated[MOST];
static size_t n_listed, n_iterated;
static int diag_result, iter_result;

int __wrap_sock_diag_dump_all(int proto, uint16_t port, struct sock_diag_list *list,
			      struct reuseport_error *err);
int __wrap_sock_diag_dump_all(int proto, uint16_t port, struct sock_diag_list *list,
			      struct reuseport_error *err)
{
	(void)err;
	assert_int_equal(port, 53);
	*list = (struct sock_diag_list){ 0 };
	if (diag_result)
		return diag_result;
	list->sockets = calloc(MOST, sizeof(*listed));
	memcpy(list->sockets, listed, sizeof(listed));
	for (size_t i = 0; i < n_listed; i++)
		list->sockets[i].key.proto = proto;
	list->n = n_listed;
	return 0;
}

int __wrap_group_iter_read_port(struct group_iter *reader, int proto, uint16_t port,
				struct member_list *list, struct reuseport_error *err);
int __wrap_group_iter_read_port(struct group_iter *reader, int proto, uint16_t port,
				struct member_list *list, struct reuseport_error *err)
{
	(void)reader;
	(void)proto;
	(void)err;
	assert_int_equal(port, 53);
	if (iter_result)
		return iter_result;
	list->members = calloc(MOST, sizeof(*iterated));
	memcpy(list->members, iterated, sizeof(iterated));
	list->n = n_iterated;
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	n_listed = n_iterated = 0;
	diag_result = iter_result = 0;
	memset(listed, 0, sizeof(listed));
	memset(iterated, 0, sizeof(iterated));
	return 0;
}

/* A socket on 0.0.0.0 or [::], or on another address by its last byte. */
static struct sock_diag_socket *list_socket(uint64_t cookie, int family, uint8_t addr)
{
	struct sock_diag_socket *socket = &listed[n_listed++];

	socket->cookie = cookie;
	socket->key.family = family;
	socket->key.port = 53;
	socket->key.addr[family == AF_INET6 ? 15 : 3] = addr;
	return socket;
}

static struct group_member *iterate(uint64_t cookie, uint64_t group)
{
	struct group_member *member = &iterated[n_iterated++];

	member->cookie = cookie;
	member->group = group;
	member->cpu = -1;
	return member;
}

static struct port_sockets read_port(int proto, bool iterators, bool by_address)
{
	struct port_sockets_reader reader = { .groups = iterators ? (void *)&reader : NULL,
					      .by_address = by_address };
	struct port_sockets found;

	assert_int_equal(port_sockets_read(&reader, proto, 53, &found, NULL), 0);
	return found;
}

/* The cookies in their order; frees the list. */
static void expect_order(struct port_sockets *found, const uint64_t *cookies, size_t n)
{
	assert_int_equal(found->n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(found->sockets[i].diag.cookie, cookies[i]);
	free(found->sockets);
}

#define EXPECT_ORDER(found, ...)                               \
	expect_order(found, (const uint64_t[]){ __VA_ARGS__ }, \
		     sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

/* -------------------------------------------------------------- with iterators */

static void in_the_order_of_the_iterators(void **state)
{
	struct port_sockets found;

	(void)state;
	list_socket(30, AF_INET, 0);
	list_socket(10, AF_INET, 1)->queue = 77;
	list_socket(20, AF_INET, 0);
	iterate(20, 500)->has_conns = 1;
	iterate(10, 0)->cpu = 3;
	iterate(30, 500);
	found = read_port(IPPROTO_TCP, true, false);
	assert_true(found.exact);
	assert_int_equal(found.sockets[0].group, 500);
	assert_true(found.sockets[0].has_conns);
	assert_int_equal(found.sockets[0].cpu, -1);
	assert_int_equal(found.sockets[1].group, 0);
	assert_int_equal(found.sockets[1].cpu, 3);
	assert_int_equal(found.sockets[1].diag.queue, 77);
	assert_false(found.sockets[2].has_conns);
	EXPECT_ORDER(&found, 20, 10, 30);
}

static void only_sockets_that_both_have(void **state)
{
	struct port_sockets found;

	(void)state;
	list_socket(10, AF_INET, 0); /* closed since */
	list_socket(20, AF_INET, 0);
	iterate(5, 0); /* bound since */
	iterate(20, 0);
	iterate(25, 0);
	found = read_port(IPPROTO_TCP, true, false);
	EXPECT_ORDER(&found, 20);
}

static void udp_iterators_by_port_are_not_exact(void **state)
{
	struct port_sockets found;

	(void)state;
	for (uint64_t cookie = 1; cookie <= 5; cookie++) {
		list_socket(cookie, cookie == 2 ? AF_INET : AF_INET6, 0);
		iterate(cookie, cookie == 4 ? 0 : 9);
	}
	/* Where connect() has moved one, the order is another one by address. */
	found = read_port(IPPROTO_UDP, true, false);
	assert_false(found.exact);
	EXPECT_ORDER(&found, 1, 2, 3, 4, 5);
	found = read_port(IPPROTO_UDP, true, true);
	assert_true(found.exact);
	EXPECT_ORDER(&found, 1, 2, 3, 4, 5);
}

/* ----------------------------------------------------------- without iterators */

static void groups_are_guessed_by_the_key(void **state)
{
	struct port_sockets found;

	(void)state;
	list_socket(1, AF_INET, 0);
	list_socket(2, AF_INET, 1); /* alone on its address */
	list_socket(3, AF_INET, 0);
	list_socket(4, AF_INET, 2);
	list_socket(5, AF_INET, 2)->connected = true; /* no member */
	list_socket(6, AF_INET, 3);
	list_socket(7, AF_INET, 3);
	found = read_port(IPPROTO_UDP, false, false);
	assert_false(found.exact);
	assert_true(found.sockets[0].group != 0);
	assert_int_equal(found.sockets[0].group, found.sockets[2].group);
	assert_int_equal(found.sockets[1].group, 0);
	assert_int_equal(found.sockets[3].group, 0);
	assert_int_equal(found.sockets[4].group, 0);
	assert_int_equal(found.sockets[5].group, found.sockets[6].group);
	assert_int_not_equal(found.sockets[0].group, found.sockets[5].group);
	assert_int_equal(found.sockets[0].cpu, -1);
	EXPECT_ORDER(&found, 1, 2, 3, 4, 5, 6, 7);
}

static void so_are_they_if_the_iterators_fail(void **state)
{
	struct port_sockets found;

	(void)state;
	list_socket(1, AF_INET, 0);
	list_socket(2, AF_INET, 0);
	iterate(2, 0);
	iter_result = -EPERM;
	found = read_port(IPPROTO_TCP, true, false);
	assert_false(found.exact);
	assert_true(found.sockets[0].group && found.sockets[0].group == found.sockets[1].group);
	EXPECT_ORDER(&found, 1, 2);
}

static void no_socket_and_no_sock_diag(void **state)
{
	struct port_sockets_reader reader = { 0 };
	struct port_sockets found;

	(void)state;
	found = read_port(IPPROTO_UDP, false, false);
	assert_int_equal(found.n, 0);
	free(found.sockets);
	diag_result = -EOPNOTSUPP;
	assert_int_equal(port_sockets_read(&reader, IPPROTO_UDP, 53, &found, NULL), -EOPNOTSUPP);
	assert_null(found.sockets);
	assert_int_equal(found.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(in_the_order_of_the_iterators, set_up),
		cmocka_unit_test_setup(only_sockets_that_both_have, set_up),
		cmocka_unit_test_setup(udp_iterators_by_port_are_not_exact, set_up),
		cmocka_unit_test_setup(groups_are_guessed_by_the_key, set_up),
		cmocka_unit_test_setup(so_are_they_if_the_iterators_fail, set_up),
		cmocka_unit_test_setup(no_socket_and_no_sock_diag, set_up),
	};

	return cmocka_run_group_tests_name("port_sockets", tests, NULL, NULL);
}
