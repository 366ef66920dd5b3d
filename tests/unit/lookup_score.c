/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Lookup score: which socket the kernel's lookup gives a packet to. Expected results are
 * worked out by hand from compute_score and the lookups of Linux 6.12. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "sockets/lookup_score.h"

#define ETH0 2
#define ETH1 3

static void to_addr(const char *text, int *family, uint8_t addr[16])
{
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	memset(addr, 0, 16);
	assert_int_equal(inet_pton(*family, text, addr), 1);
}

/* Arrives on eth0, from port 1000. */
static struct lookup_packet packet(int proto, const char *src, const char *dst)
{
	struct lookup_packet p = {
		.proto = proto, .sport = 1000, .dport = 80, .ifindex = ETH0, .cpu = -1
	};

	to_addr(src, &p.family, p.src);
	to_addr(dst, &p.family, p.dst);
	return p;
}

static struct lookup_socket bound(const char *addr)
{
	struct lookup_socket s = { 0 };

	to_addr(addr, &s.family, s.addr);
	return s;
}

static struct lookup_socket on_device(const char *addr, uint32_t ifindex)
{
	struct lookup_socket s = bound(addr);

	s.ifindex = ifindex;
	return s;
}

static struct lookup_socket member(const char *addr, uint64_t group)
{
	struct lookup_socket s = bound(addr);

	s.group = group;
	return s;
}

static struct lookup_socket member_on_device(const char *addr, uint64_t group, uint32_t ifindex)
{
	struct lookup_socket s = member(addr, group);

	s.ifindex = ifindex;
	return s;
}

static struct lookup_socket connected(const char *addr, const char *peer, uint16_t port)
{
	struct lookup_socket s = bound(addr);

	s.connected = true;
	to_addr(peer, &s.family, s.peer);
	s.peer_port = port;
	return s;
}

static struct lookup_socket v6only(struct lookup_socket s)
{
	s.v6only = true;
	return s;
}

/* The score of one socket for a packet, -1 for none. */
static int score(int proto, const char *src, const char *dst, struct lookup_socket s)
{
	struct lookup_packet p = packet(proto, src, dst);

	lookup_score_socket(&p, &s);
	assert_int_equal(s.score.total, s.score.total < 0 ?
						-1 :
						s.score.base + s.score.family + s.score.peer_addr +
							s.score.peer_port + s.score.device);
	return s.score.total;
}

static enum lookup_reason reason(int proto, const char *src, const char *dst,
				 struct lookup_socket s)
{
	struct lookup_packet p = packet(proto, src, dst);

	lookup_score_socket(&p, &s);
	return s.reason;
}

#define V4 "10.0.0.9", "10.0.0.1"
#define V6 "fd00::9", "fd00::1"

static void test_tcp_ipv4(void **state)
{
	(void)state;
	assert_int_equal(score(IPPROTO_TCP, V4, bound("0.0.0.0")), 2);
	assert_int_equal(score(IPPROTO_TCP, V4, bound("10.0.0.1")), 2);
	assert_int_equal(score(IPPROTO_TCP, V4, on_device("0.0.0.0", ETH0)), 3);
	assert_int_equal(score(IPPROTO_TCP, V4, bound("::")), 1);
	assert_int_equal(score(IPPROTO_TCP, V4, on_device("::", ETH0)), 2);
	assert_int_equal(score(IPPROTO_TCP, V4, bound("::ffff:10.0.0.1")), 1);
	assert_int_equal(score(IPPROTO_TCP, V4, bound("::ffff:0.0.0.0")), 1);
}

static void test_tcp_ipv6(void **state)
{
	(void)state;
	assert_int_equal(score(IPPROTO_TCP, V6, bound("::")), 1);
	assert_int_equal(score(IPPROTO_TCP, V6, v6only(bound("::"))), 1);
	assert_int_equal(score(IPPROTO_TCP, V6, bound("fd00::1")), 1);
	assert_int_equal(score(IPPROTO_TCP, V6, on_device("fd00::1", ETH0)), 2);
}

