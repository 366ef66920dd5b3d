/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Unreached: members of an attachment's group that cannot have a slot, so that no command reaches
 * them. */
#ifndef API_UNREACHED_H
#define API_UNREACHED_H

#include "api/worker_name.h"
#include "sockets/left_out.h"
#include "state/attachment.h"

struct unreached {
	size_t n;
	struct left_out why; /* of the first of them */
};

/* Look for those that a name means, or for all of them (NULL). What cannot be looked at is not
 * found. */
void unreached_find(const struct attachment *at, const struct worker_name *name,
		    struct unreached *found);

/* Report that the name means such members of one of the attachments. Return 0 if it does not. */
int unreached_report(const struct attachment *list, size_t n, const struct worker_name *name,
		     struct reuseport_error *err);

#endif
