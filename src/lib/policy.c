// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Policies: their names, and the nearest name to a mistyped one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "policy.h"

static const struct reuseport_policy policies[] = {
	{ "hash", "the kernel's own pick since Linux 4.5, made visible" },
	{ "linux39", "the walk of Linux 3.9: an equal share to each, reshuffled at every change" },
};

#define N_POLICIES (sizeof(policies) / sizeof(policies[0]))

const struct reuseport_policy *reuseport_policies(size_t *n)
{
	*n = N_POLICIES;
	return policies;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's edit distance, by rows (Wagner and Fischer, 1974). */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], len = strlen(b), diagonal, above;

	if (len >= 64)
		return len;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			above = row[j + 1];
			row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[len];
}

int reuseport_policy_check(const char *name, struct reuseport_error *err)
{
	const char *nearest = policies[0].name;
	char all[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < N_POLICIES; i++) {
		if (!strcmp(name, policies[i].name))
			return 0;
		if (distance(name, policies[i].name) < distance(name, nearest))
			nearest = policies[i].name;
		len += snprintf(all + len, sizeof(all) - len, "%s%s", len ? ", " : "",
				policies[i].name);
	}
	return fail(err, EINVAL, "no policy '%.32s': did you mean '%s'? There are: %s", name,
		    nearest, all);
}
