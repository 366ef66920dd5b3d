// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl features: shows what the running kernel can do for this process. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "command.h"
#include "show/json.h"
#include "table.h"

static json_t *feature_json(const struct reuseport_feature *feature)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s*, s:s*, s:s*}", "name", feature->name,
			 "since", feature->since, "state",
			 reuseport_feature_state_name(feature->state), "needed", feature->needed,
			 "what", feature->what, "without", feature->without, "error",
			 feature->code ? strerror(feature->code) : NULL, "missing",
			 *feature->caps ? feature->caps : NULL, "reason",
			 *feature->reason ? feature->reason : NULL);
}

static int print_features_json(const struct reuseport_feature_list *features)
{
	const struct reuseport_feature *feature;
	json_t *list = json_array(), *root;
	struct utsname kernel;

	for (size_t i = 0; (feature = reuseport_feature_list__get(features, i)); i++)
		json_array_append_new(list, feature_json(feature));
	root = json_pack("{s:s, s:s, s:o}", "kernel", uname(&kernel) ? "" : kernel.release,
			 "machine", uname(&kernel) ? "" : kernel.machine, "features", list);
	return show_json(root);
}

static void print_features_table(const struct reuseport_feature_list *features)
{
	const struct reuseport_feature *feature;
	static const struct column columns[] = {
		{ "FEATURE", false },
		{ "LINUX", true },
		{ "STATE", false },
		{ "WITHOUT IT", false },
	};
	struct libscols_table *table = table_new(columns, 4);

	for (size_t i = 0; table && (feature = reuseport_feature_list__get(features, i)); i++) {
		struct libscols_line *line = table_row(table);

		table_cell(line, 0, "%s", feature->name);
		table_cell(line, 1, "%s", feature->since);
		table_cell(line, 2, "%s", reuseport_feature_state_name(feature->state));
		table_cell(line, 3, "%s", feature->without);
	}
	if (table)
		table_print(table);
}

/* Print why each unavailable feature is unavailable, on a line each. */
static void print_unavailable(const struct reuseport_feature_list *features)
{
	const struct reuseport_feature *feature;

	for (size_t i = 0; (feature = reuseport_feature_list__get(features, i)); i++) {
		if (feature->state == REUSEPORT_FEATURE_AVAILABLE)
			continue;
		printf("%s: %s: %s", feature->name, reuseport_feature_state_name(feature->state),
		       feature->what);
		if (*feature->caps)
			printf(" requires %s", feature->caps);
		else if (*feature->reason)
			printf(": %s", feature->reason);
		else if (feature->code)
			printf(" (%s)", strerror(feature->code));
		putchar('\n');
	}
}

static int print_features_text(const struct reuseport_feature_list *features)
{
	print_features_table(features);
	print_unavailable(features);
	return exit_written();
}

static int features_exec(const struct options *options)
{
	struct reuseport_feature_list *list;
	struct reuseport_error error;
	int ret;

	if (reuseport_features(&list, &error))
		return exit_failed(&error);
	ret = options->json ? print_features_json(list) : print_features_text(list);
	reuseport_feature_list__free(list);
	return ret;
}

const struct command cmd_features = {
	.name = "features",
	.summary = "Show kernel features: which are available, what is lost without them",
	.takes = OPT_JSON,
	.exec = features_exec,
};
