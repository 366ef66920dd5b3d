/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Socket options: which requests are taken, and what they come to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* After those, which it needs. */
#include <cmocka.h>

#include "decide/sockopt.h"
#include "random.h"

#define ROUNDS 200000
#define NAMES 9 /* 0 to 8: of these four are requests */

/* Around each limit, and beyond. */
static const uint32_t values[] = { 0,    1,    2,     3,          4,          5,         999,
				   1000, 1001, 65536, 0x7fffffff, 0x80000000, 0xffffffff };

#define VALUES (sizeof(values) / sizeof(values[0]))

/* The largest value of each request, as include/reuseport_sockopt.h has them; -1: no request. */
static const int64_t largest[NAMES] = {
	-1, 1, 2, 1000, 0xffffffff, -1, -1, -1, -1,
};

static void values_are_those_of_the_header(void **state)
{
	(void)state;
	for (uint32_t name = 0; name < NAMES; name++)
		for (size_t i = 0; i < VALUES; i++) {
			int expected = 0;

			if (largest[name] < 0)
				expected = -ENOPROTOOPT;
			else if (values[i] > largest[name])
				expected = -EINVAL;
			assert_int_equal(sockopt_check(name, values[i]), expected);
		}
	assert_int_equal(sockopt_check(0x5250, 0), -ENOPROTOOPT);
	assert_int_equal(sockopt_check(0xffffffff, 1), -ENOPROTOOPT);
}

static void refused_requests_change_nothing(void **state)
{
	struct request request = { 7, 1, 2, 3, 4, 1, 2, 500, 77 }, before = request;

	(void)state;
	for (uint32_t name = 0; name < NAMES; name++)
		for (size_t i = 0; i < VALUES; i++)
			if (largest[name] < values[i]) {
				assert_true(sockopt_take(&request, name, values[i]) < 0);
				assert_memory_equal(&request, &before, sizeof(request));
			}
	request.count = before.count = 0xffffffff;
	assert_int_equal(sockopt_take(&request, REUSEPORT_READY, 1), -EOVERFLOW);
	assert_int_equal(sockopt_take(&request, REUSEPORT_READY, 2), -EINVAL);
	assert_memory_equal(&request, &before, sizeof(request));
}

/* ---------------------------------------------------- by the whole list of requests */

struct call {
	uint32_t name, value;
};

/* Return the number, from 1 on, of the last call of that name; 0: there is none. */
static uint32_t last_of(const struct call *calls, uint32_t n, uint32_t name)
{
	while (n && calls[n - 1].name != name)
		n--;
	return n;
}

static uint32_t value_of(const struct call *calls, uint32_t n, uint32_t name)
{
	uint32_t at = last_of(calls, n, name);

	return at ? calls[at - 1].value : 0;
}

static void matches(const struct request *request, const struct call *calls, uint32_t n)
{
	assert_int_equal(request->count, n);
	assert_int_equal(request->ready_at, last_of(calls, n, REUSEPORT_READY));
	assert_int_equal(request->drain_at, last_of(calls, n, REUSEPORT_DRAIN));
	assert_int_equal(request->weight_at, last_of(calls, n, REUSEPORT_WEIGHT));
	assert_int_equal(request->id_at, last_of(calls, n, REUSEPORT_ID));
	assert_int_equal(request->ready, value_of(calls, n, REUSEPORT_READY));
	assert_int_equal(request->drain, value_of(calls, n, REUSEPORT_DRAIN));
	assert_int_equal(request->weight, value_of(calls, n, REUSEPORT_WEIGHT));
	assert_int_equal(request->id, value_of(calls, n, REUSEPORT_ID));
}

/* What the worker wants of the next packet. */
static uint32_t wish_of(const struct call *calls, uint32_t n)
{
	uint32_t drain = value_of(calls, n, REUSEPORT_DRAIN);
	bool unready = last_of(calls, n, REUSEPORT_READY) && !value_of(calls, n, REUSEPORT_READY);
	static const uint32_t wishes[2][3] = {
		{ ASKED_NOTHING_MORE, ASKED_DRAIN, ASKED_RELEASE },
		{ ASKED_DRAIN, ASKED_DRAIN, ASKED_RELEASE },
	};

	return wishes[unready][drain];
}

