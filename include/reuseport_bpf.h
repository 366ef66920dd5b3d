/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: steer SO_REUSEPORT traffic with eBPF.
 *
 * An *attachment* is one reuseport group (the sockets that share a network
 * namespace, protocol, family, local address, port and device) with a program
 * of type BPF_PROG_TYPE_SK_REUSEPORT on it, a REUSEPORT_SOCKARRAY whose slots
 * hold the workers' sockets, counters, and the pins that keep them under
 * /sys/fs/bpf/reuseport. It outlives every process. A *keeper* is the process
 * that holds the attachment's lock and follows the workers as they join and
 * leave; there is at most one.
 *
 *     struct reuseport_group *group;
 *     struct reuseport_key *keys;
 *     size_t n;
 *
 *     reuseport_find(&(struct reuseport_filter){ .proto = IPPROTO_TCP, .port = 8080 },
 *                    &keys, &n, &err);
 *     reuseport_attach(&keys[0], NULL, &group, &err);
 *     reuseport_group__keep(group, &err);
 *     for (;;) {
 *             poll(&(struct pollfd){ reuseport_group__fd(group), POLLIN }, 1, -1);
 *             reuseport_group__process(group, &err);
 *     }
 *
 * Conventions:
 * - Calls return 0 or a count on success and -errno on failure; outputs are
 *   written on success only.
 * - Where a call takes a struct reuseport_error, which may be NULL, a failure
 *   fills it with one line: what failed, why, and what to do.
 * - The library keeps no global state and starts no threads. Different handles
 *   may be used from different threads, one handle from one at a time. A call
 *   that works in another network namespace moves the calling thread there and
 *   back; the rest of the process is not affected. While the library loads
 *   BPF code it silences libbpf's print callback, which is process-wide.
 * - Memory returned is freed with the call named beside it.
 * - Structures whose first member is "sz" are extensible: set it to sizeof.
 *   A nonzero byte beyond what the library knows is refused with -E2BIG.
 *
 * Needs Linux 5.6 with BTF, that is the features that reuseport_features() calls
 * needed; what else a kernel has is used where it is there. Capabilities: CAP_BPF,
 * CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_PTRACE, and CAP_SYS_ADMIN to enter another
 * network namespace, to mount bpffs and to tell other programs by name.
 */
#ifndef REUSEPORT_BPF_H
#define REUSEPORT_BPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REUSEPORT_NAME_MAX 16
#define REUSEPORT_PATH_MAX 192

struct reuseport_error {
	int code;       /* the positive errno that the call returned negated */
	char text[400]; /* one line, no newline */
};

/* What names one reuseport group. */
struct reuseport_key {
	int proto;        /* IPPROTO_TCP or IPPROTO_UDP */
	int family;       /* AF_INET or AF_INET6 */
	uint16_t port;    /* host byte order, 1 to 65535 */
	uint8_t addr[16]; /* network byte order; IPv4 in the first four bytes */
	uint32_t ifindex; /* SO_BINDTODEVICE, 0 for none */
	bool v6only;      /* IPV6_V6ONLY: IPv6 packets only */
	uint64_t netns;   /* inode of the network namespace */
};

/* Which groups a call is about: every member that is set must match. */
struct reuseport_filter {
	int proto;        /* IPPROTO_TCP, IPPROTO_UDP, or 0 for both */
	uint16_t port;    /* 0 for any */
	const char *addr; /* local address as text, e.g. "0.0.0.0"; NULL for any */
	uint64_t netns;   /* inode of the network namespace, 0 for any */
};

/* ------------------------------------------------------------------ names */

struct reuseport_policy {
	const char *name;
	const char *summary; /* one line */
};

/* The policies, in a static array of *n. */
const struct reuseport_policy *reuseport_policies(size_t *n);

