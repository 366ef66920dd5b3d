/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Tuple list: the packets of a simulation, behind the public opaque list. */
#ifndef SIMULATE_TUPLE_LIST_H
#define SIMULATE_TUPLE_LIST_H

#include "reuseport_simulate.h"

#define TUPLE_CHUNK_FIRST 256UL
#define TUPLE_CHUNKS 24

/* A tuple stays at its address while the list grows: chunk k has room for
 * TUPLE_CHUNK_FIRST << k tuples. */
struct reuseport_tuple_list {
	size_t n;
	struct reuseport_tuple *chunks[TUPLE_CHUNKS];
};

/* Make room for "more" tuples after those in the list. -ENOMEM. */
int tuple_list_reserve(struct reuseport_tuple_list *list, size_t more, struct reuseport_error *err);

/* Return tuple i, for which there must be room. */
struct reuseport_tuple *tuple_list_at(const struct reuseport_tuple_list *list, size_t i);

#endif
