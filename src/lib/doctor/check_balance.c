// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Check: do workers get other shares than the policy means, beyond chance? */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/chi_square.h"
#include "doctor/mend.h"

#define EVENTS_MIN 1000
#define PART_MIN 0.1 /* what a table's granularity explains is below */
#define PART_UDP 0.5 /* a client's datagrams are one flow: some tens of flows are as uneven */
#define WINDOW_MS 1000
#define WINDOW_LONG_MS 5000

/* What the workers that get work have been given, and their weights. */
struct shares_seen {
	uint64_t *counts;
	unsigned int *weights;
	size_t n;
};

/* Return whether the policy gives shares by weight (*by_weight), or equal ones. */
static bool means_shares(const struct reuseport_status *status, bool *by_weight)
{
	static const char *const weighing[] = { "consistent", "weighted", "random", "round-robin" };
	const struct reuseport_policy_info *policy = status->policy;

	*by_weight = false;
	for (size_t i = 0; i < sizeof(weighing) / sizeof(weighing[0]); i++)
		*by_weight |= !strcmp(policy->policy, weighing[i]);
	/* A key that clients share, and flows that stay, mean to be uneven. */
	return !status->flows && !strcmp(policy->key, "tuple") &&
	       (*by_weight || !strcmp(policy->policy, "hash") ||
		!strcmp(policy->policy, "linux39"));
}

/* Collect what each worker has been given since "before" was read; NULL: since it joined. A
 * worker that is not in both has no share. */
static void collect_shares(const struct reuseport_status *status,
			   const struct reuseport_status *before, bool by_weight,
			   struct shares_seen *seen)
{
	seen->n = 0;
	for (size_t i = 0; i < status->n_workers; i++) {
		const struct reuseport_worker *worker = status->workers[i], *then;

		then = before ? scene_worker(before, worker->cookie) : NULL;
		if (worker->state != REUSEPORT_WORKER_ACTIVE || !worker->weight ||
		    (before && (!then || then->weight != worker->weight)))
			continue;
		seen->counts[seen->n] = worker->selected - (then ? then->selected : 0);
		seen->weights[seen->n++] = by_weight ? worker->weight : 1;
	}
}

static bool is_uneven(const struct shares_seen *seen, struct chi_square *test)
{
	if (seen->n < 2)
		return false;
	chi_square_test(seen->counts, seen->weights, seen->n, test);
	return test->events >= EVENTS_MIN && test->statistic > test->limit &&
	       test->worst >= PART_MIN;
}

static void find_imbalance(struct scene *scene, const struct reuseport_status *status,
			   const struct chi_square *test)
{
	bool udp = status->key->proto == IPPROTO_UDP;
	bool harmless = udp && test->worst < PART_UDP;
	struct finding *finding = scene_find(scene, status, "imbalance",
					     harmless ? REUSEPORT_NOTE : REUSEPORT_WARNING);

	finding_text(finding,
		     "The workers' shares of %llu packets differ from what policy %s "
		     "means by up to %.0f%%, which is beyond chance%s.",
		     (unsigned long long)test->events, status->policy->policy, test->worst * 100,
		     udp ? ": few clients send most of them, say" : "");
	finding_number(finding, "packets", test->events);
	finding_number(finding, "chi_square", test->statistic);
	finding_number(finding, "limit", test->limit);
	finding_number(finding, "percent_off", test->worst * 100);
	finding_words(finding, "policy", status->policy->policy);
	mend_command(scene, finding, "policy", "round-robin");
}

/* What is uneven since the workers joined may be so because they joined one after the other: look
 * again. */
static bool is_uneven_now(struct scene *scene, const struct reuseport_status *status,
			  bool by_weight, struct shares_seen *seen, struct chi_square *test)
{
	static const unsigned int windows[] = { WINDOW_MS, WINDOW_LONG_MS };
	const struct reuseport_status *later;

	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		*test = (struct chi_square){ 0 };
		later = scene_look_again(scene, windows[i]) ? scene_later(scene, status) : NULL;
		if (!later || later->n_workers > status->n_workers)
			return false;
		collect_shares(later, status, by_weight, seen);
		if (is_uneven(seen, test))
			return true;
		/* Is it worth to wait for more? */
		if (test->events >= EVENTS_MIN ||
		    test->events * WINDOW_LONG_MS < EVENTS_MIN * windows[i])
			return false;
	}
	return false;
}

void check_balance(struct scene *scene, const struct reuseport_status *status)
{
	struct shares_seen seen = { 0 };
	struct chi_square test;
	bool by_weight;

	if (!means_shares(status, &by_weight))
		return;
	seen.counts = calloc(status->n_workers + 1, sizeof(*seen.counts));
	seen.weights = calloc(status->n_workers + 1, sizeof(*seen.weights));
	scene->findings->failed |= !seen.counts || !seen.weights;
	if (seen.counts && seen.weights) {
		collect_shares(status, NULL, by_weight, &seen);
		if (is_uneven(&seen, &test) &&
		    is_uneven_now(scene, status, by_weight, &seen, &test))
			find_imbalance(scene, status, &test);
	}
	free(seen.counts);
	free(seen.weights);
}