/* A policy and its options, as words. Every member may be NULL. */
struct reuseport_policy_opts {
	size_t sz;
	const char *policy;   /* of reuseport_policies(); NULL: as it is, or "hash" */
	const char *over;     /* for "weighted": "hash" (default), "consistent" */
	const char *key;      /* what is hashed: "tuple" (default), "src", "dst",
			       * "src-prefix/LEN", "src-prefix/LEN4,LEN6" */
	const char *hash_key; /* of SipHash-1-3: 32 hexadecimal digits; the kernel's
			       * own hash then is not used. NULL: the attachment's
			       * last one, or random */
	const char *cpu_map;  /* for "cpu" and "numa": "CPUS:SLOT,..." as in
			       * "0-3:0,4-7:1"; NULL: by the workers' affinity */
	size_t : 0;
};

/*
 * Whether the words make sense, as far as that can be told without a group.
 * -EINVAL: a word is unknown (the text suggests the nearest policy) or does not
 * go with the policy.
 */
int reuseport_policy_check(const struct reuseport_policy_opts *opts, struct reuseport_error *err);

/* The library's version, "major.minor.patch". */
const char *reuseport_version(void);

/*
 * Inode of a network namespace: of the caller's own (name NULL), of one named
 * as "ip netns" does, or of a process given by its pid.
 * -ENOENT: no such namespace.
 */
int reuseport_netns(const char *name, uint64_t *inode, struct reuseport_error *err);

/*
 * Index of a network device in a network namespace.
 * -ENODEV: there is no such device. -ENETDOWN: the namespace is gone.
 */
int reuseport_device(uint64_t netns, const char *name, uint32_t *ifindex,
		     struct reuseport_error *err);

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

/* -------------------------------------------------------------- discovery */

/*
 * The groups that a filter selects, looked up with sock_diag: TCP sockets that
 * listen, UDP sockets that are bound and not connected. filter->proto,
 * ->port and ->netns are required. Free *keys with free().
 *
 * -ENOENT: no socket on that port. -EINVAL: the filter is incomplete or its
 * address is malformed. -EOPNOTSUPP: sockets, but none with SO_REUSEPORT set
 * when it was bound; the text says how the server at hand turns it on.
 * -EADDRINUSE: they share the port with SO_REUSEADDR alone. -EPERM: one of the
 * capabilities that attach needs is missing.
 */
int reuseport_find(const struct reuseport_filter *filter, struct reuseport_key **keys, size_t *n,
		   struct reuseport_error *err);

/* One reuseport group of the host, steered or not. */
struct reuseport_listed {
	struct reuseport_key key;
	char netns_name[64];  /* as "ip netns" knows it, or "" */
	uint32_t uid;         /* effective uid of the members */
	unsigned int sockets; /* members */
	bool program_known;   /* false: without iterators (5.9) the kernel does not tell;
			       * what is pinned is taken to be attached */
	bool has_program;
	bool own;            /* the program is this toolkit's */
	uint32_t program_id; /* 0 for classic BPF */
	char program_name[64];
};

/*
 * Every reuseport group in every network namespace that a process or a name
 * keeps. Free *groups with free().
 */
int reuseport_list(const struct reuseport_filter *filter, struct reuseport_listed **groups,
		   size_t *n, struct reuseport_error *err);

/* ----------------------------------------------------------------- attach */

/* level is syslog's: LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG. */
typedef void (*reuseport_log_fn)(void *ctx, int level, const char *line);

struct reuseport_attach_opts {
	size_t sz;
	const char *policy;   /* this and the four below: as in struct
			       * reuseport_policy_opts; with all NULL an adopted
			       * one stays as it is */
	unsigned int slots;   /* 1 to 32768; 0: 256, or twice the members */
	bool force;           /* replace a foreign program */
	reuseport_log_fn log; /* called from __process and from attach */
	void *log_ctx;
	const char *over;
	const char *key;
	const char *hash_key;
	const char *cpu_map;
	unsigned int table_entries; /* of the table, a power of two, 1024 to
				     * 1048576; 0: 4096 for each worker that
				     * there is, but 16384 to 524288 */
	const char *admit;          /* "auto" (default): who joins gets work at once;
				     * "manual": not before reuseport_admit(). NULL: an
				     * adopted one stays as it is */
	unsigned int flows;         /* UDP: flows (4-tuples) stay with their worker, so
				     * many of them at most, 1024 to 4194304. Each has 8
				     * places to be in, where the one not seen for longest
				     * makes room: of as many flows as there is room for one
				     * in seven has none; of half as many, 1 in 100; of a
				     * quarter, 1 in 10,000. 16 bytes a flow. 0: flows are
				     * not sticky */
	unsigned int idle_s;        /* seconds, up to 86400, after which a sticky flow is
				     * new again; 0: never */
	size_t : 0;
};

