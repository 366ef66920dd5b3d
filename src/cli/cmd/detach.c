// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl detach: returns selection to the kernel. */
#include <stdio.h>

#include "command.h"
#include "filter.h"
#include "format.h"

static int detach_exec(const struct options *options)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int n = filter_from_options(options, &filter);

	if (n != EXIT_DONE)
		return n;
	n = reuseport_detach(&filter, &error);
	if (n < 0)
		return exit_failed(&error);
	printf("%s port %u: %d group%s detached\n", format_proto(filter.proto), filter.port, n,
	       n == 1 ? "" : "s");
	return exit_written();
}

const struct command cmd_detach = {
	.name = "detach",
	.summary = "Return selection to the kernel, end the keeper, remove the pins",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS,
	.requires = OPT_PORT,
	.exec = detach_exec,
};
