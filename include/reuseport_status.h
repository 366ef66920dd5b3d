/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: what is steered at this moment, and what the kernel can do. Included
 * by reuseport_bpf.h, whose conventions hold here.
 */
#ifndef REUSEPORT_STATUS_H
#define REUSEPORT_STATUS_H

#include "reuseport_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The state of a worker, and of a slot. */
enum reuseport_worker_state {
	REUSEPORT_WORKER_FREE = 0,     /* the slot has no worker */
	REUSEPORT_WORKER_JOINING = 1,  /* waits to be admitted, gets nothing yet */
	REUSEPORT_WORKER_ACTIVE = 2,   /* gets its share */
	REUSEPORT_WORKER_DRAINING = 3, /* gets nothing new, keeps its sticky flows */
	REUSEPORT_WORKER_LEAVING = 4,  /* gets nothing; its sticky flows go to others */
};

/* Return a state as text: "active". */
const char *reuseport_state_name(unsigned int state);

/* Return a reason as text, "mptcp", "io_uring", "pid-namespace", "no-permission",
 * "sockmap", or NULL if there is none. */
const char *reuseport_left_out_name(unsigned int reason);

struct reuseport_worker {
	unsigned int slot;
	uint32_t pid;         /* the process that serves the socket: its epoll set holds it,
			       * else the youngest that has it open; 0: none is visible */
	const uint32_t *pids; /* every process that has it open, ascending */
	size_t n_pids;
	char comm[REUSEPORT_NAME_MAX]; /* name of the process pid, "" if there is none */
	uint64_t cookie;               /* SO_COOKIE, the worker's identity */
	unsigned int state; /* effective state: the worker's own combined with that of its
			     * generation; of enum reuseport_worker_state */
	unsigned int weight;
	unsigned int generation;
	uint32_t queue;                   /* TCP: connections to accept; UDP: bytes to receive */
	uint64_t selected;                /* packets given to it */
	uint64_t migrated;                /* requests of closing workers given to it */
	uint64_t fallback;                /* times that its slot was chosen, but empty or refused */
	uint64_t flows;                   /* sticky flows that it has */
	enum reuseport_left_out left_out; /* of status->left_out: why it has no slot */
	int fd;             /* the socket, in the process pid or in a thread of it that has
			     * descriptors of its own; -1: none is visible */
	uint64_t joined_ns; /* when it got its slot, CLOCK_BOOTTIME */
	uint64_t state_ns;  /* since when it has its state, likewise; 0: not known */
	uint32_t id;        /* that it has given itself by REUSEPORT_ID, if has_id */
	bool has_id;
};

/*
 * The steps of the fallback chain. A chosen slot may be empty or refused; then the next
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
	uint64_t exhausted;     /* the kernel picked, as with all that follow: no choice
				 * could take the packet */
	uint64_t nobody;        /* no worker may get work */
	uint64_t unregistered;  /* the member picked has no slot (yet) */
	uint64_t connected;     /* the member picked is a connected UDP socket */
	uint64_t incoming_cpu;  /* a member has set SO_INCOMING_CPU */
	uint64_t unreadable;    /* the kernel's group could not be read */
	uint64_t flows;         /* sticky flows entered so far */
	uint64_t flows_moved;   /* given to another worker: theirs had gone, or they had been
				 * idle */
	uint64_t flows_evicted; /* that made room for others */
};

/* Return the number of packets that were left to the kernel's pick. */
uint64_t reuseport_counters__fallback(const struct reuseport_counters *counters);

enum reuseport_rollout_phase {
	REUSEPORT_ROLLOUT_NONE = 0,
	REUSEPORT_ROLLOUT_BEGUN = 1,    /* new workers are of generation "other", and wait */
	REUSEPORT_ROLLOUT_SWITCHED = 2, /* they serve; "other" is the one before */
};

struct reuseport_generations {
	enum reuseport_rollout_phase phase;
	unsigned int serving; /* the generation that gets new work */
	unsigned int other;   /* the one of the rollout that does not */
};

/* What an attachment can do of what not every kernel can. */
struct reuseport_modes {
	bool migrates;    /* connections that wait at a closing listener move on; else they
			   * are reset, as without this toolkit */
	bool plain_reads; /* the program reads sockets by plain loads; else by probe reads */
	bool mmapped;     /* tables are written through memory; else by system calls */
	bool events;      /* the keeper is told of joins and leaves; else it polls */
	bool iterators;   /* other tools' programs are seen */
};

/* A group on the port of an attachment, of the same protocol and network namespace, that has no
 * program: the kernel picks. It may have come after the attach, which is to be done again then. */
#define REUSEPORT_UNSTEERED_MAX 16
struct reuseport_unsteered {
	const struct reuseport_key *key;
	unsigned int sockets; /* members */
};

