// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Isolation: how this program starts a process that looks at others, if it can. */
#include <errno.h>

#include "error.h"
#include "host/isolation.h"
#include "opts.h"

static struct reuseport_isolation current; /* without start: none */

int reuseport_set_isolation(const struct reuseport_isolation *from, struct reuseport_error *err)
{
	struct reuseport_isolation given = { .sz = sizeof(given) };
	int ret = opts_copy(&given, from, err);

	if (!ret && from && (!given.start || !given.stop || !given.log))
		ret = fail(err, EINVAL, "isolation needs the functions start, stop and log");
	if (!ret)
		current = given;
	return ret;
}

const struct reuseport_isolation *isolation(void)
{
	return current.start ? &current : NULL;
}
