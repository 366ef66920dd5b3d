// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl status: what is steered, worker by worker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "show/status.h"
#include "words.h"

struct found {
	struct reuseport_status *list;
	size_t n;
};

static int append(struct found *all, struct reuseport_status *list, size_t n)
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

static int collect(const struct options *options, struct found *all)
{
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = options->proto, .addr = options->addr);
	unsigned int ports = options->n_ports ? options->n_ports : 1;
	struct reuseport_status *list = NULL;
	struct reuseport_error error;
	size_t n;

	if (word_netns(options, &filter.netns))
		return EXIT_FAILED;
	for (unsigned int i = 0; i < ports; i++) {
		filter.port = options->n_ports ? options->ports[i] : 0;
		if (reuseport_status(&filter, &list, &n, &error))
			return word_failure(&error);
		if (n && append(all, list, n))
			return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* Nothing is an answer, unless something was asked for by name. */
static int tell_nothing(const struct options *options)
{
	if (options->n_ports || options->addr) {
		fprintf(stderr, "reuseportctl: nothing is steered there: 'reuseportctl list' shows "
				"the groups that could be\n");
		return EXIT_NO_MATCH;
	}
	if (!options->json)
		puts("nothing is steered");
	return EXIT_DONE;
}

static int status(const struct options *options)
{
	struct found all = { 0 };
	int ret = collect(options, &all);

	if (ret == EXIT_DONE && options->json)
		show_status_json(all.list, all.n);
	else if (ret == EXIT_DONE)
		show_status_text(all.list, all.n);
	if (ret == EXIT_DONE && !all.n)
		ret = tell_nothing(options);
	if (ret == EXIT_DONE)
		ret = word_written();
	reuseport_status__free(all.list, all.n);
	return ret;
}

const struct command cmd_status = {
	.name = "status",
	.summary = "Show what is steered: workers, what each got, fallbacks by reason",
	.takes = OPT_PORTS | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_JSON,
	.exec = status,
};
