// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: can this kernel, and this process, do what steering needs? */
#include <string.h>
#include <sys/resource.h>

#include "doctor/checks.h"
#include "host/caps.h"

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
	if (*feature->reason)
		finding_text(finding, "%s cannot be used: %s. Without it: %s.", feature->what,
			     feature->reason, feature->without);
	else
		finding_text(finding, "%s is %s%s%s. Without it: %s.", feature->what,
			     reuseport_feature_state_name(feature->state),
			     *feature->caps ? ", which takes " : "", feature->caps,
			     feature->without);
	finding_words(finding, "feature", feature->name);
	finding_words(finding, "since", feature->since);
	if (*feature->caps)
		finding_words(finding, "capabilities", feature->caps);
	if (feature->code)
		finding_words(finding, "error", strerror(feature->code));
	mend_feature(finding, feature);
}

/* Three times what an attachment takes with the hooks, without flows. */
#define MEMLOCK_MIN (1 << 20)

/* Where BPF memory counts against RLIMIT_MEMLOCK, the limit must be high, or this process able
 * to raise it. */
static void check_memlock(struct scene *scene)
{
	struct finding *finding;
	struct rlimit limit;
	char names[64];

	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_max >= MEMLOCK_MIN ||
	    caps_missing(CAP_TO_LOCK, names, sizeof(names)) <= 0)
		return;
	finding = finding_add(scene->findings, "memlock-low", REUSEPORT_WARNING, NULL, "");
	finding_text(finding,
		     "BPF memory counts against RLIMIT_MEMLOCK here, which is %llu KiB, and this "
		     "process lacks CAP_SYS_RESOURCE to raise it: maps may be refused.",
		     (unsigned long long)limit.rlim_max / 1024);
	finding_number(finding, "memlock", limit.rlim_max);
	finding_number(finding, "needed", MEMLOCK_MIN);
	finding_mend(finding, "prlimit --pid $$ --memlock=unlimited");
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
		if (feature->state != REUSEPORT_FEATURE_AVAILABLE) {
			find_feature(scene, feature);
			if (!strcmp(feature->name, "memcg"))
				check_memlock(scene);
		}
	reuseport_feature_list__free(list);
}
