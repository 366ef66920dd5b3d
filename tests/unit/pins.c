/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The names of pin directories: there and back for every kind of key, and no
 * other name is taken for one of ours.
 */
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
#include <stdio.h>
#include <string.h>

#include "state/pins.h"

#define NAME_SIZE 128

static struct reuseport_key make_key(int proto, const char *addr, uint16_t port, uint64_t netns)
{
	struct reuseport_key key = { .proto = proto, .port = port, .netns = netns };

	key.family = strchr(addr, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(key.family, addr, key.addr), 1);
	return key;
}

static void there_and_back(const struct reuseport_key *key, const char *expected)
{
	struct reuseport_key back;
	char name[NAME_SIZE];

	pins_name(key, name, sizeof(name));
	assert_string_equal(name, expected);
	/* What bpffs refuses, and what would leave the directory. */
	assert_null(strpbrk(name, "./"));
	memset(&back, 0xff, sizeof(back));
	assert_int_equal(pins_parse(name, &back), 0);
	assert_int_equal(back.sz, sizeof(back));
	assert_true(group_key_equal(key, &back));
	assert_true(back.sz == sizeof(back));
}

static void names_of_ipv4(void **state)
{
	struct reuseport_key key = make_key(IPPROTO_TCP, "0.0.0.0", 8080, 4026531840);

	(void)state;
	there_and_back(&key, "tcp-0_0_0_0-8080-4026531840");
	key = make_key(IPPROTO_UDP, "255.255.255.255", 65535, 1);
	there_and_back(&key, "udp-255_255_255_255-65535-1");
	key = make_key(IPPROTO_TCP, "127.0.0.1", 1, UINT64_MAX);
	there_and_back(&key, "tcp-127_0_0_1-1-18446744073709551615");
}

static void names_of_ipv6(void **state)
{
	struct reuseport_key key = make_key(IPPROTO_TCP, "::", 443, 4026531840);

	(void)state;
	there_and_back(&key, "tcp-::-443-4026531840");
	key.v6only = true;
	there_and_back(&key, "tcp-::-443-4026531840-v6only");
	key = make_key(IPPROTO_UDP, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 53, 7);
	there_and_back(&key, "udp-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff-53-7");
	key = make_key(IPPROTO_UDP, "fe80::1", 53, 7);
	there_and_back(&key, "udp-fe80::1-53-7");
}

/* inet_ntop writes these with dots. */
static void names_of_mapped_addresses(void **state)
{
	struct reuseport_key key = make_key(IPPROTO_TCP, "::ffff:192.0.2.1", 80, 9);

	(void)state;
	there_and_back(&key, "tcp-::ffff:192_0_2_1-80-9");
	key = make_key(IPPROTO_TCP, "::192.0.2.1", 80, 9);
	there_and_back(&key, "tcp-::192_0_2_1-80-9");
	key = make_key(IPPROTO_TCP, "::ffff:255.255.255.255", 65535, UINT64_MAX);
	key.ifindex = UINT32_MAX;
	key.v6only = true;
	there_and_back(&key, "tcp-::ffff:255_255_255_255-65535-18446744073709551615-dev4294967295"
			     "-v6only");
}

static void names_of_devices(void **state)
{
	struct reuseport_key key = make_key(IPPROTO_UDP, "0.0.0.0", 53, 4026531840);

	(void)state;
	key.ifindex = 3;
	there_and_back(&key, "udp-0_0_0_0-53-4026531840-dev3");
	key = make_key(IPPROTO_UDP, "fe80::1", 53, 4026531840);
	key.ifindex = UINT32_MAX;
	key.v6only = true;
	there_and_back(&key, "udp-fe80::1-53-4026531840-dev4294967295-v6only");
}

/* Where another uid's attachment has the plain name. */
static void names_of_users(void **state)
{
	struct reuseport_key key = make_key(IPPROTO_UDP, "0.0.0.0", 53, 4026531840), back;
	char name[NAME_SIZE];

	(void)state;
	key.has_uid = true;
	there_and_back(&key, "udp-0_0_0_0-53-4026531840-uid0");
	key.uid = UINT32_MAX - 1;
	key.ifindex = 3;
	there_and_back(&key, "udp-0_0_0_0-53-4026531840-dev3-uid4294967294");
	key = make_key(IPPROTO_UDP, "fe80::1", 53, 4026531840);
	key.has_uid = key.v6only = true;
	key.uid = 33;
	there_and_back(&key, "udp-fe80::1-53-4026531840-v6only-uid33");
	pins_name(&key, name, sizeof(name));
	assert_int_equal(pins_parse(name, &back), 0);
	assert_true(back.has_uid);
	assert_int_equal(back.uid, 33);
	/* The plain name says nothing of the user. */
	assert_int_equal(pins_parse("udp-0_0_0_0-53-4026531840", &back), 0);
	assert_false(back.has_uid);
}

