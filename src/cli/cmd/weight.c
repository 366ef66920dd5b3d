// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseportctl weight: how much a worker gets, changed while it works. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "words.h"

/* A weight that has no effect yet is no error: the policy may come after it. */
static void warn_without_effect(const struct reuseport_filter *filter, unsigned long weight)
{
	static const char *const equal[] = { "hash", "linux39", "least-queue" };
	struct reuseport_ruled *found = NULL;
	size_t n = 0;

	if (weight < 2 || reuseport_get_policy(filter, &found, &n, NULL))
		return;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < sizeof(equal) / sizeof(equal[0]); j++)
			if (!strcmp(found[i].rules.policy, equal[j]))
				fprintf(stderr,
					"reuseportctl: policy %s knows weight 0 and others "
					"only: 'reuseportctl policy --port %u weighted' goes by "
					"weights\n",
					equal[j], filter->port);
	free(found);
}

static int weight(const struct options *options)
{
	const char *text = options->words[1];
	struct reuseport_filter filter;
	struct reuseport_error error;
	unsigned long value;
	int ret;

	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 4 || !*text ||
	    (value = strtoul(text, NULL, 10)) > 1000) {
		fprintf(stderr, "reuseportctl: weight '%s' is out of range: 0 to 1000\n", text);
		return EXIT_USAGE;
	}
	ret = word_filter(options, &filter);
	if (ret != EXIT_DONE)
		return ret;
	ret = reuseport_set_weight(&filter, options->words[0], value, &error);
	if (ret < 0)
		return word_refused(&error);
	printf("weight %lu for %d worker%s\n", value, ret, ret == 1 ? "" : "s");
	warn_without_effect(&filter, value);
	return word_written();
}

const struct command cmd_weight = {
	.name = "weight",
	.words = "WORKER WEIGHT",
	.least = 2,
	.most = 2,
	.summary =
		"Set a worker's weight, 0 to 1000; WORKER is slot:N, pid:N, cookie:N or a number",
	.takes = OPT_PORT | OPT_PROTO | OPT_ADDR | OPT_NETNS,
	.requires = OPT_PORT,
	.exec = weight,
};
