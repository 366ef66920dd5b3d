/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Simulate: turns, queues, CPUs and nodes; the packets; what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <errno.h>

#include "policy/packet_tuple.h"
#include "reuseport_simulate.h"
#include "simulation.h"

/* ---------------------------------------------------------- turns, queues, places */

static void turns_are_even(void **state)
{
	struct asked asked = equal("round-robin", 3);
	struct reuseport_simulation *out;

	(void)state;
	asked.cpus = 4;
	out = get(&asked);
	for (int i = 0; i < 3; i++)
		assert_in_range(out->shares[i]->packets, PACKETS / 3 - 4, PACKETS / 3 + 4);
	reuseport_simulation__free(out);
}

/* Closer than by the hash alone, by which the ties are broken. */
static void queues_are_even(void **state)
{
	for (size_t n = 4; n <= 64; n *= 4) {
		struct asked asked = equal("least-queue", n);
		struct reuseport_simulation *out = get(&asked);

		(void)state;
		assert_true(out->max_over_due < 1.01 && out->min_over_due > 0.99);
		reuseport_simulation__free(out);
	}
}

static void cpus_have_their_workers(void **state)
{
	struct asked asked = equal("cpu", 3);
	struct reuseport_simulation *out;

	(void)state;
	asked.cpus = 4;
	asked.policy.cpu_map = "0:0,1-3:2";
	out = get(&asked);
	about(out->shares[0]->packets, 0.25);
	assert_int_equal(out->shares[1]->packets, 0);
	about(out->shares[2]->packets, 0.75);
	assert_false(out->notes & REUSEPORT_NOTE_PLACES);
	reuseport_simulation__free(out);
	/* Without a map: on CPU slot modulo CPUs. */
	asked.policy.cpu_map = NULL;
	asked.cpus = 2;
	out = get(&asked);
	about(out->shares[0]->packets, 0.25);
	about(out->shares[1]->packets, 0.5);
	about(out->shares[2]->packets, 0.25);
	assert_true(out->notes & REUSEPORT_NOTE_PLACES);
	reuseport_simulation__free(out);
}

static void nodes_have_their_workers(void **state)
{
	struct asked asked = equal("numa", 4);
	struct reuseport_simulation *out;

	(void)state;
	/* Workers on CPU 0, 1, 2 of the first node, and 3 of the second one. */
	asked.cpus = 6;
	asked.nodes = 2;
	out = get(&asked);
	for (int i = 0; i < 3; i++)
		about(out->shares[i]->packets, 0.5 / 3);
	about(out->shares[3]->packets, 0.5);
	reuseport_simulation__free(out);
}

/* ------------------------------------------------------------------- the packets */

static void tuples_are_as_in_the_packet(void **state)
{
	struct reuseport_tuple from = { .family = AF_INET,
					.src = { 1, 2, 3, 4 },
					.dst = { 5, 6, 7, 8 },
					.src_port = 0x1122,
					.dst_port = 0x3344 };
	struct reuseport_tuple mapped = { .family = AF_INET6,
					  .src_port = 0x1122,
					  .src = { [10] = 0xff, 0xff, 1, 2, 3, 4 },
					  .dst_port = 0x3344,
					  .dst = { [10] = 0xff, 0xff, 5, 6, 7, 8 } };
	struct tuple t = packet_tuple(&from), m = packet_tuple(&mapped);

	(void)state;
	assert_memory_equal(&t, &m, sizeof(t));
	assert_true(t.src[0] == 0x04030201 && t.dst[0] == 0x08070605 && !t.src[1] && !t.v6);
	assert_int_equal(t.ports, 0x44332211);
	mapped.dst[0] = mapped.src[0] = 0x20;
	m = packet_tuple(&mapped);
	assert_true(m.v6 && m.src[0] == 0x20 && m.src[1] == 0x04030201ffff0000);
}

