/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The handle of an attachment: what attach, membership and event loop share. */
#ifndef KEEPER_HANDLE_H
#define KEEPER_HANDLE_H

#include "host/netns.h"
#include "keeper/join_batch.h"
#include "keeper/owner_search.h"
#include "keeper/program_ask.h"
#include "keeper/turn_members.h"
#include "state/attachment.h"
#include "state/event_ring.h"
#include "state/sockopt_maps.h"

/* A slot, as the keeper knows it beside the pinned struct worker_entry. */
struct slot {
	uint64_t cookie; /* 0: free */
	uint32_t inode;
	uint32_t pid;
	bool reserved;    /* for a socket that is about to join */
	uint64_t waiters; /* at the socket, as seen last, see server_change.c; 0: none yet */
	/* What the worker asks for by socket options, see asked.c: */
	struct member member; /* as the programs know it; attachment 0: they do not */
	uint32_t applied;     /* requests that its entry has */
	bool asks;            /* there may be more of them */
	uint8_t takes;        /* times that they were read, */
	uint64_t takes_since; /* since then */
};

#define PENDING_MAX 64

/* Another group on the port that is to be named, or was named last, see other_group.h. */
struct other_group {
	struct reuseport_key key;
	uint64_t look_at;     /* when to see whether it is there still; 0: never */
	uint64_t quiet_until; /* no other is named before that */
};

/* What the workers ask for by socket options, see asked.c and asked_settle.c. */
struct asking {
	unsigned int opened; /* the maps that the group is in, as the ring counts; 0: in none */
	bool due;            /* a slot asks */
	bool unpublished;    /* something was applied, and no plan was published since */
	bool settles;        /* something that was applied is not in effect yet */
	uint64_t at;         /* when to go on, 0: at no time of its own */
	uint64_t looked;     /* the last resync at which all were looked at */
	uint32_t epoch;      /* of the plan that was seen last */
	uint64_t published;  /* when it was */
	uint64_t waited;     /* since when nothing of before runs: for a handle of its own */
	uint64_t flows_at;   /* when to count flows again, 0: not */
	uint64_t flows_rest; /* not before, as to count took long */
};

/* The event sources and what is due; times are of CLOCK_MONOTONIC, in ns. */
struct event_loop {
	struct event_ring *ring;  /* NULL: polling */
	int timer, notice, epoll; /* of the host's keeper: its epoll set, and no others */
	uint64_t epoll_data;      /* with that helpers are watched */
	uint64_t call_until; /* when a call of __process has no more time for joins and leaves, */
	bool more;           /* and that there were more */
	struct pending pending[PENDING_MAX];
	unsigned int n_pending;
	struct join_batch *joining; /* of these; NULL: none is under way */
	struct socket_owner last;   /* the one that was found last for an event */
	bool release_due;           /* a worker may have left */
	uint64_t release_at;        /* when to look for that again as a socket is added */
	bool members_told;
	uint32_t members; /* the last number of them that was told */
	bool resync_due;
	bool resync_alone; /* what asks for it is about this group only */
	uint64_t resync_at;
	uint64_t resynced;     /* when it was done last */
	uint64_t refresh_at;   /* of pids and names */
	bool waiters_changed;  /* another process may serve a worker: who serves is to be seen, */
	uint64_t waiters_at;   /* from then on, */
	uint64_t waiters_wait; /* and after that so much later: twice as much each time in vain */
	bool waiters_asked;    /* the search that runs is for that */
	uint64_t cpus;         /* a checksum of the workers' CPUs, as seen last; 0: not yet */
	bool plan_due;
	bool looks;              /* at plan_at, only see whether the workers' CPUs have changed */
	uint64_t publish_by;     /* although more workers join or leave; 0: none has yet */
	uint64_t plan_at;        /* when to publish for the workers */
	uint64_t synchronize_at; /* after a plan was published */
	struct other_group other;
	struct asking asking;
	struct program_seen program;
	struct own_watch *watch;   /* NULL: none yet, or the host's keeper does it */
	bool mend_due;             /* the program was taken off */
	struct program_mend *mend; /* it is put back; NULL: not now */
	int mend_failed;           /* -errno, as it was logged last */
};

enum handle_owner_state {
	HANDLE_KEPT,    /* by the process "pid" */
	HANDLE_LEAVING, /* for the child of the next fork() */
	HANDLE_GIVEN,   /* to a child; closed in any other */
	HANDLE_LEFT,    /* to the host's keeper; closed */
};

/* What all groups of the host's keeper share. */
struct handle_shared {
	struct features *features;
	struct group_iter *reader; /* NULL: not needed yet */
	struct event_ring *ring;   /* NULL: none (yet) */
	event_ring_fn on_event;    /* called for it, */
	void *ctx;                 /* with that */
	int epoll;
	struct turn_members turn;
	struct owner_search_all search;
	uint64_t waited; /* as in struct asking, for all of them */
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
	struct owner_search search; /* for the processes that have the members open, */
	struct join_batch *found;   /* and those of them that join; NULL: none */
	struct group_iter *reader;  /* NULL: not needed yet */

	uint64_t refused;        /* checksum of the members that could not join, */
	uint64_t refused_until;  /* and when to try them again */
	uint64_t refused_logged; /* the one that was logged */

	uint32_t replaces; /* the program of the group whose pins were damaged, 0: none */
	bool program_due;  /* the group was recreated, and its members so far took no program */
	bool adopted;
	bool passing; /* one look, and then nobody keeps the group again */
	bool force;
	bool own;        /* kept by this process for itself */
	bool opened;     /* it may have no member yet, see open.c */
	bool added_only; /* this process may not look for members: they are added */
	bool for_host;   /* by the host's keeper */
	struct handle_shared
		*shared;           /* then; otherwise NULL: ring, reader and features are its own */
	struct features *features; /* of the kernel, as far as they were probed */
	struct event_queue *events; /* NULL: none are asked for */
	bool full_logged;           /* there are more members than slots, and that was logged */
	const struct sockopt_maps *sockopt; /* NULL: workers cannot ask by socket options */
	struct sockopt_maps own_sockopt;    /* without a ring */
	reuseport_log_fn log;
	void *log_ctx;
};

/* Make a handle that no process keeps yet, see handle_own(). */
int handle_new(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
	       struct handle_shared *shared, struct reuseport_group **made,
	       struct reuseport_error *err);

/* Note in the description who keeps the group, and where its messages go. */
void handle_note(struct reuseport_group *group, const struct reuseport_attach_opts *opts);

/* Free a handle that no process keeps any longer. */
void handle_free(struct reuseport_group *group);

/* Close all that a handle has open; what it knows stays. */
void handle_close(struct reuseport_group *group);

/* Open the directory that has those of all attachments. Return the fd or -errno. */
int handle_open_root(const struct reuseport_group *group);

/* Open the socket iterators, unless they are: loading them is what takes time when a group is
 * recreated. group->reader stays NULL where there are none. Return 0 or -errno. */
int handle_open_reader(struct reuseport_group *group, struct reuseport_error *err);

/* Log through the function that attach was given, if any. */
void handle_log(const struct reuseport_group *group, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
