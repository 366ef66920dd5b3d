// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Filter: the groups and the network namespace that the options select. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "filter.h"
#include "format.h"

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

const char *filter_proto_text(const struct options *options)
{
	return options->any_proto ? "tcp and udp" : format_proto(options->proto);
}

/* Where the filter is for any namespace, the device is one of the caller's. */
int filter_place(const struct options *options, struct reuseport_filter *filter)
{
	const char *dev = options->dev ? options->dev : options->addr_dev;
	struct reuseport_error error;
	uint64_t netns = filter->netns;
	int ret = EXIT_DONE;

	filter->addr = options->addr ? options->address : NULL;
	if (!*dev)
		return EXIT_DONE;
	if (!netns)
		ret = reuseport_netns(NULL, &netns, &error) ? exit_failed(&error) : EXIT_DONE;
	if (ret == EXIT_DONE && reuseport_device(netns, dev, &filter->ifindex, &error))
		ret = exit_failed(&error);
	return ret;
}

int filter_from_options(const struct options *options, struct reuseport_filter *filter)
{
	int ret;

	*filter = (struct reuseport_filter)REUSEPORT_INIT(
		reuseport_filter,
		.proto = options->proto || options->any_proto ? options->proto : IPPROTO_TCP,
		.port = options->ports[0], .uid = options->uid, .has_uid = options->has_uid);
	ret = filter_netns_or_own(options, &filter->netns);
	return ret == EXIT_DONE ? filter_place(options, filter) : ret;
}