struct reuseport_group;

/*
 * Steers the group: takes its sockets from the processes that hold them, fills
 * the array, attaches, pins, and holds the attachment's lock until __free or
 * the end of the process (children made by fork share it). Where pins of the
 * same group exist and nobody keeps them, adopts them: same slots, same
 * counters. All or nothing: on failure the system is as it was.
 *
 * -EBUSY: a keeper runs already, or a socket sits in another program's array.
 * -EEXIST: the group has a foreign program and opts->force is not set.
 * -ENOENT: no member. -ENOSPC: more members than slots. -EPROTO: pins of
 * another ABI version, or damaged. -EINVAL: unknown policy. -EPERM: a
 * capability is missing, named in the text. -EOPNOTSUPP: the kernel lacks
 * something that steering needs; the text says what. What it has no need of but
 * would use is told through opts->log, and by reuseport_status().
 */
int reuseport_attach(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
		     struct reuseport_group **group, struct reuseport_error *err);

/*
 * Makes the calling process the recorded keeper, and moves it out of the
 * attachment's network namespace so as not to keep that alive.
 */
int reuseport_group__keep(struct reuseport_group *group, struct reuseport_error *err);

/* Readable when __process has something to do. Owned by the group. */
int reuseport_group__fd(const struct reuseport_group *group);

/*
 * Does what there is to do, without blocking: joins, leaves, resync. Returns
 * the number of workers that joined or left. -ESHUTDOWN: somebody detaches
 * the group. -ENETDOWN: the network namespace is gone and so are the pins. After
 * both nothing is left but to __free the group. Other failures are passing; they
 * are logged and tried again.
 */
int reuseport_group__process(struct reuseport_group *group, struct reuseport_error *err);

/* Whether attach found the group steered already; the number of workers in the
 * array; the directory of its pins, owned by the group. */
bool reuseport_group__adopted(const struct reuseport_group *group);
unsigned int reuseport_group__workers(const struct reuseport_group *group);
const char *reuseport_group__pin(const struct reuseport_group *group);

/*
 * Lets go of the lock; steering goes on. NULL is ignored. In a process whose
 * child keeps the group, this frees the parent's copy only.
 */
void reuseport_group__free(struct reuseport_group *group);

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

/* ---------------------------------------------------------------- changes */

/*
 * Changes the policy of the attachments that a filter selects, while they work:
 * each packet goes by the old one or by the new one. Workers, slots and counters
 * stay. When it returns, no packet goes by the old one any more. Returns how
 * many attachments there were. No keeper is needed.
 *
 * -ENOENT: nothing is attached there. -EINVAL: as reuseport_policy_check(), or
 * the map of CPUs names a slot out of range. -ENOSPC: the table has not room for
 * a row for each CPU. -EBUSY: another process is changing it for seconds.
 * Policy "least-queue" reads the kernel's sockets: CAP_PERFMON at attach.
 */
int reuseport_set_policy(const struct reuseport_filter *filter,
			 const struct reuseport_policy_opts *opts, struct reuseport_error *err);

struct reuseport_ruled {
	struct reuseport_key key;
	char netns_name[64]; /* as "ip netns" knows it, or "" */
	struct reuseport_rules rules;
};

/*
 * The policies of the attachments that a filter selects; cheaper than a status.
 * Free *list with free(). -ENOENT: nothing is attached there.
 */
int reuseport_get_policy(const struct reuseport_filter *filter, struct reuseport_ruled **list,
			 size_t *n, struct reuseport_error *err);

/*
 * Sets the weight, 0 to 1000, of a worker: "slot:3", "pid:1234" (all that this
 * process serves), "cookie:4097", or a number alone if only one of these fits.
 * 0: no new work by any policy; the others count for "consistent", "weighted",
 * "cpu", "numa", "random" and "round-robin". A worker joins with 1. Returns the
 * number of workers.
 *
 * -ENOENT: nothing is attached there, or there is no such worker. -EINVAL: out
 * of range, malformed, or the number could mean two workers.
 */
