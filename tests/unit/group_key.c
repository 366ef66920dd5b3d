/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Keys: which ones a filter selects, how they are written, what is pinned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "sockets/group_key.h"

static struct reuseport_key v4(void)
{
	return (struct reuseport_key){ .proto = IPPROTO_TCP,
				       .family = AF_INET,
				       .port = 8080,
				       .addr = { 127, 0, 0, 1 },
				       .netns = 42 };
}

static struct reuseport_key v6(void)
{
	return (struct reuseport_key){ .proto = IPPROTO_UDP,
				       .family = AF_INET6,
				       .port = 53,
				       .addr = { [15] = 1 },
				       .netns = 42,
				       .v6only = true };
}

/* 1: selects it, 0: does not, else -errno. */
static int selects(struct reuseport_filter from, struct reuseport_key key)
{
	struct group_key_filter filter;
	int ret = group_key_filter_init(&filter, &from, NULL);

	return ret ? ret : group_key_matches(&filter, &key);
}

#define FILTER(...) ((struct reuseport_filter)REUSEPORT_INIT(reuseport_filter, __VA_ARGS__))

static void each_member_that_is_set_must_match(void **state)
{
	(void)state;
	assert_int_equal(selects(FILTER(.port = 0), v4()), 1);
	assert_int_equal(selects(FILTER(.proto = IPPROTO_TCP), v4()), 1);
	assert_int_equal(selects(FILTER(.proto = IPPROTO_UDP), v4()), 0);
	assert_int_equal(selects(FILTER(.port = 8080), v4()), 1);
	assert_int_equal(selects(FILTER(.port = 8081), v4()), 0);
	assert_int_equal(selects(FILTER(.netns = 42), v4()), 1);
	assert_int_equal(selects(FILTER(.netns = 43), v4()), 0);
	assert_int_equal(selects(FILTER(.addr = "127.0.0.1"), v4()), 1);
	assert_int_equal(selects(FILTER(.addr = "127.0.0.2"), v4()), 0);
	assert_int_equal(selects(FILTER(.proto = IPPROTO_TCP, .port = 8080, .netns = 42,
					.addr = "127.0.0.1"),
				 v4()),
			 1);
	assert_int_equal(selects(FILTER(.proto = IPPROTO_TCP, .port = 8080, .netns = 42,
					.addr = "127.0.0.2"),
				 v4()),
			 0);
	/* What a filter has no word for does not matter. */
	assert_int_equal(selects(FILTER(.port = 53), v6()), 1);
}

static void no_filter_selects_all(void **state)
{
	struct group_key_filter filter;
	struct reuseport_key key = v4();

	(void)state;
	assert_int_equal(group_key_filter_init(&filter, NULL, NULL), 0);
	assert_true(group_key_matches(&filter, &key));
}

static void the_family_is_part_of_an_address(void **state)
{
	struct reuseport_key any4 = { .family = AF_INET }, any6 = { .family = AF_INET6 };

	(void)state;
	assert_int_equal(selects(FILTER(.addr = "0.0.0.0"), any4), 1);
	assert_int_equal(selects(FILTER(.addr = "0.0.0.0"), any6), 0);
	assert_int_equal(selects(FILTER(.addr = "::"), any6), 1);
	assert_int_equal(selects(FILTER(.addr = "::"), any4), 0);
	/* A wildcard in a filter is that address, not any address. */
	assert_int_equal(selects(FILTER(.addr = "0.0.0.0"), v4()), 0);
	assert_int_equal(selects(FILTER(.addr = "0:0:0:0:0:0:0:1"), v6()), 1);
	assert_int_equal(selects(FILTER(.addr = "::ffff:127.0.0.1"), v4()), 0);
}

static void malformed_addresses(void **state)
{
	static const char *const bad[] = { "",          " ",   "1.2.3", "1.2.3.4.5", "1.2.3.256",
					   "localhost", ":::", "[::1]", "::1%lo",    "127.0.0.1:80",
					   "0x7f.0.0.1" };
	struct reuseport_error err;
	struct group_key_filter filter;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(group_key_filter_init(&filter, &FILTER(.addr = bad[i]), &err),
				 -EINVAL);
		assert_int_equal(err.code, EINVAL);
		assert_non_null(strstr(err.text, bad[i]));
	}
}

