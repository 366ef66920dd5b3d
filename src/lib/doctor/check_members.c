// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: do all members of the group have a slot, and may one get work? */
#include <stdio.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/mend.h"
#include "doctor/process.h"

static void check_alone(struct scene *scene, const struct reuseport_status *status)
{
	struct finding *finding;

	if (status->n_workers + status->unregistered != 1)
		return;
	finding = scene_find(scene, status, "group-of-one", REUSEPORT_NOTE);
	finding_text(finding, "The group has one socket: there is nothing to choose.");
	finding_number(finding, "sockets", 1);
}

/* Write the processes of the members that have no slot for that reason. Return their number. */
static unsigned int left_out_for(const struct reuseport_status *status, unsigned int reason,
				 char *pids, size_t size)
{
	unsigned int n = 0;
	size_t len = 0;

	*pids = '\0';
	for (size_t i = 0; i < status->n_left_out; i++) {
		const struct reuseport_worker *worker = status->left_out[i];

		if (worker->left_out != reason)
			continue;
		n++;
		if (worker->pid && len < size)
			len += snprintf(pids + len, size - len, "%s%u", len ? " " : "",
					worker->pid);
	}
	return n;
}

static void find_left_out(struct scene *scene, const struct reuseport_status *status,
			  unsigned int reason, unsigned int n, const char *pids)
{
	static const char *const whys[] = {
		[REUSEPORT_LEFT_OUT_MPTCP] = "listen with MPTCP, which no program can select: turn "
					     "it off in the server",
		[REUSEPORT_LEFT_OUT_IO_URING] = "are registered files of an io_uring alone",
		[REUSEPORT_LEFT_OUT_PID_NAMESPACE] = "are of processes in a PID namespace that is "
						     "not visible here",
		[REUSEPORT_LEFT_OUT_NO_PERMISSION] =
			"are of processes that may not be looked into (CAP_SYS_PTRACE)",
		[REUSEPORT_LEFT_OUT_SOCKMAP] = "are in a SOCKMAP, which no second map can share",
	};
	struct finding *finding = scene_find(scene, status, "left-out",
					     status->partial ? REUSEPORT_NOTE : REUSEPORT_WARNING);

	finding_text(finding, "%u of %zu members cannot have a slot: they %s. %s", n,
		     status->n_workers + status->unregistered,
		     reason < sizeof(whys) / sizeof(whys[0]) ? whys[reason] : "cannot be taken",
		     status->policy->table_width ?
			     "They get nothing; without steering each gets its share." :
			     "They get their share until a drain or another policy ends that.");
	finding_words(finding, "reason", reuseport_left_out_name(reason));
	finding_number(finding, "members", n);
	finding_words(finding, "pids", pids);
	mend_command(scene, finding, "detach", "%s", "");
}

void check_members(struct scene *scene, const struct reuseport_status *status)
{
	char pids[256];
	unsigned int n;

	check_alone(scene, status);
	for (unsigned int reason = 1; reuseport_left_out_name(reason); reason++) {
		n = left_out_for(status, reason, pids, sizeof(pids));
		if (n)
			find_left_out(scene, status, reason, n, pids);
	}
}

/* A keeper takes a newcomer within some milliseconds. */
static void find_slow(struct scene *scene, const struct reuseport_status *status,
		      const struct reuseport_status *later)
{
	size_t waiting = later->unregistered - later->n_left_out;
	struct finding *finding = scene_find(scene, status, "keeper-slow", REUSEPORT_WARNING);

	finding_text(finding,
		     "%zu member%s had no slot for a second, though the keeper, process %u, runs: "
		     "the policy does not select them.",
		     waiting, waiting == 1 ? " has" : "s have", later->keeper_pid);
	finding_number(finding, "members", waiting);
	finding_number(finding, "keeper_pid", later->keeper_pid);
	mend_command(scene, finding, "attach", "%s", "");
	mend_kill_first(finding, later->keeper_pid);
}

