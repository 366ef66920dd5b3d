/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Explanations, for people and for programs. */
#ifndef CLI_SHOW_EXPLAIN_H
#define CLI_SHOW_EXPLAIN_H

#include <reuseport_explain.h>

void show_explanation_text(const struct reuseport_packet *packet,
			   const struct reuseport_explanation *e);
void show_explanation_json(const struct reuseport_packet *packet,
			   const struct reuseport_explanation *e);

/* "policy", "kernel": who chooses among the winner's sockets. */
const char *show_decider(enum reuseport_decider decider);

#endif
