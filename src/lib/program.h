/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The steering program and the maps that outlive it: loading, pinning. */
#ifndef LIB_PROGRAM_H
#define LIB_PROGRAM_H

#include "pins.h"
#include "reuseport_bpf.h"

struct steering {
	int program;
	uint32_t program_id;
	int sockets, workers, counters, totals, attachment; /* maps */
};

#define STEERING_NONE                                                                              \
	(struct steering){ .program = -1, .sockets = -1, .workers = -1, .counters = -1,            \
			   .totals = -1, .attachment = -1 }

/*
 * Loads the program of a policy. Maps that steering has are used, missing ones
 * made with this number of slots. The best way that the kernel takes and
 * "disable" (enum reuseport_disable) leaves: plain loads or probe reads,
 * select-or-migrate or plain select.
 */
int steering_load(struct steering *steering, const char *policy, unsigned int slots,
		  unsigned int disable, struct reuseport_error *err);

/* Pins all in the directory; the program, which marks the whole, last. */
int steering_pin(const struct steering *steering, const char *path, struct reuseport_error *err);

/* Puts another program in the place of the pinned one, in one step. */
int steering_repin_program(const struct steering *steering, const char *path,
			   struct reuseport_error *err);

/* Opens what is pinned. -ENOENT: something is missing, or is no map or program
 * as it should be; the rest is open. */
int steering_open(struct steering *steering, const char *path);

/* Whether the maps are what an attachment with so many slots has. */
bool steering_fits(const struct steering *steering, unsigned int slots);

/* NULL is not allowed; one that is half open is. */
void steering_close(struct steering *steering);

#endif
