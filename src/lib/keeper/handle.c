// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The handle of an attachment: make it, ask it, free it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "fd.h"
#include "keeper/handle.h"
#include "sockets/group_iter.h"

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
	       struct reuseport_group **made, struct reuseport_error *err)
{
	struct reuseport_group *group = calloc(1, sizeof(*group));
	int ret;

	if (!group)
		return fail(err, ENOMEM, "out of memory");
	ret = features_new(&group->features, err);
	if (ret) {
		free(group);
		return ret;
	}
	attachment_init(&group->at, key);
	group->ns.inode = key->netns;
	group->ns.cookie = key->netns_cookie;
	group->loop.timer = group->loop.notice = group->loop.epoll = -1;
	group->force = opts->force;
	group->log = opts->log;
	group->log_ctx = opts->log_ctx;
	*made = group;
	return 0;
}

int handle_open_reader(struct reuseport_group *group, struct reuseport_error *err)
{
	int ret = group->reader ? 0 : group_iter_open(&group->reader, err);

	return ret == -EOPNOTSUPP ? 0 : ret;
}

void handle_close(struct reuseport_group *group)
{
	int *fds[] = { &group->loop.timer, &group->loop.notice, &group->loop.epoll };

	socket_events_close(group->loop.events);
	group->loop.events = NULL;
	group_iter_close(group->reader);
	group->reader = NULL;
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
	features_free(group->features);
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
