// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Which process keeps a handle's group, and what becomes of it at a fork(). */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "error.h"
#include "host/libbpf_quiet.h"
#include "keeper/handle_owner.h"

/*
 * A lock on the pins (flock) lives as long as any copy of its descriptor, and fork() copies
 * descriptors. So each process has to find its handles in the child.
 */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct reuseport_group *handles;

static void handle_owner_before_fork(void)
{
	pthread_mutex_lock(&mutex);
}

static void handle_owner_in_parent(void)
{
	for (struct reuseport_group *at = handles; at; at = at->owner.next)
		if (at->owner.state == HANDLE_LEAVING)
			at->owner.state = HANDLE_GIVEN;
	pthread_mutex_unlock(&mutex);
}

static void handle_owner_in_child(void)
{
	for (struct reuseport_group *at = handles; at; at = at->owner.next) {
		if (at->owner.state == HANDLE_LEAVING) {
			at->owner.state = HANDLE_KEPT;
			at->owner.pid = getpid();
		} else if (at->owner.state != HANDLE_LEFT) {
			at->owner.state = HANDLE_GIVEN;
			handle_close(at);
		}
	}
	pthread_mutex_init(&mutex, NULL);
	libbpf_quiet_after_fork();
}

static void handle_owner_at_fork(void)
{
	pthread_atfork(handle_owner_before_fork, handle_owner_in_parent, handle_owner_in_child);
}

void handle_own(struct reuseport_group *group)
{
	pthread_once(&once, handle_owner_at_fork);
	pthread_mutex_lock(&mutex);
	group->owner = (struct handle_owner){ HANDLE_KEPT, getpid(), handles, NULL };
	if (handles)
		handles->owner.before = group;
	handles = group;
	pthread_mutex_unlock(&mutex);
}

static void handle_disown(struct reuseport_group *group)
{
	pthread_mutex_lock(&mutex);
	if (group->owner.before)
		group->owner.before->owner.next = group->owner.next;
	else
		handles = group->owner.next;
	if (group->owner.next)
		group->owner.next->owner.before = group->owner.before;
	pthread_mutex_unlock(&mutex);
}

void reuseport_group__free(struct reuseport_group *group)
{
	if (!group)
		return;
	handle_disown(group);
	handle_free(group);
}

int handle_owner_check(const struct reuseport_group *group, struct reuseport_error *err)
{
	if (!group)
		return fail(err, EINVAL, "no handle is given");
	/* A child that was made without fork() has the handle of its parent. */
	if (group->owner.state < HANDLE_GIVEN && group->owner.pid == getpid())
		return 0;
	return fail(err, EPERM,
		    "%s is not kept by this process: the one that attached keeps it, or "
		    "the child that it was handed over to",
		    group->at.text);
}

bool handle_owner_has(const struct reuseport_key *key)
{
	bool has = false;

	pthread_mutex_lock(&mutex);
	for (const struct reuseport_group *at = handles; at && !has; at = at->owner.next)
		has = !handle_owner_check(at, NULL) && group_key_equal(&at->at.key, key);
	pthread_mutex_unlock(&mutex);
	return has;
}

int reuseport_group__hand_over(struct reuseport_group *group, struct reuseport_error *err)
{
	int ret = handle_owner_check(group, err);

	if (!ret)
		group->owner.state = HANDLE_LEAVING;
	return ret;
}

int reuseport_group__keep(struct reuseport_group *group, struct reuseport_error *err)
{
	int ret = handle_owner_check(group, err);

	if (ret)
		return ret;
	/* Taken back, if it was about to be handed over. */
	group->owner.state = HANDLE_KEPT;
	group->at.entry.keeper_pid = getpid();
	return attachment_write_entry(&group->at, err);
}
