// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Filter: the groups and the network namespace that the options select. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "filter.h"

#define PID_MAX_LIMIT 4194304 /* of any 64-bit Linux */

int filter_netns(const struct options *options, uint64_t *inode)
{
	struct reuseport_error error;
	unsigned long long number;

	if (!options->netns)
		return EXIT_DONE;
	number = strtoull(options->netns, NULL, 10);
	if (strspn(options->netns, "0123456789") == strlen(options->netns) &&
	    number > PID_MAX_LIMIT) {
		*inode = number;
		return EXIT_DONE;
	}
	if (!reuseport_netns(options->netns, inode, &error))
		return EXIT_DONE;
	exit_failed(&error);
	/* Not EXIT_NO_MATCH: that means groups, attachments and workers. */
	return EXIT_FAILED;
}

int filter_netns_or_own(const struct options *options, uint64_t *inode)
{
	struct reuseport_error error;

	if (options->netns)
		return filter_netns(options, inode);
	return reuseport_netns(NULL, inode, &error) ? exit_failed(&error) : EXIT_DONE;
}

int filter_from_options(const struct options *options, struct reuseport_filter *filter)
{
	*filter = (struct reuseport_filter)REUSEPORT_INIT(
		reuseport_filter, .proto = options->proto ? options->proto : IPPROTO_TCP,
		.port = options->ports[0], .addr = options->addr, .uid = options->uid,
		.has_uid = options->has_uid);
	return filter_netns_or_own(options, &filter->netns);
}
