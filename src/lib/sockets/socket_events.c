// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Socket events: the kernel's reports of sockets that join and leave one port. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "host/cgroup.h"
#include "host/libbpf_quiet.h"
#include "socket_events.skel.h"
#include "sockets/socket_events.h"

struct socket_events {
	struct socket_events_bpf *skeleton;
	struct ring_buffer *ring;
	socket_events_fn fn;
	void *ctx;
	uint64_t lost; /* lost events that have been reported to the caller */
};

static int attach_to_cgroup(struct bpf_program *prog, int cgroup, struct bpf_link **link)
{
	*link = bpf_program__attach_cgroup(prog, cgroup);
	return *link ? 0 : -errno;
}

static int attach_udp(struct socket_events_bpf *skeleton)
{
	int cgroup = cgroup_open_root(), ret;

	if (cgroup < 0)
		return cgroup;
	ret = attach_to_cgroup(skeleton->progs.event_bind4, cgroup, &skeleton->links.event_bind4);
	if (!ret)
		ret = attach_to_cgroup(skeleton->progs.event_bind6, cgroup,
				       &skeleton->links.event_bind6);
	if (!ret)
		ret = attach_to_cgroup(skeleton->progs.event_release, cgroup,
				       &skeleton->links.event_release);
	close(cgroup);
	return ret;
}

static int attach_tcp(struct socket_events_bpf *skeleton)
{
	skeleton->links.event_state = bpf_program__attach(skeleton->progs.event_state);
	if (!skeleton->links.event_state)
		return -errno;
	skeleton->links.event_destroy = bpf_program__attach(skeleton->progs.event_destroy);
	return skeleton->links.event_destroy ? 0 : -errno;
}

static int pass_event(void *ctx, void *data, size_t size)
{
	struct socket_events *events = ctx;

	if (size >= sizeof(struct socket_event) && !events->fn(events->ctx, data))
		return -ECANCELED;
	return 0;
}

static int load_events(struct socket_events *events, const struct reuseport_key *key,
		       uint64_t netns_cookie)
{
	bool tcp = key->proto == IPPROTO_TCP;
	struct socket_events_bpf *skeleton;
	int ret;

	events->skeleton = skeleton = socket_events_bpf__open();
	if (!skeleton)
		return -errno;
	bpf_program__set_autoload(skeleton->progs.event_state, tcp);
	bpf_program__set_autoload(skeleton->progs.event_destroy, tcp);
	bpf_program__set_autoload(skeleton->progs.event_bind4, !tcp);
	bpf_program__set_autoload(skeleton->progs.event_bind6, !tcp);
	bpf_program__set_autoload(skeleton->progs.event_release, !tcp);
	skeleton->rodata->want_port = key->port;
	skeleton->rodata->want_netns_cookie = netns_cookie;
	ret = socket_events_bpf__load(skeleton);
	if (ret)
		return ret;
	events->ring = ring_buffer__new(bpf_map__fd(skeleton->maps.events), pass_event, events,
					NULL);
	if (!events->ring)
		return -errno;
	return tcp ? attach_tcp(skeleton) : attach_udp(skeleton);
}

/* Return the features that the events need, the most telling first; FEATURES ends the
 * list. */
static const enum feature *needed_features(int proto)
{
	static const enum feature tcp[] = { FEATURE_RING_BUFFER, FEATURE_TCP_EVENTS, FEATURES };
	static const enum feature udp[] = { FEATURE_RING_BUFFER, FEATURE_CGROUP2,
					    FEATURE_UDP_EVENTS, FEATURES };

	return proto == IPPROTO_TCP ? tcp : udp;
}

bool socket_events_disabled(const struct features *features, int proto)
{
	const enum feature *needs = needed_features(proto);

	while (*needs != FEATURES && !features_disabled(features, *needs))
		needs++;
	return *needs != FEATURES;
}

static int explain_events(struct features *features, int proto, int code,
			  struct reuseport_error *err)
{
	static const char what[] = "receive the events of joins and leaves";
	int ret = 0;

	for (const enum feature *at = needed_features(proto); !ret && *at != FEATURES; at++)
		if (code || features_disabled(features, *at))
			ret = features_explain(features, *at, what, err);
	return ret ? ret : fail(err, code, "cannot %s: %s", what, strerror(code));
}

int socket_events_open(const struct reuseport_key *key, uint64_t netns_cookie, socket_events_fn fn,
		       void *ctx, struct features *features, struct socket_events **events,
		       struct reuseport_error *err)
{
	struct socket_events *fresh;
	int ret;

	if (socket_events_disabled(features, key->proto))
		return explain_events(features, key->proto, 0, err);
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return fail(err, ENOMEM, "out of memory");
	fresh->fn = fn;
	fresh->ctx = ctx;
	libbpf_quiet_begin();
	ret = load_events(fresh, key, netns_cookie);
	libbpf_quiet_end();
	if (ret) {
		socket_events_close(fresh);
		return explain_events(features, key->proto, -ret, err);
	}
	*events = fresh;
	return 0;
}

void socket_events_close(struct socket_events *events)
{
	if (!events)
		return;
	ring_buffer__free(events->ring);
	socket_events_bpf__destroy(events->skeleton);
	free(events);
}

int socket_events_fd(const struct socket_events *events)
{
	return ring_buffer__epoll_fd(events->ring);
}

bool socket_events_consume(struct socket_events *events)
{
	uint64_t lost;
	bool news;

	ring_buffer__consume(events->ring);
	lost = __atomic_load_n(&events->skeleton->bss->lost, __ATOMIC_RELAXED);
	news = lost != events->lost;
	events->lost = lost;
	return news;
}
