// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl list: shows every reuseport group on the host, steered or not. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "filter.h"
#include "message.h"
#include "show/list.h"

static bool is_filtered(const struct options *options)
{
	return options->n_ports || options->proto || options->addr || options->dev ||
	       options->netns || options->has_uid;
}

/* Return whether there may be groups in namespaces that were not looked at. */
static bool is_partly_seen(const struct reuseport_listing *listing)
{
	const struct reuseport_unseen *unseen;

	for (size_t i = 0; (unseen = reuseport_listing__get_unseen(listing, i)); i++)
		if (!strcmp(unseen->what, "namespace") || !strcmp(unseen->what, "namespaces"))
			return true;
	return false;
}

/* Report that there is no row. It is a failure only where something was asked for. */
static int report_no_group(const struct options *options, const struct reuseport_listing *listing)
{
	bool partly = is_partly_seen(listing);

	if (!is_filtered(options)) {
		if (!options->json)
			puts(partly ? "no reuseport group that can be seen here" :
				      "no reuseport group on this host");
		return exit_written();
	}
	if (partly) {
		message("no group that can be seen matches, but not all namespaces can be: run as "
			"root");
		return EXIT_FAILED;
	}
	message("no group matches: 'reuseportctl list' shows all");
	return EXIT_NO_MATCH;
}

static int list_exec(const struct options *options)
{
	REUSEPORT_OPTS(reuseport_filter, filter, .proto = options->proto,
		       .port = options->n_ports ? options->ports[0] : 0, .uid = options->uid,
		       .has_uid = options->has_uid);
	REUSEPORT_OPTS(reuseport_list_opts, opts, .who = options->who || options->n_ports);
	struct reuseport_listing *listing;
	struct reuseport_error error;
	int ret = EXIT_DONE;

	if (filter_netns(options, &filter.netns) || filter_place(options, &filter))
		return EXIT_FAILED;
	if (reuseport_list_more(&filter, &opts, &listing, &error))
		return exit_failed(&error);
	if (options->json)
		ret = show_list_json(listing);
	else
		show_list_text(listing, opts.who);
	if (ret == EXIT_DONE)
		ret = exit_written();
	if (ret == EXIT_DONE && !reuseport_listing__count(listing))
		ret = report_no_group(options, listing);
	reuseport_listing__free(listing);
	return ret;
}

static const struct option_entry list_options[] = {
	{ 0, "who", NULL, "show the processes that have the sockets; --port does so, too",
	  OPTION_FLAG(who) },
};

const struct command cmd_list = {
	.name = "list",
	.summary = "Show every reuseport group, and what becomes of its packets",
	.details = "STATE is steered, plain, foreign, lost, unserved, shadowed, reuseaddr or "
		   "unknown; reuseportctl(8) describes each. What this user may not see is shown "
		   "as '?'. The exit status is 3 if an option selects nothing.",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS | OPT_UID | OPT_JSON,
	.own = list_options,
	.n_own = sizeof(list_options) / sizeof(list_options[0]),
	.exec = list_exec,
};
