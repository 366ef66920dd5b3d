/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Explain: an explanation as text and as JSON. */
#ifndef CLI_SHOW_EXPLAIN_H
#define CLI_SHOW_EXPLAIN_H

#include <reuseport_explain.h>

void show_explain_text(const struct reuseport_packet *packet,
		       const struct reuseport_explanation *e);
/* Return an exit status, with a message on failure. */
int show_explain_json(const struct reuseport_packet *packet, const struct reuseport_explanation *e);

#endif