static struct call random_call(uint64_t *seed)
{
	struct call call = { .name = 1 + next_hash(seed) % 4 };

	call.value = next_hash(seed);
	if (largest[call.name] < 0xffffffff)
		call.value %= largest[call.name] + 1;
	return call;
}

static void requests_are_those_made_last(void **state)
{
	enum { CALLS = 12 };
	uint64_t seed = 11;

	(void)state;
	for (int round = 0; round < ROUNDS / CALLS; round++) {
		struct request request = { 0 };
		struct call calls[CALLS];

		for (uint32_t n = 0; n < CALLS; n++) {
			calls[n] = random_call(&seed);
			assert_int_equal(sockopt_take(&request, calls[n].name, calls[n].value), 0);
			matches(&request, calls, n + 1);
			assert_int_equal(sockopt_asks(&request), wish_of(calls, n + 1));
		}
	}
}

static void only_ready_and_drain_change_the_next_packet(void **state)
{
	uint64_t seed = 13;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct request request = { 0 };
		struct call call;
		uint32_t before;

		for (int i = next_hash(&seed) % 5; i > 0; i--) {
			call = random_call(&seed);
			sockopt_take(&request, call.name, call.value);
		}
		before = sockopt_asks(&request);
		call = random_call(&seed);
		sockopt_take(&request, call.name, call.value);
		if (!sockopt_is_for_next_packet(call.name))
			assert_int_equal(sockopt_asks(&request), before);
	}
	assert_true(sockopt_is_for_next_packet(REUSEPORT_READY));
	assert_true(sockopt_is_for_next_packet(REUSEPORT_DRAIN));
	assert_false(sockopt_is_for_next_packet(REUSEPORT_WEIGHT));
	assert_false(sockopt_is_for_next_packet(REUSEPORT_ID));
	assert_false(sockopt_is_for_next_packet(REUSEPORT_STATE));
}

/* ----------------------------------------------------------------- the keeper's part */

/* What each request makes of each state: [state], with - for "not a state of a worker". */
#define J WORKER_JOINING
#define A WORKER_ACTIVE
#define D WORKER_DRAINING
#define L WORKER_LEAVING
static const uint32_t ready_0[] = { 0, J, J, D, L };
static const uint32_t ready_1[] = { 0, A, A, D, L };
static const uint32_t drain_0[] = { 0, J, A, A, A };
static const uint32_t drain_0_unready[] = { 0, J, A, J, J };
static const uint32_t drain_1[] = { 0, D, D, D, D };
static const uint32_t drain_2[] = { 0, L, L, L, L };

static uint32_t step(uint32_t state, const struct call *calls, uint32_t n)
{
	bool unready = last_of(calls, n, REUSEPORT_READY) && !value_of(calls, n, REUSEPORT_READY);
	uint32_t value = calls[n - 1].value;

	if (calls[n - 1].name == REUSEPORT_READY)
		return value ? ready_1[state] : ready_0[state];
	if (calls[n - 1].name != REUSEPORT_DRAIN)
		return state;
	if (value)
		return value == 1 ? drain_1[state] : drain_2[state];
	return unready ? drain_0_unready[state] : drain_0[state];
}

/* A keeper that reads each request at once. */
static void a_request_changes_the_state_as_the_table_says(void **unused)
{
	enum { CALLS = 20 };
	uint64_t seed = 17;

	(void)unused;
	for (int round = 0; round < ROUNDS / CALLS; round++) {
		uint32_t state = WORKER_JOINING + next_hash(&seed) % 4, expected;
		struct request request = { 0 };
		struct call calls[CALLS];

		for (uint32_t n = 0; n < CALLS; n++) {
			calls[n] = random_call(&seed);
			sockopt_take(&request, calls[n].name, calls[n].value);
			expected = step(state, calls, n + 1);
			state = sockopt_state_after(state, &request, n);
			assert_int_equal(state, expected);
			/* All of it is applied. */
			assert_int_equal(sockopt_state_after(state, &request, n + 1), state);
		}
	}
}

