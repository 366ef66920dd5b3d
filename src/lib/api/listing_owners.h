/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Listing owners: the processes that have the sockets of each row. */
#ifndef API_LISTING_OWNERS_H
#define API_LISTING_OWNERS_H

#include "api/listing_rows.h"

/* Search the processes of the sockets of all rows: one search. Return 0 or -errno. */
int listing_read_owners(struct listing_reading *reading);

#endif
