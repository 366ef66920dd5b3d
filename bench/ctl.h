/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Runs reuseportctl on one group, of this process's network namespace or another's. */
#ifndef BENCH_CTL_H
#define BENCH_CTL_H

#include <jansson.h>

struct ctl {
	const char *path; /* of reuseportctl */
	const char *proto;
	int port;      /* 0: BENCH_PORT */
	int netns;     /* a process in the group's namespace; 0: this one */
	char pin[256]; /* after ctl__attach(); "" before */
};

/* Moves the process into a mount namespace where nobody else's attachments are in sight. 0 or
 * -errno, which has been said, as all here. */
int ctl__enter_own_bpffs(void);

/* Attaches, with MORE options. Nothing is attached if it fails. */
int ctl__attach(struct ctl *ctl, const char *more);

/* Fails also if something is left behind. */
int ctl__detach(const struct ctl *ctl);

/* Runs "reuseportctl VERB", told the group, with MORE. */
int ctl__run(const struct ctl *ctl, const char *verb, const char *more);

/* Fills in the pin of a group that is attached. */
int ctl__read_pin(struct ctl *ctl);

/* The groups that "status --json" has, with MORE to select some of all. NULL on failure. */
json_t *ctl__status(const struct ctl *ctl, const char *more);

#endif
