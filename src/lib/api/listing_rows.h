/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Listing rows: what is known of the groups of all namespaces, and what could not be seen. */
#ifndef API_LISTING_ROWS_H
#define API_LISTING_ROWS_H

#include "api/listing_state.h"
#include "api/own_programs.h"
#include "item_list.h"
#include "sockets/places.h"

/* The public listing. */
struct reuseport_listing {
	struct item_list rows;      /* of struct listing_row */
	struct item_list unseen;    /* of struct reuseport_unseen */
	struct item_list connected; /* of struct reuseport_connected */
};

struct listing_row {
	struct reuseport_listed listed; /* first */
	struct reuseport_group_info info;
	struct reuseport_key key;
	struct listing_facts facts;
	struct sock_diag_socket *sockets;
	size_t n_sockets;
	struct item_list shadows;   /* of struct reuseport_key */
	struct item_list processes; /* of struct reuseport_process */
};

/* A listing in progress. */
struct listing_reading {
	struct reuseport_listing *listing;
	struct group_key_filter filter;
	struct group_iter *reader;        /* NULL: there are no iterators */
	struct reuseport_error no_reader; /* why */
	struct own_programs own;
	bool found; /* the one namespace that is asked for */
	struct reuseport_error *err;
};

/* Add a row, without its sockets. NULL: out of memory. */
struct listing_row *listing_add_row(struct listing_reading *reading,
				    const struct reuseport_key *key, const char *netns_name);

/* Note what could not be seen, and why; of one namespace, or of all (0). Return 0 or -errno. */
int listing_add_unseen(struct listing_reading *reading, const char *what, uint64_t netns,
		       const char *name, const struct reuseport_error *why);

/* Free all that was added. */
void listing_clear(struct reuseport_listing *listing);

#endif
