/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Event ring: the ring buffer through which the kernel tells one process of the binds that it
 * follows, and of changes in the groups whose map "events" it is put into. One ring is enough
 * for any number of groups.
 */
#ifndef STATE_EVENT_RING_H
#define STATE_EVENT_RING_H

#include "abi.h"
#include "host/features.h"
#include "reuseport_bpf.h"

struct event_ring;
struct sockopt_maps;

/* Return whether to go on with the next event. */
typedef bool (*event_ring_fn)(void *ctx, const struct socket_event *event);

/*
 * Open a ring, and a place for it among the hooks of "root", the directory that has those of all
 * attachments. The hooks are loaded if they are missing, so there must be an attachment's
 * directory in it. On any error the caller polls instead.
 */
int event_ring_open(int root, event_ring_fn fn, void *ctx, struct features *features,
		    struct event_ring **ring, struct reuseport_error *err);

/* Close it. A process that has it by fork() only, and is not told of events, says so by
 * "kept": the place stays another's then. */
void event_ring_close(struct event_ring *ring, bool kept);

/* Be told of the sockets that bind to the key's port; netns_cookie 0 means in any namespace.
 * Several groups may follow the same. */
int event_ring_follow(struct event_ring *ring, const struct reuseport_key *key,
		      uint64_t netns_cookie, struct reuseport_error *err);
void event_ring_unfollow(struct event_ring *ring, const struct reuseport_key *key,
			 uint64_t netns_cookie);

/* Take a place again if the hooks of "root" were removed or made anew, and put in what is
 * missing there. To be called now and then. */
int event_ring_repair(struct event_ring *ring, int root, struct features *features,
		      struct reuseport_error *err);

/* Return the maps of the socket options among these hooks; those in it are replaced when they were
 * made again. NULL: there are none. */
const struct sockopt_maps *event_ring_sockopt(const struct event_ring *ring);

/* Return how often they were opened, that is, made. */
unsigned int event_ring_sockopt_opened(const struct event_ring *ring);

/* Return the fd of the ring buffer itself, for an attachment's map "events". */
int event_ring_map(const struct event_ring *ring);

/* Return an fd that is readable when there are events. */
int event_ring_fd(const struct event_ring *ring);

/* Call fn for each event, until it returns false: event_ring_fd() stays readable while there
 * are more. Return true if events were lost and the caller must look itself. */
bool event_ring_consume(struct event_ring *ring);

#endif
