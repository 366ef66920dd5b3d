/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Policies: the names, what is suggested for a mistyped one, what goes with
 * which, and the way from words to a plan and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* After those four, which it needs. */
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/topology.h"
#include "policy/policy.h"
#include "random.h"

#define HASH_KEY "000102030405060708090a0b0c0d0e0f"

#define WORDS(...) \
	(&(struct reuseport_policy_opts){ .sz = sizeof(struct reuseport_policy_opts), __VA_ARGS__ })

static int check(const struct reuseport_policy_opts *words)
{
	struct reuseport_error err = { 0 };
	int ret = reuseport_policy_check(words, &err);

	assert_int_equal(err.code, -ret);
	if (ret) {
		assert_int_equal(ret, -EINVAL);
		assert_null(strchr(err.text, '\n'));
		assert_true(strlen(err.text) > 10 && strlen(err.text) < sizeof(err.text) - 1);
		assert_int_equal(reuseport_policy_check(words, NULL), ret);
	}
	return ret;
}

/* --------------------------------------------------------------------- names */

static void suggests(const char *name, const char *nearest)
{
	struct reuseport_error err = { 0 };
	char wanted[64];

	assert_int_equal(reuseport_policy_check(WORDS(.policy = name), &err), -EINVAL);
	assert_int_equal(err.code, EINVAL);
	assert_null(strchr(err.text, '\n'));
	snprintf(wanted, sizeof(wanted), "did you mean '%s'?", nearest);
	if (!strstr(err.text, wanted))
		fail_msg("'%s' is not in: %s", wanted, err.text);
}

static void every_policy_is_known(void **state)
{
	const struct reuseport_policy *policy;

	(void)state;
	assert_non_null(reuseport_policy_at(8));
	assert_null(reuseport_policy_at(9));
	for (size_t i = 0; (policy = reuseport_policy_at(i)); i++) {
		struct policy_choice choice;

		assert_int_equal(check(WORDS(.policy = policy->name)), 0);
		assert_int_equal(policy_choose(WORDS(.policy = policy->name), NULL, &choice, NULL),
				 0);
		assert_int_equal(choice.plan.policy, i);
		assert_string_equal(policy_name(i), policy->name);
		/* It fits into struct reuseport_policy_info. */
		assert_true(strlen(policy->name) < REUSEPORT_NAME_LEN);
		assert_true(*policy->summary);
		assert_null(strchr(policy->summary, '\n'));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(policy->name, reuseport_policy_at(j)->name);
	}
	assert_string_equal(policy_name(9), "unknown");
	assert_string_equal(policy_name(255), "unknown");
	assert_int_equal(check(WORDS(.policy = NULL)), 0);
}

static void the_nearest_is_suggested(void **state)
{
	(void)state;
	suggests("hsah", "hash");
	suggests("Hash", "hash");
	suggests("hashh", "hash");
	suggests("has", "hash");
	suggests("h", "hash");
	suggests("linux3", "linux39");
	suggests("linux", "linux39");
	suggests("linux_39", "linux39");
	suggests("linux93", "linux39");
	suggests("lniux39", "linux39");
	suggests("LINUX39", "linux39");
	suggests("consistant", "consistent");
	suggests("weight", "weighted");
	suggests("CPU", "cpu");
	suggests("nuna", "numa");
	suggests("least_queue", "least-queue");
	suggests("leastqueue", "least-queue");
	suggests("rand", "random");
	suggests("roundrobin", "round-robin");
	suggests("round_robin", "round-robin");
}

static void all_are_named(void **state)
{
	const struct reuseport_policy *policy;
	struct reuseport_error err;

	(void)state;
	assert_int_equal(reuseport_policy_check(WORDS(.policy = "zzz"), &err), -EINVAL);
	for (size_t i = 0; (policy = reuseport_policy_at(i)); i++)
		assert_non_null(strstr(err.text, policy->name));
}