int reuseport_set_weight(const struct reuseport_filter *filter, const char *worker,
			 unsigned int weight, struct reuseport_error *err);

/* -------------------------------------------------------- restart without loss */

/*
 * Nothing new goes to the worker from now on: no connection by any policy, not
 * even by the kernel's own pick while another worker may get work. What is queued
 * or half open is still its own, and so are its sticky flows, unless "release"
 * gives them to the others at once. When it returns, no packet is on its way
 * by the state before. Workers are named as for reuseport_set_weight(). Returns
 * the number of workers.
 *
 * -ENOENT: nothing is attached there, or there is no such worker. -EINVAL:
 * malformed, or the number could mean two workers.
 */
int reuseport_drain(const struct reuseport_filter *filter, const char *worker, bool release,
		    struct reuseport_error *err);

/*
 * Takes a worker back that was drained, or that a rollout has left behind: it is
 * then of the generation that serves. Returns how many there were, which may be 0.
 * Errors as for reuseport_drain().
 */
int reuseport_undrain(const struct reuseport_filter *filter, const char *worker,
		      struct reuseport_error *err);

/*
 * Admits a worker that joined under admit "manual"; NULL: all that wait. Returns
 * how many there were, which may be 0. Errors as for reuseport_drain().
 */
int reuseport_admit(const struct reuseport_filter *filter, const char *worker,
		    struct reuseport_error *err);

/* What is left at a worker that gets nothing new. */
struct reuseport_left {
	unsigned int slot;
	uint32_t pid;
	uint64_t cookie;
	uint32_t queue;     /* as in struct reuseport_worker */
	uint32_t half_open; /* TCP: handshakes that have begun */
	uint64_t flows;     /* sticky flows that it has */
};

/*
 * What is left at the drained workers, and those of generations that do not
 * serve: of one, or of all (NULL). A worker that has gone is not among them. A
 * worker whose queue and half_open are 0 can be ended without loss. Free *left
 * with free().
 *
 * -ENOENT: nothing is attached there. -EINVAL: malformed, or the number could mean
 * two workers. That there is no such worker (any more) is no error.
 */
int reuseport_left(const struct reuseport_filter *filter, const char *worker,
		   struct reuseport_left **left, size_t *n, struct reuseport_error *err);

enum reuseport_rollout {
	REUSEPORT_ROLLOUT_BEGIN = 1,  /* who joins from now on is of the next generation,
				       * and waits */
	REUSEPORT_ROLLOUT_SWITCH = 2, /* all new work goes to the next generation */
	REUSEPORT_ROLLOUT_FINISH = 3, /* there is no way back: the old ones may be ended */
	REUSEPORT_ROLLOUT_ABORT = 4,  /* all new work goes to the old generation (again) */
};

/*
 * One step of a rollout, in every attachment that the filter selects or, by what
 * can be known beforehand, in none. Each step is atomic: a packet goes by the
 * state before or by the one after, and when the call returns none goes by the
 * one before. Sticky flows stay with their workers. Returns how many attachments
 * there were. Udpgrm's socket generations are the model.
 *
 * -ENOENT: nothing is attached there. -EALREADY: the step was taken before.
 * -EINVAL: another one comes first. -ECHILD: the generation that is to serve has
 * no worker.
 */
int reuseport_rollout(const struct reuseport_filter *filter, enum reuseport_rollout step,
		      struct reuseport_error *err);

/* ---------------------------------------------------------------- explain */

/* A packet: a SYN, or a datagram. Addresses in network byte order, IPv4 in the
 * first four bytes; ports in host byte order. */
struct reuseport_packet {
	int proto;  /* IPPROTO_TCP or IPPROTO_UDP */
	int family; /* AF_INET or AF_INET6 */
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
	uint32_t ifindex; /* device that it arrives on; 0: found out by the routes */
	int cpu;          /* CPU that handles it; -1: any */
	uint64_t netns;   /* inode of the network namespace */
};

/* What could get the packet by the kernel's lookup: a reuseport group, a plain
 * socket, or a connected UDP socket. */
