// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: was a drain or a rollout left standing? */
#include "doctor/checks.h"
#include "doctor/mend.h"

/* Return what the drained worker still has, or NULL. */
static const struct reuseport_drain_status *find_drain(const struct reuseport_drain_list *list,
						       uint64_t cookie)
{
	const struct reuseport_drain_status *drain;

	for (size_t i = 0; (drain = reuseport_drain_list__get(list, i)); i++)
		if (drain->cookie == cookie)
			return drain;
	return NULL;
}

/* Say for how long it has been so, if that is known. */
static void find_age(struct finding *finding, const struct reuseport_status *status,
		     uint64_t since_ns)
{
	if (since_ns && since_ns <= status->taken_ns)
		finding_number(finding, "age_s", (status->taken_ns - since_ns) / 1000000000);
}

static void find_drained(struct scene *scene, const struct reuseport_status *status,
			 const struct reuseport_worker *worker,
			 const struct reuseport_drain_status *drain)
{
	bool over = !drain->queue && !drain->half_open && !drain->flows;
	struct finding *finding = scene_find(scene, status, "drain-standing",
					     over ? REUSEPORT_WARNING : REUSEPORT_NOTE);

	if (over)
		finding_text(finding,
			     "The worker of slot %u (process %u) is drained and has "
			     "nothing left: end it, or let it work again.",
			     worker->slot, worker->pid);
	else
		finding_text(finding, "The worker of slot %u (process %u) is being drained.",
			     worker->slot, worker->pid);
	finding_number(finding, "slot", worker->slot);
	finding_number(finding, "pid", worker->pid);
	finding_number(finding, "queue", drain->queue);
	finding_number(finding, "half_open", drain->half_open);
	finding_number(finding, "flows", drain->flows);
	find_age(finding, status, worker->state_ns);
	mend_command(scene, finding, "undrain", "slot:%u", worker->slot);
}

static void check_drains(struct scene *scene, const struct reuseport_status *status)
{
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = status->key->proto,
		       .port = status->key->port, .netns = status->key->netns);
	struct reuseport_drain_list *list = NULL;

	/* What cannot be read, by this kernel say, is not judged. */
	if (reuseport_get_drain_status(&filter, NULL, &list, NULL))
		return;
	for (size_t i = 0; i < status->n_workers; i++) {
		const struct reuseport_worker *worker = status->workers[i];
		const struct reuseport_drain_status *drain = find_drain(list, worker->cookie);

		if (drain && worker->state >= REUSEPORT_WORKER_DRAINING)
			find_drained(scene, status, worker, drain);
	}
	reuseport_drain_list__free(list);
}

static size_t workers_of(const struct reuseport_status *status, unsigned int generation)
{
	size_t n = 0;

	for (size_t i = 0; i < status->n_workers; i++)
		n += status->workers[i]->generation == generation;
	return n;
}

static void check_rollout(struct scene *scene, const struct reuseport_status *status)
{
	const struct reuseport_generations *generations = status->generations;
	bool begun = generations->phase == REUSEPORT_ROLLOUT_BEGUN;
	size_t others = workers_of(status, generations->other);
	bool over = !begun && !others;
	struct finding *finding;

	finding = scene_find(scene, status, "rollout-standing",
			     over ? REUSEPORT_WARNING : REUSEPORT_NOTE);
	if (over)
		finding_text(finding, "A rollout was switched, and no old worker is left: finish "
				      "it.");
	else
		finding_text(finding, "A rollout is %s: %zu workers of generation %u %s.",
			     begun ? "begun" : "switched", others, generations->other,
			     begun ? "wait" : "are left");
	finding_words(finding, "phase", begun ? "begun" : "switched");
	finding_number(finding, "serving", generations->serving);
	finding_number(finding, "other", generations->other);
	finding_number(finding, "workers", others);
	find_age(finding, status, status->rollout_ns);
	mend_command(scene, finding, "rollout", "%s",
		     !begun ? "finish" :
		     others ? "switch" :
			      "abort");
}

void check_standing(struct scene *scene, const struct reuseport_status *status)
{
	bool drained = false;

	/* The old workers of a rollout are drained by it. */
	if (status->generations->phase) {
		check_rollout(scene, status);
		return;
	}
	for (size_t i = 0; i < status->n_workers; i++)
		drained |= status->workers[i]->state >= REUSEPORT_WORKER_DRAINING;
	if (drained)
		check_drains(scene, status);
}
