// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Event ring: the ring buffer through which the kernel tells one process of events. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "state/event_ring.h"
#include "state/hook_interest.h"
#include "state/hook_places.h"
#include "state/hooks.h"
#include "state/pin_dir.h"
#include "state/root_lock.h"
#include "state/sockopt_maps.h"

#define PLACES_BYTES (HOOK_PLACES * sizeof(struct hook_place))

/* What is followed, for one group or more. */
struct followed {
	struct interest key;
	unsigned int groups;
};

struct event_ring {
	int map;
	struct ring_buffer *reader;
	event_ring_fn fn;
	void *ctx;

	int dir; /* of the place, with its lock; -1: there is none */
	unsigned int place;
	const struct hook_place *places; /* mapped; NULL: not yet */
	uint64_t lost;                   /* lost events that the caller knows of */

	struct followed *followed;
	size_t n;

	struct sockopt_maps sockopt;
	unsigned int opened; /* times that they were */
};

/* ------------------------------------------------------------------ the place */

static void event_ring_leave(struct event_ring *ring)
{
	if (ring->places)
		munmap((void *)ring->places, PLACES_BYTES);
	fd_close(ring->dir);
	ring->places = NULL;
	ring->dir = -1;
}

static int event_ring_map_places(struct event_ring *ring, const struct hooks *hooks,
				 struct reuseport_error *err)
{
	void *at = mmap(NULL, PLACES_BYTES, PROT_READ, MAP_SHARED, hooks->maps[HOOKS_PLACES], 0);

	if (at == MAP_FAILED)
		return fail(err, errno, "cannot map the places among the hooks: %s",
			    strerror(errno));
	ring->places = at;
	ring->lost = ring->places[ring->place].lost;
	return 0;
}

static int event_ring_take_place(struct event_ring *ring, const struct hooks *hooks,
				 struct reuseport_error *err)
{
	int dir = hook_places_take(hooks, ring->map, &ring->place, err), ret;

	if (dir < 0)
		return dir;
	ring->dir = dir;
	ret = event_ring_map_places(ring, hooks, err);
	if (ret) {
		hook_places_give_up(hooks, ring->place);
		event_ring_leave(ring);
	}
	return ret;
}

static int event_ring_add(const struct event_ring *ring, const struct hooks *hooks,
			  const struct interest *key, struct reuseport_error *err)
{
	int ret = hook_interest_add(hooks, key, ring->place);

	if (ret == -E2BIG)
		return fail(err, E2BIG, "cannot be told of binds to port %u: %d ports are followed",
			    key->port, INTEREST_MAX);
	return ret ? fail(err, -ret, "cannot be told of binds to port %u: %s", key->port,
			  strerror(-ret)) :
		     0;
}

/* Where that fails, workers cannot ask by socket options. */
static void event_ring_open_sockopt(struct event_ring *ring, const struct hooks *hooks)
{
	sockopt_maps_close(&ring->sockopt);
	if (sockopt_maps_open(hooks->dir, &ring->sockopt, NULL))
		ring->sockopt = SOCKOPT_MAPS_NONE;
	else
		ring->opened++;
}

const struct sockopt_maps *event_ring_sockopt(const struct event_ring *ring)
{
	return ring->sockopt.fds[SOCKOPT_MEMBERS] >= 0 ? &ring->sockopt : NULL;
}

unsigned int event_ring_sockopt_opened(const struct event_ring *ring)
{
	return ring->opened;
}

int event_ring_repair(struct event_ring *ring, int root, struct features *features,
		      struct reuseport_error *err)
{
	struct hooks hooks;
	int ret;

	if (ring->dir >= 0 && !pin_dir_is_gone(ring->dir) && hooks_are_there(root, features))
		return 0;
	ret = hooks_open(root, features, &hooks, err);
	if (ret)
		return ret;
	if (ring->dir >= 0 && pin_dir_is_gone(ring->dir))
		event_ring_leave(ring);
	if (ring->dir < 0)
		event_ring_open_sockopt(ring, &hooks);
	if (ring->dir < 0)
		ret = event_ring_take_place(ring, &hooks, err);
	for (size_t i = 0; !ret && i < ring->n; i++)
		ret = event_ring_add(ring, &hooks, &ring->followed[i].key, err);
	hooks_close(&hooks);
	return ret;
}

/* ------------------------------------------------------------------- following */

static struct interest event_ring_key(const struct reuseport_key *key, uint64_t netns_cookie)
{
	return (struct interest){
		.netns_cookie = netns_cookie,
		.port = key->port,
		.proto = key->proto,
	};
}

static struct followed *event_ring_find(const struct event_ring *ring, const struct interest *key)
{
	for (size_t i = 0; i < ring->n; i++)
		if (!memcmp(&ring->followed[i].key, key, sizeof(*key)))
			return &ring->followed[i];
	return NULL;
}

/* Open the hooks that the place is in. */
static int event_ring_open_hooks(const struct event_ring *ring, int *root, struct hooks *hooks,
				 struct reuseport_error *err)
{
	int ret;

