// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl features: shows what the running kernel can do for this process. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "command.h"
#include "show/json.h"
#include "table.h"

static json_t *feature_json(const struct reuseport_feature *feature)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s*, s:s*}", "name", feature->name,
			 "since", feature->since, "state",
			 reuseport_feature_state_name(feature->state), "needed", feature->needed,
			 "what", feature->what, "without", feature->without, "error",
			 feature->code ? strerror(feature->code) : NULL, "missing",
			 *feature->caps ? feature->caps : NULL);
}

static void print_features_json(const struct reuseport_feature *features, size_t n)
{
	json_t *list = json_array(), *root;
	struct utsname kernel;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, feature_json(&features[i]));
	root = json_pack("{s:s, s:s, s:o}", "kernel", uname(&kernel) ? "" : kernel.release,
			 "machine", uname(&kernel) ? "" : kernel.machine, "features", list);
	show_json(root);
}

static void print_features_table(const struct reuseport_feature *features, size_t n)
{
	static const struct column columns[] = {
		{ "FEATURE", false },
		{ "LINUX", true },
		{ "STATE", false },
		{ "WITHOUT IT", false },
	};
	struct libscols_table *table = table_new(columns, 4);

	for (size_t i = 0; table && i < n; i++) {
		struct libscols_line *line = table_row(table);

		table_cell(line, 0, "%s", features[i].name);
		table_cell(line, 1, "%s", features[i].since);
		table_cell(line, 2, "%s", reuseport_feature_state_name(features[i].state));
		table_cell(line, 3, "%s", features[i].without);
	}
	if (table)
		table_print(table);
}

/* Print why each unavailable feature is unavailable, on a line each. */
static void print_unavailable(const struct reuseport_feature *features, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct reuseport_feature *feature = &features[i];

		if (feature->state == REUSEPORT_FEATURE_AVAILABLE)
			continue;
		printf("%s: %s: %s", feature->name, reuseport_feature_state_name(feature->state),
		       feature->what);
		if (*feature->caps)
			printf(" requires %s", feature->caps);
		else if (feature->code)
			printf(" (%s)", strerror(feature->code));
		putchar('\n');
	}
}

static int features_exec(const struct options *options)
{
	struct reuseport_feature *list;
	struct reuseport_error error;
	size_t n;

	if (reuseport_features(&list, &n, &error))
		return exit_failed(&error);
	if (options->json) {
		print_features_json(list, n);
	} else {
		print_features_table(list, n);
		print_unavailable(list, n);
	}
	free(list);
	return exit_written();
}

const struct command cmd_features = {
	.name = "features",
	.summary = "Show kernel features: which are available, what is lost without them",
	.takes = OPT_JSON,
	.exec = features_exec,
};
