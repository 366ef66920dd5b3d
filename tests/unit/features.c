/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Features: what a probe's error means, what REUSEPORT_DISABLE turns off, and how both are
 * explained. The probes and the capabilities are this file's. */
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

#include "host/caps.h"
#include "host/features.h"
#include "host/probes.h"

#define VARIABLE "REUSEPORT_DISABLE"

static int result;           /* of every probe */
static unsigned int probed;  /* how often one was called */
static unsigned int missing; /* of enum cap, what this process lacks */

static int probe(void)
{
	probed++;
	return result;
}

#define PROBE(name)                                     \
	int __wrap_probe_##name(const struct btf *btf); \
	int __wrap_probe_##name(const struct btf *btf)  \
	{                                               \
		(void)btf;                              \
		return probe();                         \
	}

PROBE(mmap)
PROBE(ticks)

int __wrap_caps_missing(unsigned int wanted, char *names, size_t size);
int __wrap_caps_missing(unsigned int wanted, char *names, size_t size)
{
	snprintf(names, size, "%s", wanted & missing ? "CAP_TEST" : "");
	return wanted & missing ? 1 : 0;
}

static struct features *fresh(void)
{
	struct features *features = NULL;

	assert_int_equal(features_new(&features, NULL), 0);
	assert_non_null(features);
	return features;
}

static int set_up(void **state)
{
	(void)state;
	result = 0;
	probed = 0;
	missing = 0;
	return unsetenv(VARIABLE);
}

/* What an error of the probe is explained as. */
static int explained(int code, const char *says)
{
	struct features *features = fresh();
	struct reuseport_error err = { 0 };
	int ret;

	result = -code;
	ret = features_explain(features, FEATURE_MMAP, "do this", &err);
	assert_int_equal(err.code, -ret);
	assert_int_equal(features_have(features, FEATURE_MMAP), !ret);
	if (ret && !strstr(err.text, says))
		fail_msg("'%s' is not in: %s", says, err.text);
	if (ret)
		assert_ptr_equal(strstr(err.text, "cannot do this: "), err.text);
	features_free(features);
	return ret;
}

/* ---------------------------------------------------------------------- probes */

static void errors_of_a_kernel_without_it(void **state)
{
	static const int codes[] = { ENOSYS, ENOENT, ESRCH,       EINVAL,    EACCES,
				     E2BIG,  524,    ENOPROTOOPT, EOPNOTSUPP };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_int_equal(explained(codes[i], "this kernel has no mmapable maps"),
				 -EOPNOTSUPP);
	assert_int_equal(explained(ENOSYS, "Linux 5.5 or newer"), -EOPNOTSUPP);
}

static void works(void **state)
{
	(void)state;
	assert_int_equal(explained(0, NULL), 0);
}

static void no_permission(void **state)
{
	(void)state;
	/* By the error alone: something beside capabilities. */
	assert_int_equal(explained(EPERM, "seccomp"), -EPERM);
	/* Without the capability any error means that, and the capability is named. */
	missing = CAP_TO_LOAD;
	assert_int_equal(explained(EPERM, "CAP_TEST"), -EPERM);
	assert_int_equal(explained(EINVAL, "CAP_TEST"), -EPERM);
	/* But not an error that does not occur. */
	assert_int_equal(explained(0, NULL), 0);
	/* A capability that the probe does not need. */
	missing = CAP_TO_ATTACH;
	assert_int_equal(explained(EINVAL, "this kernel has no"), -EOPNOTSUPP);
}

static void other_errors(void **state)
{
	(void)state;
	assert_int_equal(explained(ENOMEM, "failed: "), -ENOMEM);
	assert_int_equal(explained(EMFILE, strerror(EMFILE)), -EMFILE);
}

static void probed_once_and_when_asked(void **state)
{
	struct features *features = fresh();

	(void)state;
	assert_int_equal(probed, 0);
	assert_true(features_have(features, FEATURE_MMAP));
	assert_int_equal(probed, 1);
	/* The first answer stays. */
	result = -ENOSYS;
	assert_true(features_have(features, FEATURE_MMAP));
	assert_int_equal(features_explain(features, FEATURE_MMAP, "do this", NULL), 0);
	assert_int_equal(probed, 1);
	assert_false(features_have(features, FEATURE_TICKS));
	assert_int_equal(probed, 2);
	assert_false(features_disabled(features, FEATURE_TICKS));
	features_free(features);
}

/* ------------------------------------------------------------------- turned off */

/* The bits of the features that are turned off. */
static uint32_t disabled_by(const char *words)
{
	struct features *features;
	uint32_t bits = 0;

	assert_int_equal(setenv(VARIABLE, words, 1), 0);
	features = fresh();
	for (int i = 0; i < FEATURES; i++)
		bits |= (uint32_t)features_disabled(features, i) << i;
	features_free(features);
	return bits;
}

static void by_name(void **state)
{
	(void)state;
	assert_int_equal(disabled_by(""), 0);
	for (int i = 0; i < FEATURES; i++)
		assert_int_equal(disabled_by(feature_row(i)->name), 1u << i);
	assert_int_equal(disabled_by("mmap,btf"), 1u << FEATURE_MMAP | 1u << FEATURE_BTF);
	assert_int_equal(disabled_by("mmap,mmap"), 1u << FEATURE_MMAP);
	assert_int_equal(disabled_by("events"),
			 1u << FEATURE_RING_BUFFER | 1u << FEATURE_BIND_EVENTS);
	assert_int_equal(disabled_by("ticks,events"), 1u << FEATURE_TICKS |
							      1u << FEATURE_RING_BUFFER |
							      1u << FEATURE_BIND_EVENTS);
}

