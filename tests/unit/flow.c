// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sticky flows: where they are, who makes room, whose they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h needs those above */
#include <cmocka.h>

#include "decide/flow.h"

#define BUCKETS 512
#define PLACES (BUCKETS * FLOW_BUCKET_FLOWS)

static struct flow_bucket table[BUCKETS];
static const __u64 key[2] = { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL };

static struct tuple tuple4(uint32_t i)
{
	return (struct tuple){ .src = { 0x0100007f + (i >> 16) },
			       .dst = { 0x0100007f },
			       .ports = i & 0xffff };
}

static struct flow *find(const struct tuple *t)
{
	__u64 hash = flow_hash(key, t);

	return flow_find(&table[flow_bucket(hash, BUCKETS)], flow_tag(hash));
}

/* Enters it as the program does. Returns whether another had to make room. */
static int enter(const struct tuple *t, uint32_t slot, uint32_t now)
{
	__u64 hash = flow_hash(key, t);
	struct flow *flow = flow_make_room(&table[flow_bucket(hash, BUCKETS)], now);
	int evicted = flow->tag != 0;

	*flow = (struct flow){ .tag = flow_tag(hash), .cookie = 7, .slot = slot, .seen = now };
	return evicted;
}

static int set_up(void **state)
{
	(void)state;
	memset(table, 0, sizeof(table));
	return 0;
}

static void test_found_again(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < PLACES / 16; i++) {
		struct tuple t = tuple4(i);

		assert_null(find(&t));
		assert_int_equal(enter(&t, i % 100, 1), 0);
	}
	for (uint32_t i = 0; i < PLACES / 16; i++) {
		struct tuple t = tuple4(i);

		assert_non_null(find(&t));
		assert_int_equal(find(&t)->slot, i % 100);
	}
}

/* Each part of the tuple makes another flow. */
static void test_every_part_counts(void **state)
{
	struct tuple t = { .src = { 1, 2 }, .dst = { 3, 4 }, .ports = 0x00050006, .v6 = 1 };
	__u64 *words[] = { &t.src[0], &t.src[1], &t.dst[0], &t.dst[1] };
	__u64 hash = flow_hash(key, &t), other[2] = { key[0], key[1] ^ 1 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		*words[i] ^= 1;
		assert_true(flow_hash(key, &t) != hash);
		*words[i] ^= 1;
	}
	for (int bit = 0; bit < 32; bit++) {
		t.ports ^= 1U << bit;
		assert_true(flow_hash(key, &t) != hash);
		t.ports ^= 1U << bit;
	}
	assert_true(flow_hash(other, &t) != hash);
	assert_true(flow_hash(key, &t) == hash);
}

/* 0 means a free place. */
static void test_no_tag_is_zero(void **state)
{
	(void)state;
	assert_int_equal(flow_tag(0x1234567800000000ULL), 1);
	assert_int_equal(flow_tag(0x1234567800000009ULL), 9);
}

/* Also when the ticks begin again at 0. */
static void test_oldest_makes_room(void **state)
{
	static const uint32_t starts[] = { 1000, UINT32_MAX - 3, 0 };
	struct flow_bucket bucket;

	(void)state;
	for (size_t s = 0; s < 3; s++) {
		memset(&bucket, 0, sizeof(bucket));
		for (uint32_t i = 0; i < FLOW_BUCKET_FLOWS; i++) {
			struct flow *flow = flow_make_room(&bucket, starts[s] + i);

			assert_int_equal(flow->tag, 0);
			*flow = (struct flow){ .tag = 100 + i, .seen = starts[s] + i };
		}
		/* The third is seen again, so it outlives all others. */
		flow_find(&bucket, 102)->seen = starts[s] + 8;
		for (uint32_t i = 0; i < FLOW_BUCKET_FLOWS; i++) {
			struct flow *flow = flow_make_room(&bucket, starts[s] + 10 + i);
			uint32_t expected = i < 2 ? 100 + i : i < 7 ? 101 + i : 102;

			assert_int_equal(flow->tag, expected);
			*flow = (struct flow){ .tag = 200 + i, .seen = starts[s] + 10 + i };
		}
	}
}

/* Flows n of N places: the share that has none is the overflow of Poisson(8n/N)
 * beyond 8, from its own formula. */
static double overflow(double mean)
{
	double term = 1, sum = 0; /* mean^k / k!, without e^-mean */

	for (int k = 1; k < 200; k++) {
		term *= mean / k;
		if (k > FLOW_BUCKET_FLOWS)
			sum += term * (k - FLOW_BUCKET_FLOWS);
	}
	for (int i = 0; i < 1000; i++)
		sum *= 1 - mean / 1000; /* e^-mean, nearly */
	return sum / mean;
}

static void test_evictions_are_few(void **state)
{
	static const struct {
		uint32_t flows;
		double slack; /* five deviations, generously */
	} cases[] = { { PLACES / 4, 0.002 }, { PLACES / 2, 0.01 }, { PLACES, 0.02 } };

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		double expected = overflow(8.0 * cases[c].flows / PLACES);
		uint32_t evicted = 0;

		memset(table, 0, sizeof(table));
		for (uint32_t i = 0; i < cases[c].flows; i++) {
			struct tuple t = tuple4(i * 7919);

			evicted += enter(&t, 0, i);
		}
		assert_true((double)evicted / cases[c].flows < expected + cases[c].slack);
		assert_true((double)evicted / cases[c].flows > expected - cases[c].slack);
	}
}

static void test_idle(void **state)
{
	struct flow flow = { .tag = 1, .seen = UINT32_MAX - 10 };

	(void)state;
	assert_false(flow_is_idle(&flow, 1000000, 0));
	assert_false(flow_is_idle(&flow, UINT32_MAX - 10, 1));
	assert_false(flow_is_idle(&flow, 89, 100));
	assert_true(flow_is_idle(&flow, 90, 100));
	/* Another CPU saw it a tick after this one had looked at the clock. */
	assert_false(flow_is_idle(&flow, UINT32_MAX - 11, 100));
	assert_int_equal(flow_age(&flow, UINT32_MAX - 1000), 0);
}

/* Nor is such a one the oldest of its bucket. */
static void test_just_seen(void **state)
{
	struct flow_bucket bucket;

	(void)state;
	for (uint32_t i = 0; i < FLOW_BUCKET_FLOWS; i++)
		bucket.flow[i] = (struct flow){ .tag = i + 1, .seen = 1000 };
	bucket.flow[2].seen = 1001;
	bucket.flow[5].seen = 999;
	assert_ptr_equal(flow_make_room(&bucket, 1000), &bucket.flow[5]);
}

static void test_worker(void **state)
{
	struct worker_entry worker = { .cookie = 0x100000007ULL, .state = WORKER_ACTIVE };
	struct flow flow = { .tag = 1, .cookie = 7 };

	(void)state;
	assert_true(flow_is_of(&flow, &worker));
	worker.state = WORKER_DRAINING;
	assert_true(flow_is_of(&flow, &worker));
	worker.state = WORKER_LEAVING;
	assert_false(flow_is_of(&flow, &worker));
	worker.state = WORKER_ACTIVE;
	worker.cookie = 8; /* the next one in the slot */
	assert_false(flow_is_of(&flow, &worker));
	worker.cookie = 0;
	assert_false(flow_is_of(&flow, &worker));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_found_again, set_up),
		cmocka_unit_test(test_every_part_counts),
		cmocka_unit_test(test_no_tag_is_zero),
		cmocka_unit_test(test_oldest_makes_room),
		cmocka_unit_test_setup(test_evictions_are_few, set_up),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_just_seen),
		cmocka_unit_test(test_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