struct reuseport_status {
	const struct reuseport_key *key;
	char netns_name[64];          /* as "ip netns" has it, or "" */
	char pin[REUSEPORT_PATH_MAX]; /* directory of the pins */
	bool damaged;                 /* the pins are incomplete or of another ABI. Of what
				       * follows only keeper_running is set; the structures
				       * pointed to are zero, and there are no workers */
	bool keeper_running;
	uint32_t keeper_pid; /* the last keeper's */
	uint32_t program_id; /* of the pinned program */
	char program_name[64];
	char program_tag[17];
	bool attached;     /* the group has that program; true where the kernel does not
			    * tell, false if no member is left */
	bool foreign;      /* it has another program, of another tool or bpffs */
	bool admit_manual; /* a worker that joins waits to be admitted */
	const struct reuseport_policy_info *policy;
	const struct reuseport_modes *modes;
	const struct reuseport_generations *generations;
	const struct reuseport_counters *counters;
	unsigned int slots;
	unsigned int flows;        /* room for sticky flows; 0: flows are not sticky */
	unsigned int idle_s;       /* after which one is new again; 0: never */
	uint64_t flows_occupied;   /* places in use, also of workers that have gone */
	unsigned int unregistered; /* members of the group that have no slot */
	const struct reuseport_worker *const *workers; /* pointers, by slot */
	size_t n_workers;
	const struct reuseport_unsteered *const *unsteered; /* pointers; none are known where
							     * modes->iterators is false */
	size_t n_unsteered;                                 /* at most REUSEPORT_UNSTEERED_MAX */
	/* Pointers: members that cannot be taken, without slot, state and counters. */
	const struct reuseport_worker *const *left_out;
	size_t n_left_out;
	unsigned int connected_sockets; /* UDP: connected sockets on the address and port, which
					 * are no members: each gets the datagrams of its peer */
	bool partial;     /* attached although members could not be taken, see opts.partial */
	bool transparent; /* UDP: members have IP_TRANSPARENT. What a TPROXY rule redirects to them
			   * is seen by no program: the kernel picks among all members */
	uint64_t attached_ns; /* when the first attach was, CLOCK_BOOTTIME: all counters began */
	uint64_t taken_ns;    /* when the counters were read, CLOCK_BOOTTIME */
	/* What workers that have gone were given: together with what the workers have,
	 * counters->selected and counters->migrated. */
	uint64_t gone_selected;
	uint64_t gone_migrated;
	/* Since when, CLOCK_BOOTTIME; 0: not known, or it is not so. */
	uint64_t rollout_ns;  /* the phase of the rollout */
	uint64_t looked_ns;   /* the keeper's last look at which program the group has */
	uint64_t left_out_ns; /* the keeper knows of members that it cannot give a slot */
	bool no_sockopt;      /* workers may not control themselves by socket options */
};

struct reuseport_status_list;
size_t reuseport_status_list__count(const struct reuseport_status_list *list);
const struct reuseport_status *reuseport_status_list__get(const struct reuseport_status_list *list,
							  size_t i);
void reuseport_status_list__free(struct reuseport_status_list *list);

/*
 * Read the attachments that a filter selects as they are at this moment: a worker that has
 * left is not shown even if no keeper runs. An empty list is success.
 */
int reuseport_get_status(const struct reuseport_filter *filter, struct reuseport_status_list **list,
			 struct reuseport_error *err);

/* The same of the attachment that this process keeps: a list of one. */
int reuseport_group__status(const struct reuseport_group *group,
			    struct reuseport_status_list **list, struct reuseport_error *err);

/* The policy of one attachment. */
struct reuseport_group_policy {
	const struct reuseport_key *key;
	char netns_name[64];
	const struct reuseport_policy_info *policy;
};

struct reuseport_policy_list;
size_t reuseport_policy_list__count(const struct reuseport_policy_list *list);
const struct reuseport_group_policy *
reuseport_policy_list__get(const struct reuseport_policy_list *list, size_t i);
void reuseport_policy_list__free(struct reuseport_policy_list *list);

/* Read the policies of the attachments that a filter selects; cheaper than a status.
 * -ENOENT: nothing is attached there. */
int reuseport_get_policy(const struct reuseport_filter *filter, struct reuseport_policy_list **list,
			 struct reuseport_error *err);

/* ---------------------------------------------------------------- features */

enum reuseport_feature_state {
	REUSEPORT_FEATURE_AVAILABLE = 1,
	REUSEPORT_FEATURE_MISSING = 2,       /* the kernel does not know it */
	REUSEPORT_FEATURE_NOT_PERMITTED = 3, /* this process may not use it */
	REUSEPORT_FEATURE_FAILED = 4,        /* it failed for another reason */
	REUSEPORT_FEATURE_DISABLED = 5,      /* REUSEPORT_DISABLE names it: not tried */
};

/* Return a feature's state as text: "available", "not permitted". */
const char *reuseport_feature_state_name(enum reuseport_feature_state state);

/* A part of the kernel that this toolkit uses. */
struct reuseport_feature {
	const char *name;    /* "plain-reads" */
	const char *since;   /* the first Linux with it, "6.2"; distributions carry features
			      * back, so that says nothing about the kernel at hand */
	const char *what;    /* what it is in the kernel */
	const char *without; /* what is lost, or done in another way, without it */
	bool needed;         /* nothing can be steered without it */
	enum reuseport_feature_state state;
	int code;         /* the errno of the trial, 0 for none */
	char caps[64];    /* the capabilities that were missing, or "" */
	char reason[160]; /* what keeps it from being used although the kernel has it, such as
			   * another tool's program, by name and id; or "" */
};

struct reuseport_feature_list;
size_t reuseport_feature_list__count(const struct reuseport_feature_list *list);
const struct reuseport_feature *
reuseport_feature_list__get(const struct reuseport_feature_list *list, size_t i);
void reuseport_feature_list__free(struct reuseport_feature_list *list);

/*
 * Try each feature: load tiny programs, make maps, make the call. Nothing of it is left
 * when this returns. Needs no capability. -EINVAL: as reuseport_disable_check().
 */
int reuseport_features(struct reuseport_feature_list **list, struct reuseport_error *err);

/*
 * Check the environment variable REUSEPORT_DISABLE: names of features, separated by commas,
 * that every call leaves unused, to test what replaces them; "events" is both ring-buffer
 * and bind-events. Needs no capability. -EINVAL: a word there is no feature.
 */
int reuseport_disable_check(struct reuseport_error *err);

#ifdef __cplusplus
}
#endif

#endif
