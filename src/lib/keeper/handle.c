// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The handle of an attachment: make it, ask it, free it. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "keeper/event_queue.h"
#include "keeper/handle.h"
#include "keeper/join_batch.h"
#include "keeper/own_watch_state.h"
#include "keeper/program_mend.h"
#include "sockets/group_iter.h"
#include "state/hook_iter.h"

void handle_log(const struct reuseport_group *group, int level, const char *fmt, ...)
{
	char line[512];
	va_list args;

	if (!group->log)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	group->log(group->log_ctx, level, line);
}

int handle_new(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
	       struct handle_shared *shared, struct reuseport_group **made,
	       struct reuseport_error *err)
{
	struct reuseport_group *group = calloc(1, sizeof(*group));
	int ret = 0;

	if (!group)
		return fail(err, ENOMEM, "out of memory");
	if (shared)
		group->features = shared->features;
	else
		ret = features_new(&group->features, err);
	if (ret) {
		free(group);
		return ret;
	}
	attachment_init(&group->at, key);
	group->ns.inode = key->netns;
	group->ns.cookie = key->netns_cookie;
	group->loop.timer = group->loop.notice = group->loop.epoll = -1;
	group->own_sockopt = SOCKOPT_MAPS_NONE;
	if (shared) {
		group->loop.epoll = shared->epoll;
		group->search.all = &shared->search;
	}
	group->shared = shared;
	group->for_host = shared;
	group->force = opts->force;
	group->log = opts->log;
	group->log_ctx = opts->log_ctx;
	*made = group;
	return 0;
}

void handle_note(struct reuseport_group *group, const struct reuseport_attach_opts *opts)
{
	struct attachment_entry *entry = &group->at.entry;

	if (group->own)
		entry->own_keeper = 1;
	if (opts->log_file)
		snprintf(entry->log, sizeof(entry->log), "%s", opts->log_file);
}

int handle_open_root(const struct reuseport_group *group)
{
	int root = openat(group->at.dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? -errno : root;
}

int handle_open_reader(struct reuseport_group *group, struct reuseport_error *err)
{
	struct group_iter **reader = group->shared ? &group->shared->reader : &group->reader;
	int ret = *reader ? 0 : hook_iter_open(reader, err);

	group->reader = *reader;
	return ret == -EOPNOTSUPP ? 0 : ret;
}

/* Return whether this process keeps the group: a copy made by fork() must change nothing. */
static bool handle_is_kept(const struct reuseport_group *group)
{
	return group->owner.state != HANDLE_GIVEN && group->owner.pid == getpid();
}

/* Close what the group has for itself, or stop using what is shared. */
static void handle_close_events(struct reuseport_group *group)
{
	if (!group->shared) {
		event_ring_close(group->loop.ring, handle_is_kept(group));
		group_iter_close(group->reader);
	} else if (group->loop.ring && handle_is_kept(group)) {
		event_ring_unfollow(group->loop.ring, &group->at.key, group->ns.cookie);
	}
	sockopt_maps_close(&group->own_sockopt);
	group->own_sockopt = SOCKOPT_MAPS_NONE;
	group->sockopt = NULL;
	group->loop.ring = NULL;
	group->reader = NULL;
}

void handle_close(struct reuseport_group *group)
{
	int *fds[] = { &group->loop.timer, &group->loop.notice, &group->loop.epoll };

	own_watch_free(group->loop.watch);
	group->loop.watch = NULL;
	handle_close_events(group);
	if (group->shared)
		group->loop.epoll = -1; /* it is the host's keeper's */
	program_mend_free(group->loop.mend);
	group->loop.mend = NULL;
	join_batch_free(group->loop.joining);
	join_batch_free(group->found);
	group->loop.joining = group->found = NULL;
	owner_search_end(&group->search);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		fd_close(*fds[i]);
		*fds[i] = -1;
	}
	attachment_close(&group->at);
}

void handle_free(struct reuseport_group *group)
{
	handle_close(group);
	if (!group->shared)
		features_free(group->features);
	event_queue_free(group->events);
	free(group->slots);
	free(group);
}

bool reuseport_group__adopted(const struct reuseport_group *group)
{
	return group && group->adopted;
}

unsigned int reuseport_group__workers(const struct reuseport_group *group)
{
	return group ? group->workers : 0;
}

const char *reuseport_group__pin(const struct reuseport_group *group)
{
	return group ? group->at.pin : NULL;
}

const struct reuseport_key *reuseport_group__key(const struct reuseport_group *group)
{
	return group ? &group->at.key : NULL;
}
