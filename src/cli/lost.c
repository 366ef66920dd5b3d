// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Lost: whether what a command has changed takes effect. */
#include <time.h>

#include "exit.h"
#include "format.h"
#include "hint.h"
#include "lost.h"
#include "message.h"

/* A keeper puts the program on a group that was recreated: that takes it a moment. */
#define LOOKS 4
#define PAUSE_NS 50000000L

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

int lost_check(const struct options *options, const struct reuseport_filter *filter)
{
	const struct reuseport_status *status;
	struct reuseport_status_list *list;
	int ret = EXIT_DONE;

	for (int looks = 1;; looks++) {
		/* What cannot be looked at is not known to be lost. */
		if (reuseport_get_status(filter, &list, NULL))
			return EXIT_DONE;
		if (looks == LOOKS || !may_be_mended(list))
			break;
		reuseport_status_list__free(list);
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	for (size_t i = 0; (status = reuseport_status_list__get(list, i)); i++) {
		if (!is_lost(status))
			continue;
		report_lost(options, status);
		ret = EXIT_FAILED;
	}
	reuseport_status_list__free(list);
	return ret;
}
