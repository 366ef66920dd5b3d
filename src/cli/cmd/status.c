// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl status: shows what is steered, worker by worker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "filter.h"
#include "show/status.h"

struct attachments {
	struct reuseport_status *list;
	size_t n;
};

/* Move the list to the end of "all". */
static int append_status(struct attachments *all, struct reuseport_status *list, size_t n)
{
	struct reuseport_status *grown = realloc(all->list, (all->n + n + 1) * sizeof(*grown));

	if (!grown) {
		reuseport_status__free(list, n);
		return -1;
	}
	memcpy(grown + all->n, list, n * sizeof(*list));
	free(list);
	all->list = grown;
	all->n += n;
	return 0;
}

static int read_status(const struct options *options, struct attachments *all)
{
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = options->proto, .addr = options->addr);
	unsigned int ports = options->n_ports ? options->n_ports : 1;
	struct reuseport_status *list = NULL;
	struct reuseport_error error;
	size_t n;

	if (filter_netns(options, &filter.netns))
		return EXIT_FAILED;
	for (unsigned int i = 0; i < ports; i++) {
		filter.port = options->n_ports ? options->ports[i] : 0;
		if (reuseport_status(&filter, &list, &n, &error))
			return exit_failed(&error);
		if (n && append_status(all, list, n))
			return exit_no_memory();
	}
	return EXIT_DONE;
}

/* Report that nothing is steered. That is an error only if the options name a group. */
static int report_none(const struct options *options)
{
	if (options->n_ports || options->addr) {
		fprintf(stderr,
			"reuseportctl: nothing is attached there: 'reuseportctl list' shows "
			"the groups that can be\n");
		return EXIT_NO_MATCH;
	}
	if (!options->json)
		puts("nothing is steered");
	return EXIT_DONE;
}

static int status_exec(const struct options *options)
{
	struct attachments all = { 0 };
	int ret = read_status(options, &all);

	if (ret == EXIT_DONE && options->json)
		show_status_json(all.list, all.n);
	else if (ret == EXIT_DONE)
		show_status_text(all.list, all.n);
	if (ret == EXIT_DONE && !all.n)
		ret = report_none(options);
	if (ret == EXIT_DONE)
		ret = exit_written();
	reuseport_status__free(all.list, all.n);
	return ret;
}

const struct command cmd_status = {
	.name = "status",
	.summary = "Show what is steered: workers, packets of each, fallbacks by reason",
	.takes = OPT_PORTS | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_JSON,
	.exec = status_exec,
};
