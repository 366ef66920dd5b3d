// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Socket option set: what the hooks of a root directory have for socket options. */
#include <errno.h>

#include "error.h"
#include "fd.h"
#include "state/hooks.h"
#include "state/pin_dir.h"
#include "state/pins_root.h"
#include "state/sockopt_hooks.h"
#include "state/sockopt_set.h"

static int sockopt_set_dir(int root, struct reuseport_error *err)
{
	return pin_dir_open(root, HOOKS, BPFFS "/" PINS_ROOT "/" HOOKS, err);
}

int sockopt_set_open(int root, struct sockopt_maps *maps, struct reuseport_error *err)
{
	int dir = sockopt_set_dir(root, err), ret;

	if (dir < 0)
		return dir;
	ret = sockopt_maps_open(dir, maps, err);
	fd_close(dir);
	return ret;
}

bool sockopt_set_has(int root, const struct sockopt_maps *maps)
{
	int dir = sockopt_set_dir(root, NULL);
	bool has = dir >= 0 && sockopt_maps_are_pinned(maps, dir);

	fd_close(dir);
	return has;
}

int sockopt_set_explain(int root, struct features *features, struct reuseport_error *err)
{
	int dir = sockopt_set_dir(root, NULL), ret;
	bool there = dir >= 0 && sockopt_hooks_are_there(dir);

	fd_close(dir);
	if (there)
		return 0;
	ret = sockopt_hooks_explain(features, err);
	return ret ? ret :
		     fail(err, ENOENT,
			  "cannot take socket options of workers: the programs are not attached; the "
			  "keeper tries again");
}
