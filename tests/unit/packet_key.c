/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The hash of a packet's key, against the bytes as a capture shows them: the
 * message is put together byte by byte and cut bit by bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "decide/key.h"
#include "random.h"
#include "siphash_bytes.h"

struct packet {
	unsigned char src[16], dst[16]; /* of IPv4 the first four */
	unsigned char ports[4];         /* source, destination */
	int v6;
};

static struct packet random_packet(uint64_t *state, int v6)
{
	struct packet packet = { .v6 = v6 };

	for (int i = 0; i < (v6 ? 16 : 4); i++) {
		packet.src[i] = next_hash(state);
		packet.dst[i] = next_hash(state);
	}
	for (int i = 0; i < 4; i++)
		packet.ports[i] = next_hash(state);
	return packet;
}

/* As the program loads it from the packet. */
static struct tuple load(const struct packet *packet)
{
	struct tuple tuple = { .v6 = packet->v6 };
	size_t bytes = packet->v6 ? 16 : 4;

	memcpy(tuple.src, packet->src, bytes);
	memcpy(tuple.dst, packet->dst, bytes);
	memcpy(&tuple.ports, packet->ports, 4);
	return tuple;
}

static size_t add(unsigned char *message, size_t at, const unsigned char *bytes, size_t n)
{
	memcpy(message + at, bytes, n);
	return at + n;
}

static void cut(unsigned char *address, unsigned int bits, size_t bytes)
{
	for (unsigned int bit = bits; bit < 8 * bytes; bit++)
		address[bit / 8] &= ~(0x80 >> bit % 8);
}

static uint32_t reference(const struct plan *plan, const struct packet *packet)
{
	size_t bytes = packet->v6 ? 16 : 4, length = 0;
	uint64_t key[2] = { plan->hash_key[0], plan->hash_key[1] };
	unsigned char message[36];

	switch (plan->key) {
	case KEY_TUPLE:
		length = add(message, length, packet->src, bytes);
		length = add(message, length, packet->dst, bytes);
		length = add(message, length, packet->ports, 4);
		break;
	case KEY_SRC:
		length = add(message, 0, packet->src, bytes);
		break;
	case KEY_SRC_PREFIX:
		length = add(message, 0, packet->src, bytes);
		cut(message, packet->v6 ? plan->prefix6 : plan->prefix4, bytes);
		break;
	case KEY_DST:
		length = add(message, 0, packet->dst, bytes);
		break;
	}
	return siphash_bytes(key, message, length) >> 32;
}

static uint32_t hash_of(const struct plan *plan, const struct packet *packet)
{
	struct tuple tuple = load(packet);

	return key_hash(plan, &tuple);
}

static struct plan a_plan(enum packet_key key)
{
	return (struct plan){ .key = key,
			      .prefix4 = 32,
			      .prefix6 = 128,
			      .flags = PLAN_OWN_HASH,
			      .hash_key = { 0x0123456789abcdef, 0xfedcba9876543210 } };
}

static void every_kind_of_key(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned int key = KEY_TUPLE; key <= KEY_DST; key++) {
		struct plan plan = a_plan(key);

		for (int i = 0; i < 1000; i++) {
			struct packet packet = random_packet(&seed, i & 1);

			plan.hash_key[0] = seed;
			plan.hash_key[1] = ~seed;
			assert_int_equal(hash_of(&plan, &packet), reference(&plan, &packet));
		}
	}
}

static void every_prefix(void **state)
{
	struct plan plan = a_plan(KEY_SRC_PREFIX);
	uint64_t seed = 11;

	(void)state;
	for (unsigned int bits = 1; bits <= 128; bits++) {
		plan.prefix4 = bits < 32 ? bits : 32;
		plan.prefix6 = bits;
		for (int i = 0; i < 50; i++) {
			struct packet packet = random_packet(&seed, i & 1);

			if (hash_of(&plan, &packet) != reference(&plan, &packet))
				fail_msg("/%u, IPv%d", bits, packet.v6 ? 6 : 4);
		}
	}
}

/* Each bit of the address: those in the prefix count, the others do not. */
static void what_of_the_source_counts(void **state)
{
	struct plan plan = a_plan(KEY_SRC_PREFIX);
	uint64_t seed = 13;

	(void)state;
	for (int v6 = 0; v6 < 2; v6++)
		for (unsigned int bits = 1; bits <= (v6 ? 128 : 32); bits++) {
			struct packet packet = random_packet(&seed, v6);
			uint32_t hash;

			plan.prefix4 = v6 ? 1 : bits;
			plan.prefix6 = v6 ? bits : 1;
			hash = hash_of(&plan, &packet);
			for (unsigned int bit = 0; bit < (v6 ? 128 : 32); bit++) {
				packet.src[bit / 8] ^= 0x80 >> bit % 8;
				if ((hash_of(&plan, &packet) == hash) != (bit >= bits))
					fail_msg("/%u, bit %u, IPv%d", bits, bit, v6 ? 6 : 4);
				packet.src[bit / 8] ^= 0x80 >> bit % 8;
			}
		}
}

