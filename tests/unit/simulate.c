/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Simulate: who gets how much by each policy, and what changes move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include "abi.h"
#include "decide/hash.h"
#include "policy/packet_tuple.h"
#include "reuseport_simulate.h"
#include "simulation.h"

static struct asked weighted(const char *policy, const char *over)
{
	static const unsigned int weights[] = { 1, 1, 2, 5 };
	struct asked asked = equal(policy, 4);

	asked.policy.over = over;
	for (size_t i = 0; i < 4; i++)
		asked.workers[i].weight = weights[i];
	return asked;
}

static uint64_t sum(const struct reuseport_simulated_share *const *shares, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += shares[i]->packets;
	return sum;
}

static const struct reuseport_simulated_share *
share_of(const struct reuseport_simulated_share *const *shares, size_t n, unsigned int slot)
{
	for (size_t i = 0; i < n; i++)
		if (shares[i]->slot == slot)
			return shares[i];
	fail_msg("slot %u has no share", slot);
	return NULL;
}

/* --------------------------------------------------------------- every policy */

static void every_packet_has_one_worker(void **state)
{
	const struct reuseport_policy *policy;

	(void)state;
	for (size_t i = 0; (policy = reuseport_policy_at(i)); i++) {
		struct asked asked = equal(policy->name, 5);
		struct reuseport_simulation *out;

		add(&asked, REUSEPORT_JOIN, 0, 0);
		add(&asked, REUSEPORT_LEAVE, 2, 0);
		add(&asked, REUSEPORT_WEIGHT, 1, 3);
		add(&asked, REUSEPORT_WEIGHT, 1, 0);
		out = get(&asked);
		assert_string_equal(out->policy->policy, policy->name);
		assert_int_equal(out->packets, PACKETS);
		assert_int_equal(out->n_shares, 5);
		assert_int_equal(sum(out->shares, 5) + out->nobody, PACKETS);
		assert_int_equal(out->nobody, 0);
		assert_int_equal(out->n_changes, 4);
		assert_int_equal(out->changes[0]->change->slot, 5);
		assert_int_equal(out->changes[0]->n_shares, 6);
		assert_int_equal(out->changes[1]->n_shares, 4);
		for (size_t j = 0; j < 4; j++) {
			const struct reuseport_simulated_change *change = out->changes[j];

			assert_int_equal(sum(change->shares, change->n_shares), PACKETS);
			assert_true(change->least <= change->moved);
			assert_true(change->needless <= change->moved);
			if (!out->keeps_keys)
				assert_int_equal(change->moved, 0);
		}
		/* Weight 0 means nothing, to every policy. */
		assert_int_equal(share_of(out->changes[3]->shares, 5, 1)->packets, 0);
		reuseport_simulation__free(out);
	}
}

static bool same_shares(const struct reuseport_simulation *a, const struct reuseport_simulation *b)
{
	assert_int_equal(a->n_shares, b->n_shares);
	for (size_t i = 0; i < a->n_shares; i++)
		if (memcmp(a->shares[i], b->shares[i], sizeof(*a->shares[i])))
			return false;
	return true;
}

static void equal_seeds_are_equal(void **state)
{
	struct asked asked = equal("hash", 4);
	struct reuseport_simulation *first, *again, *other;

	(void)state;
	first = get(&asked);
	again = get(&asked);
	asked.seed = 2;
	other = get(&asked);
	assert_true(same_shares(first, again));
	assert_false(same_shares(first, other));
	reuseport_simulation__free(first);
	reuseport_simulation__free(again);
	reuseport_simulation__free(other);
}

/* ------------------------------------------------------------------ consistent */

static void moves_no_more_than_it_has_to(const struct asked *asked)
{
	struct reuseport_simulation *out = get(asked);

	for (size_t i = 0; i < out->n_changes; i++) {
		assert_true(out->changes[i]->moved > 0);
		assert_int_equal(out->changes[i]->needless, 0);
		assert_int_equal(out->changes[i]->moved, out->changes[i]->least);
	}
	reuseport_simulation__free(out);
}