	*root = openat(ring->dir, "../..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*root < 0)
		return fail(err, errno, "cannot open the directory of the hooks: %s",
			    strerror(errno));
	ret = pin_dir_is_gone(ring->dir) ? -ENOENT : hooks_open(*root, NULL, hooks, err);
	if (ret == -ENOENT)
		fail(err, ENOENT, "the hooks were removed: they are made again in a while");
	if (ret)
		close(*root);
	return ret;
}

int event_ring_follow(struct event_ring *ring, const struct reuseport_key *from,
		      uint64_t netns_cookie, struct reuseport_error *err)
{
	struct interest key = event_ring_key(from, netns_cookie);
	struct followed *at = event_ring_find(ring, &key), *grown;
	struct hooks hooks;
	int root, ret;

	if (at) {
		at->groups++;
		return 0;
	}
	grown = realloc(ring->followed, (ring->n + 1) * sizeof(*grown));
	if (!grown)
		return fail(err, ENOMEM, "out of memory");
	ring->followed = grown;
	ret = event_ring_open_hooks(ring, &root, &hooks, err);
	if (ret)
		return ret;
	ret = event_ring_add(ring, &hooks, &key, err);
	hooks_close(&hooks);
	close(root);
	if (!ret)
		grown[ring->n++] = (struct followed){ .key = key, .groups = 1 };
	return ret;
}

void event_ring_unfollow(struct event_ring *ring, const struct reuseport_key *from,
			 uint64_t netns_cookie)
{
	struct interest key = event_ring_key(from, netns_cookie);
	struct followed *at = event_ring_find(ring, &key);
	struct hooks hooks;
	int root;

	if (!at || --at->groups)
		return;
	*at = ring->followed[--ring->n];
	/* Where that fails, the key goes with the place. */
	if (event_ring_open_hooks(ring, &root, &hooks, NULL))
		return;
	hook_interest_remove(&hooks, &key, ring->place);
	hooks_close(&hooks);
	close(root);
}

/* --------------------------------------------------------------------- events */

static int event_ring_pass(void *ctx, void *data, size_t size)
{
	struct event_ring *ring = ctx;

	if (size >= sizeof(struct socket_event) && !ring->fn(ring->ctx, data))
		return -ECANCELED;
	return 0;
}

int event_ring_map(const struct event_ring *ring)
{
	return ring->map;
}

int event_ring_fd(const struct event_ring *ring)
{
	return ring_buffer__epoll_fd(ring->reader);
}

bool event_ring_consume(struct event_ring *ring)
{
	uint64_t lost = ring->lost;

	ring_buffer__consume(ring->reader);
	if (ring->places)
		lost = __atomic_load_n(&ring->places[ring->place].lost, __ATOMIC_RELAXED);
	if (lost == ring->lost)
		return false;
	ring->lost = lost;
	return true;
}

/* --------------------------------------------------------------- open and close */

/* Give the place up, and remove the hooks if nothing needs them. */
static void event_ring_give_up(const struct event_ring *ring)
{
	struct hooks hooks;
	int root;

	if (ring->dir < 0 || event_ring_open_hooks(ring, &root, &hooks, NULL))
		return;
	hook_places_give_up(&hooks, ring->place);
	hooks_close(&hooks);
	root_tidy_hooks(root);
	close(root);
}

void event_ring_close(struct event_ring *ring, bool kept)
{
	if (!ring)
		return;
	ring_buffer__free(ring->reader);
	fd_close(ring->map);
	if (kept)
		event_ring_give_up(ring);
	event_ring_leave(ring);
	sockopt_maps_close(&ring->sockopt);
	free(ring->followed);
	free(ring);
}

static int event_ring_make(struct event_ring *ring, struct features *features,
			   struct reuseport_error *err)
{
	if (hooks_disabled(features))
		return hooks_explain(features, 0, err);
	ring->map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "events", 0, 0, EVENT_RING_BYTES, NULL);
	if (ring->map < 0)
		return hooks_explain(features, errno, err);
	ring->reader = ring_buffer__new(ring->map, event_ring_pass, ring, NULL);
	return ring->reader ? 0 :
			      fail(err, errno, "cannot read a ring buffer: %s", strerror(errno));
}

int event_ring_open(int root, event_ring_fn fn, void *ctx, struct features *features,
		    struct event_ring **out, struct reuseport_error *err)
{
	struct event_ring *ring = calloc(1, sizeof(*ring));
	int ret;

	if (!ring)
		return fail(err, ENOMEM, "out of memory");
	*ring = (struct event_ring){
		.map = -1, .fn = fn, .ctx = ctx, .dir = -1, .sockopt = SOCKOPT_MAPS_NONE
	};
	ret = event_ring_make(ring, features, err);
	if (!ret)
		ret = event_ring_repair(ring, root, features, err);
	if (ret)
		event_ring_close(ring, true);
	else
		*out = ring;
	return ret;
}
