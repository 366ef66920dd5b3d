// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: is there a worker of another program in the group? It has another executable and is in
 * another cgroup than most workers. */
#include <stdlib.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/process.h"

#define CANDIDATES 32

static bool is_known(const struct process_facts *facts)
{
	return *facts->exe && *facts->cgroup;
}

static bool is_strange(const struct process_facts *facts, const struct process_facts *common)
{
	return strcmp(facts->exe, common->exe) && strcmp(facts->cgroup, common->cgroup);
}

/* Return the facts that most workers share, if it is more than half of them; else NULL. If there
 * are such, some of the first few workers are sure to have them. */
static const struct process_facts *find_common(const struct process_facts *facts, size_t n)
{
	size_t known = 0;

	for (size_t i = 0; i < n; i++)
		known += is_known(&facts[i]);
	for (size_t i = 0; i < n && i < CANDIDATES; i++) {
		size_t like = 0;

		for (size_t k = 0; is_known(&facts[i]) && k < n; k++)
			like += is_known(&facts[k]) && !is_strange(&facts[k], &facts[i]);
		if (like * 2 > known)
			return &facts[i];
	}
	return NULL;
}

static void find_stranger(struct scene *scene, const struct reuseport_status *status,
			  const struct reuseport_worker *worker, const struct process_facts *facts,
			  const struct process_facts *common)
{
	struct finding *finding = scene_find(scene, status, "stranger-in-group", REUSEPORT_NOTE);

	finding_text(finding,
		     "The worker of slot %u (process %u, %s) runs another program than "
		     "most: %s in %s.",
		     worker->slot, worker->pid, worker->comm, facts->exe, facts->cgroup);
	finding_number(finding, "slot", worker->slot);
	finding_number(finding, "pid", worker->pid);
	finding_words(finding, "exe", facts->exe);
	finding_words(finding, "cgroup", facts->cgroup);
	finding_words(finding, "common_exe", common->exe);
	finding_words(finding, "common_cgroup", common->cgroup);
	finding_mend(finding, "kill %u", worker->pid);
}

void check_strangers(struct scene *scene, const struct reuseport_status *status)
{
	const struct process_facts *common;
	struct process_facts *facts;

	/* In a rollout two versions are side by side. */
	if (status->n_workers < 2 || status->generations->phase)
		return;
	facts = calloc(status->n_workers, sizeof(*facts));
	if (!facts) {
		scene->findings->failed = true;
		return;
	}
	for (size_t i = 0; i < status->n_workers; i++)
		facts[i].pid = status->workers[i]->pid;
	process_facts_read(facts, status->n_workers);
	common = find_common(facts, status->n_workers);
	for (size_t i = 0; common && i < status->n_workers; i++)
		if (is_known(&facts[i]) && is_strange(&facts[i], common))
			find_stranger(scene, status, status->workers[i], &facts[i], common);
	free(facts);
}