static void consistent_moves_the_least(void **state)
{
	struct asked asked = weighted("consistent", NULL);
	struct reuseport_simulation *out;

	(void)state;
	add(&asked, REUSEPORT_JOIN, 0, 3);
	add(&asked, REUSEPORT_LEAVE, 3, 0);
	add(&asked, REUSEPORT_WEIGHT, 2, 4);
	add(&asked, REUSEPORT_WEIGHT, 3, 1);
	moves_no_more_than_it_has_to(&asked);
	out = get(&asked);
	/* A leave moves the leaver's packets, and nothing else. */
	assert_int_equal(out->changes[1]->moved, out->shares[3]->packets);
	about(out->changes[0]->moved, 3.0 / 12);
	about(out->changes[2]->moved, 4.0 / 11 - 2.0 / 9);
	reuseport_simulation__free(out);
}

static void consistent_by_the_source_keeps_it_together(void **state)
{
	struct asked asked = equal("consistent", 4);
	REUSEPORT_OPTS(reuseport_tuple, one, .family = AF_INET, .src = { 198, 51, 100, 7 });
	struct reuseport_tuple_list *generated = packets;
	struct reuseport_simulation *out;
	uint64_t most = 0;

	(void)state;
	asked.policy.key = "src";
	assert_int_equal(reuseport_tuple_list__new(&packets, NULL), 0);
	for (int i = 0; i < PACKETS; i++) {
		one.src_port = i;
		assert_int_equal(reuseport_tuple_list__add(packets, &one, NULL), 0);
	}
	out = get(&asked);

	for (int i = 0; i < 4; i++)
		most = out->shares[i]->packets > most ? out->shares[i]->packets : most;
	assert_int_equal(most, PACKETS);
	reuseport_simulation__free(out);
	reuseport_tuple_list__free(packets);
	packets = generated;
}

/* ------------------------------------------------- the kernel's order of members */

/* The figures of the kernel itself, measured for 4 members. */
static void hash_moves_what_the_kernel_moves(void **state)
{
	static const double leave[] = { 0.75, 0.667, 0.333, 0.5 };
	struct asked asked = equal("hash", 4);
	struct reuseport_simulation *out;

	(void)state;
	for (unsigned int slot = 0; slot < 4; slot++)
		add(&asked, REUSEPORT_LEAVE, slot, 0);
	out = get(&asked);
	for (unsigned int slot = 0; slot < 4; slot++) {
		about(out->changes[slot]->moved, leave[slot]);
		about(out->changes[slot]->needless, leave[slot] - 0.25);
		about(out->changes[slot]->least, 0.25);
	}
	assert_int_equal(out->policy->table_width, 0);
	reuseport_simulation__free(out);
	asked = equal("hash", 4);
	add(&asked, REUSEPORT_JOIN, 0, 0);
	out = get(&asked);
	about(out->changes[0]->moved, 0.5);
	about(out->changes[0]->least, 0.2);
	reuseport_simulation__free(out);
}

/* Who joins is asked last: only it takes over. */
static void linux39_join_takes_a_share(void **state)
{
	struct asked asked = equal("linux39", 4);
	struct reuseport_simulation *out;

	(void)state;
	add(&asked, REUSEPORT_JOIN, 0, 0);
	out = get(&asked);
	for (int i = 0; i < 4; i++)
		about(out->shares[i]->packets, 0.25);
	about(out->changes[0]->moved, 0.2);
	assert_int_equal(out->changes[0]->needless, 0);
	reuseport_simulation__free(out);
}

static void the_order_given_is_the_groups(void **state)
{
	struct asked forth = equal("hash", 3), back = equal("hash", 3);
	struct reuseport_simulation *a, *b;

	(void)state;
	for (int i = 0; i < 3; i++)
		back.workers[i].slot = 2 - i;
	a = get(&forth);
	b = get(&back);
	for (int i = 0; i < 3; i++)
		assert_int_equal(a->shares[i]->packets, b->shares[2 - i]->packets);
	reuseport_simulation__free(a);
	reuseport_simulation__free(b);
}

