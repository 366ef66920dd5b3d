// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Who gets the packets of a simulation: as the options say, or as an attachment
 * has it at this moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "simulate/simulate.h"
#include "words.h"

#define WORKERS_DEFAULT "4"

/* -------------------------------------------------------------- as options say */

static int no_workers(const char *text)
{
	fprintf(stderr,
		"reuseportctl: --workers '%s' is neither a number of workers, 1 to %d, nor "
		"a list of weights, 0 to 1000, as in 1,1,2,5\n",
		text, SLOT_MAX);
	return EXIT_USAGE;
}

static int out_of_memory(void)
{
	fprintf(stderr, "reuseportctl: out of memory\n");
	return EXIT_FAILED;
}

static int make_equal(struct scene *scene, unsigned long n)
{
	scene->workers = calloc(n, sizeof(*scene->workers));
	if (!scene->workers)
		return out_of_memory();
	for (scene->n = 0; scene->n < n; scene->n++)
		scene->workers[scene->n] = (struct reuseport_simulated_worker){ .slot = scene->n,
										.weight = 1 };
	return EXIT_DONE;
}

static int make_listed(struct scene *scene, const char *text)
{
	const char *at = text;
	unsigned long weight;
	char number[8];

	/* No more of them than there are characters. */
	scene->workers = calloc(strlen(text), sizeof(*scene->workers));
	if (!scene->workers)
		return out_of_memory();
	for (;; at++) {
		size_t len = strcspn(at, ",");

		snprintf(number, sizeof(number), "%.*s", (int)len, at);
		if (len >= sizeof(number) || !option_number(number, 0, 1000, &weight) ||
		    scene->n == SLOT_MAX)
			return no_workers(text);
		scene->workers[scene->n] = (struct reuseport_simulated_worker){ .slot = scene->n,
										.weight = weight };
		scene->n++;
		at += len;
		if (!*at)
			return EXIT_DONE;
	}
}

static int from_options(struct scene *scene, const char *text)
{
	unsigned long n;

	if (!text)
		text = WORKERS_DEFAULT;
	if (strchr(text, ','))
		return make_listed(scene, text);
	return option_number(text, 1, SLOT_MAX, &n) ? make_equal(scene, n) : no_workers(text);
}

/* ---------------------------------------------------------- as it is attached */

static int check_one(const struct scene *scene, unsigned int port)
{
	if (!scene->n_status) {
		fprintf(stderr, "reuseportctl: nothing is steered there: without --port, --workers "
				"tells who there is\n");
		return EXIT_NO_MATCH;
	}
	if (scene->n_status > 1) {
		fprintf(stderr,
			"reuseportctl: %zu attachments are on port %u: tell one of them by "
			"--addr\n",
			scene->n_status, port);
		return EXIT_FAILED;
	}
	if (scene->status->damaged) {
		fprintf(stderr, "reuseportctl: the pins are damaged or of another version: detach, "
				"then attach again\n");
		return EXIT_FAILED;
	}
	if (scene->status->n_workers)
		return EXIT_DONE;
	fprintf(stderr, "reuseportctl: no worker is there at the moment\n");
	return EXIT_FAILED;
}

static int take_workers(struct scene *scene)
{
	const struct reuseport_status *status = scene->status;

	scene->slots = status->slots;
	scene->table = status->rules.table_entries;
	scene->workers = calloc(status->n_workers, sizeof(*scene->workers));
	if (!scene->workers)
		return out_of_memory();
	for (; scene->n < status->n_workers; scene->n++) {
		const struct reuseport_worker *worker = &status->workers[scene->n];
		const char *state = reuseport_state_name(worker->state);

		scene->workers[scene->n] = (struct reuseport_simulated_worker){
			.slot = worker->slot,
			.weight = strcmp(state, "active") ? 0 : worker->weight,
			.pid = worker->pid,
		};
	}
	return EXIT_DONE;
}

static int from_attachment(struct scene *scene, const struct options *options)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret = word_filter(options, &filter);

	if (ret != EXIT_DONE)
		return ret;
	if (reuseport_status(&filter, &scene->status, &scene->n_status, &error))
		return word_failure(&error);
	ret = check_one(scene, filter.port);
	if (ret == EXIT_DONE)
		ret = take_workers(scene);
	if (ret != EXIT_DONE)
		return ret;
	if (!options->simulate.all && !scene->rules.policy)
		scene->rules.policy = scene->status->rules.policy;
	if (scene->status->rules.given_cpus && !scene->rules.cpu_map)
		fprintf(stderr, "reuseportctl: the attachment has a map of CPUs, which is not "
				"known here: without --cpu-map the workers' affinity counts\n");
	return EXIT_DONE;
}

int scene_make(struct scene *scene, const struct options *options)
{
	int ret;

	*scene = (struct scene){ .rules = options->rules };
	ret = options->n_ports ? from_attachment(scene, options) :
				 from_options(scene, options->simulate.workers);
	if (options->table)
		scene->table = options->table;
	if (ret != EXIT_DONE)
		scene_free(scene);
	return ret;
}

void scene_free(struct scene *scene)
{
	free(scene->workers);
	reuseport_status__free(scene->status, scene->n_status);
	*scene = (struct scene){ 0 };
}