static void test_udp_ipv4(void **state)
{
	(void)state;
	assert_int_equal(score(IPPROTO_UDP, V4, bound("0.0.0.0")), 2);
	assert_int_equal(score(IPPROTO_UDP, V4, bound("::")), 1);
	assert_int_equal(score(IPPROTO_UDP, V4, on_device("0.0.0.0", ETH0)), 6);
	assert_int_equal(score(IPPROTO_UDP, V4, on_device("::", ETH0)), 5);
	assert_int_equal(score(IPPROTO_UDP, V4, connected("10.0.0.1", "10.0.0.9", 1000)), 10);
	assert_int_equal(
		score(IPPROTO_UDP, V4, connected("::ffff:10.0.0.1", "::ffff:10.0.0.9", 1000)), 9);
}

static void test_udp_ipv6(void **state)
{
	struct lookup_socket s = connected("fd00::1", "fd00::9", 1000);

	(void)state;
	assert_int_equal(score(IPPROTO_UDP, V6, bound("::")), 0);
	assert_int_equal(score(IPPROTO_UDP, V6, bound("fd00::1")), 0);
	assert_int_equal(score(IPPROTO_UDP, V6, on_device("::", ETH0)), 1);
	assert_int_equal(score(IPPROTO_UDP, V6, s), 2);
	s.ifindex = ETH0;
	assert_int_equal(score(IPPROTO_UDP, V6, s), 3);
}

static void test_reasons(void **state)
{
	(void)state;
	assert_int_equal(reason(IPPROTO_TCP, V4, bound("10.0.0.2")), LOOKUP_ADDR);
	assert_int_equal(reason(IPPROTO_TCP, V4, bound("::ffff:10.0.0.2")), LOOKUP_ADDR);
	assert_int_equal(reason(IPPROTO_TCP, V4, bound("fd00::1")), LOOKUP_FAMILY);
	assert_int_equal(reason(IPPROTO_TCP, V4, v6only(bound("::"))), LOOKUP_V6ONLY);
	assert_int_equal(reason(IPPROTO_TCP, V4, on_device("0.0.0.0", ETH1)), LOOKUP_DEVICE);
	assert_int_equal(reason(IPPROTO_TCP, V6, bound("0.0.0.0")), LOOKUP_FAMILY);
	assert_int_equal(reason(IPPROTO_TCP, V6, bound("::ffff:0.0.0.0")), LOOKUP_ADDR);
	assert_int_equal(reason(IPPROTO_TCP, V6, bound("fd00::2")), LOOKUP_ADDR);
	assert_int_equal(reason(IPPROTO_UDP, V4, connected("10.0.0.1", "10.0.0.8", 1000)),
			 LOOKUP_PEER_ADDR);
	assert_int_equal(reason(IPPROTO_UDP, V4, connected("10.0.0.1", "10.0.0.9", 1001)),
			 LOOKUP_PEER_PORT);
	assert_int_equal(reason(IPPROTO_UDP, V6, connected("fd00::1", "fd00::8", 1000)),
			 LOOKUP_PEER_ADDR);
}

/* The winner among sockets in chain order, with and without 6.13's table. */
#define WINNER(p, tuples, ...)                                                                 \
	({                                                                                     \
		struct lookup_socket list_[] = { __VA_ARGS__ };                                \
		int won_ = lookup_score_all(p, tuples, list_, sizeof(list_) / sizeof(*list_)); \
		if (won_ >= 0)                                                                 \
			assert_int_equal(list_[won_].reason, LOOKUP_WINS);                     \
		won_;                                                                          \
	})

/* The reason of one of them. */
#define REASON(p, index, ...)                                                     \
	({                                                                        \
		struct lookup_socket list_[] = { __VA_ARGS__ };                   \
		lookup_score_all(p, true, list_, sizeof(list_) / sizeof(*list_)); \
		list_[index].reason;                                              \
	})

