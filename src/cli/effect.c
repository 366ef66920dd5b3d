// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Effect: whether what a command has changed takes effect, and for whom. */
#include <errno.h>
#include <time.h>

#include "effect.h"
#include "exit.h"
#include "format.h"
#include "hint.h"
#include "message.h"
#include "places_alike.h"
#include "split_flows.h"

/* A keeper puts the program on a group that was recreated: that takes it a moment. */
#define LOOKS 4
#define PAUSE_NS 50000000L

/* It takes a newcomer within milliseconds, but for one that it cannot find: 2 s. */
#define KEPT_LOOKS 11
#define KEPT_PAUSE_NS 200000000L

static bool is_lost(const struct reuseport_status *status)
{
	return !status->damaged && !status->attached && (status->n_workers || status->unregistered);
}

/* Return whether a group is lost that its keeper may be about to mend. */
static bool may_be_mended(const struct reuseport_status_list *list)
{
	const struct reuseport_status *status;
	bool may = false;

	for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++)
		may |= is_lost(status) && status->keeper_running && !status->foreign;
	return may;
}

static void report_lost(const struct options *options, const struct reuseport_status *status)
{
	char endpoint[FORMAT_ENDPOINT_MAX], place[HINT_PLACE_MAX];

	format_endpoint(status->key, endpoint);
	hint_place(options, place);
	message("%s %s is not steered: %s, so this takes no effect; to put the program back: "
		"'reuseportctl attach%s%s'",
		format_proto(status->key->proto), endpoint,
		status->foreign ? "the group has another program" :
				  "the group has lost the program",
		place, status->foreign ? " --force" : "");
}

/* Name what the policy does not reach. Return whether that is a failure. */
static bool report_unreached(const struct reuseport_status *status)
{
	char endpoint[FORMAT_ENDPOINT_MAX];
	const char *proto = format_proto(status->key->proto);
	size_t n = status->n_left_out;

	format_endpoint(status->key, endpoint);
	if (n)
		message("%s %s: this does not reach %zu of %zu members (%s)", proto, endpoint, n,
			n + status->n_workers,
			reuseport_left_out_name(status->left_out[0]->left_out));
	return n && !status->partial;
}

/* Look at the groups, again if their keeper may be about to mend one. Return NULL if they cannot
 * be looked at. */
static struct reuseport_status_list *effect_look(const struct reuseport_filter *filter)
{
	struct reuseport_status_list *list;

	for (int looks = 1;; looks++) {
		if (reuseport_get_status(filter, &list, NULL))
			return NULL;
		if (looks == LOOKS || !may_be_mended(list))
			return list;
		reuseport_status_list__free(list);
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
}

/* lost: if it is not NULL, whether there is a group without the program. */
static int effect_report(const struct options *options, const struct reuseport_status_list *list,
			 bool *lost)
{
	const struct reuseport_status *status;
	int ret = EXIT_DONE;

	if (lost)
		*lost = false;
	for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++) {
		if (is_lost(status)) {
			report_lost(options, status);
			ret = EXIT_FAILED;
			if (lost)
				*lost = true;
		} else if (report_unreached(status)) {
			ret = EXIT_FAILED;
		}
	}
	return ret;
}

static bool has_accepting_worker(const struct reuseport_status *status)
{
	for (size_t i = 0; i < status->n_workers; i++)
		if (status->workers[i]->weight &&
		    status->workers[i]->state == REUSEPORT_WORKER_ACTIVE)
			return true;
	return false;
}

static void warn_unserved(const struct reuseport_status_list *list)
{
	const struct reuseport_status *status;

	for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++)
		if (status->n_workers && !has_accepting_worker(status))
			message("no worker is left that accepts new work: the kernel "
				"picks among all workers, drained or not");
}

int effect_check(const struct options *options, const struct reuseport_filter *filter, bool *lost)
{
	/* What cannot be looked at is not known to be lost. */
	struct reuseport_status_list *list = effect_look(filter);
	int ret = effect_report(options, list, lost);

	reuseport_status_list__free(list);
	return ret;
}

int effect_check_lost(const struct options *options, const struct reuseport_filter *filter)
{
	struct reuseport_status_list *list = effect_look(filter);
	const struct reuseport_status *status;
	int ret = EXIT_DONE;

	for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++) {
		if (!is_lost(status))
			continue;
		report_lost(options, status);
		ret = EXIT_FAILED;
	}
	reuseport_status_list__free(list);
	return ret;
}

int effect_check_served(const struct options *options, const struct reuseport_filter *filter,
			bool *lost)
{
	struct reuseport_status_list *list = effect_look(filter);
	int ret;

	warn_unserved(list);
	ret = effect_report(options, list, lost);
	reuseport_status_list__free(list);
	return ret;
}

