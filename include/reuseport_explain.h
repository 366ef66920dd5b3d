/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: explain which worker a packet would reach, and why. The conventions
 * are those of reuseport_bpf.h.
 */
#ifndef REUSEPORT_EXPLAIN_H
#define REUSEPORT_EXPLAIN_H

#include "reuseport_bpf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A SYN or a datagram. Addresses in network byte order, IPv4 in the first four bytes;
 * ports in host byte order. */
struct reuseport_packet {
	size_t sz;
	int proto;  /* IPPROTO_TCP or IPPROTO_UDP */
	int family; /* AF_INET or AF_INET6 */
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
	uint32_t ifindex; /* device that it arrives on; 0: found by the routes */
	int cpu;          /* CPU that handles it; -1: not known */
	uint64_t netns;   /* inode of the network namespace */
	uint32_t uid;     /* only sockets of this user count, if has_uid */
	bool has_uid;
	size_t : 0;
};

/* What could get the packet by the kernel's lookup: a reuseport group, a plain socket, or
 * a connected UDP socket. */
struct reuseport_candidate {
	const struct reuseport_key *key;
	size_t sockets;
	bool group;
	bool connected; /* to this peer: */
	uint8_t peer[16];
	uint16_t peer_port;
	bool steered;      /* pins of an attachment exist for it */
	const char *table; /* "tuple", "exact address", "wildcard", "none"; they are tried in
			    * this order */
	int score;         /* within its table; -1: it does not match */
	int score_base, score_family, score_peer_addr, score_peer_port, score_device;
	const char *verdict; /* "wins", or why it does not */
	int score_cpu;       /* for SO_INCOMING_CPU */
};

/* A worker that may get the packet. */
struct reuseport_outcome {
	int slot; /* -1: a member that has none */
	uint64_t cookie;
	uint32_t pid; /* 0: not known */
	char comm[REUSEPORT_NAME_MAX];
	unsigned int state, weight;
	uint32_t queue;     /* as in struct reuseport_worker */
	double probability; /* that it gets this packet; 1: it does. Meaningless with the
			     * decider REUSEPORT_FOREIGN */
	int incoming_cpu;   /* SO_INCOMING_CPU, -1: none, or it cannot be seen */
};

/* A step of the fallback chain. */
struct reuseport_fallback_step {
	unsigned int entry; /* of the table */
	int slot;           /* -1: the entry has no worker */
	uint64_t cookie;    /* of its worker */
	bool empty;         /* the slot has no socket now: the next one is asked */
};

enum reuseport_decider {
	REUSEPORT_NOBODY,  /* no socket matches: RST, or ICMP port unreachable */
	REUSEPORT_SOCKET,  /* a single socket: nothing is chosen */
	REUSEPORT_KERNEL,  /* the kernel's hash among the members of the group */
	REUSEPORT_FOREIGN, /* another program */
	REUSEPORT_POLICY,  /* this toolkit's program, by the policy */
};

struct reuseport_explanation {
	const struct reuseport_candidate *const *candidates; /* pointers; the winner first, then
							      * by score */
	size_t n_candidates;
	bool winner;      /* the first candidate is one */
	bool order_known; /* false: the kernel's order of equals is a guess */
	bool local;       /* the destination is an address of the namespace */
	uint32_t ifindex; /* the arrival device, 0 where it does not matter */
	enum reuseport_decider decider;
	uint32_t program_id; /* of a foreign program, 0 for classic BPF */

	/* With REUSEPORT_POLICY: */
	const struct reuseport_policy_info *policy;
	bool hash_known; /* it is the toolkit's own hash */
	uint32_t hash;
	int row;             /* of the table, by CPU or node; -1: there is one row */
	bool all_weightless; /* no worker may get work: the kernel picks */
	bool known_flow;     /* a sticky flow: the policy is not asked */
	bool guarded;        /* some members must get nothing: before the kernel picks, every
			      * worker that may get work is asked */
	const struct reuseport_fallback_step *const *steps; /* pointers; if the entry is known,
							     * the whole chain */
	size_t n_steps;
	int taken_by; /* the step that takes it; those after it would follow if its worker were
		       * gone. -1: the kernel picks */

	/* Workers that may get it, the likeliest first; one only if it is certain. */
	const struct reuseport_outcome *const *outcomes;
	size_t n_outcomes;
	const char *why; /* what makes it certain, or what is not known */
	/* What may give the packet to another socket, on any address and port, before all that is
	 * said above: a BPF sk_lookup program or a TPROXY rule. NULL: nothing. Without a winner,
	 * who gets the packet is not known then. */
	const char *redirect;
	bool by_incoming_cpu; /* the kernel picks, among members that have set SO_INCOMING_CPU: it
			       * prefers those of the packet's CPU (Linux 6.2) */
	bool lookup_by_cpu;   /* without packet->cpu: on some CPU another candidate wins, for its
			       * SO_INCOMING_CPU, so that the winner is not known, and there are
			       * no outcomes */
};

/* What explanations share; making it is what takes time. */
struct reuseport_explainer;
int reuseport_explainer__new(struct reuseport_explainer **explainer, struct reuseport_error *err);
void reuseport_explainer__free(struct reuseport_explainer *explainer);

/*
 * Explain which worker a packet would reach at this moment: the lookup among the groups
 * and sockets on its port, then the policy. Nothing is sent. The tuple of an established
 * connection and that of a connected UDP socket in another namespace are not looked for.
 *
 * -EINVAL: the packet is malformed, or its destination is a wildcard or has port 0. -EOPNOTSUPP: it
 * is multicast or broadcast. -EHOSTUNREACH: a socket is bound to a device, and the routes do not
 * say on which one the packet arrives. -ENETDOWN: the namespace is gone.
 */
int reuseport_explain(struct reuseport_explainer *explainer, const struct reuseport_packet *packet,
		      struct reuseport_explanation **explanation, struct reuseport_error *err);
void reuseport_explanation__free(struct reuseport_explanation *explanation);

#ifdef __cplusplus
}
#endif

#endif