static void equality_looks_at_every_member(void **state)
{
	struct reuseport_key a = v6(), b[7];

	(void)state;
	for (int i = 0; i < 7; i++)
		b[i] = a;
	assert_true(group_key_equal(&a, &b[0]));
	b[0].proto = IPPROTO_TCP;
	b[1].family = AF_INET;
	b[2].port++;
	b[3].addr[0]++;
	b[4].ifindex++;
	b[5].v6only = false;
	b[6].netns++;
	for (int i = 0; i < 7; i++)
		assert_false(group_key_equal(&a, &b[i]));
}

static void a_group_is_of_one_uid(void **state)
{
	struct reuseport_key root = v4(), other = v4(), unknown = v4();

	(void)state;
	root.has_uid = other.has_uid = true;
	other.uid = 65534;
	assert_false(group_key_equal(&root, &other));
	assert_true(group_key_same_place(&root, &other));
	other.uid = 0;
	assert_true(group_key_equal(&root, &other));
	/* An older version has not pinned it. */
	other.uid = 65534;
	assert_true(group_key_equal(&root, &unknown));
	assert_true(group_key_equal(&unknown, &other));
	other.port++;
	assert_false(group_key_equal(&unknown, &other));
	assert_false(group_key_same_place(&root, &other));
}

static void sorted_by_every_member(void **state)
{
	struct reuseport_key a = v6(), b[9];

	(void)state;
	for (int i = 0; i < 9; i++)
		b[i] = a;
	b[0].netns++;
	b[1].port++;
	b[2].proto = IPPROTO_UDP + 1;
	b[3].family++;
	b[4].addr[15]++;
	b[5].ifindex++;
	b[6].uid++;
	for (int i = 0; i < 7; i++) {
		assert_true(group_key_compare(&a, &b[i]) < 0);
		assert_true(group_key_compare(&b[i], &a) > 0);
	}
	b[7].v6only = false;
	assert_true(group_key_compare(&a, &b[7]) > 0);
	assert_int_equal(group_key_compare(&a, &b[8]), 0);
}

static void as_text(void **state)
{
	char text[GROUP_KEY_TEXT_LEN];
	struct reuseport_key key = v4();

	(void)state;
	group_key_text(&key, text, sizeof(text));
	assert_string_equal(text, "tcp 127.0.0.1:8080");
	key = v6();
	group_key_text(&key, text, sizeof(text));
	assert_string_equal(text, "udp [::1]:53");
	/* The longest there is fits. */
	key.ifindex = UINT32_MAX;
	key.port = 65535;
	assert_int_equal(
		inet_pton(AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", key.addr), 1);
	group_key_text(&key, text, sizeof(text));
	assert_string_equal(text, "udp [ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

static void pinned_and_read_again(void **state)
{
	struct reuseport_key keys[] = { v4(), v6() }, back;
	struct attachment_entry entry;

	(void)state;
	keys[1].ifindex = UINT32_MAX;
	keys[1].netns = UINT64_MAX;
	keys[1].port = 65535;
	for (int i = 0; i < 2; i++) {
		memset(&entry, 0, sizeof(entry));
		memset(&back, 0xff, sizeof(back));
		group_key_to_entry(&keys[i], &entry);
		group_key_from_entry(&back, &entry);
		assert_true(group_key_equal(&keys[i], &back));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member_that_is_set_must_match),
		cmocka_unit_test(no_filter_selects_all),
		cmocka_unit_test(the_family_is_part_of_an_address),
		cmocka_unit_test(malformed_addresses),
		cmocka_unit_test(equality_looks_at_every_member),
		cmocka_unit_test(a_group_is_of_one_uid),
		cmocka_unit_test(sorted_by_every_member),
		cmocka_unit_test(as_text),
		cmocka_unit_test(pinned_and_read_again),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