static void whole_prefix_is_the_source(void **state)
{
	struct plan prefix = a_plan(KEY_SRC_PREFIX), src = a_plan(KEY_SRC);
	uint64_t seed = 17;

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct packet packet = random_packet(&seed, i & 1);

		assert_int_equal(hash_of(&prefix, &packet), hash_of(&src, &packet));
	}
}

/* Whether another value of n bytes at "field" makes another hash. */
static int counts(const struct plan *plan, struct packet *packet, unsigned char *field, size_t n)
{
	uint32_t hash = hash_of(plan, packet), differ = 0;

	for (size_t i = 0; i < n; i++) {
		field[i] ^= 0x10;
		differ += hash_of(plan, packet) != hash;
		field[i] ^= 0x10;
	}
	assert_true(differ == 0 || differ == n);
	return differ != 0;
}

static void nothing_else_counts(void **state)
{
	static const struct {
		enum packet_key key;
		int src, dst, ports;
	} table[] = {
		{ KEY_TUPLE, 1, 1, 1 },
		{ KEY_SRC, 1, 0, 0 },
		{ KEY_SRC_PREFIX, 1, 0, 0 },
		{ KEY_DST, 0, 1, 0 },
	};
	uint64_t seed = 19;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (int v6 = 0; v6 < 2; v6++) {
			struct packet packet = random_packet(&seed, v6);
			struct plan plan = a_plan(table[i].key);
			size_t bytes = v6 ? 16 : 4;

			assert_int_equal(counts(&plan, &packet, packet.src, bytes), table[i].src);
			assert_int_equal(counts(&plan, &packet, packet.dst, bytes), table[i].dst);
			assert_int_equal(counts(&plan, &packet, packet.ports, 4), table[i].ports);
		}
}

/* Of IPv4 only four bytes of an address are there. */
static void rest_of_an_ipv4_address_is_ignored(void **state)
{
	uint64_t seed = 23;

	(void)state;
	for (unsigned int key = KEY_TUPLE; key <= KEY_DST; key++) {
		struct packet packet = random_packet(&seed, 0);
		struct tuple tuple = load(&packet), dirty = tuple;
		struct plan plan = a_plan(key), other = plan;

		dirty.src[0] |= 0xffffffff00000000;
		dirty.dst[0] |= 0xffffffff00000000;
		dirty.src[1] = dirty.dst[1] = ~0ULL;
		other.policy = POLICY_CONSISTENT;
		other.width = 1000;
		other.prefix6 = 3;
		if (key != KEY_SRC_PREFIX)
			other.prefix4 = 3;
		assert_int_equal(key_hash(&plan, &tuple), key_hash(&other, &dirty));
	}
}

static void source_and_destination_are_not_the_same(void **state)
{
	struct plan plan = a_plan(KEY_TUPLE);
	uint64_t seed = 29;

	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		struct packet packet = random_packet(&seed, v6), back = packet;

		memcpy(back.src, packet.dst, 16);
		memcpy(back.dst, packet.src, 16);
		assert_int_not_equal(hash_of(&plan, &packet), hash_of(&plan, &back));
	}
}

/* A capture's own bytes: 192.0.2.1:1024 to 198.51.100.2:80. */
static void known_packet(void **state)
{
	static const unsigned char message[12] = { 192, 0, 2, 1, 198, 51, 100, 2, 4, 0, 0, 80 };
	struct plan plan = a_plan(KEY_TUPLE);
	struct tuple tuple = { .ports = htons(1024) | (uint32_t)htons(80) << 16 };
	uint64_t key[2] = { plan.hash_key[0], plan.hash_key[1] };
	struct in_addr src, dst;

	(void)state;
	inet_pton(AF_INET, "192.0.2.1", &src);
	inet_pton(AF_INET, "198.51.100.2", &dst);
	tuple.src[0] = src.s_addr;
	tuple.dst[0] = dst.s_addr;
	assert_int_equal(key_hash(&plan, &tuple), siphash_bytes(key, message, 12) >> 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_key),
		cmocka_unit_test(every_prefix),
		cmocka_unit_test(what_of_the_source_counts),
		cmocka_unit_test(whole_prefix_is_the_source),
		cmocka_unit_test(nothing_else_counts),
		cmocka_unit_test(rest_of_an_ipv4_address_is_ignored),
		cmocka_unit_test(source_and_destination_are_not_the_same),
		cmocka_unit_test(known_packet),
	};

	return cmocka_run_group_tests_name("packet_key", tests, NULL, NULL);
}