static void odd_names(void **state)
{
	static char longest[100000];
	struct reuseport_error err;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	assert_int_equal(reuseport_policy_check(WORDS(.policy = ""), &err), -EINVAL);
	assert_int_equal(reuseport_policy_check(WORDS(.policy = longest), &err), -EINVAL);
	/* Whatever the length, the names are still in the line; none of them was meant. */
	assert_null(strstr(err.text, "did you mean"));
	assert_non_null(strstr(err.text, "round-robin"));
	assert_int_equal(reuseport_policy_check(WORDS(.policy = "hash "), &err), -EINVAL);
	assert_int_equal(reuseport_policy_check(WORDS(.policy = "hsah"), NULL), -EINVAL);
}

/* ---------------------------------------------------------------------- keys */

static struct plan choose(const struct reuseport_policy_opts *words, const struct plan *present)
{
	struct policy_choice choice;
	struct reuseport_error err;

	if (policy_choose(words, present, &choice, &err))
		fail_msg("refused: %s", err.text);
	return choice.plan;
}

/* The words give this plan; what is shown for it is "shown", and gives it too. */
static void key_is(const char *words, enum packet_key key, unsigned int prefix4,
		   unsigned int prefix6, const char *shown)
{
	struct plan plan = choose(WORDS(.key = words), NULL);
	char text[POLICY_KEY_LEN];

	assert_int_equal(plan.key, key);
	assert_int_equal(plan.prefix4, prefix4);
	assert_int_equal(plan.prefix6, prefix6);
	policy_key_text(&plan, text);
	assert_string_equal(text, shown);
	plan = choose(WORDS(.key = text), NULL);
	assert_int_equal(plan.key, key);
	assert_int_equal(plan.prefix4, prefix4);
	assert_int_equal(plan.prefix6, prefix6);
}

static void keys(void **state)
{
	(void)state;
	key_is(NULL, KEY_TUPLE, 32, 128, "tuple");
	key_is("tuple", KEY_TUPLE, 32, 128, "tuple");
	key_is("src", KEY_SRC, 32, 128, "src");
	key_is("dst", KEY_DST, 32, 128, "dst");
	key_is("src-prefix/24", KEY_SRC_PREFIX, 24, 24, "src-prefix/24");
	key_is("src-prefix/1", KEY_SRC_PREFIX, 1, 1, "src-prefix/1");
	key_is("src-prefix/32", KEY_SRC_PREFIX, 32, 32, "src-prefix/32");
	key_is("src-prefix/33", KEY_SRC_PREFIX, 32, 33, "src-prefix/33");
	key_is("src-prefix/128", KEY_SRC_PREFIX, 32, 128, "src-prefix/128");
	key_is("src-prefix/24,56", KEY_SRC_PREFIX, 24, 56, "src-prefix/24,56");
	key_is("src-prefix/32,1", KEY_SRC_PREFIX, 32, 1, "src-prefix/32,1");
	key_is("src-prefix/32,64", KEY_SRC_PREFIX, 32, 64, "src-prefix/64");
}

static void every_prefix_there_and_back(void **state)
{
	(void)state;
	for (unsigned int bits4 = 1; bits4 <= 32; bits4++)
		for (unsigned int bits6 = 1; bits6 <= 128; bits6++) {
			char words[32], text[POLICY_KEY_LEN];
			struct plan plan;

			snprintf(words, sizeof(words), "src-prefix/%u,%u", bits4, bits6);
			plan = choose(WORDS(.key = words), NULL);
			policy_key_text(&plan, text);
			plan = choose(WORDS(.key = text), NULL);
			assert_int_equal(plan.prefix4, bits4);
			assert_int_equal(plan.prefix6, bits6);
		}
}

