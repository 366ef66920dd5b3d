// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: does a worker take nothing of what waits for it? */
#include <netinet/in.h>
#include <stdlib.h>

#include "doctor/checks.h"
#include "doctor/mend.h"
#include "doctor/process.h"

#define HUNG_MS 1000

/* A worker that has something to take, and what its process has done before and after. */
struct suspect {
	const struct reuseport_worker *worker;
	struct process_facts before, after;
};

/* Return whether anything was taken from the queue between two looks, as far as that shows. */
static bool took_something(int proto, const struct reuseport_worker *before,
			   const struct reuseport_worker *after)
{
	uint64_t came = after->selected + after->migrated - before->selected - before->migrated;

	if (after->queue < before->queue)
		return true;
	/* A queue of datagrams is counted in bytes, of connections one by one. */
	return proto == IPPROTO_TCP ? came > after->queue - before->queue : came;
}

static bool did_run(const struct suspect *suspect)
{
	return !suspect->before.state || !suspect->after.state ||
	       suspect->after.switches != suspect->before.switches;
}

static void find_hung(struct scene *scene, const struct reuseport_status *status,
		      const struct suspect *suspect, const struct reuseport_worker *worker)
{
	struct finding *finding = scene_find(scene, status, "worker-hung", REUSEPORT_WARNING);
	const char state[2] = { suspect->after.state, '\0' };
	bool stopped = *state == 'T' || *state == 't';

	finding_text(finding,
		     "The worker of slot %u (process %u, %s) takes nothing of what waits "
		     "for it%s.",
		     worker->slot, worker->pid, worker->comm,
		     stopped ? ": the process is stopped" : "");
	finding_number(finding, "slot", worker->slot);
	finding_number(finding, "pid", worker->pid);
	finding_number(finding, "queue", worker->queue);
	finding_number(finding, "milliseconds", HUNG_MS);
	finding_words(finding, "process_state", state);
	if (stopped)
		finding_mend(finding, "kill -CONT %u", worker->pid);
	else
		mend_command(scene, finding, "drain", "slot:%u", worker->slot);
}

/* Read the facts of all suspects, before or after. */
static void read_suspects(struct suspect *suspects, size_t n, bool after, bool *failed)
{
	struct process_facts *facts = calloc(n + 1, sizeof(*facts));

	*failed |= !facts;
	for (size_t i = 0; facts && i < n; i++)
		facts[i].pid = suspects[i].worker->pid;
	if (facts)
		process_facts_read(facts, n);
	for (size_t i = 0; facts && i < n; i++)
		*(after ? &suspects[i].after : &suspects[i].before) = facts[i];
	free(facts);
}

static void judge_suspects(struct scene *scene, const struct reuseport_status *status,
			   struct suspect *suspects, size_t n)
{
	const struct reuseport_status *later;

	read_suspects(suspects, n, false, &scene->findings->failed);
	if (!scene_look_again(scene, scene_elapsed_ms(scene) + HUNG_MS))
		return;
	read_suspects(suspects, n, true, &scene->findings->failed);
	later = scene_later(scene, status);
	for (size_t i = 0; later && i < n; i++) {
		const struct reuseport_worker *before = suspects[i].worker;
		const struct reuseport_worker *after = scene_worker(later, before->cookie);

		if (after && after->queue &&
		    !(took_something(status->key->proto, before, after) && did_run(&suspects[i])))
			find_hung(scene, status, &suspects[i], after);
	}
}

void check_hung(struct scene *scene, const struct reuseport_status *status)
{
	struct suspect *suspects = calloc(status->n_workers + 1, sizeof(*suspects));
	size_t n = 0;

	scene->findings->failed |= !suspects;
	for (size_t i = 0; suspects && i < status->n_workers; i++)
		if (status->workers[i]->queue)
			suspects[n++].worker = status->workers[i];
	if (n)
		judge_suspects(scene, status, suspects, n);
	free(suspects);
}