static void by_an_unknown_word(void **state)
{
	static const char *const words[] = { "mma",       "mmapp", "MMAP",  "mmap,x",
					     "mmap mmap", ",mmap", "x,mmap" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct features *features = NULL;
		struct reuseport_error err = { 0 };

		assert_int_equal(setenv(VARIABLE, words[i], 1), 0);
		if (features_new(&features, &err) != -EINVAL)
			fail_msg("accepted: '%s'", words[i]);
		assert_null(features);
		assert_int_equal(reuseport_disable_check(NULL), -EINVAL);
		/* All that there are. */
		assert_non_null(strstr(err.text, "events"));
		for (int f = 0; f < FEATURES; f++)
			assert_non_null(strstr(err.text, feature_row(f)->name));
	}
	assert_int_equal(setenv(VARIABLE, "mmap", 1), 0);
	assert_int_equal(reuseport_disable_check(NULL), 0);
}

static void what_is_turned_off_is_not_probed(void **state)
{
	struct features *features = fresh();
	struct reuseport_error err = { 0 };

	(void)state;
	features_disable(features, FEATURE_MMAP);
	assert_true(features_disabled(features, FEATURE_MMAP));
	assert_false(features_have(features, FEATURE_MMAP));
	assert_int_equal(features_explain(features, FEATURE_MMAP, "do this", &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, VARIABLE));
	assert_non_null(strstr(err.text, "'mmap'"));
	assert_int_equal(probed, 0);
	features_free(features);
}

static void of_those_that_steering_needs(void **state)
{
	struct features *features = fresh();
	struct reuseport_error err = { 0 };

	(void)state;
	assert_int_equal(features_refuse_disabled(features, "steer", NULL), 0);
	features_disable(features, FEATURE_MMAP);
	assert_int_equal(features_refuse_disabled(features, "steer", NULL), 0);
	features_disable(features, FEATURE_PIDFD_GETFD);
	assert_int_equal(features_refuse_disabled(features, "steer", &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "'pidfd-getfd'"));
	/* The first of them is explained. */
	features_disable(features, FEATURE_SK_REUSEPORT);
	assert_int_equal(features_refuse_disabled(features, "steer", &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "'sk-reuseport'"));
	assert_int_equal(probed, 0);
	features_free(features);

	features = fresh();
	features_disable(features, FEATURE_BTF);
	assert_int_equal(features_explain_needed(features, "steer", &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "'btf'"));
	features_free(features);
}

/* -------------------------------------------------------- asked without a handle */

static void allow_and_blame(void **state)
{
	struct reuseport_error err = { 0 };

	(void)state;
	result = -ENOSYS;
	assert_int_equal(features_allow(FEATURE_TICKS, "do this", &err), 0);
	assert_int_equal(probed, 0);
	/* The feature is missing; or it works, and the call's own error is told. */
	assert_int_equal(features_blame(FEATURE_TICKS, ENOMEM, "do this", &err), -EOPNOTSUPP);
	result = 0;
	assert_int_equal(features_blame(FEATURE_TICKS, ENOMEM, "do this", &err), -ENOMEM);
	assert_non_null(strstr(err.text, strerror(ENOMEM)));

	assert_int_equal(setenv(VARIABLE, "ticks", 1), 0);
	assert_int_equal(features_allow(FEATURE_TICKS, "do this", &err), -EOPNOTSUPP);
	assert_int_equal(features_allow(FEATURE_MMAP, "do this", &err), 0);
	assert_int_equal(setenv(VARIABLE, "tick", 1), 0);
	assert_int_equal(features_allow(FEATURE_TICKS, "do this", &err), -EINVAL);
	assert_int_equal(features_blame(FEATURE_TICKS, ENOMEM, "do this", &err), -EINVAL);
}

static void names_tell_them_apart(void **state)
{
	(void)state;
	for (int i = 0; i < FEATURES; i++) {
		assert_true(strlen(feature_row(i)->name) > 0);
		assert_true(strlen(feature_row(i)->without) > 0);
		assert_null(strchr(feature_row(i)->name, ','));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(feature_row(i)->name, feature_row(k)->name);
	}
	for (int i = REUSEPORT_FEATURE_AVAILABLE; i <= REUSEPORT_FEATURE_DISABLED; i++)
		assert_string_not_equal(reuseport_feature_state_name(i), "unknown");
	assert_string_equal(reuseport_feature_state_name(REUSEPORT_FEATURE_DISABLED + 1),
			    "unknown");
	assert_string_equal(reuseport_feature_state_name(-1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(errors_of_a_kernel_without_it, set_up),
		cmocka_unit_test_setup(works, set_up),
		cmocka_unit_test_setup(no_permission, set_up),
		cmocka_unit_test_setup(other_errors, set_up),
		cmocka_unit_test_setup(probed_once_and_when_asked, set_up),
		cmocka_unit_test_setup(by_name, set_up),
		cmocka_unit_test_setup(by_an_unknown_word, set_up),
		cmocka_unit_test_setup(what_is_turned_off_is_not_probed, set_up),
		cmocka_unit_test_setup(of_those_that_steering_needs, set_up),
		cmocka_unit_test_setup(allow_and_blame, set_up),
		cmocka_unit_test_setup(names_tell_them_apart, set_up),
	};

	return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