static void keys_that_differ_have_names_that_differ(void **state)
{
	struct reuseport_key keys[10];
	char names[10][NAME_SIZE];

	(void)state;
	for (int i = 0; i < 10; i++)
		keys[i] = make_key(IPPROTO_TCP, "::", 8080, 4026531840);
	keys[1].proto = IPPROTO_UDP;
	keys[2].port = 8081;
	keys[3].netns = 4026531841;
	keys[4].ifindex = 1;
	keys[5].v6only = true;
	keys[6].addr[15] = 1;
	keys[7] = make_key(IPPROTO_TCP, "0.0.0.0", 8080, 4026531840);
	keys[8].has_uid = keys[9].has_uid = true;
	keys[9].uid = 1;
	for (int i = 0; i < 10; i++) {
		pins_name(&keys[i], names[i], sizeof(names[i]));
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(names[i], names[j]);
			/* A key without a uid is of any. */
			assert_true(!group_key_equal(&keys[i], &keys[j]) || (i >= 8 && !j));
		}
	}
}

/* Random keys: xorshift64*, the same at every run. */
static void many_keys_there_and_back(void **state)
{
	uint64_t random = 88172645463325252;
	struct reuseport_key key, back;
	char name[NAME_SIZE];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		random ^= random >> 12;
		random ^= random << 25;
		random ^= random >> 27;
		key = (struct reuseport_key){
			.proto = random & 1 ? IPPROTO_TCP : IPPROTO_UDP,
			.family = random & 2 ? AF_INET : AF_INET6,
			.port = (random >> 8 & 0xffff) | 1,
			.netns = random,
			.ifindex = random & 4 ? random >> 32 : 0,
			.v6only = random & 8,
			.has_uid = random & 16,
			.uid = random & 16 ? random >> 24 : 0,
		};
		/* Runs of zeros, which inet_ntop shortens. */
		for (int byte = 0; byte < (key.family == AF_INET ? 4 : 16); byte++)
			if (random >> (byte * 3) & 4)
				key.addr[byte] = random >> byte;
		pins_name(&key, name, sizeof(name));
		assert_int_equal(pins_parse(name, &back), 0);
		assert_true(group_key_equal(&key, &back));
		assert_true(back.has_uid == key.has_uid && back.uid == key.uid);
	}
}

static void other_names_are_refused(void **state)
{
	static const char *const names[] = {
		"",
		"tcp",
		"tcp-",
		"tcp-0_0_0_0",
		"tcp-0_0_0_0-8080",
		"tcp-0_0_0_0-8080-",
		"tcp-0_0_0_0-8080-x",
		"tcp-0_0_0_0--1",
		"icm-0_0_0_0-8080-1",
		"sctp-0_0_0_0-8080-1",
		"TCP-0_0_0_0-8080-1",
		"tcp-0_0_0-8080-1",
		"tcp-0_0_0_256-8080-1",
		"tcp-0.0.0.0-8080-1",
		"tcp-00_0_0_0-8080-1",
		"tcp-:::-8080-1",
		"tcp-0:0::0-8080-1",
		"tcp-::G-8080-1",
		"tcp-0_0_0_0-08080-1",
		"tcp-0_0_0_0-65536-1",
		"tcp-0_0_0_0-65537-1",
		"tcp-0_0_0_0-4294967297-1",
		"tcp-0_0_0_0-+80-1",
		"tcp-0_0_0_0- 80-1",
		"tcp-0_0_0_0--80-1",
		"tcp-0_0_0_0-0-1",
		"tcp-0_0_0_0-80-01",
		"tcp-0_0_0_0-80--1",
		"tcp-0_0_0_0-80-18446744073709551616",
		"tcp-0_0_0_0-80-1-",
		"tcp-0_0_0_0-80-1-dev",
		"tcp-0_0_0_0-80-1-dev0",
		"tcp-0_0_0_0-80-1-dev-1",
		"tcp-0_0_0_0-80-1-dev4294967296",
		"tcp-0_0_0_0-80-1-devx",
		"tcp-::-80-1-v6only-dev3",
		"tcp-0_0_0_0-80-1-uid",
		"tcp-0_0_0_0-80-1-uid-1",
		"tcp-0_0_0_0-80-1-uid01",
		"tcp-0_0_0_0-80-1-uid4294967296",
		"tcp-0_0_0_0-80-1-uidroot",
		"tcp-0_0_0_0-80-1-uid1-dev3",
		"tcp-0_0_0_0-80-1-uid1-uid1",
		"tcp-::-80-1-uid1-v6only",
		"tcp-::-80-1-v6only-v6only",
		"tcp-::-80-1-v6only ",
		"tcp-::-80-1-v6",
		"tcp-0_0_0_0-80-1 ",
		" tcp-0_0_0_0-80-1",
		"tcp-0_0_0_0-80-1/../x",
		"tcp-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff-80-1",
	};
	struct reuseport_key key, before;

	(void)state;
	memset(&key, 0x55, sizeof(key));
	before = key;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (pins_parse(names[i], &key) != -EINVAL)
			fail_msg("taken for one of ours: '%s'", names[i]);
		assert_memory_equal(&key, &before, sizeof(key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_ipv4),
		cmocka_unit_test(names_of_ipv6),
		cmocka_unit_test(names_of_mapped_addresses),
		cmocka_unit_test(names_of_devices),
		cmocka_unit_test(names_of_users),
		cmocka_unit_test(keys_that_differ_have_names_that_differ),
		cmocka_unit_test(many_keys_there_and_back),
		cmocka_unit_test(other_names_are_refused),
	};

	return cmocka_run_group_tests_name("pins", tests, NULL, NULL);
}
