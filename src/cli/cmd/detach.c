// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl detach: gives selection back to the kernel. */
#include <stdio.h>

#include "command.h"
#include "words.h"

static int detach(const struct options *options)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int n = word_filter(options, &filter);

	if (n != EXIT_DONE)
		return n;
	n = reuseport_detach(&filter, &error);
	if (n < 0)
		return word_failure(&error);
	printf("%s port %u: %d group%s given back to the kernel\n", word_proto(filter.proto),
	       filter.port, n, n == 1 ? "" : "s");
	return EXIT_DONE;
}

const struct command cmd_detach = {
	.name = "detach",
	.summary = "Give selection back to the kernel, end the keeper, remove the pins",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS,
	.requires = OPT_PORT,
	.exec = detach,
};
