// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: settings of the host and of the sockets that touch a steered group. */
#include <string.h>

#include "doctor/checks.h"
#include "doctor/mend.h"
#include "host/topology.h"
#include "sockets/sk_lookup.h"

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

/* Return whether the policy leaves the choice to the kernel's pick among all members. */
static bool leaves_the_pick(const struct reuseport_status *status)
{
	const struct reuseport_policy_info *policy = status->policy;

	return !status->flows && !policy->table_width && !*policy->hash_key &&
	       (!strcmp(policy->policy, "hash") || !strcmp(policy->policy, "linux39"));
}

void check_incoming_cpu(struct scene *scene, const struct reuseport_status *status)
{
	const struct group_members *members;
	struct finding *finding;
	size_t n = 0;

	members = leaves_the_pick(status) ? scene_sockets(scene, status->key) : NULL;
	for (size_t i = 0; members && members->known && i < status->n_workers; i++) {
		const struct group_member *member = group_iter_find(&members->kernel,
								    status->workers[i]->cookie);

		n += member && member->cpu >= 0;
	}
	if (!n)
		return;
	finding = scene_find(scene, status, "incoming-cpu", REUSEPORT_NOTE);
	finding_text(finding,
		     "%zu workers have set SO_INCOMING_CPU, and policy %s leaves the "
		     "choice to the kernel's pick, which goes by it.",
		     n, status->policy->policy);
	finding_number(finding, "workers", n);
	finding_number(finding, "packets", status->counters->incoming_cpu);
	mend_command(scene, finding, "policy", "weighted");
}

/* ---------------------------------------------------------------- redirect */

void check_redirect(struct scene *scene, const struct reuseport_status *status)
{
	struct netns_ref ns = { .inode = status->key->netns, .cookie = status->key->netns_cookie };
	uint32_t id = 0, n = 0;
	struct netns_visit visit;
	struct finding *finding;
	char name[64] = "";

	if (!netns_enter(&ns, &visit, NULL)) {
		n = sk_lookup_programs(&id);
		netns_leave(&visit);
	}
	if (n) {
		group_program_name(id, name, sizeof(name));
		finding = scene_find(scene, status, "sk-lookup", REUSEPORT_NOTE);
		finding_text(finding,
			     "%u sk_lookup programs of the network namespace are asked "
			     "before the group is looked up, and can give its packets "
			     "to other sockets.",
			     n);
		finding_number(finding, "programs", n);
		finding_number(finding, "program_id", id);
		finding_words(finding, "program_name", name);
	}
	if (!status->transparent)
		return;
	finding = scene_find(scene, status, "tproxy", REUSEPORT_NOTE);
	finding_text(finding, "The group has UDP sockets with IP_TRANSPARENT: no program sees the "
			      "datagrams that a TPROXY rule gives to them, the kernel picks.");
	finding_number(finding, "workers", status->n_workers);
}

/* ---------------------------------------------------------------- affinity */

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
