// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Features: test what the running kernel can do for this process. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/caps.h"
#include "host/feature_disable.h"
#include "host/features.h"
#include "host/libbpf_quiet.h"

#define ENOTSUPP_KERNEL 524 /* the kernel's ENOTSUPP, for which libc has no name */

/* The result of one probe. */
struct probe_result {
	bool known;
	enum reuseport_feature_state state;
	int code; /* errno, 0 for none */
};

struct features {
	struct probe_result results[FEATURES];
	struct btf *btf;
	bool btf_tried;
	int btf_code;
};

/* ------------------------------------------------------------------ open and close */

int features_new(struct features **features, struct reuseport_error *err)
{
	struct features *made;
	unsigned int disabled;
	int ret = feature_disable_read(&disabled, err);

	if (ret)
		return ret;
	made = calloc(1, sizeof(*made));
	if (!made)
		return fail(err, ENOMEM, "out of memory");
	for (int i = 0; i < FEATURES; i++)
		if (disabled & 1u << i)
			features_disable(made, i);
	*features = made;
	return 0;
}

void features_free(struct features *features)
{
	if (!features)
		return;
	btf__free(features->btf);
	free(features);
}

void features_disable(struct features *features, enum feature feature)
{
	features->results[feature] = (struct probe_result){
		.known = true,
		.state = REUSEPORT_FEATURE_DISABLED,
	};
}

bool features_disabled(const struct features *features, enum feature feature)
{
	return features->results[feature].state == REUSEPORT_FEATURE_DISABLED;
}

/* ------------------------------------------------------------------ probes */

struct btf *features_btf(struct features *features)
{
	if (features->btf_tried)
		return features->btf;
	features->btf_tried = true;
	libbpf_quiet_begin();
	features->btf = btf__load_vmlinux_btf();
	features->btf_code = features->btf ? 0 : -errno;
	libbpf_quiet_end();
	return features->btf;
}

/* Return whether that is the error of a kernel that does not know the feature. */
static bool is_unknown_feature(int code)
{
	switch (code) {
	case ENOSYS:
	case ENOENT:
	case ESRCH:
	case EINVAL:
	case EACCES: /* the verifier, for an unknown member of the context */
	case E2BIG:  /* bpf(), for an unknown attribute */
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case ENOTSUPP_KERNEL:
		return true;
	default:
		return false;
	}
}

/* Turn a probe's error into a state. To a process without the capability, kernels often
 * say that the feature is missing. */
static enum reuseport_feature_state state_of_probe(const struct feature_row *row, int code)
{
	char names[128];

	if (!code)
		return REUSEPORT_FEATURE_AVAILABLE;
	if (code == EPERM || caps_missing(row->caps, names, sizeof(names)) > 0)
		return REUSEPORT_FEATURE_NOT_PERMITTED;
	return is_unknown_feature(code) ? REUSEPORT_FEATURE_MISSING : REUSEPORT_FEATURE_FAILED;
}

static const struct probe_result *run_probe(struct features *features, enum feature feature)
{
	struct probe_result *result = &features->results[feature];
	const struct feature_row *row = feature_row(feature);
	struct btf *btf = NULL;
	int ret = 0;

	if (result->known)
		return result;
	if (!row->probe || row->reads_btf) {
		btf = features_btf(features);
		ret = features->btf_code;
	}
	libbpf_quiet_begin();
	if (row->probe && !error_is_limit(ret))
		ret = row->probe(btf);
	libbpf_quiet_end();
	/* A limit says nothing of the feature: look again at the next question. */
	if (error_is_limit(features->btf_code))
		features->btf_tried = false;
	*result = (struct probe_result){ .known = !error_is_limit(ret),
					 .state = state_of_probe(row, -ret),
					 .code = -ret };
	return result;
}

bool features_have(struct features *features, enum feature feature)
{
	return run_probe(features, feature)->state == REUSEPORT_FEATURE_AVAILABLE;
}

enum reuseport_feature_state features_state(struct features *features, enum feature feature,
					    int *code)
{
	const struct probe_result *result = run_probe(features, feature);

	*code = result->code;
	return result->state;
}

/* ---------------------------------------------------------------- as errors */

int features_explain(struct features *features, enum feature feature, const char *what,
		     struct reuseport_error *err)
{
	const struct probe_result *result = run_probe(features, feature);
	const struct feature_row *row = feature_row(feature);
	char names[128] = "";

	switch (result->state) {
	case REUSEPORT_FEATURE_AVAILABLE:
		return 0;
	case REUSEPORT_FEATURE_MISSING:
		return fail(err, EOPNOTSUPP,
			    "cannot %s: this kernel has no %s, which needs Linux %s "
			    "or newer",
			    what, row->what, row->since);
	case REUSEPORT_FEATURE_DISABLED:
		return fail(err, EOPNOTSUPP,
			    "cannot %s: it needs %s, but " DISABLE_VARIABLE " turns off '%s'", what,
			    row->what, row->name);
	case REUSEPORT_FEATURE_NOT_PERMITTED:
		caps_missing(row->caps, names, sizeof(names));
		if (*names)
			return fail(err, EPERM,
				    "cannot %s: this process may not use %s without "
				    "%s: %s",
				    what, row->what, names, caps_advice());
		return fail(err, EPERM,
			    "cannot %s: this process may not use %s, although it has the "
			    "capabilities: check seccomp filters, security modules and "
			    "lockdown",
			    what, row->what);
	default:
		return fail(err, result->code, "cannot %s: a test of %s failed: %s", what,
			    row->what, strerror(result->code));
	}
}

int features_explain_needed(struct features *features, const char *what,
			    struct reuseport_error *err)
{
	int ret = 0;

	for (int i = 0; !ret && i < FEATURES_NEEDED; i++)
		ret = features_explain(features, i, what, err);
	return ret;
}

int features_refuse_disabled(struct features *features, const char *what,
			     struct reuseport_error *err)
{
	for (int i = 0; i < FEATURES_NEEDED; i++)
		if (features_disabled(features, i))
			return features_explain(features, i, what, err);
	return 0;
}

int features_allow(enum feature feature, const char *what, struct reuseport_error *err)
{
	struct features *features;
	int ret = features_new(&features, err);

	if (ret)
		return ret;
	if (features_disabled(features, feature))
		ret = features_explain(features, feature, what, err);
	features_free(features);
	return ret;
}

int features_blame(enum feature feature, int code, const char *what, struct reuseport_error *err)
{
	struct features *features;
	int ret = features_new(&features, err);

	if (ret)
		return ret;
	ret = features_explain(features, feature, what, err);
	features_free(features);
	return ret ? ret : fail(err, code, "cannot %s: %s", what, strerror(code));
}
