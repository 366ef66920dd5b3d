/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The programs that are compared, and putting one of them onto a group. */
#ifndef BENCH_PROGRAMS_H
#define BENCH_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

/* Slots of our attachment; what the library takes for small groups. */
#define BENCH_SLOTS 256

#define MAX_CONTENDERS 8

struct contender {
	const char *name;
	const char *what;
	int program; /* fd */
	int array;   /* fd of its "sockets" */
};

struct programs {
	struct baseline_bpf *baseline;
	struct steer_bpf *plain; /* reads the kernel with plain loads; NULL
				  * where it cannot */
	struct steer_bpf *probe; /* reads it with bpf_probe_read_kernel */
	struct contender contenders[MAX_CONTENDERS];
	size_t n;
};

/*
 * Loads them all, for a group of "members". The first contender is the empty
 * program, the second the bare select, the third ours as this kernel gets it.
 * 0 or -errno; what failed has been said on standard error.
 */
int programs__load(struct programs *programs, unsigned int members);
void programs__free(struct programs *programs);

enum { CONTENDER_EMPTY, CONTENDER_BARE, CONTENDER_OURS };

/*
 * Puts a contender's program onto the group of these sockets, and the sockets
 * into its array. A socket may sit in one array only, so they are taken out of
 * every other array first.
 */
int programs__put(const struct programs *programs, size_t contender, const int *sockets, size_t n);

/* Takes the program off the group: the kernel selects by itself again. */
int programs__take_off(int socket);

#endif
