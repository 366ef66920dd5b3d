// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl status: shows what is steered, worker by worker. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "filter.h"
#include "message.h"
#include "show/status.h"

/* What was read: a list for each port, and pointers into all of them. */
struct attachments {
	struct reuseport_status_list **lists;
	size_t n_lists;
	const struct reuseport_status **items;
	size_t n;
};

static int append_status(struct attachments *all, struct reuseport_status_list *list)
{
	size_t more = reuseport_status_list__count(list);
	const struct reuseport_status **grown;

	all->lists[all->n_lists++] = list;
	grown = realloc(all->items, (all->n + more + 1) * sizeof(*grown));
	if (!grown)
		return exit_no_memory();
	all->items = grown;
	for (size_t i = 0; i < more; i++)
		all->items[all->n++] = reuseport_status_list__get(list, i);
	return EXIT_DONE;
}

static int read_status(const struct options *options, struct attachments *all)
{
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = options->proto, .uid = options->uid,
		       .has_uid = options->has_uid);
	unsigned int ports = options->n_ports ? options->n_ports : 1;
	struct reuseport_status_list *list;
	struct reuseport_error error;
	int ret = EXIT_DONE;

	if (filter_netns(options, &filter.netns) || filter_place(options, &filter))
		return EXIT_FAILED;
	all->lists = calloc(ports, sizeof(*all->lists));
	if (!all->lists)
		return exit_no_memory();
	for (unsigned int i = 0; ret == EXIT_DONE && i < ports; i++) {
		filter.port = options->n_ports ? options->ports[i] : 0;
		if (reuseport_get_status(&filter, &list, &error))
			return exit_failed(&error);
		ret = append_status(all, list);
	}
	return ret;
}

static void free_status(struct attachments *all)
{
	for (size_t i = 0; i < all->n_lists; i++)
		reuseport_status_list__free(all->lists[i]);
	free(all->lists);
	free(all->items);
}

/* Report that nothing is steered. That is an error only if the options name a group. */
static int report_none(const struct options *options)
{
	if (options->n_ports || options->addr || options->dev) {
		message("nothing is attached there: 'reuseportctl list' shows "
			"the groups that can be");
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
		ret = show_status_json(all.items, all.n);
	else if (ret == EXIT_DONE)
		show_status_text(all.items, all.n);
	if (ret == EXIT_DONE && !all.n)
		ret = report_none(options);
	if (ret == EXIT_DONE)
		ret = exit_written();
	free_status(&all);
	return ret;
}

const struct command cmd_status = {
	.name = "status",
	.summary = "Show what is steered: workers, packets of each, fallbacks by reason",
	.takes = OPT_PORTS | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID | OPT_JSON,
	.exec = status_exec,
};
