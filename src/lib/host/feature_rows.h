/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Feature rows: the features of the kernel that this toolkit uses, in words and with their probes.
 */
#ifndef HOST_FEATURE_ROWS_H
#define HOST_FEATURE_ROWS_H

#include <stdbool.h>

enum feature {
	/* Nothing can be steered without these. */
	FEATURE_BTF,
	FEATURE_SK_REUSEPORT,
	FEATURE_PROBE_READS,
	FEATURE_PIDFD_GETFD,
	/* There is a fallback for each of these. */
	FEATURE_MMAP,
	FEATURE_MIGRATION,
	FEATURE_PLAIN_READS,
	FEATURE_RING_BUFFER,
	FEATURE_CGROUP2,
	FEATURE_BIND_EVENTS,
	FEATURE_SOCKOPT,
	FEATURE_ITERATORS,
	FEATURE_TEST_RUN,
	FEATURE_TICKS,
	FEATURE_NETNS_COOKIE,
	FEATURE_DETACH,
	FEATURE_UDP_ITER_ORDER,
	FEATURE_UDP_HASH4,
	FEATURE_MEMCG,
	FEATURES
};

#define FEATURES_NEEDED (FEATURE_PIDFD_GETFD + 1) /* nothing can be steered without these */

struct btf;

struct feature_row {
	const char *name;  /* such as "migration" */
	const char *since; /* version of mainline Linux; distributions backport */
	const char *what;
	const char *without;                 /* what happens without it */
	unsigned int caps;                   /* of enum cap, that the probe needs */
	int (*probe)(const struct btf *btf); /* NULL: features_btf() is the probe */
	bool reads_btf; /* it needs the kernel's BTF, which takes long to load */
};

const struct feature_row *feature_row(enum feature feature);

#endif
