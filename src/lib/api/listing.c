// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* reuseport_list_more(): what is on the ports of this host, and what cannot be seen of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/listing_netns.h"
#include "api/listing_owners.h"
#include "clock.h"
#include "error.h"
#include "host/caps.h"
#include "host/netns.h"
#include "opts.h"
#include "state/hook_iter.h"

/* After so long what was doubtful is looked at again. */
#define LISTING_AGAIN_MS 30

/* -------------------------------------------------- what has pins and no socket */

/* Return whether there is a row of the group, or its namespace could not be looked at. */
static bool listing_knows(const struct reuseport_listing *listing, const struct own_program *own)
{
	for (size_t i = 0; i < listing->rows.n; i++) {
		const struct listing_row *row = listing->rows.items[i];

		if (group_key_equal(&row->key, &own->key))
			return true;
	}
	for (size_t i = 0; i < listing->unseen.n; i++) {
		const struct reuseport_unseen *unseen = listing->unseen.items[i];

		if (unseen->netns == own->key.netns && !strcmp(unseen->what, "namespace"))
			return true;
	}
	return false;
}

/* Add attachments whose group has no socket. */
static int listing_add_empty(struct listing_reading *reading)
{
	for (size_t i = 0; i < reading->own.n; i++) {
		const struct own_program *own = &reading->own.list[i];
		char name[sizeof(((struct reuseport_group_info *)0)->netns_name)];
		struct listing_row *row;

		if (!own->program_id || !group_key_matches(&reading->filter, &own->key) ||
		    listing_knows(reading->listing, own))
			continue;
		netns_name_of(own->key.netns, name, sizeof(name));
		row = listing_add_row(reading, &own->key, name);
		if (!row)
			return fail(reading->err, ENOMEM, "out of memory");
		row->info.program_known = true;
		row->listed.state = listing_state(&row->facts);
	}
	return 0;
}

/* ------------------------------------------------------------------- reading */

/* Say once what is missing for all namespaces. */
static int listing_note_unseen(struct listing_reading *reading)
{
	struct reuseport_error why = { 0 };
	char names[64];
	int ret = 0;

	if (!reading->reader)
		ret = listing_add_unseen(reading, "programs", 0, "", &reading->no_reader);
	if (!ret && reading->own.refused == -EACCES)
		ret = listing_add_unseen(reading, "pins", 0, "", &reading->own.why);
	/* All namespaces that were asked for have been looked at, or are known not to be. */
	if (ret || reading->found || caps_missing(CAP_TO_DUPLICATE, names, sizeof(names)) <= 0)
		return ret;
	fail(&why, EPERM, "processes of other users cannot be looked at: missing %s", names);
	return listing_add_unseen(reading, "namespaces", 0, "", &why);
}

static int listing_read_once(struct listing_reading *reading)
{
	int ret = own_programs_read(&reading->own, true, reading->err);

	reading->found = false;
	if (!ret) {
		ret = netns_for_each(listing_add_netns, reading);
		if (ret && reading->err && !reading->err->code)
			fail(reading->err, -ret, "cannot look through the network namespaces: %s",
			     strerror(-ret));
	}
	if (!ret)
		ret = listing_note_unseen(reading);
	if (!ret)
		ret = listing_add_empty(reading);
	own_programs_free(&reading->own);
	return ret;
}

static bool listing_in_doubt(const struct reuseport_listing *listing)
{
	for (size_t i = 0; i < listing->rows.n; i++) {
		const struct listing_row *row = listing->rows.items[i];

		if (listing_is_doubtful(row->listed.state, row->n_sockets))
			return true;
	}
	return false;
}

static int listing_compare(const void *a, const void *b)
{
	return group_key_compare(&((const struct listing_row *)a)->key,
				 &((const struct listing_row *)b)->key);
}

static int listing_read(struct listing_reading *reading, bool who)
{
	int ret = hook_iter_open(&reading->reader, &reading->no_reader);

	if (ret && ret != -EOPNOTSUPP)
		return fail(reading->err, -ret, "%s", reading->no_reader.text);
	ret = listing_read_once(reading);
	if (!ret && listing_in_doubt(reading->listing)) {
		clock_sleep_ms(LISTING_AGAIN_MS);
		listing_clear(reading->listing);
		ret = listing_read_once(reading);
	}
	group_iter_close(reading->reader);
	if (!ret && who)
		ret = listing_read_owners(reading);
	item_list_sort(&reading->listing->rows, listing_compare);
	return ret;
}

int reuseport_list_more(const struct reuseport_filter *filter,
			const struct reuseport_list_opts *given, struct reuseport_listing **listing,
			struct reuseport_error *err)
{
	struct reuseport_list_opts opts = { .sz = sizeof(opts) };
	struct reuseport_error error = { 0 };
	struct listing_reading reading = { .err = &error };
	int ret = group_key_filter_init(&reading.filter, filter, &error);

	if (!ret)
		ret = opts_copy(&opts, given, &error);
	if (!ret && !listing)
		ret = fail(&error, EINVAL, "list needs a place for the listing");
	if (!ret)
		ret = reuseport_disable_check(&error);
	if (!ret) {
		reading.listing = calloc(1, sizeof(*reading.listing));
		if (!reading.listing)
			ret = fail(&error, ENOMEM, "out of memory");
	}
	if (!ret)
		ret = listing_read(&reading, opts.who);
	if (ret) {
		reuseport_listing__free(reading.listing);
		return fail(err, -ret, "%s", error.text);
	}
	*listing = reading.listing;
	return 0;
}
