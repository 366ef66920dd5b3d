/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Chances: which workers of the winning group may get a packet. */
#ifndef EXPLAIN_OUTCOMES_H
#define EXPLAIN_OUTCOMES_H

#include "explain/lookup.h"
#include "reuseport_explain.h"
#include "sockets/sock_diag.h"
#include "state/attachment.h"

/*
 * Fills what follows out->decider, which is set. attachment is NULL unless there
 * are pins; members are those of the winning group, none if it is no group.
 */
int chances_find(struct reuseport_explanation *out, const struct reuseport_packet *packet,
		 const struct lookup_candidate *winner, const struct attachment *attachment,
		 const struct sock_diag_list *members, struct reuseport_error *err);

#endif
