/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: what is on the ports of this host: groups, what becomes of their packets,
 * whose they are, and what this process may not see. The conventions are those of
 * reuseport_bpf.h.
 */
#ifndef REUSEPORT_LIST_H
#define REUSEPORT_LIST_H

#include "reuseport_bpf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What becomes of a group's packets. Where several are true, it is the first of lost, foreign,
 * unserved, shadowed, steered, plain. */
enum reuseport_group_state {
	REUSEPORT_GROUP_UNKNOWN = 0,  /* "unknown": this process may not see it, or the kernel has
				       * no iterators */
	REUSEPORT_GROUP_PLAIN = 1,    /* "plain": no program; the kernel picks */
	REUSEPORT_GROUP_STEERED = 2,  /* "steered": by this toolkit, pinned here */
	REUSEPORT_GROUP_SHADOWED = 3, /* "shadowed": other sockets get packets before it */
	REUSEPORT_GROUP_UNSERVED = 4, /* "unserved": attached here, but no worker may get new work,
				       * or there is no socket */
	REUSEPORT_GROUP_FOREIGN = 5,  /* "foreign": the program of another tool or bpffs */
	REUSEPORT_GROUP_LOST = 6,     /* "lost": attached here, but it has no program any more */
	REUSEPORT_GROUP_REUSEADDR = 7 /* "reuseaddr": no group, but UDP sockets that share the port
				       * by SO_REUSEADDR alone: one of them gets all */
};

/* Return a state as text: "steered". */
const char *reuseport_group_state_name(unsigned int state);

/* A process that has sockets of a group open. */
struct reuseport_process {
	uint32_t pid;
	char comm[REUSEPORT_NAME_MAX];
	unsigned int serves; /* sockets of the group that it serves, see struct reuseport_worker */
	unsigned int has;    /* sockets of the group that it has open */
};

/* A group, or sockets that share a port without being one. */
struct reuseport_listed {
	const struct reuseport_group_info *group; /* also of what is no group */
	enum reuseport_group_state state;
	bool is_group;        /* they are known to be the members of one group */
	uint64_t queue;       /* in all sockets together. TCP: connections to accept; UDP: bytes to
			       * receive */
	uint64_t queue_limit; /* what all have room for together */
	unsigned int connected_sockets; /* UDP: connected sockets on the address and port, which
					 * are no members: each gets the datagrams of its peer */
	/* Pointers: the keys of sockets that get some or all of this group's packets before it,
	 * in a group or not. */
	const struct reuseport_key *const *shadowed_by;
	size_t n_shadowed_by; /* at most REUSEPORT_SHADOWS_MAX */
	bool looked;          /* opts.who: the rest is known */
	/* Pointers: the processes; first those that serve the most sockets. */
	const struct reuseport_process *const *processes;
	size_t n_processes;
	unsigned int unowned;                   /* sockets of which no process was seen */
	enum reuseport_left_out unowned_reason; /* why, of one of them, if it is known */
};

#define REUSEPORT_SHADOWS_MAX 16

/* What could not be seen. */
struct reuseport_unseen {
	const char *what;    /* "programs", "pins", "namespace", "namespaces" or "processes" */
	uint64_t netns;      /* of "namespace" and, if it is only that one, of "programs" */
	char netns_name[64]; /* as "ip netns" has it, or "" */
	char text[400];      /* why, in one line without control characters */
};

/* Connected UDP sockets, which are in no group. */
struct reuseport_connected {
	uint64_t netns;
	char netns_name[64];
	unsigned int sockets;
};

struct reuseport_listing;
size_t reuseport_listing__count(const struct reuseport_listing *listing);
const struct reuseport_listed *reuseport_listing__get(const struct reuseport_listing *listing,
						      size_t i);
size_t reuseport_listing__count_unseen(const struct reuseport_listing *listing);
const struct reuseport_unseen *
reuseport_listing__get_unseen(const struct reuseport_listing *listing, size_t i);
size_t reuseport_listing__count_connected(const struct reuseport_listing *listing);
const struct reuseport_connected *
reuseport_listing__get_connected(const struct reuseport_listing *listing, size_t i);
void reuseport_listing__free(struct reuseport_listing *listing);

struct reuseport_list_opts {
	size_t sz;
	bool who; /* search the descriptors of all processes for the sockets */
	size_t : 0;
};

/*
 * List what a filter selects, in every network namespace that a process or a name keeps alive.
 * An empty listing is success. Needs no capability: what this process may not see is among the
 * unseen, and what depends on it is unknown. opts may be NULL.
 */
int reuseport_list_more(const struct reuseport_filter *filter,
			const struct reuseport_list_opts *opts, struct reuseport_listing **listing,
			struct reuseport_error *err);

#ifdef __cplusplus
}
#endif

#endif
