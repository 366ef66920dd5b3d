/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Extensible structures: those of an older or newer caller. */
#ifndef LIB_OPTS_H
#define LIB_OPTS_H

#include <errno.h>
#include <string.h>

#include "error.h"

/* Copy "from", which begins with its size, to "to"; NULL leaves it as it is. -EINVAL: the
 * size is not set. -E2BIG: "from" has a member that is set and that we do not know. */
static inline int opts_copy_bytes(void *to, size_t size, const void *from,
				  struct reuseport_error *err)
{
	const char *bytes = from;
	size_t given;

	if (!from)
		return 0;
	memcpy(&given, from, sizeof(given));
	if (given < sizeof(given))
		return fail(err, EINVAL, "sz of a structure is not set: it must be its size");
	for (size_t i = size; i < given; i++)
		if (bytes[i])
			return fail(err, E2BIG,
				    "a structure has members that this library does not know: "
				    "it is older than the program");
	memcpy(to, from, given < size ? given : size);
	memcpy(to, &size, sizeof(size));
	return 0;
}

#define opts_copy(to, from, err) opts_copy_bytes(to, sizeof(*(to)), from, err)

/* Copy element i of an array to "to". The size of the first element is the distance
 * between elements. -EINVAL: another element has another size; else as opts_copy(). */
static inline int opts_copy_element_bytes(void *to, size_t size, const void *array, size_t i,
					  struct reuseport_error *err)
{
	size_t distance, given;
	const char *from;

	memcpy(&distance, array, sizeof(distance));
	from = (const char *)array + i * distance;
	memcpy(&given, from, sizeof(given));
	if (given != distance)
		return fail(err, EINVAL,
			    "sz differs in an array: it must be the size of the structure in "
			    "each element");
	return opts_copy_bytes(to, size, from, err);
}

#define opts_copy_element(to, array, i, err) \
	opts_copy_element_bytes(to, sizeof(*(to)), array, i, err)

#endif
