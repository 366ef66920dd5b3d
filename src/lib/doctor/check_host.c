// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: settings of the host and of the sockets that touch a steered group. */
#include <string.h>

#include "doctor/checks.h"
#include "doctor/mend.h"
#include "host/topology.h"

/* With 256 bytes and less, a program that marks sockets lets none be accepted. */
#define OPTMEM_MIN 4096
#define OPTMEM_USUAL 131072

void check_limits(struct scene *scene, const struct reuseport_status *status)
{
	struct finding *finding;
	uint64_t value;

	if (!scene_sysctl(status->key, "net/core/optmem_max", &value) || value >= OPTMEM_MIN)
		return;
	finding = scene_find(scene, status, "optmem-low", REUSEPORT_NOTE);
	finding_text(finding,
		     "net.core.optmem_max is %llu: programs that mark sockets can then "
		     "keep connections from being accepted.",
		     (unsigned long long)value);
	finding_number(finding, "optmem_max", value);
	mend_sysctl(finding, status->n_workers ? status->workers[0]->pid : 0, "net.core.optmem_max",
		    OPTMEM_USUAL);
}

void check_incoming_cpu(struct scene *scene, const struct reuseport_status *status)
{
	const struct group_members *members = scene_sockets(scene, status->key);
	size_t n = 0;
	struct finding *finding;

	for (size_t i = 0; members && members->known && i < status->n_workers; i++) {
		const struct group_member *member = group_iter_find(&members->kernel,
								    status->workers[i]->cookie);

		n += member && member->cpu >= 0;
	}
	if (!n || !strcmp(status->policy->policy, "cpu"))
		return;
	finding = scene_find(scene, status, "incoming-cpu", REUSEPORT_NOTE);
	finding_text(finding,
		     "%zu workers have set SO_INCOMING_CPU: what is left to the kernel's "
		     "pick goes by it.",
		     n);
	finding_number(finding, "workers", n);
	finding_number(finding, "packets", status->counters->incoming_cpu);
	mend_command(scene, finding, "policy", "cpu");
}

/* Return whether every worker whose process is there may run on the same CPUs. */
static bool same_affinity(const struct reuseport_status *status)
{
	struct cpus first, cpus;
	size_t known = 0;

	for (size_t i = 0; i < status->n_workers; i++) {
		memset(&cpus, 0, sizeof(cpus));
		if (!status->workers[i]->pid || cpus_of_process(status->workers[i]->pid, &cpus))
			continue;
		if (known++ && memcmp(&cpus, &first, sizeof(cpus)))
			return false;
		first = cpus;
	}
	return known > 1;
}

void check_affinity(struct scene *scene, const struct reuseport_status *status)
{
	const struct reuseport_policy_info *policy = status->policy;
	struct finding *finding;

	if ((strcmp(policy->policy, "cpu") && strcmp(policy->policy, "numa")) ||
	    policy->given_cpus || topology_cpus() < 2 || !same_affinity(status))
		return;
	finding = scene_find(scene, status, "affinity-without-effect", REUSEPORT_WARNING);
	finding_text(finding,
		     "Policy %s chooses by the CPUs that the workers may run on, and all "
		     "may run on the same: bind each to its own.",
		     policy->policy);
	finding_words(finding, "policy", policy->policy);
	finding_number(finding, "workers", status->n_workers);
	finding_mend(finding, "taskset -acp 0 %u", status->workers[0]->pid);
}
