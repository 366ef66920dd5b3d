// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Leave limits: a keeper that is left behind lives longer than what its caller has set them for. */
#include <errno.h>
#include <stddef.h>
#include <sys/resource.h>

#include "keeper/leave_limits.h"

#define FILES 65536 /* enough for thousands of attachments */

/* The next attach may have another limit, and the same keeper. */
static void leave_limit_of_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_max >= FILES)
		return;
	if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){ FILES, FILES }))
		errno = 0;
}

void leave_limits(void)
{
	static const int limits[] = { RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_DATA };
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit limit;

	leave_limit_of_files();
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (!setrlimit(limits[i], &none) || getrlimit(limits[i], &limit))
			continue;
		/* Without CAP_SYS_RESOURCE the hard limit stays. */
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(limits[i], &limit))
			errno = 0;
	}
}
