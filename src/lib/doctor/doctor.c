// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_diagnose(): run every check over what it is about. */
#include <errno.h>
#include <stdlib.h>

#include "doctor/checks.h"
#include "error.h"

static void (*const attachment_checks[])(struct scene *scene,
					 const struct reuseport_status *status) = {
	check_keeper,    check_members,    check_eligible,     check_shadow,
	check_strangers, check_polled,     check_queue,        check_standing,
	check_weights,   check_affinity,   check_incoming_cpu, check_redirect,
	check_limits,    check_registered, check_hung,         check_balance,
};

static void examine_attachment(struct scene *scene, const struct reuseport_status *status)
{
	check_program(scene, status);
	for (size_t i = 0; i < sizeof(attachment_checks) / sizeof(attachment_checks[0]); i++)
		if (!status->damaged && !scene->ret)
			attachment_checks[i](scene, status);
}

/* Return whether pins of the group are there. */
static bool is_attachment(const struct scene *scene, const struct reuseport_group_info *group)
{
	const struct reuseport_status *status;

	for (size_t i = 0; (status = reuseport_status_list__get(scene->status, i)); i++)
		if (group_key_equal(status->key, group->key))
			return true;
	return false;
}

/* Without a port, only what is steered is examined. Return the number of groups. */
static size_t examine_plain_groups(struct scene *scene)
{
	const struct reuseport_listed *listed;
	size_t n = 0;

	for (size_t i = 0; (listed = scene_next_group(scene, &i));) {
		if (!scene->narrow.port || !group_key_matches(&scene->filter, listed->group->key))
			continue;
		n++;
		if (!is_attachment(scene, listed->group))
			check_plain_group(scene, listed->group);
	}
	return n;
}

/* Return whether anything was found about a group. */
static bool found_group(const struct reuseport_finding_list *findings)
{
	const struct reuseport_finding *finding;

	for (size_t i = 0; (finding = reuseport_finding_list__get(findings, i)); i++)
		if (finding->key)
			return true;
	return false;
}

static int examine(struct scene *scene, const struct reuseport_filter *filter,
		   struct reuseport_error *err)
{
	const struct reuseport_status *status;
	size_t n;
	int ret = scene_open(scene, filter, err);

	if (ret)
		return ret;
	check_bpffs(scene);
	check_features(scene);
	n = examine_plain_groups(scene);
	check_reuseaddr(scene);
	for (size_t i = 0; (status = reuseport_status_list__get(scene->status, i)); i++)
		examine_attachment(scene, status);
	if (scene->ret)
		return scene->ret;
	if (scene->findings->failed)
		return fail(err, ENOMEM, "out of memory");
	if (scene->narrow.port && !n && !reuseport_status_list__count(scene->status) &&
	    !found_group(scene->findings))
		return fail(err, ENOENT, "no group is on port %u", scene->narrow.port);
	return 0;
}

int reuseport_diagnose(const struct reuseport_filter *filter, struct reuseport_finding_list **list,
		       struct reuseport_error *err)
{
	struct scene scene = { 0 };
	int ret;

	if (!list)
		return fail(err, EINVAL, "a diagnosis needs a place for the list");
	scene.findings = calloc(1, sizeof(*scene.findings));
	if (!scene.findings)
		return fail(err, ENOMEM, "out of memory");
	ret = examine(&scene, filter, err);
	scene_close(&scene);
	if (ret) {
		reuseport_finding_list__free(scene.findings);
		return ret;
	}
	finding_sort(scene.findings);
	*list = scene.findings;
	return 0;
}