static void no_keys(void **state)
{
	static const char *const words[] = {
		"",
		" ",
		"Tuple",
		"tuple ",
		" tuple",
		"SRC",
		"source",
		"src,dst",
		"src dst",
		"sport",
		"dst-prefix/24",
		"src-prefix",
		"src-prefix/",
		"src-prefix24",
		"src-prefix/0",
		"src-prefix/129",
		"src-prefix/-1",
		"src-prefix/+8",
		"src-prefix/ 8",
		"src-prefix/8 ",
		"src-prefix/08x",
		"src-prefix/0x18",
		"src-prefix/24.",
		"src-prefix/24,",
		"src-prefix/,56",
		"src-prefix/24,0",
		"src-prefix/0,56",
		"src-prefix/33,56",
		"src-prefix/24,129",
		"src-prefix/24,56,",
		"src-prefix/24,56,1",
		"src-prefix/24, 56",
		"src-prefix/24/56",
		"src-prefix/4294967320",
		"src-prefix/18446744073709551640",
		"src-prefix/99999999999999999999999",
		"src-prefix/24,18446744073709551672",
		"src-prefix/x",
		"src-prefix/24\n",
		"src/24",
	};
	static char longest[100000];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!check(WORDS(.key = words[i])))
			fail_msg("taken for a key: '%s'", words[i]);
	memset(longest, '1', sizeof(longest) - 1);
	assert_int_equal(check(WORDS(.key = longest)), -EINVAL);
	memcpy(longest, "src-prefix/", 11);
	assert_int_equal(check(WORDS(.key = longest)), -EINVAL);
}

/* ----------------------------------------------------------------- hash keys */

static void hash_keys(void **state)
{
	struct plan plan = choose(WORDS(.hash_key = HASH_KEY), NULL);
	char text[POLICY_HASH_KEY_LEN];

	(void)state;
	/* The bytes in their order, as little-endian words. */
	assert_true(plan.hash_key[0] == 0x0706050403020100);
	assert_true(plan.hash_key[1] == 0x0f0e0d0c0b0a0908);
	assert_true(plan.flags & PLAN_OWN_HASH);
	policy_hash_key_text(&plan, text);
	assert_string_equal(text, HASH_KEY);

	plan = choose(WORDS(.hash_key = "FEDCBA9876543210fedcba9876543210"), NULL);
	policy_hash_key_text(&plan, text);
	assert_string_equal(text, "fedcba9876543210fedcba9876543210");
	plan = choose(WORDS(.hash_key = "00000000000000000000000000000000"), NULL);
	assert_true(!plan.hash_key[0] && !plan.hash_key[1]);
}

static void no_hash_keys(void **state)
{
	static const char *const words[] = {
		"",
		"0",
		"00",
		"000102030405060708090a0b0c0d0e0",
		"000102030405060708090a0b0c0d0e0f0",
		"000102030405060708090a0b0c0d0e0f ",
		" 00102030405060708090a0b0c0d0e0f",
		"0x0102030405060708090a0b0c0d0e0f",
		"g00102030405060708090a0b0c0d0e0f",
		"000102030405060708090a0b0c0d0e0g",
		"00:01:02:03:04:05:06:07:08:09:0a",
		"00010203 4050607 8090a0b 0c0d0e0f",
		"-00102030405060708090a0b0c0d0e0f",
		"000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f",
		"random",
		"@",
		"`00102030405060708090a0b0c0d0e0f",
		"/00102030405060708090a0b0c0d0e0f",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!check(WORDS(.hash_key = words[i])))
			fail_msg("taken for a hash key: '%s'", words[i]);
}

static void a_hash_key_stays(void **state)
{
	struct plan first = choose(WORDS(.hash_key = HASH_KEY), NULL), second, third;

	(void)state;
	second = choose(WORDS(.policy = "random"), &first);
	third = choose(WORDS(.policy = "consistent"), &second);
	assert_memory_equal(third.hash_key, first.hash_key, sizeof(first.hash_key));
	assert_true(third.flags & PLAN_OWN_HASH);
	/* Without one given, policy "hash" goes by the kernel's hash again. */
	second = choose(WORDS(.policy = "hash"), &first);
	assert_false(second.flags & PLAN_OWN_HASH);
	/* Nobody can guess one that was not given. */
	second = choose(WORDS(.policy = "consistent"), NULL);
	third = choose(WORDS(.policy = "consistent"), NULL);
	assert_memory_not_equal(second.hash_key, third.hash_key, sizeof(first.hash_key));
}

