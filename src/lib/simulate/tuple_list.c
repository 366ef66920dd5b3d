// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Tuple list: the packets of a simulation, behind the public opaque list. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "error.h"
#include "opts.h"
#include "simulate/tuple_list.h"

/* Return the chunk of tuple i, and its place in the chunk. */
static unsigned int tuple_chunk(size_t i, size_t *place)
{
	unsigned int chunk = 63 - __builtin_clzll(i / TUPLE_CHUNK_FIRST + 1);

	*place = i - TUPLE_CHUNK_FIRST * ((1UL << chunk) - 1);
	return chunk;
}

struct reuseport_tuple *tuple_list_at(const struct reuseport_tuple_list *list, size_t i)
{
	size_t place;
	unsigned int chunk = tuple_chunk(i, &place);

	return &list->chunks[chunk][place];
}

int tuple_list_reserve(struct reuseport_tuple_list *list, size_t more, struct reuseport_error *err)
{
	const size_t limit = TUPLE_CHUNK_FIRST * ((1UL << TUPLE_CHUNKS) - 1);
	unsigned int last;
	size_t place;

	if (more > limit - list->n)
		return fail(err, ENOMEM, "not enough memory for %zu packets", more);
	last = tuple_chunk(list->n + more - 1, &place);
	/* Chunks are added in their order, so with the last one all are there. */
	for (unsigned int k = 0; !list->chunks[last]; k++) {
		if (list->chunks[k])
			continue;
		list->chunks[k] = calloc(TUPLE_CHUNK_FIRST << k, sizeof(*list->chunks[k]));
		if (!list->chunks[k])
			return fail(err, ENOMEM, "not enough memory for %zu packets", more);
	}
	return 0;
}

/* -------------------------------------------------------------------- public */

int reuseport_tuple_list__new(struct reuseport_tuple_list **list, struct reuseport_error *err)
{
	struct reuseport_tuple_list *made;

	if (!list)
		return fail(err, EINVAL, "a new list of packets needs a place");
	made = calloc(1, sizeof(*made));
	if (!made)
		return fail(err, ENOMEM, "out of memory");
	*list = made;
	return 0;
}

int reuseport_tuple_list__add(struct reuseport_tuple_list *list,
			      const struct reuseport_tuple *tuple, struct reuseport_error *err)
{
	struct reuseport_tuple copy = { .sz = 0 };
	int ret;

	if (!list || !tuple)
		return fail(err, EINVAL, "there is no %s to add", list ? "packet" : "list");
	ret = opts_copy(&copy, tuple, err);
	if (!ret && copy.family != AF_INET && copy.family != AF_INET6)
		ret = fail(err, EINVAL, "packet %zu is neither IPv4 nor IPv6", list->n);
	if (!ret)
		ret = tuple_list_reserve(list, 1, err);
	if (!ret)
		*tuple_list_at(list, list->n++) = copy;
	return ret;
}

size_t reuseport_tuple_list__count(const struct reuseport_tuple_list *list)
{
	return list ? list->n : 0;
}

const struct reuseport_tuple *reuseport_tuple_list__get(const struct reuseport_tuple_list *list,
							size_t i)
{
	return list && i < list->n ? tuple_list_at(list, i) : NULL;
}

void reuseport_tuple_list__free(struct reuseport_tuple_list *list)
{
	if (!list)
		return;
	for (unsigned int k = 0; k < TUPLE_CHUNKS; k++)
		free(list->chunks[k]);
	free(list);
}