/* Of a keeper that reads several at once, the worker gets no work that it does not want. */
static void a_wish_for_nothing_new_is_in_the_state(void **unused)
{
	enum { CALLS = 20 };
	uint64_t seed = 19;

	(void)unused;
	for (int round = 0; round < ROUNDS / CALLS; round++) {
		uint32_t state = WORKER_JOINING + next_hash(&seed) % 2, applied = 0;
		struct request request = { 0 };

		for (uint32_t n = 1; n <= CALLS; n++) {
			struct call call = random_call(&seed);

			sockopt_take(&request, call.name, call.value);
			if (next_hash(&seed) % 4)
				continue;
			state = sockopt_state_after(state, &request, applied);
			applied = n;
			if (sockopt_asks(&request) == ASKED_RELEASE)
				assert_int_equal(state, WORKER_LEAVING);
			else if (sockopt_asks(&request) == ASKED_DRAIN)
				assert_true(state == WORKER_DRAINING || state == WORKER_JOINING);
			else
				assert_true(state == WORKER_ACTIVE || state == WORKER_JOINING);
			if (request.ready && !request.drain)
				assert_int_equal(state, WORKER_ACTIVE);
		}
	}
}

/* One notice for each time that the keeper reads. */
static void a_flood_is_told_once(void **state)
{
	struct request request = { 0 };
	uint32_t taken = 0, told = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		sockopt_take(&request, REUSEPORT_WEIGHT, i % 1000);
		told += sockopt_is_to_be_told(&request, taken);
		if (i % 100 == 99) {
			assert_int_equal(told, 1 + i / 100);
			taken = request.count;
		}
	}
	/* What was asked before the worker was a member is read with its join. */
	assert_false(sockopt_is_to_be_told(&request, 0));
	assert_true(sockopt_is_to_be_told(&request, request.count - 1));
	assert_true(sockopt_is_to_be_told(&request, request.count));
}

/* --------------------------------------------------------------- what a worker reads */

static void a_socket_without_a_slot_reads_what_it_asked_for(void **state)
{
	struct reuseport_worker_sockopt read = { 0 };
	struct request request = { 0 };

	(void)state;
	sockopt_describe_socket(&read, &request, false);
	assert_int_equal(read.state, 0);
	assert_int_equal(read.slot, 0xffffffff);
	assert_int_equal(read.weight, 1);
	assert_int_equal(read.id, 0);
	sockopt_take(&request, REUSEPORT_WEIGHT, 0);
	sockopt_take(&request, REUSEPORT_ID, 0xfffffffe);
	sockopt_describe_socket(&read, &request, true);
	assert_int_equal(read.state, 1);
	assert_int_equal(read.weight, 0);
	assert_int_equal(read.id, 0xfffffffe);
	assert_int_equal(read.seq, 0);
}

static void a_member_reads_what_the_keeper_wrote(void **state)
{
	struct member member = { .attachment = 5,
				 .seq = 1ULL << 33,
				 .taken = 9,
				 .slot = 3,
				 .generation = 4,
				 .state = WORKER_DRAINING,
				 .weight = 10,
				 .id = 77,
				 .flows = 12,
				 .has_id = 1 };
	const struct reuseport_worker_sockopt expected = { .state = 3,
							   .slot = 3,
							   .generation = 4,
							   .weight = 10,
							   .id = 77,
							   .flows = 12,
							   .seq = 1ULL << 33 };
	struct reuseport_worker_sockopt read = { 0 };

	(void)state;
	sockopt_describe_member(&read, &member);
	assert_memory_equal(&read, &expected, sizeof(read));
	member.has_id = 0;
	sockopt_describe_member(&read, &member);
	assert_int_equal(read.id, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_the_header),
		cmocka_unit_test(refused_requests_change_nothing),
		cmocka_unit_test(requests_are_those_made_last),
		cmocka_unit_test(only_ready_and_drain_change_the_next_packet),
		cmocka_unit_test(a_request_changes_the_state_as_the_table_says),
		cmocka_unit_test(a_wish_for_nothing_new_is_in_the_state),
		cmocka_unit_test(a_flood_is_told_once),
		cmocka_unit_test(a_socket_without_a_slot_reads_what_it_asked_for),
		cmocka_unit_test(a_member_reads_what_the_keeper_wrote),
	};

	return cmocka_run_group_tests_name("sockopt", tests, NULL, NULL);
}