static void who_hashes_by_itself(void **state)
{
	static const struct {
		const char *policy, *over, *key, *hash_key;
		bool own;
	} table[] = {
		{ "hash", NULL, NULL, NULL, false },
		{ "hash", NULL, "tuple", NULL, false },
		{ "hash", NULL, "src", NULL, true },
		{ "hash", NULL, NULL, HASH_KEY, true },
		{ "linux39", NULL, NULL, NULL, false },
		{ "linux39", NULL, "dst", NULL, true },
		{ "consistent", NULL, NULL, NULL, true },
		{ "weighted", NULL, NULL, NULL, false },
		{ "weighted", "hash", NULL, NULL, false },
		{ "weighted", "consistent", NULL, NULL, true },
		{ "weighted", NULL, "src-prefix/24", NULL, true },
		{ "cpu", NULL, NULL, NULL, false },
		{ "numa", NULL, "src", NULL, true },
		{ "least-queue", NULL, NULL, NULL, false },
		{ "least-queue", NULL, "src", NULL, true },
		{ "random", NULL, NULL, NULL, false },
		{ "round-robin", NULL, NULL, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct plan plan = choose(WORDS(.policy = table[i].policy, .over = table[i].over,
						.key = table[i].key, .hash_key = table[i].hash_key),
					  NULL);

		assert_int_equal(!!(plan.flags & PLAN_OWN_HASH), table[i].own);
		assert_int_equal(!!(plan.flags & PLAN_OVER_CONSISTENT),
				 table[i].over && !strcmp(table[i].over, "consistent"));
		assert_int_equal(plan.width, 0);
	}
}

/* ---------------------------------------------------- what goes with which */

static bool is_in(const char *list, const char *name)
{
	const char *at = strstr(list, name);

	return at && (at[strlen(name)] == ' ' || !at[strlen(name)]);
}

static void words_go_with_policies(void **state)
{
	const struct reuseport_policy *policy;

	(void)state;
	for (size_t i = 0; (policy = reuseport_policy_at(i)); i++) {
		const char *name = policy->name;
		int hashes = is_in("random round-robin", name) ? -EINVAL : 0;

		assert_int_equal(check(WORDS(.policy = name, .key = "src")), hashes);
		assert_int_equal(check(WORDS(.policy = name, .key = "tuple")), hashes);
		assert_int_equal(check(WORDS(.policy = name, .hash_key = HASH_KEY)), hashes);
		assert_int_equal(check(WORDS(.policy = name, .over = "hash")),
				 is_in("weighted", name) ? 0 : -EINVAL);
		assert_int_equal(check(WORDS(.policy = name, .over = "consistent")),
				 is_in("weighted", name) ? 0 : -EINVAL);
		assert_int_equal(check(WORDS(.policy = name, .cpu_map = "0:0")),
				 is_in("cpu numa", name) ? 0 : -EINVAL);
	}
}

static void no_over(void **state)
{
	static const char *const words[] = { "",        "Hash",   "hash ",          "weighted",
					     "linux39", "random", "consistent,hash" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!check(WORDS(.policy = "weighted", .over = words[i])))
			fail_msg("taken for a policy to lie over: '%s'", words[i]);
}

/* Without a policy the one that is there is meant, which the words may suit. */
static void words_for_the_present_policy(void **state)
{
	struct plan plan = choose(WORDS(.policy = "weighted"), NULL);
	struct policy_choice choice;

	(void)state;
	plan = choose(WORDS(.over = "consistent"), &plan);
	assert_int_equal(plan.policy, POLICY_WEIGHTED);
	assert_true(plan.flags & PLAN_OVER_CONSISTENT);
	assert_int_equal(check(WORDS(.over = "consistent")), 0);
	assert_int_equal(policy_choose(WORDS(.cpu_map = "0:0"), &plan, &choice, NULL), -EINVAL);

	plan = choose(WORDS(.policy = "cpu"), NULL);
	plan = choose(WORDS(.cpu_map = "0:0"), &plan);
	assert_int_equal(plan.policy, POLICY_CPU);
	assert_true(plan.flags & PLAN_GIVEN_CPUS);
	assert_int_equal(check(WORDS(.cpu_map = "0:0")), 0);
	assert_int_equal(policy_choose(WORDS(.over = "hash"), &plan, &choice, NULL), -EINVAL);

	plan = choose(WORDS(.policy = "random"), NULL);
	assert_int_equal(policy_choose(WORDS(.key = "src"), &plan, &choice, NULL), -EINVAL);
	/* No policy takes both. */
	assert_int_equal(check(WORDS(.over = "hash", .cpu_map = "0:0")), -EINVAL);
	/* Nor is there one but "hash" without an attachment. */
	assert_int_equal(policy_choose(WORDS(.over = "consistent"), NULL, &choice, NULL), -EINVAL);
	assert_int_equal(policy_choose(WORDS(.cpu_map = "0:0"), NULL, &choice, NULL), -EINVAL);
}

/* Of a caller that was built with another version of the library. */
static void other_sizes_of_words(void **state)
{
	struct {
		struct reuseport_policy_opts words;
		const char *later;
	} newer = { .words = { .sz = sizeof(newer), .policy = "cpu" } };
	struct reuseport_policy_opts older = { .sz = offsetof(struct reuseport_policy_opts, key),
					       .policy = "weighted",
					       .key = "not there yet" };
	struct reuseport_error err;

	(void)state;
	assert_int_equal(check(&newer.words), 0);
	newer.later = "unknown";
	assert_int_equal(reuseport_policy_check(&newer.words, &err), -E2BIG);
	assert_int_equal(check(&older), 0);
	older.sz = 0;
	assert_int_equal(reuseport_policy_check(&older, &err), -EINVAL);
	assert_int_equal(reuseport_policy_check(NULL, &err), 0);
}

static void a_refusal_leaves_the_choice(void **state)
{
	struct policy_choice choice, before;

	(void)state;
	memset(&choice, 0x55, sizeof(choice));
	before = choice;
	assert_int_equal(policy_choose(WORDS(.policy = "hsah"), NULL, &choice, NULL), -EINVAL);
	assert_int_equal(policy_choose(WORDS(.key = "x"), NULL, &choice, NULL), -EINVAL);
	assert_int_equal(policy_choose(WORDS(.hash_key = "x"), NULL, &choice, NULL), -EINVAL);
	assert_memory_equal(&choice, &before, sizeof(choice));
}

/* ------------------------------------------------------------- maps of CPUs */

#define CPUS 16
#define SLOTS 100

/* slots[cpu], -1 where none is given. */
static void map_is(const char *text, const int *slots)
{
	struct given_cpu cpus[CPUS] = { 0 };
	struct reuseport_error err;

	if (policy_read_map(text, cpus, CPUS, SLOTS, &err))
		fail_msg("'%s' is refused: %s", text, err.text);
	for (int cpu = 0; cpu < CPUS; cpu++) {
		assert_int_equal(cpus[cpu].given, slots[cpu] >= 0);
		if (slots[cpu] >= 0)
			assert_int_equal(cpus[cpu].slot, slots[cpu]);
	}
}

#define N -1
static void maps(void **state)
{
	(void)state;
	map_is("0:0", (int[CPUS]){ 0, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N });
	map_is("15:99", (int[CPUS]){ N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, 99 });
	map_is("0-3:0,4-7:1", (int[CPUS]){ 0, 0, 0, 0, 1, 1, 1, 1, N, N, N, N, N, N, N, N });
	/* A list of CPUs as the kernel writes it has commas of its own. */
	map_is("0,2,4-5:7,1:8", (int[CPUS]){ 7, 8, 7, N, 7, 7, N, N, N, N, N, N, N, N, N, N });
	map_is("3-3:1", (int[CPUS]){ N, N, N, 1, N, N, N, N, N, N, N, N, N, N, N, N });
	map_is("0-15:5", (int[CPUS]){ 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 });
	/* Of two the last one counts. */
	map_is("0-3:1,2:2", (int[CPUS]){ 1, 1, 2, 1, N, N, N, N, N, N, N, N, N, N, N, N });
}
#undef N

static void no_maps(void **state)
{
	static const char *const words[] = {
		"",
		" ",
		"0",
		":",
		":0",
		"0:",
		"0:x",
		"x:0",
		"0:0,",
		",0:0",
		"0:0,,1:1",
		"0:0 ",
		" 0:0",
		"0 :0",
		"0: 0",
		"0:-1",
		"-1:0",
		"0:+1",
		"0:100",
		"16:0",
		"0-16:0",
		"3-1:0",
		"0-:0",
		"-3:0",
		"0--3:0",
		"0:0;1:1",
		"0:0:0",
		"0:1,1",
		"8192:0",
		"99999999999:0",
		"18446744073709551616:0",
		"0:18446744073709551616",
		"0:4294967296",
		"0=0",
		"0:0x1",
		"all:0",
		"0-3",
		"0-3,",
		"0.5:0",
		"0:0\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct given_cpu cpus[CPUS];
		struct reuseport_error err = { 0 };

		if (policy_read_map(words[i], cpus, CPUS, SLOTS, &err) != -EINVAL)
			fail_msg("taken for a map of CPUs: '%s'", words[i]);
		assert_int_equal(err.code, EINVAL);
		assert_null(strchr(err.text, '\n'));
		if (check(WORDS(.policy = "cpu", .cpu_map = words[i])) &&
		    strcmp(words[i], "0:100") && strcmp(words[i], "16:0") &&
		    strcmp(words[i], "0-16:0"))
			continue;
		/* These depend on host and group. */
		assert_true(!strcmp(words[i], "0:100") || !strncmp(words[i], "16", 2) ||
			    !strncmp(words[i], "0-16", 4));
	}
}

/* ------------------------------------------------------------------ anything */

/* Words of random bytes near the valid ones: never a crash, never half a plan. */
static void mangled_words(void **state)
{
	static const char *const seeds[] = { "src-prefix/24,56", HASH_KEY, "0-3:0,4-7:1",
					     "consistent", "least-queue" };
	uint64_t random = 99;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct reuseport_policy_opts words = { .sz = sizeof(words) };
		char text[64];

		snprintf(text, sizeof(text), "%s", seeds[i % 5]);
		text[next_hash(&random) % strlen(text)] = 1 + next_hash(&random) % 126;
		if (next_hash(&random) % 4 == 0)
			text[next_hash(&random) % 8] = '\0';
		words.policy = i % 5 >= 3 ? text : i % 5 == 2 ? "cpu" : NULL;
		words.key = i % 5 == 0 ? text : NULL;
		words.hash_key = i % 5 == 1 ? text : NULL;
		words.cpu_map = i % 5 == 2 ? text : NULL;
		reuseport_policy_check(&words, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_policy_is_known),
		cmocka_unit_test(the_nearest_is_suggested),
		cmocka_unit_test(all_are_named),
		cmocka_unit_test(odd_names),
		cmocka_unit_test(keys),
		cmocka_unit_test(every_prefix_there_and_back),
		cmocka_unit_test(no_keys),
		cmocka_unit_test(hash_keys),
		cmocka_unit_test(no_hash_keys),
		cmocka_unit_test(a_hash_key_stays),
		cmocka_unit_test(who_hashes_by_itself),
		cmocka_unit_test(words_go_with_policies),
		cmocka_unit_test(no_over),
		cmocka_unit_test(words_for_the_present_policy),
		cmocka_unit_test(other_sizes_of_words),
		cmocka_unit_test(a_refusal_leaves_the_choice),
		cmocka_unit_test(maps),
		cmocka_unit_test(no_maps),
		cmocka_unit_test(mangled_words),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
