/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Runs reuseportctl on a group of this process's network namespace. */
#ifndef BENCH_CTL_H
#define BENCH_CTL_H

struct ctl {
	const char *path; /* of reuseportctl */
	const char *proto;
	char pin[256]; /* after ctl__attach(); "" before */
};

/* Attaches, with MORE options. 0 or -errno, as all here; what failed has been
 * said on standard error, and nothing is attached then. */
int ctl__attach(struct ctl *ctl, const char *more);

/* Fails also if something is left behind. */
int ctl__detach(const struct ctl *ctl);

#endif