static void test_tables(void **state)
{
	struct lookup_packet v4 = packet(IPPROTO_TCP, V4), v6 = packet(IPPROTO_TCP, V6);

	(void)state;
	/* A worse score in the table of the address beats a better wildcard. */
	assert_int_equal(WINNER(&v4, true, on_device("0.0.0.0", ETH0), bound("::ffff:10.0.0.1")),
			 1);
	assert_int_equal(REASON(&v4, 0, on_device("0.0.0.0", ETH0), bound("::ffff:10.0.0.1")),
			 LOOKUP_LATER_TABLE);
	assert_int_equal(WINNER(&v6, true, bound("::"), bound("fd00::1")), 1);
	/* The wildcard comes next where the address excludes itself. */
	assert_int_equal(WINNER(&v4, true, on_device("10.0.0.1", ETH1), bound("0.0.0.0")), 1);
	assert_int_equal(WINNER(&v4, true, bound("10.0.0.2"), v6only(bound("::"))), -1);
	assert_int_equal(WINNER(&v6, true, bound("0.0.0.0"), bound("::")), 1);
}

static void test_walk_ends_at_a_group(void **state)
{
	struct lookup_packet v4 = packet(IPPROTO_TCP, V4), udp = packet(IPPROTO_UDP, V4);

	(void)state;
	/* Plain sockets: the best, the first among equals. */
	assert_int_equal(WINNER(&v4, true, bound("::"), bound("0.0.0.0")), 1);
	assert_int_equal(WINNER(&v4, true, on_device("::", ETH0), bound("0.0.0.0")), 0);
	assert_int_equal(REASON(&v4, 1, on_device("::", ETH0), bound("0.0.0.0")), LOOKUP_BEHIND);
	assert_int_equal(REASON(&v4, 0, bound("::"), bound("0.0.0.0")), LOOKUP_LOWER);
	/* A group in front hides the better one behind it, not the other way. */
	assert_int_equal(
		WINNER(&v4, true, member("0.0.0.0", 1), member_on_device("0.0.0.0", 2, ETH0)), 0);
	assert_int_equal(REASON(&v4, 1, member("0.0.0.0", 1), member_on_device("0.0.0.0", 2, ETH0)),
			 LOOKUP_CUT_OFF);
	assert_int_equal(
		WINNER(&v4, true, member_on_device("0.0.0.0", 2, ETH0), member("0.0.0.0", 1)), 0);
	assert_int_equal(WINNER(&udp, true, member("0.0.0.0", 1), on_device("0.0.0.0", ETH0)), 0);
	/* One that is no better than a plain socket in front ends nothing. */
	assert_int_equal(WINNER(&v4, true, bound("0.0.0.0"), member("::", 1),
				on_device("0.0.0.0", ETH0)),
			 2);
}

static void test_connected(void **state)
{
	struct lookup_packet p = packet(IPPROTO_UDP, V4);
	struct lookup_socket group = member("10.0.0.1", 1);

	(void)state;
	assert_int_equal(
		WINNER(&p, true, bound("10.0.0.1"), connected("10.0.0.1", "10.0.0.9", 1000)), 1);
	/* Behind a group only 6.13's table finds it. */
	assert_int_equal(WINNER(&p, true, group, connected("10.0.0.1", "10.0.0.9", 1000)), 1);
	assert_int_equal(WINNER(&p, false, group, connected("10.0.0.1", "10.0.0.9", 1000)), 0);
	assert_int_equal(WINNER(&p, false, connected("10.0.0.1", "10.0.0.9", 1000), group), 0);
	/* That table knows no scores. */
	assert_int_equal(WINNER(&p, true, connected("::ffff:10.0.0.1", "::ffff:10.0.0.9", 1000),
				connected("10.0.0.1", "10.0.0.9", 1000)),
			 0);
	assert_int_equal(WINNER(&p, false, connected("::ffff:10.0.0.1", "::ffff:10.0.0.9", 1000),
				connected("10.0.0.1", "10.0.0.9", 1000)),
			 1);
	/* A group that has had connected members does not end the walk. */
	group.has_conns = true;
	assert_int_equal(WINNER(&p, false, group, connected("10.0.0.1", "10.0.0.9", 1000)), 1);
	/* A peer of its own: left out. */
	assert_int_equal(WINNER(&p, true, connected("10.0.0.1", "10.0.0.9", 1001), group), 1);
}

