/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What is compared, and putting one of it onto a group. */
#ifndef BENCH_PROGRAMS_H
#define BENCH_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "ours.h"

#define MAX_CONTENDERS 20
#define MAX_OURS 4

/* A program, and for ours what it is to do. */
struct contender {
	const char *name;
	const char *what;
	struct reuseport_policy_opts words; /* no policy: not ours */
	enum weights weights;
	bool probe_reads;     /* as where the kernel has no plain reads */
	unsigned int entries; /* of the table; 0: as the library chooses */
	unsigned int flows;   /* room for sticky flows; 0: they are not sticky */
	unsigned int idle_s;
};

enum { CONTENDER_EMPTY, CONTENDER_BARE, CONTENDER_OURS };

struct contenders {
	const struct contender *list; /* the first three as above */
	size_t n;
};

extern const struct contenders every_policy;
extern const struct contenders hash_only; /* the first three */
extern const struct contenders table_sizes;
extern const struct contenders kernel_reads;             /* what differs between kernels */
extern const struct contenders sticky_known, sticky_new; /* flows, UDP */

/* One of ours; contenders that differ in their policy only share it. */
struct loaded {
	struct ours ours;
	const struct contender *first; /* that it was loaded for */
	const struct contender *set;   /* whose policy it has; NULL: none yet */
};

struct programs {
	const struct contenders *contenders;
	struct baseline_bpf *baseline;
	struct loaded loaded[MAX_OURS];
	size_t n_loaded;
	const int *sockets; /* of the group */
	size_t n;
	int array; /* that the sockets are in; -1: none */
};

/*
 * Loads what the contenders need, for a group of these sockets, which stay the
 * caller's. 0 or -errno, as all here; what failed has been said on standard error.
 */
int programs__load(struct programs *programs, const struct contenders *contenders, int proto,
		   const int *sockets, size_t n);
void programs__free(struct programs *programs);

/* The fd of a contender's program. */
int programs__fd(const struct programs *programs, size_t contender);

/*
 * Puts a contender's program onto the group, and the sockets into its array. A
 * socket may sit in one array only, so they are taken out of the last one.
 */
int programs__put(struct programs *programs, size_t contender);

/* Takes the program off the group: the kernel selects by itself again. */
int programs__take_off(const struct programs *programs);

#endif
