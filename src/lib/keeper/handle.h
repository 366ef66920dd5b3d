/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The handle of an attachment: what attach, membership and event loop share. */
#ifndef KEEPER_HANDLE_H
#define KEEPER_HANDLE_H

#include "host/netns.h"
#include "keeper/owner_search.h"
#include "sockets/socket_events.h"
#include "state/attachment.h"

/* A slot, as the keeper knows it beside the pinned struct worker_entry. */
struct slot {
	uint64_t cookie; /* 0: free */
	uint32_t inode;
	uint32_t pid;
};

/* An event that could not be handled yet: the socket was not in its group yet, or still in its
 * slot. */
struct pending {
	uint64_t cookie;
	uint32_t inode;
	uint32_t pid;
	uint16_t tries;
	bool leaving;
	bool lost; /* not found in the process "pid" */
};

#define PENDING_MAX 64

/* The event sources and what is due; times are of CLOCK_MONOTONIC, in ns. */
struct event_loop {
	struct socket_events *events; /* NULL: polling */
	int timer, notice, epoll;
	uint64_t call_until; /* when a call of __process has no more time for joins and leaves, */
	bool more;           /* and that there were more */
	struct pending pending[PENDING_MAX];
	unsigned int n_pending;
	struct socket_owner last; /* the one that was found last for an event */
	bool resync_due;
	uint64_t resync_at;
	uint64_t refresh_at; /* of pids and names */
	bool plan_due;
	uint64_t publish_by;     /* although more workers join or leave; 0: none has yet */
	uint64_t plan_at;        /* when to publish for the workers */
	uint64_t synchronize_at; /* after a plan was published */
};

enum handle_owner_state {
	HANDLE_KEPT,    /* by the process "pid" */
	HANDLE_LEAVING, /* for the child of the next fork() */
	HANDLE_GIVEN,   /* to a child; closed in any other */
};

/* Which process keeps the group, see handle_owner.h. */
struct handle_owner {
	enum handle_owner_state state;
	int pid;
	struct reuseport_group *next, *before; /* in the list of this process's handles */
};

struct reuseport_group {
	struct handle_owner owner;
	struct attachment at;
	struct netns_ref ns;

	struct slot *slots; /* at.entry.slots of them */
	unsigned int workers;
	unsigned int lowest_free; /* no slot below is free */
	int changes;              /* since the last __process */

	struct event_loop loop;
	struct owner_search search;    /* for the processes that have the members open */
	struct group_iter_bpf *reader; /* NULL: not needed yet */

	uint64_t refused;       /* checksum of the members that could not join, */
	uint64_t refused_until; /* and when to try them again */

	uint32_t replaces; /* the program of the group whose pins were damaged, 0: none */
	bool program_due;  /* the group was recreated, and its members so far took no program */
	bool adopted;
	bool force;
	struct features *features; /* of the kernel, as far as they were probed */
	bool full_logged;          /* there are more members than slots, and that was logged */
	reuseport_log_fn log;
	void *log_ctx;
};

/* Make a handle that no process keeps yet, see handle_own(). */
int handle_new(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
	       struct reuseport_group **made, struct reuseport_error *err);

/* Free a handle that no process keeps any longer. */
void handle_free(struct reuseport_group *group);

/* Close all that a handle has open; what it knows stays. */
void handle_close(struct reuseport_group *group);

/* Open the socket iterators, unless they are: loading them is what takes time when a group is
 * recreated. group->reader stays NULL where there are none. Return 0 or -errno. */
int handle_open_reader(struct reuseport_group *group, struct reuseport_error *err);

/* Log through the function that attach was given, if any. */
void handle_log(const struct reuseport_group *group, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
