/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Features: what the running kernel can do for this process. Each is tried when
 * it is first asked for, and the outcome is kept; no version number decides.
 */
#ifndef HOST_FEATURES_H
#define HOST_FEATURES_H

#include "reuseport_bpf.h"

enum feature {
	/* Without one of these nothing can be steered. */
	FEATURE_BTF,
	FEATURE_SK_REUSEPORT,
	FEATURE_PROBE_READS,
	FEATURE_PIDFD_GETFD,
	/* Without these, in another way. */
	FEATURE_MMAP,
	FEATURE_MIGRATION,
	FEATURE_PLAIN_READS,
	FEATURE_RING_BUFFER,
	FEATURE_TCP_EVENTS,
	FEATURE_CGROUP2,
	FEATURE_UDP_EVENTS,
	FEATURE_ITERATORS,
	FEATURE_TEST_RUN,
	FEATURE_TICKS,
	FEATURE_NETNS_COOKIE,
	FEATURE_DETACH,
	FEATURE_UDP_ITER_ORDER,
	FEATURE_UDP_HASH4,
	FEATURES
};

struct btf;
struct features;

/*
 * Those that the environment variable REUSEPORT_DISABLE names count as if the
 * kernel did not have them. -EINVAL: a word there means nothing. Free with
 * features_free, which takes NULL.
 */
int features_new(struct features **features, struct reuseport_error *err);
void features_free(struct features *features);

/* Leaves it unused from now on. */
void features_disable(struct features *features, enum feature feature);

/* Whether it is left unused by order: without a trial. */
bool features_disabled(const struct features *features, enum feature feature);

/* Whether it works here. */
bool features_have(struct features *features, enum feature feature);

/* "migration", and what happens without it. */
const char *features_name(enum feature feature);
const char *features_without(enum feature feature);

/* The kernel's description of itself, owned by features; NULL: none. */
struct btf *features_btf(struct features *features);

/*
 * The reason why one does not work, as an error: "cannot WHAT: ..." Returns
 * -EOPNOTSUPP where the kernel lacks it, -EPERM where this process may not use
 * it, and else what the trial returned. 0: it works.
 */
int features_explain(struct features *features, enum feature feature, const char *what,
		     struct reuseport_error *err);

/* The same for the first of those without which nothing can be steered. */
int features_explain_needed(struct features *features, const char *what,
			    struct reuseport_error *err);

/* The same, without a trial, for those that are left unused by order. */
int features_refuse_disabled(struct features *features, const char *what,
			     struct reuseport_error *err);

/*
 * For who asks once. Allow: 0, unless it is left unused by order, as
 * features_explain() then. Blame: the failure of a call that needs it, by
 * features_explain() if it does not work here, else by errno "code".
 */
int features_allow(enum feature feature, const char *what, struct reuseport_error *err);
int features_blame(enum feature feature, int code, const char *what, struct reuseport_error *err);

#endif
