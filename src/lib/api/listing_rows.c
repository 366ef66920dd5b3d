// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Listing rows: what is known of the groups of all namespaces, and what could not be seen. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/listing_rows.h"
#include "error.h"

struct listing_row *listing_add_row(struct listing_reading *reading,
				    const struct reuseport_key *key, const char *netns_name)
{
	struct listing_row *row = item_list_add(&reading->listing->rows, sizeof(*row));

	if (!row)
		return NULL;
	row->key = *key;
	row->info.key = &row->key;
	row->info.uid = key->uid;
	snprintf(row->info.netns_name, sizeof(row->info.netns_name), "%s", netns_name);
	row->listed.group = &row->info;
	return row;
}

int listing_add_unseen(struct listing_reading *reading, const char *what, uint64_t netns,
		       const char *name, const struct reuseport_error *why)
{
	struct reuseport_unseen *unseen = item_list_add(&reading->listing->unseen, sizeof(*unseen));

	if (!unseen)
		return fail(reading->err, ENOMEM, "out of memory");
	unseen->what = what;
	unseen->netns = netns;
	snprintf(unseen->netns_name, sizeof(unseen->netns_name), "%s", name);
	snprintf(unseen->text, sizeof(unseen->text), "%s", why->text);
	return 0;
}

static void listing_free_row(void *row)
{
	struct listing_row *item = row;

	free(item->sockets);
	item_list_clear(&item->shadows, NULL);
	item_list_clear(&item->processes, NULL);
}

void listing_clear(struct reuseport_listing *listing)
{
	item_list_clear(&listing->rows, listing_free_row);
	item_list_clear(&listing->unseen, NULL);
	item_list_clear(&listing->connected, NULL);
}

/* ------------------------------------------------------------------ accessors */

const char *reuseport_group_state_name(unsigned int state)
{
	static const char *const names[] = { "unknown",  "plain",   "steered", "shadowed",
					     "unserved", "foreign", "lost",    "reuseaddr" };

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

size_t reuseport_listing__count(const struct reuseport_listing *listing)
{
	return listing ? listing->rows.n : 0;
}

const struct reuseport_listed *reuseport_listing__get(const struct reuseport_listing *listing,
						      size_t i)
{
	return listing ? item_list_get(&listing->rows, i) : NULL;
}

size_t reuseport_listing__count_unseen(const struct reuseport_listing *listing)
{
	return listing ? listing->unseen.n : 0;
}

const struct reuseport_unseen *
reuseport_listing__get_unseen(const struct reuseport_listing *listing, size_t i)
{
	return listing ? item_list_get(&listing->unseen, i) : NULL;
}

size_t reuseport_listing__count_connected(const struct reuseport_listing *listing)
{
	return listing ? listing->connected.n : 0;
}

const struct reuseport_connected *
reuseport_listing__get_connected(const struct reuseport_listing *listing, size_t i)
{
	return listing ? item_list_get(&listing->connected, i) : NULL;
}

void reuseport_listing__free(struct reuseport_listing *listing)
{
	if (!listing)
		return;
	listing_clear(listing);
	free(listing);
}
