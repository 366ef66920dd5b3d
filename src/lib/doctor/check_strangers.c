// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: is there a worker of another program in the group? It has another executable and is in
 * another cgroup than most workers. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/process.h"

#define CANDIDATES 32

static bool is_known(const struct process_facts *facts)
{
	return *facts->exe && *facts->cgroup;
}

/* What most workers have. */
struct common {
	const char *exe, *cgroup;
};

static const char *word_of(const struct process_facts *facts, size_t offset)
{
	return (const char *)facts + offset;
}

/* Return the word at that offset which more than half of the workers have, or NULL. If there is
 * such a one, some of the first few workers are sure to have it. */
static const char *find_common(const struct process_facts *facts, size_t n, size_t offset)
{
	size_t known = 0;

	for (size_t i = 0; i < n; i++)
		known += is_known(&facts[i]);
	for (size_t i = 0; i < n && i < CANDIDATES; i++) {
		const char *word = word_of(&facts[i], offset);
		size_t like = 0;

		for (size_t k = 0; is_known(&facts[i]) && k < n; k++)
			like += is_known(&facts[k]) && !strcmp(word_of(&facts[k], offset), word);
		if (like * 2 > known)
			return word;
	}
	return NULL;
}

static bool is_strange(const struct process_facts *facts, const struct common *common)
{
	return is_known(facts) && strcmp(facts->exe, common->exe) &&
	       strcmp(facts->cgroup, common->cgroup);
}

static void find_stranger(struct scene *scene, const struct reuseport_status *status,
			  const struct reuseport_worker *worker, const struct process_facts *facts,
			  const struct common *common)
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
	struct process_facts *facts;
	struct common common;

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
	common.exe = find_common(facts, status->n_workers, offsetof(struct process_facts, exe));
	common.cgroup = find_common(facts, status->n_workers,
				    offsetof(struct process_facts, cgroup));
	for (size_t i = 0; common.exe && common.cgroup && i < status->n_workers; i++)
		if (is_strange(&facts[i], &common))
			find_stranger(scene, status, status->workers[i], &facts[i], &common);
	free(facts);
}
