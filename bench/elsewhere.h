/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What other servers on the host pay: CPU time of their binds and connections. */
#ifndef BENCH_ELSEWHERE_H
#define BENCH_ELSEWHERE_H

enum elsewhere_job { ELSEWHERE_BIND, ELSEWHERE_LISTEN, ELSEWHERE_CONNECTION, ELSEWHERE_JOBS };

struct elsewhere_cost {
	double ns;       /* CPU time of one, the median of many turns */
	double relative; /* to what has nothing to do with attachments, in the same turn */
};

/* The name in the JSON document. */
const char *elsewhere__name(enum elsewhere_job job);

/* Makes a network namespace of this process's own. 0 or -errno, which has been said, here
 * and below. */
int elsewhere__begin(void);

/* Does each job often, in turns. */
int elsewhere__measure(struct elsewhere_cost cost[ELSEWHERE_JOBS]);

#endif
