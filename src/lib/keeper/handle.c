// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The handle of an attachment: made, asked, freed. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "keeper/handle.h"
#include "sockets/group_iter.h"

void group_log(const struct reuseport_group *group, int level, const char *fmt, ...)
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

int group_new(const struct reuseport_key *key, const struct reuseport_attach_opts *opts,
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
	group->key = *key;
	group_key_text(key, group->text, sizeof(group->text));
	group->ns.inode = key->netns;
	group->steering = STEERING_NONE;
	group->mapped = MAPPED_NONE;
	group->lock = group->timer = group->notice = group->epoll = -1;
	group->force = opts->force;
	group->log = opts->log;
	group->log_ctx = opts->log_ctx;
	*made = group;
	return 0;
}

int group_map(struct reuseport_group *group, struct reuseport_error *err)
{
	struct steering_size size = steering_size_of(&group->entry);
	int ret = mapped_open(&group->mapped, &group->steering, &size);

	if (ret)
		return fail(err, -ret, "cannot map the tables of %s into memory: %s", group->text,
			    strerror(-ret));
	return 0;
}

int group_write_entry(const struct reuseport_group *group, struct reuseport_error *err)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(group->steering.maps[MAP_ATTACHMENT], &zero, &group->entry,
				BPF_ANY))
		return fail(err, errno, "cannot write the attachment of %s: %s", group->text,
			    strerror(errno));
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void reuseport_group__free(struct reuseport_group *group)
{
	if (!group)
		return;
	socket_events_close(group->events);
	group_iter_close(group->reader);
	close_fd(group->timer);
	close_fd(group->notice);
	close_fd(group->epoll);
	mapped_close(&group->mapped);
	steering_close(&group->steering);
	close_fd(group->lock);
	features_free(group->features);
	free(group->slots);
	free(group);
}

bool reuseport_group__adopted(const struct reuseport_group *group)
{
	return group->adopted;
}

unsigned int reuseport_group__workers(const struct reuseport_group *group)
{
	return group->workers;
}

const char *reuseport_group__pin(const struct reuseport_group *group)
{
	return group->pin;
}
