/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Features: test what the running kernel can do for this process. Each feature is
 * probed at the first question, and the result is kept. No version number decides.
 */
#ifndef HOST_FEATURES_H
#define HOST_FEATURES_H

#include "host/feature_rows.h"
#include "reuseport_bpf.h"

struct btf;
struct features;

/*
 * Start with no feature probed. The features that the environment variable
 * REUSEPORT_DISABLE names are turned off. -EINVAL: it has an unknown word. Free with
 * features_free, which takes NULL.
 */
int features_new(struct features **features, struct reuseport_error *err);
void features_free(struct features *features);

/* Turn the feature off from now on. */
void features_disable(struct features *features, enum feature feature);

/* Return whether the feature is turned off, without a probe. */
bool features_disabled(const struct features *features, enum feature feature);

/* Return whether the feature works here. */
bool features_have(struct features *features, enum feature feature);

/* Return the state that its probe has found, and the probe's errno, 0 for none. */
enum reuseport_feature_state features_state(struct features *features, enum feature feature,
					    int *code);

/* Return the kernel's BTF, owned by features; NULL if it has none. */
struct btf *features_btf(struct features *features);

/*
 * Explain as an error why a feature does not work: "cannot WHAT: ..." Return
 * -EOPNOTSUPP if the kernel lacks it, -EPERM if this process may not use it, else the
 * probe's error. 0: it works.
 */
int features_explain(struct features *features, enum feature feature, const char *what,
		     struct reuseport_error *err);

/* Do the same for the first that does not work of those that steering needs. */
int features_explain_needed(struct features *features, const char *what,
			    struct reuseport_error *err);

/* Do the same for the first that is turned off of those, without a probe. */
int features_refuse_disabled(struct features *features, const char *what,
			     struct reuseport_error *err);

/*
 * For a caller that has no struct features. Allow: return 0, or, if the feature is
 * turned off, as features_explain(). Blame: explain the failure of a call that needs
 * the feature, by features_explain() if it does not work here, else by errno "code".
 */
int features_allow(enum feature feature, const char *what, struct reuseport_error *err);
int features_blame(enum feature feature, int code, const char *what, struct reuseport_error *err);

#endif
