/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: what is steered at this moment, and what the kernel can do. Included
 * by reuseport_bpf.h, whose conventions hold here.
 */
#ifndef REUSEPORT_STATUS_H
#define REUSEPORT_STATUS_H

#include "reuseport_bpf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ----------------------------------------------------------------- status */

/* The members of enum worker_state (abi.h), as text. */
const char *reuseport_state_name(unsigned int state);

struct reuseport_worker {
	unsigned int slot;
	uint32_t pid;   /* the process that serves it: whose epoll set holds
			 * it, else the youngest holder; 0 if none is seen */
	uint32_t *pids; /* every process that has it open, ascending */
	size_t n_pids;
	char comm[REUSEPORT_NAME_MAX];
	uint64_t cookie;    /* SO_COOKIE, the worker's identity */
	unsigned int state; /* its own and its generation's together */
	unsigned int weight;
	unsigned int generation;
	uint32_t queue;    /* TCP: connections to accept; UDP: bytes to receive */
	uint64_t selected; /* packets given to it */
	uint64_t migrated; /* requests of closing workers given to it */
	uint64_t fallback; /* chosen, but its slot was empty or refused: the
			    * next best by the policy was asked */
	uint64_t flows;    /* sticky flows that it has */
};

/*
 * The steps of the fallback chain: a choice may be empty or refused; the next
 * best is asked; in the end the kernel picks. At rest:
 * packets + migrations == selected + migrated + exhausted + nobody
 *                       + unregistered + connected + incoming_cpu + unreadable
 */
struct reuseport_counters {
	uint64_t packets;
	uint64_t migrations;
	uint64_t selected;
	uint64_t migrated;
	uint64_t empty;         /* choices whose slot was empty */
	uint64_t refused;       /* choices whose socket was of another group */
	uint64_t next_best;     /* packets for which the next best was asked */
	uint64_t exhausted;     /* no choice could take it: the kernel's pick, as
				 * with all that follow */
	uint64_t nobody;        /* no worker may get work */
	uint64_t unregistered;  /* the member picked is in no slot (yet) */
	uint64_t connected;     /* the member picked is a connected UDP socket */
	uint64_t incoming_cpu;  /* a member set SO_INCOMING_CPU */
	uint64_t unreadable;    /* the kernel's group could not be read */
	uint64_t flows;         /* sticky flows entered so far */
	uint64_t flows_moved;   /* given to another worker: theirs had gone, or they
				 * had been idle */
	uint64_t flows_evicted; /* that made room for others */
};

/* Runs that left the pick to the kernel. */
uint64_t reuseport_counters__fallback(const struct reuseport_counters *counters);

/* The policy in use, and what goes with it. */
struct reuseport_rules {
	char policy[REUSEPORT_NAME_MAX];
	char key[32];               /* what is hashed: "tuple", "src-prefix/24" */
	char hash_key[33];          /* of SipHash; "": the kernel's own hash is used */
	bool over_consistent;       /* policy "weighted" */
	bool given_cpus;            /* policies "cpu", "numa": by a given map */
	unsigned int table_entries; /* room there is */
	unsigned int table_width;   /* entries of a row; 0: no table is needed, the
				     * policy picks a member of the kernel's group */
	uint32_t plans;             /* changes of policy, weights or table so far */
};

enum reuseport_rollout_phase {
	REUSEPORT_ROLLOUT_NONE = 0,
	REUSEPORT_ROLLOUT_BEGUN = 1,    /* newcomers are of generation "other", and wait */
	REUSEPORT_ROLLOUT_SWITCHED = 2, /* they serve; "other" is the one before */
};

struct reuseport_generations {
	enum reuseport_rollout_phase phase;
	unsigned int serving; /* the generation that gets new work */
	unsigned int other;   /* of a rollout, the one that does not serve */
};