/* Members that could be taken get their slots within moments. */
void check_registered(struct scene *scene, const struct reuseport_status *status)
{
	const struct reuseport_status *later;
	struct finding *finding;

	if (status->unregistered <= status->n_left_out || !scene_look_again(scene, 1000))
		return;
	later = scene_later(scene, status);
	if (!later || later->unregistered <= later->n_left_out)
		return;
	if (later->keeper_running && later->n_workers < later->slots &&
	    !process_is_stopped(later->keeper_pid)) {
		find_slow(scene, status, later);
		return;
	}
	finding = scene_find(scene, status, "unregistered", REUSEPORT_WARNING);
	finding_number(finding, "members", later->unregistered - later->n_left_out);
	finding_number(finding, "slots", later->slots);
	if (later->n_workers < later->slots) {
		finding_text(finding,
			     "%zu members have had no slot for a second: the policy does "
			     "not select them.",
			     later->unregistered - later->n_left_out);
		mend_command(scene, finding, "attach", "%s", "");
	} else {
		finding_text(finding,
			     "All %u slots are taken, and %zu members have none: detach, "
			     "and attach with more slots (--slots).",
			     later->slots, later->unregistered - later->n_left_out);
		mend_command(scene, finding, "detach", "%s", "");
	}
}

/* --------------------------------------------------------------- eligible */

/* Set the command that lets one worker work, by what keeps it from that. */
static void mend_eligible(struct scene *scene, struct finding *finding,
			  const struct reuseport_worker *worker)
{
	if (worker->state == REUSEPORT_WORKER_JOINING)
		mend_command(scene, finding, "admit", "%s", "");
	else if (worker->state == REUSEPORT_WORKER_ACTIVE)
		mend_command(scene, finding, "weight", "slot:%u 1", worker->slot);
	else
		mend_command(scene, finding, "undrain", "slot:%u", worker->slot);
}

static void find_waiting(struct scene *scene, const struct reuseport_status *status, size_t waiting)
{
	struct finding *finding = scene_find(scene, status, "admit-waiting", REUSEPORT_NOTE);

	finding_text(finding, "%zu workers wait to be admitted.", waiting);
	finding_number(finding, "workers", waiting);
	mend_command(scene, finding, "admit", "%s", "");
}

void check_eligible(struct scene *scene, const struct reuseport_status *status)
{
	size_t eligible = 0, waiting = 0;
	struct finding *finding;

	for (size_t i = 0; i < status->n_workers; i++) {
		const struct reuseport_worker *worker = status->workers[i];

		eligible += worker->state == REUSEPORT_WORKER_ACTIVE && worker->weight;
		waiting += worker->state == REUSEPORT_WORKER_JOINING;
	}
	if (status->n_workers && !eligible) {
		finding = scene_find(scene, status, "no-eligible-worker", REUSEPORT_ERROR);
		finding_text(finding, "No worker may get new work: each is drained, waits to be "
				      "admitted, or has the weight 0. The kernel picks.");
		finding_number(finding, "workers", status->n_workers);
		finding_number(finding, "packets", status->counters->nobody);
		mend_eligible(scene, finding, status->workers[0]);
	} else if (waiting && status->admit_manual && !status->generations->phase) {
		find_waiting(scene, status, waiting);
	}
}

/* ---------------------------------------------------------------- weights */

void check_weights(struct scene *scene, const struct reuseport_status *status)
{
	static const char *const blind[] = { "hash", "linux39", "least-queue" };
	const char *policy = status->policy->policy;
	struct finding *finding;
	size_t weights = 0;
	bool ignored = false;

	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++)
		ignored |= !strcmp(policy, blind[i]);
	for (size_t i = 0; ignored && i < status->n_workers; i++)
		weights += status->workers[i]->weight > 1;
	if (!weights)
		return;
	finding = scene_find(scene, status, "weights-ignored", REUSEPORT_WARNING);
	finding_text(finding, "Policy %s ignores the weights of %zu workers.", policy, weights);
	finding_words(finding, "policy", policy);
	finding_number(finding, "workers", weights);
	mend_command(scene, finding, "policy", "weighted");
}
