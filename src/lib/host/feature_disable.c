// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Feature disable: the features that REUSEPORT_DISABLE turns off. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "host/feature_disable.h"
#include "host/feature_rows.h"

static const struct {
	const char *name;
	unsigned int features;
} feature_sets[] = {
	{ "events", 1u << FEATURE_RING_BUFFER | 1u << FEATURE_BIND_EVENTS },
};

/* Return the bits of the features that a word names; 0 for an unknown word. */
static unsigned int feature_disable_bits(const char *word, size_t len)
{
	for (int i = 0; i < FEATURES; i++)
		if (strlen(feature_row(i)->name) == len &&
		    !strncmp(feature_row(i)->name, word, len))
			return 1u << i;
	for (size_t i = 0; i < sizeof(feature_sets) / sizeof(feature_sets[0]); i++)
		if (strlen(feature_sets[i].name) == len &&
		    !strncmp(feature_sets[i].name, word, len))
			return feature_sets[i].features;
	return 0;
}

static int feature_disable_refuse(const char *word, size_t len, struct reuseport_error *err)
{
	char names[512] = "events";
	size_t at = strlen(names);

	for (int i = 0; i < FEATURES; i++)
		at += snprintf(names + at, sizeof(names) - at, ", %s", feature_row(i)->name);
	return fail(err, EINVAL, DISABLE_VARIABLE " names no feature by '%.*s': there are %s",
		    len > 32 ? 32 : (int)len, word, names);
}

int feature_disable_read(unsigned int *disabled, struct reuseport_error *err)
{
	const char *at = getenv(DISABLE_VARIABLE);
	unsigned int bits;
	size_t len;

	*disabled = 0;
	while (at && *at) {
		len = strcspn(at, ",");
		bits = feature_disable_bits(at, len);
		if (!bits)
			return feature_disable_refuse(at, len, err);
		*disabled |= bits;
		at += len + (at[len] == ',');
	}
	return 0;
}

int reuseport_disable_check(struct reuseport_error *err)
{
	unsigned int disabled;

	return feature_disable_read(&disabled, err);
}
