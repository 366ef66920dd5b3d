// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Join batch: sockets that join a group at the same time. */
#include <stdlib.h>

#include "host/look.h"
#include "keeper/join_batch.h"
#include "sockets/socket_visit.h"

struct join_batch *join_batch_new(struct reuseport_group *group, size_t max)
{
	struct join_batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	batch->group = group;
	batch->joins = calloc(max + 1, sizeof(*batch->joins));
	batch->visit = calloc(1, sizeof(*batch->visit));
	if (batch->visit)
		batch->visit->sockets = calloc(max + 1, sizeof(*batch->visit->sockets));
	if (batch->joins && batch->visit && batch->visit->sockets)
		return batch;
	join_batch_free(batch);
	return NULL;
}

void join_batch_free(struct join_batch *batch)
{
	if (!batch)
		return;
	look_free(batch->look);
	if (batch->visit)
		free(batch->visit->sockets);
	free(batch->visit);
	free(batch->joins);
	free(batch);
}
