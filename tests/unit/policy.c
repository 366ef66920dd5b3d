/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Policies: the names, and what is suggested for a mistyped one. */
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

#include "abi.h"
#include "policy.h"

static void suggests(const char *name, const char *nearest)
{
	struct reuseport_error err = { 0 };
	char wanted[64];

	assert_int_equal(reuseport_policy_check(name, &err), -EINVAL);
	assert_int_equal(err.code, EINVAL);
	assert_null(strchr(err.text, '\n'));
	snprintf(wanted, sizeof(wanted), "did you mean '%s'?", nearest);
	if (!strstr(err.text, wanted))
		fail_msg("'%s' is not in: %s", wanted, err.text);
}

static void every_policy_is_known(void **state)
{
	const struct reuseport_policy *policies;
	struct reuseport_error err;
	size_t n;

	(void)state;
	policies = reuseport_policies(&n);
	assert_true(n >= 2);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(reuseport_policy_check(policies[i].name, &err), 0);
		/* It is pinned in so many bytes. */
		assert_true(strlen(policies[i].name) < REUSEPORT_NAME_LEN);
		assert_true(*policies[i].summary);
		assert_null(strchr(policies[i].summary, '\n'));
	}
	assert_int_equal(reuseport_policy_check(POLICY_DEFAULT, NULL), 0);
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
}

static void all_are_named(void **state)
{
	const struct reuseport_policy *policies;
	struct reuseport_error err;
	size_t n;

	(void)state;
	policies = reuseport_policies(&n);
	assert_int_equal(reuseport_policy_check("zzz", &err), -EINVAL);
	for (size_t i = 0; i < n; i++)
		assert_non_null(strstr(err.text, policies[i].name));
}

static void odd_names(void **state)
{
	static char longest[100000];
	struct reuseport_error err;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	assert_int_equal(reuseport_policy_check("", &err), -EINVAL);
	assert_int_equal(reuseport_policy_check(longest, &err), -EINVAL);
	/* Whatever the length, the suggestion is still in the line. */
	assert_non_null(strstr(err.text, "did you mean"));
	assert_non_null(strstr(err.text, "linux39"));
	assert_int_equal(reuseport_policy_check("hash ", &err), -EINVAL);
	assert_int_equal(reuseport_policy_check("x\ny", &err), -EINVAL);
	assert_null(strchr(err.text, '\n'));
	assert_int_equal(reuseport_policy_check("hsah", NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_policy_is_known),
		cmocka_unit_test(the_nearest_is_suggested),
		cmocka_unit_test(all_are_named),
		cmocka_unit_test(odd_names),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
