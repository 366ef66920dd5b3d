// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl detach: returns selection to the kernel. */
#include <errno.h>
#include <stdio.h>

#include "command.h"
#include "filter.h"

/* Detach what is pinned. With --force, first take off what is not pinned. Return the number
 * of groups or -errno. */
static int detach_groups(const struct options *options, const struct reuseport_filter *filter,
			 struct reuseport_error *error)
{
	int unpinned = options->force ? reuseport_detach_unpinned(filter, error) : 0, n;

	if (unpinned < 0 && unpinned != -ENOENT)
		return unpinned;
	n = reuseport_detach(filter, error);
	if (unpinned <= 0)
		return n;
	return n == -ENOENT ? unpinned : n < 0 ? n : n + unpinned;
}

static int detach_exec(const struct options *options)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int n = filter_from_options(options, &filter);

	if (n != EXIT_DONE)
		return n;
	n = detach_groups(options, &filter, &error);
	if (n < 0)
		return exit_failed(&error);
	printf("%s port %u: %d group%s detached\n", filter_proto_text(options), filter.port, n,
	       n == 1 ? "" : "s");
	return exit_written();
}

static const struct option_entry detach_options[] = {
	{ 0, "force", NULL,
	  "also take off a program reuseport_steer that is not pinned here: its pins were "
	  "removed, or another bpffs has them",
	  OPTION_FLAG(force) },
};

const struct command cmd_detach = {
	.name = "detach",
	.summary = "Return selection to the kernel, end the keeper, remove the pins",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID,
	.requires = OPT_PORT,
	.own = detach_options,
	.n_own = sizeof(detach_options) / sizeof(detach_options[0]),
	.exec = detach_exec,
};
