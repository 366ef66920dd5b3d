/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: which worker each of many packets would go to, by the decision
 * functions of the BPF program, and what a change of the workers would move. Nothing here
 * needs a capability, a group or a particular kernel. The conventions are those of
 * reuseport_bpf.h. Where an array is passed in, sz of its first element is the distance
 * between elements, and all have the same.
 */
#ifndef REUSEPORT_SIMULATE_H
#define REUSEPORT_SIMULATE_H

#include "reuseport_bpf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------------------- simulate */

/* Who sends a packet where. Addresses in network byte order, IPv4 in the first
 * four bytes; ports in host byte order. */
struct reuseport_tuple {
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
	uint16_t family; /* AF_INET or AF_INET6 */
};

/*
 * Makes up n packets to 192.0.2.1:443, from any source port of "clients" IPv4
 * addresses, 0 for a new address each time. Equal seeds give equal packets.
 * -EINVAL: n is 0.
 */
int reuseport_generate(struct reuseport_tuple *tuples, size_t n, size_t clients, uint64_t seed,
		       struct reuseport_error *err);

struct reuseport_simulated_worker {
	unsigned int slot;
	unsigned int weight; /* 0 to 1000 */
	uint32_t pid;        /* "cpu", "numa": it runs where this process may;
			      * 0: on CPU slot modulo CPUs */
};

enum reuseport_change_kind {
	REUSEPORT_JOIN = 1,   /* into the lowest free slot; weight 0: 1 */
	REUSEPORT_LEAVE = 2,  /* of the worker in the slot */
	REUSEPORT_WEIGHT = 3, /* another weight for it */
};

struct reuseport_change {
	unsigned int kind; /* of enum reuseport_change_kind */
	unsigned int slot;
	unsigned int weight;
};

struct reuseport_simulation_opts {
	size_t sz;
	const struct reuseport_policy_opts *rules;        /* NULL: "hash". Without a hash
							   * key the seed makes one */
	const struct reuseport_simulated_worker *workers; /* 1 or more, in the order
							   * of the kernel's group */
	size_t n_workers;
	const struct reuseport_tuple *tuples; /* the packets, 1 or more */
	size_t n_tuples;
	const struct reuseport_change *changes; /* each examined alone */
	size_t n_changes;
	unsigned int slots;         /* as in struct reuseport_attach_opts */
	unsigned int table_entries; /* likewise */
	unsigned int cpus, nodes;   /* both 0: as this host has them; else so many
				     * CPUs, evenly on so many nodes, or on one */
	uint64_t seed;              /* of all that is made up */
	size_t : 0;
};

/* What holds of a simulation, where it cannot tell each packet's worker. */
enum reuseport_simulation_note {
	REUSEPORT_NOTE_STAND_IN = 1 << 0, /* the kernel's hash is secret */
	REUSEPORT_NOTE_KEY = 1 << 1,      /* the hash key is made up */
	REUSEPORT_NOTE_CHANCE = 1 << 2,   /* "random" */
	REUSEPORT_NOTE_QUEUES = 1 << 3,   /* how workers serve is a model */
	REUSEPORT_NOTE_RECEIVE = 1 << 4,  /* which CPU receives is made up */
	REUSEPORT_NOTE_PLACES = 1 << 5,   /* where workers run is made up */
	REUSEPORT_NOTE_NO_KEYS = 1 << 6,  /* no key stays with a worker anyway */
	REUSEPORT_NOTE_ORDER = 1 << 7,    /* goes by the kernel's order */
	REUSEPORT_NOTE_EQUAL = 1 << 8,    /* weights differ, and do not count */
};

/* One note, which is a single bit, as a sentence without a full stop. */
const char *reuseport_simulation_note(unsigned int note);

struct reuseport_simulated_share {
	unsigned int slot, weight;
	uint64_t packets;
	double due; /* the share by weight, of 1 */
};

struct reuseport_simulated_change {
	struct reuseport_change change;
	struct reuseport_simulated_share *shares; /* after it, by slot */
	size_t n_shares;
	uint64_t nobody;
	/* Packets whose worker is another one. Not without keeps_keys: then they
	 * are 0. */
	uint64_t moved;
	uint64_t least;    /* that have to, between shares as they are before and after */
	uint64_t needless; /* from a worker that stays as it was to another such one */
};

struct reuseport_simulation {
	struct reuseport_policy_info rules;
	unsigned int notes; /* of enum reuseport_simulation_note */
	bool exact;         /* each packet goes where it is said to go */
	bool keeps_keys;    /* equal keys go to the same worker */
	unsigned int slots;
	uint64_t packets;
	uint64_t nobody;                          /* of no worker: none may get work */
	struct reuseport_simulated_share *shares; /* by slot */
	size_t n_shares;
	double min_over_due; /* of the workers that are due something, the share */
	double max_over_due; /* over what is due, least and most */
	double max_over_mean;
	struct reuseport_simulated_change *changes; /* as asked for */
	size_t n_changes;
};

/*
 * Which worker each of the packets would go to, by the decision functions of the
 * BPF program, and what a change of the workers would move. Needs no privilege
 * and no group. Free with reuseport_simulation__free; NULL is ignored.
 *
 * -EINVAL: as reuseport_policy_check(); no worker, no packet, or a change that
 * does not go. -ENOSPC: the table has not room for a row for each CPU. -ESRCH: a
 * worker's process is gone.
 */
int reuseport_simulate(const struct reuseport_simulation_opts *opts,
		       struct reuseport_simulation **simulation, struct reuseport_error *err);
void reuseport_simulation__free(struct reuseport_simulation *simulation);

#ifdef __cplusplus
}
#endif

#endif