struct reuseport_candidate {
	struct reuseport_key key;
	size_t sockets;
	bool group;
	bool connected; /* to this peer: */
	uint8_t peer[16];
	uint16_t peer_port;
	bool steered;      /* pins of an attachment exist for it */
	const char *table; /* "tuple", "exact address", "wildcard", "none"; they are
			    * tried in this order */
	int score;         /* within its table; -1: it does not match */
	int score_base, score_family, score_peer_addr, score_peer_port, score_device;
	const char *verdict; /* "wins", or why it does not */
};

/* A worker that may get the packet. */
struct reuseport_chance {
	int slot; /* -1: a member that has none */
	uint64_t cookie;
	uint32_t pid; /* 0: not known */
	char comm[REUSEPORT_NAME_MAX];
	unsigned int state, weight;
	uint32_t queue; /* as in struct reuseport_worker */
	double share;   /* chance that it gets this packet; 1: it does */
};

/* A step of the fallback chain. */
struct reuseport_try {
	unsigned int entry; /* of the table */
	int slot;           /* -1: of nobody */
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
	struct reuseport_candidate *candidates; /* the winner first, then by score */
	size_t n_candidates;
	bool winner;      /* the first of them is one */
	bool order_known; /* false: the kernel's order of equals is a guess */
	bool local;       /* the destination is an address of the namespace */
	uint32_t ifindex; /* the arrival device, 0 where it does not matter */
	enum reuseport_decider decider;
	uint32_t program_id; /* of a foreign program, 0 for classic BPF */

	/* With REUSEPORT_POLICY: */
	struct reuseport_rules rules;
	bool hash_known; /* it is the toolkit's own hash */
	uint32_t hash;
	int row;                       /* of the table, by CPU or node; -1: there is one row */
	bool all_weightless;           /* nobody may get work: the kernel picks */
	bool known_flow;               /* a sticky flow: the policy is not asked */
	bool guarded;                  /* members must get nothing: before the kernel picks, every
					* worker that may get work is asked */
	struct reuseport_try tries[4]; /* if the entry is known: the whole chain */
	size_t n_tries;
	int taken_by; /* of the tries; those after it would follow if its
		       * worker were gone. -1: the kernel picks */

	/* Who may get it, the likeliest first; one only if it is certain. */
	struct reuseport_chance *chances;
	size_t n_chances;
	const char *why; /* what makes it certain, or what is not known */
};

/* What explanations share: making it is what takes time. Needs the capabilities
 * of attach. Free with reuseport_explainer__free. -EPERM: one is missing. */
struct reuseport_explainer;
int reuseport_explainer__new(struct reuseport_explainer **explainer, struct reuseport_error *err);
void reuseport_explainer__free(struct reuseport_explainer *explainer);

/*
 * Which worker a packet would reach at this moment, and why: the lookup among
 * the groups and sockets on its port, then the policy. Nothing is sent. The
 * tuple of an established connection or of a connected UDP socket in another
 * namespace is not looked for; SO_INCOMING_CPU is left out. Free with
 * reuseport_explanation__free.
 *
 * -EINVAL: the packet is malformed. -EOPNOTSUPP: it is multicast or broadcast.
 * -EHOSTUNREACH: a socket is bound to a device, and the routes do not tell on
 * which one the packet arrives. -ENETDOWN: the namespace is gone.
 */
int reuseport_explain(struct reuseport_explainer *explainer, const struct reuseport_packet *packet,
		      struct reuseport_explanation **explanation, struct reuseport_error *err);
void reuseport_explanation__free(struct reuseport_explanation *explanation);

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
	struct reuseport_rules rules;
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

/* ----------------------------------------------------------------- detach */

/*
 * Gives selection back to the kernel, ends the keeper, empties the array and
 * removes the pins of each attachment that the filter selects; filter->port
 * and ->netns are required. Works without a keeper, without workers and with
 * damaged pins. A foreign program is left alone. Returns how many were
 * detached; needs Linux 5.3 (SO_DETACH_REUSEPORT_BPF).
 * -ENOENT: nothing is attached there.
 */
int reuseport_detach(const struct reuseport_filter *filter, struct reuseport_error *err);

#ifdef __cplusplus
}
#endif

#endif