static void clients_are_as_many(void **state)
{
	struct reuseport_tuple_list *made = NULL;
	const struct reuseport_tuple *tuple;
	size_t different = 0;

	(void)state;
	assert_int_equal(reuseport_tuple_list__new(&made, NULL), 0);
	assert_int_equal(reuseport_tuple_list__generate(made, 1000, 10, 7, NULL), 0);
	assert_int_equal(reuseport_tuple_list__count(made), 1000);
	for (int i = 0; (tuple = reuseport_tuple_list__get(made, i)); i++) {
		int j = 0;

		while (memcmp(tuple->src, reuseport_tuple_list__get(made, j)->src, 4))
			j++;
		different += i == j;
	}
	assert_int_equal(different, 10);
	assert_int_not_equal(reuseport_tuple_list__get(made, 0)->src_port,
			     reuseport_tuple_list__get(made, 1)->src_port);
	assert_int_equal(reuseport_tuple_list__generate(made, 0, 10, 7, NULL), -EINVAL);
	assert_int_equal(reuseport_tuple_list__generate(made, SIZE_MAX, 10, 7, NULL), -ENOMEM);
	assert_int_equal(reuseport_tuple_list__count(made), 1000);
	reuseport_tuple_list__free(made);
}

/* A tuple stays where it is, and the list keeps the order, across all its chunks. */
static void a_list_grows_in_order(void **state)
{
	REUSEPORT_OPTS(reuseport_tuple, tuple, .family = AF_INET6);
	const struct reuseport_tuple *first;
	struct reuseport_tuple_list *list;

	(void)state;
	assert_int_equal(reuseport_tuple_list__new(&list, NULL), 0);
	assert_null(reuseport_tuple_list__get(list, 0));
	assert_int_equal(reuseport_tuple_list__add(list, &tuple, NULL), 0);
	first = reuseport_tuple_list__get(list, 0);
	for (tuple.src_port = 1; tuple.src_port < 10000; tuple.src_port++)
		assert_int_equal(reuseport_tuple_list__add(list, &tuple, NULL), 0);
	assert_int_equal(reuseport_tuple_list__generate(list, 10000, 0, 1, NULL), 0);
	assert_int_equal(reuseport_tuple_list__count(list), 20000);
	assert_ptr_equal(reuseport_tuple_list__get(list, 0), first);
	for (int i = 0; i < 10000; i++) {
		const struct reuseport_tuple *added = reuseport_tuple_list__get(list, i);

		assert_true(added->src_port == i && added->family == AF_INET6);
		assert_memory_equal(reuseport_tuple_list__get(list, 10000 + i),
				    reuseport_tuple_list__get(packets, i), sizeof(*added));
	}
	assert_null(reuseport_tuple_list__get(list, 20000));
	reuseport_tuple_list__free(list);
}

/* --------------------------------------------------------------------- bad input */

static void refused(struct asked asked, int code, const char *words)
{
	struct reuseport_simulation *out = NULL;
	struct reuseport_error err = { 0 };

	assert_int_equal(ask(&asked, &out, &err), -code);
	assert_int_equal(err.code, code);
	assert_null(out);
	assert_null(strchr(err.text, '\n'));
	if (!strstr(err.text, words))
		fail_msg("'%s' is not in: %s", words, err.text);
}

static void bad_input_is_refused(void **state)
{
	struct asked asked;

	(void)state;
	refused(equal("hash", 0), EINVAL, "one worker or more");
	refused(equal("hsah", 4), EINVAL, "did you mean 'hash'");
	asked = equal("hash", 4);
	asked.workers[3].slot = 2;
	refused(asked, EINVAL, "slot 2");
	asked.workers[3].slot = 256;
	refused(asked, EINVAL, "slot 256");
	asked = equal("hash", 4);
	asked.workers[1].weight = 1001;
	refused(asked, EINVAL, "weight 1001");
	asked = equal("hash", 4);
	add(&asked, REUSEPORT_LEAVE, 4, 0);
	refused(asked, EINVAL, "slot 4");
	asked.changes[0] = change_of(REUSEPORT_WEIGHT, 9, 1);
	refused(asked, EINVAL, "slot 9");
	asked.changes[0] = change_of(REUSEPORT_WEIGHT, 0, 1001);
	refused(asked, EINVAL, "weight 1001");
	asked.changes[0] = change_of(9, 0, 1);
	refused(asked, EINVAL, "a join, a leave or a weight");
	asked = equal("hash", 1);
	add(&asked, REUSEPORT_LEAVE, 0, 0);
	refused(asked, EINVAL, "only worker");
	asked = equal("cpu", 4);
	asked.cpus = 2;
	asked.nodes = 3;
	refused(asked, EINVAL, "3 nodes");
	asked.nodes = 0;
	asked.policy.cpu_map = "0-5:0";
	refused(asked, EINVAL, "CPU 2 ");
}