static struct lookup_socket for_cpu(struct lookup_socket s, int cpu)
{
	s.cpu = cpu;
	return s;
}

/* Whether the winner depends on the CPU, which is not known. */
#define BY_CPU(p, ...)                                                                          \
	({                                                                                      \
		struct lookup_socket list_[] = { __VA_ARGS__ };                                 \
		bool by_ = lookup_score_by_cpu(p, true, list_, sizeof(list_) / sizeof(*list_)); \
		assert_int_equal(list_[0].score.cpu, 0);                                        \
		by_;                                                                            \
	})

static void test_incoming_cpu(void **state)
{
	struct lookup_packet v4 = packet(IPPROTO_TCP, V4), udp = packet(IPPROTO_UDP, V6);
	struct lookup_socket none = for_cpu(bound("0.0.0.0"), -1), one = for_cpu(none, 1),
			     group = for_cpu(member("0.0.0.0", 1), -1),
			     group_one = for_cpu(group, 1), wide = for_cpu(bound("::"), 1);

	(void)state;
	/* Not known: nobody has it. */
	assert_int_equal(WINNER(&v4, true, none, one), 0);
	assert_true(BY_CPU(&v4, none, one));
	assert_true(BY_CPU(&v4, none, wide, one));
	/* The first of equals wins on its CPU, too. */
	assert_false(BY_CPU(&v4, one, none));
	/* The wider one comes up to the other only, and so does one of another table not at all. */
	assert_false(BY_CPU(&v4, none, wide));
	assert_false(BY_CPU(&v4, for_cpu(bound("10.0.0.1"), -1), one));
	/* Which member of a group the walk finds is the same; a group in front hides what is
	 * behind. */
	assert_false(BY_CPU(&v4, group, group_one, one));
	assert_true(BY_CPU(&v4, none, group_one));
	assert_false(BY_CPU(&v4, for_cpu(bound("10.0.0.2"), 1)));
	v4.cpu = udp.cpu = 1;
	assert_int_equal(WINNER(&v4, true, none, one), 1);
	assert_int_equal(WINNER(&v4, true, none, wide), 0);
	assert_int_equal(WINNER(&v4, true, none, group_one), 1);
	assert_int_equal(WINNER(&v4, true, group, one), 0);
	assert_int_equal(REASON(&v4, 1, group, one), LOOKUP_CUT_OFF);
	assert_int_equal(WINNER(&udp, true, for_cpu(bound("::"), 0), for_cpu(bound("::"), 1)), 1);
	assert_int_equal(score(IPPROTO_UDP, V6, wide), 0);
	v4.cpu = 0;
	assert_int_equal(WINNER(&v4, true, none, one), 0);
}

static void test_nobody(void **state)
{
	struct lookup_packet p = packet(IPPROTO_UDP, V6);
	struct lookup_socket none;

	(void)state;
	assert_int_equal(lookup_score_all(&p, true, &none, 0), -1);
	/* UDP's zero is a score. */
	assert_int_equal(WINNER(&p, true, bound("::")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_ipv4),
		cmocka_unit_test(test_tcp_ipv6),
		cmocka_unit_test(test_udp_ipv4),
		cmocka_unit_test(test_udp_ipv6),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_walk_ends_at_a_group),
		cmocka_unit_test(test_connected),
		cmocka_unit_test(test_incoming_cpu),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests_name("score", tests, NULL, NULL);
}
