// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: can this kernel, and this process, do what steering needs? */
#include <string.h>

#include "doctor/checks.h"

/* Set what mends the features that depend on the host's set-up. */
static void mend_feature(struct finding *finding, const struct reuseport_feature *feature)
{
	if (feature->state == REUSEPORT_FEATURE_DISABLED)
		finding_mend(finding, "unset REUSEPORT_DISABLE");
	else if (!strcmp(feature->name, "cgroup2"))
		finding_mend(finding, "mount -t cgroup2 none /sys/fs/cgroup");
}

static void find_feature(struct scene *scene, const struct reuseport_feature *feature)
{
	static const char *const names[] = {
		[REUSEPORT_FEATURE_MISSING] = "feature-missing",
		[REUSEPORT_FEATURE_NOT_PERMITTED] = "feature-not-permitted",
		[REUSEPORT_FEATURE_FAILED] = "feature-failed",
		[REUSEPORT_FEATURE_DISABLED] = "feature-disabled",
	};
	struct finding *finding;

	finding = finding_add(scene->findings, names[feature->state],
			      feature->needed ? REUSEPORT_ERROR : REUSEPORT_NOTE, NULL, "");
	finding_text(finding, "%s is %s%s%s. Without it: %s.", feature->what,
		     reuseport_feature_state_name(feature->state),
		     *feature->caps ? ", which takes " : "", feature->caps, feature->without);
	finding_words(finding, "feature", feature->name);
	finding_words(finding, "since", feature->since);
	if (*feature->caps)
		finding_words(finding, "capabilities", feature->caps);
	if (feature->code)
		finding_words(finding, "error", strerror(feature->code));
	mend_feature(finding, feature);
}

void check_features(struct scene *scene)
{
	const struct reuseport_feature *feature;
	struct reuseport_feature_list *list;
	int ret = reuseport_features(&list, scene->err);

	if (ret) {
		scene->ret = ret;
		return;
	}
	for (size_t i = 0; (feature = reuseport_feature_list__get(list, i)); i++)
		if (feature->state != REUSEPORT_FEATURE_AVAILABLE)
			find_feature(scene, feature);
	reuseport_feature_list__free(list);
}
