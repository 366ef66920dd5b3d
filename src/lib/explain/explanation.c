// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Explanation: what an explanation consists of, behind the public structure. */
#include <stdlib.h>

#include "explain/explanation.h"

struct explanation *explanation_new(void)
{
	struct explanation *explanation = calloc(1, sizeof(*explanation));

	if (explanation)
		explanation->out.policy = &explanation->policy;
	return explanation;
}

void explanation_finish(struct explanation *explanation)
{
	struct reuseport_explanation *out = &explanation->out;

	out->candidates = (const struct reuseport_candidate *const *)explanation->candidates.items;
	out->n_candidates = explanation->candidates.n;
	out->steps = (const struct reuseport_fallback_step *const *)explanation->steps.items;
	out->n_steps = explanation->steps.n;
	out->outcomes = (const struct reuseport_outcome *const *)explanation->outcomes.items;
	out->n_outcomes = explanation->outcomes.n;
	out->redirect = *explanation->redirect ? explanation->redirect : NULL;
}

void reuseport_explanation__free(struct reuseport_explanation *out)
{
	struct explanation *explanation = (struct explanation *)out;

	if (!out)
		return;
	item_list_clear(&explanation->candidates, NULL);
	item_list_clear(&explanation->steps, NULL);
	item_list_clear(&explanation->outcomes, NULL);
	free(explanation);
}