/* With a key that is known each packet's worker is, too. */
static void own_hash_is_exact(void **state)
{
	struct plan plan = { .hash_key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
	struct asked asked = equal("hash", 3);
	uint64_t counts[3] = { 0 };
	struct reuseport_simulation *out;

	(void)state;
	asked.policy.hash_key = KEY;
	out = get(&asked);
	for (int i = 0; i < PACKETS; i++) {
		struct tuple t = packet_tuple(reuseport_tuple_list__get(packets, i));

		counts[decide_hash(key_hash(&plan, &t), 3)]++;
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(out->shares[i]->packets, counts[i]);
	assert_true(out->exact);
	assert_string_equal(out->policy->hash_key, KEY);
	assert_int_equal(out->notes, 0);
	reuseport_simulation__free(out);
	asked.policy.hash_key = NULL;
	out = get(&asked);
	assert_false(out->exact);
	assert_true(out->notes & REUSEPORT_NOTE_STAND_IN);
	reuseport_simulation__free(out);
}

/* --------------------------------------------------------------------- weights */

static void shares_go_by_weight(void **state)
{
	static const char *const by_weight[][2] = { { "weighted", "hash" },
						    { "weighted", "consistent" },
						    { "consistent", NULL },
						    { "random", NULL },
						    { "round-robin", NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof(by_weight) / sizeof(by_weight[0]); i++) {
		struct asked asked = weighted(by_weight[i][0], by_weight[i][1]);
		struct reuseport_simulation *out = get(&asked);

		for (size_t j = 0; j < 4; j++) {
			about(out->shares[j]->packets, asked.workers[j].weight / 9.0);
			assert_true(out->shares[j]->due == asked.workers[j].weight / 9.0);
		}
		assert_true(out->min_over_due > 0.95 && out->max_over_due < 1.05);
		assert_true(out->max_over_mean > 2.2 && out->max_over_mean < 2.3);
		assert_false(out->notes & REUSEPORT_NOTE_EQUAL);
		reuseport_simulation__free(out);
	}
}

static void hash_knows_no_weights(void **state)
{
	struct asked asked = weighted("hash", NULL);
	struct reuseport_simulation *out;

	(void)state;
	add(&asked, REUSEPORT_WEIGHT, 0, 7);
	add(&asked, REUSEPORT_WEIGHT, 0, 0);
	out = get(&asked);
	for (int i = 0; i < 4; i++)
		about(out->shares[i]->packets, 0.25);
	assert_true(out->notes & REUSEPORT_NOTE_EQUAL);
	assert_int_equal(out->changes[0]->moved, 0);
	/* But for 0, which needs a table: its runs are of equal length, in order. */
	assert_int_equal(share_of(out->changes[1]->shares, 4, 0)->packets, 0);
	about(out->changes[1]->moved, 0.25 + 0.25 / 3 + 0.5 / 3);
	reuseport_simulation__free(out);
}

static void nobody_may_get_work(void **state)
{
	struct asked asked = equal("weighted", 2);
	struct reuseport_simulation *out;

	(void)state;
	asked.workers[0].weight = asked.workers[1].weight = 0;
	out = get(&asked);
	assert_int_equal(out->nobody, PACKETS);
	assert_true(out->max_over_mean == 0);
	reuseport_simulation__free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packet_has_one_worker),
		cmocka_unit_test(equal_seeds_are_equal),
		cmocka_unit_test(consistent_moves_the_least),
		cmocka_unit_test(consistent_by_the_source_keeps_it_together),
		cmocka_unit_test(hash_moves_what_the_kernel_moves),
		cmocka_unit_test(linux39_join_takes_a_share),
		cmocka_unit_test(the_order_given_is_the_groups),
		cmocka_unit_test(own_hash_is_exact),
		cmocka_unit_test(shares_go_by_weight),
		cmocka_unit_test(hash_knows_no_weights),
		cmocka_unit_test(nobody_may_get_work),
	};

	return cmocka_run_group_tests_name("simulate", tests, make_packets, free_packets);
}
