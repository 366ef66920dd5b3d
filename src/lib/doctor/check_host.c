// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: settings of the host and of the sockets that touch a steered group. */
#include <string.h>

#include "doctor/checks.h"
#include "doctor/mend.h"
#include "host/topology.h"
#include "sockets/cpu_pick.h"
#include "sockets/sk_lookup.h"
#include "state/read_policy.h"
#include "state/worker_cpus.h"

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

/* Return SO_INCOMING_CPU of a worker, -1 for none or not known. */
static int32_t incoming_cpu_of(struct scene *scene, const struct reuseport_status *status,
			       uint64_t cookie)
{
	const struct group_members *members = scene_sockets(scene, status->key);

	return members ? cpu_pick_of_socket(members, cookie) : -1;
}

/* Return whether the kernel's pick in the group goes by SO_INCOMING_CPU, as far as is known. */
static bool picks_by_cpu(struct scene *scene, const struct reuseport_status *status)
{
	const struct group_members *members = scene_sockets(scene, status->key);

	return members && status->n_workers &&
	       cpu_pick_of_group(members, status->workers[0]->cookie) != CPU_PICK_HASH;
}

void check_incoming_cpu(struct scene *scene, const struct reuseport_status *status)
{
	struct finding *finding;
	size_t n = 0;

	if (!read_policy_leaves_pick(status->policy) || !picks_by_cpu(scene, status))
		return;
	for (size_t i = 0; i < status->n_workers; i++)
		n += incoming_cpu_of(scene, status, status->workers[i]->cookie) >= 0;
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

/* Return whether every worker whose process is there is for the same CPUs: the table may be older
 * than what was just mended. */
static bool same_cpus(struct scene *scene, const struct reuseport_status *status)
{
	struct cpus first, cpus;
	size_t known = 0;

	for (size_t i = 0; i < status->n_workers; i++) {
		const struct reuseport_worker *worker = status->workers[i];

		memset(&cpus, 0, sizeof(cpus));
		if (!worker->pid)
			continue;
		if (worker_cpus_find(worker->pid, incoming_cpu_of(scene, status, worker->cookie),
				     topology_cpus(), &cpus))
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
	    policy->given_cpus || !policy->places_alike || topology_cpus() < 2 ||
	    !same_cpus(scene, status))
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
