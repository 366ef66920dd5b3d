// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Program mend: the members of a group that has lost its program, to put it back through. */
#include <errno.h>
#include <stdlib.h>

#include "host/look.h"
#include "keeper/program_mend.h"
#include "sockets/socket_visit.h"

void program_mend_free(struct program_mend *mend)
{
	if (!mend)
		return;
	look_free(mend->look);
	if (mend->visit)
		free(mend->visit->sockets);
	free(mend->visit);
	free(mend->owners);
	free(mend);
}

struct program_mend *program_mend_new(struct reuseport_group *group, size_t max)
{
	struct program_mend *mend = calloc(1, sizeof(*mend));

	if (!mend)
		return NULL;
	mend->group = group;
	mend->ret = -ENOENT;
	mend->owners = calloc(max, sizeof(*mend->owners));
	mend->visit = calloc(1, sizeof(*mend->visit));
	if (mend->visit)
		mend->visit->sockets = calloc(max, sizeof(*mend->visit->sockets));
	if (mend->owners && mend->visit && mend->visit->sockets)
		return mend;
	program_mend_free(mend);
	return NULL;
}

int program_mend_fd(const struct program_mend *mend, uint64_t *until)
{
	if (!mend)
		return -1;
	*until = look_until(mend->look);
	return look_fd(mend->look);
}
