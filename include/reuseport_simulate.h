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

/* Who sends a packet where. Addresses in network byte order, IPv4 in the first four
 * bytes; ports in host byte order. */
struct reuseport_tuple {
	size_t sz;
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
	uint16_t family; /* AF_INET or AF_INET6 */
	size_t : 0;
};

/* Packets, in their order. */
struct reuseport_tuple_list;
int reuseport_tuple_list__new(struct reuseport_tuple_list **list, struct reuseport_error *err);
size_t reuseport_tuple_list__count(const struct reuseport_tuple_list *list);
const struct reuseport_tuple *reuseport_tuple_list__get(const struct reuseport_tuple_list *list,
							size_t i);
void reuseport_tuple_list__free(struct reuseport_tuple_list *list);

/* Add one packet at the end. -EINVAL: its family is unknown. */
int reuseport_tuple_list__add(struct reuseport_tuple_list *list,
			      const struct reuseport_tuple *tuple, struct reuseport_error *err);

/*
 * Add n made-up packets to 192.0.2.1:443, from any source port of "clients" IPv4
 * addresses, 0: of a new address each. Equal seeds give equal packets. -EINVAL: n is 0.
 */
int reuseport_tuple_list__generate(struct reuseport_tuple_list *list, size_t n, size_t clients,
				   uint64_t seed, struct reuseport_error *err);

struct reuseport_simulated_worker {
	size_t sz;
	unsigned int slot;
	unsigned int weight; /* 0 to REUSEPORT_WEIGHT_MAX */
	uint32_t pid;        /* "cpu", "numa": it runs where this process may;
			      * 0: on CPU slot modulo CPUs */
	size_t : 0;
};

enum reuseport_change_kind {
	REUSEPORT_JOIN = 1,   /* into the lowest free slot; weight 0: 1 */
	REUSEPORT_LEAVE = 2,  /* of the worker in the slot */
	REUSEPORT_WEIGHT = 3, /* another weight for it */
};

struct reuseport_change {
	size_t sz;
	unsigned int kind; /* of enum reuseport_change_kind */
	unsigned int slot;
	unsigned int weight;
	size_t : 0;
};

struct reuseport_simulation_opts {
	size_t sz;
	const struct reuseport_policy_opts *policy; /* NULL: "hash". Without a hash key the seed
						     * makes one */
	const struct reuseport_simulated_worker *workers; /* 1 or more, in the order of the
							   * kernel's group */
	size_t n_workers;
	const struct reuseport_tuple_list *packets; /* 1 or more */
	const struct reuseport_change *changes;     /* each examined alone */
	size_t n_changes;
	unsigned int slots;         /* as in struct reuseport_attach_opts */
	unsigned int table_entries; /* likewise */
	unsigned int cpus, nodes;   /* CPUs, evenly on the nodes; nodes 0: one; both 0: as this
				     * host has them */
	uint64_t seed;              /* of all that is made up */
	size_t : 0;
};

/* What limits a simulation that cannot give each packet's worker. */
enum reuseport_simulation_note {
	REUSEPORT_NOTE_STAND_IN = 1 << 0, /* the kernel's hash is secret */
	REUSEPORT_NOTE_KEY = 1 << 1,      /* the hash key is made up */
	REUSEPORT_NOTE_CHANCE = 1 << 2,   /* "random" */
	REUSEPORT_NOTE_QUEUES = 1 << 3,   /* how workers serve is a model */
	REUSEPORT_NOTE_RECEIVE = 1 << 4,  /* which CPU receives is made up */
	REUSEPORT_NOTE_PLACES = 1 << 5,   /* where workers run is made up */
	REUSEPORT_NOTE_NO_KEYS = 1 << 6,  /* no key stays with a worker anyway */
	REUSEPORT_NOTE_ORDER = 1 << 7,    /* depends on the kernel's order */
	REUSEPORT_NOTE_EQUAL = 1 << 8,    /* weights differ, and do not count */
};

/* Return one note, which is a single bit, as a sentence without a full stop, "" if it is none. The
 * text is static. */
const char *reuseport_simulation_note_text(unsigned int note);

struct reuseport_simulated_share {
	unsigned int slot, weight;
	uint64_t packets;
	double due; /* the share by weight, of 1 */
};

struct reuseport_simulated_change {
	const struct reuseport_change *change;
	const struct reuseport_simulated_share *const *shares; /* pointers; after it, by slot */
	size_t n_shares;
	uint64_t nobody;
	uint64_t moved;    /* packets whose worker is another one; 0 without keeps_keys */
	uint64_t least;    /* that must move, between the shares before and after */
	uint64_t needless; /* from a worker that stays as it was to another such one */
};

struct reuseport_simulation {
	const struct reuseport_policy_info *policy;
	unsigned int notes; /* of enum reuseport_simulation_note */
	bool exact;         /* each packet really goes to the worker that is named */
	bool keeps_keys;    /* equal keys go to the same worker */
	unsigned int slots;
	uint64_t packets;
	uint64_t nobody;     /* packets that no worker may get */
	double min_over_due; /* of the workers that are due something, the share over what is */
	double max_over_due; /* due: least and most */
	double max_over_mean;
	const struct reuseport_simulated_share *const *shares; /* pointers, by slot */
	size_t n_shares;
	const struct reuseport_simulated_change *const *changes; /* pointers, as asked for */
	size_t n_changes;
};

/*
 * Simulate. -EINVAL: as reuseport_policy_check(); no worker, no packet, or a change that
 * is impossible. -ENOSPC: the table has no room for a row for each CPU. -ESRCH: a worker's
 * process is gone.
 */
int reuseport_simulate(const struct reuseport_simulation_opts *opts,
		       struct reuseport_simulation **simulation, struct reuseport_error *err);
void reuseport_simulation__free(struct reuseport_simulation *simulation);

#ifdef __cplusplus
}
#endif

#endif