/* Which way was found to do what older kernels cannot, or not as well. */
struct reuseport_ways {
	bool migrates;    /* connections waiting at a closing listener move on; else
			   * they are reset, as the kernel does by default */
	bool plain_reads; /* the program reads the kernel's sockets by plain loads; else
			   * by probe reads */
	bool mmapped;     /* tables are written through memory; else by system calls */
	bool events;      /* the keeper hears of joins and leaves; else it polls */
	bool iterators;   /* other tools' programs are seen */
};

struct reuseport_status {
	struct reuseport_key key;
	struct reuseport_ways ways;
	char netns_name[64]; /* as "ip netns" knows it, or "" */
	struct reuseport_rules rules;
	char pin[REUSEPORT_PATH_MAX];
	uint32_t keeper_pid; /* the last keeper's */
	bool keeper_running;
	uint32_t program_id; /* of the pinned program */
	char program_name[64];
	char program_tag[17];
	bool attached; /* the group has that program; true where the
			* kernel cannot tell */
	bool damaged;  /* the pins are incomplete or of another ABI;
			* only key and pin are valid */
	unsigned int slots;
	bool admit_manual; /* who joins waits to be admitted */
	struct reuseport_generations generations;
	unsigned int flows;        /* room for sticky flows; 0: they are not sticky */
	unsigned int idle_s;       /* after which one is new again; 0: never */
	uint64_t flows_occupied;   /* entries in use, also of workers that have gone */
	unsigned int unregistered; /* members of the group that have no slot */
	struct reuseport_counters counters;
	struct reuseport_worker *workers; /* by slot */
	size_t n_workers;
};

/*
 * The attachments that a filter selects (NULL: all), with what holds at this
 * moment: a worker that has left is not shown even if no keeper runs. An empty
 * list is success. Free with reuseport_status__free.
 */
int reuseport_status(const struct reuseport_filter *filter, struct reuseport_status **list,
		     size_t *n, struct reuseport_error *err);
void reuseport_status__free(struct reuseport_status *list, size_t n);

/* ---------------------------------------------------------------- features */

enum reuseport_feature_state {
	REUSEPORT_FEATURE_AVAILABLE = 1,
	REUSEPORT_FEATURE_MISSING = 2,       /* the kernel has not heard of it */
	REUSEPORT_FEATURE_NOT_PERMITTED = 3, /* this process may not use it */
	REUSEPORT_FEATURE_FAILED = 4,        /* it failed for another reason */
	REUSEPORT_FEATURE_DISABLED = 5,      /* REUSEPORT_DISABLE has it: not tried */
};

/* As text: "available", "not permitted". */
const char *reuseport_feature_state_name(enum reuseport_feature_state state);

/* Something that this toolkit uses of the kernel. */
struct reuseport_feature {
	const char *name;    /* "plain-reads" */
	const char *since;   /* "6.2": the Linux that first had it. Says nothing of the
			      * kernel at hand: distributions carry features back */
	const char *what;    /* what it is to the kernel */
	const char *without; /* what is lost, or done in another way, where it is not */
	bool needed;         /* nothing can be steered without it */
	enum reuseport_feature_state state;
	int code;      /* the errno of the trial, 0 for none */
	char caps[64]; /* the capabilities that were missing, or "" */
};

/*
 * Tries each of them: loads tiny programs, makes maps, makes the call; all of it
 * is gone when this returns. The strings are static. Free *list with free(). No
 * privilege is needed to ask. -EINVAL: as reuseport_disable_check().
 */
int reuseport_features(struct reuseport_feature **list, size_t *n, struct reuseport_error *err);

/*
 * The environment variable REUSEPORT_DISABLE has features, by name and separated
 * by commas, that are to be left unused, to test what replaces them; "events" is
 * both tcp-events and udp-events. Every call of this library heeds it. -EINVAL: a
 * word there is none of them.
 */
int reuseport_disable_check(struct reuseport_error *err);

#ifdef __cplusplus
}
#endif

#endif