static void bad_opts_are_refused(void **state)
{
	REUSEPORT_OPTS(reuseport_simulated_worker, worker, .weight = 1);
	struct {
		struct reuseport_simulation_opts opts;
		uint64_t beyond;
	} large = { .opts = { .sz = sizeof(large),
			      .workers = &worker,
			      .n_workers = 1,
			      .packets = packets },
		    .beyond = 1 };
	struct reuseport_simulation *out = NULL;
	struct reuseport_tuple_list *empty;

	(void)state;
	assert_int_equal(reuseport_simulate(&large.opts, &out, NULL), -E2BIG);
	large.beyond = 0;
	large.opts.table_entries = 1000;
	assert_int_equal(reuseport_simulate(&large.opts, &out, NULL), -EINVAL);
	large.opts.table_entries = 0;
	large.opts.n_changes = 1;
	assert_int_equal(reuseport_simulate(&large.opts, &out, NULL), -EINVAL);
	large.opts.n_changes = 0;
	large.opts.packets = NULL;
	assert_int_equal(reuseport_simulate(&large.opts, &out, NULL), -EINVAL);
	assert_int_equal(reuseport_tuple_list__new(&empty, NULL), 0);
	large.opts.packets = empty;
	assert_int_equal(reuseport_simulate(&large.opts, &out, NULL), -EINVAL);
	assert_null(out);
	large.opts.packets = packets;
	assert_int_equal(reuseport_simulate(&large.opts, &out, NULL), 0);
	reuseport_simulation__free(out);
	reuseport_simulation__free(NULL);
	reuseport_tuple_list__free(empty);
}

/* Workers as a newer program has them: elements are further apart. */
static void elements_can_be_larger(void **state)
{
	struct {
		struct reuseport_simulated_worker worker;
		uint64_t beyond;
	} large[2] = { 0 };
	REUSEPORT_OPTS(reuseport_simulation_opts, opts, .workers = &large[0].worker, .n_workers = 2,
		       .packets = packets);
	struct reuseport_simulation *out = NULL;

	(void)state;
	for (unsigned int i = 0; i < 2; i++)
		large[i].worker = (struct reuseport_simulated_worker){ .sz = sizeof(large[i]),
								       .slot = i,
								       .weight = 1 + i };
	assert_int_equal(reuseport_simulate(&opts, &out, NULL), 0);
	assert_int_equal(out->shares[1]->weight, 2);
	reuseport_simulation__free(out);
	out = NULL;
	large[1].beyond = 1;
	assert_int_equal(reuseport_simulate(&opts, &out, NULL), -E2BIG);
	large[1].beyond = 0;
	large[1].worker.sz -= sizeof(large[1].beyond);
	assert_int_equal(reuseport_simulate(&opts, &out, NULL), -EINVAL);
	large[0].worker.sz = 0;
	assert_int_equal(reuseport_simulate(&opts, &out, NULL), -EINVAL);
	assert_null(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_are_even),
		cmocka_unit_test(queues_are_even),
		cmocka_unit_test(cpus_have_their_workers),
		cmocka_unit_test(nodes_have_their_workers),
		cmocka_unit_test(tuples_are_as_in_the_packet),
		cmocka_unit_test(clients_are_as_many),
		cmocka_unit_test(a_list_grows_in_order),
		cmocka_unit_test(bad_input_is_refused),
		cmocka_unit_test(bad_opts_are_refused),
		cmocka_unit_test(elements_can_be_larger),
	};

	return cmocka_run_group_tests_name("simulate_setting", tests, make_packets, free_packets);
}
