// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Setting: the workers and the policy of a simulation, from the options or from an
 * attachment as it is now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "exit.h"
#include "filter.h"
#include "message.h"
#include "parse.h"
#include "simulate/setting.h"
#include "simulate/simulate_options.h"

/* ---------------------------------------------------------- from the options */

static int wrong_workers(const char *text)
{
	message("--workers '%s' is neither a number of workers (1 to %d) nor "
		"a list of weights (0 to %d), e.g. 1,1,2,5",
		text, SLOT_MAX, REUSEPORT_WEIGHT_MAX);
	return EXIT_USAGE;
}

/* Add a worker, for which there must be room. */
static void add_worker(struct setting *setting, unsigned int slot, unsigned int weight,
		       uint32_t pid)
{
	setting->workers[setting->n++] = (struct reuseport_simulated_worker)REUSEPORT_INIT(
		reuseport_simulated_worker, .slot = slot, .weight = weight, .pid = pid);
}

static int make_equal_workers(struct setting *setting, unsigned long n)
{
	setting->workers = calloc(n, sizeof(*setting->workers));
	if (!setting->workers)
		return exit_no_memory();
	for (unsigned long slot = 0; slot < n; slot++)
		add_worker(setting, slot, 1, 0);
	return EXIT_DONE;
}

static int make_weighted_workers(struct setting *setting, const char *text)
{
	const char *at = text;
	unsigned long weight;
	char number[8];

	/* There are no more weights than characters. */
	setting->workers = calloc(strlen(text), sizeof(*setting->workers));
	if (!setting->workers)
		return exit_no_memory();
	for (;; at++) {
		size_t len = strcspn(at, ",");

		snprintf(number, sizeof(number), "%.*s", (int)len, at);
		if (len >= sizeof(number) ||
		    !parse_number(number, 0, REUSEPORT_WEIGHT_MAX, &weight) ||
		    setting->n == SLOT_MAX)
			return wrong_workers(text);
		add_worker(setting, setting->n, weight, 0);
		at += len;
		if (!*at)
			return EXIT_DONE;
	}
}

static int setting_from_options(struct setting *setting, const char *text)
{
	unsigned long n;

	if (!text)
		return make_equal_workers(setting, WORKERS_DEFAULT);
	if (strchr(text, ','))
		return make_weighted_workers(setting, text);
	return parse_number(text, 1, SLOT_MAX, &n) ? make_equal_workers(setting, n) :
						     wrong_workers(text);
}

/* -------------------------------------------------------- from an attachment */

/* Check that the filter selected one attachment, and that it has workers. */
static int check_attachment(const struct setting *setting, unsigned int port)
{
	size_t n = reuseport_status_list__count(setting->statuses);

	if (!n) {
		message("nothing is attached there: use --workers without "
			"--port instead");
		return EXIT_NO_MATCH;
	}
	if (n > 1) {
		message("port %u has %zu attachments: select one with --addr, --dev, --proto, "
			"--uid or --netns",
			port, n);
		return EXIT_FAILED;
	}
	if (setting->status->damaged) {
		message("the pins are damaged or of another version: detach, "
			"then attach again");
		return EXIT_FAILED;
	}
	if (setting->status->n_workers)
		return EXIT_DONE;
	message("the attachment has no workers at the moment");
	return EXIT_FAILED;
}

static int copy_workers(struct setting *setting)
{
	const struct reuseport_status *status = setting->status;

	setting->slots = status->slots;
	setting->table = status->policy->table_entries;
	setting->workers = calloc(status->n_workers, sizeof(*setting->workers));
	if (!setting->workers)
		return exit_no_memory();
	for (size_t i = 0; i < status->n_workers; i++) {
		const struct reuseport_worker *worker = status->workers[i];
		bool active = worker->state == REUSEPORT_WORKER_ACTIVE;

		add_worker(setting, worker->slot, active ? worker->weight : 0, worker->pid);
	}
	return EXIT_DONE;
}

static int setting_from_attachment(struct setting *setting, const struct options *options)
{
	struct reuseport_filter filter;
	struct reuseport_error error;
	int ret = filter_from_options(options, &filter);

	if (ret != EXIT_DONE)
		return ret;
	if (reuseport_get_status(&filter, &setting->statuses, &error))
		return exit_failed(&error);
	setting->status = reuseport_status_list__get(setting->statuses, 0);
	ret = check_attachment(setting, filter.port);
	if (ret == EXIT_DONE)
		ret = copy_workers(setting);
	if (ret != EXIT_DONE)
		return ret;
	if (!simulate_options_all(options) && !setting->policy.policy)
		setting->policy.policy = setting->status->policy->policy;
	if (setting->status->policy->given_cpus && !setting->policy.cpu_map)
		message("simulate cannot read the attachment's CPU map: it uses "
			"the workers' affinity, unless --cpu-map is given");
	return EXIT_DONE;
}

int setting_make(struct setting *setting, const struct options *options)
{
	int ret;

	*setting = (struct setting){ .policy = options->policy };
	if (!simulate_options_all(options))
		setting->policy.policy = options->simulate.policy;
	ret = options->n_ports ? setting_from_attachment(setting, options) :
				 setting_from_options(setting, options->simulate.workers);
	if (options->table)
		setting->table = options->table;
	if (ret != EXIT_DONE)
		setting_free(setting);
	return ret;
}

void setting_free(struct setting *setting)
{
	free(setting->workers);
	reuseport_status_list__free(setting->statuses);
	*setting = (struct setting){ 0 };
}