int effect_check_policy(const struct options *options, const struct reuseport_filter *filter)
{
	struct reuseport_status_list *list = effect_look(filter);
	int ret = effect_report(options, list, NULL);

	split_flows_warn(list);
	places_alike_warn(list);
	reuseport_status_list__free(list);
	return ret;
}

/* -------------------------------------------------------------------- keeper */

/* Return how many members could have a slot, and have none, though a keeper runs. */
static size_t without_slot(const struct reuseport_status *status)
{
	size_t free_slots = status->slots - status->n_workers;
	size_t waiting = status->unregistered > status->n_left_out ?
				 status->unregistered - status->n_left_out :
				 0;

	if (status->damaged || !status->keeper_running)
		return 0;
	return waiting < free_slots ? waiting : free_slots;
}

/* Name the groups with members that nobody agreed to leave out. */
static int report_unagreed(const struct reuseport_status_list *list)
{
	const struct reuseport_status *status;
	char endpoint[FORMAT_ENDPOINT_MAX];
	int ret = EXIT_DONE;

	for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++) {
		size_t n = status->n_left_out;

		if (status->damaged || status->partial || !n)
			continue;
		format_endpoint(status->key, endpoint);
		message("%zu of %zu members of %s %s cannot be steered (%s) and get little or "
			"nothing: the status shows them; if that is meant, attach with --partial",
			n, n + status->n_workers, format_proto(status->key->proto), endpoint,
			reuseport_left_out_name(status->left_out[0]->left_out));
		ret = EXIT_FAILED;
	}
	return ret;
}

static int report_slow(const struct reuseport_status_list *list)
{
	const struct reuseport_status *status;
	char endpoint[FORMAT_ENDPOINT_MAX];
	int ret = EXIT_DONE;

	for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++) {
		if (!without_slot(status))
			continue;
		format_endpoint(status->key, endpoint);
		message("%s %s: members without a slot: %zu, and the keeper, process %u, does not "
			"answer: to have another one, 'kill -KILL %u' and attach again",
			format_proto(status->key->proto), endpoint, without_slot(status),
			status->keeper_pid, status->keeper_pid);
		ret = EXIT_FAILED;
	}
	return ret;
}

int effect_check_kept(const struct reuseport_filter *filter)
{
	const struct reuseport_status *status;
	struct reuseport_status_list *list;
	bool waits = true;
	int ret = EXIT_DONE;

	for (int looks = 1; waits && looks <= KEPT_LOOKS; looks++) {
		if (reuseport_get_status(filter, &list, NULL))
			return ret;
		waits = false;
		for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++)
			waits |= without_slot(status) > 0;
		if (looks == KEPT_LOOKS)
			ret = report_slow(list);
		if ((!waits || looks == KEPT_LOOKS) && report_unagreed(list) != EXIT_DONE)
			ret = EXIT_FAILED;
		reuseport_status_list__free(list);
		if (waits && looks < KEPT_LOOKS)
			nanosleep(&(struct timespec){ .tv_nsec = KEPT_PAUSE_NS }, NULL);
	}
	return ret;
}

/* Print why a group cannot be steered, if it is of a kind that cannot. Return whether it is. */
static bool report_hopeless(const struct reuseport_filter *filter, const struct reuseport_key *key)
{
	struct reuseport_key_list *keys = NULL;
	struct reuseport_filter one = *filter;
	struct reuseport_error error;
	char addr[64];
	int ret;

	format_addr(key, addr, sizeof(addr));
	one.proto = key->proto;
	one.addr = addr;
	ret = reuseport_find(&one, &keys, &error);
	if (!ret)
		reuseport_key_list__free(keys);
	/* A process that cannot be looked into does not decide for others. */
	if (ret != -EOPNOTSUPP)
		return false;
	message("%s; the other groups on the port are steered; to leave it out, attach with "
		"--partial",
		error.text);
	return true;
}

int effect_check_whole(const struct options *options, const struct reuseport_filter *filter)
{
	const struct reuseport_status *status;
	struct reuseport_status_list *list;
	bool hopeless = false;

	/* Then the others were not asked for. */
	if (options->addr || options->dev || reuseport_get_status(filter, &list, NULL))
		return EXIT_DONE;
	for (size_t i = 0; !hopeless && (status = reuseport_status_list__get(list, i)); i++)
		for (size_t j = 0; !hopeless && j < status->n_unsteered; j++) {
			const struct reuseport_key *key = status->unsteered[j]->key;

			/* A stranger's group is no reason. */
			if (key->has_uid && status->key->has_uid && key->uid == status->key->uid)
				hopeless = report_hopeless(filter, key);
		}
	reuseport_status_list__free(list);
	return hopeless ? EXIT_FAILED : EXIT_DONE;
}
