/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Explanation: what an explanation consists of, behind the public structure. */
#ifndef EXPLAIN_EXPLANATION_H
#define EXPLAIN_EXPLANATION_H

#include "explain/redirect.h"
#include "item_list.h"
#include "reuseport_explain.h"

struct explanation {
	struct reuseport_explanation out; /* first */
	struct reuseport_policy_info policy;
	struct item_list candidates; /* of struct explained_candidate */
	struct item_list steps;      /* of struct reuseport_fallback_step */
	struct item_list outcomes;   /* of struct reuseport_outcome */
	char redirect[REDIRECT_TEXT];
};

struct explained_candidate {
	struct reuseport_candidate candidate; /* first */
	struct reuseport_key key;
};

/* Make an empty explanation, or return NULL; free it with reuseport_explanation__free(). */
struct explanation *explanation_new(void);

/* Let the public members point to the lists as they are now. */
void explanation_finish(struct explanation *explanation);

#endif
